//! What a driver uses of the kernel itself: memory, spin locks, events, timers,
//! work items, the time.

pub(crate) mod memory;
pub(crate) mod sync;
pub(crate) mod system;
pub(crate) mod timer;
