//! The lines of `AddReg` sections (inf-addreg-directive.md).

use super::{
    super::parse::{Entry, Section},
    Checker, Rule, Severity, number,
};

const ROOTS: [&str; 10] = [
    "HKR",
    "HKLM",
    "HKCR",
    "HKCU",
    "HKU",
    "HKEY_LOCAL_MACHINE",
    "HKEY_CLASSES_ROOT",
    "HKEY_CURRENT_USER",
    "HKEY_USERS",
    "HKEY_CURRENT_CONFIG",
];

/// What the flags of a line say.
mod flag {
    pub const BINARY: u32 = 0x1;
    /// The line removes something, or makes an empty key: it has no value.
    pub const NO_VALUE: u32 = 0x4 | 0x10 | 0x2000;
    pub const APPEND: u32 = 0x8;
    pub const MULTI_SZ: u32 = 0x0001_0000;
    pub const DWORD: u32 = 0x0001_0001;
    /// The bits that say of which type the value is.
    pub const TYPE: u32 = 0xFFFF_0001;
}

impl Checker<'_> {
    /// `root-key, subkey, name, flags, value`
    pub(super) fn registry_lines(&mut self, section: &Section) {
        for entry in &section.entries {
            let root = entry.field(0).to_ascii_uppercase();
            if entry.key.is_some() || !ROOTS.contains(&root.as_str()) {
                let message =
                    "a line of an AddReg section begins with HKR, HKLM, HKCR, HKCU or HKU";
                self.report(entry.line, Rule::Registry, message);
                continue;
            }
            self.isolation(entry, &root);
            let flags = entry.field(3);
            match number(flags) {
                None if flags.is_empty() => {}
                None => {
                    let message = format!("the flags `{flags}` are no number");
                    self.report(entry.line, Rule::Registry, message);
                }
                Some(flags) => {
                    if let Some(message) = value(entry, flags) {
                        self.report(entry.line, Rule::Registry, message);
                    }
                }
            }
        }
    }

    /// A new package writes below its own keys only (infverif_h.md).
    fn isolation(&mut self, entry: &Entry, root: &str) {
        let key = entry.field(1).to_ascii_lowercase();
        let severity = match root {
            "HKR" => return,
            "HKLM" | "HKEY_LOCAL_MACHINE" if key.starts_with("system\\currentcontrolset") => {
                Severity::Hint
            }
            "HKCR" | "HKEY_CLASSES_ROOT" => Severity::Hint,
            _ => Severity::Warning,
        };
        let message = format!("{root} belongs to all; HKR is the package's own");
        self.report_as(severity, entry.line, Rule::Isolation, message);
    }

    /// What a service writes to its own key belongs under `Parameters`.
    pub(super) fn parameters(&mut self, service: &Section) {
        let names = service.all("AddReg").flat_map(|entry| &entry.fields);
        for name in names {
            let lines = self.document.section(name).map(|section| &section.entries);
            for entry in lines.into_iter().flatten() {
                let key = entry.field(1).to_ascii_lowercase();
                if entry.field(0).eq_ignore_ascii_case("HKR")
                    && key.split('\\').next() != Some("parameters")
                {
                    let message = "what a service keeps is under its key `Parameters`";
                    self.report_as(Severity::Hint, entry.line, Rule::Isolation, message);
                }
            }
        }
    }
}

/// What is wrong with a line's value, for its flags.
fn value(entry: &Entry, flags: u32) -> Option<String> {
    let values = entry.fields.get(4..).unwrap_or_default();
    let kind = flags & flag::TYPE;
    if flags & flag::NO_VALUE != 0 {
        return None;
    }
    if flags & flag::APPEND != 0 && kind != flag::MULTI_SZ {
        return Some("only to a list of strings (0x00010000) can be appended (8)".to_owned());
    }
    match (kind, values) {
        (flag::DWORD, [one]) if !one.is_empty() && !is_dword(one) => {
            Some(format!("`{one}` is no number of 32 bits"))
        }
        (flag::BINARY, bytes) => bytes
            .iter()
            .find(|byte| !byte.is_empty() && !is_bytes(byte))
            .map(|byte| format!("`{byte}` is no byte in hexadecimal digits")),
        _ => None,
    }
}

fn is_dword(text: &str) -> bool {
    number(text).is_some() || text.parse::<i32>().is_ok()
}

/// A byte, or several of them that are written together.
fn is_bytes(text: &str) -> bool {
    let digits = text.to_ascii_lowercase();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
