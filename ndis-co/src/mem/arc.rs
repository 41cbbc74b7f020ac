//! [`Arc`]: one value in the pool with any number of owners, which are counted.
//!
//! Beside it is the cell by which weak references find the value, see [`Weak`](super::Weak).

use super::{Box, OutOfMemory, Tag, Vacant};
use crate::{
    armed::{Alarm, Armed},
    irql::Passive,
    lock::SpinLock,
    raw::Opaque,
};
use core::{
    ffi::c_void,
    fmt,
    mem::ManuallyDrop,
    ops,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence},
};

/// The allocation: the count, then the value.
#[repr(C)]
struct Shared<T> {
    count: AtomicU32,
    tag: Tag,
    /// What the last owner does: drops the value and frees the memory.
    release: fn(Last<T>),
    /// What weak references share.
    seat: Seat,
    value: T,
}

/// What the weak references of one value share, and the value's [`Seat`].
///
/// # Invariants
///
/// CELL: `value` is null, or the allocation of the value whose seat has this cell. Whoever was
/// its last owner clears it, under the lock, and frees the memory only after that.
pub(super) struct Cell {
    pub(super) value: SpinLock<Opaque>,
}

/// A value's reference to its cell, once there is one.
///
/// # Invariants
///
/// SEAT: the pointer is null, or one of [`Arc::into_raw`] for a cell, with the reference.
struct Seat(AtomicPtr<c_void>);

impl Seat {
    /// There is no cell.
    const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether there may be weak references.
    fn is_taken(&self) -> bool {
        !self.0.load(Ordering::Acquire).is_null()
    }

    /// The last owner has gone: no weak reference finds the value from here on (CELL).
    #[inline]
    fn vacate(&self) {
        // Whoever set it was an owner, and the last one has synchronized with all of them.
        if !self.0.load(Ordering::Relaxed).is_null() {
            self.clear();
        }
    }

    #[cold]
    fn clear(&self) {
        let cell = self.0.swap(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: by SEAT; the field's reference leaves it with this.
        if let Some(cell) = unsafe { Arc::<Cell>::from_raw(cell) } {
            cell.value.locked(|value| value.take());
        }
    }

    /// The cell, made now if this is the first who asks. `value` is where the seat is in.
    fn cell(&self, value: *mut c_void, tag: Tag) -> Result<Arc<Cell>, OutOfMemory> {
        let mut cell = self.0.load(Ordering::Acquire);
        if cell.is_null() {
            let made = Cell {
                value: SpinLock::new(Opaque::new(value)),
            };
            let made = Arc::into_raw(Arc::try_new(made, tag)?);
            let set =
                self.0
                    .compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
            cell = match set {
                Ok(_) => made,
                Err(first) => {
                    // SAFETY: the pointer that was just made, which nobody else has.
                    drop(unsafe { Arc::<Cell>::from_raw(made) });
                    first
                }
            };
        }
        // SAFETY: by SEAT the field has a reference; it stays until the last owner of the value
        // goes, and the caller has borrowed one.
        let cell = unsafe { Arc::<Cell>::borrow_raw(cell) }.ok_or(OutOfMemory)?;
        Ok(Arc::clone(&cell))
    }
}

/// A field that leads to an object's parent: the object's last owner lets go of it after
/// the object's memory was freed, see [`Arc::try_new_anchored`].
///
/// The parent may be what keeps the adapter, the binding, and with them the
/// driver's code in place. Whoever lets go of it may run at the very moment at
/// which the driver is unloaded, so nothing may be left to do then.
pub struct Parent<P>(P);

impl<P> Parent<P> {
    /// Wraps a parent.
    pub const fn new(parent: P) -> Self {
        Self(parent)
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
pub trait Anchored {
    /// What the field holds: a reference, of which there can be another one.
    type Parent: Clone;

    /// The field.
    fn parent(&mut self) -> &mut Parent<Self::Parent>;
}

/// One of the references that are counted.
///
/// # Invariants
///
/// ARC: it points to a live allocation of a leaked [`Box`], whose `count` is the number of
/// values of this type and of outstanding [`Arc::into_raw`] pointers to it.
struct Reference<T>(NonNull<Shared<T>>);

// SAFETY: by ARC owners on several threads share T and one of them drops it.
unsafe impl<T: Send + Sync> Send for Reference<T> {}
// SAFETY: as for Send: a shared reference can be counted once more, so it needs the same.
unsafe impl<T: Send + Sync> Sync for Reference<T> {}

impl<T> Reference<T> {
    /// Counts it no more; the allocation, when it was the last one.
    fn give_up(self) -> Option<Last<T>> {
        if self.count.fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        fence(Ordering::Acquire);
        let tag = self.tag;
        // SAFETY: by ARC the count was one, so this was the last reference to the leaked
        // box; the fence orders every earlier use before this. Weak references look at the
        // count, which they find to be zero, until `Last` ends that.
        Some(Last(unsafe { Box::from_leaked(self.0, tag) }))
    }
}

/// What the last owner has: the allocation, whose seat is not vacated.
struct Last<T>(Box<Shared<T>>);

impl<T> Last<T> {
    /// The allocation, which no weak reference finds any more.
    fn found_no_more(self) -> Box<Shared<T>> {
        self.0.seat.vacate();
        self.0
    }
}

impl<T> ops::Deref for Reference<T> {
    type Target = Shared<T>;
    fn deref(&self) -> &Shared<T> {
        // SAFETY: by ARC the allocation lives as long as this reference.
        unsafe { self.0.as_ref() }
    }
}

/// What becomes of an owner that is dropped.
enum Counted {}

impl<T> Alarm<Reference<T>> for Counted {
    fn lost(reference: Reference<T>) {
        if let Some(last) = reference.give_up() {
            (last.0.release)(last);
        }
    }
}

/// A value in nonpaged pool memory with any number of owners.
///
/// Like `alloc::sync::Arc`: the value is dropped with its last owner, and so is its memory,
/// whatever [weak references](super::Weak) there are. A count that would overflow stops the
/// system instead of wrapping.
///
/// ```
/// # use ndis_co::mem::{Arc, OutOfMemory, Tag};
/// # use ndis_host::Host;
/// # let host = Host::builder().build();
/// let one = Arc::try_new([1, 2, 3], Tag::new(*b"Demo"))?;
/// let other = one.clone();
/// assert!(Arc::ptr_eq(&one, &other));
/// drop(one);
/// assert_eq!(other.len(), 3);
/// # drop(other);
/// # assert!(host.finish().is_clean());
/// # Ok::<(), OutOfMemory>(())
/// ```
///
/// Source pages: [`ExAllocatePool2`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2),
/// [`ExFreePoolWithTag`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exfreepoolwithtag).
///
#[doc(alias = "ExAllocatePool2")]
#[doc(alias = "ExFreePoolWithTag")]
pub struct Arc<T>(Armed<Reference<T>, Counted>);

impl<T> Arc<T> {
    /// Moves a value into the pool.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; the value is dropped then.
    pub fn try_new(value: T, tag: Tag) -> Result<Self, OutOfMemory> {
        let memory = Vacant::try_new(tag)?;
        Ok(Self::fill(memory, value, release::<T>, tag))
    }

    /// As [`try_new`](Self::try_new); the value comes back when there is no
    /// memory.
    ///
    /// # Errors
    ///
    /// The value.
    pub fn try_new_or_back(value: T, tag: Tag) -> Result<Self, T> {
        match Vacant::try_new(tag) {
            Ok(memory) => Ok(Self::fill(memory, value, release::<T>, tag)),
            Err(OutOfMemory) => Err(value),
        }
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
        match Vacant::try_new(tag) {
            Ok(memory) => Ok(Self::fill(memory, value, release_anchored::<T>, tag)),
            Err(OutOfMemory) => {
                drop_anchored(value);
                Err(OutOfMemory)
            }
        }
    }

    /// Moves a value to its place in the pool.
    #[inline]
    fn fill(memory: Vacant<Shared<T>>, value: T, release: fn(Last<T>), tag: Tag) -> Self {
        let shared = memory.fill(Shared {
            count: AtomicU32::new(1),
            tag,
            release,
            seat: Seat::new(),
            value,
        });
        Self(Armed::new(Reference(shared.leak())))
    }

    /// Whether both share one value.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.0.0 == other.0.0
    }

    /// How many owners there are at this moment.
    #[must_use]
    pub fn count(this: &Self) -> usize {
        this.0.count.load(Ordering::Acquire) as usize
    }

    /// Waits until no more than `owners` are left: whoever has done its work may still
    /// be on its way out, with a reference until then.
    pub(crate) fn wait_for_others(this: &Self, owners: usize, irql: &mut Passive) {
        while Self::count(this) > owners {
            crate::delay::delay(50, irql);
        }
    }

    /// Turns the owner into a pointer that keeps its reference.
    #[must_use]
    pub fn into_raw(this: Self) -> *mut c_void {
        this.0.disarm().0.as_ptr().cast()
    }

    /// The pointer that [`Arc::into_raw`] would give, without a reference.
    #[must_use]
    pub fn as_raw(this: &Self) -> *mut c_void {
        this.0.0.as_ptr().cast()
    }

    /// Takes back the reference of an [`Arc::into_raw`] pointer.
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` came from `Arc::<T>::into_raw` (or `as_raw`) and one
    /// reference is handed over with it.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut c_void) -> Option<Self> {
        NonNull::new(raw.cast()).map(|shared| Self(Armed::new(Reference(shared))))
    }

    /// Lends the value behind an [`Arc::into_raw`] pointer as an owner, without
    /// touching its reference.
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` came from `Arc::<T>::into_raw` or `as_raw`, and a reference
    /// outlives the returned value.
    #[must_use]
    pub unsafe fn borrow_raw(raw: *mut c_void) -> Option<ManuallyDrop<Self>> {
        let owner = NonNull::new(raw.cast()).map(|shared| Self(Armed::new(Reference(shared))));
        owner.map(ManuallyDrop::new)
    }

    /// The value, if this is its only owner and there never was a weak reference.
    #[must_use]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        if Self::count(this) != 1 || this.0.seat.is_taken() {
            return None;
        }
        // SAFETY: by ARC a count of one means that nobody else reaches the
        // value, and this owner is borrowed exclusively. No weak reference makes another
        // one: whoever had made one was an owner, so its seat would have been seen.
        let shared = unsafe { this.0.0.as_mut() };
        Some(&mut shared.value)
    }

    /// The value, if this is its only owner.
    pub(crate) fn try_unwrap(this: Self) -> Result<T, Self> {
        let only = this
            .0
            .count
            .compare_exchange(1, 0, Ordering::Acquire, Ordering::Relaxed);
        if only.is_err() {
            return Err(this);
        }
        this.0.seat.vacate();
        let tag = this.0.tag;
        let reference = this.0.disarm().0;
        // SAFETY: by ARC the count was one, so nobody else has a reference to the leaked box,
        // and no weak reference finds it any more.
        Ok(Box::into_inner(unsafe { Box::from_leaked(reference, tag) }).value)
    }

    /// The value, if this was its last owner.
    pub(crate) fn into_inner(this: Self) -> Option<T> {
        let last = this.0.disarm().give_up()?;
        Some(Box::into_inner(last.found_no_more()).value)
    }

    /// One more owner of the value at a pointer of [`Arc::as_raw`], unless the last one has gone.
    ///
    /// Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` came from `Arc::<T>::as_raw`, and the memory is not freed before this
    /// returns.
    pub(super) unsafe fn revive(raw: *mut c_void) -> Option<Self> {
        let shared = NonNull::<Shared<T>>::new(raw.cast())?;
        // SAFETY: by the caller the memory is there, and so is the count. Nothing borrows it
        // exclusively: whoever frees the memory comes after this.
        let count = unsafe { &(*shared.as_ptr()).count };
        let up = |count: u32| (count != 0).then(|| count.wrapping_add(1));
        let before = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, up);
        guard(before.ok()?);
        Some(Self(Armed::new(Reference(shared))))
    }

    /// What its weak references share.
    pub(super) fn cell(this: &Self) -> Result<Arc<Cell>, OutOfMemory> {
        this.0.seat.cell(Self::as_raw(this), this.0.tag)
    }
}

/// Stops the system before a count overflows.
fn guard(count: u32) {
    if count > u32::MAX / 2 {
        crate::bugcheck::bug_check(crate::bugcheck::Reason::RefCountOverflow);
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        guard(self.0.count.fetch_add(1, Ordering::Relaxed));
        Self(Armed::new(Reference(self.0.0)))
    }
}

/// Drops a value for which there is no memory, its parent last.
#[cold]
fn drop_anchored<T: Anchored>(mut value: T) {
    let parent = T::Parent::clone(value.parent());
    drop(value);
    drop(parent);
}

/// Drops the value and frees the memory.
#[cold]
fn release<T>(last: Last<T>) {
    drop(last.found_no_more());
}

/// As [`release`], and lets go of the value's parent after that.
#[cold]
fn release_anchored<T: Anchored>(last: Last<T>) {
    let mut last = last.found_no_more();
    let parent = T::Parent::clone(last.value.parent());
    drop(last);
    // Whatever this sets free, including the driver's image, nothing is left
    // to do here.
    drop(parent);
}

impl<T> ops::Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
