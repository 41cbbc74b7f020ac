//! The call manager at both ends of a link, with clients, step by step and under every
//! reading.

mod support;

use echo_client::Ring;
use ndis_co::Status;
use ndis_host::Readings;
use support::*;

/// One call that carries frames both ways and hangs up.
fn one_call(seed: u64, readings: Readings, pends: bool) {
    let world = World::new(seed, readings, pends, vec![callee(), caller(3, 100)]);
    let adapters = world.start_both();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapters);
    assert_eq!(seen[0].listening, [Ok(()), Ok(())], "on each adapter");
    assert_eq!((seen[0].rang, seen[0].far), (1, 3));
    assert_eq!((seen[1].near, seen[1].mismatches), (3, 0));
    assert_eq!(ended(&seen[1], 0), [Ok(())]);
}

#[test]
fn a_call_goes_over_the_link_and_back() {
    one_call(1, Readings::default(), false);
}

#[test]
fn a_call_goes_well_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 400 } else { 1 }) {
        for seed in 0..if cfg!(miri) { 1 } else { 4 } {
            println!("seed {seed}, {}", readings.describe());
            one_call(seed, readings, seed % 2 == 1);
        }
    }
}

#[test]
fn nobody_there_refuses_the_call() {
    for seed in seeds(40) {
        let world = World::new(
            seed,
            Readings::default(),
            seed % 2 == 1,
            vec![callee(), caller(3, 100)],
        );
        let adapters = world.start_both();
        world.call(1, 0, 99);
        let seen = world.end(adapters);
        assert_eq!(ended(&seen[1], 0), [Err(Status::NO_ROUTE_TO_DESTINATION)]);
    }
}

#[test]
fn the_callee_may_refuse() {
    for seed in seeds(40) {
        let mut script = callee();
        *script.ring.get_mut().unwrap() = Some(Ring::Refuse(Status::REQUEST_ABORTED));
        let world = World::new(
            seed,
            Readings::default(),
            seed % 2 == 1,
            vec![script, caller(3, 100)],
        );
        let adapters = world.start_both();
        world.call(1, 0, CALLEE);
        let seen = world.end(adapters);
        assert_eq!(ended(&seen[1], 0), [Err(Status::REQUEST_ABORTED)]);
    }
}

/// Nobody answers the other end's call, or there is no other end.
#[test]
fn the_caller_gives_up_in_the_end() {
    for seed in seeds(20) {
        for ends in 1..=2 {
            let world = World::new(
                seed,
                Readings::default(),
                false,
                vec![slow_callee(), caller(3, 100)],
            );
            let adapters: Vec<_> = (0..ends).map(|_| world.start()).collect();
            world.call(1, 0, CALLEE);
            let seen = world.end(adapters);
            assert_eq!(ended(&seen[1], 0), [Err(Status::DEST_OUT_OF_ORDER)]);
            assert_eq!(seen[0].rang, ends - 1);
        }
    }
}

/// Without a signaling VC nobody is called.
#[test]
fn a_miniport_without_signaling() {
    for seed in seeds(20) {
        let world = World::mute(seed, vec![callee(), caller(3, 100)]);
        let adapters = [world.start()];
        world.call(1, 0, CALLEE);
        world.host.run();
        for adapter in &adapters {
            world.host.remove_adapter(adapter);
        }
        // The miniport's answer is one that is not documented, which is reported.
        let (seen, _) = world.down();
        assert_eq!(ended(&seen[1], 0), [Err(Status::DEST_OUT_OF_ORDER)]);
    }
}
