//! The status helpers of the NT headers that every driver uses.

use crate::*;

/// Whether a status says success or information.
#[inline]
#[must_use]
pub const fn NT_SUCCESS(status: NTSTATUS) -> bool {
    status >= 0
}

/// Whether a status says information.
#[inline]
#[must_use]
pub const fn NT_INFORMATION(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 1
}

/// Whether a status says warning.
#[inline]
#[must_use]
pub const fn NT_WARNING(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 2
}

/// Whether a status says error.
#[inline]
#[must_use]
pub const fn NT_ERROR(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 3
}
