//! [`Desk`]: where calls are placed and answered from outside of callbacks.

use crate::{ADDRESS_NUMBER, Application, Conversation, EchoClient, MAX_FRAME, TAG};
use ndis_co::{
    Status,
    client::{Af, CreatedVc, PendingIncomingCall, Vc},
    irql::{NoLock, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    params::{CallParametersBuf, FlowSpec, Specific},
    timer::Expire,
};

/// The client's switchboard.
#[derive(Debug)]
pub struct Desk<A: Application> {
    application: A,
    state: SpinLock<State<A>>,
}

#[derive(Debug)]
struct State<A: Application> {
    /// The address families that are open, one for each adapter.
    open: Vec<Af<EchoClient<A>>>,
    /// Calls that ring.
    ringing: Vec<PendingIncomingCall<EchoClient<A>>>,
    /// Calls that are to be placed once more, each with its number.
    redials: Vec<(u32, u32)>,
}

impl<A: Application> Desk<A> {
    pub(crate) const fn new(application: A) -> Self {
        let state = State {
            open: Vec::new(TAG),
            ringing: Vec::new(TAG),
            redials: Vec::new(TAG),
        };
        Self {
            application,
            state: SpinLock::new(state),
        }
    }

    /// The application.
    pub fn application(&self) -> &A {
        &self.application
    }

    pub(crate) fn open(&self, af: Af<EchoClient<A>>, irql: &mut impl NoLock) {
        let mut state = self.state.lock(irql);
        // Without memory no call can be placed here; calls still come in.
        let _ = state.open.try_push(af);
    }

    /// Lets go of everything: what rings is refused.
    pub(crate) fn close(&self, irql: &mut impl NoLock) {
        let (open, ringing) = {
            let mut state = self.state.lock(irql);
            (state.open.take(), state.ringing.take())
        };
        drop(open);
        for call in ringing {
            call.refuse(Status::CLOSING, irql);
        }
    }

    pub(crate) fn ring(&self, call: PendingIncomingCall<EchoClient<A>>, irql: &mut impl NoLock) {
        let mut state = self.state.lock(irql);
        // Without memory the token is dropped, which refuses the call.
        let _ = state.ringing.try_push(call);
    }

    /// Notes that `call` is placed to `number` when the timer expires.
    pub(crate) fn wait_to_redial(
        &self,
        call: u32,
        number: u32,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        self.state.lock(irql).redials.try_push((call, number))?;
        Ok(())
    }

    /// Takes the call that has rung longest; `None` when none rings.
    pub fn accept(&self, irql: &mut impl NoLock) -> Option<Vc<EchoClient<A>>> {
        let call = self.state.lock(irql).ringing.remove(0)?;
        Some(call.accept(irql).keep())
    }

    /// Turns the call away that has rung longest; `false` when none rings.
    pub fn refuse(&self, status: Status, irql: &mut impl NoLock) -> bool {
        let call = self.state.lock(irql).ringing.remove(0);
        match call {
            None => false,
            Some(call) => {
                call.refuse(status, irql);
                true
            }
        }
    }

    /// Makes a VC for call number `call`, to be used later.
    ///
    /// # Errors
    ///
    /// As [`Desk::place_call`].
    pub fn create_vc(
        &self,
        call: u32,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'static, EchoClient<A>>, Status> {
        let af = self
            .state
            .lock(irql)
            .open
            .first()
            .cloned()
            .ok_or(Status::CLOSING)?;
        af.create_vc(Conversation::dialled(call), irql)
    }

    /// Places call number `call` (the application's own counting) to `number`.
    ///
    /// The outcome comes as [`Application::ended`]. The VC can be used to hang
    /// up early.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when no address family is open,
    /// [`Status::RESOURCES`], or the call manager's refusal of a VC.
    pub fn place_call(
        &self,
        call: u32,
        number: u32,
        irql: &mut impl NoLock,
    ) -> Result<Vc<EchoClient<A>>, Status> {
        let flow = FlowSpec::best_effort(MAX_FRAME as u32);
        let parameters = CallParametersBuf::builder()
            .transmit(flow)
            .receive(flow)
            .call_manager_specific(Specific {
                param_type: ADDRESS_NUMBER,
                bytes: &number.to_le_bytes(),
            })
            .build()?;
        let vc = self.create_vc(call, irql)?;
        Ok(vc.make_call(parameters, irql).keep())
    }
}

impl<A: Application> Expire for Desk<A> {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let redials = this.state.lock(irql).redials.take();
        for (call, number) in redials {
            if let Err(status) = this.place_call(call, number, irql) {
                this.application.ended(call, Err(status));
            }
        }
    }
}
