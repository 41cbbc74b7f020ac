//! Where things are in the tree, and how a command writes a generated file or checks it.

use crate::say::say;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The crates that a driver is written against; the api map and the rule table read them.
pub const SAFE_CRATES: [&str; 2] = ["ndis-co", "ndis-mcm"];

/// The option of every command that writes a file into the tree.
#[derive(clap::Args, Clone, Copy)]
pub struct CheckArgs {
    /// Compare with the file on disk instead of writing it; fail when they differ.
    #[arg(long)]
    pub check: bool,
}

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let xtask = env!("CARGO_MANIFEST_DIR");
    Path::new(xtask)
        .parent()
        .unwrap_or(Path::new(xtask))
        .to_path_buf()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |own| root().join(own))
}

/// `path` as it is shown in generated files: relative to `root`, with forward slashes.
pub fn shown(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Copies a file; a failure names both.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Gives a workspace in another folder the versions that this one is tested with.
pub fn lend_versions(folder: &Path) -> Result<()> {
    let name = "Cargo.lock";
    copy(&root().join(name), &folder.join(name))
}

/// Reads a text file; a failure names it.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Every `.rs` file under `folder`, in a stable order; none when there is no such folder.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|e| e == "rs") {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// The crates' folders: every folder with a `Cargo.toml` at the top or under `examples`.
pub fn crate_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for parent in [root.to_path_buf(), root.join("examples")] {
        if !parent.exists() {
            continue;
        }
        for entry in fs::read_dir(&parent)? {
            let folder = entry?.path();
            if folder.join("Cargo.toml").is_file() {
                folders.push(folder);
            }
        }
    }
    folders.sort();
    Ok(folders)
}

/// Writes the generated file `name` (relative to the root), or with `--check` compares it.
pub fn write_or_check(root: &Path, name: &str, text: &str, args: CheckArgs) -> Result<()> {
    let path = root.join(name);
    let on_disk = fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    if on_disk == text {
        say!("{name} is up to date");
        return Ok(());
    }
    if args.check {
        if let Some((number, (old, new))) = (1..)
            .zip(on_disk.lines().zip(text.lines()))
            .find(|(_, (old, new))| old != new)
        {
            say!("first difference, line {number}:\n  on disk:   {old}\n  generated: {new}");
        }
        bail!(
            "{name} does not match the sources; run the command without --check and commit the result"
        );
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    say!("{name} written");
    Ok(())
}

/// Is this run on a CI machine? There, what could have been installed may not be skipped.
pub fn on_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
