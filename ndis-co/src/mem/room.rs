//! [`Room`]: memory of the pool that belongs to one value and goes with it. What is in it
//! is the business of [`Box`](super::Box), [`Arc`](super::Arc) and [`Vec`](super::Vec).

use super::{OutOfMemory, Tag, allocate, free};
use core::{alloc::Layout, mem::MaybeUninit, ops, ptr::NonNull};

/// Room for `S`, a `MaybeUninit<T>` or a slice of them: whatever its bytes are, it is
/// there to be looked at.
///
/// # Invariants
///
/// ROOM: `place` is memory of [`allocate`] with the layout of `S` and with `tag`, or
/// dangling where `S` has no bytes, and is this value's alone.
pub(super) struct Room<S: ?Sized> {
    pub(super) place: NonNull<S>,
    pub(super) tag: Tag,
}

// SAFETY: by ROOM the memory moves with this value.
unsafe impl<S: ?Sized + Send> Send for Room<S> {}
// SAFETY: by ROOM a shared room gives out nothing but shared references.
unsafe impl<S: ?Sized + Sync> Sync for Room<S> {}

impl<T> Room<MaybeUninit<T>> {
    pub(super) fn try_new(tag: Tag) -> Result<Self, OutOfMemory> {
        let place = allocate(Layout::new::<T>(), tag)?.cast();
        Ok(Self { place, tag })
    }
}

impl<T> Room<[MaybeUninit<T>]> {
    /// No room.
    pub(super) const fn new(tag: Tag) -> Self {
        let place = NonNull::slice_from_raw_parts(NonNull::dangling(), 0);
        Self { place, tag }
    }

    /// Zeros, as the pool gives them out (rule KE-17).
    pub(super) fn try_new_slice(len: usize, tag: Tag) -> Result<Self, OutOfMemory> {
        let layout = Layout::array::<T>(len).map_err(|_| OutOfMemory)?;
        let place = NonNull::slice_from_raw_parts(allocate(layout, tag)?.cast(), len);
        Ok(Self { place, tag })
    }
}

impl<S: ?Sized> Drop for Room<S> {
    fn drop(&mut self) {
        let layout = Layout::for_value(&**self);
        // SAFETY: by ROOM the memory is ours, with this layout and tag; it is used no more.
        unsafe { free(self.place.cast(), layout, self.tag) };
    }
}

impl<S: ?Sized> ops::Deref for Room<S> {
    type Target = S;
    fn deref(&self) -> &S {
        // SAFETY: by ROOM it is there as long as this value.
        unsafe { self.place.as_ref() }
    }
}

impl<S: ?Sized> ops::DerefMut for Room<S> {
    fn deref_mut(&mut self) -> &mut S {
        // SAFETY: by ROOM it is ours alone, and we are borrowed exclusively.
        unsafe { self.place.as_mut() }
    }
}
