//! Rules: DV-06, DV-14
//!
//! A wrapper that makes anything `Send` changes nothing: the lock has borrowed
//! the proof, whatever the proof is wrapped in.

use ndis_co::{event::Event, irql::Passive, lock::SpinLock};

/// As `send_wrapper::SendWrapper`, which is sound: it gives its value back on
/// the thread that made it only.
struct SendWrapper<T>(T);

impl<T> SendWrapper<T> {
    fn get(&mut self) -> &mut T {
        &mut self.0
    }
}

fn wait(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    let mut wrapped = SendWrapper(irql);
    state.with(*wrapped.get(), |state, _| {
        event.wait(*wrapped.get());
        *state += 1;
    });
}

fn main() {}
