//! `ndis-inf`: writes and checks INF files.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use ndis_build::inf::{Arch, Driver, check_file, check_for};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Writes and checks the INF files of Rust network drivers.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the INF of a driver, from its Cargo.toml.
    Generate {
        /// The driver's manifest.
        #[arg(long, default_value = "Cargo.toml", value_name = "FILE")]
        manifest_path: PathBuf,
        /// x64, arm64 or x86. Several, or none for x64 and arm64: each in a folder of its name.
        #[arg(long)]
        arch: Vec<Arch>,
        /// The folder to write to.
        #[arg(long, default_value = ".", value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Say what is wrong with INF files: fails when there is an error.
    ///
    /// A finding is an error where Windows does not install or load the driver,
    /// a warning where it may do something else than its author means or where
    /// Microsoft signs no such package, and a hint where it does no harm. Only
    /// errors make the command fail.
    Check {
        /// They must serve this architecture: x64, arm64 or x86.
        #[arg(long)]
        arch: Option<Arch>,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Generate {
            manifest_path,
            arch,
            out,
        } => generate(&manifest_path, &arch, &out),
        Command::Check { arch, files } => check_files(&files, arch),
    };
    // Printed here: whoever returns it from `main` shows the user a backtrace, if there is one.
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn generate(manifest: &Path, archs: &[Arch], out: &Path) -> Result<ExitCode> {
    let driver = Driver::from_manifest(manifest)?;
    let archs = if archs.is_empty() {
        &Arch::IMAGES
    } else {
        archs
    };
    for &arch in archs {
        let text = driver.render(arch);
        if let Some(finding) = check_for(&text, arch).first() {
            bail!("the generated INF is wrong, which is an error of ndis-build: {finding}");
        }
        let folder = match archs {
            [_] => out.to_owned(),
            _ => out.join(arch.name()),
        };
        let path = folder.join(driver.inf_name());
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn check_files(files: &[PathBuf], arch: Option<Arch>) -> Result<ExitCode> {
    let mut counts = [0_usize; 3];
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        for finding in check_file(&bytes, arch) {
            println!("{}: {finding}", file.display());
            counts[finding.severity() as usize] += 1;
        }
    }
    let [hints, warnings, errors] = counts;
    match hints + warnings + errors {
        0 => println!("no finding"),
        _ => println!("{errors} errors, {warnings} warnings, {hints} hints"),
    }
    Ok(if errors > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
