/*
 * What the client asks of the kernel itself: a system thread that looks, from time to time, whether
 * the driver's clock still ticks. The clock is a timer of the kernel's, whose DPC counts; at each
 * look the thread has another DPC take the count over. After the last look the thread only waits
 * for the driver to be unloaded.
 *
 * The thread runs the driver's code, so the driver must not go before it: `stop_watch` waits for
 * the thread's object. All that the timer, the DPCs and the thread use goes after that.
 */
#include "client.h"

#define TAG 0x68637457u                 /* "Wtch" */
#define TICK_MS 4
#define LOOKS 8
#define LOOK_AFTER (-10 * 10000LL)      /* 10 ms, in units of 100 ns; negative is relative */
#define PATIENCE (-50 * 10000LL)

struct WATCH {
    KEVENT stop;
    KTIMER clock;
    KDPC tick, take;
    PVOID thread;               /* its object, with a reference */

    KSPIN_LOCK lock;            /* of all that follows */
    ULONG ticks, taken, looks;
};

static void NTAPI tick(KDPC *dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    WATCH *watch = context;
    KeAcquireSpinLockAtDpcLevel(&watch->lock);
    watch->ticks++;
    KeReleaseSpinLockFromDpcLevel(&watch->lock);
}

/* Ticks are taken over by a DPC, so that no thread holds the clock up. */
static void NTAPI take(KDPC *dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    WATCH *watch = context;
    KeAcquireSpinLockAtDpcLevel(&watch->lock);
    watch->taken += watch->ticks;
    watch->ticks = 0;
    KeReleaseSpinLockFromDpcLevel(&watch->lock);
}

/* Looks once; answers whether that was the last time. */
static BOOLEAN look(WATCH *watch)
{
    KeInsertQueueDpc(&watch->take, NULL, NULL);

    /* The kernel of x64 exports both halves; elsewhere the level goes with the lock. */
#if defined(__x86_64__) || defined(_M_X64)
    const KIRQL irql = KeRaiseIrqlToDpcLevel();
    KeAcquireSpinLockAtDpcLevel(&watch->lock);
#else
    const KIRQL irql = KeAcquireSpinLockRaiseToDpc(&watch->lock);
#endif
    const BOOLEAN last = ++watch->looks == LOOKS;
#if defined(__x86_64__) || defined(_M_X64)
    KeReleaseSpinLockFromDpcLevel(&watch->lock);
    KeLowerIrql(irql);
#else
    KeReleaseSpinLock(&watch->lock, irql);
#endif
    return last;
}

static void NTAPI watch_clock(PVOID context)
{
    WATCH *watch = context;
    LARGE_INTEGER soon = { .QuadPart = LOOK_AFTER };
    const LARGE_INTEGER first = { .QuadPart = -TICK_MS * 10000LL };
    BOOLEAN last = FALSE;
    KeSetTimerEx(&watch->clock, first, TICK_MS, &watch->tick);
    while (!last && KeWaitForSingleObject(&watch->stop, Executive, KernelMode, FALSE, &soon)
                        == STATUS_TIMEOUT)
        last = look(watch);

    KeCancelTimer(&watch->clock);
    KeWaitForSingleObject(&watch->stop, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS start_watch(CLIENT *client, PDRIVER_OBJECT driver)
{
    HANDLE handle;
    WATCH *watch = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(WATCH), TAG);
    if (watch == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeEvent(&watch->stop, NotificationEvent, FALSE);
    KeInitializeTimerEx(&watch->clock, NotificationEvent);
    KeInitializeDpc(&watch->tick, tick, watch);
    KeInitializeDpc(&watch->take, take, watch);
    watch->lock = 0;

    NTSTATUS status =
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, watch_clock, watch);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(watch, TAG);
        return status;
    }
    client->watch = watch;
    status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, PsThreadType, KernelMode,
                                       &watch->thread, NULL);
    ZwClose(handle);
    /* Without the object nobody can wait for the thread: the driver stays for good. */
    if (!NT_SUCCESS(status))
        driver->DriverUnload = NULL;
    return STATUS_SUCCESS;
}

void stop_watch(CLIENT *client)
{
    WATCH *watch = client->watch;
    LARGE_INTEGER patience = { .QuadPart = PATIENCE };
    KeSetEvent(&watch->stop, 0, FALSE);
    while (KeWaitForSingleObject(watch->thread, Executive, KernelMode, FALSE, &patience)
           == STATUS_TIMEOUT)
        continue;
    ObfDereferenceObject(watch->thread);

    /* The thread has cancelled the clock; a DPC may still be in the queue. */
    KeFlushQueuedDpcs();
    ExFreePoolWithTag(watch, TAG);
}
