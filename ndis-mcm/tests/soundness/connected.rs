//! While the call manager is told that its call is up, nothing of the call goes away:
//! not its activation, not its VC, not the adapter. Whoever closes the call meanwhile
//! waits, however many threads the close is spread over.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A switch whose `call_connected` takes its time, and whose closes are finished by
/// another thread.
#[derive(Default)]
struct Slow {
    /// `call_connected` runs.
    telling: AtomicBool,
    told: AtomicBool,
    closing: Place<PendingCloseCall<Exchange<Self>>>,
    /// The client's close came while the driver was told.
    closed_meanwhile: AtomicBool,
    overtaken: Notes<&'static str>,
}

impl Slow {
    fn check(&self, what: &'static str) {
        if self.telling.load(SeqCst) {
            self.overtaken.add(what);
        }
    }
}

impl Switch for Slow {
    fn call_connected(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.telling.store(true, SeqCst);
        let_others_run(|| !self.overtaken.all().is_empty());
        self.telling.store(false, SeqCst);
        self.told.store(true, SeqCst);
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.telling.load(SeqCst) {
            self.closed_meanwhile.store(true, SeqCst);
        }
        let (answer, token) = request.pend();
        self.closing.put(token);
        answer
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.check("deleted");
    }

    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        self.check("halted");
    }
}

/// The client hangs up and the adapter is removed while the driver is told.
#[test]
fn nothing_of_a_call_goes_while_its_driver_is_told() {
    let mut meanwhile = 0;
    for seed in seeds(60) {
        let world = World::seed(seed, Slow::default(), PlainPhone);
        let exchange = world.exchange.clone();
        world.thread("line", move |irql| {
            let closing = &exchange.switch.closing;
            spin_or_wait(|| !closing.is_empty(), irql);
            closing.take().unwrap().finish(irql);
        });
        let (exchange, handset) = (world.exchange.clone(), world.handset.clone());
        world.thread("user", move |irql| {
            let switch = &exchange.switch;
            if !let_others_run(|| switch.telling.load(SeqCst)) {
                wait_until(|| switch.told.load(SeqCst), irql);
            }
            handset.vc.get().unwrap().hang_up(&[], irql).unwrap();
        });
        world.place_call();
        world.host.run();
        let exchange = world.exchange.clone();
        assert!(exchange.switch.told.load(SeqCst), "seed {seed}");
        if exchange.switch.closed_meanwhile.load(SeqCst) {
            meanwhile += 1;
        }
        world.end_clean();
        assert_eq!(exchange.switch.overtaken.all(), [""; 0], "seed {seed}");
    }
    if !cfg!(miri) {
        assert!(meanwhile > 0, "no close came while the driver was told");
    }
}
