//! The services that an install section installs (inf-addservice-directive.md).

use super::{
    super::parse::{Entry, Section},
    Checker, Rule, Severity,
    files::Copied,
    install::Install,
    number,
};

/// The service is the device's function driver.
const ASSOCIATED: u32 = 2;
/// The service is never started.
const DISABLED: u32 = 4;

impl<'d> Checker<'d> {
    pub(super) fn services(&mut self, section: &'d Section, install: &mut Install<'d>) {
        // What other files bring is not known.
        install.has_needs |= section.get("Needs").is_some();
        for entry in section.all("AddService") {
            let flags = number(entry.field(1)).unwrap_or(0);
            let associated = flags & ASSOCIATED != 0;
            let name = entry.field(0);
            if !name.is_empty() || associated {
                install.services.push((name.to_owned(), associated));
            }
            self.add_service(entry, associated);
            if let Some(service) = self.document.section(entry.field(2)) {
                self.service(service, associated, install);
            }
        }
    }

    fn add_service(&mut self, entry: &Entry, associated: bool) {
        let (name, section) = (entry.field(0), entry.field(2));
        match (name.is_empty(), section.is_empty()) {
            (true, _) if !associated => {
                let message = "a service without a name is the function driver that is none (2)";
                self.report(entry.line, Rule::Incomplete, message);
            }
            (true, false) => {
                let message = format!("a service without a name needs no [{section}]");
                self.report(entry.line, Rule::ExtraValue, message);
            }
            (false, true) => {
                let message = format!("no section says what the service `{name}` is");
                self.report(entry.line, Rule::Incomplete, message);
            }
            _ => {}
        }
        let log = entry.field(4);
        let logs = ["", "System", "Application", "Security"];
        if !logs.iter().any(|known| known.eq_ignore_ascii_case(log)) {
            let message = format!("`{log}` is none of System, Application and Security");
            self.report(entry.line, Rule::EventLog, message);
        }
    }

    fn service(&mut self, service: &'d Section, associated: bool, install: &Install<'d>) {
        self.require(
            service,
            &["ServiceType", "StartType", "ErrorControl", "ServiceBinary"],
        );
        self.parameters(service);
        for (key, most) in [
            ("ServiceType", u32::MAX),
            ("StartType", 4),
            ("ErrorControl", 3),
        ] {
            if let Some(entry) = service.get(key)
                && number(entry.field(0)).is_none_or(|value| value > most)
            {
                let message = format!("`{}` is no {key}", entry.field(0));
                self.report(entry.line, Rule::ServiceValue, message);
            }
        }
        if let Some(entry) = service.get("StartType")
            && associated
            && number(entry.field(0)) == Some(DISABLED)
        {
            let message = "a function driver is not disabled: its device would not work";
            self.report_as(Severity::Warning, entry.line, Rule::ServiceValue, message);
        }
        if let Some(binary) = service.get("ServiceBinary") {
            let path = binary.field(0);
            if !is_below_a_directory(path) {
                let message =
                    format!("`{path}` does not begin with a directory id, as in %13%\\x.sys");
                self.report(binary.line, Rule::ServiceBinary, message);
            } else if !install.has_needs && !install.copies.iter().any(|copied| is_at(copied, path))
            {
                let message = format!("[{}] copies no file to {path}", install.section.name);
                self.report(binary.line, Rule::ServiceBinary, message);
            }
        }
    }
}

/// Whether a path is `%dirid%\...`.
fn is_below_a_directory(path: &str) -> bool {
    let id = path
        .strip_prefix('%')
        .and_then(|rest| rest.split_once("%\\"));
    id.is_some_and(|(id, _)| id.parse::<i64>().is_ok())
}

/// Whether the file is at the path, which is `%dirid%\subdirectory\file`.
fn is_at(copied: &Copied, path: &str) -> bool {
    let Some(directory) = &copied.directory else {
        let file = path.rsplit('\\').next().unwrap_or_default();
        return copied.file.eq_ignore_ascii_case(file);
    };
    let mut place = format!("%{}%\\", directory.dirid);
    let subdirectory = directory.subdirectory.trim_matches('\\');
    if !subdirectory.is_empty() {
        place.push_str(subdirectory);
        place.push('\\');
    }
    place.push_str(&copied.file);
    place.eq_ignore_ascii_case(path)
}
