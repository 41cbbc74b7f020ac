//! [`Early`]: lists that are indicated before NDIS knows that their VC is active.

use super::{Channel, tell};
use crate::{
    irql::UpToDispatch,
    key::Key,
    lock::SpinLock,
    nbl::{Chain, NetBufferLists},
};
use core::mem;

/// Lists that are to be indicated while NDIS is being told that their VC is active: they are
/// kept until it knows. They are counted out meanwhile.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Early(SpinLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    keeps: bool,
    /// For which activation.
    number: u32,
    lists: Chain,
}

impl Early {
    /// Lists are kept from here on, for the activation of this number. Those of the one before
    /// are gone: its end waited for them.
    pub fn begin(&self, number: u32, _: Key) {
        self.0.locked(|kept| {
            kept.keeps = true;
            kept.number = number;
        });
    }

    /// No more are kept.
    pub fn stop(&self, _: Key) {
        self.0.locked(|kept| kept.keeps = false);
    }

    /// What was kept for the activation of this number, if there is anything.
    fn take(&self, number: u32) -> Option<Chain> {
        self.0.locked(|kept| {
            let its = kept.number == number && !kept.lists.is_empty();
            its.then(|| mem::take(&mut kept.lists))
        })
    }

    /// No more are kept, if none is; whether that is so.
    pub fn end(&self, _: Key) -> bool {
        self.0.locked(|kept| {
            let empty = kept.lists.is_empty();
            kept.keeps &= !empty;
            empty
        })
    }
}

/// Keeps lists that are counted out on the adapter, if they are to be kept. Gives them back
/// if not.
pub(super) fn keep<V: Channel>(vc: &V, lists: NetBufferLists) -> Option<NetBufferLists> {
    let Some(early) = vc.early(Key::new()) else {
        return Some(lists);
    };
    let mut lists = Some(lists);
    early.0.locked(|kept| {
        if let Some(lists) = lists.take_if(|_| kept.keeps) {
            // Who ends the VC waits for them from here on.
            let _ = vc.path(Key::new()).traffic.enter(lists.len());
            kept.lists.append(lists.into_chain());
        }
    });
    lists
}

/// Indicates the lists that were kept for an activation, of which NDIS knows; whether there
/// were any.
#[doc(hidden)]
pub fn indicate_early<V: Channel>(vc: &V, number: u32, irql: &mut UpToDispatch, _: Key) -> bool {
    let Some(chain) = vc.early(Key::new()).and_then(|early| early.take(number)) else {
        return false;
    };
    // For the call itself. The lists hold both up already.
    let _ = vc.count_out(1, Key::new());
    let _ = vc.path(Key::new()).traffic.enter(1);
    // Kept ones too have room in memory, so their number has in 32 bits.
    let number = u32::try_from(chain.len()).unwrap_or(u32::MAX);
    tell(vc, chain, number, irql);
    true
}
