//! Where Microsoft's headers are, and the words clang needs to read them as
//! Microsoft's compiler would.
//!
//! Two folder layouts are understood: a WDK's `Include/<version>` (`km`,
//! `shared`, ... beside each other) and the `IdlHeaders` folder of the
//! `wdkmetadata` repository, which has the same shape. The headers spell the
//! names of their own files in any case they like, so on a case-sensitive file
//! system clang reads them through an overlay that folds case.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The architectures that Windows kernel drivers are built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    X86_64,
    Aarch64,
    X86,
}

impl Arch {
    pub const ALL: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::X86];

    /// As Rust's `target_arch` spells it; also the name of the generated file.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
            Arch::X86 => "x86",
        }
    }

    fn clang_args(self) -> &'static [&'static str] {
        match self {
            Arch::X86_64 => &[
                "--target=x86_64-pc-windows-msvc",
                "-D_AMD64_",
                "-DAMD64",
                "-D_WIN64",
            ],
            Arch::Aarch64 => &[
                "--target=aarch64-pc-windows-msvc",
                "-D_ARM64_",
                "-DARM64",
                "-D_WIN64",
            ],
            // Kernel code on x86 is built with stdcall as the default.
            Arch::X86 => &[
                "--target=i686-pc-windows-msvc",
                "-D_X86_",
                "-Di386=1",
                "-DSTD_CALL",
                "-mrtd",
            ],
        }
    }
}

/// What the wrapper header defines and includes, in this order: both roles of
/// NDIS 6.87, and each header whose declarations are wanted.
const WRAPPER: &str = "\
#define NDIS_MINIPORT_DRIVER 1
#define NDIS687_MINIPORT 1
#define NDIS687 1
#define NDIS_PROTOCOL_DRIVER 1
#include <ntddk.h>
#include <ndis.h>
#include <netpnp.h>
#include <ndis/kdnetpf.h>
#include <atm.h>
#include <ndistapi.h>
#include <ndiswan.h>
";

/// The header set, ready to be read.
pub struct Headers {
    root: PathBuf,
    overlay: PathBuf,
    pub wrapper: PathBuf,
    pub version: String,
}

impl Headers {
    /// Finds the headers below `include` and prepares a scratch folder beside
    /// the build output.
    pub fn find(include: &Path, scratch: &Path) -> Result<Headers> {
        let root = include
            .canonicalize()
            .with_context(|| format!("no such folder: {}", include.display()))?;
        for part in ["km", "shared"] {
            if !root.join(part).is_dir() {
                bail!("{} has no folder `{part}`", root.display());
            }
        }
        fs::create_dir_all(scratch)?;
        let overlay = scratch.join("fold-case.yaml");
        let roots = json!([{
            "type": "directory",
            "name": root.to_string_lossy(),
            "contents": overlay_entries(&root, &["km", "shared"])?,
        }]);
        let yaml = json!({
            "version": 0,
            "case-sensitive": false,
            "use-external-names": false,
            "roots": roots,
        });
        fs::write(&overlay, serde_json::to_vec(&yaml)?)?;
        let wrapper = scratch.join("wrapper.h");
        fs::write(&wrapper, WRAPPER)?;
        let version = version_of(&root)?;
        Ok(Headers {
            root,
            overlay,
            wrapper,
            version,
        })
    }

    /// The arguments for one architecture, without an input file.
    pub fn args(&self, arch: Arch) -> Vec<String> {
        let mut args: Vec<String> = [
            "-x",
            "c++",
            // In C mode unnamed members get lost; see ndis-sys/README.md.
            "-std=c++17",
            "-fms-extensions",
            "-fms-compatibility",
            "-fms-compatibility-version=19.38",
            "-D_WIN32_WINNT=0x0A00",
            "-DWINVER=0x0A00",
            "-DNTDDI_VERSION=0x0A000010",
            "-DWINNT=1",
            "-DKERNEL",
            "-w",
            "-ivfsoverlay",
        ]
        .map(String::from)
        .to_vec();
        args.push(self.overlay.to_string_lossy().into_owned());
        for folder in ["km", "shared", "km/crt"] {
            args.push("-isystem".into());
            args.push(self.root.join(folder).to_string_lossy().into_owned());
        }
        args.extend(arch.clang_args().iter().map(|s| s.to_string()));
        args
    }

    /// The arguments with which `wdk-sys` reads the headers for one architecture. It does not
    /// know x86; there the definitions are those of the WDK's own build files.
    pub fn wdk_args(&self, arch: Arch) -> Vec<String> {
        let mut args: Vec<String> = ["-fno-builtin", "-ivfsoverlay"].map(String::from).to_vec();
        args.push(self.overlay.to_string_lossy().into_owned());
        for folder in ["km/crt", "km", "shared"] {
            let folder = self.root.join(folder);
            args.push(format!("--include-directory={}", folder.to_string_lossy()));
        }
        let own: &[&str] = match arch {
            Arch::X86_64 => &[
                "--target=x86_64-pc-windows-msvc",
                "-D_WIN64",
                "-D_AMD64_",
                "-DAMD64",
            ],
            Arch::Aarch64 => &[
                "--target=aarch64-pc-windows-msvc",
                "-D_ARM64_",
                "-DARM64",
                "-D_USE_DECLSPECS_FOR_SAL=1",
                "-DSTD_CALL",
            ],
            Arch::X86 => &[
                "--target=i686-pc-windows-msvc",
                "-D_X86_=1",
                "-Di386=1",
                "-DSTD_CALL",
                "-mrtd",
            ],
        };
        let shared = [
            "-D_KERNEL_MODE",
            "-fms-compatibility",
            "-fms-extensions",
            "-fdelayed-template-parsing",
            "-Wno-invalid-token-paste",
            "-w",
        ];
        args.extend(own.iter().chain(&shared).map(|s| s.to_string()));
        args
    }

    /// Patterns for the files whose declarations the crate has to carry.
    pub fn wanted_files(&self) -> [String; 2] {
        let root = self.root.to_string_lossy().replace('.', "\\.");
        [
            format!(r"{root}/km/(ndis\.h|netpnp\.h|ndis/.*|atm\.h|ndistapi\.h|ndiswan\.h)"),
            format!(r"{root}/shared/(ntddndis\.h|ndis/.*)"),
        ]
    }

    /// Whether a path that clang reports is one of [`Self::wanted_files`].
    pub fn is_wanted(&self, path: &str) -> bool {
        let path = path.replace('\\', "/").replace("//", "/");
        let Some(rest) = path.strip_prefix(&*self.root.to_string_lossy()) else {
            return false;
        };
        let rest = rest.trim_start_matches('/').to_ascii_lowercase();
        matches!(
            rest.as_str(),
            "km/ndis.h" | "km/netpnp.h" | "km/atm.h" | "km/ndistapi.h" | "km/ndiswan.h"
        ) || rest == "shared/ntddndis.h"
            || rest.starts_with("km/ndis/")
            || rest.starts_with("shared/ndis/")
    }
}

fn overlay_entries(folder: &Path, only: &[&str]) -> Result<Vec<Value>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut entries = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !only.is_empty() && !only.contains(&name.as_str()) {
            continue;
        }
        entries.push(if path.is_dir() {
            json!({ "type": "directory", "name": name, "contents": overlay_entries(&path, &[])? })
        } else {
            json!({ "type": "file", "name": name, "external-contents": path.to_string_lossy() })
        });
    }
    Ok(entries)
}

/// The release that the headers themselves say they belong to. The folder's
/// name is not asked, so that the same headers give the same answer anywhere.
fn version_of(root: &Path) -> Result<String> {
    let text = fs::read(root.join("shared/sdkddkver.h")).context("shared/sdkddkver.h")?;
    let text = String::from_utf8_lossy(&text);
    let name = text
        .lines()
        .filter_map(|l| l.trim().strip_prefix("#define"))
        .filter_map(|l| l.trim_start().strip_prefix("WDK_NTDDI_VERSION"))
        .find_map(|l| l.split_whitespace().next());
    match name {
        Some("NTDDI_WIN10_NI") => Ok("10.0.22621 (NTDDI_WIN10_NI)".into()),
        Some(name) => Ok(name.into()),
        None => bail!("shared/sdkddkver.h names no WDK_NTDDI_VERSION"),
    }
}
