//! Runs a folder of misuses: the compiler must refuse each one, with the
//! message that stands beside it.
//!
//! The messages are compared because they are half of the point: one that
//! leads nowhere is a fault of our types. But each release of the compiler
//! words some of them anew, so they are compared under the release that they
//! were taken from. Under any other one it is only checked that no case
//! compiles.
//!
//! After a change of the types, `TRYBUILD=overwrite cargo test --test ui`
//! takes the messages anew; read them before they are committed.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The release whose messages are in the folder.
const RELEASE: &str = "1.95.";

/// Runs every case of `tests/ui` of the crate under test.
pub fn run() {
    let version = compiler_version();
    if version.starts_with(RELEASE) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
        return;
    }
    println!("the messages are those of {RELEASE}x; under {version} they are not compared");
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ui");
    copy_cases(Path::new("tests/ui"), &copy).expect("the cases can be copied");
    // SAFETY: this is the only test of its program, whose main thread does
    // nothing but wait for it: nobody else looks at the environment.
    unsafe { env::set_var("TRYBUILD", "overwrite") };
    let cases = copy.join("*.rs");
    trybuild::TestCases::new().compile_fail(cases);
}

/// The compiler's version, such as `1.95.0`.
fn compiler_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("the compiler runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}

/// Copies the cases without their messages.
fn copy_cases(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            copy_cases(&path, &to.join(name))?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
