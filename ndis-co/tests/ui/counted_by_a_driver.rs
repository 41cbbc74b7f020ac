//! What is counted, and what registers a driver, is these crates' own: an implementation is handed
//! the engine's key, or is trusted with the driver's end.

#![forbid(unsafe_code)]

use ndis_co::{
    Load, ServiceKey, Status,
    irql::Passive,
    key::Key,
    mem::Arc,
    reference::Counted,
    registration::{Deregistration, Registers, Registration},
};

#[derive(Clone)]
struct Thief(Arc<()>);

impl Counted for Thief {
    type Object = ();

    fn object(&self, key: Key) -> &Arc<()> {
        let _stolen = key;
        &self.0
    }

    fn of(object: Arc<()>, _: Key) -> Self {
        Self(object)
    }
}

struct Lost;

impl Load for Lost {
    fn load(_: &ServiceKey<'_>, _: &mut Passive) -> Result<Self, Status> {
        Ok(Self)
    }
}

impl Registers for Lost {
    type Driver = Self;

    fn register(_: &Registration<'_, Self>) -> Status {
        Status::SUCCESS
    }

    fn deregister(_: &Deregistration<'_, Self>, _: &mut Passive) {}
}

fn main() {}
