//! What another driver finds in a list is written by the crate only: a slot of its allocator's,
//! and the handle to which the list goes back.

#![forbid(unsafe_code)]

use ndis_co::nbl::{NetBufferLists, Side, fields};

fn write(lists: &NetBufferLists) {
    lists.chain().for_each_raw(|list| {
        let nowhere = core::ptr::without_provenance_mut(16);
        fields::set_source_handle(list, nowhere);
        fields::store(list, Side::Miniport, fields::Slot::Vc, nowhere);
        list.set_source_handle(nowhere);
    });
}

fn main() {}
