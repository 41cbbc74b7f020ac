//! [`AddressFamily`]: which signaling protocol a call manager speaks.

use core::fmt;
use ndis_sys::CO_ADDRESS_FAMILY;

/// The signaling protocol of a call manager.
///
/// An open newtype: a driver may define families of its own.
///
/// ```
/// # use ndis_co::family::Family;
/// # use ndis_host as _;
/// /// A number outside Microsoft's range.
/// const SWITCH: Family = Family::new(0x4C6F_6F70);
/// assert_ne!(SWITCH, Family::L2TP);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "NDIS_AF")]
pub struct Family(u32);

macro_rules! families {
    ($($(#[$doc:meta])* $name:ident = $raw:ident $alias:literal,)*) => {
        impl Family {
            $($(#[$doc])* #[doc(alias = $alias)]
            pub const $name: Self = Self(ndis_sys::$raw as u32);)*
        }
        impl fmt::Debug for Family {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Self::$name => f.write_str(stringify!($name)),)*
                    Self(other) => write!(f, "Family({other:#x})"),
                }
            }
        }
    };
}

families! {
    /// ATM signaling, Q.2931.
    Q2931 = CO_ADDRESS_FAMILY_Q2931 "CO_ADDRESS_FAMILY_Q2931",
    /// Parallel scheduled access.
    PSCHED = CO_ADDRESS_FAMILY_PSCHED "CO_ADDRESS_FAMILY_PSCHED",
    /// Layer two tunneling protocol.
    L2TP = CO_ADDRESS_FAMILY_L2TP "CO_ADDRESS_FAMILY_L2TP",
    /// IRDA.
    IRDA = CO_ADDRESS_FAMILY_IRDA "CO_ADDRESS_FAMILY_IRDA",
    /// IEEE 1394.
    IEEE_1394 = CO_ADDRESS_FAMILY_1394 "CO_ADDRESS_FAMILY_1394",
    /// Point-to-point protocol.
    PPP = CO_ADDRESS_FAMILY_PPP "CO_ADDRESS_FAMILY_PPP",
    /// InfiniBand.
    INFINIBAND = CO_ADDRESS_FAMILY_INFINIBAND "CO_ADDRESS_FAMILY_INFINIBAND",
    /// Telephony calls that NDPROXY carries (rule [TAPI-01]).
    ///
    /// [TAPI-01]: ndis_sys::rules#TAPI-01
    TAPI = CO_ADDRESS_FAMILY_TAPI "CO_ADDRESS_FAMILY_TAPI",
    /// The TAPI proxy family (rule [TAPI-01]).
    ///
    /// [TAPI-01]: ndis_sys::rules#TAPI-01
    TAPI_PROXY = CO_ADDRESS_FAMILY_TAPI_PROXY "CO_ADDRESS_FAMILY_TAPI_PROXY",
}

impl Family {
    /// A family by number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A family in one version: what an MCM advertises and a client opens.
///
/// ```
/// # use ndis_co::family::{AddressFamily, Family};
/// # use ndis_host as _;
/// const SWITCH: AddressFamily = AddressFamily::new(Family::new(0x4C6F_6F70), 1, 0);
///
/// /// Whether what is offered is the family, in this version or a later one.
/// fn fits(offered: AddressFamily) -> bool {
///     offered.family == SWITCH.family && offered.major >= SWITCH.major
/// }
/// # assert!(fits(SWITCH));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "CO_ADDRESS_FAMILY")]
pub struct AddressFamily {
    /// The signaling protocol.
    pub family: Family,
    /// Its major version.
    pub major: u32,
    /// Its minor version.
    pub minor: u32,
}

impl AddressFamily {
    /// A family in one version.
    #[must_use]
    pub const fn new(family: Family, major: u32, minor: u32) -> Self {
        Self {
            family,
            major,
            minor,
        }
    }

    /// The C form.
    #[must_use]
    pub const fn to_raw(self) -> CO_ADDRESS_FAMILY {
        CO_ADDRESS_FAMILY {
            AddressFamily: self.family.0,
            MajorVersion: self.major,
            MinorVersion: self.minor,
        }
    }

    /// From the C form.
    #[must_use]
    pub const fn from_raw(raw: &CO_ADDRESS_FAMILY) -> Self {
        Self {
            family: Family(raw.AddressFamily),
            major: raw.MajorVersion,
            minor: raw.MinorVersion,
        }
    }
}
