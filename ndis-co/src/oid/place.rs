//! [`Place`]: room in a request for what its asker keeps while it is under way.
//!
//! Whoever hears of a request's end is given its address, and contexts that may all be null
//! (rule [OID-45]). So what is to be known then travels with the request, and needs no memory
//! of its own.
//!
//! # Invariants
//!
//! PLACE: the room holds a value from [`Place::put`] until [`Place::take`].
//!
//! [OID-45]: ndis_sys::rules#OID-45

use crate::{Status, irql::UpToDispatch};
use core::{ffi::c_void, mem::MaybeUninit};
use ndis_sys::NDIS_OID_REQUEST;

/// What is called with the end of a request.
///
/// # Safety
///
/// The request is one whose place holds what this function expects, it is over, and nobody
/// else uses it any more.
pub(super) type Arrived = unsafe fn(*mut NDIS_OID_REQUEST, Status, &mut UpToDispatch);

/// A few references, and a mark.
type Room = [*mut c_void; 4];

/// The room, and who is to be called.
pub(super) struct Place {
    arrived: Option<Arrived>,
    room: MaybeUninit<Room>,
}

impl Place {
    /// Nothing is there.
    pub(super) const fn new() -> Self {
        Self {
            arrived: None,
            room: MaybeUninit::uninit(),
        }
    }

    /// Who is to be called.
    pub(super) fn arrived(&self) -> Option<Arrived> {
        self.arrived
    }

    /// Keeps a value.
    pub(super) fn put<T: Send>(&mut self, value: T, arrived: Arrived) {
        const {
            assert!(size_of::<T>() <= size_of::<Room>() && align_of::<T>() <= align_of::<Room>());
        }
        self.arrived = Some(arrived);
        // SAFETY: there is room for it, as was just asserted, and it is this value's own.
        unsafe { self.room.as_mut_ptr().cast::<T>().write(value) };
    }

    /// The value, which is kept no longer.
    ///
    /// # Safety
    ///
    /// The value that was put here last is of this type, and has not been taken yet.
    pub(super) unsafe fn take<T: Send>(&mut self) -> T {
        self.arrived = None;
        // SAFETY: by the caller and PLACE.
        unsafe { self.room.as_ptr().cast::<T>().read() }
    }
}
