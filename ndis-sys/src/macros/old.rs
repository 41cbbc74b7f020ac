//! Timers and slave DMA under the names that miniport drivers had for them.

use crate::*;

/// Sets a miniport driver's timer.
///
/// # Safety
/// As for [`NdisSetTimer`].
#[inline]
pub unsafe fn NdisMSetTimer(timer: PNDIS_MINIPORT_TIMER, milliseconds: UINT) {
    // SAFETY: the caller's promise; a miniport timer begins like a timer.
    unsafe { NdisSetTimer(timer.cast(), milliseconds) }
}

/// `dma! { /// doc; New = Target; }`
macro_rules! dma {
    ($($(#[$doc:meta])* $name:ident = $target:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            #[doc = concat!("As for [`", stringify!($target), "`].")]
            #[inline]
            pub unsafe fn $name(
                status: PNDIS_STATUS,
                handle: NDIS_HANDLE,
                buffer: PNDIS_BUFFER,
                offset: ULONG,
                length: ULONG,
                to_device: BOOLEAN,
            ) {
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target(status, handle, buffer, offset, length, to_device) }
            }
        )*
    };
}

dma! {
    /// Starts a transfer of a slave DMA channel.
    NdisMSetupDmaTransfer = NdisSetupDmaTransfer;
    /// Ends a transfer of a slave DMA channel.
    NdisMCompleteDmaTransfer = NdisCompleteDmaTransfer;
}

/// The header's own text ends in a semicolon, which makes it no constant.
pub const NDIS_WMI_OUTPUT_INFO_REVISION_1: i32 = 1;
