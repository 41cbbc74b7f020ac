//! docs/performance.md: the table of what was counted stands between two marks, and `cargo xtask bench --write`
//! puts it there. The step of the tests says when it is no longer what is counted.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace;

const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- bench -->\n";
const END: &str = "<!-- /bench -->\n";
/// A figure that has moved by less stands.
const SLACK: f64 = 0.01;

/// Puts the table into the page.
pub fn write(table: &str) -> Result<()> {
    let path = workspace::root().join(PAGE);
    let page = workspace::read(&path)?;
    let (before, _, after) = parts(&page)?;
    let new = format!("{before}{BEGIN}{table}{END}{after}");
    fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))
}

/// Fails when the page has another table.
pub fn check(table: &str) -> Result<()> {
    let page = workspace::read(&workspace::root().join(PAGE))?;
    let (_, old, _) = parts(&page)?;
    let differ = differences(old, table);
    if differ.is_empty() {
        return Ok(());
    }
    bail!(
        "{PAGE} has other figures (cargo xtask bench --write):\n{}",
        differ.join("\n")
    )
}

fn parts(page: &str) -> Result<(&str, &str, &str)> {
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{PAGE} lacks the first mark"))?;
    let (table, after) = rest
        .split_once(END)
        .with_context(|| format!("{PAGE} lacks the second mark"))?;
    Ok((before, table, after))
}

/// The rows of `new` that `old` has otherwise, and those that only one of them has. What could not be
/// counted here, which is an empty cell, differs from nothing.
fn differences(old: &str, new: &str) -> Vec<String> {
    let rows = |text: &str| -> Vec<Vec<String>> {
        let rows = text.lines();
        let rows = rows.filter(|line| line.starts_with('|') && !line.starts_with("|--"));
        rows.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect())
            .collect()
    };
    let (old, new) = (rows(old), rows(new));
    let mut differ = Vec::new();
    for row in &new {
        let same = |other: &&Vec<String>| other.get(1) == row.get(1);
        let known = old.iter().find(same);
        let equal = known.is_some_and(|known| {
            known.len() == row.len() && known.iter().zip(row).all(|(old, new)| cells(old, new))
        });
        if !equal {
            differ.push(row.join(" | "));
        }
    }
    let gone = old
        .iter()
        .filter(|row| !new.iter().any(|other| other.get(1) == row.get(1)));
    differ.extend(gone.map(|row| format!("{} (not counted any more)", row.join(" | "))));
    differ
}

fn cells(old: &str, new: &str) -> bool {
    let number = |cell: &str| cell.replace(',', "").parse::<f64>().ok();
    if new.is_empty() {
        return true;
    }
    match (number(old), number(new)) {
        // What is written has two digits at most.
        (Some(old), Some(new)) => (old - new).abs() <= (new * SLACK).max(0.011),
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| | safe | raw |\n|---|---|---|\n| a | 1,000 | 3.20 |\n| b | 2 | |\n";

    #[test]
    fn a_little_more_or_less_stands_and_what_was_not_counted() {
        let near = TABLE.replace("1,000", "1,009").replace("3.20", "3.21");
        assert!(differences(TABLE, &near).is_empty());
        let not_here = TABLE.replace("3.20", "");
        assert!(differences(TABLE, &not_here).is_empty());
    }

    #[test]
    fn another_figure_and_another_row_differ() {
        assert_eq!(
            differences(TABLE, &TABLE.replace("1,000", "1,011")).len(),
            1
        );
        assert_eq!(
            differences(TABLE, &TABLE.replace("| a |", "| c |")).len(),
            2
        );
        assert_eq!(differences(TABLE, &TABLE.replace("3.20", "none")).len(), 1);
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = workspace::read(&workspace::root().join(PAGE)).expect("a page");
        let (_, table, _) = parts(&page).expect("both marks");
        assert!(table.contains("| send, 1 list |"));
    }
}
