//! The switch with two clients, step by step and under every reading.

mod support;

use echo_client::Ring;
use ndis_co::Status;
use ndis_host::Readings;
use support::*;

/// One call that carries frames both ways and hangs up.
fn one_call(seed: u64, readings: Readings) {
    let world = World::new(seed, readings, vec![callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapter);
    assert_eq!(seen[0].listening, [Ok(())]);
    assert_eq!((seen[0].rang, seen[0].far), (1, 3));
    assert_eq!((seen[1].near, seen[1].mismatches), (3, 0));
    assert_eq!(seen[1].ended[&0], [Ok(())]);
}

#[test]
fn a_call_carries_frames_and_hangs_up() {
    one_call(1, Readings::default());
}

#[test]
fn a_call_goes_well_under_every_reading() {
    for readings in Readings::all() {
        for seed in 0..if cfg!(miri) { 1 } else { 8 } {
            println!("seed {seed}, {}", readings.describe());
            one_call(seed, readings);
        }
    }
}

#[test]
fn nobody_there_refuses_the_call() {
    let world = World::new(3, Readings::default(), vec![callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, 99);
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::NO_ROUTE_TO_DESTINATION)]);
}

#[test]
fn the_callee_may_refuse() {
    let mut script = callee();
    *script.ring.get_mut().unwrap() = Some(Ring::Refuse(Status::NOT_ACCEPTED));
    let world = World::new(4, Readings::default(), vec![script, caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::NOT_ACCEPTED)]);
}
