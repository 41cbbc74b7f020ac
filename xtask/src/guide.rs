//! The guide, followed by a machine: its pages on a driver, on a client and on a WAN miniport must
//! lead from an empty folder to an image, by what is written there and nothing else.
//!
//! A fenced block that comes after a line with nothing but a file's name, as in `` `build.rs`: ``,
//! is that file. A block of shell commands is run, line by line, in the order of the page. Two things
//! are put under the page's feet, because the crates are not published yet: dependencies come from
//! this workspace, and so does the tool that the page has installed.
//!
//! A block that begins with `--- src/some.rs` is a mistake: it is made in that file, and `cargo test`
//! must fail with what the next block says, whatever the numbers in it.
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

const WALKS: [Walk; 3] = [
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
    Walk {
        page: "docs/guide/a-wan-miniport.md",
        driver: "intercom",
        sources: &[],
    },
];

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
    // For the other machine the examples are built, by the same lines.
    let size = look_over(folder, walk.driver)?;
    if text.contains(MESSAGES) {
        for mistake in &MISTAKES {
            mistake.prove(folder)?;
        }
    }
    for planted in &page.planted {
        planted.prove(folder).context(walk.page)?;
    }
    Ok(format!(
        "{}.sys of {size} bytes without a finding, by {} files and {} commands; {} mistakes seen",
        walk.driver,
        page.files.len(),
        page.commands.len(),
        page.planted.len()
    ))
}

/// The heading of the table of messages.
const MESSAGES: &str = "\n## When it does not build\n";

impl Mistake {
    /// Makes it, and sees that the build fails with the message. It is the same in each profile; this one is built
    /// in a fifth of the time.
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
            .args(["build", "--target", Arch::X64.target()])
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

/// A mistake that a page has the reader make, and what the tests say of it.
struct Planted {
    file: String,
    /// What becomes of some lines.
    changes: Vec<(String, String)>,
    says: String,
}

impl Planted {
    /// From its block, and the one after it.
    fn read(block: &[&str], says: &[&str]) -> Result<Self> {
        let (file, lines) = block.split_first().context("a mistake without a file")?;
        let mut changes = Vec::new();
        for pair in lines.chunks(2) {
            match pair {
                [old, new] if old.starts_with('-') && new.starts_with('+') => {
                    changes.push((old[1..].to_owned(), new[1..].to_owned()));
                }
                _ => bail!("a mistake has a line with - and one with +, by turns: {pair:?}"),
            }
        }
        if changes.is_empty() || says.is_empty() {
            bail!("a mistake that changes nothing, or has no account");
        }
        Ok(Self {
            file: file
                .strip_prefix("--- ")
                .context("a mistake in no file")?
                .to_owned(),
            changes,
            says: says.join(" "),
        })
    }

    /// Makes it, and sees that the tests fail with what is on the page.
    fn prove(&self, folder: &Path) -> Result<()> {
        let path = folder.join(&self.file);
        let good = workspace::read(&path)?;
        let mut bad = good.clone();
        for (old, new) in &self.changes {
            if bad.matches(&format!("{old}\n")).count() != 1 {
                bail!("{} does not have this line once: {old}", self.file);
            }
            bad = bad.replace(&format!("{old}\n"), &format!("{new}\n"));
        }
        fs::write(&path, bad)?;
        let mut test = Command::new("cargo");
        test.arg("test")
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(folder);
        let output = test.output().context("cannot start cargo")?;
        fs::write(&path, good)?;
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.success() || !without_numbers(&said).contains(&without_numbers(&self.says))
        {
            bail!(
                "{:?} in {} does not lead to {:?}, but to\n{said}{}",
                self.changes,
                self.file,
                self.says,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }
}

/// The same text with each number as `0`, and each break of a line as a blank.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if plain.ends_with('0') => {}
            '0'..='9' => plain.push('0'),
            '\n' => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}

/// What a page says.
struct Page {
    files: Vec<(String, String)>,
    commands: Vec<String>,
    /// The crates that come from the clone, with their folders there.
    patches: Vec<(String, String)>,
    planted: Vec<Planted>,
}

impl Page {
    fn read(text: &str) -> Result<Self> {
        let mut files = Vec::new();
        let mut commands = Vec::new();
        let mut patches = Vec::new();
        let mut planted = Vec::new();
        let mut mistake: Option<Vec<&str>> = None;
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
                    (None, "diff") => mistake = Some(block),
                    (None, "text") => {
                        if let Some(mistake) = mistake.take() {
                            planted.push(Planted::read(&mistake, &block)?);
                        }
                        patches.extend(block.iter().filter_map(|line| patch(line)));
                    }
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
        if mistake.is_some() {
            bail!("a mistake without an account");
        }
        Ok(Self {
            files,
            commands,
            patches,
            planted,
        })
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
        for (name, path) in &self.patches {
            let path = workspace::root().join(path);
            text += &format!("{name} = {{ path = {path:?} }}\n");
        }
        fs::write(&manifest, text)?;
        workspace::lend_versions(folder)
    }
}

/// A line that takes a crate from the clone, as in `ndis-co = { path = "../ndis-rs/ndis-co" }`.
fn patch(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(" = { path = ")?;
    let path = rest.strip_prefix(CLONE)?.strip_suffix("\" }")?;
    Some((name.to_owned(), path.to_owned()))
}

/// Runs a line of the page.
fn run(folder: &Path, line: &str) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        // The tool comes from the workspace.
        ["cargo", "install", "ndis-build", "--features", "inf"] => Ok(()),
        ["ndis-inf", rest @ ..] => {
            let mut command = Command::new(toolchain::program("ndis-inf")?);
            finish(folder, command.args(rest))
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
fn look_over(folder: &Path, driver: &str) -> Result<u32> {
    let arch = Arch::X64;
    let image = Image::read(&folder.join(format!("{driver}.sys")))?;
    let mut findings = sys::findings(&image, arch, &sys::host_exports())?;
    let inf = folder.join(format!("{driver}.inf"));
    findings.extend(sys::inf_findings(&inf, arch)?);
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
    fn a_mistake_is_a_change_and_what_comes_of_it() {
        let page = |mistake: &str| {
            let text = "`a`:\n\n```rust\nfn main() {}\n```\n\n```sh\ncargo test\n```\n\n";
            Page::read(&format!("{text}{mistake}"))
        };
        let good = page("```diff\n--- a\n-one\n+two\n```\n\n```text\nat #12\nof 3\n```\n").unwrap();
        let [planted] = good.planted.as_slice() else {
            panic!("there is one")
        };
        assert_eq!(planted.file, "a");
        assert_eq!(planted.changes, [("one".to_owned(), "two".to_owned())]);
        assert_eq!(without_numbers(&planted.says), "at #0 of 0");
        assert!(page("```diff\n--- a\n-one\n+two\n```\n").is_err());
        assert!(page("```diff\n--- a\n-one\n```\n\n```text\nat\n```\n").is_err());
        assert!(page("```diff\n--- a\n-one\n+two\n```\n\n```text\n```\n").is_err());
    }

    #[test]
    fn the_crates_that_come_from_the_clone_are_on_the_page() {
        let line = "ndis-wan-models = { path = \"../ndis-rs/ndis-host/wan\" }";
        let expected = ("ndis-wan-models".to_owned(), "ndis-host/wan".to_owned());
        assert_eq!(patch(line), Some(expected));
        assert_eq!(patch("Dial = 7"), None);
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
