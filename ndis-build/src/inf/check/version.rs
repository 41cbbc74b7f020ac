//! `[Version]`: what the package is.

use super::{
    super::{driver::Date, parse::Entry},
    Checker, Class, Rule, Severity,
};

impl Checker<'_> {
    /// Checks the section; the class, if it is one of those known here.
    pub(super) fn version(&mut self) -> Option<Class> {
        let Some(section) = self.document.section("Version") else {
            self.report(1, Rule::MissingSection, "there is no section [Version]");
            return None;
        };
        self.require(
            section,
            &["Signature", "Class", "ClassGuid", "Provider", "DriverVer"],
        );
        // Windows installs the package without; nothing of Microsoft's signs it so.
        if section.get("PnpLockdown").is_none() {
            let message = format!("[{}] has no `PnpLockdown`", section.name);
            self.report_as(Severity::Warning, section.line, Rule::MissingEntry, message);
        }
        // One for all platforms, or one for some.
        let catalog = section.entries.iter().any(|entry| {
            let key = entry
                .key
                .as_deref()
                .unwrap_or_default()
                .to_ascii_lowercase();
            key == "catalogfile" || key.starts_with("catalogfile.nt")
        });
        if !catalog {
            self.require(section, &["CatalogFile"]);
        }
        for (key, right, severity) in [
            ("Signature", "$Windows NT$", Severity::Error),
            ("PnpLockdown", "1", Severity::Warning),
        ] {
            if let Some(entry) = section.get(key)
                && !entry.field(0).eq_ignore_ascii_case(right)
            {
                let message = format!("`{key}` must be {right}");
                self.report_as(severity, entry.line, Rule::VersionValue, message);
            }
        }
        if let Some(entry) = section.get("DriverVer") {
            self.driver_ver(entry);
        }

        let entry = section.get("Class")?;
        let name = entry.field(0);
        let class = Class::ALL
            .into_iter()
            .find(|class| class.name().eq_ignore_ascii_case(name));
        let Some(class) = class else {
            let message = format!("class `{name}` is neither Net nor NetTrans");
            self.report(entry.line, Rule::Class, message);
            return None;
        };
        if let Some(entry) = section.get("ClassGuid")
            && !entry.field(0).eq_ignore_ascii_case(class.guid())
        {
            let message = format!("the GUID of class {name} is {}", class.guid());
            self.report(entry.line, Rule::Class, message);
        }
        Some(class)
    }

    pub(super) fn driver_ver(&mut self, entry: &Entry) {
        if date(entry.field(0)).is_none() {
            let message = "the date is not a day as mm/dd/yyyy";
            self.report(entry.line, Rule::DriverVer, message);
        }
        if !is_version(entry.field(1)) {
            let message = "the version is not w.x.y.z, each below 65535 and not all of them 0";
            self.report(entry.line, Rule::DriverVer, message);
        }
    }
}

fn date(text: &str) -> Option<Date> {
    let parts: Vec<_> = text.split(['/', '-']).collect();
    let [month @ [_, _], day @ [_, _], year @ [_, _, _, _]] =
        [parts.first()?, parts.get(1)?, parts.get(2)?].map(|part| part.as_bytes())
    else {
        return None;
    };
    if parts.len() > 3 {
        return None;
    }
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u16>().ok();
    Date::new(
        number(year)?,
        number(month)?.try_into().ok()?,
        number(day)?.try_into().ok()?,
    )
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
