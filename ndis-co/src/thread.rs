//! [`Thread`]: which thread runs, for comparison alone.

/// A thread, known by the address of its object, which means something as long as the thread is
/// there (rule KE-72). A DPC is taken for the thread that it has interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Thread(usize);

impl Thread {
    /// The one that runs. At any IRQL.
    pub(crate) fn current() -> Self {
        // SAFETY: it may be called at any level; the address is compared, and nothing else is done
        // with it (rule KE-72).
        Self(unsafe { ndis_sys::PsGetCurrentThread() }.addr())
    }

    /// One of a test's.
    #[cfg(test)]
    pub(crate) const fn numbered(number: usize) -> Self {
        Self(number)
    }
}
