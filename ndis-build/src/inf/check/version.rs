//! `[Version]`: what the package is.

use super::{
    super::{
        driver::Date,
        parse::{Entry, Section},
    },
    Checker, Class, Rule, Severity,
};

impl Checker<'_> {
    /// Checks the section; the class, if it is one of those known here.
    pub(super) fn version(&mut self) -> Option<Class> {
        let Some(section) = self.document.section("Version") else {
            self.report(1, Rule::MissingSection, "there is no section [Version]");
            return None;
        };
        self.require(section, &["Signature", "Class", "ClassGuid", "Provider"]);
        // Windows installs the package without; nobody signs it so.
        self.advise(section, &["PnpLockdown"]);
        self.values(section);
        match section.get("DriverVer") {
            Some(entry) if !entry.field(0).is_empty() => self.driver_ver(entry),
            // Left out, or left to stampinf.
            _ => {
                let message = format!("[{}] has no `DriverVer`", section.name);
                let line = section.line;
                self.report_as(Severity::Warning, line, Rule::MissingEntry, message);
            }
        }
        self.class(section)
    }

    fn values(&mut self, section: &Section) {
        if let Some(entry) = section.get("Signature") {
            let signature = entry.field(0);
            if !signature.eq_ignore_ascii_case("$Windows NT$") {
                // Of old, and still read.
                let severity = match signature.eq_ignore_ascii_case("$Chicago$") {
                    true => Severity::Warning,
                    false => Severity::Error,
                };
                let message = "`Signature` must be $Windows NT$";
                self.report_as(severity, entry.line, Rule::VersionValue, message);
            }
        }
        if let Some(entry) = section.get("PnpLockdown")
            && entry.field(0) != "1"
        {
            let message = "`PnpLockdown` must be 1";
            self.report_as(Severity::Warning, entry.line, Rule::VersionValue, message);
        }
        if let Some(entry) = section.get("Provider")
            && entry.field(0).to_ascii_lowercase().starts_with("microsoft")
        {
            let message = "`Provider` is who made the package, and only Microsoft is Microsoft";
            self.report(entry.line, Rule::Provider, message);
        }
        // One for all platforms, or one for some.
        let mut catalogs = section.entries.iter().filter(|entry| {
            let key = entry.key.as_deref().unwrap_or_default();
            let key = key.to_ascii_lowercase();
            key == "catalogfile" || key.starts_with("catalogfile.nt")
        });
        let Some(first) = catalogs.next() else {
            self.advise(section, &["CatalogFile"]);
            return;
        };
        for entry in std::iter::once(first).chain(catalogs) {
            let name = entry.field(0).to_ascii_lowercase();
            if name.contains(['\\', '/']) || !name.ends_with(".cat") {
                let message = format!("`{name}` is no name of a catalog");
                self.report(entry.line, Rule::VersionValue, message);
            }
        }
    }

    fn class(&mut self, section: &Section) -> Option<Class> {
        let entry = section.get("Class")?;
        let name = entry.field(0);
        let guid = section.get("ClassGuid");
        let class = Class::ALL
            .into_iter()
            .find(|class| class.name().eq_ignore_ascii_case(name));
        if let Some(guid) = guid {
            let text = guid.field(0);
            let message = match class {
                Some(class) if !text.eq_ignore_ascii_case(class.guid()) => {
                    format!("the GUID of class {name} is {}", class.guid())
                }
                None if !is_guid(text) => format!("`{text}` is no GUID in braces"),
                _ => String::new(),
            };
            if !message.is_empty() {
                self.report(guid.line, Rule::Class, message);
            }
        }
        if class.is_some() {
            let installer = self.document.section("ClassInstall32");
            if let Some(installer) = installer {
                let message = format!("class {name} is Microsoft's, who installs it");
                self.report(installer.line, Rule::ClassInstaller, message);
            }
        } else if name.eq_ignore_ascii_case("Sample") {
            let message = "class `Sample` is for samples only";
            self.report(entry.line, Rule::Class, message);
        } else {
            let message = format!(
                "class `{name}` is none of network components: only what every driver needs is checked"
            );
            self.report_as(Severity::Hint, entry.line, Rule::Class, message);
        }
        class
    }

    pub(super) fn driver_ver(&mut self, entry: &Entry) {
        if !is_date(entry.field(0)) {
            let message = "the date is not a day as mm/dd/yyyy";
            self.report(entry.line, Rule::DriverVer, message);
        }
        let version = entry.field(1);
        if version.is_empty() {
            let message = "there is no version w.x.y.z: it counts as 0.0.0.0";
            self.report(entry.line, Rule::DriverVer, message);
        } else if !is_version(version) {
            let message = "the version is not w.x.y.z, each below 65535 and not all of them 0";
            self.report(entry.line, Rule::DriverVer, message);
        }
    }
}

/// Two digits, two digits, four; and a day of the calendar.
fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split(['/', '-']).collect();
    let &[month, day, year] = parts.as_slice() else {
        return false;
    };
    let date = || Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    [month, day, year].map(str::len) == [2, 2, 4] && date().is_some()
}

fn is_version(text: &str) -> bool {
    let numbers: Vec<_> = text
        .split('.')
        .map(|part| part.parse::<u16>().ok())
        .collect();
    numbers.len() == 4
        && numbers
            .iter()
            .all(|number| number.is_some_and(|number| number < u16::MAX))
        && numbers.iter().any(|number| *number != Some(0))
}

/// `{8-4-4-4-12}`, of hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let parts: Vec<_> = inner.unwrap_or_default().split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
