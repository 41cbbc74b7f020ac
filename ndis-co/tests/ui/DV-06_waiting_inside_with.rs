//! Rules: DV-06, DV-14
//!
//! `SpinLock::with` runs its closure under the lock and lends no proof; nor
//! can the closure bring one along.

use ndis_co::{event::Event, irql::Passive, lock::SpinLock};

fn wait(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    state.with(|state| {
        event.wait(irql);
        *state += 1;
    });
}

fn main() {}
