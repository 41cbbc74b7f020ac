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

/* Not in condis.h yet. The last parameter is a va_list, which is a pointer in every Windows ABI. */
CONDIS_IMPORT ULONG NTAPI vDbgPrintEx(ULONG component, ULONG level, const char *format,
                                      char *arguments);

#define FAMILY 0x4C6F6F70u         /* of the switch, in version 1.0 */
#define ADDRESS_NUMBER 1           /* the type of a number in the switch's family */
#define CALLEE 7                   /* the number that is called */
#define CALLS 2
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
    vDbgPrintEx(77, 3, text, NULL);
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

static void dial(PORT *port)
{
    PARAMETERS *parameters = &port->parameters;
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
    /* Breaks rule VC-23: only a VC without a call may be deleted. NDIS refuses it, no more. */
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
            go_on(port);
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

void go_on(PORT *port)
{
    const STEP step = next_step(port);
    NdisReleaseSpinLock(&port->lock);
    take_step(port, step);
}

void NTAPI make_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party,
                                     PCO_CALL_PARAMETERS parameters)
{
    PORT *port = context;
    if (status != NDIS_STATUS_SUCCESS && port->vc != NULL)
        NdisCoDeleteVc(port->vc);

    NdisAcquireSpinLock(&port->lock);
    if (status == NDIS_STATUS_SUCCESS) {
        port->up = TRUE;
        go_on(port);
        return;
    }
    const BOOLEAN again = status == NDIS_STATUS_NO_ROUTE_TO_DESTINATION && !port->closing
        && port->redials < REDIALS;
    if (again)
        port->redials++;
    else
        port->lost = TRUE;
    NdisReleaseSpinLock(&port->lock);

    if (again) {
        /* Who is called may not be listening yet. */
        const LARGE_INTEGER due = { .QuadPart = REDIAL_AFTER };
        NdisSetTimerObject(port->redial_timer, due, 0, port);
    } else {
        call_ended(port);
    }
}

/* The timer is never cancelled: who closes waits for the calls to be over, a tenth of a second. */
void NTAPI redial(PVOID unused1, PVOID context, PVOID unused2, PVOID unused3)
{
    PORT *port = context;
    NdisAcquireSpinLock(&port->lock);
    const BOOLEAN closing = port->closing;
    port->lost = closing;
    NdisReleaseSpinLock(&port->lock);

    if (closing)
        call_ended(port);
    else
        dial(port);
}

void NTAPI close_call_complete(NDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE party)
{
    PORT *port = context;
    NdisCoDeleteVc(port->vc);
    call_ended(port);
}

/* The binding was restarted a moment ago: what waited for that goes out. */
void NTAPI start(PVOID unused1, PVOID context, PVOID unused2, PVOID unused3)
{
    PORT *port = context;

    NdisAcquireSpinLock(&port->lock);
    port->running = port->starting;
    port->starting = FALSE;
    if (port->sends == 0)
        NdisSetEvent(&port->quiet);
    go_on(port);
}

/* The other end hung up. It is answered like our own decision: when no send is outstanding. */
void NTAPI incoming_close_call(NDIS_STATUS status, NDIS_HANDLE context, PVOID data,
                               UINT size)
{
    PORT *port = context;
    NdisAcquireSpinLock(&port->lock);
    port->lost = port->echoes != FRAMES;
    go_on(port);
}

/* Data. */

void NTAPI send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags)
{
    PORT *port = context;
    ULONG count = 0, failed = 0;

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
    /* A call does not end before its lists are returned: until then `port` and `call` stay. */
    PORT *port = vc_context;
    ULONG echoes = 0, mismatches = 0, compared = 0;

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
        dial(port);
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
