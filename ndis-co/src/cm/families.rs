//! [`Families`]: the address families that clients have opened on one base.

use super::{Base, CallManager, Key, af::AfShared};
use crate::{
    Status,
    irql::Passive,
    lock::SpinLock,
    mem::{Arc, Tag, Vec},
};
use core::fmt;

/// What a base keeps of the clients that have opened its families.
pub struct Families<M: CallManager> {
    state: SpinLock<State<M>>,
}

struct State<M: CallManager> {
    open: Vec<Arc<AfShared<M>>>,
    /// No more clients, and those that there are go.
    closing: bool,
}

impl<M: CallManager> Families<M> {
    /// None is open.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: SpinLock::new(State {
                open: Vec::new(Tag::NDIS),
                closing: false,
            }),
        }
    }

    /// A client has opened a family.
    pub(super) fn add(&self, af: &Arc<AfShared<M>>) -> Result<(), Status> {
        self.state.locked(|state| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            state.open.try_push(af.clone()).map_err(Status::from)
        })
    }

    /// A family is closed, in every respect; `true` when it was the last one that was
    /// waited for.
    pub(super) fn remove(&self, af: &Arc<AfShared<M>>) -> bool {
        let (gone, last) = self.state.locked(|state| {
            let gone = state.open.take_first(|other| Arc::ptr_eq(other, af));
            (gone, state.closing && state.open.is_empty())
        });
        drop(gone);
        last
    }

    /// Asks every client to close its family (rules [HALT-01] to [HALT-04]); once. When all are
    /// closed, [`Base::families_closed`] is told, possibly before this returns.
    ///
    /// A client may answer that it will not (rule [AF-43]). It is waited for all the same,
    /// its unbind at the latest: as long as it has the family, it may call this driver.
    ///
    /// [AF-43]: ndis_sys::rules#AF-43
    /// [HALT-01]: ndis_sys::rules#HALT-01
    /// [HALT-04]: ndis_sys::rules#HALT-04
    pub fn close(base: &M::Base, irql: &mut Passive, _: Key) {
        let families = base.families();
        let none = families.state.locked(|state| {
            state.closing = true;
            state.open.is_empty()
        });
        if none {
            base.families_closed(Key::new());
            return;
        }
        while let Some(af) = families
            .state
            .locked(|state| state.open.iter().find(|af| af.want_notify()).cloned())
        {
            AfShared::notify_close(&af, irql);
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
