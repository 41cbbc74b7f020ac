//! What the host keeps of the kernel's objects: plain tables, one file a kind of object. They
//! are parts of the state, and know nothing of it; what drivers' calls do with them is in the
//! files beside.

pub(crate) mod dpc;
pub(crate) mod lock;
pub(crate) mod lock_order;
pub(crate) mod memory;
pub(crate) mod registry;
pub(crate) mod remove_lock;
pub(crate) mod thread;
pub(crate) mod timer;
pub(crate) mod work_item;
