//! A device loses its power while timers of its adapter are set (rule OID-63): the layer's own it
//! takes care of, and the driver hears of it in time for its own.

use super::*;
use ndis_co::{
    mem::Arc as KernelArc,
    timer::{Expire, Timer},
};
use ndis_sys::{NdisDeviceStateD0, NdisDeviceStateD3};

struct Tick;

impl Expire for Tick {
    fn expired(_: &KernelArc<Self>, _: &mut UpToDispatch) {}
}

/// Has a timer of its own, which is not set while the device has no power.
#[derive(Default)]
struct Ticks {
    timer: Place<(Timer<Tick>, KernelArc<Tick>)>,
    states: Notes<PowerState>,
}

impl Switch for Ticks {
    fn initialized(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        let timer = Timer::try_new(adapter.scope()).unwrap();
        let tick = KernelArc::try_new(Tick, Tag::NDIS).unwrap();
        self.timer.put((timer, tick));
    }

    fn set_power(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        state: PowerState,
        _irql: &mut UpToDispatch,
    ) {
        self.states.add(state);
        let (timer, tick) = self.timer.take().unwrap();
        if state == PowerState::D0 {
            timer.set(&tick, 60_000);
        } else {
            assert!(timer.cancel());
        }
        self.timer.put((timer, tick));
    }

    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        drop(self.timer.take());
    }
}

#[test]
fn a_driver_cancels_its_timer_in_time() {
    let world = World::seed(1, Ticks::default(), PlainPhone);
    let adapter = world.adapter.as_ref().unwrap();
    let exchange = world.exchange.clone();
    world.thread("sets", move |_| {
        let (timer, tick) = exchange.switch.timer.take().unwrap();
        timer.set(&tick, 60_000);
        exchange.switch.timer.put((timer, tick));
    });
    world.host.run_for(5);
    world.host.set_power(adapter, NdisDeviceStateD3).unwrap();
    world.host.set_power(adapter, NdisDeviceStateD0).unwrap();
    let exchange = world.exchange.clone();
    world.end_clean();
    let states = exchange.switch.states.all();
    assert_eq!(states, [PowerState::D3, PowerState::D0]);
}

/// Ends its call as soon as that is offered and up.
#[derive(Default)]
struct Ends;

impl Switch for Ends {
    fn call_connected(&self, vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
    }
}

/// The client has still something outstanding, and will not have the VC deleted yet (rule
/// VC-27): the layer's own timer is set meanwhile. The driver has none.
#[test]
fn the_layer_sets_no_timer_without_power() {
    for seed in 0..40 {
        let world = World::seed(seed, Ends, ListeningPhone);
        for nth in 1..=12 {
            let refused = Status::NOT_ACCEPTED.raw();
            world.host.fail_call("NdisMCmDeleteVc", nth, refused);
        }
        world.ring(b"an offer");
        world.host.run_for(30);
        let adapter = world.adapter.as_ref().unwrap();
        world.host.set_power(adapter, NdisDeviceStateD3).unwrap();
        world.host.set_power(adapter, NdisDeviceStateD0).unwrap();
        world.end_clean();
    }
}
