//! Runs rounds of one operation, for callgrind to watch.
//! `ndis-bench STUB DRIVERS PAIR OPERATION ARGUMENT TIMES`
//!
//! The stub of NDIS is loaded first, then the drivers, whose imports it has. What is to be counted is
//! within `stub_window`. What the stub itself has counted is printed.

#[cfg(target_os = "linux")]
mod pair;

#[cfg(target_os = "linux")]
mod run;

fn main() {
    #[cfg(target_os = "linux")]
    run::main();
    #[cfg(not(target_os = "linux"))]
    panic!("objects are loaded as Linux does it");
}
