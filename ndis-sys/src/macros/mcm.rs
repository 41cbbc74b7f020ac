//! The `NdisMCm*` family: what a miniport call manager calls is the call
//! manager's function of the same purpose under another name.

use crate::*;

/// `same! { /// doc; NdisMCmX = NdisCmX(arg: Type, ...) -> Result; ... }`
macro_rules! same {
    ($($(#[$doc:meta])* $name:ident = $target:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\nThe same as [`", stringify!($target), "`].")]
            ///
            /// # Safety
            /// The handles and pointers are what NDIS documents for this
            /// call, at an IRQL that it allows.
            #[inline]
            pub unsafe fn $name($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target($($arg),*) }
            }
        )*
    };
}

same! {
    /// Completes an OID request that the miniport call manager had pended.
    NdisMCmOidRequestComplete = NdisCoOidRequestComplete(af: NDIS_HANDLE, vc: NDIS_HANDLE, party: NDIS_HANDLE, request: PNDIS_OID_REQUEST, status: NDIS_STATUS);
    /// Completes a pended opening of an address family.
    NdisMCmOpenAddressFamilyComplete = NdisCmOpenAddressFamilyComplete(status: NDIS_STATUS, af: NDIS_HANDLE, context: NDIS_HANDLE);
    /// Asks the client of an address family to close it.
    NdisMCmNotifyCloseAddressFamily = NdisCmNotifyCloseAddressFamily(af: NDIS_HANDLE) -> NDIS_STATUS;
    /// Completes a pended closing of an address family.
    NdisMCmCloseAddressFamilyComplete = NdisCmCloseAddressFamilyComplete(status: NDIS_STATUS, af: NDIS_HANDLE);
    /// Completes a pended registration of a SAP.
    NdisMCmRegisterSapComplete = NdisCmRegisterSapComplete(status: NDIS_STATUS, sap: NDIS_HANDLE, context: NDIS_HANDLE);
    /// Completes a pended deregistration of a SAP.
    NdisMCmDeregisterSapComplete = NdisCmDeregisterSapComplete(status: NDIS_STATUS, sap: NDIS_HANDLE);
    /// Completes a pended call.
    NdisMCmMakeCallComplete = NdisCmMakeCallComplete(status: NDIS_STATUS, vc: NDIS_HANDLE, party: NDIS_HANDLE, party_context: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS);
    /// Completes a pended hang-up.
    NdisMCmCloseCallComplete = NdisCmCloseCallComplete(status: NDIS_STATUS, vc: NDIS_HANDLE, party: NDIS_HANDLE);
    /// Completes a pended addition of a party.
    NdisMCmAddPartyComplete = NdisCmAddPartyComplete(status: NDIS_STATUS, party: NDIS_HANDLE, context: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS);
    /// Completes a pended removal of a party.
    NdisMCmDropPartyComplete = NdisCmDropPartyComplete(status: NDIS_STATUS, party: NDIS_HANDLE);
    /// Tells a client of a call that has come in for its SAP.
    NdisMCmDispatchIncomingCall = NdisCmDispatchIncomingCall(sap: NDIS_HANDLE, vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS) -> NDIS_STATUS;
    /// Tells the client that accepted a call that it is up.
    NdisMCmDispatchCallConnected = NdisCmDispatchCallConnected(vc: NDIS_HANDLE);
    /// Completes a pended change of a call's quality of service.
    NdisMCmModifyCallQoSComplete = NdisCmModifyCallQoSComplete(status: NDIS_STATUS, vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS);
    /// Tells a client that the remote end wants another quality of service.
    NdisMCmDispatchIncomingCallQoSChange = NdisCmDispatchIncomingCallQoSChange(vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS);
    /// Tells a client that its call is over.
    NdisMCmDispatchIncomingCloseCall = NdisCmDispatchIncomingCloseCall(status: NDIS_STATUS, vc: NDIS_HANDLE, buffer: PVOID, size: UINT);
    /// Tells a client that a party has left its call.
    NdisMCmDispatchIncomingDropParty = NdisCmDispatchIncomingDropParty(status: NDIS_STATUS, party: NDIS_HANDLE, buffer: PVOID, size: UINT);
}
