//! What a driver uses of the kernel itself: memory, spin locks, events, timers,
//! work items, the time, its settings.

pub(crate) mod lock_order;
pub(crate) mod memory;
pub(crate) mod registry;
pub(crate) mod sync;
pub(crate) mod system;
pub(crate) mod timer;
