//! `cargo xtask circles`: which files of a crate can only be understood together, and which are too long.
//!
//! A file is read after what it uses. Where files use each other in a circle, there is no order to read
//! them in. A module that is inside another is read with that one at hand, so what it uses of those that
//! it is inside of makes no circle; what else leads round does, and the goal is to have none. A file over
//! the limit has more than one subject. The ceilings, in `xtask/data/shape.json`, only fall.

mod graph;
mod modules;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{steps::Outcome, workspace};
use modules::Sources;

const CEILINGS: &str = "xtask/data/shape.json";
/// The lines of a file, at most.
const LIMIT: usize = 700;
/// A test in the form of a crate: a driver whose length is the number of operations it tries.
const TESTS: &str = "ndis-host/chaos";

/// What to show.
#[derive(clap::Args)]
pub struct CirclesArgs {
    /// Which files of its circle each file uses, too.
    #[arg(long)]
    uses: bool,
    /// Lower the ceilings to what is measured; none is raised, and none is added.
    #[arg(long)]
    write: bool,
}

/// A crate's circles and long files.
struct Measured {
    name: String,
    circles: Vec<Circle>,
    long: Vec<(String, usize)>,
}

/// Files that use each other, each with those of the circle that it uses.
type Circle = Vec<(String, Vec<String>)>;

/// Runs the command.
pub fn run(args: &CirclesArgs) -> Result<()> {
    let crates = measure(&workspace::root())?;
    print(&crates, args.uses);
    let file = workspace::root().join(CEILINGS);
    if args.write {
        lower(&figures(&crates), &file)?;
    }
    compare(&crates, &file)
}

/// The step of the tests.
pub fn prove() -> Result<Outcome> {
    let crates = measure(&workspace::root())?;
    compare(&crates, &workspace::root().join(CEILINGS))?;
    let circles: usize = crates.iter().map(|one| one.circles.len()).sum();
    let long: usize = crates.iter().map(|one| one.long.len()).sum();
    Ok(Outcome::Passed(format!(
        "circles of files: {circles}, files over {LIMIT} lines: {long}"
    )))
}

fn compare(crates: &[Measured], file: &Path) -> Result<()> {
    let faults = faults(&figures(crates), &read(file)?);
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{}", faults.join("\n"));
}

/// Figures, by what they are of.
type Figures = BTreeMap<String, usize>;

fn read(file: &Path) -> Result<Figures> {
    serde_json::from_str(&workspace::read(file)?)
        .with_context(|| format!("{} is no map of numbers", file.display()))
}

fn faults(measured: &Figures, ceilings: &Figures) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, is) in measured {
        match ceilings.get(name) {
            None => faults.push(format!("{name}: {is}, and it had none before")),
            Some(ceiling) if is > ceiling => {
                faults.push(format!("{name}: {is}, above its ceiling, {ceiling}"));
            }
            Some(_) => {}
        }
    }
    if lowered(measured, ceilings) != *ceilings {
        faults.push(format!(
            "{CEILINGS} has ceilings that are too high: cargo xtask circles --write"
        ));
    }
    faults
}

/// The ceilings after they were lowered to what is measured. Nothing gets one here: that is an edit of
/// the file.
fn lowered(measured: &Figures, ceilings: &Figures) -> Figures {
    let kept = ceilings.iter().filter_map(|(name, ceiling)| {
        let is = measured.get(name)?;
        Some((name.clone(), *is.min(ceiling)))
    });
    kept.collect()
}

fn lower(measured: &Figures, file: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(&lowered(measured, &read(file)?))? + "\n";
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The files in circles, by crate, and the lines of each file that has too many. What is as it should
/// be has no figure, and so may have no ceiling.
fn figures(crates: &[Measured]) -> Figures {
    let mut figures = Figures::new();
    for one in crates {
        let files: usize = one.circles.iter().map(Vec::len).sum();
        if files > 0 {
            figures.insert(format!("{}: files in circles", one.name), files);
        }
        for (file, lines) in &one.long {
            figures.insert(format!("{file}: lines"), *lines);
        }
    }
    figures
}

fn print(crates: &[Measured], uses: bool) {
    for one in crates {
        println!("{}: {} circles", one.name, one.circles.len());
        for circle in &one.circles {
            println!("  a circle of {} files", circle.len());
            for (file, used) in circle {
                println!("    {file}");
                if uses {
                    used.iter().for_each(|other| println!("      uses {other}"));
                }
            }
        }
        for (file, lines) in &one.long {
            println!("  {file} has {lines} lines, over {LIMIT}");
        }
    }
}

fn measure(root: &Path) -> Result<Vec<Measured>> {
    members(root)?
        .into_iter()
        .map(|name| {
            let folder = root.join(&name);
            let mut one = Measured {
                name,
                circles: Vec::new(),
                long: Vec::new(),
            };
            for top in roots(&folder) {
                let sources = Sources::read(&top, root)?;
                let uses = sources.uses();
                for circle in graph::circles(&uses) {
                    let inside = |file: usize| {
                        let used = uses[file].iter().filter(|other| circle.contains(other));
                        used.map(|other| sources.files[*other].name.clone())
                            .collect()
                    };
                    one.circles.push(
                        circle
                            .iter()
                            .map(|file| (sources.files[*file].name.clone(), inside(*file)))
                            .collect(),
                    );
                }
                if one.name != TESTS {
                    one.long.extend(
                        sources
                            .files
                            .iter()
                            .filter(|file| file.lines > LIMIT && !file.generated)
                            .map(|file| (file.name.clone(), file.lines)),
                    );
                }
            }
            Ok(one)
        })
        .collect()
}

/// The files that a crate in `folder` is compiled from.
fn roots(folder: &Path) -> Vec<PathBuf> {
    let tops = ["src/lib.rs", "src/main.rs"].map(|name| folder.join(name));
    tops.into_iter().filter(|path| path.is_file()).collect()
}

/// The workspace's packages, by their folders.
fn members(root: &Path) -> Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        workspace: Workspace,
    }
    #[derive(serde::Deserialize)]
    struct Workspace {
        members: Vec<String>,
    }
    let manifest: Manifest =
        toml::from_str(&workspace::read(&root.join("Cargo.toml"))?).context("Cargo.toml")?;
    Ok(manifest.workspace.members)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn source(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// The circles of a crate whose files are given.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        source(
            folder.path(),
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\"]",
        );
        for (name, text) in files {
            source(folder.path(), &format!("a/src/{name}"), text);
        }
        let crates = measure(folder.path()).expect("the crate is read");
        let names = |circle: &Circle| circle.iter().map(|(name, _)| name.clone()).collect();
        crates[0].circles.iter().map(names).collect()
    }

    #[test]
    fn siblings_that_use_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod one; mod two;"),
            ("one.rs", "use crate::two::Two; pub struct One(Two);"),
            ("two.rs", "pub struct Two; fn f(one: &super::one::One) {}"),
        ]);
        assert_eq!(found, [["a/src/one.rs", "a/src/two.rs"]]);
    }

    #[test]
    fn what_encloses_a_file_closes_no_circle() {
        let mut files = [
            (
                "lib.rs",
                "mod one; mod two; pub use one::One; use two::Two; struct S(One, Two);",
            ),
            (
                "one.rs",
                "use crate::S; use super::two::Two; pub struct One;",
            ),
            (
                "two.rs",
                "pub struct Two; impl Two { fn f(_: super::S) {} }",
            ),
        ];
        assert!(circles(&files).is_empty());
        files[2].1 = "pub struct Two; impl Two { fn f(_: super::One) {} }";
        assert_eq!(circles(&files), [["a/src/one.rs", "a/src/two.rs"]]);
    }

    #[test]
    fn a_re_export_leads_to_where_the_item_is() {
        let found = circles(&[
            ("lib.rs", "mod one; mod two; pub use {one::One, two::*};"),
            ("one.rs", "use crate::Two; pub struct One(Two);"),
            (
                "two.rs",
                "pub struct Two; fn f() { given!(crate::One::new()) }",
            ),
        ]);
        assert_eq!(found, [["a/src/one.rs", "a/src/two.rs"]]);
    }

    #[test]
    fn a_module_that_is_brought_in_counts_by_what_is_named_in_it() {
        let mut files = [
            ("lib.rs", "mod one; mod two;"),
            ("one.rs", "use crate::two; pub struct One;"),
            ("two.rs", "use crate::one::One; pub struct Two(One);"),
        ];
        assert!(circles(&files).is_empty());
        files[1].1 = "use crate::two; pub struct One(two::Two);";
        assert_eq!(circles(&files).len(), 1);
    }

    #[test]
    fn tests_and_generated_files_do_not_count() {
        let long = "\n".repeat(LIMIT + 1);
        let folder = tempfile::tempdir().expect("a folder");
        source(
            folder.path(),
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\"]",
        );
        source(
            folder.path(),
            "a/src/lib.rs",
            "mod made; mod long; #[cfg(test)] mod tests;",
        );
        source(
            folder.path(),
            "a/src/made.rs",
            &format!("//! Generated by a program.\n{long}"),
        );
        let link = "//! [A-01]: ndis_sys::rules#A-01\n";
        source(folder.path(), "a/src/long.rs", &format!("{link}{long}"));
        source(
            folder.path(),
            "a/src/tests.rs",
            &format!("use crate::long::X;\n{long}"),
        );
        let crates = measure(folder.path()).expect("the crate is read");
        assert_eq!(crates[0].long, [("a/src/long.rs".to_owned(), LIMIT + 1)]);
    }

    #[test]
    fn ceilings_only_fall() {
        let of = |list: &[(&str, usize)]| -> Figures {
            let named = list.iter().map(|(name, is)| ((*name).to_owned(), *is));
            named.collect()
        };
        let ceilings = of(&[("a", 3), ("b", 2)]);
        assert!(faults(&ceilings, &ceilings).is_empty());
        assert_eq!(faults(&of(&[("a", 4), ("b", 2)]), &ceilings).len(), 1);
        assert_eq!(faults(&of(&[("a", 2), ("b", 2)]), &ceilings).len(), 1);
        let other = of(&[("a", 2), ("c", 1)]);
        assert_eq!(
            faults(&other, &ceilings).len(),
            2,
            "c is new, a and b are too high"
        );
        assert_eq!(lowered(&other, &ceilings), of(&[("a", 2)]));
    }

    #[test]
    fn every_file_of_the_kernel_crates_is_read() {
        let root = workspace::root();
        for name in ["ndis-co", "ndis-mcm"] {
            let read = Sources::read(&root.join(name).join("src/lib.rs"), &root).expect("sources");
            let names: BTreeSet<_> = read.files.iter().map(|file| file.name.clone()).collect();
            for path in workspace::rust_files(&root.join(name).join("src")).expect("a folder") {
                let shown = workspace::shown(&root, &path);
                let tests = shown.ends_with("/tests.rs") || shown.contains("/tests/");
                assert!(tests || names.contains(&shown), "{shown}");
            }
            let uses: usize = read.uses().iter().map(BTreeSet::len).sum();
            assert!(uses > names.len(), "{name}: {uses} uses");
        }
    }
}
