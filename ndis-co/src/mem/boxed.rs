//! [`Box`]: one value in the pool.

use super::{OutOfMemory, Tag, allocate, free};
use core::{alloc::Layout, fmt, marker::PhantomData, ops, ptr::NonNull};

/// A value of its own in nonpaged pool memory.
///
/// Source pages: `nf-wdm-exallocatepool2`, `nf-wdm-exfreepoolwithtag`.
///
/// # Invariants
///
/// BOX: `memory` is a live pool allocation for `T` made with `tag`, holds an
/// initialised `T`, and belongs to this value alone.
#[doc(alias = "ExAllocatePool2")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Box<T> {
    memory: NonNull<T>,
    tag: Tag,
    _owns: PhantomData<T>,
}

// SAFETY: by BOX the box owns its T like a plain value.
unsafe impl<T: Send> Send for Box<T> {}
// SAFETY: by BOX a shared box gives out nothing but shared references to T.
unsafe impl<T: Sync> Sync for Box<T> {}

impl<T> Box<T> {
    /// Moves a value into the pool.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_new(value: T, tag: Tag) -> Result<Self, OutOfMemory> {
        let memory = allocate(Layout::new::<T>(), tag)?.cast::<T>();
        // SAFETY: `allocate` returned memory for a T that nobody else uses.
        unsafe { memory.write(value) };
        Ok(Self {
            memory,
            tag,
            _owns: PhantomData,
        })
    }

    /// Gives the allocation away, tag and all; it is to come back through
    /// [`Box::from_leaked`].
    pub(crate) fn leak(self) -> *mut T {
        core::mem::ManuallyDrop::new(self).memory.as_ptr()
    }

    /// Takes back what [`Box::leak`] gave away with the tag [`Tag::NDIS`].
    ///
    /// # Safety
    ///
    /// `memory` came from `leak` of a box with that tag, and is taken back
    /// once.
    pub(crate) unsafe fn from_leaked(memory: *mut T) -> Self {
        // SAFETY: `leak` never gives a null pointer.
        let memory = unsafe { NonNull::new_unchecked(memory) };
        Self {
            memory,
            tag: Tag::NDIS,
            _owns: PhantomData,
        }
    }

    /// Moves the value out and frees the memory.
    #[must_use]
    pub fn into_inner(this: Self) -> T {
        let this = core::mem::ManuallyDrop::new(this);
        // SAFETY: by BOX the memory holds a T; `this` is never dropped, so the
        // value is moved out once.
        let value = unsafe { this.memory.read() };
        // SAFETY: by BOX the allocation is ours, and it is not used again.
        unsafe { free(this.memory.cast(), Layout::new::<T>(), this.tag) };
        value
    }
}

impl<T> Drop for Box<T> {
    fn drop(&mut self) {
        // SAFETY: by BOX the memory holds a T, which is dropped only here.
        unsafe { self.memory.drop_in_place() };
        // SAFETY: by BOX the allocation is ours, and it is not used again.
        unsafe { free(self.memory.cast(), Layout::new::<T>(), self.tag) };
    }
}

impl<T> ops::Deref for Box<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: by BOX the memory holds a T as long as the box lives.
        unsafe { self.memory.as_ref() }
    }
}

impl<T> ops::DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by BOX the T is ours alone, and we are borrowed exclusively.
        unsafe { self.memory.as_mut() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Box<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
