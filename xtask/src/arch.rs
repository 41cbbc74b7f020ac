//! The processor architectures that Windows drivers are built for.

use std::fmt;

use clap::ValueEnum;
use ndis_build::inf;
use object::pe;

/// An architecture, by its name in the world of Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Arch {
    X64,
    Arm64,
    X86,
}

impl Arch {
    pub const ALL: [Self; 3] = [Self::X64, Self::Arm64, Self::X86];

    /// Those that images are made for: stable Rust's code for x86 uses SSE, which a 32-bit kernel
    /// may not, and Windows 11 and Server have no such kernel.
    pub const IMAGES: [Self; 2] = [Self::X64, Self::Arm64];

    /// The one whose images have this machine in their headers.
    pub fn of(machine: pe::Machine) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.machine() == machine)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
            Self::X86 => "x86",
        }
    }

    /// As Rust's `target_arch` has it.
    pub fn rust(self) -> &'static str {
        match self {
            Self::X64 => "x86_64",
            Self::Arm64 => "aarch64",
            Self::X86 => "x86",
        }
    }

    /// The compiler's target.
    pub fn target(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
            Self::X86 => "i686-pc-windows-msvc",
        }
    }

    /// The machine that an image's header names.
    pub fn machine(self) -> pe::Machine {
        match self {
            Self::X64 => pe::IMAGE_FILE_MACHINE_AMD64,
            Self::Arm64 => pe::IMAGE_FILE_MACHINE_ARM64,
            Self::X86 => pe::IMAGE_FILE_MACHINE_I386,
        }
    }

    /// The same for INF files.
    pub fn inf(self) -> inf::Arch {
        match self {
            Self::X64 => inf::Arch::X64,
            Self::Arm64 => inf::Arch::Arm64,
            Self::X86 => inf::Arch::X86,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
