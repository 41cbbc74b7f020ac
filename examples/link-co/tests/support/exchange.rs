//! [`Exchange`]: a stand-alone call manager that joins each call to the SAP at the other end of
//! the link, on a number of its own.

use super::FAMILY;
use ndis_co::{
    Answer, Status,
    cm::{
        AcceptedCall, Af, AsCallManager, CallManager, CloseCall, MakeCall, OpenAf, PendingMakeCall,
        RegisterSap, Sap, StandaloneCallManager, Vc,
    },
    irql::{Passive, UpToDispatch},
    params::{CallParameters, CallParametersBuf, Specific},
    protocol::{Binding, NewBinding, OpenedBinding, Protocol},
};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU32, Ordering::SeqCst},
};

#[derive(Clone, Default)]
pub struct Exchange(Arc<Desk>);

#[derive(Default)]
struct Desk {
    /// Who takes calls: the phone at the second end.
    sap: Mutex<Option<Sap<Exchange>>>,
    calls: Mutex<Vec<Call>>,
    numbers: AtomicU32,
    /// The number that the next callee is activated with, in place of its own.
    wrong: AtomicU32,
}

/// A call: its caller waits until the callee has accepted.
struct Call {
    waiting: Option<PendingMakeCall<Exchange>>,
    caller: Vc<Exchange>,
    callee: Vc<Exchange>,
}

impl Exchange {
    /// The next callee's VC is activated with this number.
    pub fn dial_wrong(&self, number: u32) {
        self.0.wrong.store(number, SeqCst);
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.calls.lock().unwrap()
    }

    /// The caller that waits for this callee.
    fn caller_of(&self, callee: &Vc<Self>) -> Option<PendingMakeCall<Self>> {
        let mut calls = self.calls();
        let call = calls.iter_mut().find(|call| call.callee.is(callee))?;
        call.waiting.take()
    }

    /// Takes the call out to which the VC belongs.
    fn end(&self, vc: &Vc<Self>) -> Option<Call> {
        let mut calls = self.calls();
        let place = calls
            .iter()
            .position(|call| call.callee.is(vc) || call.caller.is(vc))?;
        Some(calls.swap_remove(place))
    }
}

fn parameters(number: u32) -> Result<CallParametersBuf, Status> {
    let bytes = &number.to_le_bytes();
    let media = Specific {
        param_type: 0,
        bytes,
    };
    CallParametersBuf::builder().media_specific(media).build()
}

impl Protocol for Exchange {
    const NAME: &'static str = "EXCHANGE";
    type Binding = ();
    type Role = AsCallManager;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        binding.register_address_family(FAMILY, irql).unwrap();
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let sap = self.0.sap.lock().unwrap().take();
        drop(sap);
        let calls = std::mem::take(&mut *self.calls());
        drop(calls);
    }
}

impl CallManager for Exchange {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    /// Its number.
    type Vc = u32;

    fn open_af<'r>(
        &self,
        _: &Binding<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, sap) = request.accept(());
        let before = self.0.sap.lock().unwrap().replace(sap);
        drop(before);
        answer
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<u32, Status> {
        // Number 0 is for signalling.
        Ok(self.0.numbers.fetch_add(1, SeqCst) + 1)
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let sap = self.0.sap.lock().unwrap().clone();
        let callee = sap.as_ref().ok_or(Status::NO_ROUTE_TO_DESTINATION);
        let callee = callee.and_then(|sap| {
            let callee = sap.create_vc(**vc, irql)?;
            let wrong = self.0.wrong.swap(0, SeqCst);
            let number = if wrong == 0 { **vc } else { wrong };
            let callee = callee.activate(parameters(number)?, irql);
            Ok((
                callee.map_err(|failed| failed.status)?.keep(),
                parameters(**vc)?,
            ))
        });
        match callee {
            Ok((callee, parameters)) => {
                let (answer, waiting) = request.pend();
                let call = Call {
                    waiting: Some(waiting),
                    caller: vc.clone(),
                    callee: Vc::clone(&callee),
                };
                self.calls().push(call);
                callee.dispatch_incoming_call(parameters, irql);
                answer
            }
            Err(status) => request.refuse(status),
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let number = **call.vc();
        match (self.caller_of(call.vc()), parameters(number)) {
            (Some(caller), Ok(link)) => {
                if call.connect(irql) {
                    caller.accept_with_link(link, irql);
                } else {
                    caller.refuse(Status::FAILURE, irql);
                }
            }
            (caller, _) => {
                call.close(Status::FAILURE, irql);
                if let Some(caller) = caller {
                    caller.refuse(Status::FAILURE, irql);
                }
            }
        }
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        self.call_failed(vc, status, irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let Some(call) = self.end(vc) else { return };
        if let Some(caller) = call.waiting {
            caller.refuse(status, irql);
        }
        if call.caller.is(vc) {
            // The callee has accepted: it hears that there is no call after all.
            let _ = call.callee.dispatch_incoming_close(status, &[], irql);
        }
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Some(call) = self.end(vc) {
            let other = if call.caller.is(vc) {
                &call.callee
            } else {
                &call.caller
            };
            // It may have hung up itself.
            let _ = other.dispatch_incoming_close(Status::SUCCESS, &[], irql);
        }
        request.finish(irql)
    }
}

impl StandaloneCallManager for Exchange {
    type Signaling = std::convert::Infallible;
}
