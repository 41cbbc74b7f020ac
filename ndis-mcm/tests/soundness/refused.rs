//! A close that the call manager refuses: case `refused_close`.
//!
//! The call goes on (rule CALL-57), and so does what was announced: the client was
//! told of the end once (rule CALL-61), and no data comes after it (rule CALL-63).

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Refuses the first closes.
struct Refuses {
    left: AtomicU32,
    refused: AtomicU32,
}

impl Refuses {
    fn times(times: u32) -> Self {
        Self {
            left: AtomicU32::new(times),
            refused: AtomicU32::new(0),
        }
    }
}

impl Switch for Refuses {
    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let left = self
            .left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            return request.finish(irql);
        }
        self.refused.fetch_add(1, SeqCst);
        request.refuse(Status::INVALID_DATA)
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Told {
    ends: AtomicU32,
    received: AtomicU32,
    closed: AtomicU32,
}

impl Phone for Told {
    const LISTENS: bool = true;

    fn incoming_close(
        &self,
        _vc: &Leg<Handset<Self>>,
        _status: Status,
        _data: &[u8],
        _irql: &mut UpToDispatch,
    ) {
        self.ends.fetch_add(1, SeqCst);
    }

    fn call_closed(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {
        self.closed.fetch_add(1, SeqCst);
    }

    fn receive(
        &self,
        _vc: &Leg<Handset<Self>>,
        _lists: Received<'_, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) {
        self.received.fetch_add(1, SeqCst);
    }
}

/// Indicates a list, and says what came of it.
fn indicate(vc: &Vc<Exchange<Refuses>>, irql: &mut Passive) -> Result<(), Status> {
    let mut list = vc.base().pool.allocate(4).unwrap();
    list.set_data(b"late").unwrap();
    vc.indicate_receive(list.into(), irql)
        .map_err(|refused| refused.status)
}

/// Case `refused_close`: after the announced end neither data nor a second end
/// reaches the client, however often its close is refused.
#[test]
fn a_refused_close_keeps_the_announced_end() {
    let mut between = 0;
    for placed in [true, false] {
        for seed in seeds(12) {
            let world = World::seed(seed, Refuses::times(3), Told::default());
            if placed {
                world.place_call();
            } else {
                world.ring(b"an offer");
            }
            world.host.run();
            let exchange = world.exchange.clone();
            let tried = Arc::new(Notes::default());
            let notes = tried.clone();
            world.thread("network", move |irql| {
                let vc = exchange.vc.take().unwrap();
                assert!(vc.is_connected());
                assert_eq!(
                    vc.dispatch_incoming_close(Status::SUCCESS, &[], irql),
                    Ok(())
                );
                for _ in 0..6 {
                    let late = indicate(&vc, irql);
                    let again = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
                    let refused = exchange.switch.refused.load(SeqCst);
                    notes.add((late, again, refused, vc.is_connected()));
                    let_others_run(|| exchange.switch.refused.load(SeqCst) > refused);
                    // The client tries again after a millisecond.
                    if notes.all().len() % 2 == 0 {
                        sleep(1, irql);
                    }
                }
            });
            world.host.run();
            for (late, again, refused, connected) in tried.all() {
                assert_eq!(late, Err(Status::CLOSING), "seed {seed}");
                assert_eq!(again, Err(Status::CLOSING), "seed {seed}");
                between += usize::from(connected && refused > 0);
            }
            let told = &world.handset.phone;
            assert_eq!(told.ends.load(SeqCst), 1, "seed {seed}");
            assert_eq!(told.received.load(SeqCst), 0, "seed {seed}");
            assert_eq!(told.closed.load(SeqCst), 1, "seed {seed}");
            assert_eq!(world.exchange.switch.refused.load(SeqCst), 3);
            world.end_clean();
        }
    }
    assert!(
        between > 0,
        "nothing was tried on a call whose close was refused"
    );
}

/// A refused close without an announced end: the call goes on as it was, data
/// included, and the end may be announced once.
#[test]
fn a_refused_close_of_the_clients_own_leaves_the_call_up() {
    for seed in seeds(12) {
        // More than the client tries before the network is done.
        let world = World::seed(seed, Refuses::times(20), Told::default());
        world.place_call();
        world.host.run();
        let (exchange, handset) = (world.exchange.clone(), world.handset.clone());
        let outcome = Arc::new(Notes::default());
        let notes = outcome.clone();
        world.thread("both ends", move |irql| {
            handset.vc.get().unwrap().hang_up(&[], irql).unwrap();
            let refused = || exchange.switch.refused.load(SeqCst) > 0;
            assert!(wait_until(refused, irql));
            let vc = exchange.vc.take().unwrap();
            notes.add(indicate(&vc, irql));
            let mut ends = 0;
            for _ in 0..3 {
                let end = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
                ends += u32::from(end.is_ok());
            }
            assert_eq!(ends, 1);
        });
        world.host.run();
        assert_eq!(outcome.all(), [Ok(())], "seed {seed}");
        let told = &world.handset.phone;
        assert_eq!(told.received.load(SeqCst), 1, "seed {seed}");
        assert!(told.ends.load(SeqCst) <= 1, "seed {seed}");
        assert_eq!(told.closed.load(SeqCst), 1, "seed {seed}");
        world.end_clean();
    }
}

/// A call manager that never closes a call holds the client's unbind for ever, as it
/// would on Windows: the client goes on asking, its family is not closed with a call
/// up (rule AF-29), and the run ends with the name of the call.
#[test]
#[cfg_attr(miri, ignore = "thousands of closes, and nothing unsafe in them")]
fn a_close_that_is_always_refused_is_named() {
    for seed in seeds(2) {
        let world = World::seed(seed, Refuses::times(u32::MAX), Told::default());
        world.place_call();
        world.host.run();
        let handset = world.handset.clone();
        world.thread("user", move |irql| {
            handset.vc.get().unwrap().hang_up(b"bye", irql).unwrap();
        });
        // Nobody waits for the end of the call yet.
        world.host.run();
        let refused = world.exchange.switch.refused.load(SeqCst);
        assert!(refused > 100, "seed {seed}: asked {refused} times");

        let adapter = world.adapter.as_ref().unwrap();
        let host = &world.host;
        // The client's, which cannot come to an end without the call manager.
        host.expect("BIND-10");
        let stuck = catch_unwind(AssertUnwindSafe(|| host.remove_adapter(adapter))).unwrap_err();
        let stuck = stuck.downcast::<String>().unwrap();
        for part in [
            "deadlock",
            "in MiniportHaltEx of switch",
            "its close was refused",
        ] {
            assert!(stuck.contains(part), "seed {seed}: {stuck}");
        }
        world.exchange.switch.left.store(0, SeqCst);
        world.host.run();
        let mut report = world.end();
        assert_eq!(report.deadlocks.len(), 1, "seed {seed}: {report}");
        report.deadlocks.clear();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}
