//! Compiles the client for this machine, twice: as it is, and with the rule broken.
//!
//! The header in this folder is the one for x86-64. Anywhere else, and where there is no C
//! compiler, `no_c_client` is set: the tests are then reported as ignored.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_c_client)");
    println!("cargo::rerun-if-env-changed=CC");
    for file in ["client.c", "client.h", "condis.h", "driver.c", "watch.c"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(why) = compile() {
        println!("cargo::warning=the C client is not tested: {why}");
        println!("cargo::rustc-cfg=no_c_client");
    }
}

fn compile() -> Result<(), String> {
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("ARCH") != "x86_64" || target("OS") == "windows" {
        return Err("that takes x86-64 and another system than Windows".to_owned());
    }
    for (name, broken) in [("c_client", false), ("c_client_broken", true)] {
        let mut build = cc::Build::new();
        build
            .files(["client.c", "driver.c", "watch.c"])
            .include(".")
            .std("c11")
            .warnings(true)
            .extra_warnings(true)
            .flag("-Wno-unused-parameter")
            .warnings_into_errors(true)
            // Other drivers in the same program have that name, too.
            .define("DriverEntry", "c_client_entry")
            // What is linked where is up to the `#[link]` attributes.
            .cargo_metadata(false);
        if broken {
            build.define("BREAK_RULE", None);
        }
        build.try_compile(name).map_err(|error| error.to_string())?;
    }
    let folder = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    println!("cargo::rustc-link-search=native={folder}");
    Ok(())
}
