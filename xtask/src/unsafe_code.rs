//! `cargo xtask unsafe`: how much unsafe code the crates have that make drivers safe, and its ceiling.
//!
//! Drivers have none because these crates have it for them. How much that is, is the size of what a
//! reader must check by hand: the table says it, and a step of the tests keeps it from growing.

mod count;

use std::{
    ops::AddAssign,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    ceilings::{self, Figures, Room},
    sources::{self, for_tests, module_file},
    steps::Outcome,
    workspace::{self, shown},
};
use count::Counts;
pub use count::is_generated;

/// The crates with unsafe code inside and a safe face.
const CRATES: [&str; 3] = ["ndis-co", "ndis-mcm", "ndis-host"];
const CEILINGS: &str = "xtask/data/unsafe.json";
const LOWER: &str = "cargo xtask unsafe --write";
/// Safe code that goes lets the share of the rest rise: there is a little room.
const ROOM: Room = Room {
    slack: 1.0,
    written: 1.005,
    most: 1.025,
};

/// What to show.
#[derive(clap::Args)]
pub struct UnsafeArgs {
    /// Every file too, the biggest first.
    #[arg(long)]
    files: bool,
    /// Lower the ceilings to what is measured; none is raised.
    #[arg(long)]
    write: bool,
}

/// A crate's files, and their sum.
struct Measured {
    name: &'static str,
    files: Vec<(String, Counts)>,
    sum: Counts,
}

/// Runs the command.
pub fn run(args: &UnsafeArgs) -> Result<()> {
    let crates = measure()?;
    table(&crates, args.files);
    let file = workspace::root().join(CEILINGS);
    if args.write {
        ceilings::lower(&figures(&crates), &file, ROOM)?;
    }
    // What is above its ceiling stays there.
    compare(&crates, &file)
}

/// The step of the tests.
pub fn prove() -> Result<Outcome> {
    let crates = measure()?;
    table(&crates, false);
    compare(&crates, &workspace::root().join(CEILINGS))?;
    let each: Vec<_> = crates
        .iter()
        .map(|one| format!("{} {:.1}", one.name, one.sum.of_thousand()))
        .collect();
    Ok(Outcome::Passed(format!(
        "a thousand lines have: {}",
        each.join(", ")
    )))
}

fn compare(crates: &[Measured], file: &Path) -> Result<()> {
    ceilings::check(&figures(crates), &ceilings::read(file)?, ROOM, LOWER)
}

fn figures(crates: &[Measured]) -> Figures {
    let figures = crates
        .iter()
        .map(|one| (one.name.to_owned(), one.sum.of_thousand()));
    figures.collect()
}

fn measure() -> Result<Vec<Measured>> {
    let root = workspace::root();
    CRATES
        .into_iter()
        .map(|name| {
            let mut files = Vec::new();
            file(&root.join(name).join("src/lib.rs"), true, &root, &mut files)?;
            files.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.lines));
            let mut sum = Counts::default();
            files.iter().for_each(|(_, counts)| sum += *counts);
            Ok(Measured { name, files, sum })
        })
        .collect()
}

/// Counts in the file at `path` and in those of its modules. (Modules of tests, and with them their
/// files, are not reached.) `heads`: do its modules lie beside it?
fn file(path: &Path, heads: bool, root: &Path, found: &mut Vec<(String, Counts)>) -> Result<()> {
    let text = workspace::read(path)?;
    if count::is_generated(&text) {
        return Ok(());
    }
    let parsed = sources::parse(path)?;
    let counts = count::count(&text, &parsed).with_context(|| path.display().to_string())?;
    found.push((shown(root, path), counts));
    let folder = if heads {
        path.parent().unwrap_or(path).to_path_buf()
    } else {
        path.with_extension("")
    };
    modules(&parsed.items, &folder, root, found)
}

/// Goes on to the files of the modules that `items` declare, which lie in `folder`.
fn modules(
    items: &[syn::Item],
    folder: &Path,
    root: &Path,
    found: &mut Vec<(String, Counts)>,
) -> Result<()> {
    for item in items {
        let syn::Item::Mod(module) = item else {
            continue;
        };
        if for_tests(&module.attrs) {
            continue;
        }
        let name = module.ident.to_string();
        match &module.content {
            Some((_, inner)) => modules(inner, &folder.join(name), root, found)?,
            None => {
                let path: PathBuf = module_file(folder, &name)?;
                file(&path, path.ends_with("mod.rs"), root, found)?;
            }
        }
    }
    Ok(())
}

fn table(crates: &[Measured], with_files: bool) {
    let rows = crates.iter().flat_map(|one| {
        let files = one.files.iter().filter(move |_| with_files);
        let files = files.map(|(name, counts)| (format!("  {name}"), *counts));
        std::iter::once((one.name.to_owned(), one.sum)).chain(files)
    });
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    println!(
        "{:width$} {:>10} {:>7} {:>10} {:>6} {:>7} {:>6} {:>7}",
        "", "code lines", "blocks", "functions", "impls", "traits", "/1000", "SAFETY"
    );
    for (name, counts) in rows {
        let proven = match counts.provable {
            0 => "-".to_owned(),
            all => format!("{:.0} %", (100 * counts.proven) as f64 / all as f64),
        };
        println!(
            "{name:width$} {:>10} {:>7} {:>10} {:>6} {:>7} {:>6.1} {proven:>7}",
            counts.lines,
            counts.blocks,
            counts.functions,
            counts.impls,
            counts.traits,
            counts.of_thousand(),
        );
    }
}

impl Counts {
    /// Unsafe code among a thousand lines.
    fn of_thousand(self) -> f64 {
        let all = self.blocks + self.functions + self.impls + self.traits;
        1000.0 * all as f64 / (self.lines as f64).max(1.0)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.blocks += other.blocks;
        self.functions += other.functions;
        self.impls += other.impls;
        self.traits += other.traits;
        self.provable += other.provable;
        self.proven += other.proven;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_crate_is_reached_and_no_file_twice() {
        for one in measure().expect("the sources can be read") {
            let mut names: Vec<_> = one.files.iter().map(|(name, _)| name.clone()).collect();
            let counted = names.len();
            names.sort();
            names.dedup();
            assert_eq!(counted, names.len());
            let folder = workspace::root().join(one.name).join("src");
            for path in workspace::rust_files(&folder).expect("a folder") {
                let text = workspace::read(&path).expect("a file");
                let name = shown(&workspace::root(), &path);
                // A module of tests is none of a driver's.
                let tests = path.ends_with("tests.rs") || name.contains("/tests/");
                let counts = !count::is_generated(&text) && !tests;
                assert_eq!(names.contains(&name), counts, "{name}");
            }
        }
    }
}
