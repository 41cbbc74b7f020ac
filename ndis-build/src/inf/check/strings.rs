//! `[Strings]`, and the tokens that stand for them anywhere in a file: in a
//! key, in a value, in a part of either (inf-strings-section.md).

use super::super::{
    finding::{Finding, Rule},
    parse::{Document, Piece, Section, pieces},
};
use std::collections::{BTreeMap, BTreeSet};

/// Tokens that mean a variable of the system's where nobody has doubled their
/// percent signs. Windows leaves an undefined token as it is, so that these
/// work.
const VARIABLES: &[&str] = &[
    "driverdata",
    "programdata",
    "programfiles",
    "systemdrive",
    "systemroot",
    "windir",
];

/// Checks tokens and strings against each other, and then puts the strings
/// into their places. Directory ids and undefined tokens stay.
pub(super) fn resolve(document: &mut Document, findings: &mut Vec<Finding>) {
    let strings: BTreeMap<String, String> = document
        .section("Strings")
        .iter()
        .flat_map(|section| &section.entries)
        .filter_map(|entry| {
            let key = entry.key.as_ref()?;
            Some((key.to_ascii_lowercase(), entry.field(0).to_owned()))
        })
        .collect();
    let mut tokens = Tokens {
        strings: &strings,
        used: BTreeSet::new(),
        findings,
    };
    for section in document.sections.iter().filter(|s| !is_strings(s)) {
        tokens.look(&section.name, section.line);
        for entry in &section.entries {
            for text in entry.key.iter().chain(&entry.fields) {
                tokens.look(text, entry.line);
            }
        }
    }
    let used = tokens.used;
    for section in document.sections.iter().filter(|s| is_strings(s)) {
        definitions(section, &strings, &used, findings);
    }
    for section in document.sections.iter_mut().filter(|s| !is_strings(s)) {
        for entry in &mut section.entries {
            for text in entry.key.iter_mut().chain(&mut entry.fields) {
                *text = expand(text, &strings);
            }
        }
    }
}

/// The tokens of a file, as they are met.
struct Tokens<'s> {
    strings: &'s BTreeMap<String, String>,
    used: BTreeSet<String>,
    findings: &'s mut Vec<Finding>,
}

impl Tokens<'_> {
    fn look(&mut self, text: &str, line: usize) {
        for piece in pieces(text) {
            let message = match piece {
                Piece::Plain(_) => continue,
                // A directory id.
                Piece::Token(token) if token.parse::<i32>().is_ok() => continue,
                Piece::Stray => "a `%` has no other one; a plain `%` is doubled".to_owned(),
                Piece::Token(token) => {
                    let name = token.to_ascii_lowercase();
                    let variable = VARIABLES.contains(&name.as_str());
                    let defined = self.strings.contains_key(&name);
                    self.used.insert(name);
                    if defined {
                        continue;
                    }
                    let advice = match variable {
                        true => "; if it is the system's variable, double its percent signs",
                        false => "",
                    };
                    format!("%{token}% is not defined in [Strings]{advice}")
                }
            };
            let rule = Rule::UndefinedString;
            self.findings.push(Finding::new(line, rule, message));
        }
    }
}

fn definitions(
    section: &Section,
    strings: &BTreeMap<String, String>,
    used: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    let mut defined = BTreeSet::new();
    for entry in &section.entries {
        let Some(key) = &entry.key else {
            let message = "not `name = \"text\"`";
            findings.push(Finding::new(entry.line, Rule::Syntax, message));
            continue;
        };
        if !defined.insert(key.to_ascii_lowercase()) {
            let message = format!("`{key}` is defined before");
            findings.push(Finding::new(entry.line, Rule::RepeatedString, message));
        } else if !used.contains(&key.to_ascii_lowercase()) {
            let message = format!("nothing uses %{key}%");
            findings.push(Finding::new(entry.line, Rule::UnusedString, message));
        }
    }
    // Windows takes all of its strings from the one section of its language.
    let missing: Vec<_> = strings
        .keys()
        .filter(|key| used.contains(*key) && !defined.contains(*key))
        .map(|key| format!("%{key}%"))
        .collect();
    if !missing.is_empty() {
        let message = format!("[{}] lacks {}", section.name, missing.join(", "));
        findings.push(Finding::new(
            section.line,
            Rule::MissingTranslation,
            message,
        ));
    }
}

fn expand(text: &str, strings: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => expanded.push_str(plain),
            Piece::Token(token) => match strings.get(&token.to_ascii_lowercase()) {
                Some(value) => expanded.push_str(value),
                None => {
                    expanded.push('%');
                    expanded.push_str(token);
                    expanded.push('%');
                }
            },
            Piece::Stray => expanded.push('%'),
        }
    }
    expanded
}

fn is_strings(section: &Section) -> bool {
    let base = section.name.split('.').next().unwrap_or_default();
    base.eq_ignore_ascii_case("Strings")
}
