//! The fields of `NET_BUFFER_LIST`, `NET_BUFFER` and `MDL` that the layer
//! touches, each by raw pointer: NBLs are shared with other drivers and have
//! no size of their own (they grow with each NDIS version), so no reference
//! to a whole one is ever made.

use core::{
    ffi::c_void,
    sync::atomic::{AtomicI32, Ordering},
};
use ndis_sys::{MDL, NDIS_HANDLE, NDIS_STATUS, NET_BUFFER, NET_BUFFER_LIST};

/// Which of its two reserved areas an NBL's allocator uses: a miniport's
/// receive lists and a protocol's send lists are each their own driver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A miniport, for lists that it indicates.
    Miniport,
    /// A protocol, for lists that it sends.
    Protocol,
}

/// The slots that this crate uses in the allocator's reserved area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The list's own bookkeeping.
    Backing = 0,
    /// The VC that the list is out on.
    Vc = 1,
}

macro_rules! field {
    ($(#[$meta:meta])* $get:ident, $set:ident: $ty:ty = $owner:ty, $name:ident) => {
        $(#[$meta])*
        ///
        /// # Safety
        ///
        /// The pointer is valid and the structure is the caller's.
        #[inline]
        pub unsafe fn $get(object: *mut $owner) -> $ty {
            // SAFETY: the caller vouches for the pointer.
            let place = unsafe { ndis_sys::$name(object) };
            // SAFETY: a place inside the caller's structure.
            unsafe { place.read() }
        }
        $(#[$meta])*
        ///
        /// # Safety
        ///
        /// The pointer is valid and the structure is the caller's alone.
        #[inline]
        pub unsafe fn $set(object: *mut $owner, value: $ty) {
            // SAFETY: the caller vouches for the pointer.
            let place = unsafe { ndis_sys::$name(object) };
            // SAFETY: a place inside the caller's structure.
            unsafe { place.write(value) }
        }
    };
}

field! {
    /// The next list of a chain.
    next, set_next: *mut NET_BUFFER_LIST = NET_BUFFER_LIST, NET_BUFFER_LIST_NEXT_NBL
}
field! {
    /// The first buffer of a list.
    first_buffer, set_first_buffer: *mut NET_BUFFER = NET_BUFFER_LIST, NET_BUFFER_LIST_FIRST_NB
}
field! {
    /// What became of a list.
    status, set_status: NDIS_STATUS = NET_BUFFER_LIST, NET_BUFFER_LIST_STATUS
}
field! {
    /// The next buffer of a list.
    next_buffer, set_next_buffer: *mut NET_BUFFER = NET_BUFFER, NET_BUFFER_NEXT_NB
}
field! {
    /// The MDL in which the data starts.
    current_mdl, set_current_mdl: *mut MDL = NET_BUFFER, NET_BUFFER_CURRENT_MDL
}
field! {
    /// Where in that MDL the data starts, in bytes.
    current_mdl_offset, set_current_mdl_offset: u32 = NET_BUFFER, NET_BUFFER_CURRENT_MDL_OFFSET
}
field! {
    /// How much data there is, in bytes.
    data_length, set_data_length: u32 = NET_BUFFER, NET_BUFFER_DATA_LENGTH
}
field! {
    /// The first MDL of the data space.
    first_mdl, set_first_mdl: *mut MDL = NET_BUFFER, NET_BUFFER_FIRST_MDL
}
field! {
    /// Where in the data space the data starts, in bytes: before it is the
    /// *unused data space*.
    data_offset, set_data_offset: u32 = NET_BUFFER, NET_BUFFER_DATA_OFFSET
}

/// The place in which a buffer's allocator keeps its own bookkeeping.
///
/// # Safety
///
/// The buffer is valid.
unsafe fn buffer_slot(buffer: *mut NET_BUFFER, side: Side) -> *mut *mut c_void {
    match side {
        // SAFETY: the caller vouches for the buffer; the first of an array.
        Side::Miniport => unsafe { ndis_sys::NET_BUFFER_MINIPORT_RESERVED(buffer).cast() },
        // SAFETY: as above.
        Side::Protocol => unsafe { ndis_sys::NET_BUFFER_PROTOCOL_RESERVED(buffer).cast() },
    }
}

/// What was left in the slot of a buffer.
///
/// # Safety
///
/// The buffer is valid, was allocated by this driver and is in its hands.
pub unsafe fn load_buffer(buffer: *mut NET_BUFFER, side: Side) -> *mut c_void {
    // SAFETY: the caller vouches for the buffer.
    let place = unsafe { buffer_slot(buffer, side) };
    // SAFETY: a place inside the caller's structure.
    unsafe { place.read() }
}

/// Leaves a pointer in the slot of a buffer.
///
/// # Safety
///
/// As for [`load_buffer`].
pub unsafe fn store_buffer(buffer: *mut NET_BUFFER, side: Side, value: *mut c_void) {
    // SAFETY: the caller vouches for the buffer.
    let place = unsafe { buffer_slot(buffer, side) };
    // SAFETY: a place inside the caller's structure.
    unsafe { place.write(value) };
}

/// Names the list that a derived one was made from (rule NBL-36).
///
/// # Safety
///
/// The list is valid and the caller's alone.
pub unsafe fn set_parent(list: *mut NET_BUFFER_LIST, parent: *mut NET_BUFFER_LIST) {
    // SAFETY: a field of the caller's structure.
    unsafe { (*list).ParentNetBufferList = parent };
}

/// Counts a derived list in its parent, or takes it off (rule NBL-36).
///
/// # Safety
///
/// The parent is valid and in this driver's hands, shared by nobody but the
/// code that counts.
pub unsafe fn count_child(parent: *mut NET_BUFFER_LIST, by: i32) {
    // SAFETY: the address of a field of a valid structure.
    let field = unsafe { &raw mut (*parent).ChildRefCount };
    // SAFETY: aligned and valid; the caller says that it is only counted.
    let count = unsafe { AtomicI32::from_ptr(field) };
    count.fetch_add(by, Ordering::AcqRel);
}

/// Sets the handle to which a list goes back (rules NBL-01, NBL-17).
///
/// # Safety
///
/// The list is valid and the caller's alone.
pub unsafe fn set_source_handle(list: *mut NET_BUFFER_LIST, handle: NDIS_HANDLE) {
    // SAFETY: a field of the caller's structure.
    unsafe { (*list).SourceHandle = handle };
}

/// The place of a reserved slot.
///
/// # Safety
///
/// The list is valid.
unsafe fn slot(list: *mut NET_BUFFER_LIST, side: Side, slot: Slot) -> *mut *mut c_void {
    let area = match side {
        // SAFETY: the address of a field of a valid structure.
        Side::Miniport => unsafe { (&raw mut (*list).MiniportReserved).cast::<*mut c_void>() },
        // SAFETY: as above.
        Side::Protocol => unsafe { (&raw mut (*list).ProtocolReserved).cast::<*mut c_void>() },
    };
    // SAFETY: both areas have at least two pointers.
    unsafe { area.add(slot as usize) }
}

/// What was left in a slot.
///
/// # Safety
///
/// The list is valid, was allocated by this driver and is in its hands.
pub unsafe fn load(list: *mut NET_BUFFER_LIST, side: Side, which: Slot) -> *mut c_void {
    // SAFETY: the caller vouches for the list.
    let place = unsafe { slot(list, side, which) };
    // SAFETY: a place inside the caller's structure.
    unsafe { place.read() }
}

/// Leaves a pointer in a slot.
///
/// # Safety
///
/// As for [`load`].
pub unsafe fn store(list: *mut NET_BUFFER_LIST, side: Side, which: Slot, value: *mut c_void) {
    // SAFETY: the caller vouches for the list.
    let place = unsafe { slot(list, side, which) };
    // SAFETY: a place inside the caller's structure.
    unsafe { place.write(value) }
}
