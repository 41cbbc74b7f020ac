//! Rules: NBL-13
//!
//! A client's lists go back as they came: they are looked at, not changed.

use ndis_mcm::{MiniportCallManager, SendLists};

fn shorten<M: MiniportCallManager>(lists: &mut SendLists<M>) {
    for mut frame in lists.iter() {
        frame.truncate(60);
    }
}

fn main() {}
