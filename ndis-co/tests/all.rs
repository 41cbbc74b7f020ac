//! All tests of this crate but two are one program: each program more is compiled with the same
//! drivers and linked with the same host once more, which takes longer than most of its tests do.

mod chains;
#[path = "../../ndis-host/tests/common/mod.rs"]
mod raw;

mod debug;
mod lent;
mod marked;
mod oids;
mod packets;
mod service;
mod signaling;
mod standalone;
mod values;
