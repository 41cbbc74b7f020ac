//! Rules: NBL-03
//!
//! Lists come from a pool.

use ndis_co::{nbl::NetBufferList, sys::NET_BUFFER_LIST};

fn wrap(list: &mut NET_BUFFER_LIST) -> NetBufferList {
    NetBufferList::from_raw(list, ndis_co::nbl::fields::Side::Protocol)
}

fn main() {}
