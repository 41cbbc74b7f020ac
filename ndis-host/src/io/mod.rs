//! The I/O manager, as far as control devices need one: device objects with names, the files that
//! programs open on them, and the requests that come of it.
//!
//! A program is a task at PASSIVE_LEVEL. It calls the driver's dispatch routine itself, with a
//! request in memory of the host's: what the driver does to it is checked when it completes the
//! request and when the routine has returned, and the memory is overwritten in between, so that
//! nobody goes on with what was given back.

pub(crate) mod cancel;
pub(crate) mod complete;
pub(crate) mod device;
mod file;
pub(crate) mod program;
mod request;
pub(crate) mod table;

pub(crate) use file::close_all_of;
