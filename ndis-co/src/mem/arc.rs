//! [`Arc`]: one value in the pool, shared by reference count.

use super::{OutOfMemory, Tag, allocate, free};
use core::{
    alloc::Layout,
    fmt,
    marker::PhantomData,
    ops,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering, fence},
};

/// The allocation: the count, then the value.
#[repr(C)]
struct Shared<T> {
    count: AtomicUsize,
    tag: Tag,
    value: T,
}

/// A value in nonpaged pool memory with any number of owners.
///
/// Like `alloc::sync::Arc` without weak references: the value is dropped with
/// its last owner. A count that would overflow stops the system instead of
/// wrapping.
///
/// Source pages: `nf-wdm-exallocatepoolwithtag`, `nf-wdm-exfreepoolwithtag`.
///
/// # Invariants
///
/// ARC: `shared` is a live pool allocation with an initialised value, and
/// `count` is the number of `Arc`s and outstanding [`Arc::into_raw`] pointers
/// to it.
#[doc(alias = "ExAllocatePoolWithTag")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Arc<T> {
    shared: NonNull<Shared<T>>,
    _owns: PhantomData<Shared<T>>,
}

// SAFETY: by ARC owners on several threads share T and one of them drops it.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as for Send: a shared Arc can be cloned, so it needs the same.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// Moves a value into the pool.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_new(value: T, tag: Tag) -> Result<Self, OutOfMemory> {
        let shared = allocate(Layout::new::<Shared<T>>(), tag)?.cast::<Shared<T>>();
        // SAFETY: `allocate` returned memory for it that nobody else uses.
        unsafe {
            shared.write(Shared {
                count: AtomicUsize::new(1),
                tag,
                value,
            })
        };
        Ok(Self {
            shared,
            _owns: PhantomData,
        })
    }

    /// Whether both share one value.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.shared == other.shared
    }

    /// How many owners there are at this moment.
    #[must_use]
    pub fn count(this: &Self) -> usize {
        this.inner().count.load(Ordering::Acquire)
    }

    /// Turns the owner into a pointer that keeps its share of the count.
    #[must_use]
    pub fn into_raw(this: Self) -> *mut core::ffi::c_void {
        core::mem::ManuallyDrop::new(this).shared.as_ptr().cast()
    }

    /// The pointer that [`Arc::into_raw`] would give, without a share.
    #[must_use]
    pub fn as_raw(this: &Self) -> *mut core::ffi::c_void {
        this.shared.as_ptr().cast()
    }

    /// Takes back the share of an [`Arc::into_raw`] pointer.
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` came from `Arc::<T>::into_raw` (or `as_raw`) and one
    /// share of the count is handed over with it.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut core::ffi::c_void) -> Option<Self> {
        NonNull::new(raw.cast::<Shared<T>>()).map(|shared| Self {
            shared,
            _owns: PhantomData,
        })
    }

    /// Lends the value behind an [`Arc::into_raw`] pointer as an owner, without
    /// touching its share.
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` came from `Arc::<T>::into_raw` or `as_raw`, and a share
    /// of the count outlives the returned value.
    #[must_use]
    pub unsafe fn borrow_raw(raw: *mut core::ffi::c_void) -> Option<core::mem::ManuallyDrop<Self>> {
        NonNull::new(raw.cast::<Shared<T>>()).map(|shared| {
            core::mem::ManuallyDrop::new(Self {
                shared,
                _owns: PhantomData,
            })
        })
    }

    /// The value, if this is its only owner.
    #[must_use]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        if Self::count(this) != 1 {
            return None;
        }
        // SAFETY: by ARC a count of one means that nobody else reaches the
        // value, and this owner is borrowed exclusively.
        let shared = unsafe { this.shared.as_mut() };
        Some(&mut shared.value)
    }

    /// A pointer to the value that may be used to get the owner back with
    /// [`Arc::from_value_ptr`].
    #[must_use]
    pub fn value_ptr(this: &Self) -> *const T {
        // SAFETY: by ARC the allocation holds a whole `Shared`.
        unsafe { &raw const (*this.shared.as_ptr()).value }
    }

    /// Takes back a share through [`Arc::value_ptr`].
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `value` came from `Arc::<T>::value_ptr` and one share of the
    /// count is handed over with it.
    #[must_use]
    pub unsafe fn from_value_ptr(value: *const T) -> Option<Self> {
        if value.is_null() {
            return None;
        }
        // SAFETY: `value` points to that field of a `Shared<T>`.
        let shared = unsafe { value.byte_sub(core::mem::offset_of!(Shared<T>, value)) };
        // SAFETY: that is the pointer `into_raw` would give; the caller hands
        // over a share.
        unsafe { Self::from_raw(shared.cast_mut().cast()) }
    }

    fn inner(&self) -> &Shared<T> {
        // SAFETY: by ARC the allocation lives as long as this owner.
        unsafe { self.shared.as_ref() }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        let before = self.inner().count.fetch_add(1, Ordering::Relaxed);
        if before > usize::MAX / 2 {
            crate::bugcheck::bug_check(crate::bugcheck::Reason::RefCountOverflow);
        }
        Self {
            shared: self.shared,
            _owns: PhantomData,
        }
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        if self.inner().count.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        let tag = self.inner().tag;
        // SAFETY: by ARC the count was one, so this was the last owner; the
        // fence orders every earlier use before this.
        unsafe { self.shared.drop_in_place() };
        // SAFETY: as above; the allocation was made with this layout and tag.
        unsafe { free(self.shared.cast(), Layout::new::<Shared<T>>(), tag) };
    }
}

impl<T> ops::Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner().value
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
