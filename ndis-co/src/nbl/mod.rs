//! Network data: lists of `NET_BUFFER_LIST`s, owned and borrowed, and the
//! packets in them.
//!
//! NDIS passes data as chains of C structures whose owner changes with each
//! call. A `NET_BUFFER_LIST` carries any number of `NET_BUFFER`s, and **each of
//! these is one packet**. A client may send several in one list; a miniport
//! indicates one a list (rule [NBL-35]). Here every chain is a value that says
//! who owns it, and what looks at it goes packet by packet:
//!
//! ```
//! # use ndis_co::client::{Client, Received};
//! fn total<C: Client>(lists: &Received<'_, C>) -> usize {
//!     lists.buffers().map(|packet| packet.len()).sum()
//! }
//! # use ndis_host as _;
//! ```
//!
//! # What to use for what
//!
//! | to | use | in C |
//! |---|---|---|
//! | look at each packet that came | `buffers()` of the token it came in | `NET_BUFFER_LIST_FIRST_NB`, `NET_BUFFER_NEXT_NB` |
//! | look at each list | `iter()`, then [`ListView::buffers`] | `NET_BUFFER_LIST_NEXT_NBL` |
//! | read a header in place | [`BufferView::data_buffer`] | `NdisGetDataBuffer` |
//! | copy a part of a packet out | [`BufferView::copy_range_to`] | the same, by hand |
//! | copy a packet out | [`BufferView::copy_to`] | the same, by hand |
//! | walk over the memory of a packet | [`BufferView::segments`] | `MmGetSystemAddressForMdlSafe` |
//! | make a list with one packet | [`NetBufferListPool::allocate`] | `NdisAllocateNetBufferAndNetBufferList` |
//! | make one with room for headers | [`NetBufferListPool::allocate_with_headroom`] | its `DataOffset` |
//! | make a list of several packets | [`NetBufferListPool::allocate_list`], [`allocate_buffer`](NetBufferListPool::allocate_buffer), [`NetBufferList::push_back`] | `NdisAllocateNetBufferList`, `NdisAllocateNetBuffer` |
//! | put a header in front | [`BufferMut::retreat`] | `NdisRetreatNetBufferDataStart` |
//! | take a header off | [`BufferMut::advance`] | `NdisAdvanceNetBufferDataStart` |
//! | change data in place | [`BufferMut::data_mut`] | |
//! | split and join by packet | [`NetBufferList::split_front`], [`append`](NetBufferList::append), [`pop_front`](NetBufferList::pop_front) | |
//! | split and join by list | [`NetBufferLists::split_front`], [`append`](NetBufferLists::append), [`pop_front`](NetBufferLists::pop_front) | |
//! | send data on, uncopied | [`Parent::allocate_clones`] | `NdisAllocateCloneNetBufferList` |
//! | indicate it, uncopied | [`Parent::allocate_packet_clones`] | |
//!
//! # Whose lists
//!
//! - [`NetBufferList`], [`NetBufferLists`] and [`NetBuffer`] were allocated by
//!   this driver from its [`NetBufferListPool`]. Sending or indicating them
//!   moves them away; they come back through the documented callback, or are
//!   freed when dropped. Their packets may be written, moved and joined.
//! - Lists that other drivers own are wrapped where they arrive: by the client's
//!   [`Received`](crate::client::Received) and [`Kept`](crate::client::Kept),
//!   and by `ndis_mcm::SendLists`. They go back as they came: whole lists may
//!   be split off and joined, but the packets inside stay (rule [NBL-13]) and
//!   are not written.
//! - A [`Parent`] holds either kind while clones of it are on their way.
//! - [`ListView`] and [`BufferView`] look at any of them for as long as the
//!   owner is borrowed: they cannot outlive a callback, an answer, or a send.
//!
//! # Packets from other drivers
//!
//! Lengths, offsets and MDLs are checked against each other before anything is
//! read: what does not fit is an error ([`Status::INVALID_DATA`]), never a
//! read beyond the memory that an MDL describes, and reading always ends. See
//! [`Segments`]. That the structures themselves are there, and that a chain of
//! lists or of packets has an end, is what NDIS promises; C offers no way to
//! check it.
//!
//! [`Status::INVALID_DATA`]: crate::Status::INVALID_DATA
//! [NBL-13]: ndis_sys::rules#NBL-13
//! [NBL-35]: ndis_sys::rules#NBL-35

mod buffer;
mod chain;
pub(crate) mod clone;
pub mod fields;
mod list;
mod lists;
mod mapping;
mod origin;
mod pool;
mod view;
mod watched;

pub use buffer::{BufferMut, BuffersMut, NetBuffer};
pub use chain::Chain;
pub use clone::{Original, Parent, ParentError};
pub use fields::Side;
pub use list::NetBufferList;
pub use lists::{IntoIter, NetBufferLists};
pub use pool::NetBufferListPool;
pub use view::{BufferView, Buffers, ListView, Lists, Packets, Segments};
pub use watched::{Watch, Watched};

use core::mem::MaybeUninit;

/// As [`copy_bytes`], to memory that may have no value yet.
#[inline]
fn copy_to_unwritten(to: &mut [MaybeUninit<u8>], from: &[u8]) {
    let len = to.len().min(from.len());
    // SAFETY: both are that long, and one is borrowed exclusively, so they do not overlap.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr().cast(), len) };
}

/// Copies as much as both have: `copy_from_slice` without its panic, which would
/// bring the machinery of panics into every image.
#[inline]
pub(crate) fn copy_bytes(to: &mut [u8], from: &[u8]) {
    let len = to.len().min(from.len());
    // SAFETY: both are that long, and one is borrowed exclusively, so they do not overlap.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), len) };
}
