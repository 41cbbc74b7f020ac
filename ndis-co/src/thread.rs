//! [`Thread`]: which thread runs, for comparison alone.

use core::num::NonZero;

/// A thread, known by the address of its object, which means something as long as the thread is
/// there (rule KE-72). A DPC is taken for the thread that it has interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Thread(NonZero<usize>);

impl Thread {
    /// The one that runs. At any IRQL.
    pub(crate) fn current() -> Self {
        // SAFETY: it may be called at any level; the address is compared, and nothing else is done
        // with it (rule KE-72).
        let thread = unsafe { ndis_sys::PsGetCurrentThread() };
        // An object is not at zero.
        Self(NonZero::new(thread.addr()).unwrap_or(NonZero::<usize>::MAX))
    }

    /// One of a test's.
    #[cfg(test)]
    pub(crate) const fn numbered(number: usize) -> Self {
        Self(NonZero::new(number).unwrap())
    }
}
