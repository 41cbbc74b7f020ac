//! [`Arc`]: one value in the pool, shared by reference count.

use super::{OutOfMemory, Tag, allocate, free};
use crate::irql::Passive;
use core::{
    alloc::Layout,
    fmt,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering, fence},
};

/// The allocation: the count, then the value.
#[repr(C)]
struct Shared<T> {
    count: AtomicUsize,
    /// What the last owner does: drops the value and frees the memory.
    release: unsafe fn(NonNull<Shared<T>>),
    tag: Tag,
    value: T,
}

/// A field that leads to an object's parent: it is dropped after the object's
/// memory was freed, see [`Arc::try_new_anchored`].
///
/// The parent may be what keeps the adapter, the binding, and with them the
/// driver's code in place. Whoever lets go of it may run at the very moment at
/// which the driver is unloaded, so nothing may be left to do then.
pub struct Parent<P>(ManuallyDrop<P>);

impl<P> Parent<P> {
    /// Wraps a parent.
    pub const fn new(parent: P) -> Self {
        Self(ManuallyDrop::new(parent))
    }
}

impl<P> ops::Deref for Parent<P> {
    type Target = P;
    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: fmt::Debug> fmt::Debug for Parent<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// An object with a [`Parent`].
///
/// # Safety
///
/// `parent` returns a field of `self`, always the same one, and nothing else
/// takes that field's value out.
pub unsafe trait Anchored {
    /// What the field holds.
    type Parent;

    /// The field.
    fn parent(&mut self) -> &mut Parent<Self::Parent>;
}

/// A value in nonpaged pool memory with any number of owners.
///
/// Like `alloc::sync::Arc` without weak references: the value is dropped with
/// its last owner. A count that would overflow stops the system instead of
/// wrapping.
///
/// Source pages: `nf-wdm-exallocatepool2`, `nf-wdm-exfreepoolwithtag`.
///
/// # Invariants
///
/// ARC: `shared` is a live pool allocation with an initialised value, and
/// `count` is the number of `Arc`s and outstanding [`Arc::into_raw`] pointers
/// to it.
#[doc(alias = "ExAllocatePool2")]
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
        Self::make(value, release::<T>, tag).map_err(|_| OutOfMemory)
    }

    /// As [`try_new`](Self::try_new); the value comes back when there is no
    /// memory.
    pub(crate) fn try_new_or_back(value: T, tag: Tag) -> Result<Self, T> {
        Self::make(value, release::<T>, tag)
    }

    /// As [`try_new`](Self::try_new), for an object with a [`Parent`]: when the
    /// last owner goes, the value is dropped first, then the memory is freed,
    /// and only then the parent is dropped.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then, its parent last.
    pub fn try_new_anchored(value: T, tag: Tag) -> Result<Self, OutOfMemory>
    where
        T: Anchored,
    {
        Self::make(value, release_anchored::<T>, tag).map_err(|mut value| {
            // SAFETY: by `Anchored` a field of the value, taken out here only;
            // the field itself has no destructor.
            let parent = unsafe { ManuallyDrop::take(&mut value.parent().0) };
            drop(value);
            drop(parent);
            OutOfMemory
        })
    }

    /// Moves a value into the pool, or gives it back.
    fn make(value: T, release: unsafe fn(NonNull<Shared<T>>), tag: Tag) -> Result<Self, T> {
        let Ok(memory) = allocate(Layout::new::<Shared<T>>(), tag) else {
            return Err(value);
        };
        let shared = memory.cast::<Shared<T>>();
        // SAFETY: `allocate` returned memory for it that nobody else uses.
        unsafe {
            shared.write(Shared {
                count: AtomicUsize::new(1),
                release,
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

    /// Waits until no more than `owners` are left: whoever has done its work may still
    /// be on its way out, with a reference until then.
    pub(crate) fn wait_for_others(this: &Self, owners: usize, irql: &mut Passive) {
        let _ = irql;
        while Self::count(this) > owners {
            // SAFETY: legal at PASSIVE_LEVEL, which the proof says.
            unsafe { ndis_sys::NdisMSleep(50) };
        }
    }

    /// Turns the owner into a pointer that keeps its share of the count.
    #[must_use]
    pub fn into_raw(this: Self) -> *mut core::ffi::c_void {
        ManuallyDrop::new(this).shared.as_ptr().cast()
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
    pub unsafe fn borrow_raw(raw: *mut core::ffi::c_void) -> Option<ManuallyDrop<Self>> {
        NonNull::new(raw.cast::<Shared<T>>()).map(|shared| {
            ManuallyDrop::new(Self {
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
        let release = self.inner().release;
        // SAFETY: by ARC the count was one, so this was the last owner; the
        // fence orders every earlier use before this.
        unsafe { release(self.shared) };
    }
}

/// Drops the value and frees the memory.
///
/// # Safety
///
/// The last owner's pointer, which is not used afterwards.
#[cold]
unsafe fn release<T>(shared: NonNull<Shared<T>>) {
    // SAFETY: by the caller the allocation is live and nobody else's.
    let tag = unsafe { shared.as_ref() }.tag;
    // SAFETY: as above; the value is used no more.
    unsafe { shared.drop_in_place() };
    // SAFETY: as above; the allocation was made with this layout and tag.
    unsafe { free(shared.cast(), Layout::new::<Shared<T>>(), tag) };
}

/// As [`release`], and then drops the value's parent.
///
/// # Safety
///
/// As there.
#[cold]
unsafe fn release_anchored<T: Anchored>(mut shared: NonNull<Shared<T>>) {
    // SAFETY: by the caller the allocation is live and nobody else's.
    let parent = unsafe { shared.as_mut() }.value.parent();
    // SAFETY: by `Anchored` a field of the value, taken out here only; the
    // field itself has no destructor.
    let parent = unsafe { ManuallyDrop::take(&mut parent.0) };
    // SAFETY: the caller's contract is the same.
    unsafe { release(shared) };
    // Whatever this sets free, including the driver's image, nothing is left
    // to do here.
    drop(parent);
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
