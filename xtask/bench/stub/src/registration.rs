//! What drivers register, and what they open: one of each, so that no handle needs to be looked up.

use ndis_sys::{
    NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, NDIS_STATUS, PCO_ADDRESS_FAMILY,
    PCO_SAP, PDRIVER_OBJECT, PNDIS_DRIVER_OPTIONAL_HANDLERS, PNDIS_HANDLE,
    PNDIS_MINIPORT_ADAPTER_ATTRIBUTES, PNDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    PNDIS_OPEN_PARAMETERS, PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS, PUNICODE_STRING,
};

use crate::{SUCCESS, export, never_called, refuse, world};

/// Handles that nobody follows.
pub(crate) fn handle(number: usize) -> NDIS_HANDLE {
    std::ptr::without_provenance_mut(number)
}

export! {
    NdisMRegisterMiniportDriver(
        _object: PDRIVER_OBJECT, _path: PUNICODE_STRING, context: NDIS_HANDLE,
        handlers: PNDIS_MINIPORT_DRIVER_CHARACTERISTICS, driver: PNDIS_HANDLE
    ) -> NDIS_STATUS {
        (*world()).miniport = handlers.read();
        (*world()).miniport_driver = context;
        *driver = handle(0x10);
        let options = (*world()).miniport.SetOptionsHandler;
        options.map_or(SUCCESS, |set| set(handle(0x10), context))
    }
    NdisRegisterProtocolDriver(
        context: NDIS_HANDLE, handlers: PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS, driver: PNDIS_HANDLE
    ) -> NDIS_STATUS {
        (*world()).protocol = handlers.read();
        (*world()).protocol_driver = context;
        *driver = handle(0x20);
        let options = (*world()).protocol.SetOptionsHandler;
        options.map_or(SUCCESS, |set| set(handle(0x20), context))
    }
    NdisSetOptionalHandlers(_driver: NDIS_HANDLE, handlers: PNDIS_DRIVER_OPTIONAL_HANDLERS) -> NDIS_STATUS {
        let world = world();
        match i64::from((*handlers).Header.Type) {
            kind if kind == i64::from(NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS) => {
                (*world).miniport_co = handlers.cast::<ndis_sys::NDIS_MINIPORT_CO_CHARACTERISTICS>().read();
            }
            kind if kind == i64::from(NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS) => {
                (*world).call_manager = handlers.cast::<ndis_sys::NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>().read();
            }
            kind if kind == i64::from(NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS) => {
                (*world).protocol_co = handlers.cast::<ndis_sys::NDIS_PROTOCOL_CO_CHARACTERISTICS>().read();
            }
            kind if kind == i64::from(NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS) => {
                (*world).client = handlers.cast::<ndis_sys::NDIS_CO_CLIENT_OPTIONAL_HANDLERS>().read();
            }
            kind => refuse(&format!("optional handlers of type {kind:#x}")),
        }
        SUCCESS
    }
    NdisMSetMiniportAttributes(_adapter: NDIS_HANDLE, attributes: PNDIS_MINIPORT_ADAPTER_ATTRIBUTES) -> NDIS_STATUS {
        let registration = attributes.cast::<NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES>();
        let kind = i64::from((*registration).Header.Type);
        if kind == i64::from(NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES) {
            (*world()).adapter = (*registration).MiniportAdapterContext;
        }
        SUCCESS
    }
    NdisOpenAdapterEx(
        _protocol: NDIS_HANDLE, context: NDIS_HANDLE, _parameters: PNDIS_OPEN_PARAMETERS,
        _bind: NDIS_HANDLE, binding: PNDIS_HANDLE
    ) -> NDIS_STATUS {
        (*world()).binding = context;
        *binding = handle(0x30);
        SUCCESS
    }
    NdisMCmRegisterAddressFamilyEx(_adapter: NDIS_HANDLE, family: PCO_ADDRESS_FAMILY) -> NDIS_STATUS {
        // The caller's does not outlive the call.
        (*world()).family = Box::into_raw(Box::new(family.read()));
        SUCCESS
    }
    NdisClOpenAddressFamilyEx(
        _binding: NDIS_HANDLE, family: PCO_ADDRESS_FAMILY, context: NDIS_HANDLE, af: PNDIS_HANDLE
    ) -> NDIS_STATUS {
        let world = world();
        (*world).clients_af = context;
        *af = handle(0x40);
        let open = (*world).call_manager.CmOpenAfHandler.unwrap();
        open((*world).adapter, family, handle(0x50), &raw mut (*world).managers_af)
    }
    NdisClCloseAddressFamily(_af: NDIS_HANDLE) -> NDIS_STATUS {
        let close = (*world()).call_manager.CmCloseAfHandler.unwrap();
        close((*world()).managers_af)
    }
    NdisCmCloseAddressFamilyComplete(status: NDIS_STATUS, _af: NDIS_HANDLE) {
        let complete = (*world()).client.ClCloseAfCompleteHandler.unwrap();
        complete(status, (*world()).clients_af);
    }
    NdisClRegisterSap(_af: NDIS_HANDLE, context: NDIS_HANDLE, address: PCO_SAP, sap: PNDIS_HANDLE) -> NDIS_STATUS {
        let world = world();
        (*world).clients_sap = context;
        *sap = handle(0x60);
        let register = (*world).call_manager.CmRegisterSapHandler.unwrap();
        register((*world).managers_af, address, handle(0x70), &raw mut (*world).managers_sap)
    }
    NdisClDeregisterSap(_sap: NDIS_HANDLE) -> NDIS_STATUS {
        let deregister = (*world()).call_manager.CmDeregisterSapHandler.unwrap();
        deregister((*world()).managers_sap)
    }
    NdisCmDeregisterSapComplete(status: NDIS_STATUS, _sap: NDIS_HANDLE) {
        let complete = (*world()).client.ClDeregisterSapCompleteHandler.unwrap();
        complete(status, (*world()).clients_sap);
    }
}

// The drivers stay loaded, and their adapter running.
never_called! {
    NdisMDeregisterMiniportDriver
    NdisDeregisterProtocolDriver
    NdisMPauseComplete
    NdisMResetComplete
    NdisWriteErrorLogEntry
    NdisMOidRequestComplete
    NdisMCoOidRequestComplete
    NdisCloseAdapterEx
    NdisCompleteUnbindAdapterEx
    NdisCmOpenAddressFamilyComplete
    NdisCmRegisterSapComplete
    NdisCmNotifyCloseAddressFamily
    NdisClNotifyCloseAddressFamilyComplete
    NdisMSendNetBufferListsComplete
}
