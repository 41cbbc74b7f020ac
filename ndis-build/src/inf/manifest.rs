//! From a driver's `Cargo.toml` to a [`Driver`].
//!
//! The shape of the table is that of the types in `schema`; what they cannot
//! say is checked here, one key at a time. The crate's README has the keys.

mod params;
mod schema;

use super::{
    driver::{Date, Driver, FIRST_BUILD, Kind, Parameter},
    error::Error,
};
use schema::{
    Inheritable, Manifest, Miniport, Protocol, Workspace, WorkspaceManifest, WorkspacePackage,
};
use serde::de;
use std::{fs, path::Path};

impl Driver {
    /// Reads the driver's `Cargo.toml`.
    ///
    /// # Errors
    ///
    /// When the file or the workspace that it inherits from cannot be read, or
    /// its `[package.metadata.ndis]` does not describe a driver.
    pub fn from_manifest(path: &Path) -> Result<Self, Error> {
        let manifest: Manifest = read(path)?;
        Reader { path }.driver(manifest)
    }
}

fn read<T: de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Read {
        path: path.to_owned(),
        error,
    })?;
    toml::from_str(&text).map_err(|error| Error::Toml {
        path: path.to_owned(),
        error: Box::new(error),
    })
}

/// Checks one manifest; its errors name the file and the key.
struct Reader<'p> {
    path: &'p Path,
}

const NDIS: &str = "package.metadata.ndis";

impl Reader<'_> {
    fn driver(&self, manifest: Manifest) -> Result<Driver, Error> {
        let Manifest {
            package,
            lib,
            workspace,
        } = manifest;
        let ndis = package
            .metadata
            .and_then(|metadata| metadata.ndis)
            .ok_or_else(|| self.missing(NDIS, ""))?;

        let inherited = [
            ("package.version", Some(&package.version)),
            ("package.description", package.description.as_ref()),
        ];
        let inherited = inherited
            .into_iter()
            .find(|(_, value)| matches!(value, Some(Inheritable::Workspace { .. })));
        let shared = match inherited {
            Some((key, _)) => self.workspace(package.workspace.as_deref(), workspace, key)?,
            None => WorkspacePackage::default(),
        };
        let version = match package.version {
            Inheritable::Own(version) => version,
            Inheritable::Workspace { .. } => shared
                .version
                .ok_or_else(|| self.missing("workspace.package.version", INHERITED))?,
        };
        let description = match package.description {
            None => None,
            Some(Inheritable::Own(description)) => Some(description),
            Some(Inheritable::Workspace { .. }) => Some(
                shared
                    .description
                    .ok_or_else(|| self.missing("workspace.package.description", INHERITED))?,
            ),
        };

        let stem = lib
            .and_then(|lib| lib.name)
            .unwrap_or_else(|| package.name.replace('-', "_"));
        let service = ndis.service.unwrap_or_else(|| stem.clone());
        self.word("service", &service)?;
        self.text("provider", &ndis.provider)?;
        if let Some(description) = &description {
            // As much as one string of the service may have
            // (inf-addservice-directive.md).
            self.phrase("package.description", description, 511)?;
        }
        let display_name = ndis
            .display_name
            .or_else(|| description.clone())
            .ok_or_else(|| {
                self.missing(
                    "package.metadata.ndis.display-name",
                    ", and there is no `package.description` to stand in for it",
                )
            })?;
        self.text("display-name", &display_name)?;
        if !(FIRST_BUILD..=MAX_BUILD).contains(&ndis.min_build) {
            let why = format!(
                "{} is no build from {FIRST_BUILD} (Windows 10 2004) to {MAX_BUILD}",
                ndis.min_build
            );
            return Err(self.invalid("min-build", why));
        }
        for (name, value) in &ndis.parameters {
            let key = format!("parameters.{name}");
            self.word(&key, name)?;
            if let Parameter::Text(text) = value {
                // Half of a field of an INF
                // (general-syntax-rules-for-inf-files.md): quotes and percent
                // signs are doubled.
                self.phrase(&format!("{NDIS}.{key}"), text, 2000)?;
            }
        }

        let own = match (ndis.miniport, ndis.protocol) {
            (Some(miniport), None) => self.miniport(miniport)?,
            (None, Some(protocol)) => self.protocol(protocol)?,
            (None, None) => {
                return Err(self.invalid("", "needs a table `miniport` or `protocol`".to_owned()));
            }
            (Some(_), Some(_)) => {
                return Err(self.invalid(
                    "",
                    "has a table `miniport` and a table `protocol`; a driver is one of them"
                        .to_owned(),
                ));
            }
        };

        Ok(Driver {
            date: self.date(&ndis.date)?,
            version: self.version(&version)?,
            stem,
            service,
            provider: ndis.provider,
            display_name,
            description,
            min_build: ndis.min_build,
            hardware_id: own.hardware_id,
            upper_range: own.upper_range,
            lower_range: own.lower_range,
            hidden: own.hidden,
            removable: own.removable,
            kind: own.kind,
            parameters: ndis.parameters,
        })
    }

    fn miniport(&self, miniport: Miniport) -> Result<Own, Error> {
        let id = &miniport.hardware_id;
        self.hardware_id("miniport.hardware-id", id)?;
        let enumerator = miniport.bus.enumerator();
        let on_bus = id
            .get(..enumerator.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(enumerator));
        if !on_bus {
            let why = format!("`{id}` does not begin with `{enumerator}`, as ids of its bus do");
            return Err(self.invalid("miniport.hardware-id", why));
        }

        let (upper, lower) = miniport.medium.ranges();
        let upper_range = miniport
            .upper_range
            .unwrap_or_else(|| vec![upper.to_owned()]);
        let lower_range = miniport
            .lower_range
            .unwrap_or_else(|| vec![lower.to_owned()]);
        self.range("miniport.upper-range", &upper_range)?;
        self.range("miniport.lower-range", &lower_range)?;
        // specifying-wan-endpoints-for-a-wan-adapter.md
        let wan = lower_range.iter().any(|range| range == "wan");
        match (wan, miniport.wan_endpoints) {
            (true, None) => Err(self.missing(
                "package.metadata.ndis.miniport.wan-endpoints",
                ": an adapter whose lower range has `wan` says how many calls it can carry at once",
            )),
            (false, Some(_)) => Err(self.invalid(
                "miniport.wan-endpoints",
                "only for an adapter whose lower range has `wan`".to_owned(),
            )),
            (true, Some(0)) => Err(self.invalid("miniport.wan-endpoints", "0 is none".to_owned())),
            (_, wan_endpoints) => Ok(Own {
                hardware_id: miniport.hardware_id,
                upper_range,
                lower_range,
                hidden: miniport.hidden,
                removable: miniport.removable,
                kind: Kind::Miniport {
                    bus: miniport.bus,
                    medium: miniport.medium,
                    wan_endpoints,
                    params: self.params(miniport.params)?,
                },
            }),
        }
    }

    fn protocol(&self, protocol: Protocol) -> Result<Own, Error> {
        let id = &protocol.hardware_id;
        self.hardware_id("protocol.hardware-id", id)?;
        // models-section-in-a-network-inf-file.md
        let parts = id.split_once('_');
        if id.contains('\\') || parts.is_none_or(|(a, b)| a.is_empty() || b.is_empty()) {
            let why = format!("`{id}` is not a provider's and a product's name with a `_` between");
            return Err(self.invalid("protocol.hardware-id", why));
        }
        // Nothing binds on top of a client: it has a private upper edge.
        let upper_range = protocol
            .upper_range
            .unwrap_or_else(|| vec!["noupper".to_owned()]);
        self.range("protocol.upper-range", &upper_range)?;
        self.range("protocol.lower-range", &protocol.lower_range)?;
        Ok(Own {
            hardware_id: protocol.hardware_id,
            upper_range,
            lower_range: protocol.lower_range,
            hidden: protocol.hidden,
            removable: protocol.removable,
            kind: Kind::Protocol {
                start: protocol.start,
            },
        })
    }

    /// The `[workspace.package]` that the manifest inherits from, where Cargo
    /// would find it.
    fn workspace(
        &self,
        root: Option<&Path>,
        own: Option<Workspace>,
        key: &'static str,
    ) -> Result<WorkspacePackage, Error> {
        if let Some(own) = own {
            return Ok(own.package.unwrap_or_default());
        }
        let path = std::path::absolute(self.path).map_err(|error| Error::Read {
            path: self.path.to_owned(),
            error,
        })?;
        let folder = path.parent().unwrap_or(&path);
        let candidates: Vec<_> = match root {
            Some(root) => vec![folder.join(root)],
            None => folder.ancestors().skip(1).map(Path::to_owned).collect(),
        };
        for candidate in candidates {
            let manifest = candidate.join("Cargo.toml");
            if !manifest.is_file() {
                continue;
            }
            let manifest: WorkspaceManifest = read(&manifest)?;
            if let Some(workspace) = manifest.workspace {
                return Ok(workspace.package.unwrap_or_default());
            }
        }
        Err(Error::NoWorkspace {
            path: self.path.to_owned(),
            key,
        })
    }

    /// `major.minor.patch` as the four numbers of a driver version; the fourth
    /// is 0, and a pre-release is not told apart (inf-driverver-directive.md).
    fn version(&self, version: &str) -> Result<[u16; 4], Error> {
        let invalid = |why: &str| self.invalid_at("package.version", format!("`{version}` {why}"));
        let core = version.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = [0; 4];
        let mut parts = core.split('.');
        for number in &mut numbers[..3] {
            *number = parts
                .next()
                .and_then(|part| part.parse().ok())
                .filter(|number| *number < u16::MAX)
                .ok_or_else(|| invalid("is not three numbers, each below 65535"))?;
        }
        if parts.next().is_some() {
            return Err(invalid("is not three numbers, each below 65535"));
        }
        if numbers == [0; 4] {
            return Err(invalid("is a version that Windows does not accept"));
        }
        Ok(numbers)
    }

    fn date(&self, date: &str) -> Result<Date, Error> {
        let digits = |part: &str, count: usize| {
            (part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())
                .flatten()
        };
        let day = || {
            let mut parts = date.split('-');
            let year = digits(parts.next()?, 4)?;
            let month = digits(parts.next()?, 2)?;
            let day = digits(parts.next()?, 2)?;
            if parts.next().is_some() {
                return None;
            }
            Date::new(year, month.try_into().ok()?, day.try_into().ok()?)
        };
        day().ok_or_else(|| self.invalid("date", format!("`{date}` is not a day as YYYY-MM-DD")))
    }

    /// A string of the user interface, which holds 255 characters of it
    /// (inf-models-section.md).
    fn text(&self, key: &str, text: &str) -> Result<(), Error> {
        let key = format!("{NDIS}.{key}");
        if text.trim().is_empty() {
            return Err(self.invalid_at(&key, "is empty".to_owned()));
        }
        self.phrase(&key, text, 255)
    }

    /// A string of one line that every system reads alike: a file with other
    /// characters would have to be UTF-16 (general-guidelines-for-inf-files.md).
    fn phrase(&self, key: &str, text: &str, max: usize) -> Result<(), Error> {
        let foreign = |letter: &char| !(' '..='~').contains(letter);
        let why = if let Some(letter) = text.chars().find(foreign) {
            format!("has {letter:?}: an INF file is one of printable ASCII")
        } else if text.len() > max {
            format!("has {} characters, above the limit of {max}", text.len())
        } else {
            return Ok(());
        };
        Err(self.invalid_at(key, why))
    }

    /// A name that needs no quotes anywhere.
    fn word(&self, key: &str, word: &str) -> Result<(), Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !word.is_empty() && word.len() < 256 && word.bytes().all(plain) {
            return Ok(());
        }
        let why = format!("`{word}` is no name of letters, digits, `_`, `-` and `.`");
        Err(self.invalid(key, why))
    }

    fn range(&self, key: &str, range: &[String]) -> Result<(), Error> {
        if range.is_empty() {
            return Err(self.invalid(key, "is empty; `noupper` and `nolower` say none".to_owned()));
        }
        range.iter().try_for_each(|name| self.word(key, name))
    }

    fn hardware_id(&self, key: &str, id: &str) -> Result<(), Error> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;%=".contains(&byte);
        // hardware-ids.md
        if !id.is_empty() && id.len() < 200 && id.bytes().all(plain) {
            return Ok(());
        }
        let why =
            format!("`{id}` is no hardware id: printable, without spaces, below 200 characters");
        Err(self.invalid(key, why))
    }

    fn missing(&self, key: &'static str, why: &'static str) -> Error {
        Error::Missing {
            path: self.path.to_owned(),
            key,
            why,
        }
    }

    /// `key` within the driver's table; empty for the table.
    fn invalid(&self, key: &str, why: String) -> Error {
        if key.is_empty() {
            self.invalid_at(NDIS, why)
        } else {
            self.invalid_at(&format!("{NDIS}.{key}"), why)
        }
    }

    fn invalid_at(&self, key: &str, why: String) -> Error {
        Error::Invalid {
            path: self.path.to_owned(),
            key: key.to_owned(),
            why,
        }
    }
}

const INHERITED: &str = ", and the driver's manifest inherits it";

/// Builds have 16 bits.
const MAX_BUILD: u32 = 65535;

/// What both kinds have, read from the kind's own table.
struct Own {
    hardware_id: String,
    upper_range: Vec<String>,
    lower_range: Vec<String>,
    hidden: bool,
    removable: bool,
    kind: Kind,
}
