//! Data that the client sends on its calls.

use super::{Client, Vc, VcShared};
use crate::{
    Status,
    client::{SendError, state::State},
    deferred::Deferred,
    irql::UpToDispatch,
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields},
    protocol::{self, sendable},
    stack,
};

impl<C: Client> VcShared<C> {
    pub(in crate::client) fn send(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), SendError> {
        let count = lists.len();
        if count == 0 {
            return Ok(());
        }
        let lists = sendable(lists)?;
        if let Err(status) = this.af.binding.sends_out(count) {
            return Err(SendError { lists, status });
        }
        // One more than the lists, for the call itself: the close is not
        // requested while it runs.
        if !this
            .state
            .locked(|state| state.busy(count.saturating_add(1)))
        {
            this.af.binding.sends_in(count);
            return Err(SendError {
                lists,
                status: Status::CLOSING,
            });
        }
        let chain = lists.into_chain();
        let later = stack::is_low();
        match this.state.locked(|state| state.send(chain, later)) {
            Some(chain) => this.hand_over(chain),
            None => Self::defer(this),
        }
        Self::leave(this, 1, irql);
        Ok(())
    }

    /// Sends counted lists.
    fn hand_over(&self, chain: Chain) {
        // SAFETY: the call is up and stays so for this call, which the caller counted as
        // busy, as it did the lists, which were looked at.
        unsafe { protocol::send(self.handle(), chain) };
    }

    /// Sends what was left to the work item; gives it back when the binding is
    /// paused (rule PAUSE-12), its adapter is reset (rule RESET-01) or the other side has hung up meanwhile.
    pub(super) fn send_queued(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let Some(chain) = this.state.locked(State::next_queued) else {
            return;
        };
        let refused = if let Err(status) = this.af.binding.may_send() {
            Some(status)
        } else if this.state.locked(|state| state.is_hung_up()) {
            Some(Status::CLOSING)
        } else {
            None
        };
        if let Some(status) = refused {
            chain.for_each_raw(|list| fields::set_status(list, status.raw()));
            // SAFETY: the chain of `send`, from this driver's pool for sends.
            let lists = unsafe { NetBufferLists::from_chain(chain, fields::Side::Protocol) };
            Self::sent(this, lists, irql);
        } else {
            this.hand_over(chain);
        }
        // What has queued up meanwhile has its turn after the work of others.
        if this.state.locked(State::queued_sent) {
            Self::defer(this);
        }
        Self::leave(this, 1, irql);
    }

    /// Sent lists come back.
    pub(in crate::client) fn sent(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        let count = lists.len();
        let vc = Vc {
            shared: this.clone(),
        };
        this.af.client().send_complete(&vc, lists, irql);
        this.af.binding.sends_in(count);
        Self::leave(this, count, irql);
    }

    /// Gives back what [`State::busy`] took, and goes on with what waited.
    pub(in crate::client) fn leave(this: &Arc<Self>, count: usize, irql: &mut UpToDispatch) {
        if this.state.locked(|state| state.leave(count)) {
            let vc = Vc {
                shared: this.clone(),
            };
            Self::advance(&vc, irql);
        }
    }
}
