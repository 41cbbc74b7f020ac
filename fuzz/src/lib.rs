//! Hostile input for what reads foreign memory in the NDIS crates.
//!
//! Call parameters, SAPs, OID requests, chains of buffers and structures of telephony come from
//! other drivers: pointers and lengths that C gives nothing to check against. Each module here reads the
//! fuzzer's bytes as one such thing and builds it in memory, every part in an
//! allocation of its own that ends where its claim does, so that a sanitizer
//! sees a single byte too many. Then it looks at the thing through the safe
//! layer, in every way there is, and compares with what was written.
//!
//! The programs in `fuzz_targets` give each `run` to libFuzzer, or without the
//! feature `libfuzzer` to [`standalone`]. `cargo xtask fuzz` builds and runs
//! them; `cargo fuzz run <target>` does as well. Under the views is `ndis-host`,
//! as in every test.

pub mod buffer_chain;
pub mod built;
pub mod call_parameters;
pub mod failure;
pub mod input;
pub mod memory;
pub mod oid_request;
pub mod own_lists;
pub mod packet;
pub mod sap;
pub mod show;
pub mod standalone;
pub mod tapi_views;
pub mod variable;
pub mod wan_views;

#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
pub use libfuzzer_sys;

/// Makes a program that fuzzes a module's `run`.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! target {
    ($module:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$module::run(data));
    };
}

/// Makes a program that fuzzes a module's `run`.
#[cfg(not(feature = "libfuzzer"))]
#[macro_export]
macro_rules! target {
    ($module:ident) => {
        fn main() -> std::process::ExitCode {
            $crate::standalone::main($crate::$module::run)
        }
    };
}
