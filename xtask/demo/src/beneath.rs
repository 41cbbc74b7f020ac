//! What is beneath the clients: their call manager and its adapters. The clients are the same above
//! either kind.

use ndis_host::{Adapter, Driver, Host};

use crate::args::Below;

/// What the account calls it.
pub fn name(below: Below) -> &'static str {
    match below {
        Below::Switch => "a miniport call manager",
        Below::Alone => "a stand-alone call manager at both ends of a link",
    }
}

/// Drivers, and their adapters once they are started.
pub struct Beneath {
    /// Whose the adapters are.
    miniport: Driver,
    /// A call manager that is not the miniport.
    manager: Option<Driver>,
    adapters: Vec<Adapter>,
}

impl Beneath {
    /// Loads the drivers; fails with the status that one fails with.
    pub fn load(host: &Host, below: Below) -> Result<Self, i32> {
        let (miniport, manager) = match below {
            Below::Switch => {
                // SAFETY: the entry point that `driver_entry!` made for the switch.
                let switch = unsafe { host.load("loopback-mcm", loopback_mcm::driver_entry) }?;
                (switch, None)
            }
            Below::Alone => {
                // SAFETY: the entry point that `driver_entry!` made for the link.
                let link = unsafe { host.load("link-co", link_co::driver_entry) }?;
                // SAFETY: the entry point that `driver_entry!` made for the call manager.
                let manager = unsafe { host.load("signal-cm", signal_cm::driver_entry) }?;
                (link, Some(manager))
            }
        };
        Ok(Self {
            miniport,
            manager,
            adapters: Vec::new(),
        })
    }

    /// What [`start`](Self::start) does, in words.
    pub fn starting(&self) -> &'static str {
        if self.manager.is_none() {
            "starting the adapter"
        } else {
            "starting the adapters"
        }
    }

    /// Starts the adapters. Calls are placed through the first one; where there is another one, it is
    /// there that they come out.
    pub fn start(&mut self, host: &Host) -> Result<(), i32> {
        self.adapters.push(host.add_adapter(&self.miniport)?);
        if self.manager.is_some() {
            self.adapters.push(host.add_adapter(&self.miniport)?);
            // Until the clients have opened everything.
            host.run();
        }
        Ok(())
    }

    pub fn remove_adapters(&mut self, host: &Host) {
        for adapter in self.adapters.drain(..) {
            host.remove_adapter(&adapter);
        }
    }

    pub fn unload(self, host: &Host) {
        if let Some(manager) = &self.manager {
            host.unload(manager);
        }
        host.unload(&self.miniport);
    }
}
