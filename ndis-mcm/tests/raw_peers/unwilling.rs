//! A client answers that it will not close its family (the page of
//! `ProtocolCmNotifyCloseAfComplete`, rule AF-43). A halt asks it again, for it cannot end
//! before.

use super::{trunk::*, *};
use crate::raw::Client;
use ndis_co::irql::UpToDispatch;
use ndis_host::{NotifyClose, Readings};
use ndis_mcm::{Af, Vc};
use std::sync::atomic::Ordering::SeqCst;

struct Plain;
impl Switch for Plain {}

/// Has the family of its call.
#[derive(Default)]
struct Caught(Mutex<Option<Af<Trunk<Self>>>>);

impl Switch for Caught {
    fn call_connected(&self, vc: &Vc<Trunk<Self>>, _: &mut UpToDispatch) {
        *self.0.lock().unwrap() = Some(vc.af());
    }
}

/// A client says so by the completion, within the handler, and takes its time to return: it is
/// not asked again before it has, for the family's handle is in use until then.
#[test]
fn a_client_is_asked_once_at_a_time() {
    let readings = Readings {
        notify_close: NotifyClose::HaltFirst,
        ..raw::plain()
    };
    for seed in seeds(100) {
        let world = World::under(seed, readings, Caught::default());
        world.client(Client::call);
        world.host.run();
        world.client(Client::hang_up);
        world.host.run();
        let client = world.client.shared.clone();
        let af = world.switch.0.lock().unwrap().take().unwrap();
        // Once before, so that it is told at once from then on.
        client.unwilling.store(1, SeqCst);
        let first = af.clone();
        world.host.spawn("asker", move || first.notify_close());
        world.host.run();
        client.hesitant.store(1, SeqCst);
        // The driver asks, and in the middle of that the halt does.
        world.host.spawn("asker", move || af.notify_close());
        world.end_clean();
        assert_eq!(client.overlaps.load(SeqCst), 0, "seed {seed}");
    }
}

#[test]
fn a_halt_asks_until_the_client_closes() {
    let readings = Readings {
        // Clients are not unbound before.
        notify_close: NotifyClose::HaltFirst,
        ..raw::plain()
    };
    for seed in seeds(20) {
        for unwilling in [0, 1, 4] {
            let world = World::under(seed, readings, Plain);
            let client = world.client.shared.clone();
            client.unwilling.store(unwilling, SeqCst);
            world.end_clean();
            assert_eq!(client.asked.load(SeqCst), unwilling + 1, "seed {seed}");
        }
    }
}
