//! A client places its second call on the same VC (the page of `ProtocolClCloseCallComplete`,
//! rule CALL-55), and that within the completion of the first one, which it closes as soon as
//! it is up. When that completion returns the call manager's driver is told of its call,
//! once, and not of one that the client does not know of yet.

use super::{trunk::*, *};
use ndis_co::irql::UpToDispatch;
use ndis_mcm::*;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

#[derive(Default)]
struct Answers {
    tokens: Mutex<Vec<PendingMakeCall<Trunk<Self>>>>,
    calls: AtomicU32,
    /// The client knows that its second call is up.
    known: Arc<AtomicBool>,
    /// Each time that the driver was told of the second one: whether the client knew, and
    /// what came of data for it.
    told: Mutex<Vec<(bool, Result<(), Status>)>>,
}

impl Switch for Answers {
    fn make_call<'r>(
        &self,
        request: MakeCall<'r, Trunk<Self>>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        self.tokens.lock().unwrap().push(token);
        self.calls.fetch_add(1, SeqCst);
        answer
    }

    fn call_connected(&self, vc: &Vc<Trunk<Self>>, irql: &mut UpToDispatch) {
        let known = self.known.load(SeqCst);
        let mut list = vc.base().allocate(4).unwrap();
        list.set_data(b"data").unwrap();
        let done = vc.indicate_receive(list.into(), irql);
        if self.calls.load(SeqCst) == 2 {
            let done = done.map_err(|refused| refused.status);
            self.told.lock().unwrap().push((known, done));
        }
    }
}

#[test]
fn a_call_is_told_once_and_not_before_its_client_knows() {
    for seed in seeds(100) {
        let world = World::new(seed, Answers::default());
        let answered = Arc::new(AtomicBool::new(false));
        let (client, second) = (world.client.clone(), answered.clone());
        let known = world.switch.known.clone();
        let when_up = move || {
            let again = client.clone();
            *client.shared.when_closed.lock().unwrap() = Some(Box::new(move || {
                *again.shared.when_up.lock().unwrap() =
                    Some(Box::new(move || known.store(true, SeqCst)));
                again.call_again();
            }));
            client.hang_up();
            // The completion of the first call takes a little longer than that.
            let_others_run(|| second.load(SeqCst));
            let mut turns = 0..seed % 40;
            let_others_run(|| turns.next().is_none());
        };
        *world.client.shared.when_up.lock().unwrap() = Some(Box::new(when_up));
        world.client(|client| client.call());
        for nth in 1..=2 {
            let (switch, second) = (world.switch.clone(), answered.clone());
            thread(&world.host, "network", move |irql| {
                wait_until(|| switch.calls.load(SeqCst) == nth, irql);
                let token = switch.tokens.lock().unwrap().pop().unwrap();
                second.store(nth == 2, SeqCst);
                token.accept(irql);
            });
        }
        world.host.run();
        let told = world.switch.told.lock().unwrap().clone();
        assert_eq!(told, [(true, Ok(()))], "seed {seed}");
        world.client(|client| client.hang_up());
        world.host.run();
        world.end_clean();
    }
}
