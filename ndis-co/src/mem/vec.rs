//! [`Vec`]: a growable array whose growth can fail.

use super::{OutOfMemory, Tag, room::Room};
use core::{
    fmt,
    mem::{MaybeUninit, replace, swap},
    ops,
};

/// A growable array in nonpaged pool memory.
///
/// ```
/// # use ndis_co::mem::{OutOfMemory, Tag, Vec};
/// # use ndis_host::Host;
/// # let host = Host::builder().build();
/// let mut numbers = Vec::new(Tag::new(*b"Nums"));
/// numbers.try_push(7)?;
/// numbers.try_push(8)?;
/// assert_eq!(numbers.take_first(|number| *number == 7), Some(7));
/// assert_eq!(&numbers[..], [8]);
/// # drop(numbers);
/// # assert!(host.finish().is_clean());
/// # Ok::<(), OutOfMemory>(())
/// ```
///
/// Source pages: [`ExAllocatePool2`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2),
/// [`ExFreePoolWithTag`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exfreepoolwithtag).
///
/// # Invariants
///
/// VEC: the first `len` places of the room are initialised, and it has so many.
#[doc(alias = "ExAllocatePool2")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Vec<T> {
    room: Room<[MaybeUninit<T>]>,
    len: usize,
}

impl<T> Vec<T> {
    /// An empty vector; allocates nothing.
    #[must_use]
    pub const fn new(tag: Tag) -> Self {
        let room = Room::new(tag);
        Self { room, len: 0 }
    }

    /// Copies a slice.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn try_from_slice(values: &[T], tag: Tag) -> Result<Self, OutOfMemory>
    where
        T: Copy,
    {
        let mut vec = Self::new(tag);
        vec.try_reserve(values.len())?;
        for value in values {
            vec.try_push(*value)?;
        }
        Ok(vec)
    }

    /// `len` zeros.
    pub(crate) fn try_zeroed(len: usize, tag: Tag) -> Result<Self, OutOfMemory>
    where
        T: ndis_sys::Zeroable,
    {
        // New memory is zeroed, which is a value of each `T` (`Zeroable`), as VEC says.
        let room = Room::try_new_slice(len, tag)?;
        Ok(Self { room, len })
    }

    /// Makes room for `additional` more values.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; nothing changed then.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        if additional <= self.room.len().saturating_sub(self.len) {
            return Ok(());
        }
        self.grow(additional)
    }

    /// Moves into a room that has place for so many more. Out of the way: a vector grows rarely.
    #[cold]
    fn grow(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let needed = self.len.checked_add(additional).ok_or(OutOfMemory)?;
        let capacity = needed.max(self.room.len().saturating_mul(2)).max(4);
        let room = Room::try_new_slice(capacity, self.room.tag)?;
        let mut old = replace(&mut self.room, room);
        // Values move from place to place; there are as many as the old room had.
        for (to, from) in self.room.iter_mut().zip(old.iter_mut()).take(self.len) {
            swap(to, from);
        }
        Ok(())
    }

    /// Appends a value.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_push(&mut self, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1)?;
        let place = self.room.get_mut(self.len).ok_or(OutOfMemory)?;
        place.write(value);
        self.len += 1;
        Ok(())
    }

    /// Takes all values, leaving the vector empty and without memory.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(self.room.tag);
        replace(self, empty)
    }

    /// Takes the value at `index`, keeping the order of the others.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        // Each value moves one place down, from the last on.
        let mut value = self.pop()?;
        for place in self.get_mut(index..)?.iter_mut().rev() {
            swap(place, &mut value);
        }
        Some(value)
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let place = self.room.get(last)?;
        self.len = last;
        // SAFETY: by VEC it was initialised; it counts no longer, so that the value is
        // moved out once.
        Some(unsafe { place.assume_init_read() })
    }

    /// Takes the value at `index`, whose place the last value fills.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        let last = self.pop()?;
        match self.get_mut(index) {
            Some(place) => Some(replace(place, last)),
            // It was the last one.
            None => Some(last),
        }
    }

    /// Exchanges two values, if both are there.
    pub fn swap(&mut self, one: usize, other: usize) {
        let (low, high) = (one.min(other), one.max(other));
        if let Some((front, back)) = self.split_at_mut_checked(high)
            && let (Some(one), Some(other)) = (front.get_mut(low), back.first_mut())
        {
            core::mem::swap(one, other);
        }
    }

    /// Takes the first value for which `pick` says yes.
    pub fn take_first(&mut self, mut pick: impl FnMut(&T) -> bool) -> Option<T> {
        let index = self.iter().position(&mut pick)?;
        self.swap_remove(index)
    }

    /// The memory itself, for C code that keeps the address. Later uses of the
    /// vector, short of growing it, leave the pointer usable.
    pub(crate) fn base(&self) -> *mut T {
        self.room.place.as_ptr().cast()
    }
}

impl<T> Drop for Vec<T> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            while self.pop().is_some() {}
        }
    }
}

impl<T> ops::Deref for Vec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: by VEC the first `len` values are initialised.
        unsafe { core::slice::from_raw_parts(self.base(), self.len) }
    }
}

impl<T> ops::DerefMut for Vec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: by VEC the first `len` values are initialised; they are ours.
        unsafe { core::slice::from_raw_parts_mut(self.base(), self.len) }
    }
}

/// The values of a vector, by move.
pub struct IntoIter<T> {
    /// In reverse, so that the next one is the last.
    rest: Vec<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.rest.pop()
    }
}

impl<T> IntoIterator for Vec<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(mut self) -> IntoIter<T> {
        self.reverse();
        IntoIter { rest: self }
    }
}

impl<'a, T> IntoIterator for &'a Vec<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    fn into_iter(self) -> core::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rest.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for Vec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
