//! Checks the text of an INF: that it can be read, that everything it refers
//! to is there, and that it says what Windows wants of a network driver.
//!
//! It judges INF files of the classes `Net` and `NetTrans`, written by hand or
//! by [`Driver::render`](super::Driver::render). It is stricter than Windows
//! where a file that Windows takes would install something else than its
//! author meant.

mod files;
mod install;
mod network;
mod references;
mod version;

use super::{
    arch::Arch,
    driver::Class,
    parse::{Document, Piece, Section, pieces},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Something wrong with an INF, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    line: usize,
    rule: Rule,
    message: String,
}

impl Finding {
    pub(super) fn new(line: usize, rule: Rule, message: impl Into<String>) -> Self {
        Self {
            line,
            rule,
            message: message.into(),
        }
    }

    /// The line, counted from 1. Of something that is missing it is the line
    /// of what needs it.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What was broken.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// What is wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} [{}]", self.line, self.message, self.rule)
    }
}

macro_rules! rules {
    ($($(#[$meta:meta])* $rule:ident = $name:literal,)*) => {
        /// What an INF has to keep. The page that says so is named by its file
        /// name in the source of the driver documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$meta])* $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// The name, as a finding shows it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    /// A line that cannot be read (general-syntax-rules-for-inf-files.md).
    Syntax = "syntax",
    /// The file is ASCII, so that every system reads it alike
    /// (general-guidelines-for-inf-files.md).
    Encoding = "encoding",
    /// A section that something refers to exists.
    MissingSection = "missing-section",
    /// Something refers to each section.
    UnreferencedSection = "unreferenced-section",
    /// A `%token%` is defined in `[Strings]` (inf-strings-section.md).
    UndefinedString = "undefined-string",
    /// A string is used.
    UnusedString = "unused-string",
    /// A string is defined once.
    RepeatedString = "repeated-string",
    /// A section has the entries that it needs.
    MissingEntry = "missing-entry",
    /// An entry of `[Version]` has a value that Windows takes
    /// (version-section-in-a-network-inf-file.md).
    VersionValue = "version-value",
    /// The class is one of network drivers, and the GUID is the class's
    /// (version-section-in-a-network-inf-file.md).
    Class = "class",
    /// `DriverVer` is `mm/dd/yyyy,w.x.y.z` (inf-driverver-directive.md).
    DriverVer = "driver-ver",
    /// The models are decorated with an architecture, and with the one that
    /// was asked for (inf-manufacturer-section.md).
    Architecture = "architecture",
    /// A model has a hardware id (inf-models-section.md).
    HardwareId = "hardware-id",
    /// A copied file is on a source disk (inf-sourcedisksfiles-section.md).
    UnlistedFile = "unlisted-file",
    /// A file on a source disk is copied by somebody: otherwise it is not part
    /// of the package (inf-sourcedisksfiles-section.md).
    UncopiedFile = "uncopied-file",
    /// A file's disk is named (inf-sourcedisksnames-section.md).
    UnknownDisk = "unknown-disk",
    /// A copied file has a destination (inf-destinationdirs-section.md).
    Destination = "destination",
    /// netcfg runs no driver from the driver store before build 25319
    /// (manufacturer-section-in-a-network-inf-file.md).
    DriverStore = "driver-store",
    /// A line of an `AddReg` section is one (inf-addreg-directive.md).
    Registry = "registry",
    /// A service's binary is a file that the install section copies
    /// (inf-addservice-directive.md).
    ServiceBinary = "service-binary",
    /// A device has exactly one function driver (inf-addservice-directive.md).
    AssociatedService = "associated-service",
    /// The `Ndi` key names the service that is installed
    /// (adding-service-related-values-to-the-ndi-key.md).
    NdiService = "ndi-service",
    /// `Characteristics` has flags that go together and with the class
    /// (ddinstall-section-in-a-network-inf-file.md).
    Characteristics = "characteristics",
    /// Both edges name what they bind to (specifying-binding-interfaces.md).
    BindingRange = "binding-range",
    /// A WAN adapter says how many calls it carries
    /// (specifying-wan-endpoints-for-a-wan-adapter.md).
    WanEndpoints = "wan-endpoints",
    /// An adapter that plug and play finds is not offered for installation by
    /// hand (controlflags-section-in-a-network-inf-file.md).
    ExcludeFromSelect = "exclude-from-select",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that is wrong with the text, by line. Nothing is, when it is
/// empty.
pub fn check(text: &str) -> Vec<Finding> {
    check_all(text, None)
}

/// As [`check`], and the INF must serve that architecture.
pub fn check_for(text: &str, arch: Arch) -> Vec<Finding> {
    check_all(text, Some(arch))
}

fn check_all(text: &str, arch: Option<Arch>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let document = Document::parse(text, &mut findings);
    for (line, number) in text.lines().zip(1..) {
        if let Some(letter) = line.chars().find(|letter| !letter.is_ascii()) {
            let message = format!("{letter:?} is not ASCII");
            findings.push(Finding::new(number, Rule::Encoding, message));
        }
    }
    let mut checker = Checker::new(&document, findings);
    let class = checker.version();
    checker.installs(class, arch);
    checker.disks();
    checker.references();
    checker.strings();

    // One install section can be reached in several ways.
    let mut findings = checker.findings;
    findings.sort();
    findings.dedup();
    findings
}

/// What is known while one file is checked.
struct Checker<'d> {
    document: &'d Document,
    findings: Vec<Finding>,
    /// The strings, by their names in lower case.
    strings: BTreeMap<String, &'d str>,
    /// The sections that something refers to, in lower case.
    reached: BTreeSet<String>,
    /// The source files that something copies, in lower case.
    copied: BTreeSet<String>,
}

impl<'d> Checker<'d> {
    fn new(document: &'d Document, findings: Vec<Finding>) -> Self {
        let strings = document.section("Strings").map(|section| {
            section.entries.iter().filter_map(|entry| {
                let key = entry.key.as_ref()?;
                Some((key.to_ascii_lowercase(), entry.field(0)))
            })
        });
        Self {
            document,
            findings,
            strings: strings.into_iter().flatten().collect(),
            reached: BTreeSet::new(),
            copied: BTreeSet::new(),
        }
    }

    fn report(&mut self, line: usize, rule: Rule, message: impl Into<String>) {
        self.findings.push(Finding::new(line, rule, message));
    }

    /// The text with its strings in place. Directory ids and undefined tokens
    /// stay.
    fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Plain(plain) => expanded.push_str(plain),
                Piece::Token(token) => match self.strings.get(&token.to_ascii_lowercase()) {
                    Some(value) => expanded.push_str(value),
                    None => {
                        expanded.push('%');
                        expanded.push_str(token);
                        expanded.push('%');
                    }
                },
                Piece::Stray => expanded.push('%'),
            }
        }
        expanded
    }

    /// The section that the line refers to.
    fn reach(&mut self, name: &str, line: usize) -> Option<&'d Section> {
        let name = self.expand(name);
        let section = self.document.section(&name);
        match section {
            Some(_) => self.mark(&name),
            None => {
                let message = format!("there is no section [{name}]");
                self.report(line, Rule::MissingSection, message);
            }
        }
        section
    }

    /// Says that something refers to the section.
    fn mark(&mut self, name: &str) {
        self.reached.insert(name.to_ascii_lowercase());
    }

    /// Reports the keys that a section lacks.
    fn require(&mut self, section: &Section, keys: &[&str]) {
        for key in keys {
            if section.get(key).is_none() {
                let message = format!("[{}] has no `{key}`", section.name);
                self.report(section.line, Rule::MissingEntry, message);
            }
        }
    }
}

/// A number as INF files have it: decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => lower.parse().ok(),
    }
}
