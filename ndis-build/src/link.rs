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

/// The orders themselves, for a linker that is called by hand.
pub fn orders() -> impl Iterator<Item = &'static str> {
    DRIVER.iter().map(|(order, _)| *order)
}

/// Tells cargo how the driver's `cdylib` is linked. Call it in `build.rs`.
///
/// Does something only for a Windows target of the MSVC environment. There a
/// build is one of two things:
///
/// - With a `--target`, it makes the driver: the [`orders`] are given.
/// - Without one, as in `cargo test` on Windows, the `cdylib` is a by-product
///   of the tests, whose NDIS is in the test program: it is linked with its
///   imports left open, and nobody loads it.
///
/// The variable `NDIS_LINK` decides where that guess is wrong: `driver` for a
/// driver without `--target`, `test` for tests with one.
pub fn link() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let get = |name| env::var(name).unwrap_or_default();
    let out = get("OUT_DIR");
    let build = Build {
        os: &get("CARGO_CFG_TARGET_OS"),
        environment: &get("CARGO_CFG_TARGET_ENV"),
        target: &get("TARGET"),
        out: Path::new(&out),
        wish: &get(VARIABLE),
    };
    match build.orders() {
        Ok(orders) => {
            for order in orders {
                println!("cargo::rustc-link-arg-cdylib={order}");
            }
        }
        Err(wish) => println!("cargo::error={VARIABLE} is {wish:?}, not \"driver\" or \"test\""),
    }
}

/// Decides what is linked.
const VARIABLE: &str = "NDIS_LINK";

/// A `cdylib` that is never loaded, whose imports are nowhere.
const TEST: [&str; 2] = ["/FORCE:UNRESOLVED", "/NOENTRY"];

/// What cargo tells a build script, and the author.
struct Build<'b> {
    os: &'b str,
    environment: &'b str,
    target: &'b str,
    out: &'b Path,
    wish: &'b str,
}

impl<'b> Build<'b> {
    /// Was the build given a `--target`? Only then has the target a folder of
    /// its own among the artifacts.
    fn has_target(&self) -> bool {
        self.out.iter().any(|part| part == self.target)
    }

    /// The linker's orders, or the wish that is none.
    fn orders(&self) -> Result<Vec<&'static str>, &'b str> {
        let driver = match self.wish {
            "" => self.has_target(),
            "driver" => true,
            "test" => false,
            other => return Err(other),
        };
        Ok(if self.os != "windows" || self.environment != "msvc" {
            Vec::new()
        } else if driver {
            orders().collect()
        } else {
            TEST.to_vec()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "x86_64-pc-windows-msvc";
    const WITH_TARGET: &str = "/t/x86_64-pc-windows-msvc/debug/build/d-1/out";
    const WITHOUT: &str = "/t/debug/build/d-1/out";

    fn of<'b>(
        os: &'b str,
        environment: &'b str,
        out: &'b str,
        wish: &'b str,
    ) -> Result<Vec<&'static str>, &'b str> {
        Build {
            os,
            environment,
            target: TARGET,
            out: Path::new(out),
            wish,
        }
        .orders()
    }

    #[test]
    fn a_build_with_a_target_makes_a_driver() {
        let orders = of("windows", "msvc", WITH_TARGET, "").unwrap();
        assert_eq!(orders.len(), DRIVER.len());
        assert!(orders.contains(&"/ENTRY:DriverEntry"));
        assert_eq!(of("windows", "msvc", WITHOUT, "driver"), Ok(orders));
    }

    #[test]
    fn a_test_on_windows_makes_none() {
        assert_eq!(of("windows", "msvc", WITHOUT, ""), Ok(TEST.to_vec()));
        assert_eq!(
            of("windows", "msvc", WITH_TARGET, "test"),
            Ok(TEST.to_vec())
        );
    }

    #[test]
    fn other_linkers_get_no_orders() {
        assert_eq!(of("linux", "gnu", WITHOUT, ""), Ok(vec![]));
        assert_eq!(of("windows", "gnu", WITH_TARGET, "driver"), Ok(vec![]));
    }

    #[test]
    fn a_wish_that_is_none_is_an_error() {
        assert_eq!(of("windows", "msvc", WITHOUT, "drivers"), Err("drivers"));
    }
}
