//! Figures that may only fall: a file of ceilings, and the comparison of what is measured with it.
//!
//! A ceiling that is well above what is measured guards nothing, so that is a fault too, and lowering
//! one is a command. Raising one is an edit of the file, which a review sees.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// What is measured, by name; or the ceilings of it.
pub type Figures = BTreeMap<String, f64>;

/// How far a ceiling is from what is measured, as factors.
#[derive(Clone, Copy)]
pub struct Room {
    /// Above the ceiling by no more is no fault.
    pub slack: f64,
    /// Where a ceiling is put.
    pub written: f64,
    /// From here on it is too high.
    pub most: f64,
}

/// Reads the ceilings in `file`.
pub fn read(file: &Path) -> Result<Figures> {
    serde_json::from_str(&workspace::read(file)?)
        .with_context(|| format!("{} is no map of numbers", file.display()))
}

/// Compares; `lower` is the command that lowers the ceilings.
pub fn check(measured: &Figures, ceilings: &Figures, room: Room, lower: &str) -> Result<()> {
    let faults = faults(measured, ceilings, room, lower);
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{}", faults.join("\n"));
}

fn faults(measured: &Figures, ceilings: &Figures, room: Room, lower: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, is) in measured {
        match ceilings.get(name) {
            None => faults.push(format!("{name}: {is:.2}, and it has no ceiling: {lower}")),
            Some(ceiling) if *is > ceiling * room.slack => {
                faults.push(format!(
                    "{name}: {is:.2} is above its ceiling, {ceiling:.2}"
                ));
            }
            Some(ceiling) if *ceiling > above(*is, room.most) => faults.push(format!(
                "{name}: its ceiling, {ceiling:.2}, is too high for {is:.2}: {lower}"
            )),
            Some(_) => {}
        }
    }
    for name in ceilings.keys().filter(|name| !measured.contains_key(*name)) {
        faults.push(format!(
            "{name}: it has a ceiling and is not measured: {lower}"
        ));
    }
    faults
}

/// Lowers the ceilings in `file` to what is measured. None is raised; one that is new is put there, one
/// of what is not measured any more goes.
pub fn lower(measured: &Figures, file: &Path, room: Room) -> Result<()> {
    let old = if file.exists() {
        read(file)?
    } else {
        Figures::new()
    };
    let new = lowered(measured, &old, room);
    for (name, ceiling) in &new {
        match old.get(name) {
            Some(before) if before > ceiling => println!("{name}: {before:.2} -> {ceiling:.2}"),
            Some(_) => {}
            None => println!("{name}: {ceiling:.2}"),
        }
    }
    let text = serde_json::to_string_pretty(&new)? + "\n";
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn lowered(measured: &Figures, old: &Figures, room: Room) -> Figures {
    let new = measured.iter().map(|(name, is)| {
        let ceiling = above(*is, room.written);
        let before = old.get(name).copied().unwrap_or(ceiling);
        (name.clone(), ceiling.min(before))
    });
    new.collect()
}

/// `is` by `factor`, with two digits, rounded up.
fn above(is: f64, factor: f64) -> f64 {
    // A figure of two digits stays what it is, whatever binary fractions make of it.
    (is * factor * 100.0 - 1e-6).ceil() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room {
        slack: 1.01,
        written: 1.0,
        most: 1.1,
    };

    fn figures(list: &[(&str, f64)]) -> Figures {
        list.iter()
            .map(|(name, is)| ((*name).to_owned(), *is))
            .collect()
    }

    fn said(is: f64, ceiling: f64) -> Vec<String> {
        faults(
            &figures(&[("a", is)]),
            &figures(&[("a", ceiling)]),
            ROOM,
            "lower it",
        )
    }

    #[test]
    fn at_and_a_little_below_the_ceiling_is_well() {
        assert!(said(2.0, 2.0).is_empty());
        assert!(said(2.0, 2.2).is_empty());
        assert!(said(2.02, 2.0).is_empty());
    }

    #[test]
    fn above_is_a_fault_and_far_below_too() {
        assert_eq!(said(2.1, 2.0), ["a: 2.10 is above its ceiling, 2.00"]);
        assert_eq!(
            said(2.0, 2.3),
            ["a: its ceiling, 2.30, is too high for 2.00: lower it"]
        );
    }

    #[test]
    fn what_only_one_side_has_is_a_fault() {
        let (some, none) = (figures(&[("a", 1.0)]), Figures::new());
        assert_eq!(
            faults(&some, &none, ROOM, "x"),
            ["a: 1.00, and it has no ceiling: x"]
        );
        assert_eq!(
            faults(&none, &some, ROOM, "x"),
            ["a: it has a ceiling and is not measured: x"]
        );
    }

    #[test]
    fn lowering_never_raises() {
        let old = figures(&[("falls", 3.0), ("rises", 3.0), ("gone", 3.0)]);
        let measured = figures(&[("falls", 2.001), ("rises", 4.0), ("new", 1.0)]);
        let expected = figures(&[("falls", 2.01), ("rises", 3.0), ("new", 1.0)]);
        assert_eq!(lowered(&measured, &old, ROOM), expected);
    }
}
