//! Rules: NBL-25
//!
//! Dropping received lists gives them back to the miniport, once; after that
//! there is nothing to look at.

use ndis_co::client::{Client, Kept};

fn give_back<C: Client>(lists: Kept<C>) -> usize {
    drop(lists);
    lists.buffers().map(|packet| packet.len()).sum()
}

fn main() {}
