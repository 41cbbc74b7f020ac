//! [`At`] and [`Hand`]: the `NET_BUFFER_LIST`, `NET_BUFFER` or `MDL` that a value of this
//! module stands for, looked at or owned.
//!
//! These structures are shared with other drivers and have no size of their own (they grow
//! with each NDIS version), so no reference to a whole one is ever made: their fields are
//! read and written by raw pointer, as in a `Cell`, and here only. What is a chain in C is
//! a chain of owners here: to link a structure is to give it away, and whoever unlinks it
//! has it.

mod backed;
mod written;

pub(super) use backed::{Backed, Lent, mark};

use core::{ffi::c_void, fmt, marker::PhantomData, ptr, ptr::NonNull};
use ndis_sys::{MDL, NDIS_HANDLE, NDIS_STATUS, NET_BUFFER, NET_BUFFER_LIST};

/// Which of its two reserved areas an NBL's allocator uses: a miniport's
/// receive lists and a protocol's send lists are each their own driver's.
///
/// ```
/// # use ndis_co::nbl::{NetBufferLists, Side};
/// # use ndis_host as _;
/// /// Nothing yet, for lists that go up.
/// fn received() -> NetBufferLists {
///     NetBufferLists::new(Side::Miniport)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A miniport, for lists that it indicates.
    Miniport,
    /// A protocol, for lists that it sends.
    Protocol,
}

/// The slots of an allocator's reserved area that are free for others than this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The VC that the list is out on.
    Vc,
}

/// A structure in this driver's hands, to look at and to note something in it.
///
/// # Invariants
///
/// AT: for `'a` the structure is valid, and so is all that its pointers lead to, memory
/// included, which is as long as it is said to be and is not written meanwhile. No other
/// thread uses the structures: this value stays on its thread. (What other threads may do:
/// map an MDL, and count in a parent's count of children; neither field is read here.)
pub struct At<'a, T> {
    place: NonNull<T>,
    _life: PhantomData<&'a T>,
}

impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

impl<T> fmt::Debug for At<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

impl<'a, T> At<'a, T> {
    /// `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// Another pointer is as AT says.
    #[must_use]
    pub unsafe fn from_raw(place: *mut T) -> Option<Self> {
        NonNull::new(place).map(|place| Self {
            place,
            _life: PhantomData,
        })
    }

    /// The pointer.
    #[must_use]
    pub fn as_raw(self) -> *mut T {
        self.place.as_ptr()
    }
}

/// A structure that belongs to this value.
///
/// It does nothing on drop: the owning types decide what becomes of a forgotten one.
///
/// # Invariants
///
/// HAND: as AT says, as long as this value is there, and nobody but its owner reaches the
/// structure. The structures that it is linked to belong to it.
pub struct Hand<T>(NonNull<T>);

impl<T> fmt::Debug for Hand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// SAFETY: by HAND the structure moves with this value.
unsafe impl<T> Send for Hand<T> {}

impl<T> Hand<T> {
    /// `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// Another pointer is as HAND says, and the structure is handed over.
    #[must_use]
    pub unsafe fn from_raw(place: *mut T) -> Option<Self> {
        NonNull::new(place).map(Self)
    }

    /// The pointer.
    #[must_use]
    pub fn as_raw(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Gives the structure away.
    #[must_use]
    pub fn into_raw(self) -> *mut T {
        self.as_raw()
    }

    /// The structure, to look at.
    #[must_use]
    pub fn at(&self) -> At<'_, T> {
        At {
            place: self.0,
            _life: PhantomData,
        }
    }

    /// The structure as a link to it, or null.
    fn link(hand: Option<Self>) -> *mut T {
        hand.map_or(ptr::null_mut(), Self::into_raw)
    }
}

crate::raw::fields! { At:
    NET_BUFFER_LIST {
    next_link, set_next_link: *mut NET_BUFFER_LIST = at => ndis_sys::NET_BUFFER_LIST_NEXT_NBL(at);
    first_link, set_first_link: *mut NET_BUFFER = at => ndis_sys::NET_BUFFER_LIST_FIRST_NB(at);
    /// What became of a list.
    pub(super) status, set_status: NDIS_STATUS = at => ndis_sys::NET_BUFFER_LIST_STATUS(at);
    #[allow(dead_code)]
    pub(super) parent, set_parent: *mut NET_BUFFER_LIST = at => &raw mut (*at).ParentNetBufferList;
    #[allow(dead_code)]
    source_handle, set_source_handle: NDIS_HANDLE = at => &raw mut (*at).SourceHandle;
    miniport_0, set_miniport_0: *mut c_void = at => ndis_sys::NET_BUFFER_LIST_MINIPORT_RESERVED(at);
    // Both areas have at least two words.
    miniport_1, set_miniport_1: *mut c_void = at => ndis_sys::NET_BUFFER_LIST_MINIPORT_RESERVED(at).wrapping_add(1);
    protocol_0, set_protocol_0: *mut c_void = at => ndis_sys::NET_BUFFER_LIST_PROTOCOL_RESERVED(at);
    protocol_1, set_protocol_1: *mut c_void = at => ndis_sys::NET_BUFFER_LIST_PROTOCOL_RESERVED(at).wrapping_add(1);
    }

    NET_BUFFER {
    next_link, set_next_link: *mut NET_BUFFER = at => ndis_sys::NET_BUFFER_NEXT_NB(at);
    first_mdl_link, set_first_mdl_link: *mut MDL = at => ndis_sys::NET_BUFFER_FIRST_MDL(at);
    current_mdl_link, set_current_mdl_link: *mut MDL = at => ndis_sys::NET_BUFFER_CURRENT_MDL(at);
    /// Where in the current MDL the data starts, in bytes.
    pub(super) current_mdl_offset, set_current_mdl_offset: u32 = at => ndis_sys::NET_BUFFER_CURRENT_MDL_OFFSET(at);
    /// How much data there is, in bytes.
    pub(super) data_length, set_data_length: u32 = at => ndis_sys::NET_BUFFER_DATA_LENGTH(at);
    /// Where in the data space the data starts, in bytes: before it is the
    /// *unused data space*.
    pub(super) data_offset, set_data_offset: u32 = at => ndis_sys::NET_BUFFER_DATA_OFFSET(at);
    miniport_0, set_miniport_0: *mut c_void = at => ndis_sys::NET_BUFFER_MINIPORT_RESERVED(at);
    // A packet's areas have at least four words.
    miniport_1, set_miniport_1: *mut c_void = at => ndis_sys::NET_BUFFER_MINIPORT_RESERVED(at).wrapping_add(1);
    miniport_2, set_miniport_2: *mut c_void = at => ndis_sys::NET_BUFFER_MINIPORT_RESERVED(at).wrapping_add(2);
    miniport_3, set_miniport_3: *mut c_void = at => ndis_sys::NET_BUFFER_MINIPORT_RESERVED(at).wrapping_add(3);
    protocol_0, set_protocol_0: *mut c_void = at => ndis_sys::NET_BUFFER_PROTOCOL_RESERVED(at);
    protocol_1, set_protocol_1: *mut c_void = at => ndis_sys::NET_BUFFER_PROTOCOL_RESERVED(at).wrapping_add(1);
    protocol_2, set_protocol_2: *mut c_void = at => ndis_sys::NET_BUFFER_PROTOCOL_RESERVED(at).wrapping_add(2);
    protocol_3, set_protocol_3: *mut c_void = at => ndis_sys::NET_BUFFER_PROTOCOL_RESERVED(at).wrapping_add(3);
    }

    MDL {
    next_link: *mut MDL = at => &raw mut (*at).Next;
    /// How much memory it describes, in bytes.
    pub(super) byte_count: u32 = at => &raw mut (*at).ByteCount;
    }
}

/// Methods that follow a link, to what is as AT says, too.
macro_rules! links {
    ($($(#[$doc:meta])* $follow:ident: $from:ident => $to:ident = $link:ident;)*) => {$(
        impl<'a> At<'a, $from> {
            $(#[$doc])*
            #[inline]
            pub(super) fn $follow(self) -> Option<At<'a, $to>> {
                NonNull::new(self.$link()).map(|place| At {
                    place,
                    _life: PhantomData,
                })
            }
        }
    )*};
}

links! {
    /// The next list of a chain.
    next: NET_BUFFER_LIST => NET_BUFFER_LIST = next_link;
    /// The first buffer of a list.
    first_buffer: NET_BUFFER_LIST => NET_BUFFER = first_link;
    /// The next buffer of a list.
    next: NET_BUFFER => NET_BUFFER = next_link;
    /// The first MDL of the data space.
    first_mdl: NET_BUFFER => MDL = first_mdl_link;
    /// The MDL in which the data starts.
    current_mdl: NET_BUFFER => MDL = current_mdl_link;
    /// The next MDL of a chain.
    next: MDL => MDL = next_link;
}

/// What is linked to a value of one's own is one's own, too.
macro_rules! chained {
    ($($structure:ident)*) => {$(
        impl Hand<$structure> {
            /// Takes what is linked to this one.
            pub(super) fn take_next(&mut self) -> Option<Self> {
                let next = NonNull::new(self.at().next_link());
                self.at().set_next_link(ptr::null_mut());
                next.map(Self)
            }

            /// Links another to this one.
            pub(super) fn set_next(&mut self, next: Option<Self>) {
                self.at().set_next_link(Self::link(next));
            }
        }
    )*};
}

chained! { NET_BUFFER_LIST NET_BUFFER }

impl Hand<NET_BUFFER_LIST> {
    /// Takes the buffers.
    pub(super) fn take_first_buffer(&mut self) -> Option<Hand<NET_BUFFER>> {
        let first = NonNull::new(self.at().first_link());
        self.at().set_first_link(ptr::null_mut());
        first.map(Hand)
    }

    /// Puts buffers in, instead of those that are there.
    pub(super) fn set_first_buffer(&mut self, first: Option<Hand<NET_BUFFER>>) {
        self.at().set_first_link(Hand::link(first));
    }
}

impl Hand<NET_BUFFER> {
    /// Makes `mdl` all of the data space.
    ///
    /// # Safety
    ///
    /// It stays as long as it is that.
    pub(super) unsafe fn set_mdl(&mut self, mdl: *mut MDL) {
        self.at().set_first_mdl_link(mdl);
        self.at().set_current_mdl_link(mdl);
    }
}

/// Notes what became of a list.
pub(crate) fn set_status(list: At<'_, NET_BUFFER_LIST>, status: NDIS_STATUS) {
    list.set_status(status);
}

/// Sets the handle to which a list goes back (rules [NBL-01], [NBL-17]).
///
/// [NBL-01]: ndis_sys::rules#NBL-01
/// [NBL-17]: ndis_sys::rules#NBL-17
pub(crate) fn set_source_handle(list: At<'_, NET_BUFFER_LIST>, handle: NDIS_HANDLE) {
    list.set_source_handle(handle);
}

/// What was left in a slot of a list that this driver allocated.
#[must_use]
pub(crate) fn load(list: At<'_, NET_BUFFER_LIST>, side: Side, Slot::Vc: Slot) -> *mut c_void {
    match side {
        Side::Miniport => list.miniport_1(),
        Side::Protocol => list.protocol_1(),
    }
}

/// Leaves a pointer in a slot of a list that this driver allocated.
pub(crate) fn store(list: At<'_, NET_BUFFER_LIST>, side: Side, Slot::Vc: Slot, value: *mut c_void) {
    match side {
        Side::Miniport => list.set_miniport_1(value),
        Side::Protocol => list.set_protocol_1(value),
    }
}
