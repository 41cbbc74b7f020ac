//! The rule book, `data/rules.json`: what the documentation demands of a driver, one rule a line, in
//! our own words, with the pages that say so. Its ids are used everywhere.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The sentences, as the host has them: the whole book, which says nothing of what is checked.
pub const SENTENCES: &str = "ndis-host/src/rules/sentences.rs";

/// One rule.
#[derive(Deserialize)]
pub struct Rule {
    pub id: String,
    /// Whom it binds.
    pub role: String,
    #[serde(default)]
    pub also_roles: Vec<String>,
    /// The function, callback or structure that it is about.
    pub api: String,
    /// The rule: one sentence.
    pub rule: String,
    source: Source,
    pub enforce: Enforce,
    pub basis: String,
    #[serde(default)]
    pub note: Option<String>,
    /// The files that keep it without naming it, as a file that makes one call for all keeps the
    /// demands of that call's page.
    #[serde(default)]
    pub guards: Vec<String>,
    /// Why no case and no test can break it: one sentence.
    #[serde(default)]
    pub untested: Option<String>,
}

/// One page, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    One(String),
    Several(Vec<String>),
}

impl Rule {
    /// Is it inferred from several pages, not stated by one?
    pub fn is_inferred(&self) -> bool {
        self.basis == "inferred"
    }

    /// The pages that it comes from, as file names.
    pub fn pages(&self) -> &[String] {
        match &self.source {
            Source::One(page) => std::slice::from_ref(page),
            Source::Several(pages) => pages,
        }
    }
}

/// How the rule book wants a rule to be kept.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Enforce {
    Type,
    Runtime,
    Doc,
}

impl Enforce {
    pub const ALL: [Self; 3] = [Self::Type, Self::Runtime, Self::Doc];

    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Runtime => "runtime",
            Self::Doc => "doc",
        }
    }
}

/// All rules, in the book's order.
pub fn book() -> Result<Vec<Rule>> {
    serde_json::from_str(include_str!("../data/rules.json")).context("xtask/data/rules.json")
}

/// The ids of the book.
pub fn ids(book: &[Rule]) -> BTreeSet<&str> {
    book.iter().map(|rule| rule.id.as_str()).collect()
}

/// The part of an id before the dash.
pub fn section(id: &str) -> &str {
    id.split_once('-').map_or(id, |(section, _)| section)
}

/// The sections, in the book's order.
pub fn sections(book: &[Rule]) -> Vec<&str> {
    let mut sections: Vec<&str> = Vec::new();
    for rule in book {
        if !sections.contains(&section(&rule.id)) {
            sections.push(section(&rule.id));
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_whole() {
        let book = book().expect("the data parses");
        let ids = ids(&book);
        // Rules are added, and none goes.
        assert!(book.len() >= 700, "{} rules", book.len());
        assert_eq!(ids.len(), book.len(), "an id is there twice");
        assert!(book.iter().all(|rule| !rule.pages().is_empty()));
    }
}
