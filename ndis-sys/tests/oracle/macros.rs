//! The list of the header's macros: complete, true, and honest about what is
//! left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Arch, Facts};
use crate::{check, say};

/// What `macros.tsv` says about one macro.
enum Entry {
    Made { arches: String, file: String },
    Left { reason: String },
}

fn list() -> BTreeMap<String, Entry> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/macros.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut list = BTreeMap::new();
    for line in text.lines() {
        let row: Vec<&str> = line.split('\t').collect();
        let entry = match row.as_slice() {
            [_, "made", arches, file] => Entry::Made {
                arches: arches.to_string(),
                file: file.to_string(),
            },
            [_, "left", reason] => Entry::Left {
                reason: reason.to_string(),
            },
            _ => panic!("macros.tsv: not a row: {line}"),
        };
        let name = row[0].to_string();
        assert!(
            list.insert(name, entry).is_none(),
            "macros.tsv: twice: {line}"
        );
    }
    list
}

fn names_of_the_header() -> BTreeSet<String> {
    Arch::ALL
        .into_iter()
        .flat_map(|arch| {
            let facts = Facts::read(arch);
            facts
                .function_like_macros
                .into_iter()
                .chain(facts.other_macros)
        })
        .collect()
}

#[test]
fn every_macro_is_accounted_for() {
    let list = list();
    let header = names_of_the_header();
    let listed: BTreeSet<String> = list.keys().cloned().collect();
    assert_eq!(
        header.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "not in macros.tsv"
    );
    assert_eq!(
        listed.difference(&header).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "not in the header"
    );
    let (mut made, mut left) = (0, BTreeMap::<&str, Vec<&str>>::new());
    for (name, entry) in &list {
        match entry {
            Entry::Made { file, .. } => {
                let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(&path).unwrap();
                let found = text
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .any(|word| word == name);
                assert!(found, "{name} is not in {file}");
                made += 1;
            }
            Entry::Left { reason } => left.entry(reason).or_default().push(name),
        }
    }
    say(&format!(
        "macros that are no integers: {} of the header, {made} made, {} left out:",
        header.len(),
        header.len() - made
    ));
    for (reason, names) in left {
        say(&format!("  {}: {reason}", names.join(" ")));
    }
}

#[test]
fn what_is_said_to_be_made_can_be_named() {
    let list = list();
    let host = check::host();
    let targets = Arch::ALL.map(|a| (a, a.target().to_string()));
    for (arch, target) in targets.into_iter().chain([(Arch::host(), host)]) {
        if !check::have(&target) {
            continue;
        }
        let mut source = String::from("#![no_std]\n");
        let mut count = 0;
        for (name, entry) in &list {
            if let Entry::Made { arches, .. } = entry
                && arches.split(',').any(|mark| arch.is(mark))
            {
                source += &format!("pub use ndis_sys::{name};\n");
                count += 1;
            }
        }
        let (ok, said) = check::accepts(&format!("macros-{target}"), &source, &target);
        assert!(ok, "{target}:\n{said}");
        say(&format!(
            "{target}: {count} hand-made macros and inline functions are there"
        ));
    }
}
