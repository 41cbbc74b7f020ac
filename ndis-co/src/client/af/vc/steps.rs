//! What is to be done on a VC, as its state says: the calls to NDIS and to the driver.

use super::{Above, AfShared, Client, Vc, VcShared};
use crate::{
    Status,
    client::state::{State, Step},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Arc,
    params::CallParameters,
    scope::Scope,
    stack,
};
use core::{ffi::c_void, ptr};
use ndis_sys::CO_CALL_PARAMETERS;

impl<C: Client> VcShared<C> {
    /// The call was placed, or not.
    pub(in crate::client) fn make_call_completed(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        Self::dialled(this, status, parameters, irql);
        Self::advance(this, irql);
    }

    /// Tells the client what came of the call that it placed.
    fn dialled(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        // Ours belong to `kept` from here on: the callback may hang up, and the
        // VC be gone before it is done with looking.
        let kept = this
            .state
            .locked(|state| state.dialled(status.is_success()));
        let vc = Vc {
            shared: this.clone(),
        };
        if status.is_success() {
            // SAFETY: these are ours, which belong to `kept` on this stack, or
            // the call manager's own (rule CALL-17), which keeps them until its
            // completion of the call, NdisCmMakeCallComplete, has returned.
            // This runs within that.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            this.af.client().call_connected(&vc, view, irql);
        } else {
            this.af.client().call_failed(&vc, status.as_failure(), irql);
            // Only now, so that the callback still finds the VC.
            this.state.locked(State::want_delete);
        }
        drop(kept);
    }

    /// Ends the call and, for the client's own VC, deletes it.
    pub(in crate::client) fn end(this: &Arc<Self>, irql: &mut UpToDispatch) {
        Self::advance(this, irql);
    }

    /// Does what the state asks for and allows.
    pub(in crate::client) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.locked(|state| state.next(stack::is_low)) {
            match step {
                Step::Later => return Self::defer(this),
                Step::TellUndialled(status) => {
                    let vc = Vc {
                        shared: this.clone(),
                    };
                    this.af.client().call_failed(&vc, status, irql);
                }
                Step::EndAbove { status, number } => this.above.end(number, status, irql),
                Step::Dial { parameters } => {
                    // SAFETY: the VC exists, has no call, and is not deleted
                    // while one is being placed; the parameters stay with the
                    // state until the completion (rule CALL-02);
                    // point-to-point, so both party arguments are null (rule
                    // CALL-04).
                    let status = unsafe {
                        ndis_sys::NdisClMakeCall(
                            this.handle(),
                            parameters,
                            ptr::null_mut(),
                            ptr::null_mut(),
                        )
                    };
                    let status = Status::from_raw(status);
                    // What is answered at once is completed here (rules CALL-03, GEN-06).
                    if !status.is_pending() {
                        Self::dialled(this, status, parameters, irql);
                    }
                }
                Step::Answer {
                    status,
                    parameters,
                    number,
                } => {
                    // SAFETY: the call was offered and pended, and is answered
                    // once (rule CALL-29), with the parameters it came with.
                    unsafe {
                        ndis_sys::NdisClIncomingCallComplete(
                            status.raw(),
                            this.handle(),
                            parameters,
                        );
                    }
                    if this.state.locked(|state| state.answer_told(number)) {
                        // A family that is being closed may have waited for this.
                        AfShared::advance_later(&this.af);
                    }
                }
                Step::Close => {
                    let data = this.state.locked(|state| state.close_data());
                    let (bytes, size) = match &data {
                        Some(data) => (data.base().cast::<c_void>(), data.len()),
                        None => (ptr::null_mut(), 0),
                    };
                    // SAFETY: a call is up, all sends are back (CALL-42), and
                    // this is its one close (CALL-70). The data belong to
                    // `data` until the call has returned, and to the VC until
                    // the completion (CALL-47); their size is zero when null.
                    let status = unsafe {
                        ndis_sys::NdisClCloseCall(
                            this.handle(),
                            ptr::null_mut(),
                            bytes,
                            size as u32,
                        )
                    };
                    let status = Status::from_raw(status);
                    // As there (rule CALL-46).
                    if !status.is_pending() {
                        Self::close_completed(this, status, irql);
                    }
                }
                Step::Delete => {
                    // SAFETY: the client's own VC (VC-22) without a call
                    // (VC-23), for its close has completed (CALL-66);
                    // deleted once.
                    let status = unsafe { ndis_sys::NdisCoDeleteVc(this.handle()) };
                    if Status::from_raw(status).is_success() {
                        this.state.locked(State::deleted);
                        this.af.client().vc_deleted(
                            &Vc {
                                shared: this.clone(),
                            },
                            irql,
                        );
                        Self::retire(this);
                    } else {
                        this.state.locked(State::delete_refused);
                        Self::defer_later(this);
                    }
                }
            }
        }
    }

    /// The callback of an offer returns with its answer. NDIS has it a moment
    /// later, so a family that waits for that goes on from the work item.
    pub(in crate::client) fn returns(this: &Arc<Self>, number: u32) {
        if this.state.locked(|state| state.returns(number)) {
            Self::defer(this);
        }
    }

    /// The close has completed.
    pub(in crate::client) fn close_completed(
        this: &Arc<Self>,
        status: Status,
        irql: &mut UpToDispatch,
    ) {
        // The data are no longer lent. A call manager that could not carry them
        // (rule CALL-48) is asked again without.
        drop(this.state.locked(State::take_close_data));
        if status.is_success() {
            if this.state.locked(State::closed) {
                this.af.client().call_closed(
                    &Vc {
                        shared: this.clone(),
                    },
                    irql,
                );
            }
            this.state.locked(State::closed_and_told);
            Self::advance(this, irql);
            AfShared::advance_later(&this.af);
        } else {
            this.state.locked(State::close_refused);
            Self::defer_later(this);
        }
    }
}

impl<C: Client> Deferred for VcShared<C> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.af.binding.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.state.locked(State::retry);
        if this.state.locked(State::has_returned) {
            AfShared::advance_later(&this.af);
        }
        if this.state.locked(State::waits_for_return) {
            Self::defer_later(&this);
        }
        Self::send_queued(&this, irql.up_to_dispatch());
        Self::advance(&this, irql.up_to_dispatch());
    }
}
