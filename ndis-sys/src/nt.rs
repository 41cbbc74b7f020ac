//! What drivers use of the NT headers beside the types: the status helpers,
//! and the values that go with the hand-made imports.

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

/// The component of the debug output: a network driver of a third party.
pub const DPFLTR_IHVNETWORK_ID: ULONG = 80;
/// The levels of the debug output; the debugger shows errors unless it is told
/// to show more.
pub const DPFLTR_ERROR_LEVEL: ULONG = 0;
/// See [`DPFLTR_ERROR_LEVEL`].
pub const DPFLTR_WARNING_LEVEL: ULONG = 1;
/// See [`DPFLTR_ERROR_LEVEL`].
pub const DPFLTR_TRACE_LEVEL: ULONG = 2;
/// See [`DPFLTR_ERROR_LEVEL`].
pub const DPFLTR_INFO_LEVEL: ULONG = 3;

/// Names are compared without regard to case.
pub const OBJ_CASE_INSENSITIVE: i32 = 0x40;
/// Reading a key and its values.
pub const KEY_READ: ULONG = 0x2_0019;
/// `ZwQueryValueKey`: answer with the value, without its name: three numbers
/// (unused, type, length in bytes), then the data.
pub const KeyValuePartialInformation: i32 = 2;
/// A value of 32 bits.
pub const REG_DWORD: ULONG = 4;
/// There is no key or value of this name.
pub const STATUS_OBJECT_NAME_NOT_FOUND: NTSTATUS = 0xC000_0034_u32 as i32;

/// In an I/O stack location's `Control`: the dispatch routine has said that the request is
/// completed later.
pub const SL_PENDING_RETURNED: UCHAR = 1;
/// What a device object of NDIS's is, and the control codes of its drivers are of.
pub const FILE_DEVICE_NETWORK: ULONG = 0x12;
/// The device has gone.
pub const STATUS_DEVICE_REMOVED: NTSTATUS = 0xC000_02B6_u32 as i32;
/// A handle that is none, or of a file that was not opened.
pub const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32 as i32;
