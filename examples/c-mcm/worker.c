/*
 * The thread that answers what was pended. It belongs to an adapter and ends with it.
 */
#include "mcm.h"

#ifdef PEND

#define THREAD_ALL_ACCESS 0x1FFFFFu

void later(ADAPTER *adapter, REQUEST *request, ANSWER *answer)
{
    request->answer = answer;
    ExInterlockedInsertTailList(&adapter->requests, &request->link, &adapter->requests_lock);
    KeSetEvent(&adapter->work, IO_NO_INCREMENT, FALSE);
}

static KSTART_ROUTINE run;

static void NTAPI run(PVOID context)
{
    ADAPTER *adapter = context;
    BOOLEAN going;
    do {
        KeWaitForSingleObject(&adapter->work, Executive, KernelMode, FALSE, NULL);
        going = adapter->going;
        REQUEST *request;
        while ((request = (REQUEST *)ExInterlockedRemoveHeadList(&adapter->requests,
                                                                 &adapter->requests_lock)) != NULL)
            request->answer(request);
    } while (!going);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NDIS_STATUS start_worker(ADAPTER *adapter)
{
    HANDLE thread;
    KeInitializeEvent(&adapter->work, SynchronizationEvent, FALSE);
    InitializeListHead(&adapter->requests);
    const NTSTATUS status =
        PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, adapter);
    if (!NT_SUCCESS(status))
        return NDIS_STATUS_RESOURCES;
    ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, NULL, KernelMode, &adapter->worker, NULL);
    ZwClose(thread);
    return NDIS_STATUS_SUCCESS;
}

void stop_worker(ADAPTER *adapter)
{
    adapter->going = TRUE;
    KeSetEvent(&adapter->work, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(adapter->worker, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(adapter->worker);
}

#else

NDIS_STATUS start_worker(ADAPTER *adapter)
{
    (void)adapter;
    return NDIS_STATUS_SUCCESS;
}

void stop_worker(ADAPTER *adapter)
{
    (void)adapter;
}

#endif
