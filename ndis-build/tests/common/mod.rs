//! Drivers for the tests.

use ndis_build::inf::Driver;
use std::{fs, path::PathBuf};

/// The manifest of one of the workspace's examples.
pub fn example_manifest(name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "examples",
        name,
        "Cargo.toml",
    ]
    .iter()
    .collect()
}

/// One of the workspace's examples.
pub fn example(name: &str) -> Driver {
    Driver::from_manifest(&example_manifest(name)).unwrap()
}

/// A driver with that manifest, alone in its folder.
pub fn driver(manifest: &str) -> Result<Driver, ndis_build::inf::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Cargo.toml");
    fs::write(&path, manifest).unwrap();
    Driver::from_manifest(&path)
}

/// The manifest of an adapter on a bus, with what the examples leave out.
pub const USB: &str = r#"
[package]
name = "usb-line"
version = "1.2.3"

[package.metadata.ndis]
provider = "Contoso"
date = "2026-02-28"
display-name = "USB line"

[package.metadata.ndis.miniport]
hardware-id = 'USB\VID_0000&PID_0001'
bus = "usb"
wan-endpoints = 2

[package.metadata.ndis.parameters]
Lines = 2
"#;

/// The same with settings on its page of advanced properties.
pub fn usb_with_params() -> String {
    let params = r#"
[package.metadata.ndis.miniport.params]
Lines = { desc = "Lines", type = "int", default = 4, min = 1, max = 64 }
Route = { desc = "Route", type = "enum", default = 0, values = ["Short", "Long"] }
"#;
    format!("{USB}{params}")
}
