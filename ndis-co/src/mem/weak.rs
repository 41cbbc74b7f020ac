//! [`Weak`]: a reference to a counted value that does not keep it.
//!
//! Two objects that refer to each other, the two ends of a call for instance, would keep each
//! other in memory for good. One that may go first is referred to weakly.
//!
//! A value's memory is freed with its last owner, whatever weak references there are, since an
//! object must not be what is left of a driver. So they share a small *cell* beside the value: it
//! has the value's place as long as there is one. The first weak reference makes it; a value
//! without any has a null pointer for it, and that is the whole cost.

use super::{Arc, OutOfMemory, Tag};
use crate::{lock::SpinLock, raw::Opaque};
use core::{
    ffi::c_void,
    fmt,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// What the weak references of one value share, and the value's [`Seat`].
///
/// # Invariants
///
/// CELL: `value` is null, or the allocation of the value whose seat has this cell. Whoever was
/// its last owner clears it, under the lock, and frees the memory only after that.
struct Cell {
    value: SpinLock<Opaque>,
}

/// A value's reference to its cell, once there is one.
///
/// # Invariants
///
/// SEAT: the pointer is null, or one of [`Arc::into_raw`] for a cell, with the reference.
pub(super) struct Seat(AtomicPtr<c_void>);

impl Seat {
    /// There is no cell.
    pub(super) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether there may be weak references.
    pub(super) fn is_taken(&self) -> bool {
        !self.0.load(Ordering::Acquire).is_null()
    }

    /// The last owner has gone: no weak reference finds the value from here on (CELL).
    #[inline]
    pub(super) fn vacate(&self) {
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

/// A reference to the value of an [`Arc`] that does not keep it.
///
/// ```
/// # use ndis_co::mem::{Arc, OutOfMemory, Tag};
/// # use ndis_host::Host;
/// # let host = Host::builder().build();
/// let value = Arc::try_new(7, Tag::new(*b"Demo"))?;
/// let weak = Arc::downgrade(&value)?;
/// assert_eq!(weak.upgrade().as_deref(), Some(&7));
/// drop(value);
/// assert!(weak.upgrade().is_none());
/// # drop(weak);
/// # assert!(host.finish().is_clean());
/// # Ok::<(), OutOfMemory>(())
/// ```
///
/// # Invariants
///
/// WEAK: the cell is of a value of type `T`.
pub struct Weak<T> {
    cell: Arc<Cell>,
    // It gives out owners: who may not send an `Arc<T>` may not send this.
    _value: PhantomData<Arc<T>>,
}

impl<T> Arc<T> {
    /// A reference that does not keep the value.
    ///
    /// The first one of a value takes a small piece of memory, which is freed when the value and
    /// all its weak references have gone.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn downgrade(this: &Self) -> Result<Weak<T>, OutOfMemory> {
        Ok(Weak {
            cell: Self::seat(this).cell(Self::as_raw(this), Self::tag(this))?,
            _value: PhantomData,
        })
    }
}

impl<T> Weak<T> {
    /// An owner of the value, unless its last one has gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        self.cell.value.locked(|value| {
            // SAFETY: by CELL and WEAK it is null or the allocation of a `T`, and is not freed
            // before it is cleared, which waits for the lock.
            unsafe { Arc::revive(value.get()) }
        })
    }

    /// Whether both refer to one value, which may have gone.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        Self {
            cell: self.cell.clone(),
            _value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weak").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndis_host::Host;

    const TAG: Tag = Tag::new(*b"Weak");

    /// An exclusive borrow would not be one: a weak reference may find the value meanwhile.
    #[test]
    fn a_value_with_weak_references_is_lent_to_nobody_alone() {
        let host = Host::builder().build();
        let mut value = Arc::try_new(7, TAG).unwrap();
        assert!(Arc::get_mut(&mut value).is_some());
        let weak = Arc::downgrade(&value).unwrap();
        assert!(Arc::get_mut(&mut value).is_none());
        let found = weak.upgrade().unwrap();
        let value = Arc::try_unwrap(value).unwrap_err();
        drop(found);
        assert_eq!(Arc::try_unwrap(value).ok(), Some(7));
        assert!(weak.upgrade().is_none());

        let value = Arc::try_new(8, TAG).unwrap();
        let gone = Arc::downgrade(&value).unwrap();
        assert_eq!(Arc::into_inner(value), Some(8));
        assert!(gone.upgrade().is_none());
        drop((weak, gone));
        assert!(host.finish().is_clean());
    }

    /// Neither the value nor its weak reference is lost when there is no memory for a cell.
    #[test]
    fn a_cell_may_find_no_memory() {
        let host = Host::builder().build();
        let value = Arc::try_new(7, TAG).unwrap();
        host.fail_allocation(1);
        assert!(Arc::downgrade(&value).is_err());
        let weak = Arc::downgrade(&value).unwrap();
        assert_eq!(weak.upgrade().as_deref(), Some(&7));
        drop((value, weak));
        assert!(host.finish().is_clean());
    }
}
