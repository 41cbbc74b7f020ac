//! The CoNDIS surface as data: 66 calls (50 exports of `ndis.sys`, 16 macros over them) and 43
//! callbacks, with the IRQL and the return codes that are documented for each.
//!
//! `data/api.json` holds facts (names, levels, codes, page names) and one sentence of our own for
//! each; what the safe layer has to wrap is measured against it.

use anyhow::{Context, Result};
use serde::Deserialize;

/// One call or callback.
#[derive(Deserialize)]
pub struct Entry {
    /// The documented name: `NdisClMakeCall`, `ProtocolCmOpenAf`.
    pub name: String,
    /// A function that `ndis.sys` exports, a macro over one, or a callback of the driver.
    pub kind: Kind,
    /// The prefix that the entry is listed under: `NdisCl`, `ProtocolCm`.
    pub group: String,
    /// The level it is called at; nothing is documented for the forms that NDIS 5 left behind.
    pub irql: Option<String>,
    /// The documented status codes; empty when it returns nothing.
    pub returns: Vec<String>,
    /// What it is for.
    pub purpose: String,
    /// The NDIS 6 form that took its place.
    pub superseded_by: Option<String>,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Export,
    Macro,
    Callback,
}

impl Entry {
    /// A call is what a driver calls; a callback is what NDIS calls.
    pub fn is_call(&self) -> bool {
        self.kind != Kind::Callback
    }
}

/// The whole surface, in the order of the tables that are made from it.
pub fn surface() -> Result<Vec<Entry>> {
    serde_json::from_str(include_str!("../data/api.json")).context("xtask/data/api.json")
}

/// The prefixes that belong to CoNDIS alone: an alias that starts with one must be in the surface.
pub const PREFIXES: [&str; 9] = [
    "NdisCl",
    "NdisCm",
    "NdisMCm",
    "NdisCo",
    "NdisMCo",
    "ProtocolCm",
    "ProtocolCl",
    "ProtocolCo",
    "MiniportCo",
];

/// Does `name` follow one of [`PREFIXES`] with an upper-case letter, as the CoNDIS names do?
/// (`NdisCompleteBindAdapterEx` and `NdisCloseAdapterEx` only look like it.)
pub fn is_condis_name(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surface_is_complete() {
        let surface = surface().expect("the data parses");
        assert_eq!(
            surface.iter().filter(|e| e.kind == Kind::Export).count(),
            50
        );
        assert_eq!(surface.iter().filter(|e| e.kind == Kind::Macro).count(), 16);
        assert_eq!(
            surface.iter().filter(|e| e.kind == Kind::Callback).count(),
            43
        );
        for entry in &surface {
            assert!(is_condis_name(&entry.name), "{}", entry.name);
            assert!(entry.name.starts_with(&entry.group), "{}", entry.name);
            assert_eq!(
                entry.irql.is_none(),
                entry.superseded_by.is_some(),
                "{}",
                entry.name
            );
        }
    }

    #[test]
    fn names_that_only_look_like_condis_are_not() {
        for name in [
            "NdisCompleteBindAdapterEx",
            "NdisCloseAdapterEx",
            "NdisCopyBuffer",
            "NdisMCompleteX",
        ] {
            assert!(!is_condis_name(name), "{name}");
        }
    }
}
