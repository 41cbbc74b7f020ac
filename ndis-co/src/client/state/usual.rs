//! The usual steps of a call, which are known without a search.

use super::{Call, Life, Origin, State};
use crate::mem::{Arc, Vec};
use ndis_sys::CO_CALL_PARAMETERS;

impl State {
    /// Whether nothing but the call may be next: the VC is there and nothing was refused.
    #[inline]
    fn may_go_on(&self) -> bool {
        let there = self.life == Life::Alive && !self.back_off;
        there && self.undialled.is_none() && self.end_above().is_none()
    }

    /// Places the call, when that is the next step: as [`next`](Self::next) takes it.
    #[inline]
    pub(in crate::client) fn place(&mut self) -> Option<*mut CO_CALL_PARAMETERS> {
        if !self.may_go_on() || self.call != Call::Wanted {
            return None;
        }
        let parameters = self.parameters.as_ref()?.as_raw();
        self.call = Call::Dialing;
        Some(parameters)
    }

    /// Closes the call that is up, when that is the next step; the data for the other side.
    #[inline]
    pub(in crate::client) fn close(&mut self) -> Option<Option<Arc<Vec<u8>>>> {
        let up = self.may_go_on() && self.call == Call::Up && !self.is_busy();
        (up && self.want_close && !self.answering).then(|| {
            self.call = Call::Closing;
            self.close_data.clone()
        })
    }

    /// Deletes the VC after its call, when that is the next step.
    #[inline]
    pub(in crate::client) fn delete(&mut self) -> bool {
        let free = self.may_go_on() && self.call == Call::None && !self.is_busy();
        let own = self.origin == Origin::Client && self.want_delete;
        let due = free && own && self.requests.is_empty();
        if due {
            self.life = Life::Deleting;
        }
        due
    }
}
