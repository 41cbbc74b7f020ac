//! What is beneath the clients in a run: a call manager that is the miniport, or one that is not. The
//! clients are the same above either.

use clap::ValueEnum;
use ndis_host::EntryPoint;

/// A driver: the service of its image, and its entry point in this process.
pub type Driver = (&'static str, EntryPoint);

/// The services. The caller is the client's image once more, under another name: two services
/// cannot share a file.
pub const SWITCH: &str = "loopback_mcm";
pub const LINK: &str = "link_co";
pub const MANAGER: &str = "signal_cm";
pub const CALLEE: &str = "echo_client";
pub const CALLER: &str = "echo_caller";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// One adapter, whose miniport sets calls up itself.
    Mcm,
    /// Two adapters joined by a link, and a stand-alone call manager that sets calls up over it.
    Alone,
}

impl Topology {
    pub const ALL: [Self; 2] = [Self::Mcm, Self::Alone];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mcm => "mcm",
            Self::Alone => "alone",
        }
    }

    /// The drivers, in the order in which they are loaded.
    pub fn drivers(self) -> Vec<Driver> {
        let mut drivers: Vec<Driver> = match self {
            Self::Mcm => vec![(SWITCH, loopback_mcm::driver_entry)],
            Self::Alone => vec![
                (LINK, link_co::driver_entry),
                (MANAGER, signal_cm::driver_entry),
            ],
        };
        drivers.push((CALLEE, echo_client::driver_entry));
        drivers.push((CALLER, echo_client::driver_entry));
        drivers
    }

    /// How many adapters the miniport has.
    pub fn adapters(self) -> u32 {
        match self {
            Self::Mcm => 1,
            Self::Alone => 2,
        }
    }
}
