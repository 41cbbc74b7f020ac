//! Rules: NBL-03
//!
//! Lists come from a pool.

use ndis_co::{
    nbl::{NetBufferList, Side, fields::Hand},
    sys::NET_BUFFER_LIST,
};

fn wrap(list: Hand<NET_BUFFER_LIST>) -> NetBufferList {
    NetBufferList::from_raw(list, Side::Protocol)
}

fn main() {}
