//! Links in the documentation of the crates: a rule's id leads to its row in `ndis_sys::rules`, the name of a
//! page of Microsoft's to the page.
//!
//! A rule is named within a sentence, so that `[CALL-10]` stands there and nothing more; where it leads is
//! defined at the end of the comment. A page is named on a line of its own, which can have its address.
//! `cargo xtask rules --link` makes both of plain ids and of the names of the pages' files, and `cargo xtask
//! rules` fails where that would change something. Only what rustdoc shows to the users of a crate is looked at.

mod public;
mod text;

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    pages::Pages,
    rule_book::{self, Rule},
    workspace::shown,
};
use text::Linker;

/// The crates with pages on docs.rs.
const CRATES: [&str; 5] = ["ndis-build", "ndis-co", "ndis-host", "ndis-mcm", "ndis-sys"];

/// A file's documentation as it should be.
struct Linked {
    path: std::path::PathBuf,
    text: String,
    /// What links alone do not mend, with the line.
    faults: Vec<String>,
    /// The first line that is not as it should be.
    changed: Option<usize>,
}

/// What is wrong: a rule or a page that is named and no link, a link that leads nowhere.
pub fn faults(root: &Path, book: &[Rule], pages: &Pages) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in linked(root, book, pages)? {
        if let Some(line) = file.changed {
            faults.push(format!(
                "{}:{line}: the documentation names a rule or a page, and it is no link, or defined at the \
                 end and not named: cargo xtask rules --link",
                shown(root, &file.path)
            ));
        }
        faults.extend(file.faults);
    }
    Ok(faults)
}

/// Puts the links into the sources.
pub fn write(root: &Path, book: &[Rule], pages: &Pages) -> Result<()> {
    for file in linked(root, book, pages)? {
        if file.changed.is_some() {
            std::fs::write(&file.path, file.text)
                .with_context(|| format!("cannot write {}", file.path.display()))?;
            println!("{}: links", shown(root, &file.path));
        }
    }
    Ok(())
}

fn linked(root: &Path, book: &[Rule], pages: &Pages) -> Result<Vec<Linked>> {
    let mut files = Vec::new();
    for name in CRATES {
        let linker = Linker {
            ids: rule_book::ids(book),
            sections: rule_book::sections(book),
            pages,
            target: if name == "ndis-sys" {
                "crate::rules"
            } else {
                "ndis_sys::rules"
            },
        };
        for source in public::sources(&root.join(name).join("src/lib.rs"))? {
            let (text, faults) = linker.file(&source.text, &source.lines);
            let place = shown(root, &source.path);
            files.push(Linked {
                changed: first_difference(&source.text, &text),
                faults: faults
                    .into_iter()
                    .map(|(line, fault)| format!("{place}:{line}: {fault}"))
                    .collect(),
                path: source.path,
                text,
            });
        }
    }
    Ok(files)
}

/// The number of the first line that differs.
fn first_difference(old: &str, new: &str) -> Option<usize> {
    let mut lines = (1..).zip(old.lines().zip(new.lines()));
    let differs = lines.find(|(_, (old, new))| old != new);
    match differs {
        Some((number, _)) => Some(number),
        None => (old != new).then(|| old.lines().count().max(1)),
    }
}
