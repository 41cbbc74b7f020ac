//! Data that the client sends on its calls.

use super::{Client, Vc, VcShared};
use crate::{
    Status,
    client::{SendError, state::State},
    deferred::Deferred,
    irql::UpToDispatch,
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields},
    protocol::{self, is_sendable, sendable},
    stack,
};

impl<C: Client> VcShared<C> {
    #[inline]
    pub(in crate::client) fn send(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), SendError> {
        let count = lists.len();
        if count == 0 {
            return Ok(());
        }
        if !is_sendable(&lists) {
            return sendable(lists).map(drop);
        }
        if !this.af.binding.lists_out(count) {
            return Self::paused(this, lists);
        }
        let low = stack::is_low();
        if !low && this.state.enter(count.saturating_add(1)) {
            Self::hand_over_counted(this, lists.into_chain(), irql);
            return Ok(());
        }
        Self::queue(this, lists, low, irql)
    }

    /// Nothing is sent on the binding.
    #[cold]
    fn paused(this: &Arc<Self>, lists: NetBufferLists) -> Result<(), SendError> {
        this.af.binding.sends_in(lists.len());
        // It may have begun to run since.
        let status = this.af.binding.may_send().err().unwrap_or(Status::PAUSED);
        Err(SendError { lists, status })
    }

    /// Lists, counted out on the binding, may not go at once.
    #[cold]
    fn queue(
        this: &Arc<Self>,
        lists: NetBufferLists,
        low: bool,
        irql: &mut UpToDispatch,
    ) -> Result<(), SendError> {
        let count = lists.len();
        match this.state.queue(lists.into_chain(), count, low) {
            Ok(Some(chain)) => Self::hand_over_counted(this, chain, irql),
            Ok(None) => Self::defer(this),
            Err(chain) => {
                this.af.binding.sends_in(count);
                // SAFETY: the chain of just now, from this driver's pool for sends.
                let lists = unsafe { NetBufferLists::from_chain(chain, fields::Side::Protocol) };
                // Or another VC shares it.
                let status = if this.state.locked(|state| state.is_up()) {
                    Status::INVALID_STATE
                } else {
                    Status::CLOSING
                };
                return Err(SendError { lists, status });
            }
        }
        Ok(())
    }

    /// Sends counted lists, with one counted for the call itself: they may all be back before NDIS's
    /// call has returned.
    #[inline]
    fn hand_over_counted(this: &Arc<Self>, chain: Chain, irql: &mut UpToDispatch) {
        this.hand_over(chain);
        if this.state.traffic().leave(1) {
            let vc = Vc {
                shared: this.clone(),
            };
            Self::wake(&vc, 1, irql);
        }
    }

    /// Sends counted lists.
    #[inline]
    fn hand_over(&self, chain: Chain) {
        // SAFETY: the call is up, and is not closed before this call has returned, which is counted
        // beside the lists (TRAFFIC; by the state what the work item sends), which were looked at.
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
            let vc = Vc {
                shared: this.clone(),
            };
            Self::sent(&vc, lists, irql);
        } else {
            this.hand_over(chain);
        }
        // What has queued up meanwhile has its turn after the work of others.
        if this.state.locked(State::queued_sent) {
            Self::defer(this);
        }
        Self::leave(this, irql);
    }

    /// Sent lists come back, which may be all that keeps the VC: it is not used afterwards.
    #[inline]
    pub(in crate::client) fn sent(vc: &Vc<C>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let count = lists.len();
        if count == 0 {
            return;
        }
        vc.shared.af.client().send_complete(vc, lists, irql);
        vc.shared.af.binding.sends_in(count);
        if vc.shared.state.traffic().leave(count) {
            Self::wake(vc, count, irql);
        }
    }

    /// The last lists are back, and are still counted.
    #[cold]
    fn wake(vc: &Vc<C>, count: usize, irql: &mut UpToDispatch) {
        // By TRAFFIC there is a reference.
        let vc = vc.clone();
        vc.shared.state.traffic().wake(count);
        Self::advance(&vc, irql);
    }

    /// A call of NDIS that the state counts has returned: goes on with what waited.
    fn leave(this: &Arc<Self>, irql: &mut UpToDispatch) {
        if this.state.locked(State::leave) {
            let vc = Vc {
                shared: this.clone(),
            };
            Self::advance(&vc, irql);
        }
    }
}
