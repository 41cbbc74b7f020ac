//! [`Vec`]: a growable array whose growth can fail.

use super::{OutOfMemory, Tag, allocate, free};
use core::{alloc::Layout, fmt, marker::PhantomData, ops, ptr::NonNull};

/// A growable array in nonpaged pool memory.
///
/// Source pages: `nf-wdm-exallocatepool2`, `nf-wdm-exfreepoolwithtag`.
///
/// # Invariants
///
/// VEC: `memory` has room for `capacity` values, made with `tag` (dangling for
/// capacity zero), the first `len` of which are initialised; `len <= capacity`.
#[doc(alias = "ExAllocatePool2")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Vec<T> {
    memory: NonNull<T>,
    capacity: usize,
    len: usize,
    tag: Tag,
    _owns: PhantomData<T>,
}

// SAFETY: by VEC the vector owns its values like plain ones.
unsafe impl<T: Send> Send for Vec<T> {}
// SAFETY: by VEC a shared vector gives out nothing but shared references.
unsafe impl<T: Sync> Sync for Vec<T> {}

impl<T> Vec<T> {
    /// An empty vector; allocates nothing.
    #[must_use]
    pub const fn new(tag: Tag) -> Self {
        Self {
            memory: NonNull::dangling(),
            capacity: 0,
            len: 0,
            tag,
            _owns: PhantomData,
        }
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
        let mut vec = Self::new(tag);
        vec.try_reserve(len)?;
        // SAFETY: by VEC and the reservation the memory has room for `len`
        // values, and all zeros is one of each (`Zeroable`).
        unsafe { vec.memory.write_bytes(0, len) };
        vec.len = len;
        Ok(vec)
    }

    /// Makes room for `additional` more values.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; nothing changed then.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let needed = self.len.checked_add(additional).ok_or(OutOfMemory)?;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity = needed.max(self.capacity.saturating_mul(2)).max(4);
        let layout = Layout::array::<T>(capacity).map_err(|_| OutOfMemory)?;
        let memory = allocate(layout, self.tag)?.cast::<T>();
        // SAFETY: by VEC the old memory holds `len` values; the new one has
        // room for more and is another allocation.
        unsafe { memory.copy_from_nonoverlapping(self.memory, self.len) };
        self.release();
        self.memory = memory;
        self.capacity = capacity;
        Ok(())
    }

    /// Appends a value.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_push(&mut self, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1)?;
        // SAFETY: by VEC and the reservation, `len` is within the capacity.
        let slot = unsafe { self.memory.add(self.len) };
        // SAFETY: the slot is ours and holds no value yet.
        unsafe { slot.write(value) };
        self.len += 1;
        Ok(())
    }

    /// Takes all values, leaving the vector empty and without memory.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(self.tag);
        core::mem::replace(self, empty)
    }

    /// Takes the value at `index`, keeping the order of the others.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        // Each value moves one place down, from the last on.
        let mut value = self.pop()?;
        for place in self.get_mut(index..)?.iter_mut().rev() {
            core::mem::swap(place, &mut value);
        }
        Some(value)
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        self.len = last;
        // SAFETY: by VEC the slot was initialised; it no longer counts.
        let slot = unsafe { self.memory.add(last) };
        // SAFETY: as above: the value is moved out once.
        Some(unsafe { slot.read() })
    }

    /// Takes the value at `index`, whose place the last value fills.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        let last = self.pop()?;
        match self.get_mut(index) {
            Some(place) => Some(core::mem::replace(place, last)),
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
        self.memory.as_ptr()
    }

    /// Frees the memory without dropping values.
    fn release(&mut self) {
        if let (true, Ok(layout)) = (self.capacity > 0, Layout::array::<T>(self.capacity)) {
            // SAFETY: by VEC the memory was allocated with this layout and tag.
            unsafe { free(self.memory.cast(), layout, self.tag) };
        }
    }
}

impl<T> Drop for Vec<T> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            while self.pop().is_some() {}
        }
        self.release();
    }
}

impl<T> ops::Deref for Vec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: by VEC the first `len` values are initialised.
        unsafe { core::slice::from_raw_parts(self.memory.as_ptr(), self.len) }
    }
}

impl<T> ops::DerefMut for Vec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: by VEC the first `len` values are initialised and ours.
        unsafe { core::slice::from_raw_parts_mut(self.memory.as_ptr(), self.len) }
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
