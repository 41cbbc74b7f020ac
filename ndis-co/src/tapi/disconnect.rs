//! [`Disconnect`]: why a call ended, as TAPI tells it.

use super::flags::DisconnectModes;
use crate::Status;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $mode:ident;)*) => {
        /// Why a call did not come about, or was closed by the far end: what a TAPI call manager
        /// refuses or closes with.
        ///
        /// All of them are failures as statuses, [`Normal`](Self::Normal) too. So a client that
        /// made its VC deletes it, where it could keep it for another call after
        /// [`Status::SUCCESS`]. The page on closing calls names that for a hang-up; the header
        /// names these for TAPI, which counts here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE")]
        pub enum Disconnect {
            $($(#[$doc])* $name,)*
        }

        impl Disconnect {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What NDIS is told.
            pub const fn status(self) -> Status {
                match self {
                    $(Self::$name => Status::$status,)*
                }
            }

            /// From what NDIS tells; `None` for any other status.
            #[must_use]
            pub const fn from_status(status: Status) -> Option<Self> {
                match status {
                    $(Status::$status => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The bit of it, for the capabilities of an address.
            #[must_use]
            pub const fn mode(self) -> DisconnectModes {
                match self {
                    $(Self::$name => DisconnectModes::$mode,)*
                }
            }
        }
    };
}

reasons! {
    /// The other end has hung up.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_NORMAL")]
    Normal = TAPI_DISCONNECTMODE_NORMAL, NORMAL;
    /// Nobody knows why.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_UNKNOWN")]
    Unknown = TAPI_DISCONNECTMODE_UNKNOWN, UNKNOWN;
    /// The other end does not want it.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_REJECT")]
    Reject = TAPI_DISCONNECTMODE_REJECT, REJECT;
    /// It was taken elsewhere.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_PICKUP")]
    Pickup = TAPI_DISCONNECTMODE_PICKUP, PICKUP;
    /// It was forwarded.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_FORWARDED")]
    Forwarded = TAPI_DISCONNECTMODE_FORWARDED, FORWARDED;
    /// The other end is busy.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_BUSY")]
    Busy = TAPI_DISCONNECTMODE_BUSY, BUSY;
    /// Nobody has answered.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_NOANSWER")]
    NoAnswer = TAPI_DISCONNECTMODE_NOANSWER, NOANSWER;
    /// There is no such address.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_BADADDRESS")]
    BadAddress = TAPI_DISCONNECTMODE_BADADDRESS, BADADDRESS;
    /// No way leads there.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_UNREACHABLE")]
    Unreachable = TAPI_DISCONNECTMODE_UNREACHABLE, UNREACHABLE;
    /// The network has no room.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_CONGESTION")]
    Congestion = TAPI_DISCONNECTMODE_CONGESTION, CONGESTION;
    /// The other end cannot do what was asked for.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_INCOMPATIBLE")]
    Incompatible = TAPI_DISCONNECTMODE_INCOMPATIBLE, INCOMPATIBLE;
    /// Why, will never be known.
    #[doc(alias = "NDIS_STATUS_TAPI_DISCONNECTMODE_UNAVAIL")]
    Unavailable = TAPI_DISCONNECTMODE_UNAVAIL, UNAVAIL;
}

impl From<Disconnect> for Status {
    fn from(reason: Disconnect) -> Self {
        reason.status()
    }
}
