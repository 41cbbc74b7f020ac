//! What the scenario tests share: a host with the link's miniport, the call manager and
//! clients.

#![allow(dead_code)] // Each test program uses a part of it.

#[path = "../../../../ndis-host/tests/common/mod.rs"]
pub mod raw;
#[path = "../../../loopback-mcm/tests/support/script.rs"]
mod script;

pub use script::*;

use link_co::Link as SafeLink;
use ndis_co::Status;
use ndis_host::{Adapter, Builder, Driver, EventMode, Host, Readings, Report};
pub use raw::link::{Flaw, Link};
use signal_cm::SignalCm;

/// The number of the client that is called from the other side, in tests with two.
pub const OTHER: u32 = 8;

/// The link, the call manager and clients on one host.
pub struct World {
    pub host: Host,
    /// The link's miniport.
    pub link: Driver,
    pub manager: Driver,
    pub clients: Vec<Client>,
}

impl World {
    pub fn new(seed: u64, readings: Readings, pends: bool, scripts: Vec<Script>) -> Self {
        let host = Host::builder().seed(seed).readings(readings);
        Self::on_raw(host, Flaw::None, pends, scripts)
    }

    /// Over the link of safe code.
    pub fn over_link_co(seed: u64, readings: Readings, scripts: Vec<Script>) -> Self {
        let host = Host::builder().seed(seed).readings(readings);
        Self::on(host, scripts, |host| {
            let entry = ndis_mcm::Entry::new(SafeLink::new());
            host.load_with("link-co", move |object, path| {
                // SAFETY: the host calls this once, as DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .unwrap()
        })
    }

    /// With a miniport that makes no signaling VC active.
    pub fn mute(seed: u64, scripts: Vec<Script>) -> Self {
        let host = Host::builder().seed(seed);
        Self::on_raw(host, Flaw::ActivateOdd, false, scripts)
    }

    /// With drivers that are often told that their stack is nearly used up.
    pub fn on_low_stack(seed: u64, scripts: Vec<Script>) -> Self {
        let host = Host::builder().seed(seed).low_stack(1, 8);
        Self::on_raw(host, Flaw::None, seed % 2 == 1, scripts)
    }

    /// With both adapters, and a client at each end only: the first has the number
    /// [`CALLEE`], the second [`OTHER`].
    pub fn at_each_end(
        seed: u64,
        pends: bool,
        script: impl Fn(u32) -> Script,
    ) -> (Self, [Adapter; 2]) {
        let mut world = Self::new(seed, Readings::default(), pends, Vec::new());
        let adapters = world.start_both();
        let first = world.load_at_one_end(script(CALLEE));
        world.clients.push(first);
        loop {
            let second = world.load_at_one_end(script(OTHER));
            // In which order a client is bound is the host's: at which end it is, a call tells.
            world.call(0, u32::MAX, OTHER);
            world.host.run();
            drop(world.clients[0].take_seen());
            let rang = second.take_seen().rang;
            if rang == 1 {
                world.clients.push(second);
                return (world, adapters);
            }
            world.host.unload(&second.driver);
        }
    }

    /// A client that can open one of the two adapters only.
    fn load_at_one_end(&self, script: Script) -> Client {
        let refused = Status::RESOURCES.raw();
        self.host.fail_call("NdisOpenAdapterEx", 1, refused);
        let client = Client::load(&self.host, "client", script);
        self.host.run();
        client
    }

    /// Over the link of raw code.
    fn on_raw(host: Builder, flaw: Flaw, pends: bool, scripts: Vec<Script>) -> Self {
        Self::on(host, scripts, |host| Link::load(host, flaw, pends).driver)
    }

    fn on(host: Builder, scripts: Vec<Script>, load_link: impl Fn(&Host) -> Driver) -> Self {
        let host = host.events(EventMode::Last(400)).no_events_under_miri();
        let host = host.build();
        let link = load_link(&host);
        let manager = load_manager(&host).unwrap();
        let clients = scripts
            .into_iter()
            .enumerate()
            .map(|(index, script)| Client::load(&host, &format!("client-{index}"), script))
            .collect();
        Self {
            host,
            link,
            manager,
            clients,
        }
    }

    /// One adapter more.
    pub fn start(&self) -> Adapter {
        let adapter = self.host.add_adapter(&self.link).unwrap();
        self.host.run();
        adapter
    }

    /// Both ends of the link. Calls are placed at the first one.
    pub fn start_both(&self) -> [Adapter; 2] {
        [self.start(), self.start()]
    }

    /// Places a call from client `from`, on a system thread.
    pub fn call(&self, from: usize, call: u32, number: u32) {
        self.clients[from].call(&self.host, call, number);
    }

    /// Lets everything happen, takes everything down, and checks that nothing is left.
    pub fn end(self, adapters: impl IntoIterator<Item = Adapter>) -> Vec<Seen> {
        self.host.run();
        for adapter in adapters {
            self.host.remove_adapter(&adapter);
        }
        self.unload()
    }

    /// Unloads the drivers and checks that nothing is left.
    pub fn unload(self) -> Vec<Seen> {
        let (seen, report) = self.down();
        clean(&report);
        seen
    }

    pub fn down(self) -> (Vec<Seen>, Report) {
        let mut seen = Vec::new();
        for client in self.clients {
            self.host.unload(&client.driver);
            seen.push(client.take_seen());
        }
        self.host.unload(&self.manager);
        self.host.unload(&self.link);
        (seen, self.host.finish())
    }
}

/// Loads the call manager.
pub fn load_manager(host: &Host) -> Result<Driver, i32> {
    let entry = ndis_co::protocol::Entry::new(SignalCm::new());
    host.load_with("signal-cm", move |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    })
}

/// How call `call` has ended.
pub fn ended(seen: &Seen, call: u32) -> &[Result<(), Status>] {
    seen.ended.get(&call).map_or(&[], Vec::as_slice)
}
