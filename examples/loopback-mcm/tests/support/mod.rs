//! What the scenario tests of both examples share: a host with the switch and
//! two clients.

#![allow(dead_code)] // Each test program uses a part of it.

mod script;

pub use script::*;

use loopback_mcm::Loopback;
use ndis_host::{Adapter, Driver, EventMode, Host, Readings};

/// The switch and two clients on one host.
pub struct World {
    pub host: Host,
    pub switch: Driver,
    pub clients: Vec<Client>,
}

impl World {
    pub fn new(seed: u64, readings: Readings, scripts: Vec<Script>) -> Self {
        let host = Host::builder()
            .seed(seed)
            .readings(readings)
            .events(EventMode::Last(400))
            .no_events_under_miri()
            .build();
        let entry = ndis_mcm::Entry::new(Loopback);
        let switch = host
            .load_with("loopback-mcm", move |object, path| {
                // SAFETY: the host calls this once, as DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .unwrap();
        let clients = scripts
            .into_iter()
            .enumerate()
            .map(|(index, script)| Client::load(&host, &format!("client-{index}"), script))
            .collect();
        Self {
            host,
            switch,
            clients,
        }
    }

    pub fn start(&self) -> Adapter {
        self.host.add_adapter(&self.switch).unwrap()
    }

    /// Places a call from client `from`, on a system thread.
    pub fn call(&self, from: usize, call: u32, number: u32) {
        self.clients[from].call(&self.host, call, number);
    }

    /// Lets everything happen, takes everything down, and checks that nothing is
    /// left.
    pub fn end(self, adapter: Adapter) -> Vec<Seen> {
        self.host.run();
        self.host.remove_adapter(&adapter);
        self.unload()
    }

    /// Unloads the drivers, the adapters having gone, and checks that nothing is
    /// left.
    pub fn unload(self) -> Vec<Seen> {
        let Self {
            host,
            switch,
            clients,
        } = self;
        let mut seen = Vec::new();
        for client in clients {
            host.unload(&client.driver);
            drop(client.desk);
            seen.push(std::mem::take(&mut *client.script.seen.lock().unwrap()));
        }
        host.unload(&switch);
        clean(&host.finish());
        seen
    }
}
