//! [`Held`]: what an OID request of a family, or of a VC there, keeps from ending.
//!
//! The completion of the family's close ends its handle, with which a request is asked and
//! answered, and the completion wants the VC's as well (rules AF-38, OID-15, OID-68). So
//! whatever way a request goes, it counts as a child of the family, and the VC is not deleted
//! before it is over. That ends no call: a VC's call may be closed meanwhile. When the client hears of the
//! end of its own, it may delete the VC within that (see [`Outstanding`](crate::oid::Outstanding)).

use super::{super::vc::VcShared, Af, AfShared, CallManager};
use crate::{
    Status,
    cm::Vc,
    deferred::Deferred,
    mem::Arc,
    oid::{Hold, Stage, ToManager},
    scope::Scope,
};
use core::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_sys::NDIS_HANDLE;

/// See the module.
///
/// # Invariants
///
/// CM-HELD: each value is counted at the family and, by its stage, at the VC, if there is one.
#[doc(hidden)]
pub struct Held<M: CallManager> {
    af: Arc<AfShared<M>>,
    vc: Option<Arc<VcShared<M>>>,
    /// The client is being told of the end.
    told: AtomicBool,
}

impl<M: CallManager> Held<M> {
    /// Counts a request, of whichever side's, unless the client has asked for the close.
    pub(in crate::cm) fn try_new(
        af: &Arc<AfShared<M>>,
        vc: Option<&Arc<VcShared<M>>>,
    ) -> Result<Self, Status> {
        af.add_child()?;
        // From here on its drop gives back what was counted.
        let mut held = Self {
            af: af.clone(),
            vc: None,
            told: AtomicBool::new(false),
        };
        if let Some(vc) = vc {
            if !vc.look(|state, _| state.ask()) {
                return Err(Status::CLOSING);
            }
            held.vc = Some(vc.clone());
        }
        Ok(held)
    }

    fn stage(&self) -> Stage {
        if self.told.load(Ordering::Relaxed) {
            Stage::Told
        } else {
            Stage::Open
        }
    }

    pub(in crate::cm) fn driver(&self) -> &M {
        self.af.driver()
    }

    pub(in crate::cm) fn af(&self) -> Af<M> {
        Af {
            shared: self.af.clone(),
        }
    }

    pub(in crate::cm) fn vc(&self) -> Option<Vc<M>> {
        let shared = self.vc.clone()?;
        Some(Vc { shared })
    }
}

impl<M: CallManager> Clone for Held<M> {
    fn clone(&self) -> Self {
        self.af.add_one_more_child();
        let stage = self.stage();
        if let Some(vc) = &self.vc {
            vc.look(|state, _| state.ask_more(stage));
        }
        Self {
            af: self.af.clone(),
            vc: self.vc.clone(),
            told: AtomicBool::new(stage == Stage::Told),
        }
    }
}

impl<M: CallManager> Drop for Held<M> {
    fn drop(&mut self) {
        if let Some(vc) = &self.vc
            && vc.look(|state, _| state.asked(self.stage()))
        {
            VcShared::defer(vc);
        }
        AfShared::remove_child_later(&self.af);
    }
}

// SAFETY: by CM-HELD neither is the family closed nor the VC deleted meanwhile, before the client has
// heard.
unsafe impl<M: CallManager> Hold for Held<M> {
    type Asked = ToManager;

    fn af(&self) -> NDIS_HANDLE {
        self.af.handle()
    }

    fn vc(&self) -> NDIS_HANDLE {
        self.vc
            .as_ref()
            .map_or(core::ptr::null_mut(), |vc| vc.handle())
    }

    fn tell(&self) {
        if let (Some(vc), false) = (&self.vc, self.told.swap(true, Ordering::Relaxed)) {
            vc.look(|state, _| state.tell_peer());
        }
    }

    fn scope(&self) -> &Scope {
        self.af.scope()
    }
}

impl<M: CallManager> fmt::Debug for Held<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
