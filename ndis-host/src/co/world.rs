//! The objects of connection-oriented NDIS and how they hang together.
//!
//! The tables are made for all of it, stand-alone call managers and parties
//! included: who serves an address family is a question put to [`Af`], never
//! assumed.

use crate::callback::{Callback, Context, Ptr};
use crate::co::oid::OwnRequest;
pub(crate) use crate::co::request::{Asked, Request};
use crate::handle::{Kind, ObjectId};
use crate::ke::memory::Loan;
use crate::ke::system::Extension;
use crate::log::Histories;
use crate::report::ObjectLeft;
use crate::state::State;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use ndis_sys as n;
use ndis_sys::{
    CO_ADDRESS_FAMILY, DRIVER_OBJECT, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_MINIPORT_CO_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_PROTOCOL_CO_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NTSTATUS,
};

/// A structure of a driver, copied when it was handed over.
pub(crate) struct Copied<T>(pub(crate) T);

// SAFETY: the structures hold function pointers, numbers, and strings that the
// host never follows again.
unsafe impl<T> Send for Copied<T> {}

/// A loader's way to unload an image.
pub(crate) type Unload = Box<dyn FnOnce() -> NTSTATUS + Send>;

/// A loaded driver.
pub(crate) struct Driver {
    pub(crate) name: Arc<str>,
    pub(crate) object: Ptr<DRIVER_OBJECT>,
    pub(crate) miniport: Option<u32>,
    /// How a loader that is not the host's takes the image away. That loader
    /// has made a driver object of its own, and calls its unload routine.
    pub(crate) loader: Option<Unload>,
}

impl Driver {
    /// Whether `object` can be this driver's. One that another loader made is
    /// known to that loader only.
    pub(crate) fn is_object(&self, object: *mut DRIVER_OBJECT) -> bool {
        match self.loader {
            None => object == self.object.0,
            Some(_) => !object.is_null(),
        }
    }
}

/// A registration as miniport driver.
pub(crate) struct Miniport {
    pub(crate) raw: usize,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) handlers: Copied<NDIS_MINIPORT_DRIVER_CHARACTERISTICS>,
    pub(crate) co: Option<Copied<NDIS_MINIPORT_CO_CHARACTERISTICS>>,
    pub(crate) cm: Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
    /// Inside `MiniportSetOptions`.
    pub(crate) setting_options: bool,
}

/// A registration as protocol driver.
pub(crate) struct Protocol {
    pub(crate) raw: usize,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) handlers: Copied<NDIS_PROTOCOL_DRIVER_CHARACTERISTICS>,
    pub(crate) co: Option<Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>>,
    pub(crate) client: Option<Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>>,
    pub(crate) cm: Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
    pub(crate) setting_options: bool,
    /// Deregistration has begun.
    pub(crate) leaving: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AdapterPhase {
    Initializing,
    Paused,
    Restarting,
    Running,
    Pausing,
    Halting,
}

/// An address family that a call manager offers on an adapter.
pub(crate) struct Family {
    pub(crate) copy: Box<CO_ADDRESS_FAMILY>,
    /// The driver's own structure.
    pub(crate) original: Ptr<CO_ADDRESS_FAMILY>,
}

impl Family {
    pub(crate) fn key(family: &CO_ADDRESS_FAMILY) -> (i32, u32, u32) {
        (
            family.AddressFamily as i32,
            family.MajorVersion,
            family.MinorVersion,
        )
    }
}

/// An adapter.
pub(crate) struct Adapter {
    pub(crate) raw: usize,
    pub(crate) miniport: u32,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) context: Option<Context>,
    pub(crate) phase: AdapterPhase,
    pub(crate) general: bool,
    pub(crate) media: i32,
    pub(crate) families: Vec<Family>,
    pub(crate) pause: Request,
    pub(crate) restart: Request,
    /// The driver has been told that the device is gone: the notice has returned.
    pub(crate) removal_told: bool,
    /// Calls that indicate received data and have not returned.
    pub(crate) indicating: u32,
    /// The device's power state.
    pub(crate) power: i32,
    /// The OIDs that the driver says it supports.
    pub(crate) oids: Vec<u32>,
}

/// A protocol on an adapter.
pub(crate) struct Binding {
    pub(crate) raw: usize,
    pub(crate) adapter: u32,
    pub(crate) protocol: u32,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) running: bool,
    /// Has been told to restart once, at least.
    pub(crate) started: bool,
    /// The protocol has been told, or is being told, that its open has succeeded.
    pub(crate) opened: bool,
    /// `NdisCloseAdapterEx` was called; the handle is dead.
    pub(crate) closing: bool,
    /// The protocol is being told that the close is complete.
    pub(crate) closed: bool,
    /// The protocol has asked for the unbind, with `NdisUnbindAdapter`.
    pub(crate) asked_to_go: bool,
    /// Address-family notifications that are still to be made.
    pub(crate) notifications: u32,
    /// They have been asked for.
    pub(crate) offered: bool,
    pub(crate) unbinding: bool,
}

/// A bind or unbind request while it lasts.
pub(crate) struct BindRequest {
    pub(crate) adapter: u32,
    pub(crate) protocol: u32,
    pub(crate) binding: Option<u32>,
    pub(crate) request: Request,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AfPhase {
    Opening,
    Open,
    Closing,
}

/// One client's opening of one address family.
pub(crate) struct Af {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) adapter: u32,
    pub(crate) binding: u32,
    pub(crate) protocol: u32,
    pub(crate) client_driver: u32,
    pub(crate) client: Arc<str>,
    pub(crate) manager_driver: u32,
    pub(crate) manager: Arc<str>,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
    pub(crate) phase: AfPhase,
    /// The client has called `NdisClCloseAddressFamily`.
    pub(crate) closed_by_client: bool,
    pub(crate) open: Request,
    pub(crate) close: Request,
    /// The client's answer to the call manager's wish to close.
    pub(crate) notify: Request,
    /// The call manager has been told SUCCESS or will be told later.
    pub(crate) notified: bool,
    /// Ended for everything but the answer to the notification.
    pub(crate) ended: bool,
}

/// A registered SAP.
pub(crate) struct Sap {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) af: u32,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
    pub(crate) sap: Ptr<n::CO_SAP>,
    pub(crate) registered: bool,
    pub(crate) register: Request,
    pub(crate) deregister: Request,
    pub(crate) leaving: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    Inactive,
    Activating,
    Active,
    Deactivating,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallPhase {
    /// No call.
    None,
    /// The client asked for one.
    Making,
    /// An outgoing call stands.
    Up,
    /// The call manager offers one.
    Offered,
    /// And has hung up before or while the client answered.
    Withdrawn,
    /// The client took it.
    Accepted,
    /// And was told that it is connected.
    Connected,
    /// The client asked to close it.
    Closing,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::Activating => "being activated",
            Self::Active => "active",
            Self::Deactivating => "being deactivated",
        })
    }
}

impl fmt::Display for CallPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no call",
            Self::Making => "a call being made",
            Self::Up => "a call that is up",
            Self::Offered => "a call being offered",
            Self::Withdrawn => "an offer that was withdrawn",
            Self::Accepted => "an accepted call",
            Self::Connected => "a connected call",
            Self::Closing => "a call being closed",
        })
    }
}

/// A virtual connection.
pub(crate) struct Vc {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) af: u32,
    pub(crate) by_client: bool,
    pub(crate) client_context: Context,
    /// For an MCM, its one context for both halves.
    pub(crate) manager_context: Context,
    pub(crate) activity: Activity,
    pub(crate) activations: u32,
    pub(crate) deactivations: u32,
    pub(crate) activation_loan: Option<Loan>,
    pub(crate) phase: CallPhase,
    /// The phase that a refused close goes back to.
    pub(crate) before_close: CallPhase,
    /// How often the call manager has refused to close the call.
    pub(crate) refusals: u32,
    pub(crate) calls: u32,
    pub(crate) make: Request,
    pub(crate) close: Request,
    pub(crate) offer: Request,
    /// When the call manager had been told that the client refused the offer; the end of
    /// time before that, None when it did not refuse.
    pub(crate) refused_at: Option<u64>,
    /// The offer was withdrawn: no answer makes a call of it.
    pub(crate) withdrawn: bool,
    /// The client's answer, when the offer's handler has not returned yet.
    pub(crate) modify: Request,
    /// The call manager has announced the end of the call.
    pub(crate) incoming_close: bool,
    /// That announcement has reached the client.
    pub(crate) told: bool,
    /// And that the client has not answered it is reported.
    pub(crate) blamed: bool,
    /// When the announcement was over; the end of time while it is being made.
    pub(crate) told_at: u64,
    /// When the client's handler for that had returned: what it begins to send
    /// afterwards it sends knowingly.
    pub(crate) heard_at: u64,
    /// Lists that the miniport has not completed.
    pub(crate) sends: u32,
    /// Lists that the client has not returned.
    pub(crate) receives: u32,
    /// Calls that indicate data on it and have not returned.
    pub(crate) indicating: u32,
    /// Those of them whose lists come back with their return.
    pub(crate) lending: u32,
    pub(crate) multipoint: bool,
    /// The party that came with the call.
    pub(crate) first_party: Option<u32>,
    /// The client has deleted its VC before the call manager deactivated it.
    pub(crate) deleting: bool,
}

/// A party of a multipoint call.
pub(crate) struct Party {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) vc: u32,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
}

/// A plug-and-play event on its way through a protocol.
pub(crate) struct PendedEvent {
    pub(crate) binding: u32,
    pub(crate) request: Request,
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
    pub(crate) vcs: BTreeMap<u32, Vc>,
    pub(crate) parties: BTreeMap<u32, Party>,
    /// Which call a VC belongs to, ended VCs included.
    pub(crate) calls: BTreeMap<u32, u32>,
    pub(crate) last_call: u32,
    /// Requests of NDIS's own, by the address of the request.
    pub(crate) oids: BTreeMap<usize, OwnRequest>,
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
            Asked::Own(it) => $($borrow)+ $world.oids.$get(&it)?.request,
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
            Kind::ClientVc => self.calls.get(&object.number).copied(),
            Kind::ClientParty => {
                let party = self.parties.get(&object.number)?;
                self.calls.get(&party.vc).copied()
            }
            _ => None,
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
        let mut bindings = self.bindings.iter().filter(|(_, it)| is_it(it.context));
        if let Some((number, _)) = bindings.next() {
            return Some((ObjectId::new(Kind::Binding, *number), "the protocol's"));
        }
        let mut adapters = self.adapters.iter();
        let found = adapters.find(|(_, it)| it.context.is_some_and(is_it));
        found.map(|(number, _)| (ObjectId::new(Kind::Adapter, *number), "the miniport's"))
    }

    /// The driver that an object belongs to, on one of its sides.
    pub(crate) fn owner(&self, object: ObjectId, manager: bool) -> Option<Arc<str>> {
        let af = match object.kind {
            Kind::ClientAf => self.afs.get(&object.number)?,
            Kind::ClientSap => self.afs.get(&self.saps.get(&object.number)?.af)?,
            Kind::ClientVc => self.afs.get(&self.vcs.get(&object.number)?.af)?,
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

    pub(crate) fn vcs_of(&self, af: u32) -> impl Iterator<Item = (u32, &Vc)> {
        self.vcs
            .iter()
            .filter(move |(_, vc)| vc.af == af)
            .map(|(number, vc)| (*number, vc))
    }

    pub(crate) fn saps_of(&self, af: u32) -> impl Iterator<Item = (u32, &Sap)> {
        self.saps
            .iter()
            .filter(move |(_, sap)| sap.af == af)
            .map(|(number, sap)| (*number, sap))
    }

    pub(crate) fn parties_of(&self, vc: u32) -> impl Iterator<Item = (u32, &Party)> {
        self.parties
            .iter()
            .filter(move |(_, party)| party.vc == vc)
            .map(|(number, party)| (*number, party))
    }

    /// The call-manager handlers behind an address family.
    pub(crate) fn manager(&self, af: u32) -> Option<&NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS> {
        let adapter = self.adapters.get(&self.afs.get(&af)?.adapter)?;
        let miniport = self.miniports.get(&adapter.miniport)?;
        miniport.cm.as_ref().map(|cm| &cm.0)
    }

    /// The client handlers behind an address family.
    pub(crate) fn client(&self, af: u32) -> Option<&NDIS_CO_CLIENT_OPTIONAL_HANDLERS> {
        let protocol = self.protocols.get(&self.afs.get(&af)?.protocol)?;
        protocol.client.as_ref().map(|client| &client.0)
    }

    /// The connection-oriented protocol handlers behind a binding.
    pub(crate) fn protocol_co(&self, binding: u32) -> Option<&NDIS_PROTOCOL_CO_CHARACTERISTICS> {
        let protocol = self.protocols.get(&self.bindings.get(&binding)?.protocol)?;
        protocol.co.as_ref().map(|co| &co.0)
    }

    /// The connection-oriented miniport handlers behind an adapter.
    pub(crate) fn miniport_co(&self, adapter: u32) -> Option<&NDIS_MINIPORT_CO_CHARACTERISTICS> {
        let miniport = self.miniports.get(&self.adapters.get(&adapter)?.miniport)?;
        miniport.co.as_ref().map(|co| &co.0)
    }

    /// Requests that are open, and data on its way, as text.
    pub(crate) fn owed(&self) -> String {
        let mut text = String::new();
        let mut add = |object: ObjectId, what: &str| {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&alloc::format!("{object} ({what})"));
        };
        // What a binding that goes still has: somebody holds it.
        let goes = |af: &Af| self.bindings.get(&af.binding).is_some_and(|b| b.unbinding);
        for (number, af) in &self.afs {
            if goes(af) && !af.closed_by_client {
                add(
                    ObjectId::new(Kind::ClientAf, *number),
                    "not closed, and its binding goes",
                );
            }
            for (request, what) in [
                (&af.open, "its open"),
                (&af.close, "its close"),
                (&af.notify, "the client's answer to the wish to close it"),
            ] {
                if request.open() {
                    add(ObjectId::new(Kind::ClientAf, *number), what);
                }
            }
        }
        for (number, sap) in &self.saps {
            if self.afs.get(&sap.af).is_some_and(goes) && !sap.leaving {
                add(
                    ObjectId::new(Kind::ClientSap, *number),
                    "registered, and its binding goes",
                );
            }
            for (request, what) in [
                (&sap.register, "its registration"),
                (&sap.deregister, "its deregistration"),
            ] {
                if request.open() {
                    add(ObjectId::new(Kind::ClientSap, *number), what);
                }
            }
        }
        for (number, vc) in &self.vcs {
            let mut what = alloc::format!("{}, {}", vc.activity, vc.phase);
            for (request, name) in [
                (&vc.make, "make-call"),
                (&vc.offer, "offer"),
                (&vc.close, "close"),
            ] {
                if request.open() {
                    what.push_str(&alloc::format!(", its {name} is not answered"));
                }
            }
            if vc.told && vc.phase != CallPhase::Closing {
                what.push_str(", the hang-up is not answered");
            }
            if vc.refusals > 0 {
                let times = vc.refusals;
                what.push_str(&alloc::format!(", its close was refused {times} times"));
            }
            if vc.sends > 0 {
                what.push_str(&alloc::format!(", {} sends not completed", vc.sends));
            }
            if vc.receives > 0 {
                what.push_str(&alloc::format!(", {} lists not returned", vc.receives));
            }
            add(ObjectId::new(Kind::ClientVc, *number), &what);
        }
        text
    }

    /// Requests whose handler has returned PENDING and which nobody has completed: the
    /// object, the completion that is missing, and who owes it.
    pub(crate) fn unanswered(&self) -> Vec<(ObjectId, &'static str, Arc<str>)> {
        let mut all = Vec::new();
        let mut look = |request: &Request, object, what, who: &Arc<str>| {
            if request.pended() {
                all.push((object, what, who.clone()));
            }
        };
        for (number, af) in &self.afs {
            let object = ObjectId::new(Kind::ClientAf, *number);
            let (client, manager) = (&af.client, &af.manager);
            look(
                &af.open,
                object,
                "NdisMCmOpenAddressFamilyComplete",
                manager,
            );
            look(
                &af.close,
                object,
                "NdisMCmCloseAddressFamilyComplete",
                manager,
            );
            let notify = "NdisClNotifyCloseAddressFamilyComplete";
            look(&af.notify, object, notify, client);
        }
        for (number, sap) in &self.saps {
            let Some(af) = self.afs.get(&sap.af) else {
                continue;
            };
            let object = ObjectId::new(Kind::ClientSap, *number);
            let manager = &af.manager;
            look(&sap.register, object, "NdisMCmRegisterSapComplete", manager);
            let deregister = "NdisMCmDeregisterSapComplete";
            look(&sap.deregister, object, deregister, manager);
        }
        for (number, vc) in &self.vcs {
            let Some(af) = self.afs.get(&vc.af) else {
                continue;
            };
            let object = ObjectId::new(Kind::ClientVc, *number);
            look(&vc.make, object, "NdisMCmMakeCallComplete", &af.manager);
            look(&vc.close, object, "NdisMCmCloseCallComplete", &af.manager);
            look(&vc.offer, object, "NdisClIncomingCallComplete", &af.client);
        }
        all
    }

    /// The objects of `driver` (everybody's, for None) that are still there.
    pub(crate) fn left(&self, driver: Option<u32>, histories: &Histories) -> Vec<ObjectLeft> {
        let mut left = Vec::new();
        let mut add = |kind: Kind, number: u32, owner: &Arc<str>, by: u32, more: &str| {
            if driver.is_none_or(|d| d == by) {
                let object = ObjectId::new(kind, number);
                let origin = histories.first(object);
                let origin = origin.map_or_else(String::new, |past| {
                    alloc::format!(" (from {} at #{})", past.what, past.seq)
                });
                left.push(ObjectLeft {
                    kind: kind.name(),
                    name: alloc::format!("{object}{more}{origin}"),
                    tag: String::new(),
                    owner: owner.clone(),
                });
            }
        };
        for (number, it) in &self.miniports {
            add(Kind::MiniportDriver, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.protocols {
            add(Kind::ProtocolDriver, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.adapters {
            add(Kind::Adapter, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.bindings {
            add(Kind::Binding, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.afs {
            add(Kind::ClientAf, *number, &it.client, it.client_driver, "");
        }
        for (number, it) in &self.saps {
            if let Some(af) = self.afs.get(&it.af) {
                add(Kind::ClientSap, *number, &af.client, af.client_driver, "");
            }
        }
        for (number, it) in &self.vcs {
            if let Some(af) = self.afs.get(&it.af) {
                let (owner, by) = if it.by_client {
                    (&af.client, af.client_driver)
                } else {
                    (&af.manager, af.manager_driver)
                };
                add(Kind::ClientVc, *number, owner, by, "");
            }
        }
        for (number, it) in &self.parties {
            if let Some(af) = self.vcs.get(&it.vc).and_then(|vc| self.afs.get(&vc.af)) {
                add(Kind::ClientParty, *number, &af.client, af.client_driver, "");
            }
        }
        left
    }
}

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
        Callback {
            name,
            driver,
            who,
            passive: None,
            objects: [Some(object), None, None],
        }
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
        Callback {
            name,
            driver,
            who,
            passive: None,
            objects: [Some(object), None, None],
        }
    }

    /// A callback to the miniport of an adapter.
    pub(crate) fn to_adapter(&self, name: &'static str, adapter: u32) -> Callback {
        let (driver, who) = self
            .world
            .adapters
            .get(&adapter)
            .map_or((0, self.ndis.clone()), |a| (a.driver, a.who.clone()));
        Callback {
            name,
            driver,
            who,
            passive: None,
            objects: [Some(ObjectId::new(Kind::Adapter, adapter)), None, None],
        }
    }

    /// A callback to the protocol of a binding.
    pub(crate) fn to_binding(&self, name: &'static str, binding: u32) -> Callback {
        let (driver, who) = self
            .world
            .bindings
            .get(&binding)
            .map_or((0, self.ndis.clone()), |b| (b.driver, b.who.clone()));
        Callback {
            name,
            driver,
            who,
            passive: None,
            objects: [Some(ObjectId::new(Kind::Binding, binding)), None, None],
        }
    }

    /// A run has come to its end: what is still asked is kept for the report.
    pub(crate) fn note_unanswered(&mut self) {
        let open = self.world.unanswered().into_iter();
        self.ledger.unanswered = open
            .map(|(object, what, who)| alloc::format!("{what} of {object} by {who}"))
            .collect();
    }
}
