//! From a package to an image in its place, by the commands that its author would use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use ndis_build::inf;

use crate::{
    arch::Arch,
    say::say,
    steps::{self, Outcome},
    toolchain::{self, cargo},
    workspace,
};

/// A package that becomes an image.
#[derive(Clone, Copy)]
pub struct Package {
    name: &'static str,
    /// Where its manifest is, below the workspace.
    folder: &'static str,
    /// Whether an INF file installs it.
    installs: bool,
    /// Whether it may panic, optimised. No driver may.
    panics: bool,
}

impl Package {
    /// Whether it is optimised when it is asked for: drivers are. The host is nobody's driver, and the compiler
    /// has a minute's work on it then.
    fn optimised(&self, release: bool) -> bool {
        release && !self.panics
    }
}

/// The example drivers.
pub const DRIVERS: [Package; 5] = [
    Package {
        name: "loopback-mcm",
        folder: "examples/loopback-mcm",
        installs: true,
        panics: false,
    },
    Package {
        name: "echo-client",
        folder: "examples/echo-client",
        installs: true,
        panics: false,
    },
    Package {
        name: "link-co",
        folder: "examples/link-co",
        installs: true,
        panics: false,
    },
    Package {
        name: "signal-cm",
        folder: "examples/signal-cm",
        installs: true,
        panics: false,
    },
    Package {
        name: "wan-mcm",
        folder: "examples/wan-mcm",
        installs: true,
        panics: false,
    },
];

/// NDPROXY, of the models of Windows' own drivers: a call manager without VCs of its own, whose type
/// for them has no values.
pub const NDPROXY: Package = Package {
    name: "ndproxy",
    folder: "ndis-host/wan/ndproxy",
    installs: false,
    panics: false,
};

/// The host. It stops the system on purpose: for what drivers do wrong, and for what it does.
const HOST: Package = Package {
    name: "ndis-image",
    folder: "ndis-host/image",
    installs: false,
    panics: true,
};

/// The models of what Windows has above a WAN miniport. Nobody installs them: Windows has the drivers
/// themselves.
const MODELS: [Package; 2] = [
    Package {
        name: "ndis-wan-ndproxy",
        folder: "ndis-host/wan/ndproxy",
        installs: false,
        panics: false,
    },
    Package {
        name: "ndis-wan-ndiswan",
        folder: "ndis-host/wan/ndiswan",
        installs: false,
        panics: false,
    },
];

pub const PACKAGES: [Package; 8] = [
    DRIVERS[0], DRIVERS[1], DRIVERS[2], DRIVERS[3], DRIVERS[4], MODELS[0], MODELS[1], HOST,
];

/// Whose images are looked over as they come from the development profile: a miniport, a client, and the host, which
/// has no other.
pub const UNOPTIMISED: [Package; 3] = [DRIVERS[0], DRIVERS[1], HOST];

/// An image in its place.
pub struct Built {
    /// The `.sys` file.
    pub path: PathBuf,
    /// Its INF file, if it has one.
    pub inf: Option<PathBuf>,
    /// The linker's map, of an optimised image that may not panic.
    pub map: Option<PathBuf>,
}

/// Where the images for an architecture go.
pub fn folder(arch: Arch) -> PathBuf {
    workspace::target().join("drivers").join(arch.name())
}

/// Builds the images for an architecture; the inner error says what is missing here.
pub fn build(arch: Arch, release: bool) -> Result<Result<Vec<Built>, Outcome>> {
    build_some(arch, release, &PACKAGES)
}

/// Builds the images of some packages.
pub fn build_some(
    arch: Arch,
    release: bool,
    packages: &[Package],
) -> Result<Result<Vec<Built>, Outcome>> {
    if let Some(missing) = toolchain::need_target(arch.target())? {
        return Ok(Err(missing));
    }
    let folder = folder(arch);
    fs::create_dir_all(&folder)?;
    let mut built = Vec::new();
    for package in packages {
        let manifest = workspace::root().join(package.folder).join("Cargo.toml");
        let image = Artifacts::build(&manifest, arch, package.optimised(release))?;
        let path = image.install(&folder)?;
        let inf = if package.installs {
            Some(write_inf(&manifest, arch, &folder)?)
        } else {
            None
        };
        built.push(Built {
            path,
            inf,
            map: image.map,
        });
        say!("{}: {}", arch, package.name);
    }
    Ok(Ok(built))
}

fn write_inf(manifest: &Path, arch: Arch, folder: &Path) -> Result<PathBuf> {
    let driver = inf::Driver::from_manifest(manifest)?;
    let path = folder.join(driver.inf_name());
    fs::write(&path, driver.render(arch.inf()))?;
    Ok(path)
}

/// What cargo has made of a driver's package.
pub struct Artifacts {
    pub dynamic: PathBuf,
    /// The linker's map, where the image is optimised.
    pub map: Option<PathBuf>,
}

impl Artifacts {
    /// Builds the package of a manifest as its author would.
    pub fn build(manifest: &Path, arch: Arch, release: bool) -> Result<Self> {
        // `cargo rustc` is `cargo build` with words for the package's own library.
        let mut command = cargo(&["rustc", "--lib", "--message-format=json-render-diagnostics"]);
        command.arg("--manifest-path").arg(manifest);
        command.args(["--target", arch.target()]);
        let folder = manifest.parent().and_then(Path::file_name);
        let map = folder.filter(|_| release).map(|name| {
            let file = workspace::target()
                .join("maps")
                .join(arch.name())
                .join(name);
            file.with_extension("map")
        });
        if let Some(map) = &map {
            fs::create_dir_all(map.parent().context("a file is in a folder")?)?;
            // And no Rust library of it, whose code would be made beside the image's.
            command.args(["--release", "--crate-type", "cdylib", "--"]);
            command.arg(format!("-Clink-arg=/MAP:{}", map.display()));
        } else {
            // The workspace's own development profile unwinds, for its tests.
            command.env("CARGO_PROFILE_DEV_PANIC", "abort");
            // Nor does it build the host as fast as it can, as they need it.
            command.args(["--config", "profile.dev.package.ndis-host.opt-level=0"]);
        }
        let text = captured(&mut command)?;
        let mut dynamic = None;
        for line in text.lines() {
            let message: Message = match serde_json::from_str(line) {
                Ok(message) => message,
                Err(_) => continue,
            };
            for file in message.filenames {
                // Only the last package, the one that was asked for, has one.
                if file.extension().is_some_and(|extension| extension == "dll") {
                    dynamic = Some(file);
                }
            }
        }
        let dynamic = dynamic.with_context(|| {
            format!(
                "{} makes no dynamic library: is \"cdylib\" among its crate types?",
                manifest.display()
            )
        })?;
        Ok(Self { dynamic, map })
    }

    /// Copies the image and its symbols into `folder`, the image under a driver's name.
    pub fn install(&self, folder: &Path) -> Result<PathBuf> {
        let name = self.dynamic.file_name().context("a library has a name")?;
        // The host's library is called `ndis`.
        let path = folder.join(name).with_extension("sys");
        workspace::copy(&self.dynamic, &path)?;
        workspace::copy(
            &self.dynamic.with_extension("pdb"),
            &path.with_extension("pdb"),
        )?;
        Ok(path)
    }
}

/// The part of cargo's messages that names files.
#[derive(serde::Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// What a command prints; its messages go to the terminal.
fn captured(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{} ended with {}", steps::line(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
