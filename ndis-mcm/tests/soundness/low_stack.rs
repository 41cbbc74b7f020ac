//! What little of the stack may put off, and what it may not change.
//!
//! Everything that runs the peer's code may be left to a work item. The host says at
//! random that little is left ([`Builder::low_stack`]), so that this happens
//! anywhere. What the driver was promised holds all the same: data may flow from
//! `call_connected` on, and nothing is begun on a family that was closed.

use super::*;
use ndis_co::{indication::LinkState, wan::LinkParameters};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A switch that greets the client on every call that is up.
#[derive(Default)]
struct Greets {
    connected: AtomicU32,
    greeted: AtomicU32,
    early: Notes<Status>,
}

/// Indicates a list.
pub(super) fn greet<S: Switch>(
    vc: &Vc<Exchange<S>>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    let mut list = vc.base().pool.allocate(4).unwrap();
    list.set_data(b"ello").unwrap();
    vc.indicate_receive(list.into(), irql)
        .map_err(|refused| refused.status)
}

impl Switch for Greets {
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let vc = call.vc().clone();
        let early = greet(&vc, irql);
        assert!(early.is_err(), "the client does not know of its call yet");
        assert!(call.connect(irql));
        // The client may not have been told.
        match greet(&vc, irql) {
            Ok(()) => _ = self.greeted.fetch_add(1, SeqCst),
            Err(status) => self.early.add(status),
        }
    }

    fn call_connected(&self, vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        self.connected.fetch_add(1, SeqCst);
        // Refused, if at all, for want of stack only.
        match greet(vc, irql) {
            Ok(()) => _ = self.greeted.fetch_add(1, SeqCst),
            Err(status) => assert_eq!(status, Status::RESOURCES),
        }
    }
}

/// A phone that counts what it receives, and that calls on a family it has closed.
#[derive(Default)]
struct Listens {
    received: AtomicU32,
    failed: Notes<Status>,
}

impl Phone for Listens {
    const LISTENS: bool = true;

    fn call_failed(&self, _vc: &Leg<Handset<Self>>, status: Status, _irql: &mut UpToDispatch) {
        self.failed.add(status);
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

/// A call is up for the driver when the client knows of it, and not before: placed
/// or offered, with any stack.
#[test]
fn data_flows_from_the_connection_on() {
    let mut early = 0;
    for placed in [true, false] {
        for seed in seeds(60) {
            let builder = Host::builder().seed(seed).low_stack(1, 2);
            let world = World::new(builder, Greets::default(), Listens::default());
            if placed {
                world.place_call();
            } else {
                world.ring(b"an offer");
            }
            world.host.run();
            let switch = &world.exchange.switch;
            assert_eq!(switch.connected.load(SeqCst), 1, "seed {seed}");
            let received = world.handset.phone.received.load(SeqCst);
            assert_eq!(received, switch.greeted.load(SeqCst), "seed {seed}");
            for status in switch.early.all() {
                let known = [Status::INVALID_STATE, Status::RESOURCES].contains(&status);
                assert!(known, "seed {seed}: {status:?}");
                early += u32::from(status == Status::INVALID_STATE);
            }
            world.end_clean();
        }
    }
    assert!(early > 0 || cfg!(miri), "no connection was left for later");
}

/// Once `close` has returned, no call is placed on the family, though its teardown
/// has not begun.
#[test]
fn a_closed_family_places_no_call() {
    for seed in seeds(60) {
        let builder = Host::builder().seed(seed).low_stack(1, 2);
        let world = World::new(builder, Greets::default(), Listens::default());
        let handset = world.handset.clone();
        world.thread("caller", move |irql| {
            let af = handset.af.get().unwrap();
            let vc = insist(|| af.create_vc(None, irql));
            af.close(irql);
            let _ = vc.make_call(parameters(b"too late"), irql).keep();
        });
        world.host.run();
        assert_eq!(world.exchange.switch.connected.load(SeqCst), 0);
        for status in world.handset.phone.failed.all() {
            assert_eq!(status, Status::CLOSING, "seed {seed}");
        }
        world.end_clean();
    }
}

/// A switch that says on each call that its link has come up, and of what kind the line is.
#[derive(Default)]
struct Says {
    /// Of the adapter, and of the call: what was said, and what was refused.
    said: [AtomicU32; 2],
    refused: [AtomicU32; 2],
}

impl Says {
    fn note(&self, which: usize, said: Result<(), Status>) {
        match said {
            Ok(()) => _ = self.said[which].fetch_add(1, SeqCst),
            Err(status) => {
                assert_eq!(status, Status::RESOURCES);
                self.refused[which].fetch_add(1, SeqCst);
            }
        }
    }
}

impl Switch for Says {
    fn call_connected(&self, vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        let line = LinkParameters {
            transmit_speed: 8000,
            receive_speed: 8000,
            send_window: 4,
        };
        for _ in 0..4 {
            self.note(0, vc.base().indicate(&LinkState::connected(64_000), irql));
            self.note(1, vc.indicate(&line, irql));
        }
    }
}

/// Who hears of a status may have the driver indicate another one: of the adapter as of a call it
/// is refused while there is stack left.
#[test]
fn a_status_is_refused_before_the_stack_is_used_up() {
    let mut all = [0; 4];
    for seed in seeds(20) {
        let builder = Host::builder().seed(seed).low_stack(1, 2);
        let world = World::new(builder, Says::default(), Listens::default());
        world.place_call();
        world.host.run();
        let switch = &world.exchange.switch;
        let counts = switch.said.iter().chain(&switch.refused);
        for (all, count) in all.iter_mut().zip(counts) {
            *all += count.load(SeqCst);
        }
        world.end_clean();
    }
    assert!(cfg!(miri) || all.iter().all(|count| *count > 0), "{all:?}");
}
