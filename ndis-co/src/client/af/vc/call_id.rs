//! A VC and the string by which TAPI's applications know its call: there and back.
//!
//! NDIS answers with the client's context of the VC, whoever's client that is. So a context that
//! comes back is compared with those of this binding's own VCs, and never followed.

use super::{Client, Vc};
use crate::{Status, lock::SpinLock, protocol::Binding, tapi::CallId};
use core::ptr;

impl<C: Client> Vc<C> {
    /// The string by which TAPI's applications know the call on this VC, for whoever passes it on
    /// to them.
    ///
    /// At or below DISPATCH_LEVEL, to which it raises (rule [IRQL-35]). Source page:
    /// [`NdisCoGetTapiCallId`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscogettapicallid).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the VC is deleted, or about to be; [`Status::RESOURCES`];
    /// [`Status::INVALID_DATA`] when NDIS does not know the VC or says nothing that can be read,
    /// and [`Status::BUFFER_TOO_SHORT`] for one of more than 232 bytes.
    ///
    /// ```
    /// # use ndis_co::{Status, client::{Client, Vc}, tapi::CallId};
    /// # use ndis_host as _;
    /// fn name<C: Client>(call: &Vc<C>) -> Result<CallId, Status> {
    ///     let id = call.tapi_call_id()?;
    ///     // An application that has it comes back with it.
    ///     debug_assert!(call.af().binding().vc_of_tapi_call(&id).is_some());
    ///     Ok(id)
    /// }
    /// ```
    ///
    /// [IRQL-35]: ndis_sys::rules#IRQL-35
    #[doc(alias = "NdisCoGetTapiCallId")]
    pub fn tapi_call_id(&self) -> Result<CallId, Status> {
        self.live(|vc, _| vc.tapi_call_id())
    }
}

impl<C: Client> Binding<C> {
    /// The VC of this client on this binding that [`Vc::tapi_call_id`] has told this string of,
    /// if it is still there.
    ///
    /// At or below DISPATCH_LEVEL, to which it raises (rule [IRQL-47]). Source page:
    /// [`NdisClGetProtocolVcContextFromTapiCallId`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclgetprotocolvccontextfromtapicallid).
    ///
    /// ```
    /// # use ndis_co::{Status, client::Client, protocol::Binding, tapi::CallId, irql::UpToDispatch};
    /// # use ndis_host as _;
    /// /// An application wants its call ended.
    /// fn drop_call<C: Client>(
    ///     binding: &Binding<C>,
    ///     id: &[u16],
    ///     irql: &mut UpToDispatch,
    /// ) -> Result<(), Status> {
    ///     let id = CallId::try_from_units(id)?;
    ///     let vc = binding.vc_of_tapi_call(&id).ok_or(Status::INVALID_PARAMETER)?;
    ///     vc.hang_up(&[], irql)
    /// }
    /// ```
    ///
    /// [IRQL-47]: ndis_sys::rules#IRQL-47
    #[doc(alias = "NdisClGetProtocolVcContextFromTapiCallId")]
    #[must_use]
    pub fn vc_of_tapi_call(&self, id: &CallId) -> Option<Vc<C>> {
        let mut context = ptr::null_mut();
        let raised = SpinLock::new(());
        let status = raised.locked(|()| {
            // SAFETY: DISPATCH_LEVEL, for a spin lock is held (rule IRQL-47); NDIS calls
            // nobody. The string is `id`'s (rule VC-60), which NDIS reads, and the variable
            // this function's.
            unsafe { ndis_sys::NdisClGetProtocolVcContextFromTapiCallId(id.as_raw(), &mut context) }
        });
        if !Status::from_raw(status).is_success() {
            return None;
        }
        let vc = self.shared.families().vc_of(context)?;
        // A new one may have its context where the one that was meant had it.
        (vc.tapi_call_id().as_ref() == Ok(id)).then_some(vc)
    }
}
