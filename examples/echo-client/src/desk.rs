//! [`Desk`]: where calls are placed and answered from outside of callbacks.
//!
//! The desk knows the open address families, one for each adapter, and keeps
//! what waits on each of them with it. When a family closes, what belongs to it
//! goes in one move, and nothing of the others is touched. From then on nothing
//! of it is kept here: what the desk holds would hold up the unbind.

use crate::{
    ADDRESS_NUMBER, Application, Conversation, Dial, EchoClient, MAX_FRAME, Port, Redial, Redials,
    TAG, Trunk,
};
use core::{ptr, sync::atomic::Ordering};
use ndis_co::{
    Status,
    client::{Af, Binding, CreatedVc, PendingIncomingCall, Vc},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    params::{CallParametersBuf, FlowSpec, Specific},
};

/// The client's switchboard.
#[derive(Debug)]
pub struct Desk<A: Application> {
    application: A,
    /// The address families that are open, in the order in which they opened.
    open: SpinLock<Vec<Open<A>>>,
}

/// An open address family, and the calls that wait on it.
#[derive(Debug)]
struct Open<A: Application> {
    af: Af<EchoClient<A>>,
    /// Calls that ring.
    ringing: Vec<PendingIncomingCall<EchoClient<A>>>,
    /// Calls that are to be placed once more, each with its number.
    redials: Vec<(u32, u32)>,
}

impl<A: Application> Open<A> {
    fn is(&self, trunk: &Arc<Trunk<Desk<A>>>) -> bool {
        Arc::ptr_eq(&self.af, trunk)
    }

    /// A binding's context has one place in memory, so that tells which it is.
    fn is_on(&self, binding: &Binding<EchoClient<A>>) -> bool {
        ptr::eq::<Port>(&**binding, &*self.af.binding())
    }
}

impl<A: Application> Desk<A> {
    pub(crate) const fn new(application: A) -> Self {
        Self {
            application,
            open: SpinLock::new(Vec::new(TAG)),
        }
    }

    /// The application.
    pub fn application(&self) -> &A {
        &self.application
    }

    /// Calls can go and come through `af`.
    ///
    /// Its close may have been faster on another processor; then it is refused.
    pub(crate) fn open(
        &self,
        af: &Af<EchoClient<A>>,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        self.open.with(irql, |open, _| {
            if af.closed.load(Ordering::Relaxed) {
                return Err(Status::CLOSING);
            }
            open.try_push(Open {
                af: af.clone(),
                ringing: Vec::new(TAG),
                redials: Vec::new(TAG),
            })?;
            Ok(())
        })
    }

    /// The family of `trunk` closes, or has closed: what waits on it ends.
    pub(crate) fn close(&self, trunk: &Arc<Trunk<Desk<A>>>, irql: &mut impl NoLock) {
        let closed = self.open.with(irql, |open, _| {
            trunk.closed.store(true, Ordering::Relaxed);
            take_out(open, |open| open.is(trunk))
        });
        if let Some(closed) = closed {
            self.end(closed, irql);
        }
    }

    /// The adapter goes: what waits on its families ends.
    pub(crate) fn close_all_on(&self, binding: &Binding<EchoClient<A>>, irql: &mut impl NoLock) {
        loop {
            let closed = self
                .open
                .with(irql, |open, _| take_out(open, |open| open.is_on(binding)));
            let Some(closed) = closed else { return };
            self.end(closed, irql);
        }
    }

    /// Ends what waits on a family that is no longer open.
    fn end(&self, closed: Open<A>, irql: &mut impl NoLock) {
        // A redial that has begun finds the family closed.
        closed.af.redial.cancel();
        for call in closed.ringing {
            call.refuse(Status::CLOSING, irql);
        }
        for (call, _) in closed.redials {
            self.application.ended(call, Err(Status::CLOSING));
        }
    }

    /// Keeps a call that rings until it is answered.
    pub(crate) fn ring(&self, call: PendingIncomingCall<EchoClient<A>>, irql: &mut impl NoLock) {
        let af = call.vc().af();
        self.open.with(irql, |open, _| {
            // Without memory, or when the family is closed, the token is
            // dropped, which refuses the call.
            if let Some(open) = open.iter_mut().find(|open| open.is(&af)) {
                let _ = open.ringing.try_push(call);
            }
        });
    }

    /// Notes that `call`, which failed on `af`, is placed there once more.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the family is closed, [`Status::RESOURCES`].
    pub(crate) fn wait_to_redial(
        &self,
        af: &Af<EchoClient<A>>,
        call: u32,
        again: Redial,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        self.open.with(irql, |open, _| {
            let waits = open
                .iter_mut()
                .find(|open| open.is(af))
                .ok_or(Status::CLOSING)?;
            waits.redials.try_push((call, again.number))?;
            // Under the lock, so that the timer is not set once the family is
            // closed.
            af.redial.set(af, again.after);
            Ok(())
        })
    }

    /// Takes a call that rings: of those on one adapter, the one that has rung
    /// longest. `None` when none rings.
    pub fn accept(&self, irql: &mut impl NoLock) -> Option<Vc<EchoClient<A>>> {
        let call = self.longest_ringing(irql)?;
        Some(call.accept(irql).keep())
    }

    /// Turns the call away that [`accept`](Self::accept) would take; `false`
    /// when none rings.
    pub fn refuse(&self, status: Status, irql: &mut impl NoLock) -> bool {
        let call = self.longest_ringing(irql);
        match call {
            None => false,
            Some(call) => {
                call.refuse(status, irql);
                true
            }
        }
    }

    fn longest_ringing(
        &self,
        irql: &mut impl NoLock,
    ) -> Option<PendingIncomingCall<EchoClient<A>>> {
        self.open.with(irql, |open, _| {
            open.iter_mut().find_map(|open| open.ringing.remove(0))
        })
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
        self.first(irql)?
            .create_vc(Conversation::dialled(call), irql)
    }

    /// Places call number `call` (the application's own counting) to `number`,
    /// through the address family that opened first of those that are open.
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
        Self::place_on(&self.first(irql)?, call, number, irql)
    }

    fn first(&self, irql: &mut impl NoLock) -> Result<Af<EchoClient<A>>, Status> {
        self.open
            .with(irql, |open, _| open.first().map(|open| open.af.clone()))
            .ok_or(Status::CLOSING)
    }

    fn place_on(
        af: &Af<EchoClient<A>>,
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
        let vc = af.create_vc(Conversation::dialled(call), irql)?;
        Ok(vc.make_call(parameters, irql).keep())
    }
}

impl<A: Application> Dial for Desk<A> {
    fn dial(&self, call: u32, number: u32, irql: &mut Passive) -> Result<(), Status> {
        self.place_call(call, number, irql).map(drop)
    }
}

impl<A: Application> Redials for Desk<A> {
    fn redial(&self, trunk: &Arc<Trunk<Self>>, irql: &mut UpToDispatch) {
        let due = self.open.with(irql, |open, _| {
            let open = open.iter_mut().find(|open| open.is(trunk))?;
            Some((open.af.clone(), open.redials.take()))
        });
        let Some((af, redials)) = due else { return };
        for (call, number) in redials {
            if let Err(status) = Self::place_on(&af, call, number, irql) {
                self.application.ended(call, Err(status));
            }
        }
    }
}

/// Takes the first family that `pick` picks out of the list. An empty list keeps
/// no memory, so a desk that is held past the last adapter holds nothing else.
fn take_out<A: Application>(
    open: &mut Vec<Open<A>>,
    pick: impl FnMut(&Open<A>) -> bool,
) -> Option<Open<A>> {
    let taken = open.take_first(pick);
    if open.is_empty() {
        drop(open.take());
    }
    taken
}
