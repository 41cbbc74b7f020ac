//! Frames that one call hands to another without copying them.

use super::{World, builder, seeds};
use ndis_host::Host;
use ndis_mcm::Status;
use std::sync::atomic::Ordering::SeqCst;

/// All of a WAN driver once, and no more than once: a call that comes about, a frame that is not
/// handed to the call itself (rule WAN-08) but comes back from the network, uncopied, the end. Short
/// enough for Miri in every run of the tests.
#[test]
fn a_short_call() {
    let host = Host::builder().seed(1).no_events_under_miri().build();
    let world = World::with_saps(host, &[]);
    world.modem.forwards.store(true, SeqCst);
    world.call("mirror");
    world.user(|proxy| proxy.send(&proxy.placed(), &[&[0xFF, 3, 0xC0, 0x21, 1]]));
    let heard = world.proxy.0.heard.lock().unwrap().clone();
    assert_eq!(heard, [[0xFF, 3, 0xC0, 0x21, 1]]);
    let refused = world.modem.not_forwarded.lock().unwrap().clone();
    assert_eq!(refused, [Status::INVALID_PARAMETER]);
    let completed = world.proxy.0.completed.lock().unwrap().clone();
    assert_eq!(completed, [Status::SUCCESS]);
    world.end("a short call");
}

/// Each frame arrives once, and what was sent comes back, counted at both ends.
#[test]
fn frames_are_handed_on() {
    for seed in seeds(12) {
        let world = World::new(builder(seed).build());
        world.modem.forwards.store(true, SeqCst);
        world.call("line 1");
        world.user(|proxy| {
            let (one, other) = (proxy.placed(), proxy.taken());
            proxy.send(&one, &[&[0xFF, 3, 0xC0, 0x21, 1], &[1; 10], &[2; 100]]);
            proxy.send(&other, &[&[7; 132], &[8]]);
        });
        let mut heard = world.proxy.0.heard.lock().unwrap().clone();
        heard.sort();
        let sent = [
            vec![1; 10],
            vec![2; 100],
            vec![7; 132],
            vec![8],
            vec![0xFF, 3, 0xC0, 0x21, 1],
        ];
        assert_eq!(heard, sent, "seed {seed}");
        let completed = world.proxy.0.completed.lock().unwrap().clone();
        assert_eq!(completed, [Status::SUCCESS; 3], "seed {seed}");
        let calls = world.modem.calls.lock().unwrap().clone();
        let mut counted: Vec<_> = calls
            .iter()
            .map(|call| call.upgrade().unwrap().statistics())
            .map(|all| [all.frames_sent, all.bytes_sent, all.frames_received])
            .collect();
        counted.sort();
        assert_eq!(counted, [[2, 133, 3], [3, 115, 2]], "seed {seed}");
        drop(calls);
        world.end(&format!("handed on, seed {seed}"));
    }
}

/// What the other call does not take comes back, and may be counted as lost there.
#[test]
fn frames_that_nobody_takes_come_back() {
    let mut came_back = 0;
    for nth in 1..if cfg!(miri) { 2 } else { 16 } {
        let world = World::new(builder(nth).build());
        world.modem.forwards.store(true, SeqCst);
        world.call("line 1");
        if nth == 1 {
            // Data stop, both ways: nothing is sent at all.
            world.host.pause(&world.adapter);
            world.user(|proxy| assert!(!proxy.try_send(&proxy.placed(), &[&[1]])));
            world.host.restart(&world.adapter).unwrap();
        }
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[2; 3]]));
        let before = world.proxy.0.heard.lock().unwrap().len();
        assert_eq!(before, 1);
        // There is no memory for clones.
        world.host.fail_allocation(nth);
        world.user(|proxy| {
            proxy.try_send(&proxy.placed(), &[&[3; 4]]);
        });
        let refused = world.modem.not_forwarded.lock().unwrap().clone();
        let heard = world.proxy.0.heard.lock().unwrap().len() - before;
        assert!(refused.iter().all(|status| *status == Status::RESOURCES));
        let calls = world.modem.calls.lock().unwrap().clone();
        let lost: u32 = calls
            .iter()
            .map(|call| call.upgrade().unwrap().statistics().buffer_overrun_errors)
            .sum();
        assert_eq!(lost as usize, refused.len());
        assert!(heard + refused.len() <= 1);
        came_back += refused.len();
        let completed = world.proxy.0.completed.lock().unwrap().clone();
        assert!(completed.iter().all(|status| status.is_success()));
        drop(calls);
        world.end(&format!("memory, {nth}"));
    }
    assert!(cfg!(miri) || came_back > 0);
}
