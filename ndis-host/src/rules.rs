//! The ids that reports carry beyond the rule book's own.
//!
//! The rule book of CoNDIS (`docs/rules.md`) has an id for nearly everything
//! that a driver can do wrong. Mistakes that any kernel driver can make have the
//! ids below.

use crate::handle::Kind;

/// Memory was freed twice, or was never allocated.
pub const MEMORY: &str = "HOST-MEMORY";
/// A function was called at an IRQL above the one that it is for, and the rule
/// book, which is about CoNDIS, has no row for it (DV-06 is the general one).
pub const IRQL: &str = "DV-06";
/// An announced violation ([`crate::Host::expect`]) did not come.
pub const EXPECTED: &str = "HOST-EXPECTED";
/// A driver called `KeBugCheckEx`.
pub const BUG_CHECK: &str = "HOST-BUGCHECK";
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
/// The IRQL at the end of a handler is the one at its beginning.
pub(crate) const IRQL_BALANCE: &str = "DV-14";
/// Resources given back by the end of halt or unload.
pub(crate) const LEAK: &str = "DV-17";

/// The rule that says when a handle of this kind dies.
pub(crate) const fn stale(kind: Kind) -> &'static str {
    match kind {
        Kind::ClientAf => "AF-30",
        Kind::CallManagerAf => "AF-38",
        Kind::ClientSap => "SAP-08",
        Kind::CallManagerSap => "SAP-24",
        Kind::ClientVc | Kind::CallManagerVc => "VC-25",
        Kind::ClientParty => "PARTY-12",
        Kind::CallManagerParty => "PARTY-22",
        Kind::Binding => "BIND-13",
        Kind::Bind => "BIND-05",
        Kind::Unbind => "BIND-10",
        Kind::Adapter => "HALT-09",
        Kind::MiniportDriver => "REG-28",
        Kind::ProtocolDriver => "REG-31",
        Kind::Key | Kind::Thread => ARGUMENT,
        _ => MEMORY,
    }
}
