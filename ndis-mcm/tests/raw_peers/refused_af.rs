//! A call manager refuses the close of a family on which a connection is open, as the page
//! of `ProtocolCmCloseAf` lets it (rule AF-36). The client asks again, but leaves the others
//! time to end that connection.

use super::{phone::*, *};
use std::sync::atomic::Ordering::SeqCst;

struct Plain;
impl Calls for Plain {}

#[test]
fn a_refused_close_of_a_family_is_tried_a_little_later() {
    for seed in seeds(20) {
        let world = World::new(seed, Plain);
        let desk = world.desk.clone();
        world.network(move |mcm, irql| {
            let af = desk.af.lock().unwrap().take().unwrap();
            af.close(irql);
            // The connection ends by itself.
            sleep(10, irql);
            mcm.close_line();
        });
        world.host.run();
        let refused = world.mcm.line.refused.load(SeqCst);
        assert!((1..20).contains(&refused), "seed {seed}: {refused} times");
        world.end_clean();
    }
}
