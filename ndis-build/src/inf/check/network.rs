//! What Windows wants of a network driver beyond what it wants of any driver
//! (installation-requirements-for-network-adapters.md,
//! installation-requirements-for-network-protocols.md).

use super::{
    super::{
        driver::{DIRID_STORE, NETCFG_STORE_BUILD, ncf},
        parse::Entry,
    },
    Checker, Class, Rule, Severity,
    install::Install,
    number,
};

impl<'d> Checker<'d> {
    pub(super) fn network(&mut self, install: &Install<'d>, class: Class) {
        let values = self.instance_values(install);
        let characteristics = self.characteristics(install, class);
        match class {
            Class::Net => {
                self.adapter(install, characteristics, &values);
                self.params(&values.0, characteristics);
            }
            _ => self.component(install, characteristics, &values),
        }
        let no_service = characteristics.is_some_and(|bits| bits & ncf::NO_SERVICE != 0);
        if install.has_services && !no_service {
            self.ndi_service(install, class, &values);
        }
        self.ranges(install, class, &values);
    }

    /// What is no adapter: protocols, filters, services.
    fn component(
        &mut self,
        install: &Install<'d>,
        characteristics: Option<u32>,
        values: &Values<'d>,
    ) {
        self.driver_store(install);
        let id = install.model.field(1).to_ascii_lowercase();
        if id.starts_with("ms_") || id.starts_with("vms_") {
            let message = format!("the id `{id}` begins as those of Microsoft's components do");
            self.report(install.model.line, Rule::ComponentId, message);
        }
        let bits = characteristics.unwrap_or(0);
        if bits & ncf::LW_FILTER != 0 {
            self.filter(install, values);
        }
        if bits & ncf::FILTER != 0
            && let Some(entry) = install.section.get("Characteristics")
        {
            let message = "filters that are intermediate drivers (0x400) are no more";
            self.report(entry.line, Rule::Legacy, message);
        }
    }

    /// configuring-an-inf-file-for-a-modifying-filter-driver.md
    fn filter(&mut self, install: &Install<'d>, values: &Values<'d>) {
        let section = install.section;
        if install.has_needs {
            return;
        }
        self.require(section, &["NetCfgInstanceId"]);
        let kind = values.get("Ndi", "FilterType");
        let modifying = kind.is_some_and(|entry| number(entry.field(4)) == Some(2));
        let mut wanted = vec![
            ("Ndi", "FilterType"),
            ("Ndi", "FilterRunType"),
            ("Ndi\\Interfaces", "FilterMediaTypes"),
        ];
        if modifying {
            wanted.push(("Ndi", "FilterClass"));
        }
        for (key, name) in wanted {
            if values.get(key, name).is_none() {
                let message = format!("[{}] adds no {key} value `{name}`", section.name);
                self.report(section.line, Rule::Filter, message);
            }
        }
    }

    /// The lines of the instance key: those of all `AddReg` sections.
    fn instance_values(&self, install: &Install<'d>) -> Values<'d> {
        let names = install
            .section
            .all("AddReg")
            .flat_map(|entry| &entry.fields);
        let sections = names.filter_map(|name| self.document.section(name));
        Values(sections.flat_map(|section| &section.entries).collect())
    }

    fn characteristics(&mut self, install: &Install<'d>, class: Class) -> Option<u32> {
        self.require(install.section, &["Characteristics"]);
        let entry = install.section.get("Characteristics")?;
        let text = entry.field(0);
        let Some(bits) = number(text) else {
            let message = format!("`{text}` is no number");
            self.report(entry.line, Rule::Characteristics, message);
            return None;
        };
        let place = bits & ncf::PLACE;
        let message = match class {
            Class::Net if place.count_ones() != 1 => {
                "an adapter is one of virtual (1), software-enumerated (2) and physical (4)"
            }
            Class::Net if bits & ncf::NO_SERVICE != 0 => "an adapter has a service",
            Class::Net => return Some(bits),
            _ if place != 0 => "only an adapter is virtual, software-enumerated or physical",
            _ => return Some(bits),
        };
        self.report(entry.line, Rule::Characteristics, message);
        Some(bits)
    }

    fn adapter(
        &mut self,
        install: &Install<'d>,
        characteristics: Option<u32>,
        values: &Values<'d>,
    ) {
        let section = install.section;
        // NDIS does not initialize a connectionless adapter without them; one for calls it does
        // (standardized-inf-keywords-for-network-devices.md).
        // Nor does Windows 10 look at models without an architecture.
        let severity = match install.target.arch.is_none()
            || values.has_range("LowerRange", &["wan", "atm"])
            || values.has_range("UpperRange", &["ndiscowan", "ndisatm"])
        {
            true => Severity::Warning,
            false => Severity::Error,
        };
        for key in ["*IfType", "*MediaType", "*PhysicalMediaType"] {
            if section.get(key).is_none() && values.get("", key).is_none() && !install.has_needs {
                let message = format!("[{}] has no `{key}`", section.name);
                self.report_as(severity, section.line, Rule::MissingEntry, message);
            }
        }
        if install.has_needs {
        } else if !install.has_services {
            let message = format!("an adapter needs [{}.Services]", section.name);
            self.report(section.line, Rule::MissingSection, message);
        } else if install.services.iter().filter(|(_, own)| *own).count() != 1 {
            let message = "exactly one AddService needs flag 0x2, the function driver's";
            self.report(section.line, Rule::AssociatedService, message);
        }
        if characteristics.is_some_and(|bits| bits & ncf::PHYSICAL != 0) {
            if !install.has_needs {
                self.advise(section, &["BusType"]);
            }
            self.excluded(install);
        }
    }

    fn excluded(&mut self, install: &Install<'d>) {
        let flags = self.document.section("ControlFlags");
        let entries = flags.map_or(&[][..], |section| &section.entries);
        let excluded = |id: &String| {
            entries.iter().any(|entry| {
                let key = entry
                    .key
                    .as_deref()
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                (key == "excludefromselect" || key.starts_with("excludefromselect.nt"))
                    && entry
                        .fields
                        .iter()
                        .any(|field| field == "*" || field.eq_ignore_ascii_case(id))
            })
        };
        let id = install.model.fields.get(1).filter(|id| !id.is_empty());
        if let Some(id) = id
            && !excluded(id)
        {
            let message = format!("[ControlFlags] has no ExcludeFromSelect for `{id}`");
            self.report(install.model.line, Rule::ExcludeFromSelect, message);
        }
    }

    fn driver_store(&mut self, install: &Install<'d>) {
        if install.target.version >= (10, 0, NETCFG_STORE_BUILD) {
            return;
        }
        for copied in &install.copies {
            if let Some(directory) = &copied.directory
                && directory.dirid == i64::from(DIRID_STORE)
            {
                let message = format!(
                    "[{}] is for builds before {NETCFG_STORE_BUILD}, where netcfg cannot run a \
                     driver from the driver store",
                    install.section.name
                );
                self.report(directory.line, Rule::DriverStore, message);
            }
        }
    }

    fn ndi_service(&mut self, install: &Install<'d>, class: Class, values: &Values<'d>) {
        let section = install.section;
        let installed = |name: &str| {
            let mut services = install.services.iter();
            services.any(|(service, _)| service.eq_ignore_ascii_case(name))
        };
        match values.get("Ndi", "Service") {
            None if install.has_needs => {}
            None => {
                let message = format!("[{}] adds no Ndi value `Service`", section.name);
                self.report(section.line, Rule::NdiService, message);
            }
            Some(entry) => {
                let name = entry.field(4);
                if !installed(name) && !install.has_needs {
                    let message = format!("[{}.Services] adds no `{name}`", section.name);
                    let line = entry.line;
                    self.report_as(Severity::Warning, line, Rule::NdiService, message);
                }
            }
        }
        match (class, values.get("Ndi", "CoServices")) {
            (Class::Net, None) => {}
            (Class::Net, Some(entry)) => {
                let message = "an adapter has no `CoServices`: it has one service";
                self.report_as(Severity::Warning, entry.line, Rule::NdiService, message);
            }
            (_, None) if install.has_needs => {}
            (_, None) => {
                let message = format!("[{}] adds no Ndi value `CoServices`", section.name);
                let line = section.line;
                self.report_as(Severity::Warning, line, Rule::NdiService, message);
            }
            (_, Some(entry)) => {
                let listed: Vec<_> = entry.fields.iter().skip(4).collect();
                for (service, _) in &install.services {
                    if !listed.iter().any(|name| name.eq_ignore_ascii_case(service)) {
                        let message = format!("`CoServices` does not list `{service}`");
                        let line = entry.line;
                        self.report_as(Severity::Warning, line, Rule::NdiService, message);
                    }
                }
            }
        }
    }

    fn ranges(&mut self, install: &Install<'d>, class: Class, values: &Values<'d>) {
        for name in ["UpperRange", "LowerRange"] {
            let entry = values.get("Ndi\\Interfaces", name);
            match entry {
                None if install.has_needs => {}
                None => {
                    let message = format!("`{name}` of Ndi\\Interfaces is missing");
                    let line = install.section.line;
                    self.report(line, Rule::BindingRange, message);
                }
                Some(entry) if ranges(entry).next().is_none() => {
                    let message = format!("`{name}` of Ndi\\Interfaces is empty");
                    let line = entry.line;
                    self.report_as(Severity::Warning, line, Rule::BindingRange, message);
                }
                Some(entry) => self.bind_tokens(entry),
            }
        }
        if class == Class::Net
            && let Some(entry) = values.get("Ndi\\Interfaces", "LowerRange")
            && values.has_range("LowerRange", &["wan"])
            && values.get("", "WanEndpoints").is_none()
        {
            let message = "a WAN adapter adds a value `WanEndpoints`";
            self.report(entry.line, Rule::WanEndpoints, message);
        }
    }
}

impl Checker<'_> {
    fn bind_tokens(&mut self, entry: &Entry) {
        for token in ranges(entry) {
            let letter = |letter: char| letter.is_ascii_alphanumeric() || "_.".contains(letter);
            let message = if !token.chars().all(letter) {
                format!("`{token}` is no name of an interface: letters, digits, `_` and `.`")
            } else if ["ndis2", "ndis3", "ndis4"].contains(&token.to_ascii_lowercase().as_str()) {
                format!("the interface `{token}` is no more; it is ndis5")
            } else {
                continue;
            };
            self.report(entry.line, Rule::BindToken, message);
        }
    }
}

/// The names in the value of a range.
fn ranges(entry: &Entry) -> impl Iterator<Item = &str> {
    let values = entry.fields.iter().skip(4);
    let names = values.flat_map(|value| value.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty())
}

/// Lines of `AddReg` sections.
struct Values<'d>(Vec<&'d Entry>);

impl<'d> Values<'d> {
    fn get(&self, key: &str, name: &str) -> Option<&'d Entry> {
        self.0.iter().copied().find(|entry| {
            entry.field(0).eq_ignore_ascii_case("HKR")
                && entry.field(1).eq_ignore_ascii_case(key)
                && entry.field(2).eq_ignore_ascii_case(name)
        })
    }

    /// Whether a range names one of these.
    fn has_range(&self, name: &str, wanted: &[&str]) -> bool {
        let entry = self.get("Ndi\\Interfaces", name);
        let mut names = entry.into_iter().flat_map(ranges);
        names.any(|name| wanted.iter().any(|one| one.eq_ignore_ascii_case(name)))
    }
}
