//! From the manufacturer over the models to the install sections, and what
//! every driver's install section does: copy files and install a service.

use super::{
    super::{
        arch::Arch,
        parse::{Entry, Section},
    },
    Checker, Class, Rule, Severity,
    files::Copied,
    number,
};

/// The sections that belong to an install section, by what is appended to its
/// name (summary-of-inf-sections.md).
const PARTS: &[&str] = &[
    "CoInstallers",
    "COM",
    "Components",
    "Events",
    "FactDef",
    "Filters",
    "HW",
    "Interfaces",
    "LogConfigOverride",
    "Services",
    "Software",
    "Wdf",
    "WMI",
];

/// The first build of Windows 10 that looks at a build's number
/// (inf-manufacturer-section.md).
const FIRST_TARGETED_BUILD: u32 = 14310;

/// Which Windows a models section is for.
#[derive(Clone, Copy, Default)]
pub(super) struct Target {
    pub(super) arch: Option<Arch>,
    /// Major, minor, build.
    pub(super) version: (u32, u32, u32),
}

/// A model's install section, with what it does.
pub(super) struct Install<'d> {
    pub(super) section: &'d Section,
    pub(super) target: Target,
    /// The model's entry, and its ids.
    pub(super) model: &'d Entry,
    pub(super) copies: Vec<Copied>,
    /// Whether there is a section of services.
    pub(super) has_services: bool,
    /// The services' names, each with whether it is the function driver.
    pub(super) services: Vec<(String, bool)>,
    /// Whether sections of other files are part of it.
    pub(super) has_needs: bool,
}

impl<'d> Checker<'d> {
    /// Checks all models and their install sections.
    pub(super) fn installs(&mut self, class: Option<Class>, wanted: Option<Arch>) {
        let Some(manufacturers) = self.document.section("Manufacturer") else {
            self.primitive();
            return;
        };
        let mut served = Vec::new();
        for entry in &manufacturers.entries {
            let base = entry.field(0);
            if base.is_empty() {
                let message = "a manufacturer has a section of models";
                self.report(entry.line, Rule::Incomplete, message);
                continue;
            }
            // A trailing comma is allowed.
            let decorations = entry.fields.iter().skip(1).filter(|text| !text.is_empty());
            let decorations: Vec<_> = decorations.collect();
            // For a Windows that knows no decorations.
            if self.document.section(base).is_some() {
                self.mark(base);
            }
            if decorations.is_empty() {
                // Windows for x64 and ARM64 does not look there; for x86 it did.
                let message = format!("the models [{base}] are decorated with no architecture");
                self.report_as(Severity::Warning, entry.line, Rule::Architecture, message);
                if let Some(models) = self.reach(base, entry.line) {
                    self.models(models, Target::default(), class);
                }
            }
            for decoration in decorations {
                let target = target(decoration).unwrap_or_else(|| {
                    let message = format!("`{decoration}` is for no Windows");
                    self.report(entry.line, Rule::Architecture, message);
                    Target::default()
                });
                served.push(target.arch);
                let (major, _, build) = target.version;
                if major >= 10 && (1..FIRST_TARGETED_BUILD).contains(&build) {
                    let message = format!(
                        "`{decoration}`: a build can be named from {FIRST_TARGETED_BUILD} on"
                    );
                    self.report_as(Severity::Warning, entry.line, Rule::Architecture, message);
                }
                if let Some(models) = self.reach(&format!("{base}.{decoration}"), entry.line) {
                    self.models(models, target, class);
                }
            }
        }
        if let Some(arch) = wanted
            && !served.contains(&Some(arch))
        {
            let message = format!("no models are decorated with {}", arch.extension());
            self.report(manufacturers.line, Rule::Architecture, message);
        }
    }

    /// A package without a device (inf-defaultinstall-section.md).
    fn primitive(&mut self) {
        let mut any = false;
        for section in &self.document.sections {
            let name = section.name.to_ascii_lowercase();
            let mut parts = name.split('.');
            let part = name.rsplit('.').next().unwrap_or_default();
            if parts.next() != Some("defaultinstall")
                || PARTS.iter().any(|known| known.eq_ignore_ascii_case(part))
            {
                continue;
            }
            any = true;
            let platform = parts.next().and_then(|text| target(text)?.arch);
            if platform.is_none() {
                let message = format!("[{}] is decorated with no architecture", section.name);
                self.report_as(Severity::Warning, section.line, Rule::Architecture, message);
            }
            self.copies(section, platform);
        }
        if !any {
            let message = "there is no section [Manufacturer]";
            self.report(1, Rule::MissingSection, message);
        }
    }

    fn models(&mut self, models: &'d Section, target: Target, class: Option<Class>) {
        for model in &models.entries {
            if model.fields.iter().skip(1).all(String::is_empty) {
                let message = "a model needs a hardware id";
                self.report(model.line, Rule::HardwareId, message);
            }
            let name = model.field(0);
            if name.is_empty() {
                let message = "a model has an install section";
                self.report(model.line, Rule::Incomplete, message);
                continue;
            }
            let extension = target.arch.map(Arch::extension);
            let decorated = extension.into_iter().chain(["NT"]);
            let section = decorated
                .map(|extension| format!("{name}.{extension}"))
                .find_map(|name| self.document.section(&name));
            let section = match section {
                Some(section) => {
                    self.mark(&section.name);
                    Some(section)
                }
                None => self.reach(name, model.line),
            };
            if let Some(section) = section {
                self.install(section, model, target, class);
            }
        }
    }

    fn install(
        &mut self,
        section: &'d Section,
        model: &'d Entry,
        target: Target,
        class: Option<Class>,
    ) {
        self.follow(section);
        if let Some(entry) = section.get("DriverVer") {
            self.driver_ver(entry);
        }
        let copies = self.copies(section, target.arch);
        let mut install = Install {
            section,
            target,
            model,
            copies,
            has_services: false,
            services: Vec::new(),
            has_needs: section.get("Needs").is_some(),
        };
        for part in PARTS {
            let name = format!("{}.{part}", section.name);
            if let Some(part_section) = self.document.section(&name) {
                self.mark(&name);
                if *part == "CoInstallers" {
                    let message = "co-installers are no more";
                    self.report(part_section.line, Rule::Legacy, message);
                }
                self.follow(part_section);
                if *part == "Services" {
                    install.has_services = true;
                    self.services(part_section, &mut install);
                }
            }
        }
        self.removal(section, class);
        if let Some(class) = class {
            self.network(&install, class);
        }
    }

    /// What is run when the component is removed: of everything but adapters
    /// (remove-section-in-a-network-inf-file.md).
    fn removal(&mut self, section: &'d Section, class: Option<Class>) {
        let name = format!("{}.Remove", section.name);
        for name in [format!("{name}.Services"), name] {
            let Some(removal) = self.document.section(&name) else {
                continue;
            };
            self.mark(&name);
            self.follow(removal);
            if class == Some(Class::Net) {
                let message = format!("Windows runs no [{name}] for an adapter");
                self.report(removal.line, Rule::UnreferencedSection, message);
            }
        }
    }
}

/// `NTarch.major.minor.product.suite.build`, from which any part can be left
/// out (inf-manufacturer-section.md).
fn target(decoration: &str) -> Option<Target> {
    let mut parts = decoration.split('.');
    let platform = parts.next()?.to_ascii_lowercase();
    let arch = Arch::ALL
        .into_iter()
        .find(|arch| arch.extension().eq_ignore_ascii_case(&platform));
    if arch.is_none() && !["nt", "ntarm", "ntia64"].contains(&platform.as_str()) {
        return None;
    }
    let numbers: Vec<_> = parts
        .map(|part| {
            if part.is_empty() {
                Some(0)
            } else {
                number(part)
            }
        })
        .collect::<Option<_>>()?;
    if numbers.len() > 5 {
        return None;
    }
    let at = |index| numbers.get(index).copied().unwrap_or(0);
    Some(Target {
        arch,
        version: (at(0), at(1), at(4)),
    })
}
