//! Which drivers are in a run: two clients, beneath whom is a call manager that is the miniport, or one
//! that is not; or a WAN miniport, with models of what Windows has above one.

use clap::ValueEnum;
use ndis_host::{EntryPoint, McmDisplaces, Readings};

/// A driver: the service of its image, and its entry point in this process.
pub type Driver = (&'static str, EntryPoint);

/// A number under the `Parameters` of a service: the service, the name, the number.
pub type Parameter = (&'static str, &'static str, u32);

/// The services. The caller is the client's image once more, under another name: two services
/// cannot share a file.
pub const SWITCH: &str = "loopback_mcm";
pub const LINK: &str = "link_co";
pub const MANAGER: &str = "signal_cm";
pub const CALLEE: &str = "echo_client";
pub const CALLER: &str = "echo_caller";
pub const WAN: &str = "wan_mcm";
pub const NDPROXY: &str = "ndproxy";
pub const NDISWAN: &str = "ndiswan";

/// The services, and the file in the folder of images that each is a copy of.
pub const FILES: [(&str, &str); 8] = [
    (SWITCH, SWITCH),
    (LINK, LINK),
    (MANAGER, MANAGER),
    (CALLEE, CALLEE),
    (CALLER, CALLEE),
    (WAN, WAN),
    (NDPROXY, "ndis_wan_ndproxy"),
    (NDISWAN, "ndis_wan_ndiswan"),
];

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// One adapter, whose miniport sets calls up itself, and two clients.
    Mcm,
    /// Two adapters joined by a link, a stand-alone call manager that sets calls up over it, and two
    /// clients.
    Alone,
    /// Two adapters of a WAN miniport on one cable, NDPROXY and NDISWAN.
    Wan,
}

impl Topology {
    pub const ALL: [Self; 3] = [Self::Mcm, Self::Alone, Self::Wan];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mcm => "mcm",
            Self::Alone => "alone",
            Self::Wan => "wan",
        }
    }

    /// The drivers, in the order in which they are loaded.
    pub fn drivers(self) -> Vec<Driver> {
        let clients: [Driver; 2] = [
            (CALLEE, echo_client::driver_entry),
            (CALLER, echo_client::driver_entry),
        ];
        let beneath: Vec<Driver> = match self {
            Self::Mcm => vec![(SWITCH, loopback_mcm::driver_entry)],
            Self::Alone => vec![
                (LINK, link_co::driver_entry),
                (MANAGER, signal_cm::driver_entry),
            ],
            Self::Wan => {
                return vec![
                    (WAN, wan_mcm::driver_entry),
                    (NDPROXY, ndis_wan_ndproxy::driver_entry),
                    (NDISWAN, ndis_wan_ndiswan::driver_entry),
                ];
            }
        };
        beneath.into_iter().chain(clients).collect()
    }

    /// What the drivers are told: to place so many calls, of so many frames each.
    pub fn parameters(self, calls: u32, frames: u32) -> Vec<Parameter> {
        match self {
            Self::Mcm | Self::Alone => vec![
                (CALLER, "Listen", 0),
                (CALLER, "Dial", 7),
                (CALLER, "Calls", calls),
                (CALLER, "Frames", frames),
            ],
            // The first line of the second adapter.
            Self::Wan => vec![
                (NDPROXY, "Dial", 200),
                (NDPROXY, "Calls", calls),
                (NDISWAN, "Frames", frames),
            ],
        }
    }

    /// The readings under which there is something to see.
    pub fn readings(self, readings: Readings) -> Readings {
        match self {
            Self::Mcm | Self::Alone => readings,
            // Otherwise NDPROXY could offer no family above the miniport.
            Self::Wan => Readings {
                mcm_displaces: McmDisplaces::ItsFamilies,
                ..readings
            },
        }
    }

    /// How many adapters the miniport has.
    pub fn adapters(self) -> u32 {
        match self {
            Self::Mcm => 1,
            Self::Alone | Self::Wan => 2,
        }
    }
}
