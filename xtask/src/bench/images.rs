//! How large the images are: the examples on the safe layer, beside the examples in C.
//!
//! All are what Windows on x64 would load, optimised. The C drivers do less (docs/performance/images.md
//! says what), so that a ratio is no price by itself; what has a ceiling is the size.

use std::{fs, path::Path};

use anyhow::Result;
use serde::Serialize;

use crate::{
    arch::Arch,
    c_client::{self, CLIENT, Driver, MANAGER},
    ceilings::Figures,
    steps::Outcome,
    sys::Artifacts,
    toolchain, workspace,
};

/// An example, and the one in C that is most like it.
const PAIRS: [(&str, Driver); 2] = [("loopback-mcm", MANAGER), ("echo-client", CLIENT)];

/// One example's image.
#[derive(Serialize)]
pub struct Image {
    pub name: &'static str,
    /// Bytes of the file.
    pub safe: u64,
    /// The same of the driver in C; there may be no compiler of C.
    pub raw: Option<u64>,
}

impl Image {
    /// What its ceiling is called.
    pub fn key(&self) -> String {
        key(self.name)
    }
}

fn key(name: &str) -> String {
    format!("image, {name}")
}

/// Whether a ceiling is of an image.
pub fn is_key(name: &str) -> bool {
    PAIRS.iter().any(|(package, _)| key(package) == name)
}

/// Builds the images; the inner error says what is missing here.
pub fn images() -> Result<Result<Vec<Image>, Outcome>> {
    if let Some(missing) = toolchain::need_target(Arch::X64.target())? {
        return Ok(Err(missing));
    }
    let mut images = Vec::new();
    for (name, driver) in PAIRS {
        let manifest = workspace::root()
            .join("examples")
            .join(name)
            .join("Cargo.toml");
        let built = Artifacts::build(&manifest, Arch::X64, true)?;
        let folder = driver.target(Arch::X64);
        let raw = match c_client::build(Arch::X64, &driver, &folder)? {
            Outcome::Passed(_) => Some(size(&folder.join(driver.image))?),
            Outcome::Skipped(_) | Outcome::Missing(_) => None,
        };
        let safe = size(&built.dynamic)?;
        images.push(Image { name, safe, raw });
    }
    Ok(Ok(images))
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)?.len())
}

/// What has a ceiling.
pub fn figures(images: &[Image]) -> Figures {
    images
        .iter()
        .map(|image| (image.key(), image.safe as f64))
        .collect()
}
