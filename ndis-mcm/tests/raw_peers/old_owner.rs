//! A call manager uses its VC for the next call, which the page of
//! `ProtocolClCloseCallComplete` tells the client to be ready for (rule CALL-56). The owner
//! of the first call, [`Call`], is dropped then: it ends its own call, which is over, and
//! nobody else's.

use super::{phone::*, *};
use ndis_co::{
    Answer,
    client::{Call, IncomingCall},
    irql::UpToDispatch,
};

/// Takes every call, and owns it.
#[derive(Default)]
struct Owns(Mutex<Vec<Call<'static, Phone<Self>>>>);

impl Calls for Owns {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, call) = call.accept();
        self.0.lock().unwrap().push(call);
        answer
    }
}

#[test]
fn who_gives_up_an_old_call_does_not_hang_up_the_next_one() {
    for closes in [false, true] {
        let world = World::new(1, Owns::default());
        world.network(|mcm, _| {
            mcm.offer();
            mcm.connect();
            mcm.end_call();
        });
        world.host.run();
        world.network(|mcm, _| {
            mcm.offer();
            mcm.connect();
        });
        world.host.run();
        let desk = world.desk.clone();
        thread(&world.host, "user", move |irql| {
            let old = desk.calls.0.lock().unwrap().remove(0);
            if closes {
                old.close(b"of the first call", irql).unwrap();
            } else {
                drop(old);
            }
        });
        world.host.run();
        let desk = world.desk.clone();
        world.network(move |mcm, irql| {
            assert_eq!(mcm.line.closes.lock().unwrap().len(), 1, "the first one");
            let call = desk.calls.0.lock().unwrap().pop().unwrap();
            assert!(call.is_connected());
            call.close(b"of the second", irql).unwrap();
            wait_until(|| mcm.line.closes.lock().unwrap().len() == 2, irql);
            assert_eq!(mcm.line.closes.lock().unwrap()[1], b"of the second");
        });
        world.host.run();
        world.end_clean();
    }
}
