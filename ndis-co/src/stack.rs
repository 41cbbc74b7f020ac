//! How much of the kernel's stack is left, so that drivers that call each other
//! do not use it up.
//!
//! A call on NDIS may run the peer's callback before it returns, whose code may
//! call on NDIS in turn: a client sends the next frame as soon as one was
//! completed, a call manager completes each at once; a client hangs up the next
//! call as soon as one was closed. A kernel stack has 24 kB (12 kB on x86), and
//! no driver sees how deep it already is. So everything that may run the peer's
//! code looks at the stack first. When little is left, data and the steps of a
//! call, its end included, go on from the work item of the adapter or binding,
//! on a stack of its own; an object that is to be made is refused.
//!
//! A context is moved from the driver's stack into the pool, by way of several functions.
//! A large one is refused when the stack has no room for that: keep large parts of a
//! context in a [`Box`](crate::mem::Box) or a [`Vec`](crate::mem::Vec).

/// With less than this, the crates leave data to a work item and refuse to make
/// objects: bytes.
pub const LOW: usize = if cfg!(target_pointer_width = "64") {
    8 * 1024
} else {
    5 * 1024
};

/// With less than this, they also refuse data that cannot be left for later:
/// bytes.
pub const VERY_LOW: usize = if cfg!(target_pointer_width = "64") {
    6 * 1024
} else {
    4 * 1024
};

/// How much of the current stack is left, in bytes.
///
/// At any IRQL.
///
/// Source page: [`IoGetRemainingStackSize`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iogetremainingstacksize).
#[doc(alias = "IoGetRemainingStackSize")]
#[doc(alias = "IoGetStackLimits")]
#[must_use]
pub fn remaining() -> usize {
    let (low, here) = ends();
    here.saturating_sub(low)
}

/// Where the current stack ends, and where it is now.
#[inline]
fn ends() -> (usize, usize) {
    let (mut low, mut high) = (0, 0);
    // SAFETY: both point to variables of this frame; any level.
    unsafe { ndis_sys::IoGetStackLimits(&raw mut low, &raw mut high) };
    let here = (&raw const high).addr();
    (usize::try_from(low).unwrap_or(usize::MAX), here)
}

/// Whether less than so much of the current stack is left: as a comparison with
/// [`remaining`], in fewer instructions, for data go through here.
#[inline]
pub(crate) fn has_less_than(size: usize) -> bool {
    let (low, here) = ends();
    // No stack is at an address below `size`.
    here.wrapping_sub(size) < low
}

/// Whether little is left, see [`LOW`].
#[must_use]
#[inline]
pub fn is_low() -> bool {
    has_less_than(LOW)
}

/// How often a value that is moved into the pool may lie on the stack meanwhile: measured,
/// and rounded up. Without optimisation each function that it goes through keeps a copy.
const COPIES: usize = if cfg!(debug_assertions) { 12 } else { 3 };

/// What [`LOW`] has room for in any case, in bytes.
const SMALL: usize = 64;

/// Whether too little is left for a context of type `T` on its way into the pool.
#[must_use]
pub fn is_low_for<T>() -> bool {
    let copies = size_of::<T>().saturating_sub(SMALL).saturating_mul(COPIES);
    remaining() < LOW.saturating_add(copies)
}
