//! [`Failure`]: an allocation that fails.

use crate::input::Input;
use ndis_host::Host;

/// Orders a failure, and tells afterwards whether it has come.
#[must_use]
pub struct Failure(u64);

impl Failure {
    /// Now and then the first, the second or a later allocation fails.
    pub fn order(host: &Host, input: &mut Input<'_>) -> Self {
        let nth = u64::from(input.byte() % 8);
        if nth != 0 {
            host.fail_allocation(nth);
        }
        Self(nth)
    }

    /// Whether an allocation has failed; if not, the order is used up.
    #[must_use]
    pub fn has_come(self) -> bool {
        const TAG: u32 = u32::from_le_bytes(*b"Fuzz");
        for _ in 0..self.0 {
            // SAFETY: a byte of pool memory, at PASSIVE_LEVEL.
            let memory =
                unsafe { ndis_sys::ExAllocatePoolWithTag(ndis_sys::NonPagedPoolNx, 1, TAG) };
            if memory.is_null() {
                return false;
            }
            // SAFETY: just allocated.
            unsafe { ndis_sys::ExFreePoolWithTag(memory, TAG) };
        }
        self.0 != 0
    }
}
