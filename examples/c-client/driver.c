/*
 * The half of the client that every protocol driver has: the entry, the tables of handlers, the
 * binding to an adapter, and the events of plug and play. There are no variables: what the driver
 * has once is in an extension of its driver object, the rest in the PORT of each binding.
 */
#include "client.h"

#define TAG 0x746E6C43u               /* "Clnt" */
#define START_AFTER (-10 * 10000LL)   /* 10 ms, in units of 100 ns; negative is relative */

/* Any address of the driver's own names the extension. */
static const UCHAR extension_id;

static void zero(void *memory, SIZE_T size)
{
    for (UCHAR *byte = memory; size != 0; size--)
        *byte++ = 0;
}

/* The head of a structure of NDIS's. */
#define HEADER(type, revision, size) { .Type = (type), .Revision = (revision), .Size = (size) }

static void free_port(PORT *port)
{
    if (port->redial_timer != NULL)
        NdisFreeTimerObject(port->redial_timer);
    if (port->start_timer != NULL)
        NdisFreeTimerObject(port->start_timer);
    if (port->lists != NULL)
        NdisFreeNetBufferListPool(port->lists);
    NdisFreeSpinLock(&port->lock);
    NdisFreeMemory(port, 0, 0);
}

static PORT *make_port(CLIENT *client)
{
    PORT *port = NdisAllocateMemoryWithTagPriority(client->protocol, sizeof(PORT), TAG,
                                                   NormalPoolPriority);
    if (port == NULL)
        return NULL;
    zero(port, sizeof(*port));
    port->client = client;
    for (ULONG index = 0; index < CALLS; index++) {
        port->calls[index].port = port;
        port->calls[index].index = index;
    }
    NdisAllocateSpinLock(&port->lock);
    NdisInitializeEvent(&port->idle);
    NdisSetEvent(&port->idle);
    NdisInitializeEvent(&port->quiet);
    NdisSetEvent(&port->quiet);

    NET_BUFFER_LIST_POOL_PARAMETERS pool = {
        .Header = HEADER(NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1),
        .fAllocateNetBuffer = TRUE,
        .PoolTag = TAG,
    };
    NDIS_TIMER_CHARACTERISTICS timer = {
        .Header = HEADER(NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
                         NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                         NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1),
        .AllocationTag = TAG,
    };
    port->lists = NdisAllocateNetBufferListPool(client->protocol, &pool);
    timer.TimerFunction = redial;
    NDIS_STATUS status = NdisAllocateTimerObject(client->protocol, &timer, &port->redial_timer);
    timer.TimerFunction = start;
    if (status == NDIS_STATUS_SUCCESS)
        status = NdisAllocateTimerObject(client->protocol, &timer, &port->start_timer);
    if (port->lists == NULL || status != NDIS_STATUS_SUCCESS) {
        free_port(port);
        return NULL;
    }
    return port;
}

static NDIS_STATUS NTAPI bind_adapter(NDIS_HANDLE context, NDIS_HANDLE bind,
                                      PNDIS_BIND_PARAMETERS parameters)
{
    CLIENT *client = context;
    PORT *port = make_port(client);
    if (port == NULL)
        return NDIS_STATUS_RESOURCES;

    port->bind = bind;
    port->medium = NdisMediumCoWan;
    port->open.Header = (NDIS_OBJECT_HEADER)HEADER(NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
                                                   NDIS_OPEN_PARAMETERS_REVISION_1,
                                                   NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1);
    port->open.AdapterName = parameters->AdapterName;
    port->open.MediumArray = &port->medium;
    port->open.MediumArraySize = 1;
    port->open.SelectedMediumIndex = &port->medium_index;
    const NDIS_STATUS status =
        NdisOpenAdapterEx(client->protocol, port, &port->open, bind, &port->binding);
    if (status != NDIS_STATUS_SUCCESS && status != NDIS_STATUS_PENDING)
        free_port(port);
    return status;
}

static void NTAPI open_adapter_complete(NDIS_HANDLE context, NDIS_STATUS status)
{
    PORT *port = context;
    const NDIS_HANDLE bind = port->bind;
    if (status != NDIS_STATUS_SUCCESS)
        free_port(port);
    NdisCompleteBindAdapterEx(bind, status);
}

static NDIS_STATUS NTAPI unbind_adapter(NDIS_HANDLE unbind, NDIS_HANDLE context)
{
    PORT *port = context;
    request_close(port, FALSE);
    NdisWaitEvent(&port->idle, 0);
    NdisWaitEvent(&port->quiet, 0);

    NdisResetEvent(&port->idle);
    if (NdisCloseAdapterEx(port->binding) == NDIS_STATUS_PENDING)
        NdisWaitEvent(&port->idle, 0);
    free_port(port);
    return NDIS_STATUS_SUCCESS;
}

static void NTAPI close_adapter_complete(NDIS_HANDLE context)
{
    PORT *port = context;
    NdisSetEvent(&port->idle);
}

static NDIS_STATUS NTAPI net_pnp_event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event)
{
    PORT *port = context;
    const NET_PNP_EVENT_CODE code = event->NetPnPEvent.NetEvent;
    /* Other events, and those of the driver as a whole, change nothing here. */
    if (port == NULL || (code != NetEventRestart && code != NetEventPause))
        return NDIS_STATUS_SUCCESS;

    NdisAcquireSpinLock(&port->lock);
    port->running = FALSE;
    port->starting = code == NetEventRestart;
    if (port->starting)
        NdisResetEvent(&port->quiet);
    NdisReleaseSpinLock(&port->lock);

    if (code == NetEventRestart) {
        /* The binding may send once this handler has returned, and nobody says when that is. */
        const LARGE_INTEGER soon = { .QuadPart = START_AFTER };
        NdisSetTimerObject(port->start_timer, soon, 0, port);
    } else {
        NdisWaitEvent(&port->quiet, 0);
    }
    return NDIS_STATUS_SUCCESS;
}

/* Handlers that a client must have and that this one has no use for: it takes no calls, registers
   no SAP, adds no party, changes no QoS, makes no requests. */

static void NTAPI co_status(NDIS_HANDLE binding, NDIS_HANDLE vc, PNDIS_STATUS_INDICATION status) {}
static NDIS_STATUS NTAPI create_vc(NDIS_HANDLE family, NDIS_HANDLE vc, PNDIS_HANDLE context)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS NTAPI delete_vc(NDIS_HANDLE vc) { return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS NTAPI oid_request(NDIS_HANDLE family, NDIS_HANDLE vc, NDIS_HANDLE party,
                                     PNDIS_OID_REQUEST request)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static void NTAPI oid_request_complete(NDIS_HANDLE family, NDIS_HANDLE vc, NDIS_HANDLE party,
                                       PNDIS_OID_REQUEST request, NDIS_STATUS status) {}
static void NTAPI register_sap_complete(NDIS_STATUS status, NDIS_HANDLE context, PCO_SAP sap,
                                        NDIS_HANDLE handle) {}
static void NTAPI completed(NDIS_STATUS status, NDIS_HANDLE context) {}
static void NTAPI modify_qos_complete(NDIS_STATUS status, NDIS_HANDLE vc,
                                      PCO_CALL_PARAMETERS parameters) {}
static void NTAPI add_party_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party,
                                     PCO_CALL_PARAMETERS parameters) {}
static NDIS_STATUS NTAPI incoming_call(NDIS_HANDLE sap, NDIS_HANDLE vc,
                                       PCO_CALL_PARAMETERS parameters)
{ return NDIS_STATUS_NOT_SUPPORTED; }
static void NTAPI incoming_qos_change(NDIS_HANDLE vc, PCO_CALL_PARAMETERS parameters) {}
static void NTAPI incoming_drop_party(NDIS_STATUS status, NDIS_HANDLE party, PVOID data,
                                      UINT size) {}
static void NTAPI call_connected(NDIS_HANDLE vc) {}

static NDIS_STATUS NTAPI set_options(NDIS_HANDLE driver, NDIS_HANDLE context)
{
    CLIENT *client = context;
    /* Adapters may be bound before the registration has returned this handle. */
    client->protocol = driver;

    /* NDIS copies both tables. */
    static NDIS_PROTOCOL_CO_CHARACTERISTICS protocol = {
        .Header = HEADER(NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
                         NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
                         NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1),
        .CoStatusHandlerEx = co_status,
        .CoAfRegisterNotifyHandler = af_register_notify,
        .CoReceiveNetBufferListsHandler = receive,
        .CoSendNetBufferListsCompleteHandler = send_complete,
    };
    const NDIS_STATUS status =
        NdisSetOptionalHandlers(driver, (PNDIS_DRIVER_OPTIONAL_HANDLERS)&protocol);
    if (status != NDIS_STATUS_SUCCESS)
        return status;

    static NDIS_CO_CLIENT_OPTIONAL_HANDLERS handlers = {
        .Header = HEADER(NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
                         NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
                         NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1),
        .ClCreateVcHandler = create_vc,
        .ClDeleteVcHandler = delete_vc,
        .ClOidRequestHandler = oid_request,
        .ClOidRequestCompleteHandler = oid_request_complete,
        .ClOpenAfCompleteHandlerEx = open_af_complete,
        .ClCloseAfCompleteHandler = close_af_complete,
        .ClRegisterSapCompleteHandler = register_sap_complete,
        .ClDeregisterSapCompleteHandler = completed,
        .ClMakeCallCompleteHandler = make_call_complete,
        .ClModifyCallQoSCompleteHandler = modify_qos_complete,
        .ClCloseCallCompleteHandler = close_call_complete,
        .ClAddPartyCompleteHandler = add_party_complete,
        .ClDropPartyCompleteHandler = completed,
        .ClIncomingCallHandler = incoming_call,
        .ClIncomingCallQoSChangeHandler = incoming_qos_change,
        .ClIncomingCloseCallHandler = incoming_close_call,
        .ClIncomingDropPartyHandler = incoming_drop_party,
        .ClCallConnectedHandler = call_connected,
        .ClNotifyCloseAfHandler = notify_close_af,
    };
    return NdisSetOptionalHandlers(driver, (PNDIS_DRIVER_OPTIONAL_HANDLERS)&handlers);
}

static void NTAPI unload(PDRIVER_OBJECT driver)
{
    CLIENT *client = IoGetDriverObjectExtension(driver, (PVOID)&extension_id);
    NdisDeregisterProtocolDriver(client->protocol);
    stop_watch(client);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    static WCHAR name[] = u"C-CLIENT";
    PVOID extension;

    NTSTATUS status =
        IoAllocateDriverObjectExtension(driver, (PVOID)&extension_id, sizeof(CLIENT), &extension);
    if (!NT_SUCCESS(status))
        return status;
    zero(extension, sizeof(CLIENT));
    driver->DriverUnload = unload;

    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS characteristics = {
        .Header = HEADER(NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                         NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                         NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2),
        .MajorNdisVersion = 6,
        .MinorNdisVersion = 30,
        .MajorDriverVersion = 1,
        .Name = { .Length = sizeof(name) - sizeof(WCHAR), .MaximumLength = sizeof(name),
                  .Buffer = name },
        .SetOptionsHandler = set_options,
        .BindAdapterHandlerEx = bind_adapter,
        .UnbindAdapterHandlerEx = unbind_adapter,
        .OpenAdapterCompleteHandlerEx = open_adapter_complete,
        .CloseAdapterCompleteHandlerEx = close_adapter_complete,
        .NetPnPEventHandler = net_pnp_event,
    };
    CLIENT *client = extension;
    status = NdisRegisterProtocolDriver(client, &characteristics, &client->protocol);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    status = start_watch(client, driver);
    if (!NT_SUCCESS(status))
        NdisDeregisterProtocolDriver(client->protocol);
    return status;
}
