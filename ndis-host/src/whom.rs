//! Whom a callback goes to: the driver on one side of an object.

use crate::callback::Callback;
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use alloc::sync::Arc;

impl State {
    /// A callback to the client of an address family.
    pub(crate) fn to_client(&self, name: &'static str, af: u32, object: ObjectId) -> Callback {
        let (driver, who) = self
            .world
            .afs
            .get(&af)
            .map_or((0, self.ndis.clone()), |af| {
                (af.client_driver, af.client.clone())
            });
        to(name, driver, who, object)
    }

    /// A callback to the call manager of an address family.
    pub(crate) fn to_manager(&self, name: &'static str, af: u32, object: ObjectId) -> Callback {
        let (driver, who) = self
            .world
            .afs
            .get(&af)
            .map_or((0, self.ndis.clone()), |af| {
                (af.manager_driver, af.manager.clone())
            });
        to(name, driver, who, object)
    }

    /// A callback to the call manager of a VC.
    pub(crate) fn to_manager_of(&self, name: &'static str, vc: u32) -> Callback {
        let manager = self.world.vcs.get(&vc).map(|vc| vc.served_by);
        let driver = manager.and_then(|manager| self.world.manager_driver(manager));
        let (driver, who) = driver.unwrap_or((0, self.ndis.clone()));
        to(name, driver, who, ObjectId::new(Kind::ClientVc, vc))
    }

    /// A callback to whoever sends and receives on a VC.
    pub(crate) fn to_end_of(&self, name: &'static str, vc: u32) -> Callback {
        let end = self.world.vcs.get(&vc).and_then(|vc| {
            let (binding, _) = self.world.end_of_vc(vc)?;
            self.world.bindings.get(&binding)
        });
        let (driver, who) = end.map_or((0, self.ndis.clone()), |b| (b.driver, b.who.clone()));
        to(name, driver, who, ObjectId::new(Kind::ClientVc, vc))
    }

    /// A callback to the miniport about a VC, or to the MCM that is one.
    pub(crate) fn to_carrier_of(&self, name: &'static str, vc: u32) -> Callback {
        let carrier = self.world.vcs.get(&vc);
        let carrier = carrier.and_then(|vc| self.world.carrier_of(vc));
        let (driver, who) = carrier.unwrap_or((0, self.ndis.clone()));
        to(name, driver, who, ObjectId::new(Kind::ClientVc, vc))
    }

    /// A callback to the miniport of an adapter.
    pub(crate) fn to_adapter(&self, name: &'static str, adapter: u32) -> Callback {
        let (driver, who) = self
            .world
            .adapters
            .get(&adapter)
            .map_or((0, self.ndis.clone()), |a| (a.driver, a.who.clone()));
        let object = ObjectId::new(Kind::Adapter, adapter);
        to(name, driver, who, object)
    }

    /// A callback to the protocol of a binding.
    pub(crate) fn to_binding(&self, name: &'static str, binding: u32) -> Callback {
        let (driver, who) = self
            .world
            .bindings
            .get(&binding)
            .map_or((0, self.ndis.clone()), |b| (b.driver, b.who.clone()));
        let object = ObjectId::new(Kind::Binding, binding);
        to(name, driver, who, object)
    }
}

fn to(name: &'static str, driver: u32, who: Arc<str>, object: ObjectId) -> Callback {
    Callback {
        name,
        driver,
        who,
        passive: None,
        objects: [Some(object), None, None],
    }
}
