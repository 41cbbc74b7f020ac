//! `cargo xtask explain CALL-10`: what a rule says, to which drivers it applies, where it comes from,
//! and what in this tree enforces it.
//!
//! A report of the host, a compile-fail case and many comments name a rule by its id. This is where
//! an id leads.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::{
    pages::Pages,
    rule_book::{self, Rule},
    rules_scan::{self, Cover},
    say::say,
    workspace,
};

/// Which rules.
#[derive(clap::Args)]
pub struct ExplainArgs {
    /// Their ids, as in a report: CALL-10, HOST-MEMORY.
    #[arg(required = true, value_name = "RULE")]
    ids: Vec<String>,
}

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<()> {
    let book = rule_book::book()?;
    let found = rules_scan::scan(&workspace::root(), &book)?;
    let apis = book.iter().map(|rule| rule.api.as_str());
    let pages = Pages::new(apis.chain(ndis_host::exported().map(|(name, _)| name)))?;
    let none = Cover::default();
    let mut unknown = Vec::new();
    let mut texts = Vec::new();
    for id in &args.ids {
        let id = id.to_uppercase();
        if let Some(rule) = book.iter().find(|rule| rule.id == id) {
            texts.push(explain(
                rule,
                found.cover.get(&rule.id).unwrap_or(&none),
                &pages,
            ));
        } else if let Some(sentence) = ndis_host::rules::sentence(&id) {
            texts.push(format!(
                "{id}: {sentence}\n\n  A rule of the host itself, for what the rule book does not cover.\n"
            ));
        } else {
            unknown.push(no_such(&id, &book));
        }
    }
    if !texts.is_empty() {
        say!("{}", texts.join("\n").trim_end());
    }
    if !unknown.is_empty() {
        bail!(unknown.join("\n"));
    }
    Ok(())
}

fn explain(rule: &Rule, cover: &Cover, pages: &Pages) -> String {
    let roles: Vec<&str> = std::iter::once(&rule.role)
        .chain(&rule.also_roles)
        .map(|role| role_name(role))
        .collect();
    let mut text = format!("{}: {}\n", rule.id, rule.rule);
    if let Some(note) = &rule.note {
        let _ = writeln!(text, "  Note: {note}");
    }
    let _ = writeln!(
        text,
        "\n  About:       {}\n  Applies to:  {}\n  Enforced by: {}",
        rule.api,
        list(&roles),
        means(rule, cover),
    );
    text.push_str(match (rule.is_inferred(), rule.pages().len()) {
        (true, _) => "\n  Inferred from Microsoft's pages:\n",
        (false, 1) => "\n  Stated on Microsoft's page:\n",
        (false, _) => "\n  Stated on Microsoft's pages:\n",
    });
    for page in rule.pages() {
        let _ = writeln!(text, "    {}", pages.name(page));
        if let Some(address) = pages.address(page) {
            let _ = writeln!(text, "      {address}");
        }
    }
    if !cover.is_empty() {
        text.push_str("\n  Enforced or tested in:\n");
    }
    let others = cover.tests.difference(&cover.broken).cloned().collect();
    for (what, files) in [
        ("compile-fail test", &cover.compile_fail),
        ("check of the host", &cover.host),
        ("safe crates", &cover.safe),
        ("test that breaks", &cover.broken),
        ("test", &others),
    ] {
        for file in files {
            let _ = writeln!(text, "    {what:<17}  {file}");
        }
    }
    if let Some(reason) = &rule.untested {
        let _ = writeln!(text, "\n  No driver breaks it: {reason}");
    }
    text
}

/// What keeps a rule, in words. What the book would have keep it is told only where nothing does.
fn means(rule: &Rule, cover: &Cover) -> String {
    if cover.is_empty() {
        let wanted = match rule.enforce {
            rule_book::Enforce::Type => "the types of the safe crates",
            rule_book::Enforce::Runtime => "checks at run time",
            rule_book::Enforce::Doc => "documentation",
        };
        return format!("nothing yet; planned: {wanted}");
    }
    let tests = if cover.broken.is_empty() {
        "tests"
    } else {
        "tests that break it"
    };
    let kinds = [
        ("types (cases that do not compile)", &cover.compile_fail),
        ("checks of the host", &cover.host),
        ("the code of the safe crates", &cover.safe),
        (tests, &cover.tests),
    ];
    let kinds = kinds.iter().filter(|(_, files)| !files.is_empty());
    list(&kinds.map(|(kind, _)| *kind).collect::<Vec<_>>())
}

/// Words as a sentence lists them.
fn list(words: &[&str]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => words.concat(),
    }
}

/// A role of the rule book in words.
fn role_name(role: &str) -> &str {
    match role {
        "mcm" => "miniport call managers",
        "client" => "clients",
        "callmgr" => "stand-alone call managers",
        "co-miniport" => "connection-oriented miniports",
        "any" => "every driver",
        other => other,
    }
}

/// There is no rule `id`; those that may have been meant.
fn no_such(id: &str, book: &[Rule]) -> String {
    let near = near(id, book);
    if near.is_empty() {
        return format!(
            "there is no rule {id}; ids begin with one of {}",
            rule_book::sections(book).join(", ")
        );
    }
    let lines: Vec<_> = near
        .iter()
        .map(|rule| format!("  {}  {}", rule.id, rule.rule))
        .collect();
    format!(
        "there is no rule {id}; similar ids are\n{}",
        lines.join("\n")
    )
}

/// How many are shown.
const SHOWN: usize = 5;

/// The rules whose ids are spelt much the same, nearest first; or those about the function `id`.
fn near<'a>(id: &str, book: &'a [Rule]) -> Vec<&'a Rule> {
    let about: Vec<_> = book
        .iter()
        .filter(|rule| rule.api.to_uppercase() == id)
        .collect();
    if !about.is_empty() {
        return about;
    }
    let mut near: Vec<_> = book
        .iter()
        .map(|rule| (distance(id, &rule.id), rule))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    near.sort_by_key(|(distance, rule)| (*distance, &rule.id));
    near.into_iter().take(SHOWN).map(|(_, rule)| rule).collect()
}

/// How many letters must be put in, taken out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut next = vec![place + 1];
        for (at, wanted) in other.iter().enumerate() {
            let changed = row[at] + usize::from(letter != *wanted);
            next.push(changed.min(row[at + 1] + 1).min(next[at] + 1));
        }
        row = next;
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ids<'a>(rules: &[&'a Rule]) -> Vec<&'a str> {
        rules.iter().map(|rule| rule.id.as_str()).collect()
    }

    #[test]
    fn a_rule_is_told_with_its_pages_and_what_keeps_it() {
        let book = rule_book::book().unwrap();
        let rule = book.iter().find(|rule| rule.id == "REG-01").unwrap();
        let cover = Cover {
            host: BTreeSet::from(["ndis-host/src/v.rs".to_owned()]),
            ..Cover::default()
        };
        let pages = Pages::new([rule.api.as_str()]).unwrap();
        let text = explain(rule, &cover, &pages);
        for part in [
            &format!("REG-01: {}\n", rule.rule),
            "  About:       NdisMRegisterMiniportDriver\n",
            "  Applies to:  miniport call managers and connection-oriented miniports\n",
            "  Enforced by: checks of the host\n",
            "  Stated on Microsoft's pages:\n",
            "    NdisMRegisterMiniportDriver\n      https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismregisterminiportdriver\n",
            "    check of the host  ndis-host/src/v.rs\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let text = explain(rule, &Cover::default(), &pages);
        assert!(
            text.contains("  Enforced by: nothing yet; planned: the types"),
            "{text}"
        );
        assert!(!text.contains("tested in"), "{text}");
    }

    /// Whatever the book wishes, what is told is what there is.
    #[test]
    fn what_keeps_a_rule_is_what_was_found() {
        let book = rule_book::book().unwrap();
        let is_by_type = |rule: &&Rule| matches!(rule.enforce, rule_book::Enforce::Type);
        let rule = book.iter().find(is_by_type).unwrap();
        let file = || BTreeSet::from(["a.rs".to_owned()]);
        let mut cover = Cover {
            tests: file(),
            ..Cover::default()
        };
        assert_eq!(means(rule, &cover), "tests");
        cover.broken = file();
        assert_eq!(means(rule, &cover), "tests that break it");
        cover.safe = file();
        cover.host = file();
        assert_eq!(
            means(rule, &cover),
            "checks of the host, the code of the safe crates and tests that break it"
        );
        cover = Cover {
            compile_fail: file(),
            ..Cover::default()
        };
        assert_eq!(means(rule, &cover), "types (cases that do not compile)");
    }

    #[test]
    fn a_misspelt_id_gives_the_near_ones() {
        let book = rule_book::book().unwrap();
        assert_eq!(ids(&near("CALL-1", &book))[..2], ["CALL-01", "CALL-10"]);
        assert!(ids(&near("CAL-10", &book)).contains(&"CALL-10"));
        assert!(near("QQQQ-1", &book).is_empty());
        assert!(no_such("QQQQ-1", &book).contains("begin with one of REG, "));
        let about = near("NDISCLMAKECALL", &book);
        assert!(about.iter().all(|rule| rule.api == "NdisClMakeCall") && about.len() > 3);
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("CALL-10", "CALL-10"), 0);
        assert_eq!(distance("CALL-10", "CALL-1"), 1);
        assert_eq!(distance("", "AF"), 2);
        assert_eq!(distance("VC-10", "AF-10"), 2);
    }
}
