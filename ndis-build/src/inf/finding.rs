//! What the checks say: findings, each with its line, its rule and how grave
//! it is.

use std::fmt;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Harmless: a matter of order, or of what is asked of new packages only.
    Hint,
    /// Windows takes it, and may do something else than the author means; or
    /// Microsoft does not sign it.
    Warning,
    /// Windows does not install the driver, or does not load it.
    Error,
}

impl Severity {
    /// The word that a finding begins with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something wrong with an INF, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    line: usize,
    rule: Rule,
    severity: Severity,
    message: String,
}

impl Finding {
    /// As grave as the rule is in general.
    pub(super) fn new(line: usize, rule: Rule, message: impl Into<String>) -> Self {
        Self {
            line,
            rule,
            severity: rule.severity(),
            message: message.into(),
        }
    }

    pub(super) fn with(self, severity: Severity) -> Self {
        Self { severity, ..self }
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

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: {}: {} [{}]",
            self.line, self.severity, self.message, self.rule
        )
    }
}

macro_rules! rules {
    ($($(#[$meta:meta])* $rule:ident = $name:literal, $severity:ident;)*) => {
        /// What an INF has to keep. The page that says so is named by its file
        /// name in the source of the driver documentation; a number is that of
        /// the same check of Microsoft's InfVerif
        /// (inf-validation-errors-and-warnings.md).
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

            /// How grave it is to break the rule. A single finding can be less
            /// or more than that.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$rule => Severity::$severity,)*
                }
            }
        }
    };
}

rules! {
    /// A line that cannot be read (general-syntax-rules-for-inf-files.md;
    /// 1002).
    Syntax = "syntax", Error;
    /// The file is ASCII, so that every system reads it alike, or UTF-16 with
    /// a mark (general-guidelines-for-inf-files.md; 1003).
    Encoding = "encoding", Warning;
    /// A section that something refers to exists (1203, 1289, 1296, 2006).
    MissingSection = "missing-section", Error;
    /// Something refers to each section (2083).
    UnreferencedSection = "unreferenced-section", Warning;
    /// A `%token%` is defined in `[Strings]` (inf-strings-section.md; 1235).
    /// Windows leaves it as it is; where that is no name or number, something
    /// else is wrong too.
    UndefinedString = "undefined-string", Warning;
    /// A string is used.
    UnusedString = "unused-string", Hint;
    /// A string is defined once (1294).
    RepeatedString = "repeated-string", Warning;
    /// The strings of another language are complete (inf-strings-section.md;
    /// 1295).
    MissingTranslation = "missing-translation", Warning;
    /// A section has the entries that it needs (1013, 1233, 1234).
    MissingEntry = "missing-entry", Error;
    /// An entry of `[Version]` has a value that Windows takes
    /// (version-section-in-a-network-inf-file.md; 1001, 1214, 1324).
    VersionValue = "version-value", Error;
    /// The class is one of network components, and the GUID is the class's
    /// (version-section-in-a-network-inf-file.md; 1010, 1280, 1281, 1284).
    Class = "class", Error;
    /// `DriverVer` is `mm/dd/yyyy,w.x.y.z` (inf-driverver-directive.md; 1217,
    /// 1218). For a day that is none Windows takes the oldest.
    DriverVer = "driver-ver", Warning;
    /// The models are decorated with an architecture, and with the one that
    /// was asked for (inf-manufacturer-section.md; 1287, 1288, 2010).
    Architecture = "architecture", Error;
    /// A model has a hardware id (inf-models-section.md).
    HardwareId = "hardware-id", Error;
    /// A copied file is on a source disk (inf-sourcedisksfiles-section.md;
    /// 1230).
    UnlistedFile = "unlisted-file", Error;
    /// A file on a source disk is copied by somebody: otherwise it is not part
    /// of the package (inf-sourcedisksfiles-section.md).
    UncopiedFile = "uncopied-file", Warning;
    /// A file's disk is named (inf-sourcedisksnames-section.md; 1008, 1273).
    UnknownDisk = "unknown-disk", Error;
    /// A copied file has a destination (inf-destinationdirs-section.md; 1275).
    Destination = "destination", Error;
    /// netcfg runs no driver from the driver store before build 25319
    /// (manufacturer-section-in-a-network-inf-file.md).
    DriverStore = "driver-store", Warning;
    /// A line of an `AddReg` section is one (inf-addreg-directive.md; 1224,
    /// 1265, 1267, 1268).
    Registry = "registry", Error;
    /// A service's binary is a file that the install section copies
    /// (inf-addservice-directive.md; 2084).
    ServiceBinary = "service-binary", Warning;
    /// A device has exactly one function driver (inf-addservice-directive.md;
    /// 1211).
    AssociatedService = "associated-service", Error;
    /// The `Ndi` key names the service that is installed
    /// (adding-service-related-values-to-the-ndi-key.md).
    NdiService = "ndi-service", Error;
    /// `Characteristics` has flags that go together and with the class
    /// (ddinstall-section-in-a-network-inf-file.md).
    Characteristics = "characteristics", Error;
    /// Both edges name what they bind to (specifying-binding-interfaces.md).
    BindingRange = "binding-range", Error;
    /// A WAN adapter says how many calls it carries
    /// (specifying-wan-endpoints-for-a-wan-adapter.md).
    WanEndpoints = "wan-endpoints", Error;
    /// An adapter that plug and play finds is not offered for installation by
    /// hand (controlflags-section-in-a-network-inf-file.md).
    ExcludeFromSelect = "exclude-from-select", Hint;
    /// A directive says what it needs: a section, a name (1005, 1006, 1011,
    /// 1253, 1271).
    Incomplete = "incomplete", Error;
    /// What has one value is said once (1086, 1088, 1294).
    RepeatedEntry = "repeated-entry", Warning;
    /// A section is written in one place (1209).
    RepeatedSection = "repeated-section", Hint;
    /// An entry has no more values than it can have (1201).
    ExtraValue = "extra-value", Warning;
    /// A section is of one kind: a list of files, of registry lines, a service
    /// (1206).
    MixedSection = "mixed-section", Error;
    /// `Needs` names a section of this file or of one that is included (1315,
    /// 1319, 2651).
    Needs = "needs", Warning;
    /// `CopyINF` copies INF files (1110).
    CopyInf = "copy-inf", Error;
    /// What Windows 10 and later ignore or refuse (1300 to 1309;
    /// using-a-universal-inf-file.md).
    Legacy = "legacy", Warning;
    /// The package's author is no other company (1204).
    Provider = "provider", Warning;
    /// A catalog is no part of itself (1213).
    Catalog = "catalog", Warning;
    /// A class of Microsoft's is not installed by others (1285).
    ClassInstaller = "class-installer", Warning;
    /// `$ARCH$` is replaced when a package is built (1274).
    Unstamped = "unstamped", Warning;
    /// A file stays in the driver store where the package has it, under its
    /// name (using-dirids.md; 1100).
    StorePath = "store-path", Error;
    /// Two files do not go to one place (1330).
    ConflictingCopies = "conflicting-copies", Error;
    /// An entry of a service has a value that Windows takes
    /// (inf-addservice-directive.md; 1014, 1251).
    ServiceValue = "service-value", Error;
    /// The event log is one that there is (1250).
    EventLog = "event-log", Warning;
    /// A package writes to its own keys (infverif_h.md; 1222, 1304, 1320,
    /// 1323).
    Isolation = "isolation", Warning;
    /// The names in a range are such (2416, 2500).
    BindToken = "bind-token", Warning;
    /// A component's id is not one of the system's own (2415).
    ComponentId = "component-id", Warning;
    /// A filter says what kind of filter it is
    /// (configuring-an-inf-file-for-a-modifying-filter-driver.md; 2418).
    Filter = "filter", Error;
    /// A setting on the page of advanced properties is whole, and its default
    /// one of its values
    /// (specifying-configuration-parameters-for-the-advanced-properties-page.md,
    /// standardized-inf-keywords-for-network-devices.md).
    AdvancedParameter = "advanced-parameter", Error;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
