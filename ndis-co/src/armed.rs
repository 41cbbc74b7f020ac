//! [`Armed`]: a value whose loss is an event.
//!
//! Who drops a pended request refuses it, and who drops the owner of a call hangs up.
//! Who uses the token or the owner up does neither: the value is *disarmed*, and goes on
//! without its alarm.

use core::{fmt, marker::PhantomData, mem::ManuallyDrop, ops};

/// What is done when a value of type `T` is lost.
pub trait Alarm<T> {
    /// The value was dropped; nothing is known of the level or of locks.
    fn lost(value: T);
}

/// A value that `A` takes care of when it is dropped.
///
/// Lifetimes in `A` count as used by the drop: an owner that borrows its parent names the
/// borrow there.
///
/// ```
/// # use core::cell::Cell;
/// # use ndis_co::armed::{Alarm, Armed};
/// # use ndis_host as _;
/// /// Notes that a call was lost.
/// struct HangUp;
/// impl Alarm<&Cell<bool>> for HangUp {
///     fn lost(hung_up: &Cell<bool>) {
///         hung_up.set(true);
///     }
/// }
///
/// let hung_up = Cell::new(false);
/// let call = Armed::<_, HangUp>::new(&hung_up);
/// drop(call);
/// assert!(hung_up.get());
/// ```
///
/// # Invariants
///
/// ARMED: the value is there until this is disarmed or dropped, each of which ends it.
pub struct Armed<T, A: Alarm<T>> {
    value: ManuallyDrop<T>,
    _alarm: PhantomData<fn() -> A>,
}

impl<T, A: Alarm<T>> Armed<T, A> {
    /// Arms a value.
    pub const fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            _alarm: PhantomData,
        }
    }

    /// The value, of which nobody takes care from here on.
    pub fn disarm(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: by ARMED it is there; `this` is neither dropped nor used any more.
        unsafe { ManuallyDrop::take(&mut this.value) }
    }
}

impl<T, A: Alarm<T>> Drop for Armed<T, A> {
    fn drop(&mut self) {
        // SAFETY: by ARMED it is there; this is the end of `self`.
        A::lost(unsafe { ManuallyDrop::take(&mut self.value) });
    }
}

impl<T, A: Alarm<T>> ops::Deref for Armed<T, A> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, A: Alarm<T>> ops::DerefMut for Armed<T, A> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug, A: Alarm<T>> fmt::Debug for Armed<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;
    // Defines what the crates import.
    use ndis_host as _;

    struct Counts;
    impl Alarm<&Cell<u32>> for Counts {
        fn lost(value: &Cell<u32>) {
            value.set(value.get() + 1);
        }
    }

    #[test]
    fn a_lost_value_is_taken_care_of_once() {
        let lost = Cell::new(0);
        drop(Armed::<_, Counts>::new(&lost));
        assert_eq!(lost.get(), 1);
    }

    #[test]
    fn a_disarmed_one_is_not() {
        let lost = Cell::new(0);
        let value = Armed::<_, Counts>::new(&lost).disarm();
        assert_eq!(value.get(), 0);
        assert_eq!(lost.get(), 0);
    }
}
