//! [`Thread`]: which thread runs, for comparison alone.

/// A thread, known by the address of its object. It says something as long as the thread runs.
///
/// A DPC runs in the thread that it has interrupted, and is taken for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Thread(usize);

impl Thread {
    /// The one that runs. At any IRQL.
    pub(crate) fn current() -> Self {
        // SAFETY: it may be called at any level; the address is compared, and nothing else is done
        // with it (rule KE-72).
        Self(unsafe { ndis_sys::PsGetCurrentThread() }.addr())
    }
}
