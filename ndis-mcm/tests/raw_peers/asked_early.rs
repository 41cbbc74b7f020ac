//! A call manager asks its client for an OID while the open of the family pends, and then fails the open. What
//! the client pended then can be completed by nobody: the client never gets a handle (rule AF-14).

use super::{phone::*, *};
use ndis_co::{
    Answer,
    client::{OidRequest, PendingOidRequest},
    irql::UpToDispatch,
};
use raw::{P, PENDING, Twist, oids::Ask};
use std::sync::atomic::Ordering::SeqCst;

/// Pends what it is asked.
#[derive(Default)]
struct Slow(Mutex<Vec<PendingOidRequest<Phone<Self>>>>);

impl Calls for Slow {
    fn oid_request<'r>(
        &self,
        request: OidRequest<'r, Phone<Self>>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, waits) = request.pend();
        self.0.lock().unwrap().push(waits);
        answer
    }
}

#[test]
fn a_request_within_an_open_that_fails() {
    for seed in seeds(50) {
        for drops in [false, true] {
            let world = World::without_a_line(seed, Twist::AsksBeforeRefusing, Slow::default());
            assert_eq!(world.mcm.statuses.lock().unwrap().last(), Some(&PENDING));
            assert!(world.desk.af.lock().unwrap().is_none());
            let desk = world.desk.clone();
            world.network(move |_, irql| {
                let waits = desk.calls.0.lock().unwrap().pop().unwrap();
                if drops {
                    drop(waits);
                } else {
                    waits.reply_u32(7, irql);
                }
            });
            world.host.run();
            let shared = world.mcm.clone();
            world.by_manager(move || Ask::of(P(shared.request.load(SeqCst))).free());
            world.end_clean();
        }
    }
}
