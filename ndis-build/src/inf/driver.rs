//! The driver that an INF installs: what is known of it once its manifest was
//! read and found good.
//!
//! The names and numbers here are those of the interface. Where a choice was
//! open, the comment names the page of the documentation that decides it, by
//! its file name in the driver documentation's source.

use super::param::Param;
use std::collections::BTreeMap;

/// A driver, as its manifest describes it. Every value was checked: what
/// [`render`](Self::render) writes has no findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    pub(super) stem: String,
    pub(super) service: String,
    pub(super) provider: String,
    pub(super) display_name: String,
    pub(super) description: Option<String>,
    pub(super) date: Date,
    pub(super) version: [u16; 4],
    pub(super) min_build: u32,
    pub(super) hardware_id: String,
    pub(super) upper_range: Vec<String>,
    pub(super) lower_range: Vec<String>,
    pub(super) hidden: bool,
    pub(super) removable: bool,
    pub(super) kind: Kind,
    pub(super) parameters: BTreeMap<String, Parameter>,
}

impl Driver {
    /// The file name of the driver's image, such as `loopback_mcm.sys`.
    pub fn image_name(&self) -> String {
        format!("{}.sys", self.stem)
    }

    /// The file name of the INF, such as `loopback_mcm.inf`.
    pub fn inf_name(&self) -> String {
        format!("{}.inf", self.stem)
    }

    /// The file name of the catalog, such as `loopback_mcm.cat`. It is made
    /// when the package is signed, not here.
    pub fn catalog_name(&self) -> String {
        format!("{}.cat", self.stem)
    }

    /// The name of the service, under which Windows loads the image.
    pub fn service_name(&self) -> &str {
        &self.service
    }

    /// The id by which Windows finds the INF: of the device, or of the
    /// component that netcfg installs.
    pub fn hardware_id(&self) -> &str {
        &self.hardware_id
    }

    /// Whether it is a protocol driver (class `NetTrans`), not a miniport
    /// (class `Net`).
    pub fn is_protocol(&self) -> bool {
        matches!(self.kind, Kind::Protocol { .. })
    }
}

/// What only one of the two kinds has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Miniport {
        bus: Bus,
        medium: Medium,
        wan_endpoints: Option<u32>,
        params: BTreeMap<String, Param>,
    },
    Protocol {
        start: Start,
    },
}

/// Where an adapter sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Bus {
    /// Nowhere: somebody installs it by hand, and the system's root bus
    /// carries it.
    #[default]
    Root,
    Pci,
    Usb,
}

impl Bus {
    /// How the hardware ids of the bus begin.
    pub(super) const fn enumerator(self) -> &'static str {
        match self {
            Self::Root => "Root\\",
            Self::Pci => "PCI\\",
            Self::Usb => "USB\\",
        }
    }

    /// The `BusType` entry, which only physical adapters have: `PCIBus`, or
    /// `PNPBus`, which stands for USB too
    /// (ddinstall-section-in-a-network-inf-file.md,
    /// remote-ndis-inf-template.md).
    pub(super) const fn bus_type(self) -> Option<(u32, &'static str)> {
        match self {
            Self::Root => None,
            Self::Pci => Some((5, "PCIBus")),
            Self::Usb => Some((15, "PNPBus")),
        }
    }
}

/// The medium of a connection-oriented adapter: the ones that `ndis-mcm`
/// offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Medium {
    #[default]
    CoWan,
    Atm,
}

impl Medium {
    /// The `NDIS_MEDIUM`.
    pub(super) const fn number(self) -> (u32, &'static str) {
        match self {
            Self::CoWan => (12, "NdisMediumCoWan"),
            Self::Atm => (8, "NdisMediumAtm"),
        }
    }

    /// What binds to an adapter of the medium if its author does not say, and
    /// what the adapter connects to (specifying-binding-interfaces.md,
    /// installation-requirements-for-network-adapters.md).
    pub(super) const fn ranges(self) -> (&'static str, &'static str) {
        match self {
            Self::CoWan => ("ndiscowan", "wan"),
            Self::Atm => ("ndisatm", "atm"),
        }
    }
}

/// What `ndis-mcm` puts into an adapter's general attributes whatever its
/// medium; the INF says the same.
pub(super) const IF_TYPE: (u32, &str) = (1, "IF_TYPE_OTHER");
/// See [`IF_TYPE`].
pub(super) const PHYSICAL_MEDIUM: (u32, &str) = (0, "NdisPhysicalMediumUnspecified");

/// When Windows loads a protocol driver. (A miniport is loaded when its device
/// is found.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Start {
    System,
    /// The default: no device makes Windows load a protocol driver, so the
    /// service control manager has to (specifying-driver-load-order.md).
    #[default]
    Auto,
    /// When a program asks for it.
    Demand,
}

impl Start {
    pub(super) const fn number(self) -> (u32, &'static str) {
        match self {
            Self::System => (1, "SERVICE_SYSTEM_START"),
            Self::Auto => (2, "SERVICE_AUTO_START"),
            Self::Demand => (3, "SERVICE_DEMAND_START"),
        }
    }
}

/// A day, of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
}

impl Date {
    /// The day, if there is one of this number.
    pub(super) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        // Before NT there was no driver to date.
        (year >= 1993 && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }
}

/// A value under the service's `Parameters` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Dword(u32),
    Text(String),
}

/// The first build of Windows for which INF files are written here: Windows 10
/// 2004, the first that has `ExAllocatePool2`, which `ndis-co` calls.
pub(super) const FIRST_BUILD: u32 = 19041;

/// The first build whose network configuration installs a package that runs
/// from the driver store (manufacturer-section-in-a-network-inf-file.md).
pub(super) const NETCFG_STORE_BUILD: u32 = 25319;

/// The directory id of the driver store, and of `System32\drivers`
/// (using-dirids.md).
pub(super) const DIRID_STORE: u32 = 13;
/// See [`DIRID_STORE`].
pub(super) const DIRID_DRIVERS: u32 = 12;

/// A device setup class of network components. Drivers made here are of the
/// first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Net,
    NetTrans,
    NetService,
    NetClient,
}

impl Class {
    pub(super) const ALL: [Self; 4] =
        [Self::Net, Self::NetTrans, Self::NetService, Self::NetClient];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Net => "Net",
            Self::NetTrans => "NetTrans",
            Self::NetService => "NetService",
            Self::NetClient => "NetClient",
        }
    }

    /// version-section-in-a-network-inf-file.md
    pub(super) const fn guid(self) -> &'static str {
        match self {
            Self::Net => "{4D36E972-E325-11CE-BFC1-08002BE10318}",
            Self::NetTrans => "{4D36E975-E325-11CE-BFC1-08002BE10318}",
            Self::NetService => "{4D36E974-E325-11CE-BFC1-08002BE10318}",
            Self::NetClient => "{4D36E973-E325-11CE-BFC1-08002BE10318}",
        }
    }
}

/// The bits of a `Characteristics` entry
/// (ddinstall-section-in-a-network-inf-file.md).
pub(super) mod ncf {
    pub const VIRTUAL: u32 = 0x1;
    pub const SOFTWARE_ENUMERATED: u32 = 0x2;
    pub const PHYSICAL: u32 = 0x4;
    pub const HIDDEN: u32 = 0x8;
    pub const NO_SERVICE: u32 = 0x10;
    pub const NOT_USER_REMOVABLE: u32 = 0x20;
    /// There are advanced properties.
    pub const HAS_UI: u32 = 0x80;
    /// A filter as an intermediate driver; none since Windows 10.
    pub const FILTER: u32 = 0x400;
    /// A filter.
    pub const LW_FILTER: u32 = 0x4_0000;
    /// Of these an adapter has exactly one, and nothing else has any.
    pub const PLACE: u32 = VIRTUAL | SOFTWARE_ENUMERATED | PHYSICAL;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_headers() {
        assert_eq!(Medium::CoWan.number().0, ndis_sys::NdisMediumCoWan as u32);
        assert_eq!(Medium::Atm.number().0, ndis_sys::NdisMediumAtm as u32);
        assert_eq!(
            PHYSICAL_MEDIUM.0,
            ndis_sys::NdisPhysicalMediumUnspecified as u32
        );
        assert_eq!(Bus::Pci.bus_type().unwrap().0, ndis_sys::PCIBus as u32);
        assert_eq!(Bus::Usb.bus_type().unwrap().0, ndis_sys::PNPBus as u32);
    }

    #[test]
    fn days_of_the_calendar() {
        assert!(Date::new(2024, 2, 29).is_some());
        for (year, month, day) in [
            (2023, 2, 29),
            (2100, 2, 29),
            (2026, 4, 31),
            (2026, 13, 1),
            (2026, 0, 1),
            (2026, 1, 0),
            (26, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
