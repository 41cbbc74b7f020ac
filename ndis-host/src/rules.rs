//! What the ids of reports say, and the ids beyond the rule book's own.
//!
//! The rule book of CoNDIS (`docs/rules.md`) has an id for nearly everything
//! that a driver can do wrong. Mistakes that any kernel driver can make have the
//! ids below. [`sentence`] gives what either kind demands.

mod sentences;

use crate::handle::Kind;

/// Memory was freed twice, or was never allocated.
pub const MEMORY: &str = "HOST-MEMORY";
/// A function was called at an IRQL above the one that it is for, and the rule
/// book, which is about CoNDIS, has no row for it ([DV-06] is the general one).
///
/// [DV-06]: ndis_sys::rules#DV-06
pub const IRQL: &str = "DV-06";
/// An announced violation ([`crate::Host::expect`]) did not come.
pub const EXPECTED: &str = "HOST-EXPECTED";
/// A driver called `KeBugCheckEx`.
pub const BUG_CHECK: &str = "HOST-BUGCHECK";
/// A driver touched memory that is not there, or ran what is no code.
pub const FAULT: &str = "HOST-FAULT";
/// The loader of an image refuses to unload it.
pub const LOADER: &str = "HOST-LOADER";
/// A function of NDIS that the host does not simulate yet was called.
pub const NOT_SIMULATED: &str = "HOST-NOT-SIMULATED";
/// An argument that no reading of the documentation allows.
pub const ARGUMENT: &str = "HOST-ARGUMENT";

/// A handle that is no handle, or one of the wrong kind.
pub(crate) const OPAQUE: &str = "AF-27";
/// Locks taken and released in balance.
pub(crate) const LOCK_BALANCE: &str = "DV-14";
/// Locks are taken in one order.
pub(crate) const LOCK_ORDER: &str = "KE-56";
/// The IRQL at the end of a handler is the one at its beginning.
pub(crate) const IRQL_BALANCE: &str = "DV-14";
/// Resources given back by the end of halt or unload.
pub(crate) const LEAK: &str = "DV-17";

/// What the host's own ids demand.
const OWN: [(&str, &str); 7] = [
    (
        ARGUMENT,
        "Each argument is valid under at least one reading of the documentation.",
    ),
    (
        BUG_CHECK,
        "A driver stops the system only when to go on would do harm.",
    ),
    (EXPECTED, "A violation that a test expects happens."),
    (
        FAULT,
        "A driver accesses only memory that it was given or shown, and executes only code.",
    ),
    (
        LOADER,
        "When a driver is unloaded, the loader can take its image out of memory.",
    ),
    (
        MEMORY,
        "Memory is freed once, by the function that belongs to the one that allocated it.",
    ),
    (
        NOT_SIMULATED,
        "A test on the host calls only what the host simulates.",
    ),
];

/// What the rule with this id demands, in one sentence.
///
/// Knows the rule book and the ids of this module; `None` for any other.
///
/// ```
/// let sentence = ndis_host::rules::sentence("VC-23").expect("it is in the book");
/// assert!(sentence.ends_with('.'));
/// assert_eq!(ndis_host::rules::sentence("VC-999"), None);
/// ```
#[must_use]
pub fn sentence(id: &str) -> Option<&'static str> {
    let book = &sentences::SENTENCES;
    if let Ok(place) = book.binary_search_by_key(&id, |(id, _)| id) {
        return book.get(place).map(|(_, sentence)| *sentence);
    }
    let own = OWN.iter().find(|(own, _)| *own == id);
    own.map(|(_, sentence)| *sentence)
}

/// The rule that says when a handle of this kind dies.
pub(crate) const fn stale(kind: Kind) -> &'static str {
    match kind {
        Kind::ClientAf => "AF-30",
        Kind::CallManagerAf => "AF-38",
        Kind::ClientSap => "SAP-08",
        Kind::CallManagerSap => "SAP-24",
        Kind::ClientVc | Kind::CallManagerVc | Kind::MiniportVc => "VC-25",
        Kind::ClientParty => "PARTY-12",
        Kind::CallManagerParty => "PARTY-22",
        Kind::Binding => "BIND-13",
        Kind::Bind => "BIND-05",
        Kind::Unbind => "BIND-10",
        Kind::Adapter => "HALT-09",
        Kind::MiniportDriver => "REG-28",
        Kind::ProtocolDriver => "REG-31",
        Kind::Configuration => "CFG-05",
        Kind::Device => "DEV-22",
        Kind::Key | Kind::Thread => ARGUMENT,
        _ => MEMORY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        let book = &sentences::SENTENCES;
        assert!(book.is_sorted_by(|one, other| one.0 < other.0));
        for (id, text) in book {
            assert_eq!(sentence(id), Some(*text));
        }
    }

    #[test]
    fn every_id_of_this_module_has_a_sentence() {
        for id in [
            MEMORY,
            IRQL,
            EXPECTED,
            BUG_CHECK,
            FAULT,
            LOADER,
            NOT_SIMULATED,
            ARGUMENT,
            OPAQUE,
            LOCK_BALANCE,
            LOCK_ORDER,
            IRQL_BALANCE,
            LEAK,
        ] {
            assert!(sentence(id).is_some(), "{id}");
        }
        assert_eq!(sentence(""), None);
    }
}
