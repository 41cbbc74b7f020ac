//! What clang says about the headers of the WDK: the part of `ndis-sys/tests/facts` that a C
//! header can be held against.
//!
//! The header takes one thing from here, which the Rust sources cannot say: which levels of a
//! record have no name in C. Were that wrong, the members' paths in the proof would not compile.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Result, bail};

use super::{Arch, model::Model};
use crate::workspace;

/// One record.
#[derive(Default)]
pub struct Record {
    pub size: u64,
    pub align: u64,
    pub fields: Vec<Field>,
    pub bits: Vec<Bits>,
}

/// A member. Its path names the unnamed levels, too: `<union#0>.Status`.
pub struct Field {
    pub path: String,
    pub offset: u64,
    /// None for an array without a length.
    pub size: Option<u64>,
}

/// A bit-field; the offset is in bits from the start of the record.
pub struct Bits {
    pub path: String,
    pub offset: u64,
    pub width: u64,
}

/// The facts about one architecture.
pub struct Facts {
    /// By tag.
    pub records: BTreeMap<String, Record>,
    /// Constants and enumerators: the value.
    pub values: BTreeMap<String, i128>,
}

impl Facts {
    pub fn read(folder: &Path, arch: Arch) -> Result<Self> {
        let folder = folder.join("tests/facts");
        let mut values = BTreeMap::new();
        for row in rows(&folder.join("constants.tsv"))? {
            let [name, mark, _, value, ..] = row.as_slice() else {
                bail!("constants.tsv: a short row");
            };
            if super::is_about(mark, arch) {
                values.insert(name.clone(), value.parse()?);
            }
        }
        let mut mine = false;
        for row in rows(&folder.join("enumerators.tsv"))? {
            match row.as_slice() {
                [kind, _, mark, ..] if kind == "T" => mine = super::is_about(mark, arch),
                [_, name, value] if mine => drop(values.insert(name.clone(), value.parse()?)),
                _ => {}
            }
        }
        let records = records(&folder.join("records.tsv"), arch)?;
        Ok(Self { records, values })
    }
}

fn rows(path: &Path) -> Result<Vec<Vec<String>>> {
    let text = workspace::read(path)?;
    Ok(text
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect())
}

fn records(path: &Path, arch: Arch) -> Result<BTreeMap<String, Record>> {
    let mut records = BTreeMap::new();
    let mut current: Option<(String, Record)> = None;
    for row in rows(path)? {
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        match row.as_slice() {
            ["R", tag, mark, size, align] => {
                records.extend(current.take());
                if super::is_about(mark, arch) {
                    let record = Record {
                        size: size.parse()?,
                        align: align.parse()?,
                        ..Record::default()
                    };
                    current = Some(((*tag).to_owned(), record));
                }
            }
            ["F", path, offset, size, ..] => {
                if let Some((_, record)) = &mut current {
                    record.fields.push(Field {
                        path: (*path).to_owned(),
                        offset: offset.parse()?,
                        size: size.parse().ok(),
                    });
                }
            }
            ["B", path, offset, width] => {
                if let Some((_, record)) = &mut current {
                    record.bits.push(Bits {
                        path: (*path).to_owned(),
                        offset: offset.parse()?,
                        width: width.parse()?,
                    });
                }
            }
            _ => bail!("records.tsv: cannot read the row {row:?}"),
        }
    }
    records.extend(current);
    Ok(records)
}

impl Record {
    /// The paths of the levels without a name, as `ndis-sys` spells them: `u.s`, `u2`.
    pub fn unnamed(&self) -> BTreeSet<String> {
        let names = self.names();
        names.keys().map(|path| spell(&names, path)).collect()
    }

    /// A path of the facts as `ndis-sys` spells it.
    pub fn spelled(&self, path: &str) -> String {
        spell(&self.names(), path)
    }

    /// The paths of the levels without a name, and the name that `ndis-sys` gives each: `u` for
    /// a union, `s` for a structure, then `u2`, `s2`, whatever is free.
    fn names(&self) -> BTreeMap<String, String> {
        let mut levels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let paths = self.fields.iter().map(|field| &field.path);
        for path in paths.chain(self.bits.iter().map(|bits| &bits.path)) {
            let (owner, name) = path.rsplit_once('.').unwrap_or(("", path));
            levels.entry(owner).or_default().push(name);
        }
        let mut names = BTreeMap::new();
        for (owner, members) in &levels {
            for (kind, letter) in [("<union#", "u"), ("<struct#", "s")] {
                let mut free = std::iter::once(letter.to_owned())
                    .chain((2..).map(|number| format!("{letter}{number}")))
                    .filter(|name| !members.contains(&name.as_str()));
                for member in members.iter().filter(|member| member.starts_with(kind)) {
                    names.extend(free.next().map(|name| (join(owner, member), name)));
                }
            }
        }
        names
    }
}

fn spell(names: &BTreeMap<String, String>, full: &str) -> String {
    let mut path = String::new();
    let mut spelled = String::new();
    for word in full.split('.') {
        path = join(&path, word);
        spelled = join(&spelled, names.get(&path).map_or(word, String::as_str));
    }
    spelled
}

/// A path as C has it: without the levels that have no name.
pub fn in_c(path: &str) -> String {
    let named: Vec<_> = path
        .split('.')
        .filter(|word| !word.starts_with('<'))
        .collect();
    named.join(".")
}

/// Does the path end at a level that C cannot name?
pub fn ends_unnamed(path: &str) -> bool {
    path.rsplit('.')
        .next()
        .is_some_and(|word| word.starts_with('<'))
}

pub fn join(owner: &str, name: &str) -> String {
    if owner.is_empty() {
        name.to_owned()
    } else {
        format!("{owner}.{name}")
    }
}

/// The paths of the levels of a record that have no name in C. There are no facts about the records
/// of the NT headers; none of those has a level that is really called `u` or `s`.
pub fn unnamed(facts: &Facts, model: &Model, record: &str) -> BTreeSet<String> {
    if let Some(known) = facts.records.get(model.tag(record)) {
        return known.unnamed();
    }
    let mut found = BTreeSet::new();
    let mut levels = vec![(String::new(), record)];
    while let Some((path, owner)) = levels.pop() {
        let fields = model.records.get(owner).map(|record| &record.fields);
        for (field, ty) in fields.into_iter().flatten() {
            let Some(level) = Model::level(owner, field, ty) else {
                continue;
            };
            let here = join(&path, field);
            if matches!(
                field.trim_end_matches(|letter: char| letter.is_ascii_digit()),
                "u" | "s"
            ) {
                found.insert(here.clone());
            }
            levels.push((here, level));
        }
    }
    found
}
