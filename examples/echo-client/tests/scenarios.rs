//! The client at both ends of calls that are answered later, refused, given up,
//! made on what is over, or left when one of two adapters goes.

#[path = "../../loopback-mcm/tests/support/mod.rs"]
mod support;

use echo_client::Redial;
use ndis_co::{Status, params::CallParametersBuf};
use ndis_host::Readings;
use support::*;

#[test]
fn the_callee_may_answer_later() {
    for seed in seeds(20) {
        let world = World::new(
            seed,
            Readings::default(),
            vec![slow_callee(), caller(3, 100)],
        );
        let adapter = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(5);
        let desk = world.clients[0].desk.clone();
        world.host.spawn("answer", move || {
            passive(|irql| assert!(desk.accept(irql).is_some()));
        });
        let seen = world.end(adapter);
        assert_eq!((seen[0].far, seen[1].near), (3, 3));
        assert_eq!(seen[1].ended[&0], [Ok(())]);
    }
}

#[test]
fn the_callee_may_refuse_later() {
    let world = World::new(5, Readings::default(), vec![slow_callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    world.host.run_for(5);
    let desk = world.clients[0].desk.clone();
    world.host.spawn("answer", move || {
        passive(|irql| assert!(desk.refuse(Status::REQUEST_ABORTED, irql)));
    });
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::REQUEST_ABORTED)]);
}

#[test]
fn a_call_that_nobody_answers_is_given_up() {
    let world = World::new(6, Readings::default(), vec![slow_callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    // Longer than the switch lets a call ring; then the callee wakes up.
    world.host.run_for(60_000);
    let desk = world.clients[0].desk.clone();
    world.host.spawn("answer", move || {
        passive(|irql| assert!(desk.accept(irql).is_some()));
    });
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::DEST_OUT_OF_ORDER)]);
}

/// A VC that was kept while its address family was closed leads nowhere, and
/// says so (rules AF-29, VC-25).
#[test]
fn a_call_on_a_vc_whose_family_is_closed_fails() {
    let world = World::new(9, Readings::default(), vec![callee(), caller(3, 100)]);
    let adapter = world.start();
    let desk = world.clients[1].desk.clone();
    let script = world.clients[1].script.clone();
    world.host.spawn("late", move || {
        passive(|irql| {
            let parameters = CallParametersBuf::builder().build().unwrap();
            let vc = desk.create_vc(5, irql).unwrap();
            vc.af().close(irql);
            drop(vc.make_call(parameters, irql));
            drop(script);
        });
    });
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&5], [Err(Status::CLOSING)]);
}

/// A frame that is whole, but is not the one that is due, is noticed at both
/// ends.
#[test]
fn a_frame_that_is_not_due_is_a_mismatch() {
    let mut script = caller(3, 100);
    script.ahead = 1;
    let world = World::new(10, Readings::default(), vec![callee(), script]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapter);
    assert_eq!((seen[0].far, seen[0].mismatches), (3, 3));
    assert_eq!((seen[1].near, seen[1].mismatches), (3, 3));
    assert_eq!(seen[1].ended[&0], [Ok(())]);
}

/// Calls placed and taken by the same client, in many orders.
#[test]
fn a_client_may_call_itself() {
    for seed in seeds(20) {
        let mut script = callee();
        script.frames = 3;
        script.frame_len = 100;
        let world = World::new(seed, Readings::default(), vec![script]);
        let adapter = world.start();
        world.call(0, 0, CALLEE);
        world.call(0, 1, CALLEE);
        let seen = world.end(adapter);
        assert_eq!((seen[0].far, seen[0].near, seen[0].mismatches), (6, 6, 0));
        assert!(seen[0].ended.values().all(|ended| *ended == [Ok(())]));
    }
}

/// A number that nobody has, so that a call to it fails.
const NOBODY: u32 = 99;

/// In milliseconds.
const HOUR: u32 = 3_600_000;

/// A caller whose failed calls are placed to `number`, after a while.
fn redialler(number: u32, after: u32) -> Script {
    let mut script = caller(3, 100);
    script.redial = Some(Redial { number, after });
    script
}

/// The adapter or the client goes while calls wait to be placed again: each ends
/// once, and the unbind does not wait for the timer.
#[test]
fn unbind_while_a_redial_is_pending() {
    for seed in seeds(100) {
        let script = redialler(CALLEE, HOUR);
        let world = World::new(seed, Readings::default(), vec![callee(), script]);
        let adapter = world.start();
        world.call(1, 0, NOBODY);
        world.call(1, 1, NOBODY);
        world.host.run_for(20);
        if seed % 2 == 0 {
            world.host.unload(&world.clients[1].driver);
        }
        world.host.remove_adapter(&adapter);
        // In units of 100 ns; without events, under Miri, this is not looked at.
        let now = world.host.events().last().map_or(0, |event| event.time);
        let seen = world.unload();
        assert!(now < u64::from(HOUR) * 10_000, "seed {seed}: it waited");
        assert_eq!((seen[0].rang, seen[1].redials), (0, 2), "seed {seed}");
        for call in 0..2 {
            let closing = [Err(Status::CLOSING)];
            assert_eq!(seen[1].ended[&call], closing, "seed {seed}");
        }
    }
}

/// The adapter or the client goes while one call waits to be placed again and
/// others are being placed, fail, or begin to wait.
#[test]
fn unbind_while_a_redial_is_under_way() {
    for seed in seeds(399) {
        let script = redialler(NOBODY, 1);
        let world = World::new(seed, Readings::default(), vec![script]);
        let adapter = world.start();
        world.call(0, 0, NOBODY);
        world.host.run_for(1);
        for call in 1..4 {
            world.call(0, call, NOBODY);
        }
        match seed % 3 {
            0 => world.host.remove_adapter(&adapter),
            1 => world.host.surprise_remove(&adapter),
            _ => {
                world.host.unload(&world.clients[0].driver);
                world.host.remove_adapter(&adapter);
            }
        }
        let seen = world.unload();
        for call in 0..4 {
            let closing = [Err(Status::CLOSING)];
            assert_eq!(seen[0].ended[&call], closing, "seed {seed}");
        }
    }
}

/// What waits on one adapter does not care that another one goes.
#[test]
fn a_redial_outlives_another_adapter() {
    for seed in seeds(20) {
        let script = redialler(CALLEE, 1_000);
        let world = World::new(seed, Readings::default(), vec![callee(), script]);
        let first = world.start();
        let second = world.start();
        world.call(1, 0, NOBODY);
        world.host.run_for(20);
        world.host.remove_adapter(&second);
        let seen = world.end(first);
        assert_eq!((seen[1].redials, seen[1].near), (1, 3), "seed {seed}");
        assert_eq!(seen[1].ended[&0], [Ok(())], "seed {seed}");
    }
}

/// One of two adapters goes while calls ring on the other one: they ring on.
#[test]
fn calls_ring_on_when_another_adapter_goes() {
    for seed in seeds(50) {
        let scripts = vec![slow_callee(), caller(3, 100)];
        let world = World::new(seed, Readings::default(), scripts);
        let first = world.start();
        let second = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(5);
        world.host.remove_adapter(&second);
        let desk = world.clients[0].desk.clone();
        world.host.spawn("answer", move || {
            passive(|irql| assert!(desk.accept(irql).is_some(), "seed {seed}"));
        });
        let seen = world.end(first);
        assert_eq!(seen[1].ended[&0], [Ok(())], "seed {seed}");
        assert_eq!((seen[1].near, seen[1].mismatches), (3, 0), "seed {seed}");
    }
}

/// One of two adapters goes at any moment of a call on the other one, which goes
/// well.
#[test]
fn calls_go_on_when_another_adapter_goes() {
    for seed in seeds(50) {
        let frames = if cfg!(miri) { 5 } else { 40 };
        let scripts = vec![callee(), caller(frames, 64)];
        let world = World::new(seed, Readings::default(), scripts);
        let first = world.start();
        let second = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(seed % 4);
        world.host.remove_adapter(&second);
        let seen = world.end(first);
        assert_eq!(seen[1].ended[&0], [Ok(())], "seed {seed}");
        assert_eq!((seen[1].near, seen[1].mismatches), (frames, 0));
    }
}

/// The adapter goes on which a call rings or is up: that call ends, and the next
/// one goes through the adapter that is left.
#[test]
fn the_adapter_that_is_left_takes_over() {
    for seed in seeds(50) {
        let mut callee = callee();
        if seed % 2 == 0 {
            callee = slow_callee();
        }
        let frames = if cfg!(miri) { 5 } else { 200 };
        let scripts = vec![callee, caller(frames, 64)];
        let world = World::new(seed, Readings::default(), scripts);
        let first = world.start();
        let second = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(1 + seed % 4);
        world.host.remove_adapter(&first);
        *world.clients[0].script.ring.lock().unwrap() = None;
        world.call(1, 1, CALLEE);
        let seen = world.end(second);
        assert_eq!(seen[1].ended[&0].len(), 1, "seed {seed}");
        assert_eq!(seen[1].ended[&1], [Ok(())], "seed {seed}");
        assert_eq!(seen[0].mismatches + seen[1].mismatches, 0, "seed {seed}");
    }
}
