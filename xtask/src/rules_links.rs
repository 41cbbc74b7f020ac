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

use anyhow::{Context, Result, bail};

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
    changed: bool,
}

/// Puts the links into the sources.
pub fn write(root: &Path, book: &[Rule], pages: &Pages) -> Result<()> {
    let mut faults = Vec::new();
    for file in linked(root, book, pages)? {
        faults.extend(file.faults);
        if file.changed {
            std::fs::write(&file.path, file.text)
                .with_context(|| format!("cannot write {}", file.path.display()))?;
            println!("{}: links", shown(root, &file.path));
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
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
                changed: text != source.text,
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
