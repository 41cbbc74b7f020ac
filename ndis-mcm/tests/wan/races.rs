//! What two threads of a driver do to one call at the same moment: nothing of it is lost.

use super::{
    World, builder,
    modem::DIALLED,
    proxy::{Ring, passive},
    seeds,
};
use ndis_co::tapi::{ANY_ADDRESS, ANY_LINE, Disconnect};
use ndis_host::{NotifyClose, Readings};
use ndis_mcm::wan::{Direction, LinkParams};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// A call is among those of its adapter before its application is rung: who hangs it up then is not
/// told that nothing is left to do.
#[test]
fn a_call_is_hung_up_while_it_is_offered() {
    for seed in seeds(200) {
        let world = World::new(builder(seed).preemption(1, 2).build());
        *world.proxy.0.ring.lock().unwrap() = Ring::Later;
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        let hung_up = Arc::new(AtomicBool::new(false));
        let done = hung_up.clone();
        world.host.spawn("network", move || {
            let irql = &mut passive();
            loop {
                let mut calls = adapter.calls();
                while let Some(call) = calls.next(irql) {
                    if call.direction() == Direction::Incoming {
                        let _ = call.hang_up(Disconnect::NoAnswer, irql);
                        done.store(true, SeqCst);
                        return;
                    }
                }
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { ndis_sys::NdisMSleep(0) };
            }
        });
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || proxy.call(b"line 1"));
        world.host.run();
        assert!(hung_up.load(SeqCst));
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        let rings = adapter.calls().next(&mut passive()).is_some();
        drop(adapter);
        assert!(!rings, "seed {seed}");
        world.proxy.0.ringing.lock().unwrap().clear();
        world.end(&format!("offered, seed {seed}"));
    }
}

/// Two changes of a link at once: the one that NDISWAN hears last is the one that holds.
#[test]
fn the_last_change_of_a_link_is_told_last() {
    for seed in seeds(60) {
        let world = World::new(builder(seed).preemption(1, 2).build());
        world.call("mirror");
        let call = world.modem.calls.lock().unwrap()[0].clone();
        world.proxy.0.links.lock().unwrap().clear();
        for send_window in [1, 2] {
            let call = call.upgrade().unwrap();
            world.host.spawn("network", move || {
                let params = LinkParams {
                    send_window,
                    ..DIALLED
                };
                assert_eq!(call.set_params(params, &mut passive()), Ok(()));
            });
        }
        world.host.run();
        let told = world.proxy.0.links.lock().unwrap().last().copied().unwrap();
        let holds = call.upgrade().unwrap().params();
        assert_eq!(told.send_window, holds.send_window, "seed {seed}");
        drop(call);
        world.end(&format!("changes, seed {seed}"));
    }
}

/// A call that is connected at once while the adapter goes is ended as every other one. (In a run among
/// thousands the client closes it of its own accord first: its family is closing, too.)
#[test]
fn a_halt_finds_a_call_that_is_connected_at_once() {
    let (mut connected, mut told) = (0, 0);
    for seed in seeds(300) {
        let readings = Readings {
            notify_close: NotifyClose::HaltFirst,
            ..Readings::default()
        };
        let host = builder(seed).readings(readings).preemption(1, 2).build();
        let world = World::new(host);
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || {
            // An error: the adapter has gone before.
            let _ = proxy.try_call(ANY_LINE, ANY_ADDRESS, b"mirror");
        });
        let proxy = world.proxy.clone();
        let modem = world.modem.clone();
        world.end(&format!("halt, seed {seed}"));
        connected += modem.connected.load(SeqCst);
        let closing = proxy.0.closing.lock().unwrap().clone();
        told += u32::from(closing == [Disconnect::Unavailable.into()]);
    }
    assert!(told != 0 && connected - told <= connected / 100);
}
