//! Call parameters and SAPs of the family that NDPROXY speaks, and what a test gets wrong in them.

use super::{TAG, Twist, zeroed};
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, CO_SAP};

/// Parameters with all their parts in one block.
#[repr(C)]
struct Whole {
    parameters: CO_CALL_PARAMETERS,
    manager: n::CO_CALL_MANAGER_PARAMETERS,
    media: n::CO_MEDIA_PARAMETERS,
    incoming: n::CO_AF_TAPI_INCOMING_CALL_PARAMETERS,
}

/// Whether a call manager with this twist is one for NDPROXY.
pub fn is_proxys(twist: Twist) -> bool {
    matches!(
        twist,
        Twist::Proxy
            | Twist::ProxyAsAsked
            | Twist::ProxyWithoutFlag
            | Twist::ProxyWithoutSpeed
            | Twist::ProxyWithoutParameters
            | Twist::ProxyOffersNothing
            | Twist::ProxyOffersFlags
    )
}

fn flow(peak: u32, sdu: u32) -> n::FLOWSPEC {
    let mut flow: n::FLOWSPEC = zeroed();
    flow.PeakBandwidth = peak;
    flow.MaxSduSize = sdu;
    flow
}

/// In pool memory, freed as one.
pub fn parameters() -> *mut CO_CALL_PARAMETERS {
    let size = size_of::<Whole>();
    // SAFETY: plain pool memory.
    let block: *mut Whole =
        unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast();
    let mut whole: Whole = zeroed();
    // SAFETY: a place in the block.
    whole.parameters.CallMgrParameters = unsafe { &raw mut (*block).manager };
    // SAFETY: as above.
    whole.parameters.MediaParameters = unsafe { &raw mut (*block).media };
    // What NDPROXY passes is wrong.
    whole.manager.Transmit = flow(0, 7);
    whole.manager.Receive = flow(0, 7);
    // SAFETY: as large as that.
    unsafe { block.write(whole) };
    block.cast()
}

/// What the call manager offers.
pub fn offer(twist: Twist) -> *mut CO_CALL_PARAMETERS {
    let block: *mut Whole = parameters().cast();
    // SAFETY: made above.
    let whole = unsafe { &mut *block };
    whole.manager.Transmit = flow(8000, 1500);
    whole.manager.Receive = flow(8000, 1500);
    // The structure lies over the specific part's bytes, as pages have it.
    let incoming = size_of::<n::CO_AF_TAPI_INCOMING_CALL_PARAMETERS>();
    whole.media.MediaSpecific.Length = if twist == Twist::ProxyOffersNothing {
        0
    } else {
        incoming as u32
    };
    let flags = match twist {
        Twist::ProxyOffersFlags => n::CO_TAPI_FLAG_OUTGOING_CALL,
        _ => n::CO_TAPI_FLAG_INCOMING_CALL,
    };
    let at = std::mem::offset_of!(Whole, media)
        + std::mem::offset_of!(n::CO_MEDIA_PARAMETERS, MediaSpecific)
        + std::mem::offset_of!(n::CO_SPECIFIC_PARAMETERS, Parameters)
        + std::mem::offset_of!(n::CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
    // SAFETY: within the block: the member behind has room for all of the structure.
    unsafe { block.byte_add(at).cast::<i32>().write_unaligned(flags) };
    block.cast()
}

/// What the call manager makes of the parameters of a call that it accepts.
pub fn accept(twist: Twist, at: *mut CO_CALL_PARAMETERS) {
    // SAFETY: the caller's parameters, made by `parameters`.
    let whole = unsafe { &mut *at.cast::<Whole>() };
    let peak = match twist {
        Twist::ProxyAsAsked => {
            // It leaves all as it is, but for a speed that it was asked for.
            return;
        }
        Twist::ProxyWithoutParameters => {
            whole.parameters.CallMgrParameters = std::ptr::null_mut();
            return;
        }
        Twist::ProxyWithoutSpeed => 0,
        _ => 8000,
    };
    whole.manager.Transmit = flow(8000, 1500);
    whole.manager.Receive = flow(peak, 1500);
    if twist != Twist::ProxyWithoutFlag {
        whole.parameters.Flags |= n::CALL_PARAMETERS_CHANGED as u32;
    }
}

/// Parameters that ask for a speed.
pub fn ask_for_speed(at: *mut CO_CALL_PARAMETERS) {
    // SAFETY: made by `parameters`.
    let whole = unsafe { &mut *at.cast::<Whole>() };
    whole.manager.Transmit.PeakBandwidth = 8000;
    whole.manager.Receive.PeakBandwidth = 8000;
}

/// A SAP on a line, in pool memory.
pub fn sap(twist: Twist) -> *mut CO_SAP {
    let fixed = std::mem::offset_of!(CO_SAP, Sap);
    let size = fixed + size_of::<n::CO_AF_TAPI_SAP>();
    // SAFETY: plain pool memory.
    let sap: *mut CO_SAP =
        unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast();
    // SAFETY: as long as that.
    unsafe { sap.cast::<u8>().write_bytes(0, size) };
    let (kind, length) = match twist {
        Twist::SapOfNoType => (0, size_of::<n::CO_AF_TAPI_SAP>()),
        Twist::SapTooShort => (n::AF_TAPI_SAP_TYPE as u32, 4),
        _ => (n::AF_TAPI_SAP_TYPE as u32, size_of::<n::CO_AF_TAPI_SAP>()),
    };
    // SAFETY: a place in the block.
    unsafe { (&raw mut (*sap).SapType).write(kind) };
    // SAFETY: as above.
    unsafe { (&raw mut (*sap).SapLength).write(length as u32) };
    sap
}
