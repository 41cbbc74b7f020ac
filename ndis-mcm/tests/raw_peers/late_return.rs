//! A call manager offers its next call on the same VC as soon as the client has refused the
//! one before: a refusal leaves a VC to be deactivated, and the page of `NdisMCmDeactivateVc`
//! lets its creator use it again. The client had pended the first offer, and its callback
//! for that is just returning. The end of that callback is nothing to the second offer, of
//! which the close of the family waits until NDIS knows the answer (rule AF-29).

use super::{phone::*, *};
use ndis_co::{Answer, Status, client::IncomingCall, irql::UpToDispatch};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Refuses every offer, the first one by its token.
struct Refuses {
    offers: AtomicU64,
    again: AtomicBool,
    /// How much longer the first callback takes.
    lingers: u64,
}

impl Calls for Refuses {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.offers.fetch_add(1, SeqCst) > 0 {
            let answer = call.refuse(Status::REQUEST_ABORTED);
            self.again.store(true, SeqCst);
            return answer;
        }
        let (answer, token) = call.pend();
        token.refuse(Status::REQUEST_ABORTED, irql);
        let_others_run(|| self.again.load(SeqCst));
        let mut turns = 0..self.lingers;
        let_others_run(|| turns.next().is_none());
        answer
    }
}

#[test]
fn a_family_is_closed_after_two_refusals() {
    for seed in seeds(60) {
        let calls = Refuses {
            offers: AtomicU64::new(0),
            again: AtomicBool::new(false),
            lingers: seed % 8,
        };
        let world = World::new(seed, calls);
        world.network(|mcm, _| mcm.offer());
        world.network(|mcm, irql| {
            wait_until(|| !mcm.line.answers.lock().unwrap().is_empty(), irql);
            mcm.refused();
            mcm.offer();
            mcm.refused();
        });
        world.host.run();
        let aborted = Status::REQUEST_ABORTED.raw();
        assert_eq!(*world.mcm.line.answers.lock().unwrap(), [aborted; 2]);
        let desk = world.desk.clone();
        world.network(move |mcm, irql| {
            let af = desk.af.lock().unwrap().take().unwrap();
            af.close(irql);
            // The client asks for the close, which this call manager refuses while it
            // has a VC.
            wait_until(|| mcm.line.refused.load(SeqCst) > 0, irql);
            mcm.close_line();
        });
        world.host.run();
        world.end_clean();
    }
}
