//! The topology of a WAN miniport: two of its adapters on one cable, and the models of what Windows has
//! above such a miniport, NDPROXY and NDISWAN.

mod calls;
mod figures;

pub use self::{calls::carry, figures::Figures};

use ndis_co::Status;
use ndis_host::{Adapter, Driver, Host};
use ndis_wan_models::Windows;
use wan_mcm::number::Prefix;

/// The miniport's name in the account.
pub const MINIPORT: &str = "wan-mcm";

/// Which adapter calls, and which one is called.
pub const NEAR: u32 = 0;
pub const FAR: u32 = 1;

/// The drivers, with both adapters started.
pub struct World<'h> {
    pub windows: Windows<'h>,
    pub adapters: Vec<Adapter>,
    host: &'h Host,
    miniport: Driver,
}

impl<'h> World<'h> {
    /// Loads the drivers; fails with the status that one fails with.
    pub fn load(host: &'h Host) -> Result<Self, i32> {
        let windows = Windows::load(host).map_err(Status::raw)?;
        // SAFETY: the entry point that `driver_entry!` made for the miniport.
        let miniport = unsafe { host.load(MINIPORT, wan_mcm::driver_entry) }?;
        Ok(Self {
            windows,
            adapters: Vec::new(),
            host,
            miniport,
        })
    }

    /// Starts the adapters, until applications know their lines.
    pub fn start(&mut self) -> Result<(), i32> {
        for _ in [NEAR, FAR] {
            let adapter = self.host.add_adapter(&self.miniport)?;
            self.adapters.push(adapter);
        }
        self.host.run();
        Ok(())
    }

    /// Takes all of it down.
    pub fn end(self) {
        for adapter in &self.adapters {
            self.host.remove_adapter(adapter);
        }
        self.windows.unload();
        self.host.unload(&self.miniport);
    }
}

/// The number of a line of the called adapter: the first one has the prefix 1, this one 2.
pub fn number(line: u32) -> Result<String, i32> {
    let prefix = Prefix::new("2".chars()).map_err(Status::raw)?;
    Ok(prefix.line(line).as_str().to_owned())
}
