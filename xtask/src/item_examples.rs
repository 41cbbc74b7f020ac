//! Whether each type and trait that the documentation of the safe crates shows has an example.
//!
//! Whoever opens the page of a token, a trait or an object looks for how it is used, and an example
//! compiles with every run of the tests. The rest is listed here, each with the reason why an
//! example would say nothing.

use anyhow::{Result, bail};

use crate::{
    public_path::PublicPaths,
    sources::{self, CrateSource},
    steps::Outcome,
    workspace::{self, SAFE_CRATES},
};

const OF_OID: &str = "in the type of an `Oid`, which has the example";
const MARKER: &str = "a state in a type, which no value has";
const ITERATOR: &str = "an iterator: what gives it has the example";
const SEALED: &str = "drivers do not implement it: what does has the example";
const SUPPORT: &str = "for the crates on top, not for drivers";

/// What needs none: its path, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("ndis_co::answer::Request", SUPPORT),
    ("ndis_co::armed::Alarm", "that of `Armed` has it"),
    (
        "ndis_co::bugcheck::Reason",
        "a number that a debugger shows",
    ),
    ("ndis_co::cm::Active", MARKER),
    ("ndis_co::cm::CanActivate", SEALED),
    ("ndis_co::cm::CanDispatch", SEALED),
    ("ndis_co::cm::Inactive", MARKER),
    ("ndis_co::indication::AdapterStatus", SEALED),
    ("ndis_co::mem::Anchored", SUPPORT),
    ("ndis_co::mem::IntoIter", ITERATOR),
    ("ndis_co::mem::Lent", SUPPORT),
    ("ndis_co::mem::Parent", SUPPORT),
    ("ndis_co::nbl::Buffers", ITERATOR),
    ("ndis_co::nbl::Chain", SUPPORT),
    ("ndis_co::nbl::IntoIter", ITERATOR),
    ("ndis_co::nbl::Lists", ITERATOR),
    ("ndis_co::nbl::fields::At", SUPPORT),
    ("ndis_co::nbl::fields::Hand", SUPPORT),
    ("ndis_co::oid::Answers", SEALED),
    ("ndis_co::oid::Asked", OF_OID),
    ("ndis_co::oid::Asks", SEALED),
    ("ndis_co::oid::Carries", SEALED),
    ("ndis_co::oid::Gives", SEALED),
    ("ndis_co::oid::Query", OF_OID),
    ("ndis_co::oid::Set", OF_OID),
    ("ndis_co::oid::ToAdapter", OF_OID),
    ("ndis_co::oid::ToClient", OF_OID),
    ("ndis_co::oid::ToManager", OF_OID),
    ("ndis_co::oid::Way", SEALED),
    (
        "ndis_co::params::Rounding",
        "that of `MediaParameters` has it",
    ),
    ("ndis_co::protocol::Role", SEALED),
    ("ndis_co::raw::Narrow", SUPPORT),
    ("ndis_co::raw::Opaque", SUPPORT),
    ("ndis_co::raw::Token", SUPPORT),
    ("ndis_co::reference::Counted", SEALED),
    ("ndis_co::scope::Live", SUPPORT),
    ("ndis_co::scope::Teardown", SUPPORT),
    ("ndis_co::tapi::Chars", ITERATOR),
    ("ndis_co::tapi::Saps", ITERATOR),
    ("ndis_co::tapi::Strings", ITERATOR),
    ("ndis_mcm::ConnectionOriented", SEALED),
    ("ndis_mcm::Reset", "that of `Resets` has it"),
    ("ndis_mcm::Resettable", "that of `Resets` has it"),
    ("ndis_mcm::Attributed", MARKER),
    ("ndis_mcm::HasAdapter", SEALED),
    ("ndis_mcm::New", MARKER),
    ("ndis_mcm::Ready", MARKER),
    ("ndis_mcm::RegistersFamilies", SEALED),
    ("ndis_mcm::Role", SEALED),
];

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    let mut all = Vec::new();
    for name in SAFE_CRATES {
        let source = sources::read_crate(&workspace::root().join(name))?;
        all.extend(shown(&source));
    }
    let faults = faults(&all, WITHOUT);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    let examples = all.iter().filter(|(_, example)| *example).count();
    let without = WITHOUT.len();
    Ok(Outcome::Passed(format!(
        "{examples} types and traits have one, {without} need none"
    )))
}

/// The path of each type and trait that a reader finds, and whether it has an example.
fn shown(source: &CrateSource) -> Vec<(String, bool)> {
    let paths = PublicPaths::shown(source);
    let of = |item: &sources::Type| {
        let path = paths.path_to(&item.module, &item.name)?;
        (!item.hidden).then(|| (format!("{}::{path}", source.name), item.example))
    };
    source.types.iter().filter_map(of).collect()
}

/// What has no example and no excuse, and excuses that nobody needs.
fn faults(all: &[(String, bool)], excused: &[(&str, &str)]) -> Vec<String> {
    let is_excused = |path: &str| excused.iter().any(|(other, _)| *other == path);
    let bare = all
        .iter()
        .filter(|(path, example)| !example && !is_excused(path))
        .map(|(path, _)| format!("{path}: its documentation has no example"));
    let needless = excused
        .iter()
        .filter(|(other, _)| !all.iter().any(|(path, example)| path == other && !example))
        .map(|(path, _)| format!("{path}: it is excused, and has an example, or is not there"));
    bare.chain(needless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_type_without_an_example_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let src = folder.path().join("src");
        fs::create_dir_all(&src).expect("a folder");
        fs::write(
            src.join("lib.rs"),
            "mod inside;\n\
             pub use inside::{Bare, Full};\n\
             #[doc(hidden)] pub use inside::Engine;\n\
             #[doc(hidden)] pub mod support { pub struct Tool; }\n\
             #[doc(hidden)] pub struct Own;\n\
             pub enum Excused {}\n\
             struct Private;",
        )
        .expect("written");
        fs::write(
            src.join("inside.rs"),
            "/// Text.\npub struct Bare;\n\
             /// Text.\n///\n/// ```\n/// let a = 1;\n/// ```\npub trait Full {}\n\
             pub struct Engine;\npub struct Unreachable;",
        )
        .expect("written");
        let mut source = sources::read_crate(folder.path()).expect("the crate parses");
        source.name = "krate".to_owned();
        let mut all = shown(&source);
        all.sort();
        let expected = [("Bare", false), ("Excused", false), ("Full", true)];
        let expected = expected.map(|(name, example)| (format!("krate::{name}"), example));
        assert_eq!(all, expected);
        let excused = [("krate::Excused", "why"), ("krate::Full", "why not")];
        let faults = faults(&all, &excused);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("krate::Bare: "));
        assert!(faults[1].starts_with("krate::Full: "));
    }
}
