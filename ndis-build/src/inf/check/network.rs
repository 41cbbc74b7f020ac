//! What Windows wants of a network driver beyond what it wants of any driver
//! (installation-requirements-for-network-adapters.md,
//! installation-requirements-for-network-protocols.md).

use super::{
    super::{
        driver::{DIRID_STORE, NETCFG_STORE_BUILD, ncf},
        parse::Entry,
    },
    Checker, Class, Rule,
    install::Install,
    number,
};

impl<'d> Checker<'d> {
    pub(super) fn network(&mut self, install: &Install<'d>, class: Class) {
        let values = self.instance_values(install);
        let characteristics = self.characteristics(install, class);
        match class {
            Class::Net => self.adapter(install, characteristics),
            Class::NetTrans => self.driver_store(install),
        }
        let no_service = characteristics.is_some_and(|bits| bits & ncf::NO_SERVICE != 0);
        if install.has_services && !no_service {
            self.ndi_service(install, class, &values);
        }
        self.ranges(install, class, &values);
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
            Class::NetTrans if place != 0 => {
                "only an adapter is virtual, software-enumerated or physical"
            }
            _ => return Some(bits),
        };
        self.report(entry.line, Rule::Characteristics, message);
        Some(bits)
    }

    fn adapter(&mut self, install: &Install<'d>, characteristics: Option<u32>) {
        let section = install.section;
        self.require(section, &["*IfType", "*MediaType", "*PhysicalMediaType"]);
        if !install.has_services {
            let message = format!("an adapter needs [{}.Services]", section.name);
            self.report(section.line, Rule::MissingSection, message);
        } else if install.services.iter().filter(|(_, own)| *own).count() != 1 {
            let message = "exactly one AddService needs flag 0x2, the function driver's";
            self.report(section.line, Rule::AssociatedService, message);
        }
        if characteristics.is_some_and(|bits| bits & ncf::PHYSICAL != 0) {
            self.require(section, &["BusType"]);
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
            None => {
                let message = format!("[{}] adds no Ndi value `Service`", section.name);
                self.report(section.line, Rule::NdiService, message);
            }
            Some(entry) => {
                let name = entry.field(4);
                if !installed(name) {
                    let message = format!("[{}.Services] adds no `{name}`", section.name);
                    self.report(entry.line, Rule::NdiService, message);
                }
            }
        }
        match (class, values.get("Ndi", "CoServices")) {
            (Class::Net, None) => {}
            (Class::Net, Some(entry)) => {
                let message = "an adapter has no `CoServices`: it has one service";
                self.report(entry.line, Rule::NdiService, message);
            }
            (Class::NetTrans, None) => {
                let message = format!("[{}] adds no Ndi value `CoServices`", section.name);
                self.report(section.line, Rule::NdiService, message);
            }
            (Class::NetTrans, Some(entry)) => {
                let listed: Vec<_> = entry.fields.iter().skip(4).collect();
                for (service, _) in &install.services {
                    if !listed.iter().any(|name| name.eq_ignore_ascii_case(service)) {
                        let message = format!("`CoServices` does not list `{service}`");
                        self.report(entry.line, Rule::NdiService, message);
                    }
                }
            }
        }
    }

    fn ranges(&mut self, install: &Install<'d>, class: Class, values: &Values<'d>) {
        for name in ["UpperRange", "LowerRange"] {
            let entry = values.get("Ndi\\Interfaces", name);
            let empty = |entry: &Entry| entry.fields.iter().skip(4).all(String::is_empty);
            if entry.is_none_or(empty) {
                let line = entry.map_or(install.section.line, |entry| entry.line);
                let message = format!("`{name}` of Ndi\\Interfaces is missing or empty");
                self.report(line, Rule::BindingRange, message);
            }
        }
        if class == Class::Net
            && let Some(entry) = values.get("Ndi\\Interfaces", "LowerRange")
            && entry
                .field(4)
                .split(',')
                .any(|range| range.trim().eq_ignore_ascii_case("wan"))
            && values.get("", "WanEndpoints").is_none()
        {
            let message = "a WAN adapter adds a value `WanEndpoints`";
            self.report(entry.line, Rule::WanEndpoints, message);
        }
    }
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
}
