//! The objects of connection-oriented NDIS and how they hang together: plain tables, one
//! file an object. No driver is called from here.

pub(crate) mod adapter;
pub(crate) mod af;
pub(crate) mod announced;
pub(crate) mod binding;
pub(crate) mod capabilities;
pub(crate) mod driver;
pub(crate) mod legs;
pub(crate) mod manager;
pub(crate) mod oid;
mod overview;
pub(crate) mod party;
pub(crate) mod request;
pub(crate) mod reset;
pub(crate) mod sap;
pub(crate) mod vc;

use crate::callback::Context;
use crate::handle::{Kind, ObjectId};
use crate::map::Table;
use adapter::Adapter;
use af::Af;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use binding::{BindRequest, Binding, PendedEvent};
use driver::{Driver, Extension, Miniport, Protocol};
use legs::Calls;
use manager::Manager;
use ndis_sys::{
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_PROTOCOL_CO_CHARACTERISTICS,
};
use oid::{OidRequest, Promise};
use party::Party;
use request::{Asked, Request};
use sap::Sap;
use vc::Vc;

/// Which of an object's drivers is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Manager,
    Miniport,
}

/// All of it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) drivers: BTreeMap<u32, Driver>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) miniports: BTreeMap<u32, Miniport>,
    pub(crate) protocols: BTreeMap<u32, Protocol>,
    pub(crate) adapters: BTreeMap<u32, Adapter>,
    pub(crate) bindings: BTreeMap<u32, Binding>,
    pub(crate) binds: BTreeMap<u32, BindRequest>,
    pub(crate) unbinds: BTreeMap<u32, BindRequest>,
    pub(crate) afs: BTreeMap<u32, Af>,
    pub(crate) saps: BTreeMap<u32, Sap>,
    pub(crate) vcs: Table<Vc>,
    pub(crate) parties: BTreeMap<u32, Party>,
    pub(crate) calls: Calls,
    /// OID requests that are on their way.
    pub(crate) oids: BTreeMap<u32, OidRequest>,
    /// Statuses that miniports have yet to indicate.
    pub(crate) promised: Vec<Promise>,
    /// Events that a protocol pended, by the address of the notification.
    pub(crate) events: BTreeMap<usize, PendedEvent>,
    /// One step of plug and play at a time.
    pub(crate) plug_and_play: bool,
}

/// Where a request is recorded: once for looking, once for changing.
macro_rules! request {
    ($world:ident, $asked:ident, $get:ident, ($($borrow:tt)+)) => {
        Some(match $asked {
            Asked::Pause(it) => $($borrow)+ $world.adapters.$get(&it)?.pause,
            Asked::Restart(it) => $($borrow)+ $world.adapters.$get(&it)?.restart,
            Asked::Reset(it) => $($borrow)+ $world.adapters.$get(&it)?.reset,
            Asked::Oid(it) => $($borrow)+ $world.oids.$get(&it)?.request,
            Asked::Bind(it) => $($borrow)+ $world.binds.$get(&it)?.request,
            Asked::Unbind(it) => $($borrow)+ $world.unbinds.$get(&it)?.request,
            Asked::Event(it) => $($borrow)+ $world.events.$get(&it)?.request,
            Asked::OpenAf(it) => $($borrow)+ $world.afs.$get(&it)?.open,
            Asked::CloseAf(it) => $($borrow)+ $world.afs.$get(&it)?.close,
            Asked::NotifyCloseAf(it) => $($borrow)+ $world.afs.$get(&it)?.notify,
            Asked::RegisterSap(it) => $($borrow)+ $world.saps.$get(&it)?.register,
            Asked::DeregisterSap(it) => $($borrow)+ $world.saps.$get(&it)?.deregister,
            Asked::MakeCall(it) => $($borrow)+ $world.vcs.$get(&it)?.make,
            Asked::CloseCall(it) => $($borrow)+ $world.vcs.$get(&it)?.close,
            Asked::OfferCall(it) => $($borrow)+ $world.vcs.$get(&it)?.offer,
            Asked::ActivateVc(it) => $($borrow)+ $world.vcs.$get(&it)?.activation,
            Asked::DeactivateVc(it) => $($borrow)+ $world.vcs.$get(&it)?.deactivation,
        })
    };
}

impl World {
    /// The record of a request, as long as there is what it was asked of.
    pub(crate) fn request(&self, asked: Asked) -> Option<&Request> {
        request!(self, asked, get, (&))
    }

    /// As [`request`](Self::request).
    pub(crate) fn request_mut(&mut self, asked: Asked) -> Option<&mut Request> {
        request!(self, asked, get_mut, (&mut))
    }

    /// The call that an object belongs to.
    pub(crate) fn call_of(&self, object: ObjectId) -> Option<u32> {
        match object.kind {
            Kind::ClientVc => self.calls.of(object.number),
            Kind::ClientParty => {
                let party = self.parties.get(&object.number)?;
                self.calls.of(party.vc)
            }
            _ => None,
        }
    }

    /// Whether an object is of this call, or is a VC that has none yet.
    pub(crate) fn may_be_of(&self, object: ObjectId, call: u32) -> bool {
        match self.call_of(object) {
            Some(its) => its == call,
            None => object.kind == Kind::ClientVc && self.vcs.contains_key(&object.number),
        }
    }

    /// The object with a context of which `is_it` says yes, and whose context it is.
    pub(crate) fn with_context(
        &self,
        is_it: impl Fn(usize) -> bool,
    ) -> Option<(ObjectId, &'static str)> {
        let is_it = |context: Context| is_it(context.0.addr());
        let parties = self.parties.iter().map(|(number, it)| {
            let object = ObjectId::new(Kind::ClientParty, *number);
            (object, it.client_context, it.manager_context)
        });
        let vcs = self.vcs.iter().map(|(number, it)| {
            let object = ObjectId::new(Kind::ClientVc, *number);
            (object, it.client_context, it.manager_context)
        });
        let saps = self.saps.iter().map(|(number, it)| {
            let object = ObjectId::new(Kind::ClientSap, *number);
            (object, it.client_context, it.manager_context)
        });
        let afs = self.afs.iter().map(|(number, it)| {
            let object = ObjectId::new(Kind::ClientAf, *number);
            (object, it.client_context, it.manager_context)
        });
        for (object, client, manager) in parties.chain(vcs).chain(saps).chain(afs) {
            if is_it(client) {
                return Some((object, "its client's"));
            }
            if is_it(manager) {
                return Some((object, "its call manager's"));
            }
        }
        let mut vcs = self.vcs.iter();
        let third = vcs.find(|(_, it)| it.miniport.as_ref().is_some_and(|m| is_it(m.context)));
        if let Some((number, _)) = third {
            let object = ObjectId::new(Kind::ClientVc, *number);
            return Some((object, "its miniport's"));
        }
        let mut bindings = self.bindings.iter().filter(|(_, it)| is_it(it.context));
        if let Some((number, _)) = bindings.next() {
            return Some((ObjectId::new(Kind::Binding, *number), "the protocol's"));
        }
        let mut adapters = self.adapters.iter();
        let found = adapters.find(|(_, it)| it.context.is_some_and(is_it));
        found.map(|(number, _)| (ObjectId::new(Kind::Adapter, *number), "the miniport's"))
    }

    /// The driver that an object belongs to, on one of its sides.
    pub(crate) fn owner(&self, object: ObjectId, side: Side) -> Option<Arc<str>> {
        let manager = side != Side::Client;
        let af = match object.kind {
            Kind::ClientAf => self.afs.get(&object.number)?,
            Kind::ClientSap => self.afs.get(&self.saps.get(&object.number)?.af)?,
            Kind::ClientVc => {
                let vc = self.vcs.get(&object.number)?;
                if side == Side::Miniport && vc.miniport.is_some() {
                    return self.adapters.get(&vc.adapter).map(|a| a.who.clone());
                }
                let Some(af) = vc.af else {
                    return self.manager_driver(vc.served_by).map(|(_, who)| who);
                };
                self.afs.get(&af)?
            }
            Kind::Binding => return self.bindings.get(&object.number).map(|b| b.who.clone()),
            Kind::Adapter => return self.adapters.get(&object.number).map(|a| a.who.clone()),
            _ => return None,
        };
        Some(if manager {
            af.manager.clone()
        } else {
            af.client.clone()
        })
    }

    /// The adapter that carries the data of a VC.
    pub(crate) fn adapter_of_vc(&self, vc: u32) -> Option<u32> {
        Some(self.vcs.get(&vc)?.adapter)
    }

    /// Who sends and receives on a VC: its client or, on its own, a stand-alone call
    /// manager. The binding, and the context for the VC.
    pub(crate) fn end_of_vc(&self, vc: &Vc) -> Option<(u32, Context)> {
        match (vc.af, vc.served_by) {
            (Some(af), _) => Some((self.afs.get(&af)?.binding, vc.client_context)),
            (None, Manager::Alone { binding }) => Some((binding, vc.manager_context)),
            (None, Manager::Mcm { .. }) => None,
        }
    }

    /// Whether a VC is an MCM's.
    pub(crate) fn is_mcms(&self, vc: u32) -> bool {
        let vc = self.vcs.get(&vc);
        vc.is_some_and(|vc| matches!(vc.served_by, Manager::Mcm { .. }))
    }

    /// Who carries the data of a VC: a miniport, or the MCM.
    pub(crate) fn carrier_of(&self, vc: &Vc) -> Option<(u32, Arc<str>)> {
        let adapter = self.adapters.get(&vc.adapter)?;
        Some((adapter.driver, adapter.who.clone()))
    }

    pub(crate) fn vcs_of(&self, af: u32) -> impl Iterator<Item = (u32, &Vc)> {
        self.vcs
            .iter()
            .filter(move |(_, vc)| vc.af == Some(af))
            .map(|(number, vc)| (*number, vc))
    }

    pub(crate) fn saps_of(&self, af: u32) -> impl Iterator<Item = (u32, &Sap)> {
        self.saps
            .iter()
            .filter(move |(_, sap)| sap.af == af)
            .map(|(number, sap)| (*number, sap))
    }

    /// The call manager that an object belongs to.
    pub(crate) fn manager_of(&self, object: ObjectId) -> Option<Manager> {
        let af = match object.kind {
            Kind::Adapter => {
                let mcm = Manager::Mcm {
                    adapter: object.number,
                };
                return self.manager_handlers(mcm).map(|_| mcm);
            }
            Kind::ClientAf => object.number,
            Kind::ClientSap => self.saps.get(&object.number)?.af,
            Kind::ClientVc => return self.vcs.get(&object.number).map(|vc| vc.served_by),
            Kind::ClientParty => self.vcs.get(&self.parties.get(&object.number)?.vc)?.af?,
            _ => return None,
        };
        Some(self.afs.get(&af)?.served_by)
    }

    /// The handlers of a call manager.
    pub(crate) fn manager_handlers(
        &self,
        manager: Manager,
    ) -> Option<&NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS> {
        let table = match manager {
            Manager::Mcm { adapter } => {
                let adapter = self.adapters.get(&adapter)?;
                &self.miniports.get(&adapter.miniport)?.cm
            }
            Manager::Alone { binding } => {
                let binding = self.bindings.get(&binding)?;
                let of_protocol = || self.protocols.get(&binding.protocol)?.cm.as_ref();
                return binding.cm.as_ref().or_else(of_protocol).map(|cm| &cm.0);
            }
        };
        table.as_ref().map(|cm| &cm.0)
    }

    /// What a call manager gets with the open of a family: its context for what it stands
    /// on.
    pub(crate) fn manager_context(&self, manager: Manager) -> Option<Context> {
        match manager {
            Manager::Mcm { adapter } => self.adapters.get(&adapter)?.context,
            Manager::Alone { binding } => Some(self.bindings.get(&binding)?.context),
        }
    }

    /// The driver that a call manager is.
    pub(crate) fn manager_driver(&self, manager: Manager) -> Option<(u32, Arc<str>)> {
        Some(match manager {
            Manager::Mcm { adapter } => {
                let adapter = self.adapters.get(&adapter)?;
                (adapter.driver, adapter.who.clone())
            }
            Manager::Alone { binding } => {
                let binding = self.bindings.get(&binding)?;
                (binding.driver, binding.who.clone())
            }
        })
    }

    /// Whether a driver can only be a stand-alone call manager, among call managers.
    pub(crate) fn manages_alone(&self, driver: u32) -> bool {
        let miniport = self
            .drivers
            .get(&driver)
            .is_some_and(|d| d.miniport.is_some());
        let mut protocols = self.protocols.values();
        !miniport && protocols.any(|p| p.driver == driver && p.cm.is_some())
    }

    /// The call-manager handlers behind an address family.
    pub(crate) fn manager(&self, af: u32) -> Option<&NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS> {
        self.manager_handlers(self.afs.get(&af)?.served_by)
    }

    /// The client handlers behind an address family.
    pub(crate) fn client(&self, af: u32) -> Option<&NDIS_CO_CLIENT_OPTIONAL_HANDLERS> {
        self.client_of(self.afs.get(&af)?.binding)
    }

    /// The client handlers behind a binding.
    pub(crate) fn client_of(&self, binding: u32) -> Option<&NDIS_CO_CLIENT_OPTIONAL_HANDLERS> {
        let binding = self.bindings.get(&binding)?;
        let of_protocol = || self.protocols.get(&binding.protocol)?.client.as_ref();
        let table = binding.client.as_ref().or_else(of_protocol);
        table.map(|client| &client.0)
    }

    /// Whether a call manager takes clients: what it stands on is not about to go.
    pub(crate) fn serves(&self, manager: Manager) -> bool {
        match manager {
            Manager::Mcm { .. } => true,
            Manager::Alone { binding } => {
                let binding = self.bindings.get(&binding);
                binding.is_some_and(|b| !b.closing && !b.unbinding)
            }
        }
    }

    /// The connection-oriented protocol handlers behind a binding.
    pub(crate) fn protocol_co(&self, binding: u32) -> Option<&NDIS_PROTOCOL_CO_CHARACTERISTICS> {
        let binding = self.bindings.get(&binding)?;
        let of_protocol = || self.protocols.get(&binding.protocol)?.co.as_ref();
        binding.co.as_ref().or_else(of_protocol).map(|co| &co.0)
    }

    /// The connection-oriented miniport handlers behind an adapter.
    pub(crate) fn miniport_co(&self, adapter: u32) -> Option<&NDIS_MINIPORT_CO_CHARACTERISTICS> {
        let adapter = self.adapters.get(&adapter).filter(|a| !a.connectionless)?;
        let miniport = self.miniports.get(&adapter.miniport)?;
        miniport.co.as_ref().map(|co| &co.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::af::Af;
    use crate::model::binding::Binding;
    use crate::model::driver::Copied;
    use crate::model::request::Asked;
    use crate::model::vc::{Owners, Vc};

    /// A world with one family of each kind of call manager, and a VC on each: 1 is an
    /// MCM's, 2 a stand-alone call manager's.
    pub(crate) fn world() -> World {
        let mut world = World::default();
        let binding = Binding::new(0, 1, 1, 7, "alone".into(), Context::NULL);
        world.bindings.insert(5, binding);
        let kinds = [Manager::Mcm { adapter: 1 }, Manager::Alone { binding: 5 }];
        for (number, served_by) in (1..).zip(kinds) {
            let (client, manager) = ((3, "client".into()), (7, "manager".into()));
            let af = Af::new((0, 0), served_by, (1, 2), client, manager, Context::NULL);
            world.afs.insert(number, af);
            let owners = Owners {
                af: Some(number),
                served_by,
                adapter: 1,
                by_client: true,
                lower: None,
            };
            let vc = Vc::new((0, 0), owners, Context::NULL);
            world.vcs.insert(number, vc);
        }
        world
    }

    #[test]
    fn what_is_not_answered_is_named_as_its_call_manager_knows_it() {
        let mut world = world();
        for vc in [1, 2] {
            let request = world.request_mut(Asked::MakeCall(vc)).expect("a VC");
            let serial = request.begin();
            request.returned(serial, ndis_sys::NDIS_STATUS_PENDING);
        }
        let open: alloc::vec::Vec<_> = world.unanswered();
        let names: alloc::vec::Vec<_> = open.iter().map(|(_, what, _)| *what).collect();
        assert_eq!(names, ["NdisMCmMakeCallComplete", "NdisCmMakeCallComplete"]);
    }

    #[test]
    fn a_call_manager_is_found_by_what_it_stands_on() {
        let world = world();
        let vc = |number| world.manager_of(ObjectId::new(Kind::CallManagerVc, number));
        assert_eq!(vc(1), Some(Manager::Mcm { adapter: 1 }));
        assert_eq!(vc(2), Some(Manager::Alone { binding: 5 }));
        assert_eq!(vc(3), None);
        let driver = world.manager_driver(Manager::Alone { binding: 5 });
        assert_eq!(driver, Some((7, "alone".into())));
    }

    #[test]
    fn a_driver_manages_alone_unless_it_is_a_miniports() {
        /// A structure of zeroes.
        fn zeroed<T>() -> Copied<T> {
            // SAFETY: tables of numbers and optional functions.
            Copied(unsafe { core::mem::MaybeUninit::zeroed().assume_init() })
        }
        let protocol = |cm| Protocol {
            raw: 0,
            driver: 7,
            who: "alone".into(),
            context: Context::NULL,
            handlers: zeroed(),
            co: None,
            client: None,
            cm,
            setting_options: false,
            leaving: false,
        };
        let driver = |miniport| Driver {
            name: "alone".into(),
            object: crate::callback::Ptr(core::ptr::null_mut()),
            miniport,
            loader: None,
        };
        let mut world = world();
        world.drivers.insert(7, driver(None));
        world.protocols.insert(1, protocol(None));
        assert!(!world.manages_alone(7), "a client");
        world.protocols.insert(1, protocol(Some(zeroed())));
        assert!(world.manages_alone(7));
        assert!(!world.manages_alone(8), "another driver");
        world.drivers.insert(7, driver(Some(1)));
        assert!(!world.manages_alone(7), "a miniport's");
    }
}
