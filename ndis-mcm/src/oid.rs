//! What an adapter answers to NDIS's own OID requests, until drivers have a handler
//! for them: nothing is supported, but the one request that may not be refused so.

use ndis_co::Status;
use ndis_sys::NDIS_OID_REQUEST;

/// The answer to a request.
///
/// A change of the power state succeeds: an adapter without hardware has nothing to
/// do for it, and NDIS takes no `NOT_SUPPORTED` there (rule DV-08).
///
/// Source page: `ns-ndis-_ndis_miniport_adapter_registration_attributes`.
///
/// # Safety
///
/// `request` is null, or NDIS's request for the time of its handler.
pub(crate) unsafe fn answer(request: *const NDIS_OID_REQUEST) -> Status {
    // SAFETY: by the caller; NDIS owns the request and writes it in none of its own
    // threads while the handler runs.
    let Some(request) = (unsafe { request.as_ref() }) else {
        return Status::NOT_SUPPORTED;
    };
    if request.RequestType != ndis_sys::NdisRequestSetInformation {
        return Status::NOT_SUPPORTED;
    }
    // SAFETY: a set request carries this part of the union, plain numbers.
    let oid = unsafe { request.DATA.SET_INFORMATION.Oid };
    if oid == ndis_sys::OID_PNP_SET_POWER {
        Status::SUCCESS
    } else {
        Status::NOT_SUPPORTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    fn set(oid: u32) -> NDIS_OID_REQUEST {
        let mut request: NDIS_OID_REQUEST = ndis_sys::zeroed();
        request.RequestType = ndis_sys::NdisRequestSetInformation;
        request.DATA.SET_INFORMATION.Oid = oid;
        request
    }

    fn answer_to(request: &NDIS_OID_REQUEST) -> Status {
        // SAFETY: the test's own request.
        unsafe { answer(request) }
    }

    #[test]
    fn a_change_of_the_power_state_is_not_refused() {
        let power = set(ndis_sys::OID_PNP_SET_POWER);
        assert_eq!(answer_to(&power), Status::SUCCESS);
    }

    #[test]
    fn everything_else_is_not_supported() {
        assert_eq!(
            answer_to(&set(ndis_sys::OID_PNP_QUERY_POWER)),
            Status::NOT_SUPPORTED
        );
        // The same number in a query is another request.
        let mut query = set(ndis_sys::OID_PNP_SET_POWER);
        query.RequestType = ndis_sys::NdisRequestQueryInformation;
        assert_eq!(answer_to(&query), Status::NOT_SUPPORTED);
        // SAFETY: null is allowed.
        let nothing = unsafe { answer(core::ptr::null()) };
        assert_eq!(nothing, Status::NOT_SUPPORTED);
    }
}
