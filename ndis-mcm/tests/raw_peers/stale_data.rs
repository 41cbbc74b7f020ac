//! A call manager uses its VC for the next call when the client has refused the one before
//! (the page of `NdisMCmDeactivateVc`: its creator may). The client had hung up with data
//! while that rang, and refused it then, so that nothing was closed: the data are of that
//! call, and do not go out with the close of the next one.

use super::phone::*;
use ndis_co::{
    Answer, Status,
    client::{IncomingCall, Vc},
    irql::UpToDispatch,
};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[derive(Default)]
struct HangsUp(AtomicBool);

impl Calls for HangsUp {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if !self.0.swap(true, SeqCst) {
            let data = b"for the first caller only";
            call.vc().hang_up(data, irql).unwrap();
            return call.refuse(Status::REQUEST_ABORTED);
        }
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }

    fn call_connected(&self, vc: &Vc<Phone<Self>>, irql: &mut UpToDispatch) {
        vc.hang_up(&[], irql).unwrap();
    }
}

#[test]
fn the_data_of_a_refused_call_go_nowhere() {
    let world = World::new(1, HangsUp::default());
    world.network(|mcm, _| {
        mcm.offer();
        mcm.refused();
        mcm.offer();
        mcm.connect();
    });
    world.host.run();
    assert_eq!(*world.mcm.line.closes.lock().unwrap(), [Vec::<u8>::new()]);
    world.end_clean();
}
