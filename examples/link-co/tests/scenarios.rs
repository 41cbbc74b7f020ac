//! Whole lives of a link of two adapters, with a call manager of safe code above both and a
//! client at each end.

mod support;

use ndis_co::{Status, sys as ndis_sys};
use ndis_host::{Builder, Host, Readings, Report};
use support::World;

fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

fn builder(seed: u64) -> Builder {
    Host::builder().seed(seed)
}

#[track_caller]
fn clean(report: &Report) {
    assert!(report.is_clean(), "{report}");
}

/// Both ends say something on each call, and hear it on the same one.
fn talk(world: &World, calls: usize) {
    for side in [0, 1] {
        assert_eq!(world.phones[side].0.calls().len(), calls, "calls are up");
        world.use_phone(side, |phone, irql| {
            for (number, vc) in phone.calls().iter().enumerate() {
                phone.say(vc, &[number as u8; 600], irql);
            }
        });
    }
    let frames: Vec<_> = (0..calls).map(|number| vec![number as u8; 600]).collect();
    for heard in world.heard() {
        assert_eq!(heard, frames);
    }
}

fn life(seed: u64, readings: Readings) {
    let world = World::new(builder(seed).readings(readings).build());
    for round in 0..2 {
        for _ in 0..2 {
            world.call();
        }
        // Slow and fast activations alternate, so every VC is in either role.
        talk(&world, 2);
        world.use_phone(round, |phone, irql| phone.hang_up(irql));
        for (phone, _) in &world.phones {
            assert!(phone.calls().is_empty());
            assert!(phone.failures().is_empty());
            assert_eq!(phone.sent(), 2 * (round + 1));
        }
    }
    clean(&world.down());
}

#[test]
fn a_life_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 100 } else { 1 }) {
        for seed in seeds(6) {
            life(seed, readings);
        }
    }
}

/// A number that another VC has at that end is refused, and the call with it.
#[test]
fn a_number_is_one_vcs() {
    for seed in seeds(20) {
        let world = World::new(builder(seed).build());
        world.call();
        world.exchange.0.dial_wrong(1);
        world.call();
        assert_eq!(world.phones[0].0.failures(), [Status::INVALID_DATA]);
        talk(&world, 1);
        clean(&world.down());
    }
}

/// A cable without a plug at the other end: what is sent is lost, and the sender goes on.
#[test]
fn what_nobody_takes_is_lost() {
    for seed in seeds(20) {
        let world = World::new(builder(seed).build());
        // The callee's number is not the caller's.
        world.exchange.0.dial_wrong(77);
        world.call();
        world.use_phone(0, |phone, irql| {
            phone.say(&phone.calls()[0], b"hello?", irql)
        });
        assert_eq!(world.phones[0].0.sent(), 1);
        assert!(world.heard().iter().all(Vec::is_empty));
        clean(&world.down());
    }
}

/// Everybody talks at once, and hangs up at once, over all processors.
#[test]
fn all_at_once() {
    for seed in seeds(60) {
        let world = World::new(builder(seed).preemption(1, 2).build());
        for _ in 0..3 {
            world.call();
        }
        for side in [0, 1, 0, 1] {
            world.spawn(side, |phone, irql| {
                for vc in phone.calls() {
                    phone.say(&vc, b"word", irql);
                }
            });
        }
        world.host.run();
        for heard in world.heard() {
            assert_eq!(heard.len(), 6);
        }
        for side in [0, 1] {
            world.spawn(side, |phone, irql| phone.hang_up(irql));
        }
        world.host.run();
        clean(&world.down());
    }
}

/// One end goes in the middle of a call, without notice.
#[test]
fn an_end_goes() {
    for seed in seeds(20) {
        for side in [0, 1] {
            let mut world = World::new(builder(seed).preemption(1, 3).build());
            world.call();
            talk(&world, 1);
            let end = world.ends.remove(side);
            world.host.surprise_remove(&end);
            world.host.run();
            clean(&world.down());
        }
    }
}

/// A device goes to D3 while an activation waits there for its moment, which is cut short (rule
/// OID-63); when it is back, the call is up and carries data.
#[test]
fn a_slow_activation_while_the_device_sleeps() {
    for seed in seeds(20) {
        for side in [0, 1] {
            let world = World::new(builder(seed).build());
            // At either end the second activation is slow: first the callee's waits, then the caller's.
            world.call();
            world.spawn(0, |phone, irql| phone.call(irql).expect("a call"));
            world.host.run_for([2, 0][side]);
            assert_eq!(world.phones[0].0.calls().len(), 1, "one waits");
            for state in [ndis_sys::NdisDeviceStateD3, ndis_sys::NdisDeviceStateD0] {
                world.host.set_power(&world.ends[side], state).unwrap();
            }
            world.host.run();
            talk(&world, 2);
            clean(&world.down());
        }
    }
}

/// Memory may run out anywhere.
#[test]
fn a_call_may_fail_for_want_of_memory() {
    for seed in seeds(40) {
        let world = World::new(builder(seed).build());
        world.host.fail_allocation(seed + 1);
        // Whatever comes of it.
        world.use_phone(0, |phone, irql| _ = phone.call(irql));
        clean(&world.down());
    }
}

/// Little of the stack is left, now and then: what does not fit is left to work items, or fails.
#[test]
fn little_of_the_stack() {
    for seed in seeds(100) {
        let world = World::new(builder(seed).preemption(1, 3).low_stack(1, 3).build());
        for _ in 0..3 {
            world.use_phone(0, |phone, irql| _ = phone.call(irql));
        }
        for side in [0, 1] {
            world.use_phone(side, |phone, irql| {
                for vc in phone.calls() {
                    let _ = phone.try_say(&vc, b"word", irql);
                }
            });
        }
        world.use_phone(0, |phone, irql| phone.hang_up(irql));
        clean(&world.down());
    }
}
