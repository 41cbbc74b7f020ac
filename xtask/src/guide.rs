//! The guide, followed by a machine: its page on a driver of one's own must lead from an empty
//! folder to an image, by what is written there and nothing else.
//!
//! A fenced block that comes after a line with nothing but a file's name, as in `` `build.rs`: ``,
//! is that file. A block of shell commands is run, line by line, in the order of the page. Two things
//! are put under the page's feet, because the crates are not published yet: dependencies come from
//! this workspace, and so does the tool that the page has installed.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    arch::Arch,
    steps::{self, Outcome},
    sys::{self, pe::Image},
    toolchain, workspace,
};

const PAGE: &str = "docs/guide/a-driver-of-your-own.md";

/// The crates that the page may depend on, with their folders.
const CRATES: [&str; 5] = ["ndis-sys", "ndis-co", "ndis-mcm", "ndis-host", "ndis-build"];

/// The driver that is also on the page of `ndis-mcm`: the same lines.
const SOURCES: [&str; 2] = [
    "ndis-mcm/doc/mirror/driver.rs",
    "ndis-mcm/doc/mirror/calls.rs",
];

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    if let Some(missing) = toolchain::need_target(Arch::X64.target())? {
        return Ok(missing);
    }
    let root = workspace::root();
    let page = Page::read(&workspace::read(&root.join(PAGE))?)?;
    page.agrees_with_the_crate()?;
    // In a place of its own: no workspace above it, no target folder of ours.
    let folder = tempfile::Builder::new()
        .prefix("ndis-guide-")
        .tempdir()
        .context("no temporary folder")?;
    let folder = folder.path();
    page.write(folder)?;
    for line in &page.commands {
        run(folder, line)?;
    }
    let mut sizes = vec![look_over(folder, Arch::X64)?];
    // For the other machine, as the page says, another target.
    for arch in Arch::IMAGES {
        if arch == Arch::X64 {
            continue;
        }
        for line in &page.commands {
            if line.contains(Arch::X64.target()) {
                run(folder, &line.replace(Arch::X64.target(), arch.target()))?;
            }
        }
        sizes.push(look_over(folder, arch)?);
    }
    Ok(Outcome::Passed(format!(
        "{} files, {} commands, mirror.sys of {sizes:?} bytes without a finding",
        page.files.len(),
        page.commands.len()
    )))
}

/// What a page says.
struct Page {
    files: Vec<(String, String)>,
    commands: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Result<Self> {
        let mut files = Vec::new();
        let mut commands = Vec::new();
        let mut name = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(kind) = line.strip_prefix("```") {
                let mut closed = false;
                let block: Vec<&str> = lines
                    .by_ref()
                    .take_while(|line| {
                        closed = *line == "```";
                        !closed
                    })
                    .collect();
                if !closed {
                    bail!("{PAGE}: a block that does not end");
                }
                match (name.take(), kind) {
                    (Some(name), _) => files.push((name, block.join("\n") + "\n")),
                    (None, "sh") => commands.extend(block.iter().map(|line| (*line).to_owned())),
                    (None, "text") => {}
                    (None, kind) => bail!("{PAGE}: a block of {kind} that is no file"),
                }
            } else if !line.is_empty() {
                let file = line.strip_prefix('`').and_then(|l| l.strip_suffix("`:"));
                name = file.map(str::to_owned);
            }
        }
        if files.is_empty() || commands.is_empty() {
            bail!("{PAGE} has no files or no commands");
        }
        Ok(Self { files, commands })
    }

    fn file(&self, name: &str) -> Result<&str> {
        let found = self.files.iter().find(|(file, _)| file == name);
        found
            .map(|(_, text)| text.as_str())
            .with_context(|| format!("{PAGE} has no {name}"))
    }

    /// The driver is shown in two places, and must be the same in both.
    fn agrees_with_the_crate(&self) -> Result<()> {
        let driver = self.file("src/lib.rs")?;
        for source in SOURCES {
            let text = workspace::read(&workspace::root().join(source))?;
            if !driver.contains(text.trim()) {
                bail!("{PAGE} and {source} show different drivers");
            }
        }
        Ok(())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text)?;
        }
        let manifest = folder.join("Cargo.toml");
        let mut text = workspace::read(&manifest)?;
        text += "\n[patch.crates-io]\n";
        for name in CRATES {
            let path = workspace::root().join(name);
            text += &format!("{name} = {{ path = {path:?} }}\n");
        }
        fs::write(&manifest, text)?;
        // The versions that the workspace is tested with.
        fs::copy(
            workspace::root().join("Cargo.lock"),
            folder.join("Cargo.lock"),
        )?;
        Ok(())
    }
}

/// Runs a line of the page.
fn run(folder: &Path, line: &str) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        // The tool comes from the workspace.
        ["cargo", "install", "ndis-build", "--features", "inf"] => Ok(()),
        ["ndis-inf", rest @ ..] => {
            let manifest = workspace::root().join("ndis-build/Cargo.toml");
            let mut command = Command::new("cargo");
            command
                .args(["run", "--quiet", "--features", "inf", "--manifest-path"])
                .arg(manifest)
                .args(["--bin", "ndis-inf", "--"])
                .args(rest);
            finish(folder, &mut command)
        }
        ["cp", from, to] => {
            fs::copy(folder.join(from), folder.join(to)).with_context(|| line.to_owned())?;
            Ok(())
        }
        ["cargo", "test", rest @ ..] => {
            let mut command = Command::new("cargo");
            command
                .arg("test")
                .args(rest)
                .env_remove("CARGO_TARGET_DIR")
                .current_dir(folder);
            // A run of no test is a failure.
            steps::run_tests(&mut command).map(drop)
        }
        [program @ ("cargo" | "rustup"), rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest).env_remove("CARGO_TARGET_DIR");
            finish(folder, &mut command)
        }
        _ => bail!("{PAGE}: a command that is not known here: {line}"),
    }
}

fn finish(folder: &Path, command: &mut Command) -> Result<()> {
    steps::run(command.current_dir(folder)).map(drop)
}

/// The same checks that our own drivers pass; gives the size of the image.
fn look_over(folder: &Path, arch: Arch) -> Result<u32> {
    let image = Image::read(&folder.join("mirror.sys"))?;
    let mut findings = sys::findings(&image, arch, &sys::host_exports())?;
    if arch == Arch::X64 {
        // The page makes one.
        findings.extend(sys::inf_findings(&folder.join("mirror.inf"), arch)?);
    }
    let symbols = format!("target/{}/release/mirror.pdb", arch.target());
    if !folder.join(&symbols).is_file() {
        findings.push(sys::Finding::warning(format!("there is no {symbols}")));
    }
    sys::found(&findings).with_context(|| arch.to_string())?;
    Ok(image.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_files_and_commands() {
        let text = "# Title\n\n`a/b.rs`:\n\n```rust\nfn main() {}\n```\n\n```sh\ncargo test\n```\n";
        let page = Page::read(text).unwrap();
        assert_eq!(page.file("a/b.rs").unwrap(), "fn main() {}\n");
        assert_eq!(page.commands, ["cargo test"]);
    }

    #[test]
    fn a_block_that_does_not_end_is_an_error() {
        assert!(Page::read("`a`:\n\n```rust\nfn main() {}\n").is_err());
    }

    #[test]
    fn a_block_of_code_that_is_no_file_is_an_error() {
        assert!(Page::read("Text.\n\n```rust\nfn main() {}\n```\n").is_err());
    }
}
