//! Rules: DV-06, DV-14
//!
//! Code without a proof of its level exchanges whole values: `get`, `set`,
//! `replace` and `take`. Only these run nothing of the driver under the lock.

use ndis_co::lock::SpinLock;

fn count(state: &SpinLock<u32>) {
    state.with(|state: &mut u32| *state += 1);
}

fn main() {}
