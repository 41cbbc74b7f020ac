//! The guide, followed by a machine: its pages on a driver and on a client of one's own must lead
//! from an empty folder to an image, by what is written there and nothing else.
//!
//! A fenced block that comes after a line with nothing but a file's name, as in `` `build.rs`: ``,
//! is that file. A block of shell commands is run, line by line, in the order of the page. Two things
//! are put under the page's feet, because the crates are not published yet: dependencies come from
//! this workspace, and so does the tool that the page has installed.
//!
//! The first page ends with a table of messages and their causes. Those of the build are provoked,
//! each by its cause; those of the compiler are in the compile-fail cases.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    arch::Arch,
    steps::{self, Outcome},
    sys::{self, pe::Image},
    toolchain, workspace,
};

/// A page that is followed.
struct Walk {
    page: &'static str,
    /// The driver's name.
    driver: &'static str,
    /// The driver is also on the page of a crate: the same lines.
    sources: &'static [&'static str],
}

const WALKS: [Walk; 2] = [
    Walk {
        page: "docs/guide/a-driver-of-your-own.md",
        driver: "mirror",
        sources: &[
            "ndis-mcm/doc/mirror/driver.rs",
            "ndis-mcm/doc/mirror/calls.rs",
        ],
    },
    Walk {
        page: "docs/guide/a-client-of-your-own.md",
        driver: "greeter",
        sources: &["ndis-co/doc/greeter.rs"],
    },
];

/// The crates that a page may depend on, with their folders.
const CRATES: [&str; 5] = ["ndis-sys", "ndis-co", "ndis-mcm", "ndis-host", "ndis-build"];

/// How a page writes the path of the clone.
const CLONE: &str = "\"../ndis-rs/";

/// A mistake in the first page's driver, and the message that comes of it.
struct Mistake {
    message: &'static str,
    file: &'static str,
    /// What the file loses, and what it has instead.
    change: (&'static str, &'static str),
}

const MISTAKES: [Mistake; 7] = [
    Mistake {
        message: "unwinding panics are not supported without std",
        file: "Cargo.toml",
        change: ("panic = \"abort\"", ""),
    },
    Mistake {
        message: "could not open 'msvcrt.lib'",
        file: "build.rs",
        change: ("ndis_build::link();", ""),
    },
    Mistake {
        message: "linker `link.exe` not found",
        file: ".cargo/config.toml",
        change: ("linker = \"rust-lld\"", ""),
    },
    Mistake {
        message: "undefined symbol: DriverEntry",
        file: "src/lib.rs",
        change: ("ndis_mcm::driver_entry!(Mirror);", ""),
    },
    Mistake {
        message: "`#[panic_handler]` function required, but not found",
        file: "Cargo.toml",
        change: (
            DEPENDENCIES,
            "\
[dependencies]
ndis-co = { version = \"0.1\", default-features = false, features = [\"rt\"] }
ndis-mcm = { version = \"0.1\", default-features = false, features = [\"rt\"] }
",
        ),
    },
    Mistake {
        message: "undefined symbol: memcpy",
        file: "Cargo.toml",
        change: (
            DEPENDENCIES,
            "\
[dependencies]
ndis-co = { version = \"0.1\", default-features = false, features = [\"panic-handler\"] }
ndis-mcm = { version = \"0.1\", default-features = false, features = [\"panic-handler\"] }
",
        ),
    },
    Mistake {
        message: "duplicate symbol: __CxxFrameHandler3",
        file: "src/lib.rs",
        change: (
            "#![forbid(unsafe_code)]",
            "core::arch::global_asm!(\".globl __CxxFrameHandler3\", \"__CxxFrameHandler3:\", \"ret\");",
        ),
    },
];

/// The first page's own.
const DEPENDENCIES: &str = "\
[dependencies]
ndis-co = \"0.1\"
ndis-mcm = \"0.1\"
";

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    if let Some(missing) = toolchain::need_target(Arch::X64.target())? {
        return Ok(missing);
    }
    // In a place of its own: no workspace above it, no target folder of ours.
    let place = tempfile::Builder::new()
        .prefix("ndis-guide-")
        .tempdir()
        .context("no temporary folder")?;
    let mut remarks = Vec::new();
    let mut built = None;
    for walk in &WALKS {
        let folder = place.path().join(walk.driver);
        fs::create_dir(&folder)?;
        let target = folder.join("target");
        // The crates need not be built again for each page.
        if let Some(before) = built.replace(target.clone()) {
            fs::rename(before, target)?;
        }
        remarks.push(follow(walk, &folder)?);
    }
    Ok(Outcome::Passed(remarks.join("; ")))
}

/// Does what a page says.
fn follow(walk: &Walk, folder: &Path) -> Result<String> {
    let text = workspace::read(&workspace::root().join(walk.page))?;
    let page = Page::read(&text).context(walk.page)?;
    page.agrees_with(walk.sources).context(walk.page)?;
    page.write(folder)?;
    for line in &page.commands {
        run(folder, line).context(walk.page)?;
    }
    let mut sizes = vec![look_over(folder, walk.driver, Arch::X64)?];
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
        sizes.push(look_over(folder, walk.driver, arch)?);
    }
    if text.contains(MESSAGES) {
        for mistake in &MISTAKES {
            mistake.prove(folder)?;
        }
    }
    Ok(format!(
        "{}.sys of {sizes:?} bytes without a finding, by {} files and {} commands",
        walk.driver,
        page.files.len(),
        page.commands.len()
    ))
}

/// The heading of the table of messages.
const MESSAGES: &str = "\n## When it does not build\n";

impl Mistake {
    /// Makes it, and sees that the build fails with the message.
    fn prove(&self, folder: &Path) -> Result<()> {
        let path = folder.join(self.file);
        let good = workspace::read(&path)?;
        let (old, new) = self.change;
        if !good.contains(old) {
            bail!("{} has no {old:?} any more", self.file);
        }
        fs::write(&path, good.replace(old, new))?;
        let mut build = Command::new("cargo");
        build
            .args(["build", "--release", "--target", Arch::X64.target()])
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(folder);
        let output = build.output().context("cannot start cargo")?;
        fs::write(&path, good)?;
        let says = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || !says.contains(self.message) {
            bail!(
                "{:?} in {} does not lead to {:?}, but to\n{says}",
                self.change,
                self.file,
                self.message
            );
        }
        Ok(())
    }
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
                    bail!("a block that does not end");
                }
                match (name.take(), kind) {
                    (Some(name), _) => files.push((name, block.join("\n") + "\n")),
                    (None, "sh") => commands.extend(block.iter().map(|line| (*line).to_owned())),
                    (None, "text") => {}
                    (None, kind) => bail!("a block of {kind} that is no file"),
                }
            } else if !line.is_empty() {
                let file = line.strip_prefix('`').and_then(|l| l.strip_suffix("`:"));
                name = file.map(str::to_owned);
            }
        }
        if files.is_empty() || commands.is_empty() {
            bail!("no files or no commands");
        }
        Ok(Self { files, commands })
    }

    fn file(&self, name: &str) -> Result<&str> {
        let found = self.files.iter().find(|(file, _)| file == name);
        found
            .map(|(_, text)| text.as_str())
            .with_context(|| format!("there is no {name}"))
    }

    /// The driver is shown in two places, and must be the same in both.
    fn agrees_with(&self, sources: &[&str]) -> Result<()> {
        let driver = self.file("src/lib.rs")?;
        for source in sources {
            let text = workspace::read(&workspace::root().join(source))?;
            if !driver.contains(text.trim()) {
                bail!("{source} shows another driver");
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
        let clone = format!("\"{}/", workspace::root().display());
        let mut text = workspace::read(&manifest)?.replace(CLONE, &clone);
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
        _ => bail!("a command that is not known here: {line}"),
    }
}

fn finish(folder: &Path, command: &mut Command) -> Result<()> {
    steps::run(command.current_dir(folder)).map(drop)
}

/// The same checks that our own drivers pass; gives the size of the image.
fn look_over(folder: &Path, driver: &str, arch: Arch) -> Result<u32> {
    let image = Image::read(&folder.join(format!("{driver}.sys")))?;
    let mut findings = sys::findings(&image, arch, &sys::host_exports())?;
    if arch == Arch::X64 {
        // The page makes one.
        findings.extend(sys::inf_findings(
            &folder.join(format!("{driver}.inf")),
            arch,
        )?);
    }
    let symbols = format!("target/{}/release/{driver}.pdb", arch.target());
    if !folder.join(&symbols).is_file() {
        findings.push(sys::Finding::warning(format!("there is no {symbols}")));
    }
    sys::found(&findings).with_context(|| arch.to_string())?;
    Ok(image.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a cell of a table has in code quotes, of one or two backticks.
    fn quoted(cell: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut rest = cell;
        while let Some(start) = rest.find('`') {
            let quote = if rest[start..].starts_with("``") {
                "``"
            } else {
                "`"
            };
            rest = &rest[start + quote.len()..];
            let end = rest.find(quote).expect("a quote that ends");
            found.push(rest[..end].trim().to_owned());
            rest = &rest[end + quote.len()..];
        }
        found
    }

    #[test]
    fn quotes_have_one_backtick_or_two() {
        assert_eq!(quoted("E1, `one`, `` a `b` ``, at"), ["one", "a `b`"]);
    }

    /// The messages that cases that must not compile are known to end with.
    fn expected_messages() -> Vec<String> {
        let folders = ["ndis-co/tests/ui", "ndis-mcm/tests/ui"];
        let files = folders.iter().flat_map(|folder| {
            let folder = fs::read_dir(workspace::root().join(folder)).unwrap();
            folder.map(|file| file.unwrap().path())
        });
        files
            .filter(|file| file.extension().is_some_and(|end| end == "stderr"))
            .map(|file| workspace::read(&file).unwrap())
            .collect()
    }

    /// A row with an error's number says what the compiler says in a compile-fail case; each other
    /// row is a mistake that the step makes.
    #[test]
    fn the_table_has_the_messages_as_they_are() {
        let text = workspace::read(&workspace::root().join(WALKS[0].page)).unwrap();
        let (_, table) = text.split_once(MESSAGES).unwrap();
        let rows = table
            .lines()
            .skip_while(|line| !line.starts_with("|---"))
            .skip(1)
            .take_while(|line| line.starts_with('|'));
        let expected = expected_messages();
        let mut made = Vec::new();
        for row in rows {
            let cell = row.split('|').nth(1).unwrap();
            let codes: Vec<&str> = cell
                .split(|letter: char| !letter.is_alphanumeric())
                .filter(|word| word.len() == 5 && word[1..].parse::<u32>().is_ok())
                .collect();
            if codes.is_empty() {
                made.extend(quoted(cell));
                continue;
            }
            for message in codes
                .iter()
                .map(|code| format!("error[{code}]"))
                .chain(quoted(cell).into_iter().filter(|quote| quote.contains(' ')))
            {
                let file = expected.iter().find(|text| {
                    text.contains(&message)
                        && codes
                            .iter()
                            .any(|code| text.contains(&format!("error[{code}]")))
                });
                assert!(file.is_some(), "no compile-fail case says {message:?}");
            }
        }
        let mistakes = MISTAKES.map(|mistake| mistake.message);
        made.sort();
        let mut known = mistakes.to_vec();
        known.sort_unstable();
        assert_eq!(made, known);
    }

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
