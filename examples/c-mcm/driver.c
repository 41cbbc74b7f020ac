/*
 * What every miniport call manager has: the entry, the tables of handlers, adapters that come and
 * go. calls.c has the call manager, data.c the data.
 */
#include "mcm.h"

#define HEADER(type, revision, size) { .Type = (type), .Revision = (revision), .Size = (size) }

/* Any address of the driver's own names the extension, which holds the registration's handle. */
static const UCHAR extension_id;

static NDIS_STATUS set_attributes(ADAPTER *adapter)
{
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES registration = {
        .Header = HEADER(NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                         NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                         NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1),
        .MiniportAdapterContext = adapter,
    };
    /* The adapter wakes nobody. */
    NDIS_PM_CAPABILITIES power = {
        .Header = HEADER(NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_CAPABILITIES_REVISION_2,
                         NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2),
    };
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES general = {
        .PowerManagementCapabilitiesEx = &power,
        .Header = HEADER(NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                         NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                         NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2),
        .MediaType = NdisMediumCoWan,
    };
    const NDIS_STATUS status = NdisMSetMiniportAttributes(
        adapter->handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&registration);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    return NdisMSetMiniportAttributes(adapter->handle,
                                      (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&general);
}

static void free_adapter(ADAPTER *adapter)
{
    if (adapter->lists != NULL)
        NdisFreeNetBufferListPool(adapter->lists);
    NdisFreeSpinLock(&adapter->lock);
    ExFreePoolWithTag(adapter, TAG);
}

static NDIS_STATUS NTAPI initialize(NDIS_HANDLE handle, NDIS_HANDLE context,
                                    PNDIS_MINIPORT_INIT_PARAMETERS parameters)
{
    ADAPTER *adapter = allocate(sizeof(ADAPTER));
    if (adapter == NULL)
        return NDIS_STATUS_RESOURCES;
    adapter->handle = handle;
    NdisAllocateSpinLock(&adapter->lock);
    InitializeListHead(&adapter->families);
    KeInitializeEvent(&adapter->closed, NotificationEvent, TRUE);

    NET_BUFFER_LIST_POOL_PARAMETERS pool = {
        .Header = HEADER(NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1),
        .fAllocateNetBuffer = TRUE,
        .PoolTag = TAG,
    };
    adapter->offer = (CO_ADDRESS_FAMILY){ .AddressFamily = FAMILY_NUMBER, .MajorVersion = 1 };
    adapter->lists = NdisAllocateNetBufferListPool(handle, &pool);
    NDIS_STATUS status = adapter->lists == NULL ? NDIS_STATUS_RESOURCES : set_attributes(adapter);
    if (status == NDIS_STATUS_SUCCESS)
        status = start_worker(adapter);
    if (status != NDIS_STATUS_SUCCESS) {
        free_adapter(adapter);
        return status;
    }
    /* The last step: clients may come from now on. */
    status = NdisMCmRegisterAddressFamilyEx(handle, &adapter->offer);
    if (status != NDIS_STATUS_SUCCESS) {
        stop_worker(adapter);
        free_adapter(adapter);
    }
    return status;
}

static void NTAPI halt(NDIS_HANDLE context, NDIS_HALT_ACTION action)
{
    ADAPTER *adapter = context;
    close_families(adapter);
    stop_worker(adapter);
    free_adapter(adapter);
}

/* Handlers that this driver has no use for: it has no hardware, and answers no requests. */

static void NTAPI cancel_send(NDIS_HANDLE adapter, PVOID id) {}
static void NTAPI pnp_event(NDIS_HANDLE adapter, PNET_DEVICE_PNP_EVENT event) {}
static void NTAPI shut_down(NDIS_HANDLE adapter, NDIS_SHUTDOWN_ACTION action) {}
static NDIS_STATUS NTAPI oid_request(NDIS_HANDLE adapter, PNDIS_OID_REQUEST request)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static void NTAPI cancel_oid_request(NDIS_HANDLE adapter, PVOID id) {}
static NDIS_STATUS NTAPI co_oid_request(NDIS_HANDLE adapter, NDIS_HANDLE vc,
                                        PNDIS_OID_REQUEST request)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS NTAPI cm_oid_request(NDIS_HANDLE family, NDIS_HANDLE vc, NDIS_HANDLE party,
                                        PNDIS_OID_REQUEST request)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static void NTAPI cm_oid_request_complete(NDIS_HANDLE family, NDIS_HANDLE vc, NDIS_HANDLE party,
                                          PNDIS_OID_REQUEST request, NDIS_STATUS status) {}
static void NTAPI incoming_call_complete(NDIS_STATUS status, NDIS_HANDLE vc,
                                         PCO_CALL_PARAMETERS parameters) {}
static NDIS_STATUS NTAPI add_party(NDIS_HANDLE vc, PCO_CALL_PARAMETERS parameters,
                                   NDIS_HANDLE party, PNDIS_HANDLE context)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS NTAPI drop_party(NDIS_HANDLE party, PVOID data, UINT size)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS NTAPI modify_qos(NDIS_HANDLE vc, PCO_CALL_PARAMETERS parameters)
{ return NDIS_STATUS_NOT_SUPPORTED; }

static NDIS_STATUS NTAPI set_options(NDIS_HANDLE driver, NDIS_HANDLE context)
{
    /* NDIS copies both tables. */
    static NDIS_MINIPORT_CO_CHARACTERISTICS miniport = {
        .Header = HEADER(NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
                         NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
                         NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1),
        .CoSendNetBufferListsHandler = send_lists,
        .CoOidRequestHandler = co_oid_request,
    };
    const NDIS_STATUS status =
        NdisSetOptionalHandlers(driver, (PNDIS_DRIVER_OPTIONAL_HANDLERS)&miniport);
    if (status != NDIS_STATUS_SUCCESS)
        return status;

    static NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS handlers = {
        .Header = HEADER(NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
                         NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
                         NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1),
        .CmCreateVcHandler = create_vc,
        .CmDeleteVcHandler = delete_vc,
        .CmOpenAfHandler = open_af,
        .CmCloseAfHandler = close_af,
        .CmRegisterSapHandler = register_sap,
        .CmDeregisterSapHandler = deregister_sap,
        .CmMakeCallHandler = make_call,
        .CmCloseCallHandler = close_call,
        .CmIncomingCallCompleteHandler = incoming_call_complete,
        .CmAddPartyHandler = add_party,
        .CmDropPartyHandler = drop_party,
        .CmActivateVcCompleteHandler = activate_vc_complete,
        .CmDeactivateVcCompleteHandler = deactivate_vc_complete,
        .CmModifyCallQoSHandler = modify_qos,
        .CmOidRequestHandler = cm_oid_request,
        .CmOidRequestCompleteHandler = cm_oid_request_complete,
        .CmNotifyCloseAfCompleteHandler = notify_close_af_complete,
    };
    return NdisSetOptionalHandlers(driver, (PNDIS_DRIVER_OPTIONAL_HANDLERS)&handlers);
}

static void NTAPI unload(PDRIVER_OBJECT driver)
{
    const NDIS_HANDLE *handle = IoGetDriverObjectExtension(driver, (PVOID)&extension_id);
    NdisMDeregisterMiniportDriver(*handle);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    PVOID extension;
    const NTSTATUS status = IoAllocateDriverObjectExtension(driver, (PVOID)&extension_id,
                                                            sizeof(NDIS_HANDLE), &extension);
    if (!NT_SUCCESS(status))
        return status;

    NDIS_MINIPORT_DRIVER_CHARACTERISTICS characteristics = {
        .Header = HEADER(NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                         NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                         NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2),
        .MajorNdisVersion = 6,
        .MinorNdisVersion = 30,
        .MajorDriverVersion = 1,
        .SetOptionsHandler = set_options,
        .InitializeHandlerEx = initialize,
        .HaltHandlerEx = halt,
        .UnloadHandler = unload,
        .PauseHandler = pause_adapter,
        .RestartHandler = restart_adapter,
        .OidRequestHandler = oid_request,
        .ReturnNetBufferListsHandler = return_lists,
        .CancelSendHandler = cancel_send,
        .DevicePnPEventNotifyHandler = pnp_event,
        .ShutdownHandlerEx = shut_down,
        .CancelOidRequestHandler = cancel_oid_request,
    };
    return NdisMRegisterMiniportDriver(driver, registry_path, NULL, &characteristics, extension);
}
