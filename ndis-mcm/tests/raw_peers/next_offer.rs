//! A call manager offers the next call on its VC as soon as the client has closed the one
//! before: the page of `ProtocolClIncomingCloseCall` leaves it to the call manager to destroy
//! or to reuse a VC that it made (rule CALL-56). The client is still being told of the end of
//! the first call, which it has closed itself within that handler; the second one is the
//! driver's to answer.

use super::{phone::*, *};
use ndis_co::{
    Answer, Status,
    client::{IncomingCall, PendingIncomingCall, Vc},
    irql::UpToDispatch,
};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Takes the first call, and thinks about the second one.
#[derive(Default)]
struct Thinks {
    offers: AtomicU32,
    second: Mutex<Option<PendingIncomingCall<Phone<Self>>>>,
}

impl Thinks {
    fn rings(&self) -> bool {
        self.second.lock().unwrap().is_some()
    }
}

impl Calls for Thinks {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.offers.fetch_add(1, SeqCst) == 0 {
            let (answer, call) = call.accept();
            let _ = call.keep();
            return answer;
        }
        let (answer, token) = call.pend();
        *self.second.lock().unwrap() = Some(token);
        answer
    }

    fn incoming_close(&self, vc: &Vc<Phone<Self>>, irql: &mut UpToDispatch) {
        vc.hang_up(&[], irql).unwrap();
        let_others_run(|| self.rings());
    }
}

#[test]
fn the_end_of_a_call_is_not_that_of_the_next_one() {
    for seed in seeds(30) {
        let world = World::new(seed, Thinks::default());
        world.network(|mcm, _| {
            mcm.offer();
            mcm.connect();
            mcm.end_call();
        });
        let desk = world.desk.clone();
        world.network(move |mcm, irql| {
            wait_until(|| !mcm.line.closes.lock().unwrap().is_empty(), irql);
            mcm.offer();
            wait_until(|| desk.calls.rings(), irql);
            sleep(20, irql);
            let token = desk.calls.second.lock().unwrap().take().unwrap();
            token.refuse(Status::REQUEST_ABORTED, irql);
            assert_eq!(
                *mcm.line.answers.lock().unwrap(),
                [raw::SUCCESS, Status::REQUEST_ABORTED.raw()],
                "seed {seed}"
            );
            mcm.refused();
        });
        world.host.run();
        world.end_clean();
    }
}
