//! The linker's orders that make a `cdylib` the image of a kernel driver.
//!
//! A build script can give them for the one artifact that they are meant for.
//! A `.cargo/config.toml` cannot: its flags would reach the tests and the
//! build scripts of the same target as well, which are ordinary programs.

use std::{env, path::Path};

/// Each order, and what it is for.
const DRIVER: [(&str, &str); 8] = [
    ("/DRIVER:WDM", "a driver, with the flag of a WDM driver"),
    ("/RELEASE", "a checksum: the kernel loads no driver without"),
    (
        "/SUBSYSTEM:NATIVE,10.00",
        "runs without any subsystem, on Windows 10 and later",
    ),
    (
        "/ENTRY:DriverEntry",
        "the kernel calls this, not the C runtime's start",
    ),
    (
        "/NODEFAULTLIB",
        "no C runtime; the imports name their modules themselves",
    ),
    (
        "/DYNAMICBASE",
        "the kernel loads it anywhere: keep the relocations",
    ),
    ("/NXCOMPAT", "no data is executed"),
    ("/INCREMENTAL:NO", "no padding for a linker's next run"),
];

/// Tells cargo how the driver's `cdylib` is linked. Call it in `build.rs`.
///
/// Does something only for a Windows target of the MSVC environment. When the
/// build has no `--target` of its own, as in `cargo test` on Windows, the
/// `cdylib` is made for tests, whose NDIS is in the test program: it is linked
/// with its imports left open, and nobody loads it.
pub fn link() {
    println!("cargo::rerun-if-changed=build.rs");
    let get = |name| env::var(name).unwrap_or_default();
    let out = get("OUT_DIR");
    for order in orders(&Build {
        os: &get("CARGO_CFG_TARGET_OS"),
        environment: &get("CARGO_CFG_TARGET_ENV"),
        target: &get("TARGET"),
        out: Path::new(&out),
    }) {
        println!("cargo::rustc-link-arg-cdylib={order}");
    }
}

/// What cargo tells a build script.
struct Build<'b> {
    os: &'b str,
    environment: &'b str,
    target: &'b str,
    out: &'b Path,
}

impl Build<'_> {
    /// Was the build given a `--target`? Only then has the target a folder of
    /// its own among the artifacts.
    fn has_target(&self) -> bool {
        self.out.iter().any(|part| part == self.target)
    }
}

fn orders(build: &Build<'_>) -> Vec<&'static str> {
    if build.os != "windows" || build.environment != "msvc" {
        Vec::new()
    } else if build.has_target() {
        DRIVER.iter().map(|(order, _)| *order).collect()
    } else {
        vec!["/FORCE:UNRESOLVED", "/NOENTRY"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "x86_64-pc-windows-msvc";

    fn of(os: &str, environment: &str, out: &str) -> Vec<&'static str> {
        orders(&Build {
            os,
            environment,
            target: TARGET,
            out: Path::new(out),
        })
    }

    #[test]
    fn a_build_with_a_target_makes_a_driver() {
        let orders = of(
            "windows",
            "msvc",
            "/t/x86_64-pc-windows-msvc/debug/build/d-1/out",
        );
        assert!(orders.contains(&"/ENTRY:DriverEntry"));
        assert!(orders.contains(&"/DRIVER:WDM"));
    }

    #[test]
    fn a_test_on_windows_makes_none() {
        let orders = of("windows", "msvc", "/t/debug/build/d-1/out");
        assert!(!orders.iter().any(|order| order.starts_with("/DRIVER")));
    }

    #[test]
    fn other_linkers_get_no_orders() {
        assert!(of("linux", "gnu", "/t/debug/build/d-1/out").is_empty());
        assert!(of("windows", "gnu", "/t/x86_64-pc-windows-msvc/d/out").is_empty());
    }
}
