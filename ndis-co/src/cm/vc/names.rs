//! What a VC of a stand-alone call manager is called outside of NDIS: by TAPI's applications, and
//! by those who manage the machine.
//!
//! Not one of a miniport call manager, whose VCs come from another function (rule VC-55): it
//! publishes what it likes with a GUID and an OID of its own.

use super::Vc;
use crate::{
    Status,
    cm::StandaloneCallManager,
    instance_name::{InstanceName, LiveVc, Slot},
    tapi::CallId,
    wide::Name,
};

impl<M: StandaloneCallManager> Vc<M> {
    /// As [`Vc::assign_instance_name`](crate::client::Vc::assign_instance_name) of a client, at
    /// the other end of the VC; a miniport call manager has none (rule [VC-55]).
    ///
    /// At or below DISPATCH_LEVEL, to which it raises (rule [IRQL-34]). Source page:
    /// [`NdisCoAssignInstanceName`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscoassigninstancename).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// # use ndis_co::{Status, cm::{StandaloneCallManager, Vc}};
    /// # use ndis_host as _;
    /// fn publish<M: StandaloneCallManager>(vc: &Vc<M>) -> Result<(), Status> {
    ///     let name = vc.assign_instance_name("Channel 7")?;
    ///     ndis_co::debug_print!("the call is {name}");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// [IRQL-34]: ndis_sys::rules#IRQL-34
    /// [VC-55]: ndis_sys::rules#VC-55
    #[doc(alias = "NdisCoAssignInstanceName")]
    pub fn assign_instance_name<'n>(
        &self,
        base: impl Into<Name<'n>>,
    ) -> Result<InstanceName, Status> {
        // The driver's code, so before the lock.
        let base = base.into();
        self.live(|vc, name| name.assign(&vc, base))
    }

    /// The string by which the client at the other end of this VC finds its own again, with
    /// [`Binding::vc_of_tapi_call`](crate::protocol::Binding::vc_of_tapi_call): for whoever
    /// passes it on to that client. The client knows it by
    /// [`Vc::tapi_call_id`](crate::client::Vc::tapi_call_id) of its own.
    ///
    /// At or below DISPATCH_LEVEL, to which it raises (rule [IRQL-35]). Source page:
    /// [`NdisCoGetTapiCallId`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscogettapicallid).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// # use ndis_co::{Status, cm::{StandaloneCallManager, Vc}, tapi::CallId};
    /// # use ndis_host as _;
    /// /// An application wants to know who carries the data of its call.
    /// fn device_of<M: StandaloneCallManager>(vc: &Vc<M>) -> Result<CallId, Status> {
    ///     vc.tapi_call_id()
    /// }
    /// ```
    ///
    /// [IRQL-35]: ndis_sys::rules#IRQL-35
    #[doc(alias = "NdisCoGetTapiCallId")]
    pub fn tapi_call_id(&self) -> Result<CallId, Status> {
        self.live(|vc, _| vc.tapi_call_id())
    }

    /// What is done with the VC's handle while it is not deleted, at DISPATCH_LEVEL.
    fn live<R>(
        &self,
        f: impl FnOnce(LiveVc<'_>, &mut Slot) -> Result<R, Status>,
    ) -> Result<R, Status> {
        self.shared.look(|state, _| {
            if !state.is_alive() {
                return Err(Status::CLOSING);
            }
            // SAFETY: the handle of this VC, which does not begin to be deleted while its state
            // is locked (CM-VC); the call manager stands alone.
            let vc = unsafe { LiveVc::new(self.shared.handle()) };
            f(vc, state.name())
        })
    }
}
