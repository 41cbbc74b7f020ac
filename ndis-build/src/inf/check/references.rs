//! That the sections of a file refer to each other.

use super::{super::parse::Section, Checker, Rule, number};
use std::collections::BTreeSet;

/// Where in its fields a directive names sections.
enum Place {
    Everywhere,
    At(&'static [usize]),
}

/// The directives that refer to sections (summary-of-inf-directives.md).
/// `CopyFiles`, which can name a file instead, is not among them.
const DIRECTIVES: &[(&str, Place)] = &[
    ("AddComponent", Place::At(&[2])),
    ("AddEventProvider", Place::At(&[1])),
    ("AddFilter", Place::At(&[2])),
    ("AddInterface", Place::At(&[2])),
    ("AddPowerSetting", Place::Everywhere),
    ("AddProperty", Place::Everywhere),
    ("AddReg", Place::Everywhere),
    ("AddService", Place::At(&[2, 3])),
    ("AddSoftware", Place::At(&[2])),
    ("AddTrigger", Place::Everywhere),
    ("BitReg", Place::Everywhere),
    ("DelFiles", Place::Everywhere),
    ("DelProperty", Place::Everywhere),
    ("DelReg", Place::Everywhere),
    ("DelService", Place::At(&[2])),
    ("FailureActions", Place::Everywhere),
    ("Ini2Reg", Place::Everywhere),
    ("KmdfService", Place::At(&[1])),
    ("LogConfig", Place::Everywhere),
    ("ProfileItems", Place::Everywhere),
    ("RegisterDlls", Place::Everywhere),
    ("RenFiles", Place::Everywhere),
    ("UmdfService", Place::At(&[1])),
    ("UnregisterDlls", Place::Everywhere),
    ("UpdateIniFields", Place::Everywhere),
    ("UpdateInis", Place::Everywhere),
];

/// The sections that Windows looks for by their names, whatever follows a dot
/// (summary-of-inf-sections.md).
const ROOTS: &[&str] = &[
    "ClassInstall32",
    "ControlFlags",
    "DefaultInstall",
    "DefaultUninstall",
    "DestinationDirs",
    "InterfaceInstall32",
    "Manufacturer",
    "SignatureAttributes",
    "SourceDisksFiles",
    "SourceDisksNames",
    "Strings",
    "Version",
];

impl<'d> Checker<'d> {
    /// Reaches all that a section refers to, and what that refers to.
    pub(super) fn follow(&mut self, section: &'d Section) {
        let mut waiting = vec![section];
        let mut seen = BTreeSet::new();
        while let Some(section) = waiting.pop() {
            if !seen.insert(section.line) {
                continue;
            }
            for entry in &section.entries {
                let Some(key) = &entry.key else { continue };
                if key.eq_ignore_ascii_case("CopyFiles") {
                    for name in entry.fields.iter().filter(|name| !name.is_empty()) {
                        if !name.starts_with('@') {
                            self.reach(name, entry.line);
                        }
                    }
                    continue;
                }
                let place = DIRECTIVES
                    .iter()
                    .find(|(directive, _)| directive.eq_ignore_ascii_case(key))
                    .map(|(_, place)| place);
                let names: Vec<_> = match place {
                    None => continue,
                    Some(Place::Everywhere) => entry.fields.iter().map(String::as_str).collect(),
                    Some(Place::At(places)) => places.iter().map(|at| entry.field(*at)).collect(),
                };
                for name in names.into_iter().filter(|name| !name.is_empty()) {
                    let Some(target) = self.reach(name, entry.line) else {
                        continue;
                    };
                    if key.eq_ignore_ascii_case("AddReg") {
                        self.registry_lines(target);
                    }
                    waiting.push(target);
                }
            }
        }
    }

    /// `root-key, subkey, name, flags, value`
    fn registry_lines(&mut self, section: &Section) {
        for entry in &section.entries {
            let root = entry.field(0).to_ascii_uppercase();
            let flags = entry.field(3);
            let message = if entry.key.is_some()
                || !["HKR", "HKLM", "HKCR", "HKCU", "HKU"].contains(&root.as_str())
            {
                "a line of an AddReg section begins with HKR, HKLM, HKCR, HKCU or HKU".to_owned()
            } else if !flags.is_empty() && number(flags).is_none() {
                format!("the flags `{flags}` are no number")
            } else {
                continue;
            };
            self.report(entry.line, Rule::Registry, message);
        }
    }

    /// Follows the sections that nothing needs to refer to, and reports those
    /// to which nothing does.
    pub(super) fn references(&mut self) {
        for section in &self.document.sections {
            if is_root(section) {
                self.follow(section);
            }
        }
        for section in &self.document.sections {
            if !is_root(section) && !self.reached.contains(&section.name.to_ascii_lowercase()) {
                let message = format!("nothing refers to [{}]", section.name);
                self.report(section.line, Rule::UnreferencedSection, message);
            }
        }
    }
}

fn base(section: &Section) -> &str {
    section.name.split('.').next().unwrap_or_default()
}

fn is_root(section: &Section) -> bool {
    ROOTS
        .iter()
        .any(|root| root.eq_ignore_ascii_case(base(section)))
}
