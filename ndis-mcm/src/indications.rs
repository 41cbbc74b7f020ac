//! What an adapter says of its own accord: [`Adapter::indicate_status`].

use crate::{Adapter, Carry};
use core::ptr;
use ndis_co::{Status, irql::NoLock, raw};
use ndis_sys::{
    NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
    NDIS_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1, NDIS_STATUS_RESET_END,
    NDIS_STATUS_RESET_START,
};

impl<M: Carry> Adapter<M> {
    /// Tells every protocol that is bound to the adapter of a change (rules [STATUS-01],
    /// [STATUS-02]). `code` is one of the constants `NDIS_STATUS_XXX` that are not results, and
    /// `data` what belongs to it.
    ///
    /// The protocols' handlers run before this returns. A link that comes up or goes down is
    /// indicated within about two seconds, and not while the device sleeps (rule
    /// [STATUS-11]).
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_mcm::{Adapter, Carry, Status};
    /// use ndis_co::{irql::NoLock, sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION};
    ///
    /// /// The line has gone bad; the number is this driver's own.
    /// fn tell<M: Carry>(adapter: &Adapter<M>, irql: &mut impl NoLock) -> Result<(), Status> {
    ///     let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
    ///     adapter.indicate_status(code, &7_u32.to_ne_bytes(), irql)
    /// }
    /// ```
    ///
    /// At or below DISPATCH_LEVEL. Source page: [`NdisMCoIndicateStatusEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatestatusex).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_PARAMETER`] for the start and the end of a reset, which NDIS
    /// indicates itself (rule [STATUS-10]), [`Status::INVALID_LENGTH`] for data of more than 4
    /// GB.
    ///
    /// [STATUS-01]: ndis_sys::rules#STATUS-01
    /// [STATUS-02]: ndis_sys::rules#STATUS-02
    /// [STATUS-10]: ndis_sys::rules#STATUS-10
    /// [STATUS-11]: ndis_sys::rules#STATUS-11
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate_status(
        &self,
        code: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let _ = irql.up_to_dispatch();
        let code = code.raw();
        if matches!(code, NDIS_STATUS_RESET_START | NDIS_STATUS_RESET_END) {
            return Err(Status::INVALID_PARAMETER);
        }
        let size = u32::try_from(data.len()).map_err(|_| Status::INVALID_LENGTH)?;
        let handle = self.shared.handle.get();
        let mut indication: NDIS_STATUS_INDICATION = ndis_sys::zeroed();
        // Rule STATUS-03.
        indication.Header = raw::header(
            NDIS_OBJECT_TYPE_STATUS_INDICATION,
            NDIS_STATUS_INDICATION_REVISION_1,
            NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
        );
        indication.SourceHandle = handle;
        indication.StatusCode = code;
        if size != 0 {
            indication.StatusBuffer = data.as_ptr().cast_mut().cast();
            indication.StatusBufferSize = size;
        }
        // SAFETY: the handle is good as long as there is an adapter, from its attributes to the
        // halt; of no VC. Structure and data live for the call (rule STATUS-06), in which they
        // are only read.
        unsafe { ndis_sys::NdisMCoIndicateStatusEx(handle, ptr::null_mut(), &mut indication) };
        Ok(())
    }
}
