//! Checks the text of an INF: that it can be read, that everything it refers
//! to is there, and that it says what Windows wants of a network driver.
//!
//! It judges INF files of network components, written by hand or by
//! [`Driver::render`](super::Driver::render). It is stricter than Windows
//! where a file that Windows takes would install something else than its
//! author meant; [`Severity`] says which is which.

mod entries;
mod files;
mod install;
mod network;
mod params;
mod references;
mod registry;
mod services;
mod strings;
mod version;

use super::{
    arch::Arch,
    driver::Class,
    encoding,
    finding::{Finding, Rule, Severity},
    parse::{Document, Section},
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with the text, by line. Nothing is, when it is
/// empty.
pub fn check(text: &str) -> Vec<Finding> {
    check_all(text, None, encoding::first_letter(text))
}

/// As [`check`], and the INF must serve that architecture.
pub fn check_for(text: &str, arch: Arch) -> Vec<Finding> {
    check_all(text, Some(arch), encoding::first_letter(text))
}

/// As [`check`], or [`check_for`] an architecture, from the bytes of a file in
/// any encoding.
pub fn check_file(bytes: &[u8], arch: Option<Arch>) -> Vec<Finding> {
    let (text, finding) = encoding::decode(bytes);
    check_all(&text, arch, finding)
}

fn check_all(text: &str, arch: Option<Arch>, encoding: Option<Finding>) -> Vec<Finding> {
    let mut findings: Vec<_> = encoding.into_iter().collect();
    let text = stamped(text, arch, &mut findings);
    let mut document = Document::parse(&text, &mut findings);
    // What follows reads the text that Windows reads: with the strings in place.
    strings::resolve(&mut document, &mut findings);
    let mut checker = Checker::new(&document, findings);
    let class = checker.version();
    checker.installs(class, arch);
    checker.references();
    checker.disks();
    checker.entries(&document);

    // One install section can be reached in several ways.
    let mut findings = checker.findings;
    findings.sort();
    findings.dedup();
    findings
}

/// A template for stampinf, with its architecture put in as stampinf would.
fn stamped<'t>(text: &'t str, arch: Option<Arch>, findings: &mut Vec<Finding>) -> Cow<'t, str> {
    const TOKEN: &str = "$ARCH$";
    let Some(line) = text.lines().position(|line| line.contains(TOKEN)) else {
        return Cow::Borrowed(text);
    };
    let message = format!("{TOKEN} is left to stampinf, without which no Windows takes the file");
    findings.push(Finding::new(line + 1, Rule::Unstamped, message));
    let name = arch.unwrap_or(Arch::X64).disk_extension();
    Cow::Owned(text.replace(TOKEN, name))
}

/// What is known while one file is checked.
struct Checker<'d> {
    document: &'d Document,
    findings: Vec<Finding>,
    /// The sections that something refers to, in lower case.
    reached: BTreeSet<String>,
    /// The source files that something copies, in lower case.
    copied: BTreeSet<String>,
    /// What sections are, by their names in lower case.
    kinds: BTreeMap<String, &'static str>,
}

impl<'d> Checker<'d> {
    fn new(document: &'d Document, findings: Vec<Finding>) -> Self {
        Self {
            document,
            findings,
            reached: BTreeSet::new(),
            copied: BTreeSet::new(),
            kinds: BTreeMap::new(),
        }
    }

    fn report(&mut self, line: usize, rule: Rule, message: impl Into<String>) {
        self.findings.push(Finding::new(line, rule, message));
    }

    /// As grave as said, whatever the rule is in general.
    fn report_as(
        &mut self,
        severity: Severity,
        line: usize,
        rule: Rule,
        message: impl Into<String>,
    ) {
        self.findings
            .push(Finding::new(line, rule, message).with(severity));
    }

    /// The section that the line refers to.
    fn reach(&mut self, name: &str, line: usize) -> Option<&'d Section> {
        let section = self.document.section(name);
        match section {
            Some(_) => self.mark(name),
            None => {
                let message = format!("there is no section [{name}]");
                self.report(line, Rule::MissingSection, message);
            }
        }
        section
    }

    /// Says that something refers to the section.
    fn mark(&mut self, name: &str) {
        self.reached.insert(name.to_ascii_lowercase());
    }

    /// Reports the keys that a section lacks, and without which it does not do.
    fn require(&mut self, section: &Section, keys: &[&str]) {
        self.missing(Severity::Error, section, keys);
    }

    /// The same of keys without which it does, but should not.
    fn advise(&mut self, section: &Section, keys: &[&str]) {
        self.missing(Severity::Warning, section, keys);
    }

    fn missing(&mut self, severity: Severity, section: &Section, keys: &[&str]) {
        for key in keys {
            if section.get(key).is_none() {
                let message = format!("[{}] has no `{key}`", section.name);
                self.report_as(severity, section.line, Rule::MissingEntry, message);
            }
        }
    }
}

/// A number as INF files have it: decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => lower.parse().ok(),
    }
}
