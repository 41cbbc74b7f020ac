//! The processor architectures that a driver is built for.

use std::{fmt, str::FromStr};

/// A processor architecture. A driver package has one image and one INF for
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arch {
    /// x86-64.
    X64,
    /// ARM64.
    Arm64,
    /// x86, 32 bits. Its last Windows is 10 22H2, and no image is made for it
    /// here: code of a 32-bit kernel may not touch the floating point units,
    /// which stable Rust's `core` for that target does. An INF can be.
    X86,
}

impl Arch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::X64, Self::Arm64, Self::X86];

    /// Those that images are made for.
    pub const IMAGES: [Self; 2] = [Self::X64, Self::Arm64];

    /// The platform extension of models and install sections
    /// (inf-manufacturer-section.md).
    pub const fn extension(self) -> &'static str {
        match self {
            Self::X64 => "NTamd64",
            Self::Arm64 => "NTarm64",
            Self::X86 => "NTx86",
        }
    }

    /// The extension of source disk sections, which lack the `NT`
    /// (inf-sourcedisksfiles-section.md).
    pub(super) fn disk_extension(self) -> &'static str {
        self.extension().trim_start_matches("NT")
    }

    /// The name, as [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
            Self::X86 => "x86",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of an [`Arch`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of the architectures x64, arm64 and x86")]
pub struct UnknownArch(String);

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.name() == name)
            .ok_or_else(|| UnknownArch(name.to_owned()))
    }
}
