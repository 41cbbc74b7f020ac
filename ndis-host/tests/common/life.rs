//! What the raw call manager does when NDIS looks for a hang, resets it, or shuts down: whatever
//! a test says.

use ndis_sys as n;
use std::sync::{Arc, Mutex};

/// What a hook without an answer gives.
type Nothing = ();
type Act<T, R> = Mutex<Option<Arc<dyn Fn(T) -> R + Send + Sync>>>;

#[derive(Default)]
pub struct Life {
    hang: Act<(), bool>,
    reset: Act<(), (n::NDIS_STATUS, bool)>,
    shutdown: Act<n::NDIS_SHUTDOWN_ACTION, ()>,
    halt: Act<n::NDIS_HANDLE, ()>,
    pause: Act<n::NDIS_HANDLE, ()>,
    /// The actions that it was told to shut down with.
    pub told: Mutex<Vec<n::NDIS_SHUTDOWN_ACTION>>,
}

fn run<T, R>(act: &Act<T, R>, with: T) -> Option<R> {
    let act = act.lock().unwrap().clone();
    act.map(|act| act(with))
}

macro_rules! hooks {
    ($($(#[$doc:meta])* $set:ident, $call:ident: $field:ident($with:ty) -> $result:ty;)*) => { $(
        $(#[$doc])*
        pub fn $set(&self, act: impl Fn($with) -> $result + Send + Sync + 'static) {
            *self.$field.lock().unwrap() = Some(Arc::new(act));
        }

        pub fn $call(&self, with: $with) -> Option<$result> {
            run(&self.$field, with)
        }
    )* };
}

impl Life {
    hooks! {
        /// Whether the hardware hangs.
        on_hang, hang: hang(()) -> bool;
        /// How a reset ends, and whether it has lost its addresses.
        on_reset, reset: reset(()) -> (n::NDIS_STATUS, bool);
        on_shutdown, shutdown: shutdown(n::NDIS_SHUTDOWN_ACTION) -> Nothing;
        on_halt, halt: halt(n::NDIS_HANDLE) -> Nothing;
        on_pause, pause: pause(n::NDIS_HANDLE) -> Nothing;
    }
}

/// Ends a pended reset.
pub fn complete(adapter: n::NDIS_HANDLE, status: n::NDIS_STATUS, lost: bool) {
    // SAFETY: handles may be anything.
    unsafe { n::NdisMResetComplete(adapter, status, lost.into()) };
}
