//! [`Weak`]: a reference to a counted value that does not keep it.
//!
//! Two objects that refer to each other, the two ends of a call for instance, would keep each
//! other in memory for good. One that may go first is referred to weakly.
//!
//! A value's memory is freed with its last owner, before the value's parent goes, whatever weak
//! references there are. So they share a small *cell* beside the value: it has the value's place
//! as long as there is one. The first weak reference makes it; a value without any has a null
//! pointer for it, and that is the whole cost.

use super::{Arc, OutOfMemory, arc::Cell};
use core::{fmt, marker::PhantomData};

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
            cell: Self::cell(this)?,
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
    use crate::mem::Tag;
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
