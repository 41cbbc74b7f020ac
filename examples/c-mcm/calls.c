/*
 * The call manager: families, SAPs, VCs, calls. One number is connected: whoever calls it hears
 * himself. So no call is ever offered to a client; SAPs are taken all the same.
 *
 * Each request has a function that does it and gives the status, and an ANSWER that also completes
 * it, for when it was pended.
 */
#include "mcm.h"

#define ADDRESS_NUMBER 1          /* the type of a number in that family */
#define ECHO 7                    /* the number that echoes */

/* Families. */

static void add_family(FAMILY *family)
{
    ADAPTER *adapter = family->adapter;
    NdisAcquireSpinLock(&adapter->lock);
    add_link(&adapter->families, &family->link);
    KeClearEvent(&adapter->closed);
    NdisReleaseSpinLock(&adapter->lock);
}

#ifdef PEND
static void open_later(REQUEST *request)
{
    FAMILY *family = (FAMILY *)request;
    /* The client may close it before this returns. */
    NdisMCmOpenAddressFamilyComplete(NDIS_STATUS_SUCCESS, family->handle, family);
}
#endif

NDIS_STATUS NTAPI open_af(NDIS_HANDLE context, PCO_ADDRESS_FAMILY address_family,
                          NDIS_HANDLE handle, PNDIS_HANDLE af_context)
{
    ADAPTER *adapter = context;
    if ((ULONG)address_family->AddressFamily != (ULONG)FAMILY_NUMBER)
        return NDIS_STATUS_BAD_VERSION;
    FAMILY *family = allocate(sizeof(FAMILY));
    if (family == NULL)
        return NDIS_STATUS_RESOURCES;
    family->adapter = adapter;
    family->handle = handle;
    add_family(family);
#ifdef PEND
    later(adapter, &family->request, open_later);
    return NDIS_STATUS_PENDING;
#else
    *af_context = family;
    return NDIS_STATUS_SUCCESS;
#endif
}

static void remove_family(FAMILY *family)
{
    ADAPTER *adapter = family->adapter;
    ExFreePoolWithTag(family, TAG);
    /* The last one lets the halt go on, which frees the adapter: nobody touches it afterwards. */
    NdisAcquireSpinLock(&adapter->lock);
    if (adapter->families.Flink == &adapter->families)
        KeSetEvent(&adapter->closed, IO_NO_INCREMENT, FALSE);
    NdisReleaseSpinLock(&adapter->lock);
}

static void finish_close(REQUEST *request)
{
    FAMILY *family = (FAMILY *)request;
    const NDIS_HANDLE handle = family->handle;
    NdisMCmCloseAddressFamilyComplete(NDIS_STATUS_SUCCESS, handle);
    remove_family(family);
}

/* Answers whether the family can be closed now; if not, whoever holds it does it. */
static BOOLEAN leave_list(FAMILY *family)
{
    ADAPTER *adapter = family->adapter;
    NdisAcquireSpinLock(&adapter->lock);
    remove_link(&family->link);
    const BOOLEAN held = family->held;
    family->close = held;
    NdisReleaseSpinLock(&adapter->lock);
    return !held;
}

NDIS_STATUS NTAPI close_af(NDIS_HANDLE context)
{
    FAMILY *family = context;
    if (!leave_list(family))
        return NDIS_STATUS_PENDING;
#ifdef PEND
    later(family->adapter, &family->request, finish_close);
    return NDIS_STATUS_PENDING;
#else
    remove_family(family);
    return NDIS_STATUS_SUCCESS;
#endif
}

void NTAPI notify_close_af_complete(NDIS_HANDLE context, NDIS_STATUS status)
{
    /* The client closes it, or has: that is what is waited for. */
    (void)context;
    (void)status;
}

/* A family that was not told yet; its handle is good until `held` is taken back. */
static FAMILY *next_family(ADAPTER *adapter)
{
    FAMILY *found = NULL;
    NdisAcquireSpinLock(&adapter->lock);
    for (LIST_ENTRY *link = adapter->families.Flink; link != &adapter->families;
         link = link->Flink) {
        FAMILY *family = (FAMILY *)((UCHAR *)link - offsetof(FAMILY, link));
        if (!family->notified) {
            family->notified = family->held = TRUE;
            found = family;
            break;
        }
    }
    NdisReleaseSpinLock(&adapter->lock);
    return found;
}

void close_families(ADAPTER *adapter)
{
    FAMILY *family;
    while ((family = next_family(adapter)) != NULL) {
        NdisMCmNotifyCloseAddressFamily(family->handle);
        NdisAcquireSpinLock(&adapter->lock);
        family->held = FALSE;
        const BOOLEAN close = family->close;
        NdisReleaseSpinLock(&adapter->lock);
        if (close)
            finish_close(&family->request);
    }
    KeWaitForSingleObject(&adapter->closed, Executive, KernelMode, FALSE, NULL);
    /* Whoever set the event has released the lock when this has taken it. */
    NdisAcquireSpinLock(&adapter->lock);
    NdisReleaseSpinLock(&adapter->lock);
}

/* SAPs. */

#ifdef PEND
static void register_later(REQUEST *request)
{
    SAP *sap = (SAP *)request;
    NdisMCmRegisterSapComplete(NDIS_STATUS_SUCCESS, sap->handle, sap);
}

static void deregister_later(REQUEST *request)
{
    SAP *sap = (SAP *)request;
    const NDIS_HANDLE handle = sap->handle;
    ExFreePoolWithTag(sap, TAG);
    NdisMCmDeregisterSapComplete(NDIS_STATUS_SUCCESS, handle);
}
#endif

NDIS_STATUS NTAPI register_sap(NDIS_HANDLE context, PCO_SAP co_sap, NDIS_HANDLE handle,
                               PNDIS_HANDLE sap_context)
{
    const FAMILY *family = context;
    if (co_sap->SapType != ADDRESS_NUMBER)
        return NDIS_STATUS_INVALID_DATA;
    SAP *sap = allocate(sizeof(SAP));
    if (sap == NULL)
        return NDIS_STATUS_RESOURCES;
    sap->adapter = family->adapter;
    sap->handle = handle;
#ifdef PEND
    later(sap->adapter, &sap->request, register_later);
    return NDIS_STATUS_PENDING;
#else
    *sap_context = sap;
    return NDIS_STATUS_SUCCESS;
#endif
}

NDIS_STATUS NTAPI deregister_sap(NDIS_HANDLE context)
{
    SAP *sap = context;
#ifdef PEND
    later(sap->adapter, &sap->request, deregister_later);
    return NDIS_STATUS_PENDING;
#else
    ExFreePoolWithTag(sap, TAG);
    return NDIS_STATUS_SUCCESS;
#endif
}

/* VCs. These two requests may not pend. */

NDIS_STATUS NTAPI create_vc(NDIS_HANDLE context, NDIS_HANDLE handle, PNDIS_HANDLE vc_context)
{
    const FAMILY *family = context;
    VC *vc = allocate(sizeof(VC));
    if (vc == NULL)
        return NDIS_STATUS_RESOURCES;
    vc->adapter = family->adapter;
    vc->handle = handle;
    *vc_context = vc;
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI delete_vc(NDIS_HANDLE context)
{
    ExFreePoolWithTag(context, TAG);
    return NDIS_STATUS_SUCCESS;
}

/* NDIS's function for a step has returned; PENDING when the callback is still to come. */
static NDIS_STATUS returned(VC *vc, STEP *step, NDIS_STATUS status)
{
    if (status != NDIS_STATUS_PENDING)
        return status;
    NdisAcquireSpinLock(&vc->adapter->lock);
    if (step->called)
        status = step->status;
    else
        step->waiting = TRUE;
    NdisReleaseSpinLock(&vc->adapter->lock);
    return status;
}

/* The callback of a step; answers whether it is the one to go on. */
static BOOLEAN called(VC *vc, STEP *step, NDIS_STATUS status)
{
    NdisAcquireSpinLock(&vc->adapter->lock);
    const BOOLEAN waiting = step->waiting;
    step->waiting = FALSE;
    step->called = TRUE;
    step->status = status;
    NdisReleaseSpinLock(&vc->adapter->lock);
    return waiting;
}

/* Calls. */

/* The number in call parameters, if it is one. */
static BOOLEAN is_echo(PCO_CALL_PARAMETERS parameters)
{
    if (parameters->CallMgrParameters == NULL)
        return FALSE;
    const CO_SPECIFIC_PARAMETERS *specific = &parameters->CallMgrParameters->CallMgrSpecific;
    if (specific->ParamType != ADDRESS_NUMBER || specific->Length < sizeof(ULONG))
        return FALSE;
    const UCHAR *bytes = (const UCHAR *)specific + offsetof(CO_SPECIFIC_PARAMETERS, Parameters);
    return bytes[0] == ECHO && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 0;
}

static NDIS_STATUS do_call(VC *vc)
{
    if (!is_echo(vc->parameters))
        return NDIS_STATUS_NO_ROUTE_TO_DESTINATION;
    vc->activation = (STEP){ 0 };
    return returned(vc, &vc->activation, NdisMCmActivateVc(vc->handle, vc->parameters));
}

static void call_done(VC *vc, NDIS_STATUS status)
{
    NdisMCmMakeCallComplete(status, vc->handle, NULL, NULL, vc->parameters);
}

#ifdef PEND
static void call_later(REQUEST *request)
{
    VC *vc = (VC *)request;
    const NDIS_STATUS status = do_call(vc);
    if (status != NDIS_STATUS_PENDING)
        call_done(vc, status);
}
#endif

NDIS_STATUS NTAPI make_call(NDIS_HANDLE context, PCO_CALL_PARAMETERS parameters, NDIS_HANDLE party,
                            PNDIS_HANDLE party_context)
{
    VC *vc = context;
    (void)party_context;
    if (party != NULL)
        return NDIS_STATUS_NOT_SUPPORTED;
    vc->parameters = parameters;
#ifdef PEND
    later(vc->adapter, &vc->request, call_later);
    return NDIS_STATUS_PENDING;
#else
    return do_call(vc);
#endif
}

void NTAPI activate_vc_complete(NDIS_STATUS status, NDIS_HANDLE context,
                                PCO_CALL_PARAMETERS parameters)
{
    VC *vc = context;
    (void)parameters;
    if (called(vc, &vc->activation, status))
        call_done(vc, status);
}

static NDIS_STATUS do_close(VC *vc)
{
    vc->deactivation = (STEP){ 0 };
    return returned(vc, &vc->deactivation, NdisMCmDeactivateVc(vc->handle));
}

static void close_done(VC *vc)
{
    NdisMCmCloseCallComplete(NDIS_STATUS_SUCCESS, vc->handle, NULL);
}

/* Closes the call, if no list of it is with the client; whoever brings the last one does it. */
static NDIS_STATUS try_close(VC *vc)
{
    NdisAcquireSpinLock(&vc->adapter->lock);
    vc->closing = vc->out != 0;
    const BOOLEAN wait = vc->closing;
    NdisReleaseSpinLock(&vc->adapter->lock);
    return wait ? NDIS_STATUS_PENDING : do_close(vc);
}

static void close_later(REQUEST *request)
{
    VC *vc = (VC *)request;
    if (try_close(vc) != NDIS_STATUS_PENDING)
        close_done(vc);
}

void go_on_closing(VC *vc)
{
    close_later(&vc->request);
}

NDIS_STATUS NTAPI close_call(NDIS_HANDLE context, NDIS_HANDLE party_context, PVOID data, UINT size)
{
    VC *vc = context;
    (void)party_context;
    (void)data;
    (void)size;
#ifdef PEND
    later(vc->adapter, &vc->request, close_later);
    return NDIS_STATUS_PENDING;
#else
    const NDIS_STATUS status = try_close(vc);
    return status == NDIS_STATUS_PENDING ? status : NDIS_STATUS_SUCCESS;
#endif
}

void NTAPI deactivate_vc_complete(NDIS_STATUS status, NDIS_HANDLE context)
{
    VC *vc = context;
    if (called(vc, &vc->deactivation, status))
        close_done(vc);
}
