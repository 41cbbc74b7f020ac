//! Entries by themselves: said once, with as many values as they have.

use super::{
    super::parse::{Document, Section},
    Checker, Rule,
};
use std::collections::BTreeSet;

/// What has one value, or so many; said once in a section.
const VALUES: &[(&str, usize)] = &[
    ("BusType", 1),
    ("Characteristics", 1),
    ("Class", 1),
    ("ClassGuid", 1),
    ("Description", 1),
    ("DisplayName", 1),
    ("DriverVer", 2),
    ("ErrorControl", 1),
    ("LoadOrderGroup", 1),
    ("NetCfgInstanceId", 1),
    ("PnpLockdown", 1),
    ("Provider", 1),
    ("ServiceBinary", 1),
    ("ServiceType", 1),
    ("Signature", 1),
    ("StartType", 1),
    ("*IfType", 1),
    ("*MediaType", 1),
    ("*PhysicalMediaType", 1),
];

impl Checker<'_> {
    /// Checks the entries that everything hangs on. Of sections that nothing
    /// refers to something else is said.
    pub(super) fn entries(&mut self, document: &Document) {
        for section in &document.sections {
            for line in &section.again {
                let message = format!("[{}] begins on line {}", section.name, section.line);
                self.report(*line, Rule::RepeatedSection, message);
            }
            if section.name.to_ascii_lowercase().starts_with("strings") {
                continue;
            }
            self.once(section);
        }
    }

    fn once(&mut self, section: &Section) {
        let mut said = BTreeSet::new();
        for entry in &section.entries {
            let Some(key) = &entry.key else { continue };
            let Some((key, most)) = VALUES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(key))
            else {
                continue;
            };
            if !said.insert(*key) {
                let message = format!("`{key}` is said before, and counts once");
                self.report(entry.line, Rule::RepeatedEntry, message);
            }
            let extra = entry.fields.get(*most..).unwrap_or_default();
            if extra.iter().any(|value| !value.is_empty()) {
                let message = format!("`{key}` has more values than it can have");
                self.report(entry.line, Rule::ExtraValue, message);
            }
        }
    }
}
