//! Rules: DV-06, DV-14
//!
//! Nobody waits while a spin lock is held. The first is refused because the
//! lock has the proof; the second because the proof that the lock lends is
//! another.

use ndis_co::{event::Event, irql::Passive, lock::SpinLock};

fn wait_with_the_callers_proof(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    state.with(irql, |state, _| {
        event.wait(irql);
        *state += 1;
    });
}

fn wait_with_the_locks_proof(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    state.with(irql, |_, irql| event.wait(irql));
}

fn main() {}
