//! OIDs as a reader knows them.

use alloc::string::String;
use ndis_sys as n;

macro_rules! names {
    ($($name:ident),+ $(,)?) => {
        fn known(oid: u32) -> Option<&'static str> {
            $(if oid == n::$name as u32 {
                return Some(stringify!($name));
            })+
            None
        }
    };
}

names! {
    OID_PNP_SET_POWER,
    OID_PNP_QUERY_POWER,
    OID_PNP_CAPABILITIES,
    OID_GEN_MACHINE_NAME,
    OID_GEN_STATISTICS,
    OID_GEN_CO_SUPPORTED_LIST,
    OID_GEN_CO_HARDWARE_STATUS,
    OID_GEN_CO_MEDIA_SUPPORTED,
    OID_GEN_CO_MEDIA_IN_USE,
    OID_GEN_CO_LINK_SPEED,
    OID_GEN_CO_VENDOR_ID,
    OID_GEN_CO_VENDOR_DESCRIPTION,
    OID_GEN_CO_DRIVER_VERSION,
    OID_GEN_CO_PROTOCOL_OPTIONS,
    OID_GEN_CO_MAC_OPTIONS,
    OID_GEN_CO_MEDIA_CONNECT_STATUS,
    OID_GEN_CO_VENDOR_DRIVER_VERSION,
    OID_GEN_CO_SUPPORTED_GUIDS,
    OID_GEN_CO_GET_TIME_CAPS,
    OID_GEN_CO_GET_NETCARD_TIME,
    OID_GEN_CO_MINIMUM_LINK_SPEED,
    OID_GEN_CO_XMIT_PDUS_OK,
    OID_GEN_CO_RCV_PDUS_OK,
    OID_GEN_CO_XMIT_PDUS_ERROR,
    OID_GEN_CO_RCV_PDUS_ERROR,
    OID_GEN_CO_RCV_PDUS_NO_BUFFER,
    OID_GEN_CO_RCV_CRC_ERROR,
    OID_CO_ADD_PVC,
    OID_CO_DELETE_PVC,
    OID_CO_GET_CALL_INFORMATION,
    OID_CO_ADD_ADDRESS,
    OID_CO_DELETE_ADDRESS,
    OID_CO_GET_ADDRESSES,
    OID_CO_ADDRESS_CHANGE,
    OID_CO_SIGNALING_ENABLED,
    OID_CO_SIGNALING_DISABLED,
    OID_CO_AF_CLOSE,
    OID_CO_TAPI_CM_CAPS,
    OID_CO_TAPI_LINE_CAPS,
    OID_CO_TAPI_ADDRESS_CAPS,
}

/// An OID by its name, or by its number.
pub(crate) fn name_of(oid: u32) -> String {
    known(oid).map_or_else(|| alloc::format!("OID {oid:#010x}"), String::from)
}
