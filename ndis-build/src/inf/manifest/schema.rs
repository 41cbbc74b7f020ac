//! The keys of a `Cargo.toml` that matter here, as types. The driver's own
//! table has these keys and no others; Cargo's has more.

use super::super::driver::{Bus, FIRST_BUILD, Medium, Parameter, Start};
use super::params::Written;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt, path::PathBuf};

#[derive(Deserialize)]
pub(super) struct Manifest {
    pub(super) package: Package,
    pub(super) lib: Option<Lib>,
    /// Present when the manifest is also the workspace's.
    pub(super) workspace: Option<Workspace>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: Inheritable,
    pub(super) description: Option<Inheritable>,
    /// Where the workspace is, when it is in no folder above.
    pub(super) workspace: Option<PathBuf>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(super) struct Lib {
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) ndis: Option<Ndis>,
}

#[derive(Deserialize)]
pub(super) struct WorkspaceManifest {
    pub(super) workspace: Option<Workspace>,
}

#[derive(Deserialize)]
pub(super) struct Workspace {
    pub(super) package: Option<WorkspacePackage>,
}

#[derive(Default, Deserialize)]
pub(super) struct WorkspacePackage {
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string, or `workspace = true` to inherit it"
)]
pub(super) enum Inheritable {
    Own(String),
    Workspace {
        #[serde(rename = "workspace")]
        _marker: True,
    },
}

/// `true`: Cargo knows no `workspace = false` either.
pub(super) struct True;

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self)
        } else {
            Err(de::Error::custom("`workspace` can only be true"))
        }
    }
}

/// `[package.metadata.ndis]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Ndis {
    pub(super) provider: String,
    pub(super) date: String,
    pub(super) display_name: Option<String>,
    pub(super) service: Option<String>,
    #[serde(default = "first_build")]
    pub(super) min_build: u32,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, Parameter>,
    pub(super) miniport: Option<Miniport>,
    pub(super) protocol: Option<Protocol>,
}

fn first_build() -> u32 {
    FIRST_BUILD
}

fn yes() -> bool {
    true
}

/// `[package.metadata.ndis.miniport]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Miniport {
    pub(super) hardware_id: String,
    #[serde(default)]
    pub(super) bus: Bus,
    #[serde(default)]
    pub(super) medium: Medium,
    pub(super) upper_range: Option<Vec<String>>,
    pub(super) lower_range: Option<Vec<String>>,
    pub(super) wan_endpoints: Option<u32>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, Written>,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default = "yes")]
    pub(super) removable: bool,
}

/// `[package.metadata.ndis.protocol]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Protocol {
    pub(super) hardware_id: String,
    pub(super) upper_range: Option<Vec<String>>,
    pub(super) lower_range: Vec<String>,
    #[serde(default)]
    pub(super) start: Start,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default = "yes")]
    pub(super) removable: bool,
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Parameter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of 32 bits (REG_DWORD) or a string (REG_SZ)")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Parameter, E> {
                u32::try_from(number)
                    .map(Parameter::Dword)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Parameter, E> {
                Ok(Parameter::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
