/*
 * What the parts of the client share: the state of a binding, and the handlers.
 *
 * A binding goes through its life once:
 *
 *     bind -> family offered -> family open -> [ VC -> call -> frames, echoes -> hang up ] x 2
 *          -> line printed -> family closed (when NDIS asks, or at the unbind) -> unbind
 *
 * NDIS calls in on any processor, at DISPATCH_LEVEL too, and from inside of the calls that this
 * driver makes. So whoever changes the state does it under the port's lock, decides there what
 * follows, and does that after releasing the lock (`go_on`). Each step follows from one change
 * only, so exactly one processor takes it. Who has no step to take must not touch the port again:
 * another processor may be taking the last ones, at whose end the port is freed.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <condis.h>

#define CALLS 2
#define FRAMES 4             /* of a call */
#define MAX_FRAME 1500

/* What the driver has one of. It lives in an extension of the driver object. */
typedef struct WATCH WATCH;

typedef struct {
    NDIS_HANDLE protocol;
    WATCH *watch;
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

typedef struct PORT PORT;

/* One call; the context of its VC. It outlives the VC: a late callback finds the right call. */
typedef struct {
    PORT *port;
    ULONG index;                /* from 0 */
    NDIS_HANDLE vc;
    PARAMETERS parameters;

    /* Under the port's lock. */
    ULONG redials;
    BOOLEAN up, sent, lost;     /* it stands; its frames went out; it did not go well */
    ULONG sends, echoes;        /* sends outstanding; echoes that came */

    UCHAR frames[FRAMES][MAX_FRAME]; /* NDIS's while a send is outstanding */
} CALL;

struct PORT {
    CLIENT *client;
    NDIS_HANDLE bind, binding, family, lists, redial_timer, start_timer;
    NDIS_MEDIUM medium;         /* these three are NDIS's until the adapter is open */
    UINT medium_index;
    NDIS_OPEN_PARAMETERS open;
    NDIS_EVENT idle;            /* no family is open, or about to be */
    NDIS_EVENT quiet;           /* no send is outstanding, and `start_timer` is not set */

    NDIS_SPIN_LOCK lock;        /* of all that follows */
    BOOLEAN starting, running;  /* the binding is about to be started; it may send */
    BOOLEAN busy;               /* the family is being opened, or the calls are under way */
    BOOLEAN closing;            /* no more calls; the family is closed once it is not busy */
    BOOLEAN notified;           /* NDIS waits to hear that the family is closed */
    BOOLEAN closed;             /* it is closed */
    ULONG call;                 /* the index of the one that is under way; CALLS after the last */
    ULONG good, frames_sent, frames_echoed, compared, mismatches; /* the account, of all calls */
    CALL calls[CALLS];
};

/* client.c: the family, the calls, the data. */
PROTOCOL_CO_AF_REGISTER_NOTIFY af_register_notify;
PROTOCOL_CL_OPEN_AF_COMPLETE_EX open_af_complete;
PROTOCOL_CL_NOTIFY_CLOSE_AF notify_close_af;
PROTOCOL_CL_CLOSE_AF_COMPLETE close_af_complete;
PROTOCOL_CL_MAKE_CALL_COMPLETE make_call_complete;
PROTOCOL_CL_INCOMING_CLOSE_CALL incoming_close_call;
PROTOCOL_CL_CLOSE_CALL_COMPLETE close_call_complete;
PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE send_complete;
PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS receive;
NDIS_TIMER_FUNCTION redial, start;

/* watch.c: a system thread. After the start its driver must not be unloaded without the stop. */
NTSTATUS start_watch(CLIENT *client, PDRIVER_OBJECT driver);
void stop_watch(CLIENT *client);

/* Of the kernel, and not in condis.h. */
#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#define THREAD_ALL_ACCESS 0x1FFFFFu
#define SYNCHRONIZE 0x100000u
#define POOL_FLAG_NON_PAGED 0x40u
CONDIS_IMPORT extern POBJECT_TYPE PsThreadType;
CONDIS_IMPORT PVOID NTAPI ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag);
CONDIS_IMPORT LONG_PTR NTAPI ObfDereferenceObject(PVOID object);
CONDIS_IMPORT void NTAPI KeInitializeDpc(KDPC *dpc, PKDEFERRED_ROUTINE routine, PVOID context);
CONDIS_IMPORT BOOLEAN NTAPI KeInsertQueueDpc(KDPC *dpc, PVOID argument1, PVOID argument2);
CONDIS_IMPORT void NTAPI KeInitializeTimerEx(KTIMER *timer, LONG type);
CONDIS_IMPORT BOOLEAN NTAPI KeSetTimerEx(KTIMER *timer, LARGE_INTEGER due, LONG period, KDPC *dpc);
CONDIS_IMPORT BOOLEAN NTAPI KeCancelTimer(KTIMER *timer);

/* Called under the lock, which it releases: decides what follows, and does it. */
void go_on(PORT *port);

/* Has the family closed when nothing needs it any more; answers whether it is closed already. */
BOOLEAN request_close(PORT *port, BOOLEAN notified);

#endif
