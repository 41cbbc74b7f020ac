/*
 * What the parts of the call manager share.
 *
 * NDIS asks for something (open a family, make a call, send) and takes the answer in one of two
 * ways: the handler's return value, or STATUS_PENDING and a completion later. Both are right, and a
 * client has to live with both. With -DPEND every request that may pend does: it becomes a REQUEST,
 * and the adapter's thread (worker.c) answers it. Without, each is answered on the spot, unless what
 * it needs takes its time: an activation that NDIS pends, lists that a client has not returned.
 *
 * The lock of an adapter guards all that changes in it and in what hangs on it. Nothing of NDIS's
 * is called under it.
 */
#ifndef MCM_H
#define MCM_H

#include <condis.h>

/* What a header of the kernel has and <condis.h> has not. */
#define POOL_FLAG_NON_PAGED 0x40u
#define IO_NO_INCREMENT 0
CONDIS_IMPORT PVOID NTAPI ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag);
CONDIS_IMPORT PLIST_ENTRY NTAPI ExInterlockedInsertTailList(
    PLIST_ENTRY head,
    PLIST_ENTRY entry,
    PKSPIN_LOCK lock);
CONDIS_IMPORT PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY head, PKSPIN_LOCK lock);
CONDIS_IMPORT LONG_PTR NTAPI ObfDereferenceObject(PVOID object);
#define ObDereferenceObject ObfDereferenceObject
static inline void InitializeListHead(PLIST_ENTRY head)
{
    head->Flink = head->Blink = head;
}

#define TAG 0x6D4D4343u        /* "CCMm" */
#define FAMILY_NUMBER 0x4C6F6F70 /* of examples/loopback-mcm, in version 1.0 */

typedef struct REQUEST REQUEST;
typedef void ANSWER(REQUEST *request);

/* Something that NDIS waits for. It is the first member of what it is about. */
struct REQUEST {
    LIST_ENTRY link;
    ANSWER *answer;            /* does it and completes it; the request may be gone afterwards */
};

typedef struct {
    REQUEST request;           /* of a pause or a restart */
    NDIS_HANDLE handle, lists;
    CO_ADDRESS_FAMILY offer;   /* no page says whether NDIS copies it: it stays */

#ifdef PEND
    PVOID worker;              /* the thread's object */
    KEVENT work;               /* a request was put into the list, or the adapter goes */
    LIST_ENTRY requests;
    KSPIN_LOCK requests_lock;  /* of `requests`, and of nothing else */
    volatile BOOLEAN going;
#endif

    NDIS_SPIN_LOCK lock;       /* of all that follows, and of the states of families and VCs */
    LIST_ENTRY families;       /* the open ones */
    KEVENT closed;             /* there is none */
    BOOLEAN running;
    BOOLEAN pausing;           /* NDIS waits for `busy` to be 0 */
    ULONG busy;                /* batches of sends on their way, and lists that clients have */
} ADAPTER;

typedef struct {
    REQUEST request;
    LIST_ENTRY link;           /* of the adapter's families */
    ADAPTER *adapter;
    NDIS_HANDLE handle;
    BOOLEAN notified;          /* NDIS was told that the adapter goes */
    BOOLEAN held, close;       /* its handle is being used; it is to be closed afterwards */
} FAMILY;

typedef struct {
    REQUEST request;
    ADAPTER *adapter;
    NDIS_HANDLE handle;
} SAP;

/* An activation or deactivation: NDIS's function returns, and its callback may come, in any order,
   or may not come at all. */
typedef struct {
    BOOLEAN waiting;           /* the function returned PENDING: the callback goes on */
    BOOLEAN called;            /* the callback came before the return */
    NDIS_STATUS status;        /* and said this */
} STEP;

typedef struct {
    REQUEST request;
    ADAPTER *adapter;
    NDIS_HANDLE handle;
    PCO_CALL_PARAMETERS parameters; /* of the call that is being made */
    STEP activation, deactivation;
    ULONG out;                 /* lists that the client has not returned */
    BOOLEAN closing;           /* the call is closed once there are none */
} VC;

/* calls.c: families, SAPs, calls. */
PROTOCOL_CM_OPEN_AF open_af;
PROTOCOL_CM_CLOSE_AF close_af;
PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE notify_close_af_complete;
PROTOCOL_CM_REG_SAP register_sap;
PROTOCOL_CM_DEREGISTER_SAP deregister_sap;
PROTOCOL_CO_CREATE_VC create_vc;
PROTOCOL_CO_DELETE_VC delete_vc;
PROTOCOL_CM_MAKE_CALL make_call;
PROTOCOL_CM_CLOSE_CALL close_call;
PROTOCOL_CM_ACTIVATE_VC_COMPLETE activate_vc_complete;
PROTOCOL_CM_DEACTIVATE_VC_COMPLETE deactivate_vc_complete;

/* Asks the clients to close their families, and waits until they have. */
void close_families(ADAPTER *adapter);

/* Ends the call on a VC whose last list has come back. */
void go_on_closing(VC *vc);

/* data.c: what is sent comes back. */
MINIPORT_CO_SEND_NET_BUFFER_LISTS send_lists;
MINIPORT_RETURN_NET_BUFFER_LISTS return_lists;
MINIPORT_PAUSE pause_adapter;
MINIPORT_RESTART restart_adapter;

/* worker.c */
NDIS_STATUS start_worker(ADAPTER *adapter);
void stop_worker(ADAPTER *adapter);
void later(ADAPTER *adapter, REQUEST *request, ANSWER *answer);

static inline void add_link(LIST_ENTRY *list, LIST_ENTRY *entry)
{
    entry->Flink = list->Flink;
    entry->Blink = list;
    list->Flink->Blink = entry;
    list->Flink = entry;
}

static inline void remove_link(LIST_ENTRY *entry)
{
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
}

static inline PVOID allocate(SIZE_T size)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
}

#endif
