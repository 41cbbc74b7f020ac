//! Compiles a checking program for a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::say;

/// Whether cargo accepts the program for the target, and what it said.
pub fn accepts(name: &str, source: &str, target: &str) -> (bool, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("oracle")
        .join(name);
    fs::create_dir_all(folder.join("src")).expect("the test's folder");
    let manifest = format!(
        "[package]\nname = \"oracle-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nndis-sys = {{ path = {:?} }}\n\n[workspace]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest");
    fs::write(folder.join("src/lib.rs"), source).expect("the program");
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let output = Command::new(cargo)
        .args(["check", "--quiet", "--offline", "--target", target])
        .current_dir(&folder)
        // One folder for all programs: ndis-sys is checked once a target.
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle-target"),
        )
        // What the outer cargo was told is not meant for the inner one.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

/// Links the program into a driver image for a Windows target and returns the
/// image. `rust-lld` comes with every toolchain.
pub fn image(source: &str, target: &str) -> Result<Vec<u8>, String> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = scratch.join("oracle").join(format!("image-{target}"));
    fs::create_dir_all(folder.join("src")).expect("the test's folder");
    let manifest = format!(
        "[package]\nname = \"oracle-image\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n[profile.dev]\npanic = \"abort\"\n\n\
         [dependencies]\nndis-sys = {{ path = {:?} }}\n\n[workspace]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest");
    fs::write(folder.join("src/lib.rs"), source).expect("the program");
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let flags = "-Clinker=rust-lld -Clink-arg=/NODEFAULTLIB -Clink-arg=/SUBSYSTEM:NATIVE \
                 -Clink-arg=/DRIVER -Clink-arg=/ENTRY:DriverEntry";
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--offline", "--target", target])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", scratch.join("oracle-images"))
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let path = scratch.join(format!("oracle-images/{target}/debug/oracle_image.dll"));
    fs::read(path).map_err(|e| e.to_string())
}

/// The target that this test was built for.
pub fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .find_map(|l| l.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_string()
}

/// Makes sure that the target's `core` is there. Where it cannot be had, says
/// so; under continuous integration that is a failure.
pub fn have(target: &str) -> bool {
    let installed = || {
        let output = Command::new("rustc")
            .args(["--print", "target-libdir", "--target", target])
            .output();
        output.is_ok_and(|o| {
            let folder = PathBuf::from(String::from_utf8_lossy(&o.stdout).trim());
            fs::read_dir(folder).is_ok_and(|d| {
                d.flatten()
                    .any(|f| f.file_name().to_string_lossy().starts_with("libcore-"))
            })
        })
    };
    if installed() {
        return true;
    }
    // It may be that there is no rustup; the question below decides.
    let _ = Command::new("rustup")
        .args(["target", "add", target])
        .output();
    if installed() {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the target {target} cannot be installed, and CI must check it"
    );
    say(&format!(
        "SKIPPED: the target {target} is not installed and `rustup target add` failed"
    ));
    false
}
