//! [`Families`]: the address families that clients have opened on one base.

use super::{Base, CallManager, Key, af::AfShared};
use crate::{Status, irql::Passive, mem::Arc, members::Members};
use core::fmt;

/// What a base keeps of the clients that have opened its families.
pub struct Families<M: CallManager>(Members<AfShared<M>>);

impl<M: CallManager> Families<M> {
    /// None is open.
    #[must_use]
    pub const fn new() -> Self {
        Self(Members::new())
    }

    /// A client has opened a family.
    pub(super) fn add(&self, af: &Arc<AfShared<M>>) -> Result<(), Status> {
        self.0.add(af)
    }

    /// A family is closed, in every respect; `true` when it was the last one that was
    /// waited for.
    #[must_use]
    pub(super) fn remove(&self, af: &Arc<AfShared<M>>) -> bool {
        self.0.remove(af)
    }

    /// Asks every client to close its family (rules [HALT-01] to [HALT-04]); once. When all are
    /// closed, [`Base::families_closed`] is told, possibly before this returns.
    ///
    /// A client may answer that it will not (rule [AF-43]). It is asked again, a little later
    /// each time, and waited for, its unbind at the latest: as long as it has the family, it
    /// may call this driver.
    ///
    /// [AF-43]: ndis_sys::rules#AF-43
    /// [HALT-01]: ndis_sys::rules#HALT-01
    /// [HALT-04]: ndis_sys::rules#HALT-04
    pub fn close(base: &M::Base, irql: &mut Passive, _: Key) {
        let families = &base.families().0;
        families.refuse();
        while let Some(af) = families.find(AfShared::want_end) {
            AfShared::notify_close(&af, irql);
        }
        if families.wait() {
            base.families_closed(Key::new());
        }
    }
}

impl<M: CallManager> Default for Families<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: CallManager> fmt::Debug for Families<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Families").finish_non_exhaustive()
    }
}
