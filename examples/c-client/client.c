/*
 * A CoNDIS client in C: it places two calls through the switch of examples/loopback-mcm, one after
 * the other, sends four frames on each, compares every echo byte by byte, and says in one line how
 * it went. It is built against condis.h, which is generated from the Rust crate ndis-sys.
 *
 * This is the connection-oriented half; driver.c has what every protocol driver has. client.h says
 * how the state is kept. Every NDIS function that may pend is answered in one place: its completion
 * handler, which is called here when the answer comes at once, and by NDIS when it does not.
 */
#include "client.h"

#define FAMILY 0x4C6F6F70u         /* of the switch, in version 1.0 */
#define ADDRESS_NUMBER 1           /* the type of a number in the switch's family */
#define CALLEE 7                   /* the number that is called */
#define REDIALS 50
#define REDIAL_AFTER (-100 * 10000LL) /* 100 ms, in units of 100 ns; negative is relative */

/* How long each frame of a call is. The first two bytes say which frame it is. */
static const USHORT lengths[FRAMES] = { 2, 60, 577, 1500 };

/* The step that follows from the state. */
typedef enum { NOTHING, SEND, HANG_UP } STEP;

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
    vDbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, text, NULL);
}

/* The family. */

static void close_family(PORT *port)
{
    const NDIS_STATUS status = NdisClCloseAddressFamily(port->family);
    if (status != NDIS_STATUS_PENDING)
        close_af_complete(status, port);
}

void NTAPI close_af_complete(NDIS_STATUS status, NDIS_HANDLE context)
{
    PORT *port = context;
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

/* Calls. */

static void dial(CALL *call)
{
    PORT *port = call->port;
    PARAMETERS *parameters = &call->parameters;
    *parameters = (PARAMETERS){
        .head = { .CallMgrParameters = &parameters->u.manager,
                  .MediaParameters = &parameters->media },
        .u.manager.CallMgrSpecific = { .ParamType = ADDRESS_NUMBER, .Length = sizeof(ULONG) },
    };
    /* The number, least significant byte first; it reaches beyond the declared array of one. */
    UCHAR *number =
        parameters->u.room + offsetof(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific.Parameters);
    for (ULONG i = 0; i < sizeof(ULONG); i++)
        number[i] = (UCHAR)((ULONG)CALLEE >> 8 * i);

    /* The call may be answered before NdisClMakeCall returns: all is in place before it. */
    call->vc = NULL;
    NDIS_STATUS status = NdisCoCreateVc(port->binding, port->family, call, &call->vc);
    if (status == NDIS_STATUS_SUCCESS)
        status = NdisClMakeCall(call->vc, &parameters->head, NULL, NULL);
    if (status != NDIS_STATUS_PENDING)
        make_call_complete(status, call, NULL, &parameters->head);
}

/* The call is over, well or not, and its VC is gone. */
static void call_ended(CALL *call)
{
    PORT *port = call->port;
    NdisAcquireSpinLock(&port->lock);
    port->good += !call->lost;
    port->call++;
    const BOOLEAN over = port->closing || port->call == CALLS;
    NdisReleaseSpinLock(&port->lock);

    if (over)
        calls_over(port);
    else
        dial(call + 1);
}

/* Under the lock: decides what follows for the call, and notes that it has been decided. */
static STEP next_step(PORT *port, CALL *call)
{
    if (!call->up || call->sends != 0)
        return NOTHING;
    if (call->lost || port->closing || call->echoes == FRAMES) {
        call->lost = call->lost || call->echoes != FRAMES;
        call->up = FALSE;
        return HANG_UP;
    }
    if (port->running && !call->sent) {
        call->sent = TRUE;
        call->sends = FRAMES;
        NdisResetEvent(&port->quiet);
        return SEND;
    }
    return NOTHING;
}

static void hang_up(CALL *call)
{
#ifdef BREAK_RULE
    /* Breaks rule VC-23: only a VC without a call may be deleted. NDIS refuses it, no more. */
    NdisCoDeleteVc(call->vc);
#endif
    const NDIS_STATUS status = NdisClCloseCall(call->vc, NULL, NULL, 0);
    if (status != NDIS_STATUS_PENDING)
        close_call_complete(status, call, NULL);
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

static NET_BUFFER_LIST *make_list(CALL *call, ULONG index)
{
    PORT *port = call->port;
    UCHAR *frame = call->frames[index];
    for (ULONG at = 0; at < lengths[index]; at++)
        frame[at] = pattern(call->index, index, at);
    MDL *mdl = NdisAllocateMdl(port->client->protocol, frame, lengths[index]);
    if (mdl == NULL)
        return NULL;
    NET_BUFFER_LIST *list =
        NdisAllocateNetBufferAndNetBufferList(port->lists, 0, 0, mdl, 0, lengths[index]);
    if (list == NULL) {
        NdisFreeMdl(mdl);
        return NULL;
    }
    list->SourceHandle = call->vc;
    return list;
}

/* Sends all frames of the call; `next_step` has counted them as outstanding. */
static void send_frames(CALL *call)
{
    PORT *port = call->port;
    NET_BUFFER_LIST *lists = NULL;
    for (ULONG index = FRAMES; index-- != 0;) {
        NET_BUFFER_LIST *list = make_list(call, index);
        if (list == NULL) {
            free_lists(lists);
            NdisAcquireSpinLock(&port->lock);
            call->lost = TRUE;
            call->sends = 0;
            NdisSetEvent(&port->quiet);
            go_on(port);
            return;
        }
        NET_BUFFER_LIST_NEXT_NBL(list) = lists;
        lists = list;
    }
    NdisCoSendNetBufferLists(call->vc, lists, 0);
}

static void take_step(CALL *call, STEP step)
{
    if (step == SEND)
        send_frames(call);
    else if (step == HANG_UP)
        hang_up(call);
}

void go_on(PORT *port)
{
    CALL *call = &port->calls[port->call];
    const STEP step = port->call == CALLS ? NOTHING : next_step(port, call);
    NdisReleaseSpinLock(&port->lock);
    take_step(call, step);
}

void NTAPI make_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party,
                              PCO_CALL_PARAMETERS parameters)
{
    CALL *call = context;
    PORT *port = call->port;
    if (status != NDIS_STATUS_SUCCESS && call->vc != NULL)
        NdisCoDeleteVc(call->vc);

    NdisAcquireSpinLock(&port->lock);
    if (status == NDIS_STATUS_SUCCESS) {
        call->up = TRUE;
        go_on(port);
        return;
    }
    /* Nobody is there yet, or the adapter does not run yet. */
    const BOOLEAN later
        = status == NDIS_STATUS_NO_ROUTE_TO_DESTINATION || status == NDIS_STATUS_NOT_ACCEPTED;
    const BOOLEAN again = later && !port->closing && call->redials++ < REDIALS;
    call->lost = !again;
    NdisReleaseSpinLock(&port->lock);

    if (again) {
        /* Who is called may not be listening yet. */
        const LARGE_INTEGER due = { .QuadPart = REDIAL_AFTER };
        NdisSetTimerObject(port->redial_timer, due, 0, call);
    } else {
        call_ended(call);
    }
}

/* The timer is never cancelled: who closes waits for the calls to be over, a tenth of a second. */
void NTAPI redial(PVOID unused1, PVOID context, PVOID unused2, PVOID unused3)
{
    CALL *call = context;
    PORT *port = call->port;
    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN closing = port->closing;
    call->lost = closing;
    NdisReleaseSpinLock(&port->lock);

    if (closing)
        call_ended(call);
    else
        dial(call);
}

void NTAPI close_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party)
{
    CALL *call = context;
    NdisCoDeleteVc(call->vc);
    call_ended(call);
}

/* The other end hung up. It is answered like our own decision: when no send is outstanding. */
void NTAPI incoming_close_call(NDIS_STATUS status, NDIS_HANDLE context, PVOID data, UINT size)
{
    CALL *call = context;
    PORT *port = call->port;
    NdisAcquireSpinLock(&port->lock);
    call->lost = call->lost || call->echoes != FRAMES;
    go_on(port);
}

/* The binding was restarted a moment ago: what waited for that goes out. */
void NTAPI start(PVOID unused1, PVOID context, PVOID unused2, PVOID unused3)
{
    PORT *port = context;
    NdisAcquireSpinLock(&port->lock);
    port->running = port->starting;
    port->starting = FALSE;
    if (port->call == CALLS || port->calls[port->call].sends == 0)
        NdisSetEvent(&port->quiet);
    go_on(port);
}

/* Data. */

void NTAPI send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags)
{
    CALL *call = context;
    PORT *port = call->port;
    ULONG count = 0, failed = 0;
    for (NET_BUFFER_LIST *list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
        count++;
        failed += NET_BUFFER_LIST_STATUS(list) != NDIS_STATUS_SUCCESS;
    }
    free_lists(lists);

    NdisAcquireSpinLock(&port->lock);
    port->frames_sent += count - failed;
    call->lost = call->lost || failed != 0;
    call->sends -= count;
    if (call->sends == 0)
        NdisSetEvent(&port->quiet);
    go_on(port);
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

void NTAPI receive(NDIS_HANDLE context, NDIS_HANDLE vc_context, PNET_BUFFER_LIST lists,
                   ULONG number, ULONG flags)
{
    CALL *call = vc_context;
    PORT *port = call->port;
    const NDIS_HANDLE binding = port->binding;
    ULONG echoes = 0, mismatches = 0, compared = 0;
    for (NET_BUFFER_LIST *list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
        NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(list);
        for (; buffer != NULL; buffer = NET_BUFFER_NEXT_NB(buffer)) {
            echoes++;
            mismatches += !is_echo(call->index, buffer, &compared);
        }
    }

    NdisAcquireSpinLock(&port->lock);
    call->echoes += echoes;
    port->frames_echoed += echoes;
    port->compared += compared;
    port->mismatches += mismatches;
    const STEP step = port->call == call->index ? next_step(port, call) : NOTHING;
    NdisReleaseSpinLock(&port->lock);

    /* The lists go back before anything follows. With this flag they do when we return. */
    if (!(flags & NDIS_RECEIVE_FLAGS_RESOURCES))
        NdisReturnNetBufferLists(binding, lists,
                                 flags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL
                                     ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL : 0);
    take_step(call, step);
}

/* Opening and closing the family. */

void NTAPI af_register_notify(NDIS_HANDLE context, PCO_ADDRESS_FAMILY family)
{
    PORT *port = context;
    if ((ULONG)family->AddressFamily != FAMILY || family->MajorVersion != 1
        || family->MinorVersion != 0)
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

    const NDIS_STATUS status =
        NdisClOpenAddressFamilyEx(port->binding, family, port, &port->family);
    if (status != NDIS_STATUS_PENDING)
        open_af_complete(port, port->family, status);
}

void NTAPI open_af_complete(NDIS_HANDLE context, NDIS_HANDLE family, NDIS_STATUS status)
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
        dial(&port->calls[0]);
}

BOOLEAN request_close(PORT *port, BOOLEAN notified)
{
    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN closed = port->closed;
    const BOOLEAN close = !port->closing && !port->busy && port->family != NULL;
    port->notified = port->notified || notified;
    port->closing = TRUE;
    if (close) {
        NdisReleaseSpinLock(&port->lock);
        close_family(port);
    } else {
        go_on(port);
    }
    return closed;
}

NDIS_STATUS NTAPI notify_close_af(NDIS_HANDLE context)
{
    return request_close(context, TRUE) ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PENDING;
}
