//! Marks: what a context is of, where NDIS calls one handler for VCs of several kinds.
//!
//! A context is the address of an allocation, in which the lowest bits are clear. Where one of another
//! kind may come in its place, it has one of these bits set: so it tells what it is of before anything
//! is read through it, and without a search.

use ndis_sys::NDIS_HANDLE;

/// Of a client's VC, and of whatever comes to handlers of its own.
pub(crate) const NONE: usize = 0;
/// Of a stand-alone call manager's own VC.
pub(crate) const SIGNALING: usize = 1;
/// Of a VC that a stand-alone call manager has for a client.
pub(crate) const MANAGED: usize = 2;

/// All of them.
const BITS: usize = SIGNALING | MANAGED;

// Each allocation holds a pointer.
const _: () = assert!(align_of::<NDIS_HANDLE>() > BITS);

/// The context that NDIS is given.
pub(crate) fn with(context: NDIS_HANDLE, mark: usize) -> NDIS_HANDLE {
    context.map_addr(|address| address | mark)
}

/// The mark of a context.
pub(crate) fn of(context: NDIS_HANDLE) -> usize {
    context.addr() & BITS
}

/// The address that a context is.
pub(crate) fn without(context: NDIS_HANDLE) -> NDIS_HANDLE {
    context.map_addr(|address| address & !BITS)
}
