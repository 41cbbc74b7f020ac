//! A pause reaches the client, and so does the restart.
//!
//! Lists that a client keeps hold the adapter's pause, and with that its removal, and
//! the unbind comes after both: a client that learns of a pause can give them back.
//! And nothing is sent before NDIS's call of the restart has returned (PAUSE-12).

use super::low_stack::greet;
use super::*;
use ndis_co::{client::Kept, irql::NoLock};
use ndis_host::{OwnRequests, Readings};
use ndis_sys::{NdisDeviceStateD0, NdisDeviceStateD3};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

/// A switch that indicates one list on each call.
struct Indicates;

impl Switch for Indicates {
    fn call_connected(&self, vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        greet(vc, irql).unwrap();
    }
}

/// A phone that keeps what it receives until it is paused, and sends when it is
/// restarted.
#[derive(Default)]
struct Keeps {
    kept: Mutex<Vec<Kept<Handset<Self>>>>,
    most: AtomicU32,
    restarts: AtomicU32,
    states: Notes<PowerState>,
    sent: AtomicU32,
    vc: Place<Leg<Handset<Self>>>,
}

impl Keeps {
    fn send(vc: &Leg<Handset<Self>>, irql: &mut UpToDispatch) -> Result<(), Status> {
        let mut list = vc.af().binding().pool.allocate(4).unwrap();
        list.set_data(b"four").unwrap();
        vc.send(list.into(), irql).map_err(|unsent| unsent.status)
    }
}

impl Phone for Keeps {
    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        drop(self.vc.take());
    }

    fn pause(&self, binding: &Binding<Handset<Self>>, irql: &mut Passive) {
        assert!(!binding.is_running());
        let kept = std::mem::take(&mut *self.kept.lock().unwrap());
        self.most.fetch_max(kept.len() as u32, SeqCst);
        for lists in kept {
            lists.give_back(irql);
        }
    }

    fn power(&self, state: PowerState) {
        self.states.add(state);
    }

    fn restarted(&self, _binding: &Binding<Handset<Self>>, irql: &mut UpToDispatch) {
        self.restarts.fetch_add(1, SeqCst);
        if let Some(vc) = self.vc.get() {
            match Self::send(&vc, irql) {
                Ok(()) => _ = self.sent.fetch_add(1, SeqCst),
                // The next pause was faster.
                Err(status) => assert_eq!(status, Status::PAUSED),
            }
        }
    }

    fn call_connected(
        &self,
        vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
        self.vc.put(vc.clone());
    }

    fn receive(
        &self,
        _vc: &Leg<Handset<Self>>,
        lists: Received<'_, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) {
        if let Ok(kept) = lists.keep() {
            self.kept.lock().unwrap().push(kept);
        }
    }
}

/// Kept lists are home before the adapter pauses; data flows again afterwards.
#[test]
fn a_client_gives_back_what_it_keeps() {
    let (mut kept, mut sent) = (0, 0);
    for seed in seeds(60) {
        let world = World::seed(seed, Indicates, Keeps::default());
        world.place_call();
        world.host.run();
        let adapter = world.adapter.as_ref().unwrap();
        world.host.pause(adapter);
        world.host.restart(adapter).unwrap();
        world.host.run();
        let phone = &world.handset.phone;
        kept += phone.most.load(SeqCst);
        sent += phone.sent.load(SeqCst);
        assert_eq!(phone.restarts.load(SeqCst), 2, "seed {seed}");
        assert!(phone.kept.lock().unwrap().is_empty(), "seed {seed}");
        world.end_clean();
    }
    assert!(kept > 0, "nothing was kept");
    assert!(sent > 0, "nothing was sent");
}

/// So removal ends, too, without a pause before it.
#[test]
fn what_is_kept_does_not_hold_the_removal() {
    for seed in seeds(30) {
        let world = World::seed(seed, Indicates, Keeps::default());
        world.place_call();
        world.host.run();
        world.end_clean();
    }
}

/// A device goes to sleep and wakes up with a call on it: the client is told of both, and
/// data flows again.
#[test]
fn a_device_sleeps_and_wakes() {
    let mut sent = 0;
    for readings in OwnRequests::ALL.iter().map(|own_requests| Readings {
        own_requests: *own_requests,
        ..Readings::default()
    }) {
        for seed in seeds(20) {
            let builder = Host::builder().seed(seed).readings(readings);
            let world = World::new(builder, Indicates, Keeps::default());
            world.place_call();
            world.host.run();
            let adapter = world.adapter.as_ref().unwrap();
            world.host.set_power(adapter, NdisDeviceStateD3).unwrap();
            world.host.set_power(adapter, NdisDeviceStateD0).unwrap();
            world.host.run();
            let phone = &world.handset.phone;
            assert_eq!(
                phone.states.all(),
                [PowerState::D3, PowerState::D0],
                "seed {seed}"
            );
            assert_eq!(phone.restarts.load(SeqCst), 2, "seed {seed}");
            sent += phone.sent.load(SeqCst);
            world.end_clean();
        }
    }
    assert!(sent > 0, "nothing was sent");
}

/// A switch whose restart takes its time, and fails from the second on, while the
/// network goes on indicating.
#[derive(Default)]
struct FailsToRestart {
    restarts: AtomicU32,
    /// `restart` runs.
    restarting: AtomicBool,
    /// What was indicated while the adapter was not running yet.
    early: AtomicU32,
    refused: AtomicU32,
    over: AtomicBool,
}

impl Switch for FailsToRestart {
    fn restart(&self) -> Result<(), Status> {
        if self.restarts.fetch_add(1, SeqCst) == 0 {
            return Ok(());
        }
        self.restarting.store(true, SeqCst);
        let refused = self.refused.load(SeqCst);
        let_others_run(|| self.refused.load(SeqCst) > refused + 1);
        self.restarting.store(false, SeqCst);
        Err(Status::RESOURCES)
    }
}

/// Nothing is indicated before the restart has succeeded: an indication that is under
/// way when it fails would meet a paused adapter (PAUSE-05).
#[test]
fn nothing_is_indicated_on_an_adapter_that_may_not_restart() {
    let mut refused = 0;
    for seed in seeds(60) {
        let world = World::seed(seed, FailsToRestart::default(), PlainPhone);
        world.place_call();
        world.host.run();
        let exchange = world.exchange.clone();
        world.thread("network", move |irql| {
            let vc = exchange.vc.get().unwrap();
            let switch = &exchange.switch;
            for _ in 0..if cfg!(miri) { 20 } else { 400 } {
                SWITCH_POINT.get();
                let restarting = switch.restarting.load(SeqCst);
                match greet(&vc, irql.up_to_dispatch()) {
                    Ok(()) if restarting && switch.restarting.load(SeqCst) => {
                        switch.early.fetch_add(1, SeqCst);
                    }
                    Ok(()) => {}
                    Err(_) if restarting => _ = switch.refused.fetch_add(1, SeqCst),
                    Err(_) => {}
                }
            }
            switch.over.store(true, SeqCst);
        });
        let adapter = world.adapter.as_ref().unwrap();
        world.host.pause(adapter);
        assert!(world.host.restart(adapter).is_err(), "seed {seed}");
        world.host.run();
        let switch = &world.exchange.switch;
        assert!(switch.over.load(SeqCst), "seed {seed}");
        assert_eq!(switch.early.load(SeqCst), 0, "seed {seed}");
        refused += switch.refused.load(SeqCst);
        world.end_clean();
    }
    assert!(refused > 0, "nobody tried to indicate during a restart");
}
