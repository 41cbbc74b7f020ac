//! A call manager uses its VC for the next call when the client has refused the one before
//! (the page of `NdisMCmDeactivateVc`: its creator may). The client had hung up with data
//! while that rang, and refused it then, so that nothing was closed: the data are of that
//! call, and do not go out with the close of the next one, which has its own.

use super::{phone::*, *};
use ndis_co::{
    Answer, Status,
    client::{IncomingCall, Vc},
    irql::UpToDispatch,
};

/// Hangs up the first call and refuses it; keeps its VC.
#[derive(Default)]
struct HangsUp(Mutex<Option<Vc<Phone<Self>>>>);

impl Calls for HangsUp {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.0.lock().unwrap().is_none() {
            call.vc().hang_up(b"of the first", irql).unwrap();
            let vc = call.vc().clone();
            let answer = call.refuse(Status::REQUEST_ABORTED);
            *self.0.lock().unwrap() = Some(vc);
            return answer;
        }
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }
}

/// The second call is hung up with `data`: when it is up, or by a user who tries from the
/// first refusal on.
fn what_is_sent(seed: u64, data: &'static [u8], impatient: bool) -> Vec<Vec<u8>> {
    let world = World::new(seed, HangsUp::default());
    world.network(|mcm, _| {
        mcm.offer();
        mcm.refused();
        mcm.offer();
        mcm.connect();
    });
    if !impatient {
        world.host.run();
    }
    let desk = world.desk.clone();
    world.network(move |mcm, irql| {
        wait_until(|| desk.calls.0.lock().unwrap().is_some(), irql);
        let vc = desk.calls.0.lock().unwrap().clone().unwrap();
        for _ in 0..1000 {
            vc.hang_up(data, irql).unwrap();
            if !mcm.line.closes.lock().unwrap().is_empty() {
                break;
            }
        }
        let kept = desk.calls.0.lock().unwrap().take();
        drop((vc, kept));
    });
    world.host.run();
    let sent = world.mcm.line.closes.lock().unwrap().clone();
    world.end_clean();
    sent
}

#[test]
fn the_data_of_a_refused_call_go_nowhere() {
    assert_eq!(what_is_sent(1, &[], false), [b""]);
}

#[test]
fn the_next_call_takes_its_own() {
    for seed in seeds(200) {
        let sent = what_is_sent(seed, b"of the second", true);
        assert_eq!(sent, [b"of the second"], "seed {seed}");
    }
}
