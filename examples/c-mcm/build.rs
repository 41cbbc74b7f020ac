//! Compiles the call manager for this machine, twice: with each request answered on the spot, and
//! with each pended.
//!
//! The header is the one for x86-64, in `examples/c-client`. Anywhere else, and where there is no
//! C compiler, `no_c_mcm` is set: the tests are then reported as ignored.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_c_mcm)");
    println!("cargo::rerun-if-env-changed=CC");
    for file in [
        "calls.c",
        "data.c",
        "driver.c",
        "mcm.h",
        "worker.c",
        "../c-client/condis.h",
    ] {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(why) = compile() {
        println!("cargo::warning=the call manager in C is not tested: {why}");
        println!("cargo::rustc-cfg=no_c_mcm");
    }
}

fn compile() -> Result<(), String> {
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("ARCH") != "x86_64" || target("OS") == "windows" {
        return Err("that takes x86-64 and another system than Windows".to_owned());
    }
    for (name, pended) in [("c_mcm", false), ("c_mcm_pended", true)] {
        let mut build = cc::Build::new();
        build
            .files(["calls.c", "data.c", "driver.c", "worker.c"])
            .includes([".", "../c-client"])
            .std("c11")
            .warnings(true)
            .extra_warnings(true)
            .flag("-Wno-unused-parameter")
            .warnings_into_errors(true)
            // Other drivers in the same program have that name, too.
            .define("DriverEntry", "c_mcm_entry")
            // What is linked where is up to the `#[link]` attributes.
            .cargo_metadata(false);
        if pended {
            build.define("PEND", None);
        }
        build.try_compile(name).map_err(|error| error.to_string())?;
    }
    let folder = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    println!("cargo::rustc-link-search=native={folder}");
    Ok(())
}
