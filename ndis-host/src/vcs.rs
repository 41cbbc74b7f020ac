//! What a client and a call manager that make or delete a VC have in common.

use crate::callback::Context;
use crate::handle::{Kind, ObjectId};
use crate::model::vc::{Activity, CallPhase, Vc};
use crate::state::State;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

impl State {
    /// A VC with the context of the side that makes it: its number, and the handles of
    /// the client and of the call manager.
    pub(crate) fn make_vc(
        &mut self,
        af: u32,
        by_client: bool,
        context: Context,
    ) -> Option<(u32, usize, usize)> {
        if self.faults.allocation() {
            return None;
        }
        let number = self.number(Kind::ClientVc);
        let client_raw = self.handles.make(Kind::ClientVc, number);
        let manager_raw = self.handles.make(Kind::CallManagerVc, number);
        let vc = Vc::new((client_raw, manager_raw), af, by_client, context);
        self.world.vcs.insert(number, vc);
        Some((number, client_raw, manager_raw))
    }

    /// The handle variable must be NULL before a VC is created (VC-05).
    pub(crate) fn check_out(&mut self, call: &str, out: *mut NDIS_HANDLE) {
        // SAFETY: the caller's initialized variable.
        let before = unsafe { out.read() };
        if !before.is_null() {
            let message = alloc::format!("{call}: the handle variable is not NULL before the call");
            self.violate("VC-05", None, message);
        }
    }

    /// Whether a VC may be deleted by its creator; otherwise the status.
    pub(crate) fn deletable(&mut self, call: &str, number: u32) -> Result<(), i32> {
        let object = ObjectId::new(Kind::ClientVc, number);
        let Some(vc) = self.world.vcs.get(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if vc.phase != CallPhase::None {
            let message = alloc::format!("{call} on {object} while it has a call ({})", vc.phase);
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        if vc.offer.calling() {
            let message = alloc::format!(
                "{call} on {object} while the offer of a call on it has not returned"
            );
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        if vc.activity != Activity::Inactive && !vc.by_client {
            let message = alloc::format!("{call} on {object} while it is active ({})", vc.activity);
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        Ok(())
    }
}
