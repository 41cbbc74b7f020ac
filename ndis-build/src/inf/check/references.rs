//! That the sections of a file refer to each other.

use super::{
    super::parse::{Entry, Section},
    Checker, Rule,
};
use std::collections::BTreeSet;

/// Where in its fields a directive names sections.
enum Place {
    Everywhere,
    At(&'static [usize]),
}

/// What a universal package does without (using-a-universal-inf-file.md).
const LEGACY: &[&str] = &[
    "BitReg",
    "Ini2Reg",
    "LogConfig",
    "ProfileItems",
    "RegisterDlls",
    "UnregisterDlls",
    "UpdateIniFields",
    "UpdateInis",
];

/// Whether a directive refers to files: in a list, or by a name after `@`.
fn is_file_list(directive: &str) -> bool {
    ["CopyFiles", "DelFiles", "RenFiles"].contains(&directive)
}

/// The directives that refer to sections (summary-of-inf-directives.md).
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
    ("CopyFiles", Place::Everywhere),
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
                let Some((directive, place)) = DIRECTIVES
                    .iter()
                    .find(|(directive, _)| directive.eq_ignore_ascii_case(key))
                else {
                    self.other(section, entry, key, &mut waiting);
                    continue;
                };
                if LEGACY.contains(directive) {
                    let message = format!("`{directive}` is of the past");
                    self.report(entry.line, Rule::Legacy, message);
                }
                let names: Vec<_> = match place {
                    Place::Everywhere => entry.fields.iter().map(String::as_str).collect(),
                    Place::At(places) => places.iter().map(|at| entry.field(*at)).collect(),
                };
                if matches!(place, Place::Everywhere) && names.iter().all(|name| name.is_empty()) {
                    let message = format!("`{directive}` names no section");
                    self.report(entry.line, Rule::Incomplete, message);
                }
                for name in names.into_iter().filter(|name| !name.is_empty()) {
                    if is_file_list(directive)
                        && let Some(file) = name.strip_prefix('@')
                    {
                        self.copied.insert(file.to_ascii_lowercase());
                        continue;
                    }
                    let Some(target) = self.reach(name, entry.line) else {
                        continue;
                    };
                    self.kind(target, directive, entry);
                    if *directive == "AddReg" {
                        self.registry_lines(target);
                    }
                    if is_file_list(directive) {
                        self.file_list(target);
                    } else {
                        waiting.push(target);
                    }
                }
            }
        }
    }

    /// Directives that do not refer to sections of this file alone.
    fn other(
        &mut self,
        section: &'d Section,
        entry: &Entry,
        key: &str,
        waiting: &mut Vec<&'d Section>,
    ) {
        let names = entry.fields.iter().filter(|name| !name.is_empty());
        if key.eq_ignore_ascii_case("Needs") {
            for name in names {
                if let Some(target) = self.document.section(name) {
                    self.mark(name);
                    waiting.push(target);
                } else if section.get("Include").is_none() {
                    let message = format!("[{name}] is not here, and no file is included");
                    self.report(entry.line, Rule::Needs, message);
                }
            }
        } else if key.eq_ignore_ascii_case("CopyINF") {
            for name in names.filter(|name| !name.to_ascii_lowercase().ends_with(".inf")) {
                let message = format!("`{name}` is no INF file");
                self.report(entry.line, Rule::CopyInf, message);
            }
        }
    }

    /// One section cannot be two things.
    fn kind(&mut self, target: &Section, directive: &'static str, entry: &Entry) {
        let kind = match directive {
            _ if is_file_list(directive) => "a list of files",
            "AddReg" | "DelReg" => "registry lines",
            "AddService" => return,
            other => other,
        };
        let name = target.name.to_ascii_lowercase();
        let known = *self.kinds.entry(name).or_insert(kind);
        if known != kind {
            let message = format!("[{}] is {known}, and is not for `{directive}`", target.name);
            self.report(entry.line, Rule::MixedSection, message);
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
