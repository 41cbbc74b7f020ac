//! The client at both ends of calls that are answered later, refused, given up,
//! or made on what is over.

#[path = "../../loopback-mcm/tests/support/mod.rs"]
mod support;

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
        passive(|irql| assert!(desk.refuse(Status::NOT_ACCEPTED, irql)));
    });
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::NOT_ACCEPTED)]);
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
