//! What a driver uses of the kernel itself: memory, spin locks, events, timers,
//! work items, the time, its settings.

pub(crate) mod dpc;
pub(crate) mod due;
pub(crate) mod irql;
pub(crate) mod list;
pub(crate) mod lock_order;
pub(crate) mod memory;
pub(crate) mod refused;
pub(crate) mod registry;
pub(crate) mod remove_lock;
pub(crate) mod stack;
pub(crate) mod sync;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod thread;
pub(crate) mod timer;
