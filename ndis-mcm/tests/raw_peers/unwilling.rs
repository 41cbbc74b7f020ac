//! A client answers that it will not close its family (the page of
//! `ProtocolCmNotifyCloseAfComplete`, rule AF-43). A halt asks it again, for it cannot end
//! before.

use super::{trunk::*, *};
use ndis_host::{NotifyClose, Readings};
use std::sync::atomic::Ordering::SeqCst;

struct Plain;
impl Switch for Plain {}

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
