//! Why an answer is what it is, where its page alone does not say it.

use ndis_co::oid::number;

/// What is to be known beside the page of an OID.
pub fn of(oid: u32) -> Option<&'static str> {
    Some(match oid {
        number::GEN_CO_MAC_OPTIONS => {
            "its page has it reserved and not to be used; \
             querying-a-connection-oriented-miniport-driver has it mandatory, so it is answered \
             (rule OID-32)"
        }
        number::GEN_CO_VENDOR_DRIVER_VERSION => {
            "its page has two bytes, that of OID_GEN_VENDOR_DRIVER_VERSION, which is the same number, \
             no length: four bytes, two halves of 16 bits"
        }
        number::CO_TAPI_CM_CAPS => {
            "its page wants CO_TAPI_VERSION, which is NDIS_TAPI_CURRENT_VERSION; for a call manager \
             of CO_ADDRESS_FAMILY_TAPI_PROXY that is 0x00030000 by \
             wan-miniport-driver-build-parameters, the header's default is 0x00010003"
        }
        number::CO_TAPI_LINE_CAPS | number::CO_TAPI_ADDRESS_CAPS => {
            "offsets count from ulTotalSize; the fields of TAPI 3.0 are those of \
             NDIS_TAPI_CURRENT_VERSION 0x00030000"
        }
        number::WAN_CO_GET_STATS_INFO => {
            "its page has the first 14 counters, the header all of these"
        }
        _ => return None,
    })
}
