//! The system's error log: why an adapter cannot be started (rule INIT-31), or was not brought
//! to work again by a reset.

use ndis_co::Status;
use ndis_sys::{
    NDIS_ERROR_CODE_DRIVER_FAILURE, NDIS_ERROR_CODE_HARDWARE_FAILURE,
    NDIS_ERROR_CODE_OUT_OF_RESOURCES, NDIS_HANDLE,
};

/// Writes an entry with the status that something ended with, for who looks at it in the event
/// viewer.
///
/// At or below DISPATCH_LEVEL (rule IRQL-165), while the adapter's handle is there (rule INIT-33): from its initialization to its
/// halt.
pub(super) fn log(adapter: NDIS_HANDLE, failure: Status) {
    let code = match failure {
        Status::RESOURCES => NDIS_ERROR_CODE_OUT_OF_RESOURCES,
        Status::HARD_ERRORS => NDIS_ERROR_CODE_HARDWARE_FAILURE,
        _ => NDIS_ERROR_CODE_DRIVER_FAILURE,
    };
    let value = failure.raw().cast_unsigned();
    // SAFETY: the adapter's handle, which the callers have from NDIS for a callback that runs, or
    // from a reference to the adapter; one value, as announced.
    unsafe { ndis_sys::NdisWriteErrorLogEntryOfOne(adapter, code, 1, value) };
}
