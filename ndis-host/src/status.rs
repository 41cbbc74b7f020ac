//! Status codes as people write them.

use core::fmt;
use ndis_sys as n;

/// Shows a status by its name.
pub struct Name(pub i32);

macro_rules! names {
    ($($name:ident),+ $(,)?) => {
        fn name(status: i32) -> Option<&'static str> {
            $(if status == n::$name as i32 {
                return Some(stringify!($name));
            })+
            None
        }
    };
}

names! {
    NDIS_STATUS_SUCCESS,
    NDIS_STATUS_PENDING,
    NDIS_STATUS_FAILURE,
    NDIS_STATUS_RESOURCES,
    NDIS_STATUS_CLOSING,
    NDIS_STATUS_BAD_VERSION,
    NDIS_STATUS_BAD_CHARACTERISTICS,
    NDIS_STATUS_ADAPTER_NOT_FOUND,
    NDIS_STATUS_OPEN_FAILED,
    NDIS_STATUS_DEVICE_FAILED,
    NDIS_STATUS_UNSUPPORTED_MEDIA,
    NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_INVALID_DATA,
    NDIS_STATUS_BUFFER_TOO_SHORT,
    NDIS_STATUS_INVALID_OID,
    NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_NOT_ACCEPTED,
    NDIS_STATUS_REQUEST_ABORTED,
    NDIS_STATUS_SEND_ABORTED,
    NDIS_STATUS_PAUSED,
    NDIS_STATUS_INVALID_ADDRESS,
    NDIS_STATUS_INVALID_PARAMETER,
    NDIS_STATUS_INVALID_STATE,
    NDIS_STATUS_VC_NOT_ACTIVATED,
    NDIS_STATUS_VC_NOT_AVAILABLE,
    NDIS_STATUS_NO_ROUTE_TO_DESTINATION,
    NDIS_STATUS_SAP_IN_USE,
    NDIS_STATUS_FILE_NOT_FOUND,
    NDIS_STATUS_NOT_RECOGNIZED,
    NDIS_STATUS_INDICATION_REQUIRED,
    NDIS_STATUS_RESET_IN_PROGRESS,
    NDIS_STATUS_RESET_START,
    NDIS_STATUS_RESET_END,
    NDIS_STATUS_LINK_STATE,
    NDIS_STATUS_MEDIA_CONNECT,
    NDIS_STATUS_MEDIA_DISCONNECT,
    NDIS_STATUS_WAN_LINE_UP,
    NDIS_STATUS_WAN_LINE_DOWN,
    NDIS_STATUS_WAN_CO_FRAGMENT,
    NDIS_STATUS_WAN_CO_LINKPARAMS,
    NDIS_STATUS_WAN_CO_MTULINKPARAMS,
    NDIS_STATUS_TAPI_INDICATION,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.0) {
            Some(name) => f.write_str(name.trim_start_matches("NDIS_STATUS_")),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}
