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
/// Source page: `nf-wdm-iogetremainingstacksize`.
#[doc(alias = "IoGetRemainingStackSize")]
#[doc(alias = "IoGetStackLimits")]
#[must_use]
pub fn remaining() -> usize {
    let (mut low, mut high) = (0, 0);
    // SAFETY: both point to variables of this frame; any level.
    unsafe { ndis_sys::IoGetStackLimits(&raw mut low, &raw mut high) };
    let here = (&raw const high).addr();
    here.saturating_sub(usize::try_from(low).unwrap_or(usize::MAX))
}

/// Whether little is left, see [`LOW`].
#[must_use]
pub fn is_low() -> bool {
    remaining() < LOW
}
