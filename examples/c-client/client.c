/*
 * A CoNDIS client in C: it places two calls through the switch of examples/loopback-mcm, one after
 * the other, sends four frames on each, compares every echo byte by byte, and says in one line how
 * it went. It is built against condis.h, which is generated from the Rust crate ndis-sys.
 *
 * A binding goes through its life once, and the PORT is all of its state:
 *
 *     bind -> family offered -> family open -> [ VC -> call -> frames, echoes -> hang up ] x 2
 *          -> line printed -> family closed (when NDIS asks, or at the unbind) -> unbind
 *
 * Threads. NDIS calls in on any processor, at DISPATCH_LEVEL too, and from inside of the calls that
 * this driver makes. So whoever changes the state does it under the port's lock, decides there what
 * follows (`next_step`), and does that after releasing the lock. Each step follows from one change
 * only, so exactly one processor takes it. Who has no step to take must not touch the port again:
 * another processor may be taking the last ones, at whose end the port is freed.
 *
 * Every NDIS function that may pend is answered in one place: its completion handler, which is
 * called here when the answer comes at once, and by NDIS when it does not.
 */
#include <condis.h>

/* Not in condis.h yet. The last parameter is a va_list, which is a pointer in every Windows ABI. */
CONDIS_IMPORT ULONG NTAPI vDbgPrintEx(ULONG component, ULONG level, const char *format, char *arguments);

#define TAG 0x746E6C43u            /* "Clnt" */
#define FAMILY 0x4C6F6F70u         /* of the switch, in version 1.0 */
#define ADDRESS_NUMBER 1           /* the type of a number in the switch's family */
#define CALLEE 7                   /* the number that is called */
#define CALLS 2
#define FRAMES 4
#define REDIALS 50
#define REDIAL_AFTER (-100 * 10000LL) /* 100 ms, in units of 100 ns; negative is relative */

/* How long each frame of a call is. The first two bytes say which frame it is. */
static const USHORT lengths[FRAMES] = { 2, 60, 577, 1500 };

/* What the driver has one of. It lives in an extension of the driver object. */
typedef struct {
    NDIS_HANDLE protocol;
} CLIENT;

/* A call's parameters; they must stay until the call is answered. */
typedef struct {
    CO_CALL_PARAMETERS head;
    union {
        CO_CALL_MANAGER_PARAMETERS manager;
        UCHAR room[sizeof(CO_CALL_MANAGER_PARAMETERS) + sizeof(ULONG)];
    } u;
    CO_MEDIA_PARAMETERS media;
} PARAMETERS;

typedef struct {
    CLIENT *client;
    NDIS_HANDLE bind, binding, family, vc, lists, timer;
    NDIS_MEDIUM medium;         /* these two are NDIS's until the adapter is open */
    UINT medium_index;
    NDIS_OPEN_PARAMETERS open;
    NDIS_EVENT idle;            /* no family is open, or about to be */
    NDIS_EVENT quiet;           /* no send is outstanding */
    PARAMETERS parameters;

    NDIS_SPIN_LOCK lock;        /* of all that follows, except `frames` */
    BOOLEAN running;            /* the binding may send: it is not paused */
    BOOLEAN busy;               /* the family is being opened, or the calls are under way */
    BOOLEAN closing;            /* no more calls; the family is closed once it is not busy */
    BOOLEAN notified;           /* NDIS waits to hear that the family is closed */
    BOOLEAN closed;             /* it is closed */
    ULONG call;                 /* the one that is under way, from 0 */
    ULONG redials;              /* of that call */
    BOOLEAN up, sent, lost;     /* it stands; its frames went out; it did not end well */
    ULONG sends, echoes;        /* sends outstanding; echoes that came */
    ULONG good, frames_sent, frames_echoed, compared, mismatches; /* the account, of all calls */

    UCHAR frames[FRAMES][1500]; /* whoever sends owns them: nobody while a send is outstanding */
} PORT;

/* The step that follows from the state. */
typedef enum { NOTHING, SEND, HANG_UP } STEP;

/* Lets the declaration of every handler be checked against its type. */
static DRIVER_UNLOAD unload;
static SET_OPTIONS set_options;
static PROTOCOL_BIND_ADAPTER_EX bind_adapter;
static PROTOCOL_OPEN_ADAPTER_COMPLETE_EX open_adapter_complete;
static PROTOCOL_UNBIND_ADAPTER_EX unbind_adapter;
static PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX close_adapter_complete;
static PROTOCOL_NET_PNP_EVENT net_pnp_event;
static PROTOCOL_CO_STATUS_EX co_status;
static PROTOCOL_CO_AF_REGISTER_NOTIFY af_register_notify;
static PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS receive;
static PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE send_complete;
static PROTOCOL_CL_OPEN_AF_COMPLETE_EX open_af_complete;
static PROTOCOL_CL_CLOSE_AF_COMPLETE close_af_complete;
static PROTOCOL_CL_NOTIFY_CLOSE_AF notify_close_af;
static PROTOCOL_CL_MAKE_CALL_COMPLETE make_call_complete;
static PROTOCOL_CL_CLOSE_CALL_COMPLETE close_call_complete;
static PROTOCOL_CL_INCOMING_CLOSE_CALL incoming_close_call;
static NDIS_TIMER_FUNCTION redial;

static void zero(void *memory, SIZE_T size)
{
    for (UCHAR *byte = memory; size != 0; size--)
        *byte++ = 0;
}

static NDIS_OBJECT_HEADER header(UCHAR type, UCHAR revision, SIZE_T size)
{
    const NDIS_OBJECT_HEADER header = { .Type = type, .Revision = revision, .Size = (USHORT)size };
    return header;
}

/* Byte `at` of a frame. */
static UCHAR pattern(ULONG call, ULONG index, ULONG at)
{
    if (at < 2)
        return (UCHAR)(at == 0 ? call : index);
    return (UCHAR)(at * 7 + (at >> 8) + index * 31 + call * 101);
}

static char *append(char *to, const char *text)
{
    while (*text != '\0')
        *to++ = *text++;
    *to = '\0';
    return to;
}

static char *append_number(char *to, ULONG number)
{
    char digits[10];
    ULONG count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count != 0)
        *to++ = digits[--count];
    *to = '\0';
    return to;
}

/* Prints the account. The text is the format, so it must not have a percent sign. */
static void report(const PORT *port)
{
    char text[160];
    char *to = append(text, "c-client: ");
    to = append(append_number(to, port->good), " of ");
    to = append(append_number(to, CALLS), " calls, ");
    to = append(append_number(to, port->frames_sent), " frames sent, ");
    to = append(append_number(to, port->frames_echoed), " echoed, ");
    to = append(append_number(to, port->compared), " bytes compared, ");
    append(append_number(to, port->mismatches), " mismatches\n");
    vDbgPrintEx(77, 3, text, NULL);
}

/* The family ------------------------------------------------------------------------------------ */

static void close_family(PORT *port)
{
    const NDIS_STATUS status = NdisClCloseAddressFamily(port->family);
    if (status != NDIS_STATUS_PENDING)
        close_af_complete(status, port);
}

static void NTAPI close_af_complete(NDIS_STATUS status, NDIS_HANDLE context)
{
    PORT *port = context;
    (void)status;

    NdisAcquireSpinLock(&port->lock);
    port->closed = TRUE;
    const BOOLEAN notified = port->notified;
    NdisReleaseSpinLock(&port->lock);

    if (notified)
        NdisClNotifyCloseAddressFamilyComplete(port->family, NDIS_STATUS_SUCCESS);
    NdisSetEvent(&port->idle);
}

/* No call will be placed any more. */
static void calls_over(PORT *port)
{
    report(port);

    NdisAcquireSpinLock(&port->lock);
    port->busy = FALSE;
    const BOOLEAN close = port->closing;
    NdisReleaseSpinLock(&port->lock);

    if (close)
        close_family(port);
}

/* Calls ------------------------------------------------------------------------------------------ */

static void dial(PORT *port)
{
    PARAMETERS *parameters = &port->parameters;
    zero(parameters, sizeof(*parameters));
    parameters->head.CallMgrParameters = &parameters->u.manager;
    parameters->head.MediaParameters = &parameters->media;
    parameters->u.manager.CallMgrSpecific.ParamType = ADDRESS_NUMBER;
    parameters->u.manager.CallMgrSpecific.Length = sizeof(ULONG);
    /* The number, least significant byte first; it reaches beyond the declared array of one. */
    UCHAR *number = parameters->u.room + offsetof(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific.Parameters);
    for (ULONG i = 0; i < sizeof(ULONG); i++)
        number[i] = (UCHAR)((ULONG)CALLEE >> 8 * i);

    /* The call may be answered before NdisClMakeCall returns: all is in place before it. */
    port->vc = NULL;
    NDIS_STATUS status = NdisCoCreateVc(port->binding, port->family, port, &port->vc);
    if (status == NDIS_STATUS_SUCCESS)
        status = NdisClMakeCall(port->vc, &parameters->head, NULL, NULL);
    if (status != NDIS_STATUS_PENDING)
        make_call_complete(status, port, NULL, &parameters->head);
}

/* The call is over, well or not, and its VC is gone. */
static void call_ended(PORT *port)
{
    NdisAcquireSpinLock(&port->lock);
    if (!port->lost && port->echoes == FRAMES)
        port->good++;
    port->call++;
    port->redials = 0;
    port->sent = port->lost = FALSE;
    port->echoes = 0;
    const BOOLEAN over = port->closing || port->call == CALLS;
    NdisReleaseSpinLock(&port->lock);

    if (over)
        calls_over(port);
    else
        dial(port);
}

/* Under the lock: decides what follows, and notes that it has been decided. */
static STEP next_step(PORT *port)
{
    if (!port->up || port->sends != 0)
        return NOTHING;
    if (port->lost || port->closing || port->echoes == FRAMES) {
        port->lost = port->lost || port->echoes != FRAMES;
        port->up = FALSE;
        return HANG_UP;
    }
    if (port->running && !port->sent) {
        port->sent = TRUE;
        port->sends = FRAMES;
        NdisResetEvent(&port->quiet);
        return SEND;
    }
    return NOTHING;
}

static void hang_up(PORT *port)
{
#ifdef BREAK_RULE
    /* Rule VC-23: a VC may be deleted only when it has no call. NDIS refuses, and nothing is lost. */
    NdisCoDeleteVc(port->vc);
#endif
    const NDIS_STATUS status = NdisClCloseCall(port->vc, NULL, NULL, 0);
    if (status != NDIS_STATUS_PENDING)
        close_call_complete(status, port, NULL);
}

static void free_lists(NET_BUFFER_LIST *list)
{
    while (list != NULL) {
        NET_BUFFER_LIST *next = NET_BUFFER_LIST_NEXT_NBL(list);
        NdisFreeMdl(NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(list)));
        NdisFreeNetBufferList(list);
        list = next;
    }
}

static NET_BUFFER_LIST *make_list(PORT *port, ULONG index)
{
    UCHAR *frame = port->frames[index];
    for (ULONG at = 0; at < lengths[index]; at++)
        frame[at] = pattern(port->call, index, at);
    MDL *mdl = NdisAllocateMdl(port->client->protocol, frame, lengths[index]);
    if (mdl == NULL)
        return NULL;
    NET_BUFFER_LIST *list =
        NdisAllocateNetBufferAndNetBufferList(port->lists, 0, 0, mdl, 0, lengths[index]);
    if (list == NULL) {
        NdisFreeMdl(mdl);
        return NULL;
    }
    list->SourceHandle = port->vc;
    return list;
}

static void take_step(PORT *port, STEP step);

/* Sends all frames of the call; `next_step` has counted them as outstanding. */
static void send_frames(PORT *port)
{
    NET_BUFFER_LIST *lists = NULL;
    for (ULONG index = FRAMES; index-- != 0;) {
        NET_BUFFER_LIST *list = make_list(port, index);
        if (list == NULL) {
            free_lists(lists);
            NdisAcquireSpinLock(&port->lock);
            port->lost = TRUE;
            port->sends = 0;
            NdisSetEvent(&port->quiet);
            const STEP step = next_step(port);
            NdisReleaseSpinLock(&port->lock);
            take_step(port, step);
            return;
        }
        NET_BUFFER_LIST_NEXT_NBL(list) = lists;
        lists = list;
    }
    NdisCoSendNetBufferLists(port->vc, lists, 0);
}

static void take_step(PORT *port, STEP step)
{
    if (step == SEND)
        send_frames(port);
    else if (step == HANG_UP)
        hang_up(port);
}

static void NTAPI make_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party,
                                     PCO_CALL_PARAMETERS parameters)
{
    PORT *port = context;
    (void)party;
    (void)parameters;

    if (status != NDIS_STATUS_SUCCESS && port->vc != NULL)
        NdisCoDeleteVc(port->vc);

    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN again = status == NDIS_STATUS_NO_ROUTE_TO_DESTINATION && !port->closing
        && port->redials < REDIALS;
    if (status == NDIS_STATUS_SUCCESS)
        port->up = TRUE;
    else if (again)
        port->redials++;
    else
        port->lost = TRUE;
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);

    if (status == NDIS_STATUS_SUCCESS) {
        take_step(port, step);
    } else if (again) {
        /* Who is called may not be listening yet. */
        const LARGE_INTEGER due = { .QuadPart = REDIAL_AFTER };
        NdisSetTimerObject(port->timer, due, 0, port);
    } else {
        call_ended(port);
    }
}

/* The timer is never cancelled: who closes waits for the calls to be over, a tenth of a second. */
static void NTAPI redial(PVOID unused1, PVOID context, PVOID unused2, PVOID unused3)
{
    PORT *port = context;
    (void)unused1;
    (void)unused2;
    (void)unused3;

    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN closing = port->closing;
    port->lost = closing;
    NdisReleaseSpinLock(&port->lock);

    if (closing)
        call_ended(port);
    else
        dial(port);
}

static void NTAPI close_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party)
{
    PORT *port = context;
    (void)status;
    (void)party;

    NdisCoDeleteVc(port->vc);
    call_ended(port);
}

/* The other end hung up. It is answered like our own decision: when no send is outstanding. */
static void NTAPI incoming_close_call(NDIS_STATUS status, NDIS_HANDLE context, PVOID data, UINT size)
{
    PORT *port = context;
    (void)status;
    (void)data;
    (void)size;

    NdisAcquireSpinLock(&port->lock);
    port->lost = port->echoes != FRAMES;
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);
    take_step(port, step);
}

/* Data ------------------------------------------------------------------------------------------- */

static void NTAPI send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags)
{
    PORT *port = context;
    ULONG count = 0, failed = 0;
    (void)flags;

    for (NET_BUFFER_LIST *list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
        count++;
        failed += NET_BUFFER_LIST_STATUS(list) != NDIS_STATUS_SUCCESS;
    }
    free_lists(lists);

    NdisAcquireSpinLock(&port->lock);
    port->frames_sent += count - failed;
    port->lost = port->lost || failed != 0;
    port->sends -= count;
    if (port->sends == 0)
        NdisSetEvent(&port->quiet);
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);
    take_step(port, step);
}

/* Is this the echo of a frame of the call? Adds the number of bytes that were looked at. */
static BOOLEAN is_echo(ULONG call, NET_BUFFER *buffer, ULONG *compared)
{
    const ULONG length = NET_BUFFER_DATA_LENGTH(buffer);
    UCHAR storage[2];
    const UCHAR *head = length < 2 ? NULL : NdisGetDataBuffer(buffer, 2, storage, 1, 0);
    if (head == NULL || head[1] >= FRAMES || length != lengths[head[1]])
        return FALSE;

    const ULONG index = head[1];
    ULONG at = 0, offset = NET_BUFFER_CURRENT_MDL_OFFSET(buffer);
    for (MDL *mdl = NET_BUFFER_CURRENT_MDL(buffer); at < length; mdl = mdl->Next, offset = 0) {
        const UCHAR *bytes =
            mdl == NULL ? NULL : MmGetSystemAddressForMdlSafe(mdl, LowPagePriority);
        if (bytes == NULL)
            return FALSE;
        for (; offset < MmGetMdlByteCount(mdl) && at < length; offset++, at++) {
            ++*compared;
            if (bytes[offset] != pattern(call, index, at))
                return FALSE;
        }
    }
    return TRUE;
}

static void NTAPI receive(NDIS_HANDLE context, NDIS_HANDLE vc_context, PNET_BUFFER_LIST lists,
                          ULONG number, ULONG flags)
{
    /* A call does not end before its lists are returned: until then `port` and `call` stay. */
    PORT *port = vc_context;
    ULONG echoes = 0, mismatches = 0, compared = 0;
    (void)context;
    (void)number;

    for (NET_BUFFER_LIST *list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
        NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(list);
        for (; buffer != NULL; buffer = NET_BUFFER_NEXT_NB(buffer)) {
            echoes++;
            mismatches += !is_echo(port->call, buffer, &compared);
        }
    }
    NdisAcquireSpinLock(&port->lock);
    port->echoes += echoes;
    port->frames_echoed += echoes;
    port->compared += compared;
    port->mismatches += mismatches;
    const NDIS_HANDLE binding = port->binding;
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);

    /* With this flag the lists go back by themselves when we return. */
    if (!(flags & NDIS_RECEIVE_FLAGS_RESOURCES))
        NdisReturnNetBufferLists(binding, lists,
                                 flags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL
                                     ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0);
    take_step(port, step);
}

/* Opening and closing the family ----------------------------------------------------------------- */

static void NTAPI af_register_notify(NDIS_HANDLE context, PCO_ADDRESS_FAMILY family)
{
    PORT *port = context;
    if ((ULONG)family->AddressFamily != FAMILY || family->MajorVersion != 1 || family->MinorVersion != 0)
        return;

    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN ours = !port->busy && !port->closing && port->family == NULL;
    if (ours) {
        port->busy = TRUE;
        NdisResetEvent(&port->idle);
    }
    NdisReleaseSpinLock(&port->lock);
    if (!ours)
        return;

    const NDIS_STATUS status = NdisClOpenAddressFamilyEx(port->binding, family, port, &port->family);
    if (status != NDIS_STATUS_PENDING)
        open_af_complete(port, port->family, status);
}

static void NTAPI open_af_complete(NDIS_HANDLE context, NDIS_HANDLE family, NDIS_STATUS status)
{
    PORT *port = context;
    const BOOLEAN open = status == NDIS_STATUS_SUCCESS;

    NdisAcquireSpinLock(&port->lock);
    port->family = open ? family : NULL;
    port->busy = open;
    const BOOLEAN closing = port->closing;
    if (!open)
        NdisSetEvent(&port->idle);
    NdisReleaseSpinLock(&port->lock);

    if (open && closing)
        calls_over(port);
    else if (open)
        dial(port);
}

/* Has the family closed when nothing needs it any more; answers whether it is closed already. */
static BOOLEAN request_close(PORT *port, BOOLEAN notified)
{
    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN closed = port->closed;
    const BOOLEAN close = !port->closing && !port->busy && port->family != NULL;
    port->notified = port->notified || notified;
    port->closing = TRUE;
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);

    if (close)
        close_family(port);
    else
        take_step(port, step);
    return closed;
}

static NDIS_STATUS NTAPI notify_close_af(NDIS_HANDLE context)
{
    return request_close(context, TRUE) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PENDING;
}

/* The binding ------------------------------------------------------------------------------------ */

static void free_port(PORT *port)
{
    if (port->timer != NULL)
        NdisFreeTimerObject(port->timer);
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
    NdisAllocateSpinLock(&port->lock);
    NdisInitializeEvent(&port->idle);
    NdisSetEvent(&port->idle);
    NdisInitializeEvent(&port->quiet);
    NdisSetEvent(&port->quiet);

    NET_BUFFER_LIST_POOL_PARAMETERS pool = {
        .Header = header(NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1),
        .fAllocateNetBuffer = TRUE,
        .PoolTag = TAG,
    };
    NDIS_TIMER_CHARACTERISTICS timer = {
        .Header = header(NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
                         NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                         NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1),
        .AllocationTag = TAG,
        .TimerFunction = redial,
        .FunctionContext = port,
    };
    port->lists = NdisAllocateNetBufferListPool(client->protocol, &pool);
    if (port->lists == NULL
        || NdisAllocateTimerObject(client->protocol, &timer, &port->timer) != NDIS_STATUS_SUCCESS) {
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
    port->open.Header = header(NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
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
    (void)unbind;

    request_close(port, FALSE);
    NdisWaitEvent(&port->idle, 0);

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
    port->running = code == NetEventRestart;
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);

    take_step(port, step);
    if (code == NetEventPause)
        NdisWaitEvent(&port->quiet, 0);
    return NDIS_STATUS_SUCCESS;
}

/* Handlers that a client must have and that this one has no use for ------------------------------ */

static void NTAPI co_status(NDIS_HANDLE binding, NDIS_HANDLE vc, PNDIS_STATUS_INDICATION status)
{
    (void)binding, (void)vc, (void)status;
}

static NDIS_STATUS NTAPI create_vc(NDIS_HANDLE af, NDIS_HANDLE vc, PNDIS_HANDLE context)
{
    (void)af, (void)vc, (void)context;
    return NDIS_STATUS_NOT_SUPPORTED;
}

static NDIS_STATUS NTAPI delete_vc(NDIS_HANDLE vc)
{
    (void)vc;
    return NDIS_STATUS_NOT_SUPPORTED;
}

static NDIS_STATUS NTAPI oid_request(NDIS_HANDLE af, NDIS_HANDLE vc, NDIS_HANDLE party,
                                     PNDIS_OID_REQUEST request)
{
    (void)af, (void)vc, (void)party, (void)request;
    return NDIS_STATUS_NOT_SUPPORTED;
}

static void NTAPI oid_request_complete(NDIS_HANDLE af, NDIS_HANDLE vc, NDIS_HANDLE party,
                                       PNDIS_OID_REQUEST request, NDIS_STATUS status)
{
    (void)af, (void)vc, (void)party, (void)request, (void)status;
}

static void NTAPI register_sap_complete(NDIS_STATUS status, NDIS_HANDLE context, PCO_SAP sap,
                                        NDIS_HANDLE handle)
{
    (void)status, (void)context, (void)sap, (void)handle;
}

static void NTAPI completed(NDIS_STATUS status, NDIS_HANDLE context)
{
    (void)status, (void)context;
}

static void NTAPI modify_qos_complete(NDIS_STATUS status, NDIS_HANDLE vc,
                                      PCO_CALL_PARAMETERS parameters)
{
    (void)status, (void)vc, (void)parameters;
}

static void NTAPI add_party_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE handle,
                                     PCO_CALL_PARAMETERS parameters)
{
    (void)status, (void)context, (void)handle, (void)parameters;
}

static NDIS_STATUS NTAPI incoming_call(NDIS_HANDLE sap, NDIS_HANDLE vc,
                                       PCO_CALL_PARAMETERS parameters)
{
    (void)sap, (void)vc, (void)parameters;
    return NDIS_STATUS_NOT_SUPPORTED;
}

static void NTAPI incoming_qos_change(NDIS_HANDLE vc, PCO_CALL_PARAMETERS parameters)
{
    (void)vc, (void)parameters;
}

static void NTAPI incoming_drop_party(NDIS_STATUS status, NDIS_HANDLE context, PVOID data, UINT size)
{
    (void)status, (void)context, (void)data, (void)size;
}

static void NTAPI call_connected(NDIS_HANDLE vc)
{
    (void)vc;
}

/* The driver ------------------------------------------------------------------------------------- */

static NDIS_STATUS NTAPI set_options(NDIS_HANDLE driver, NDIS_HANDLE context)
{
    CLIENT *client = context;
    /* Adapters may be bound before the registration has returned this handle. */
    client->protocol = driver;

    NDIS_PROTOCOL_CO_CHARACTERISTICS protocol = {
        .Header = header(NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
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

    NDIS_CO_CLIENT_OPTIONAL_HANDLERS handlers = {
        .Header = header(NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
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
    const CLIENT *client = IoGetDriverObjectExtension(driver, (PVOID)&lengths);
    NdisDeregisterProtocolDriver(client->protocol);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    static WCHAR name[] = u"C-CLIENT";
    PVOID extension;
    (void)registry_path;

    /* Any address of the driver's own can name the extension. */
    NTSTATUS status =
        IoAllocateDriverObjectExtension(driver, (PVOID)&lengths, sizeof(CLIENT), &extension);
    if (!NT_SUCCESS(status))
        return status;
    zero(extension, sizeof(CLIENT));
    driver->DriverUnload = unload;

    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS characteristics = {
        .Header = header(NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
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
    return NdisRegisterProtocolDriver(extension, &characteristics,
                                      &((CLIENT *)extension)->protocol);
}
