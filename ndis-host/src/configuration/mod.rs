//! The settings of adapters and bindings: registry keys that a test fills, and the calls by
//! which drivers read and write them.

pub(crate) mod calls;
mod host;
mod key;
mod lives;
pub(crate) mod settings;
pub(crate) mod table;
mod value;
