//! Rules: DV-06, DV-14
//!
//! Nobody waits while a spin lock is held. The first is refused because the
//! lock has the proof; the second because the guard's own proof is another.

use ndis_co::{event::Event, irql::Passive, lock::SpinLock};

fn wait_with_the_lock(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    let mut state = state.lock(irql);
    event.wait(irql);
    *state += 1;
}

fn wait_with_the_guards_proof(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    let mut state = state.lock(irql);
    event.wait(state.irql());
}

fn main() {}
