//! What an adapter answers to NDIS's own OID requests, until drivers have a handler
//! for them: nothing is supported, but the two requests that may not be refused so.

use core::ptr::NonNull;
use ndis_co::{Status, power::PowerState};
use ndis_sys::{NDIS_DEVICE_POWER_STATE, NDIS_OID_REQUEST};

/// The answer to a request.
///
/// A change of the power state succeeds, and so does the question whether it would: an
/// adapter without hardware has nothing to do for it, and NDIS takes no `NOT_SUPPORTED`
/// there (rules DV-08, OID-62).
///
/// Source pages: `ns-ndis-_ndis_miniport_adapter_registration_attributes`,
/// `oid-pnp-query-power`.
pub(crate) fn answer(request: &NDIS_OID_REQUEST) -> Status {
    let supported = match request.RequestType {
        ndis_sys::NdisRequestSetInformation => {
            // SAFETY: a set request carries this part of the union, plain numbers.
            let oid = unsafe { request.DATA.SET_INFORMATION.Oid };
            oid == ndis_sys::OID_PNP_SET_POWER
        }
        ndis_sys::NdisRequestQueryInformation => {
            // SAFETY: a query carries this part of the union, plain numbers.
            let oid = unsafe { request.DATA.QUERY_INFORMATION.Oid };
            oid == ndis_sys::OID_PNP_QUERY_POWER
        }
        _ => false,
    };
    if supported {
        Status::SUCCESS
    } else {
        Status::NOT_SUPPORTED
    }
}

/// The power state that the adapter is to go to, in a request that sets one.
pub(crate) fn power(request: &NDIS_OID_REQUEST) -> Option<PowerState> {
    if request.RequestType != ndis_sys::NdisRequestSetInformation {
        return None;
    }
    // SAFETY: a set request carries this part of the union, plain numbers.
    let set = unsafe { request.DATA.SET_INFORMATION };
    if set.Oid != ndis_sys::OID_PNP_SET_POWER
        || (set.InformationBufferLength as usize) < size_of::<NDIS_DEVICE_POWER_STATE>()
    {
        return None;
    }
    let state = NonNull::new(set.InformationBuffer)?.cast::<NDIS_DEVICE_POWER_STATE>();
    // SAFETY: the buffer is NDIS's, as long as it says, and stays until the answer; of any
    // alignment.
    PowerState::from_raw(unsafe { state.read_unaligned() })
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

    #[test]
    fn a_change_of_the_power_state_is_not_refused() {
        let power = set(ndis_sys::OID_PNP_SET_POWER);
        assert_eq!(answer(&power), Status::SUCCESS);
    }

    #[test]
    fn nor_is_the_question_for_one() {
        let mut query: NDIS_OID_REQUEST = ndis_sys::zeroed();
        query.RequestType = ndis_sys::NdisRequestQueryInformation;
        query.DATA.QUERY_INFORMATION.Oid = ndis_sys::OID_PNP_QUERY_POWER;
        assert_eq!(answer(&query), Status::SUCCESS);
    }

    #[test]
    fn everything_else_is_not_supported() {
        assert_eq!(
            answer(&set(ndis_sys::OID_PNP_QUERY_POWER)),
            Status::NOT_SUPPORTED
        );
        // The same number in a query is another request.
        let mut query = set(ndis_sys::OID_PNP_SET_POWER);
        query.RequestType = ndis_sys::NdisRequestQueryInformation;
        assert_eq!(answer(&query), Status::NOT_SUPPORTED);
    }
}
