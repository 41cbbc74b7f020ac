//! What calls over the link: a stand-alone call manager on both ends, and a client on each.

mod exchange;
mod phone;

pub use exchange::Exchange;
pub use phone::Phone;

use ndis_co::{
    family::{AddressFamily, Family},
    irql::Passive,
    protocol::Entry,
};
use ndis_host::{Adapter, Driver, Host, Report};

/// The family of the exchange, outside of Microsoft's range.
pub const FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4C69_6E6B), 1, 0);

/// Two adapters, joined; the exchange above both; a phone above each.
pub struct World {
    pub host: Host,
    pub link: Driver,
    pub exchange: (Exchange, Driver),
    pub phones: [(Phone, Driver); 2],
    pub ends: Vec<Adapter>,
}

impl World {
    pub fn new(host: Host) -> Self {
        // SAFETY: the entry point of a driver, which the host calls as Windows does.
        let link = unsafe { host.load("link-co", link_co::driver_entry) }.expect("the link loads");
        let exchange = Exchange::default();
        let entry = Entry::new(exchange.clone());
        // SAFETY: the host calls this once, as DriverEntry.
        let driver = host.load_with("exchange", move |object, path| unsafe {
            entry.run(object, path)
        });
        let exchange = (exchange, driver.expect("the exchange loads"));
        let phones = [0, 1].map(|side| {
            let phone = Phone::at(side);
            let entry = Entry::new(phone.clone());
            // SAFETY: as above.
            let driver = host.load_with(["phone-0", "phone-1"][side], move |object, path| unsafe {
                entry.run(object, path)
            });
            (phone, driver.expect("the phone loads"))
        });
        let ends = (0..2).map(|_| host.add_adapter(&link).expect("the adapter starts"));
        let world = Self {
            ends: ends.collect(),
            host,
            link,
            exchange,
            phones,
        };
        world.host.run();
        world
    }

    /// A thread at PASSIVE_LEVEL is about to use a phone.
    pub fn spawn(&self, side: usize, act: impl FnOnce(&Phone, &mut Passive) + Send + 'static) {
        let phone = self.phones[side].0.clone();
        self.host.spawn("user", move || {
            // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
            let mut irql = unsafe { Passive::assume() };
            act(&phone, &mut irql);
        });
    }

    /// It uses the phone, and everything that follows happens.
    pub fn use_phone(&self, side: usize, act: impl FnOnce(&Phone, &mut Passive) + Send + 'static) {
        self.spawn(side, act);
        self.host.run();
    }

    /// The first phone calls the second one.
    pub fn call(&self) {
        self.use_phone(0, |phone, irql| phone.call(irql).expect("a call"));
    }

    /// What each phone has heard since it was asked last.
    pub fn heard(&self) -> [Vec<Vec<u8>>; 2] {
        [0, 1].map(|side| self.phones[side].0.take_heard())
    }

    pub fn down(self) -> Report {
        for end in &self.ends {
            self.host.remove_adapter(end);
            self.host.run();
        }
        for (_, driver) in &self.phones {
            self.host.unload(driver);
        }
        self.host.unload(&self.exchange.1);
        self.host.unload(&self.link);
        self.host.finish()
    }
}
