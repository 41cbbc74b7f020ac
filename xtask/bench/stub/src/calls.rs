//! Virtual circuits, calls and data: every call goes straight to the other side.

use std::ptr::null_mut;

use ndis_sys::{
    NDIS_HANDLE, NDIS_STATUS, NET_BUFFER_LIST, PCO_CALL_PARAMETERS, PNDIS_HANDLE, PVOID, UINT,
    ULONG,
};

use crate::{SUCCESS, export, world};

/// What a handle of a VC points to: both sides' contexts.
struct Vc {
    client: NDIS_HANDLE,
    manager: NDIS_HANDLE,
}

fn make(client: NDIS_HANDLE, manager: NDIS_HANDLE) -> *mut Vc {
    Box::into_raw(Box::new(Vc { client, manager }))
}

unsafe fn client(vc: NDIS_HANDLE) -> NDIS_HANDLE {
    (*vc.cast::<Vc>()).client
}

unsafe fn manager(vc: NDIS_HANDLE) -> NDIS_HANDLE {
    (*vc.cast::<Vc>()).manager
}

/// A side has answered to the deletion of a VC.
unsafe fn deleted(vc: NDIS_HANDLE, status: NDIS_STATUS) -> NDIS_STATUS {
    if status == SUCCESS {
        drop(Box::from_raw(vc.cast::<Vc>()));
    }
    status
}

export! {
    NdisCoCreateVc(_binding: NDIS_HANDLE, _af: NDIS_HANDLE, context: NDIS_HANDLE, vc: PNDIS_HANDLE) -> NDIS_STATUS {
        let made = make(context, null_mut());
        let create = (*world()).call_manager.CmCreateVcHandler.unwrap();
        let status = create((*world()).managers_af, made.cast(), &raw mut (*made).manager);
        *vc = made.cast();
        status
    }
    NdisCoDeleteVc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        let delete = (*world()).call_manager.CmDeleteVcHandler.unwrap();
        deleted(vc, delete(manager(vc)))
    }
    NdisMCmCreateVc(_adapter: NDIS_HANDLE, _af: NDIS_HANDLE, context: NDIS_HANDLE, vc: PNDIS_HANDLE) -> NDIS_STATUS {
        let made = make(null_mut(), context);
        let create = (*world()).client.ClCreateVcHandler.unwrap();
        let status = create((*world()).clients_af, made.cast(), &raw mut (*made).client);
        *vc = made.cast();
        status
    }
    NdisMCmDeleteVc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        let delete = (*world()).client.ClDeleteVcHandler.unwrap();
        deleted(vc, delete(client(vc)))
    }
    NdisMCmActivateVc(_vc: NDIS_HANDLE, _parameters: PCO_CALL_PARAMETERS) -> NDIS_STATUS {
        SUCCESS
    }
    NdisMCmDeactivateVc(_vc: NDIS_HANDLE) -> NDIS_STATUS {
        SUCCESS
    }
    // The drivers answer what they are asked, and ask nothing.
    NdisCoOidRequestComplete(
        _af: NDIS_HANDLE, _vc: NDIS_HANDLE, _party: NDIS_HANDLE, _request: PVOID, _status: NDIS_STATUS
    ) {}
    NdisClMakeCall(vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS, _party: NDIS_HANDLE, _out: PNDIS_HANDLE) -> NDIS_STATUS {
        let make = (*world()).call_manager.CmMakeCallHandler.unwrap();
        make(manager(vc), parameters, null_mut(), null_mut())
    }
    NdisCmMakeCallComplete(
        status: NDIS_STATUS, vc: NDIS_HANDLE, _party: NDIS_HANDLE, _context: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS
    ) {
        let complete = (*world()).client.ClMakeCallCompleteHandler.unwrap();
        complete(status, client(vc), null_mut(), parameters);
    }
    NdisClCloseCall(vc: NDIS_HANDLE, _party: NDIS_HANDLE, data: PVOID, size: UINT) -> NDIS_STATUS {
        let close = (*world()).call_manager.CmCloseCallHandler.unwrap();
        close(manager(vc), null_mut(), data, size)
    }
    NdisCmCloseCallComplete(status: NDIS_STATUS, vc: NDIS_HANDLE, _party: NDIS_HANDLE) {
        let complete = (*world()).client.ClCloseCallCompleteHandler.unwrap();
        complete(status, client(vc), null_mut());
    }
    NdisCmDispatchIncomingCall(_sap: NDIS_HANDLE, vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS) -> NDIS_STATUS {
        let ring = (*world()).client.ClIncomingCallHandler.unwrap();
        ring((*world()).clients_sap, client(vc), parameters)
    }
    NdisClIncomingCallComplete(status: NDIS_STATUS, vc: NDIS_HANDLE, parameters: PCO_CALL_PARAMETERS) {
        let complete = (*world()).call_manager.CmIncomingCallCompleteHandler.unwrap();
        complete(status, manager(vc), parameters);
    }
    NdisCmDispatchCallConnected(vc: NDIS_HANDLE) {
        let connected = (*world()).client.ClCallConnectedHandler.unwrap();
        connected(client(vc));
    }
    NdisCmDispatchIncomingCloseCall(status: NDIS_STATUS, vc: NDIS_HANDLE, data: PVOID, size: UINT) {
        let hung_up = (*world()).client.ClIncomingCloseCallHandler.unwrap();
        hung_up(status, client(vc), data, size);
    }
    NdisCoSendNetBufferLists(vc: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: ULONG) {
        let send = (*world()).miniport_co.CoSendNetBufferListsHandler.unwrap();
        send(manager(vc), lists, flags);
    }
    NdisMCoSendNetBufferListsComplete(vc: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: ULONG) {
        let complete = (*world()).protocol_co.CoSendNetBufferListsCompleteHandler.unwrap();
        complete(client(vc), lists, flags);
    }
    NdisMCoIndicateReceiveNetBufferLists(vc: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, count: ULONG, flags: ULONG) {
        let receive = (*world()).protocol_co.CoReceiveNetBufferListsHandler.unwrap();
        receive((*world()).binding, client(vc), lists, count, flags);
    }
    NdisReturnNetBufferLists(_binding: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: ULONG) {
        let take_back = (*world()).miniport.ReturnNetBufferListsHandler.unwrap();
        take_back((*world()).adapter, lists, flags);
    }
}
