//! A request about a VC that the call manager has made itself: the completion takes its handle,
//! and nobody but the call manager deletes it. NDIS asks, of whom no page says that it holds the
//! VC until it is answered.

use super::*;
use ndis_host::OidAsk;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// An OID of the driver's own.
const OID: u32 = 0xFF01_0007;

/// Pends the request, or drops it.
#[derive(Default)]
struct Asked {
    drops: bool,
    token: Place<PendingOidRequest<Exchange<Self>>>,
    deleted: AtomicBool,
}

impl Switch for Asked {
    fn vc_oid_request<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: OidRequest<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        if !self.drops {
            self.token.put(token);
        }
        answer
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.deleted.store(true, SeqCst);
    }
}

fn world(seed: u64, drops: bool) -> (World<Asked, ListeningPhone>, OidAsk) {
    let asked = Asked {
        drops,
        ..Asked::default()
    };
    let builder = Host::builder().seed(seed).preemption(1, 3);
    let world = World::new(builder, asked, ListeningPhone);
    world.ring(b"an offer");
    world.host.run();
    let vc = world.exchange.vc.take().unwrap();
    let ask = OidAsk::query(OID, 4).of_vc(vc.handle());
    world.exchange.vc.put(vc);
    (world, ask)
}

#[test]
fn the_vc_waits_for_the_answer() {
    for seed in seeds(200) {
        let (world, ask) = world(seed, false);
        let exchange = world.exchange.clone();
        world.thread("device", move |irql| {
            let switch = &exchange.switch;
            assert!(wait_until(|| !switch.token.is_empty(), irql));
            let vc = exchange.vc.take().unwrap();
            vc.dispatch_incoming_close(Status::SUCCESS, &[], irql)
                .unwrap();
            drop(vc);
            sleep(30, irql);
            assert!(!switch.deleted.load(SeqCst), "its request is not answered");
            switch.token.take().unwrap().reply_u32(7, irql);
        });
        let adapter = world.adapter.as_ref().unwrap();
        let answer = world.host.ask(adapter, ask);
        assert_eq!(answer.bytes().unwrap(), [7, 0, 0, 0], "seed {seed}");
        world.host.run();
        assert!(world.exchange.switch.deleted.load(SeqCst), "seed {seed}");
        world.end_clean();
    }
}

#[test]
fn nor_is_it_gone_before_a_dropped_one_is_refused() {
    for seed in seeds(200) {
        let (world, ask) = world(seed, true);
        let exchange = world.exchange.clone();
        world.thread("device", move |irql| {
            let vc = exchange.vc.take().unwrap();
            // Before, while and after NDIS asks.
            for _ in 0..seed % 4 {
                sleep(1, irql);
            }
            vc.dispatch_incoming_close(Status::SUCCESS, &[], irql)
                .unwrap();
        });
        let adapter = world.adapter.as_ref().unwrap();
        let status = world.host.ask(adapter, ask).status;
        assert_eq!(status, Status::FAILURE.raw(), "seed {seed}");
        world.host.run();
        assert!(world.exchange.switch.deleted.load(SeqCst), "seed {seed}");
        world.end_clean();
    }
}
