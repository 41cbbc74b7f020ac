/*
 * Data: each packet that is sent is copied, and indicated on the same VC. The send is completed
 * after that: until then the client may not close its call, so the VC stays.
 */
#include "mcm.h"

/* A packet on its way to the client; the list leads to it by its first reserved pointer. */
typedef struct {
    VC *vc;
    UCHAR bytes[];
} PACKET;

#ifdef PEND
/* Lists that are to be sent. */
typedef struct {
    REQUEST request;
    VC *vc;
    PNET_BUFFER_LIST lists;
    ULONG flags;
} BATCH;
#endif

/* Something that a pause waits for is over. */
static void less_busy(ADAPTER *adapter)
{
    NdisAcquireSpinLock(&adapter->lock);
    const BOOLEAN paused = --adapter->busy == 0 && adapter->pausing;
    if (paused)
        adapter->pausing = FALSE;
    NdisReleaseSpinLock(&adapter->lock);
    if (paused)
        NdisMPauseComplete(adapter->handle);
}

static void free_list(PNET_BUFFER_LIST list)
{
    PACKET *packet = list->MiniportReserved[0];
    NdisFreeMdl(NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(list)));
    NdisFreeNetBufferList(list);
    ExFreePoolWithTag(packet, TAG);
}

/* A copy of a packet, as a list of its own. */
static PNET_BUFFER_LIST copy(VC *vc, PNET_BUFFER buffer)
{
    const ULONG length = NET_BUFFER_DATA_LENGTH(buffer);
    if (length == 0)
        return NULL;
    PACKET *packet = allocate(sizeof(PACKET) + length);
    if (packet == NULL)
        return NULL;
    packet->vc = vc;
    const UCHAR *bytes = NdisGetDataBuffer(buffer, length, packet->bytes, 1, 0);
    if (bytes != NULL && bytes != packet->bytes)
        for (ULONG at = 0; at < length; at++)
            packet->bytes[at] = bytes[at];
    MDL *mdl = bytes == NULL
        ? NULL : NdisAllocateMdl(vc->adapter->handle, packet->bytes, length);
    PNET_BUFFER_LIST list = mdl == NULL
        ? NULL : NdisAllocateNetBufferAndNetBufferList(vc->adapter->lists, 0, 0, mdl, 0, length);
    if (list == NULL) {
        if (mdl != NULL)
            NdisFreeMdl(mdl);
        ExFreePoolWithTag(packet, TAG);
        return NULL;
    }
    list->SourceHandle = vc->handle;
    list->MiniportReserved[0] = packet;
    return list;
}

/* Sends back what is in the lists, and completes them. */
static void echo(VC *vc, PNET_BUFFER_LIST lists, ULONG flags)
{
    ADAPTER *adapter = vc->adapter;
    PNET_BUFFER_LIST first = NULL, *end = &first;
    ULONG count = 0;
    for (PNET_BUFFER_LIST list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
        NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SUCCESS;
        for (PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer != NULL;
             buffer = NET_BUFFER_NEXT_NB(buffer)) {
            PNET_BUFFER_LIST made = copy(vc, buffer);
            if (made == NULL) {
                NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_RESOURCES;
                continue;
            }
            *end = made;
            end = &NET_BUFFER_LIST_NEXT_NBL(made);
            count++;
        }
    }
    *end = NULL;
    if (count != 0) {
        NdisAcquireSpinLock(&adapter->lock);
        vc->out += count;
        adapter->busy += count;
        NdisReleaseSpinLock(&adapter->lock);
        NdisMCoIndicateReceiveNetBufferLists(
            vc->handle, first, count,
            flags & NDIS_SEND_FLAGS_DISPATCH_LEVEL ? NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL : 0);
    }
    /* From here on the client may close the call: the VC is not touched any more. */
    NdisMCoSendNetBufferListsComplete(
        vc->handle, lists,
        flags & NDIS_SEND_FLAGS_DISPATCH_LEVEL ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
    less_busy(adapter);
}

#ifdef PEND
static void send_later(REQUEST *request)
{
    BATCH *batch = (BATCH *)request;
    VC *vc = batch->vc;
    PNET_BUFFER_LIST lists = batch->lists;
    ExFreePoolWithTag(batch, TAG);
    /* The thread is at PASSIVE_LEVEL, wherever the send came from. */
    echo(vc, lists, 0);
}
#endif

void NTAPI send_lists(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags)
{
    VC *vc = context;
    ADAPTER *adapter = vc->adapter;
    NdisAcquireSpinLock(&adapter->lock);
    const BOOLEAN running = adapter->running;
    if (running)
        adapter->busy++;
    NdisReleaseSpinLock(&adapter->lock);

    if (!running) {
        for (PNET_BUFFER_LIST list = lists; list != NULL; list = NET_BUFFER_LIST_NEXT_NBL(list))
            NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_PAUSED;
        NdisMCoSendNetBufferListsComplete(
            vc->handle, lists,
            flags & NDIS_SEND_FLAGS_DISPATCH_LEVEL ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
        return;
    }
#ifdef PEND
    BATCH *batch = allocate(sizeof(BATCH));
    if (batch != NULL) {
        batch->vc = vc;
        batch->lists = lists;
        batch->flags = flags;
        later(adapter, &batch->request, send_later);
        return;
    }
#endif
    echo(vc, lists, flags);
}

void NTAPI return_lists(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags)
{
    ADAPTER *adapter = context;
    (void)flags;
    while (lists != NULL) {
        PNET_BUFFER_LIST list = lists;
        lists = NET_BUFFER_LIST_NEXT_NBL(list);
        VC *vc = ((PACKET *)list->MiniportReserved[0])->vc;
        free_list(list);

        NdisAcquireSpinLock(&adapter->lock);
        const BOOLEAN close = --vc->out == 0 && vc->closing;
        if (close)
            vc->closing = FALSE;
        NdisReleaseSpinLock(&adapter->lock);
        if (close)
            go_on_closing(vc);
        less_busy(adapter);
    }
}

/* Pause and restart. */

static NDIS_STATUS do_pause(ADAPTER *adapter)
{
    NdisAcquireSpinLock(&adapter->lock);
    adapter->pausing = adapter->busy != 0;
    const BOOLEAN wait = adapter->pausing;
    NdisReleaseSpinLock(&adapter->lock);
    return wait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
}

#ifdef PEND
static void pause_later(REQUEST *request)
{
    ADAPTER *adapter = (ADAPTER *)request;
    if (do_pause(adapter) != NDIS_STATUS_PENDING)
        NdisMPauseComplete(adapter->handle);
}

static void restart_later(REQUEST *request)
{
    ADAPTER *adapter = (ADAPTER *)request;
    NdisMRestartComplete(adapter->handle, NDIS_STATUS_SUCCESS);
}
#endif

NDIS_STATUS NTAPI pause_adapter(NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS parameters)
{
    ADAPTER *adapter = context;
    (void)parameters;
    NdisAcquireSpinLock(&adapter->lock);
    adapter->running = FALSE;
    NdisReleaseSpinLock(&adapter->lock);
#ifdef PEND
    later(adapter, &adapter->request, pause_later);
    return NDIS_STATUS_PENDING;
#else
    return do_pause(adapter);
#endif
}

NDIS_STATUS NTAPI restart_adapter(NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS parameters)
{
    ADAPTER *adapter = context;
    (void)parameters;
    NdisAcquireSpinLock(&adapter->lock);
    adapter->running = TRUE;
    NdisReleaseSpinLock(&adapter->lock);
#ifdef PEND
    later(adapter, &adapter->request, restart_later);
    return NDIS_STATUS_PENDING;
#else
    return NDIS_STATUS_SUCCESS;
#endif
}
