//! [`Box`]: one value in the pool.

use super::{OutOfMemory, Tag, room::Room};
use crate::armed::{Alarm, Armed};
use core::{
    fmt,
    mem::{ManuallyDrop, MaybeUninit},
    ops,
    ptr::NonNull,
};

/// A value of its own in nonpaged pool memory.
///
/// ```
/// # use ndis_co::mem::{Box, OutOfMemory, Tag};
/// # use ndis_host::Host;
/// # let host = Host::builder().build();
/// let mut table = Box::try_new([0_u8; 256], Tag::new(*b"Slot"))?;
/// table[7] = 1;
/// assert_eq!(Box::into_inner(table)[7], 1);
/// # assert!(host.finish().is_clean());
/// # Ok::<(), OutOfMemory>(())
/// ```
///
/// Source pages: [`ExAllocatePool2`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2),
/// [`ExFreePoolWithTag`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exfreepoolwithtag).
///
/// # Invariants
///
/// BOX: the room holds an initialised `T`, until this is disarmed.
#[doc(alias = "ExAllocatePool2")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Box<T> {
    room: Armed<Room<MaybeUninit<T>>, Full>,
}

/// The room of a box that is dropped.
enum Full {}

impl<T> Alarm<Room<MaybeUninit<T>>> for Full {
    fn lost(mut room: Room<MaybeUninit<T>>) {
        // SAFETY: by BOX the room holds a T, which is dropped here only.
        unsafe { room.assume_init_drop() };
    }
}

/// Memory for a [`Box`], before there is its value.
pub(crate) struct Vacant<T>(Room<MaybeUninit<T>>);

impl<T> Vacant<T> {
    pub(crate) fn try_new(tag: Tag) -> Result<Self, OutOfMemory> {
        Room::try_new(tag).map(Self)
    }

    /// Moves a value in.
    pub(crate) fn fill(mut self, value: T) -> Box<T> {
        self.0.write(value);
        let room = Armed::new(self.0);
        Box { room }
    }
}

impl<T> Box<T> {
    /// Moves a value into the pool.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_new(value: T, tag: Tag) -> Result<Self, OutOfMemory> {
        Ok(Vacant::try_new(tag)?.fill(value))
    }

    /// Gives the allocation away; it is to come back through
    /// [`Box::from_leaked`].
    pub(crate) fn leak(self) -> NonNull<T> {
        ManuallyDrop::new(self.room.disarm()).place.cast()
    }

    /// Takes back what [`Box::leak`] gave away.
    ///
    /// # Safety
    ///
    /// `memory` came from `leak` of a box with that tag, and is taken back
    /// once.
    pub(crate) unsafe fn from_leaked(memory: NonNull<T>, tag: Tag) -> Self {
        // By the caller as BOX and ROOM say.
        let place = memory.cast();
        let room = Armed::new(Room { place, tag });
        Self { room }
    }

    /// Moves the value out and frees the memory.
    #[must_use]
    pub fn into_inner(this: Self) -> T {
        let room = this.room.disarm();
        // SAFETY: by BOX the room holds a T, which is moved out once.
        unsafe { room.as_ptr().read() }
    }
}

// Through pointers: the methods of `MaybeUninit` for this panic when a `T` has no values, as a
// driver's `Infallible`, and that panic would be in the driver's image.
impl<T> ops::Deref for Box<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: by BOX the room holds a T, and it is borrowed as this is.
        unsafe { &*self.room.as_ptr() }
    }
}

impl<T> ops::DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by BOX the room holds a T, and it is borrowed exclusively, as this is.
        unsafe { &mut *self.room.as_mut_ptr() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Box<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
