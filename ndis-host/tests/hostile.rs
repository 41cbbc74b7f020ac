//! Handles of every wrong sort given to every function that takes one: each is
//! refused and named, none does harm, and what was up stays up.

use crate::common;

use common::{Bench, Twist, zeroed};
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::Ordering::SeqCst;

/// A function that takes a handle, called with the given one.
type Abuse = fn(NDIS_HANDLE);

macro_rules! abuses {
    ($($name:ident($handle:ident) $body:expr;)+) => {
        &[$((stringify!($name), |$handle| {
            // SAFETY: a handle may be anything; the other arguments are valid.
            let _ = unsafe { $body };
        })),+]
    };
}

/// Storage for whatever a function writes.
fn slot() -> *mut NDIS_HANDLE {
    Box::leak(Box::new(null_mut()))
}

fn params() -> *mut n::CO_CALL_PARAMETERS {
    Box::leak(Box::new(zeroed()))
}

/// A request in which nothing is wrong.
fn request() -> *mut n::NDIS_OID_REQUEST {
    let mut request: n::NDIS_OID_REQUEST = zeroed();
    request.Header = common::header(
        n::NDIS_OBJECT_TYPE_OID_REQUEST,
        1,
        n::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
    );
    Box::leak(Box::new(request))
}

const NULL: NDIS_HANDLE = null_mut();

const ABUSES: &[(&str, Abuse)] = abuses! {
    NdisMSetMiniportAttributes(h) n::NdisMSetMiniportAttributes(h, Box::leak(Box::new(zeroed())));
    NdisMPauseComplete(h) n::NdisMPauseComplete(h);
    NdisMRestartComplete(h) n::NdisMRestartComplete(h, 0);
    NdisMDeregisterMiniportDriver(h) n::NdisMDeregisterMiniportDriver(h);
    NdisOpenAdapterEx(h) n::NdisOpenAdapterEx(h, NULL, Box::leak(Box::new(zeroed())), h, slot());
    NdisCloseAdapterEx(h) n::NdisCloseAdapterEx(h);
    NdisUnbindAdapter(h) n::NdisUnbindAdapter(h);
    NdisCompleteBindAdapterEx(h) n::NdisCompleteBindAdapterEx(h, 0);
    NdisCompleteUnbindAdapterEx(h) n::NdisCompleteUnbindAdapterEx(h);
    NdisCompleteNetPnPEvent(h) n::NdisCompleteNetPnPEvent(h, null_mut(), 0);
    NdisMCmRegisterAddressFamilyEx(h)
        n::NdisMCmRegisterAddressFamilyEx(h, Box::leak(Box::new(zeroed())));
    NdisCmRegisterAddressFamilyEx(h)
        n::NdisCmRegisterAddressFamilyEx(h, Box::leak(Box::new(zeroed())));
    NdisClOpenAddressFamilyEx(h)
        n::NdisClOpenAddressFamilyEx(h, Box::leak(Box::new(zeroed())), NULL, slot());
    NdisCmOpenAddressFamilyComplete(h) n::NdisCmOpenAddressFamilyComplete(0, h, NULL);
    NdisClCloseAddressFamily(h) n::NdisClCloseAddressFamily(h);
    NdisCmCloseAddressFamilyComplete(h) n::NdisCmCloseAddressFamilyComplete(0, h);
    NdisCmNotifyCloseAddressFamily(h) n::NdisCmNotifyCloseAddressFamily(h);
    NdisClNotifyCloseAddressFamilyComplete(h) n::NdisClNotifyCloseAddressFamilyComplete(h, 0);
    NdisClRegisterSap(h) n::NdisClRegisterSap(h, NULL, Box::leak(Box::new(zeroed())), slot());
    NdisCmRegisterSapComplete(h) n::NdisCmRegisterSapComplete(0, h, NULL);
    NdisClDeregisterSap(h) n::NdisClDeregisterSap(h);
    NdisCmDeregisterSapComplete(h) n::NdisCmDeregisterSapComplete(0, h);
    NdisCoCreateVc(h) n::NdisCoCreateVc(h, h, NULL, slot());
    NdisCoDeleteVc(h) n::NdisCoDeleteVc(h);
    NdisMCmCreateVc(h) n::NdisMCmCreateVc(h, h, NULL, slot());
    NdisMCmDeleteVc(h) n::NdisMCmDeleteVc(h);
    NdisMCmActivateVc(h) n::NdisMCmActivateVc(h, params());
    NdisMCmDeactivateVc(h) n::NdisMCmDeactivateVc(h);
    NdisCmActivateVc(h) n::NdisCmActivateVc(h, params());
    NdisCmDeactivateVc(h) n::NdisCmDeactivateVc(h);
    NdisMCoActivateVcComplete(h) n::NdisMCoActivateVcComplete(0, h, params());
    NdisMCoDeactivateVcComplete(h) n::NdisMCoDeactivateVcComplete(0, h);
    NdisClMakeCall(h) n::NdisClMakeCall(h, params(), NULL, null_mut());
    NdisCmMakeCallComplete(h) n::NdisCmMakeCallComplete(0, h, h, NULL, params());
    NdisClCloseCall(h) n::NdisClCloseCall(h, NULL, null_mut(), 0);
    NdisCmCloseCallComplete(h) n::NdisCmCloseCallComplete(0, h, NULL);
    NdisCmDispatchIncomingCall(h) n::NdisCmDispatchIncomingCall(h, h, params());
    NdisClIncomingCallComplete(h) n::NdisClIncomingCallComplete(0, h, params());
    NdisCmDispatchCallConnected(h) n::NdisCmDispatchCallConnected(h);
    NdisCmDispatchIncomingCloseCall(h) n::NdisCmDispatchIncomingCloseCall(0, h, null_mut(), 0);
    NdisCoSendNetBufferLists(h) n::NdisCoSendNetBufferLists(h, without_provenance_mut(0x40), 0);
    NdisMCoSendNetBufferListsComplete(h)
        n::NdisMCoSendNetBufferListsComplete(h, without_provenance_mut(0x40), 0);
    NdisMCoIndicateReceiveNetBufferLists(h)
        n::NdisMCoIndicateReceiveNetBufferLists(h, without_provenance_mut(0x40), 1, 0);
    NdisReturnNetBufferLists(h) n::NdisReturnNetBufferLists(h, without_provenance_mut(0x40), 0);
    NdisCancelSendNetBufferLists(h) n::NdisCancelSendNetBufferLists(h, null_mut());
    NdisAllocateNetBufferList(h) n::NdisAllocateNetBufferList(h, 0, 0);
    NdisAllocateNetBuffer(h) n::NdisAllocateNetBuffer(h, null_mut(), 0, 0);
    NdisFreeNetBufferListPool(h) n::NdisFreeNetBufferListPool(h);
    NdisFreeNetBufferPool(h) n::NdisFreeNetBufferPool(h);
    NdisFreeNetBufferList(h) n::NdisFreeNetBufferList(h.cast());
    NdisFreeNetBuffer(h) n::NdisFreeNetBuffer(h.cast());
    NdisGetDataBuffer(h) n::NdisGetDataBuffer(h.cast(), 1, null_mut(), 1, 0);
    NdisFreeMdl(h) n::NdisFreeMdl(h.cast());
    NdisQueueIoWorkItem(h) n::NdisQueueIoWorkItem(h, None, null_mut());
    NdisFreeIoWorkItem(h) n::NdisFreeIoWorkItem(h);
    NdisSetTimerObject(h)
        n::NdisSetTimerObject(h, n::LARGE_INTEGER { QuadPart: -1 }, 0, null_mut());
    NdisCancelTimerObject(h) n::NdisCancelTimerObject(h);
    NdisFreeTimerObject(h) n::NdisFreeTimerObject(h);
    NdisCoOidRequest(h) n::NdisCoOidRequest(h, h, h, h, request());
    NdisMCmOidRequest(h) n::NdisMCmOidRequest(h, h, h, request());
    NdisOidRequest(h) n::NdisOidRequest(h, request());
    NdisCancelOidRequest(h) n::NdisCancelOidRequest(h, null_mut());
    NdisCoOidRequestComplete(h) n::NdisCoOidRequestComplete(h, h, h, request(), 0);
    NdisMCoOidRequestComplete(h) n::NdisMCoOidRequestComplete(h, h, request(), 0);
    NdisMOidRequestComplete(h) n::NdisMOidRequestComplete(h, request(), 0);
    NdisMCoIndicateStatusEx(h)
        n::NdisMCoIndicateStatusEx(h, h, Box::leak(Box::new(zeroed())));
    NdisMIndicateStatusEx(h) n::NdisMIndicateStatusEx(h, Box::leak(Box::new(zeroed())));
    NdisSetOptionalHandlers(h) n::NdisSetOptionalHandlers(h, Box::leak(Box::new(zeroed())));
    NdisDeregisterProtocolDriver(h) n::NdisDeregisterProtocolDriver(h);
};

#[test]
#[cfg_attr(miri, ignore = "the storage for results is leaked on purpose")]
fn no_handle_of_the_wrong_sort_does_harm() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let live = bench.a.shared.vc.load(SeqCst);
    // A handle of a VC that is gone, and ones that never were.
    let stale = {
        let other = Bench::new(Twist::None, Twist::None);
        let adapter = other.up();
        other.spawn("caller", |a| a.call());
        let stale = other.a.shared.vc.load(SeqCst);
        other.host.remove_adapter(&adapter);
        assert!(other.down().is_clean());
        stale
    };
    let wrong: Vec<usize> = vec![
        stale.addr(),
        1,
        0xFFFF_FFFF,
        usize::MAX,
        live.addr() ^ (1 << 20), // another generation
        live.addr() ^ (3 << 36), // another kind
        live.addr() | 0xF_FFFF,  // no such slot
        0xC5 << 56,
        &raw const live as usize, // a pointer
        0,
    ];
    let before = bench.host.report().violations.len();
    bench.host.spawn("hostile", move || {
        for (name, abuse) in ABUSES {
            for handle in &wrong {
                // NULL is an honest "none" for a few of them.
                if *handle == 0 && (name.contains("Queue") || name.contains("Free")) {
                    continue;
                }
                abuse(without_provenance_mut(*handle));
            }
        }
    });
    bench.host.run();
    let report = bench.host.report();
    assert!(
        report.violations.len() - before >= ABUSES.len() * 8,
        "{} of {}",
        report.violations.len() - before,
        ABUSES.len() * 10
    );
    // The call is still up and carries data.
    bench.spawn("caller", |a| {
        a.send();
        a.hang_up();
    });
    assert_eq!(bench.b.shared.received.load(SeqCst), 1);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.objects_left.is_empty(), "{report}");
}
