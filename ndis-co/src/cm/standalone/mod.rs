//! A binding as what a call manager stands on: the stand-alone call manager.
//!
//! It sets up calls on an adapter of somebody else, whose miniport carries their data.
//! NDIS displaces it from a family that the adapter's own call manager serves.

pub(crate) mod handlers;
mod role;
pub(crate) mod signaling;

pub use role::AsCallManager;
#[doc(hidden)]
pub use signaling::SignalingShared;
pub use signaling::SignalingVc;

use super::{Base, CallManager, Families, Key, Vc, gates::Part};
use crate::{
    Status,
    family::AddressFamily,
    irql::{AtPassive, UpToDispatch},
    mark,
    nbl::NetBufferLists,
    protocol::{Binding, BindingShared, OpenedBinding, Protocol, Received, sealed::Sealed},
    scope::Scope,
};
use core::fmt;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};
use signaling::SignalingVcs;

/// A driver that is a stand-alone call manager: a [`Protocol`] and a [`CallManager`] (rules
/// [REG-02], [REG-08]), with what it does on its own [signaling VCs](SignalingVc).
///
/// A driver that speaks to nobody needs one line: `type Signaling = Infallible`
/// ([`Infallible`](core::convert::Infallible), which has no value).
///
/// Every method is called by NDIS, on any processor, several at once, at or below
/// DISPATCH_LEVEL, and must not wait.
///
/// ```
/// # use ndis_co::{family::{AddressFamily, Family}, cm::StandaloneCallManager, prelude::*};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Protocol for Driver {
///     const NAME: &'static str = "DRIVER";
///     type Binding = ();
///     type Role = AsCallManager;
///
///     fn bind(&self, _adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<(), Status> {
///         Ok(())
///     }
///
///     fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
///         let family = AddressFamily::new(Family::new(0x4C6F_6F70), 1, 0);
///         // A failure leaves this adapter without calls.
///         let _ = binding.register_address_family(family, irql);
///     }
/// }
///
/// impl StandaloneCallManager for Driver {
///     // What it keeps for a VC of its own, to the network.
///     type Signaling = ();
/// }
/// // And `CallManager`.
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/manager.rs"));
/// # fn main() {}
/// ```
///
/// [REG-02]: ndis_sys::rules#REG-02
/// [REG-08]: ndis_sys::rules#REG-08
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no stand-alone call manager",
    label = "it does not implement `StandaloneCallManager`",
    note = "rule REG-08: such a driver implements `Protocol` with `type Role = AsCallManager` (or `AsBoth`), \
            `CallManager` with `type Base = Binding<Self>`, and `StandaloneCallManager`"
)]
pub trait StandaloneCallManager:
    Protocol<Role: RunsManager<Self>> + CallManager<Base = Binding<Self>>
{
    /// What the driver keeps for one signaling VC.
    type Signaling: Send + Sync + 'static;

    /// A signaling VC is active: data may be sent on it when the binding runs, too.
    ///
    /// Source page: [`PROTOCOL_CM_ACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_activate_vc_complete).
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn signaling_activated(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// A signaling VC could not be activated; it is deleted next. Make another one, with
    /// other parameters, if that may help (rule [VC-39]).
    ///
    /// Source page: [`PROTOCOL_CM_ACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_activate_vc_complete).
    ///
    /// [VC-39]: ndis_sys::rules#VC-39
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn signaling_failed(&self, vc: &SignalingVc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// Data have arrived on a signaling VC. The default gives them back.
    ///
    /// Source page: [`PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_receive_net_buffer_lists).
    #[doc(alias = "ProtocolCoReceiveNetBufferLists")]
    fn signaling_receive(
        &self,
        vc: &SignalingVc<Self>,
        lists: Received<'_, Self>,
        irql: &mut UpToDispatch,
    ) {
        let _ = vc;
        lists.give_back(irql);
    }

    /// Sent lists come back, with their status in each. The default frees them.
    ///
    /// Source page: [`PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_send_net_buffer_lists_complete).
    #[doc(alias = "ProtocolCoSendNetBufferListsComplete")]
    fn signaling_sent(
        &self,
        vc: &SignalingVc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        let _ = (vc, lists, irql);
    }

    /// A signaling VC is deleted: let go of references to it. `vc` is over, and only its
    /// context is to be used.
    ///
    /// Source pages: [`PROTOCOL_CM_DEACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_deactivate_vc_complete),
    /// [`NdisCoDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscodeletevc).
    #[doc(alias = "ProtocolCmDeactivateVcComplete")]
    #[doc(alias = "NdisCoDeleteVc")]
    fn signaling_closed(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }
}

/// A role in which a driver is a call manager.
#[doc(hidden)]
pub trait RunsManager<M: Protocol>: Sealed {
    /// What it keeps on each VC that a client is called on.
    type Part: Part
    where
        M: StandaloneCallManager;

    fn manager(binding: &BindingShared<M>) -> &ManagerState<M>
    where
        M: StandaloneCallManager;
}

/// What a call manager's binding keeps.
#[doc(hidden)]
pub struct ManagerState<M: StandaloneCallManager> {
    families: Families<M>,
    signaling: SignalingVcs<M>,
}

impl<M: StandaloneCallManager> ManagerState<M> {
    pub(crate) const fn new() -> Self {
        Self {
            families: Families::new(),
            signaling: SignalingVcs::new(),
        }
    }
}

impl<M: StandaloneCallManager> fmt::Debug for ManagerState<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagerState").finish_non_exhaustive()
    }
}

impl<M: StandaloneCallManager> BindingShared<M> {
    fn manager(&self) -> &ManagerState<M> {
        <M::Role as RunsManager<M>>::manager(self)
    }

    fn signaling_vcs(&self) -> &SignalingVcs<M> {
        &self.manager().signaling
    }
}

impl<M: StandaloneCallManager> OpenedBinding<'_, M> {
    /// Registers an address family on the binding: clients of the adapter are told of it
    /// when the bind has succeeded, and open it (rules [AF-02], [INIT-17]).
    ///
    /// Once per family and binding; a driver may serve several families on one.
    ///
    /// PASSIVE_LEVEL (rule [IRQL-48]). Source page: [`NdisCmRegisterAddressFamilyEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmregisteraddressfamilyex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`] when memory is short; [`Status::FAILURE`] when the adapter's
    /// miniport is not connection-oriented, or the family has a call manager on it already
    /// (rule [AF-03]).
    ///
    /// [AF-02]: ndis_sys::rules#AF-02
    /// [AF-03]: ndis_sys::rules#AF-03
    /// [INIT-17]: ndis_sys::rules#INIT-17
    /// [IRQL-48]: ndis_sys::rules#IRQL-48
    #[doc(alias = "NdisCmRegisterAddressFamilyEx")]
    pub fn register_address_family(
        &self,
        family: AddressFamily,
        irql: &mut impl AtPassive,
    ) -> Result<(), Status> {
        let _ = irql;
        let shared = &self.shared;
        self.advertised().register(family, |place| {
            // SAFETY: within ProtocolBindAdapterEx at PASSIVE_LEVEL, after the open, with
            // its handle; the structure belongs to the binding's core, which NDIS has a
            // reference of until the close has completed (CORE, rule INIT-07).
            let status = unsafe { ndis_sys::NdisCmRegisterAddressFamilyEx(shared.handle(), place) };
            Status::from_raw(status)
        })
    }
}

// SAFETY: a binding's call manager calls the functions that are for one. A reference keeps
// the driver's part, and with it the driver, the scope and the families.
unsafe impl<M: StandaloneCallManager> Base<M> for Binding<M> {
    type Part = <M::Role as RunsManager<M>>::Part;

    const MARK: usize = mark::MANAGED;

    fn driver(&self) -> &M {
        self.shared.driver.driver()
    }

    fn scope(&self) -> &Scope {
        self.shared.scope()
    }

    fn families(&self) -> &Families<M> {
        &self.shared.manager().families
    }

    /// The clients' calls have ended; what they were signaled on is next.
    fn families_closed(&self, _: Key) {
        SignalingVcs::close(&self.shared);
    }

    fn complete_dropped(_vc: &Vc<M>, _irql: &mut UpToDispatch) {}

    unsafe fn create_vc(
        &self,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        vc: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-05, VC-07), with this binding's handle.
        unsafe { ndis_sys::NdisCoCreateVc(self.shared.handle(), af, context, vc) }
    }

    unsafe fn delete_vc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-22, VC-24).
        unsafe { ndis_sys::NdisCoDeleteVc(vc) }
    }

    unsafe fn activate_vc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-35, IRQL-54).
        unsafe { ndis_sys::NdisCmActivateVc(vc, parameters) }
    }

    unsafe fn deactivate_vc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-46, IRQL-55).
        unsafe { ndis_sys::NdisCmDeactivateVc(vc) }
    }

    unsafe fn oid_request(
        &self,
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        let binding = self.shared.handle();
        // SAFETY: the caller's contract (rules IRQL-32, OID-03, OID-67), with this binding's handle.
        unsafe { ndis_sys::NdisCoOidRequest(binding, af, vc, core::ptr::null_mut(), request) }
    }
}
