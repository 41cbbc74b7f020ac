//! Protocols open and close adapters, and answer bind, unbind and events.

use crate::callback::{Context, Ptr, handle};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::binding::Binding;
use crate::model::manager::Manager;
use crate::model::request::Asked;
use crate::net::ListState;
use crate::oid::wait_for_requests_of_binding;
use crate::readings::AfOffers;
use crate::sched::Work;
use crate::state::State;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OPEN_PARAMETERS, NET_PNP_EVENT_NOTIFICATION};

const OPEN: Call = Call::new("NdisOpenAdapterEx").passive("IRQL-117");
const CLOSE: Call = Call::new("NdisCloseAdapterEx").passive("IRQL-118");
const UNBIND: Call = Call::new("NdisUnbindAdapter");
const COMPLETE_BIND: Call = Call::new("NdisCompleteBindAdapterEx").unlocked("GEN-01");
const COMPLETE_UNBIND: Call = Call::new("NdisCompleteUnbindAdapterEx").unlocked("GEN-01");
const COMPLETE_EVENT: Call = Call::new("NdisCompleteNetPnPEvent")
    .passive("IRQL-122")
    .unlocked("GEN-01");

impl State {
    /// Opens the adapter of a bind request.
    fn open_adapter(
        &mut self,
        protocol: usize,
        context: Context,
        bind: usize,
        media: Option<&[i32]>,
    ) -> Result<(u32, usize, usize), i32> {
        let call = OPEN.name;
        let Some(protocol) = self.take(call, protocol, Kind::ProtocolDriver) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let request = match self.handles.look(bind) {
            crate::handle::Lookup::Live(Kind::Bind, number) => number,
            other => {
                let message = alloc::format!(
                    "{call} outside ProtocolBindAdapterEx: its bind context is {other}"
                );
                self.violate("BIND-01", other.object(), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
        };
        let object = ObjectId::new(Kind::Bind, request);
        let Some(record) = self.world.binds.get(&request) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if record.protocol != protocol || record.binding.is_some() {
            let message = alloc::format!("{call}: {object} is another protocol's, or already used");
            self.violate("BIND-01", Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        let adapter = record.adapter;
        let Some(medium) = self.world.adapters.get(&adapter).map(|a| a.media) else {
            return Err(n::NDIS_STATUS_ADAPTER_NOT_FOUND);
        };
        let index = match media {
            None => 0,
            Some(media) => media
                .iter()
                .position(|m| *m == medium)
                .ok_or(n::NDIS_STATUS_UNSUPPORTED_MEDIA)?,
        };
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        let Some((driver, who)) = self
            .world
            .protocols
            .get(&protocol)
            .map(|p| (p.driver, p.who.clone()))
        else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let number = self.number(Kind::Binding);
        let raw = self.handles.make(Kind::Binding, number);
        let binding = Binding::new(raw, adapter, protocol, driver, who, context);
        self.world.bindings.insert(number, binding);
        if let Some(record) = self.world.binds.get_mut(&request) {
            record.binding = Some(number);
        }
        Ok((number, raw, index))
    }

    /// Lists that a binding has not returned.
    pub(crate) fn receives_of(&self, binding: u32) -> usize {
        self.buffers
            .lists
            .values()
            .filter(|list| {
                matches!(list.state, ListState::Indicated { binding: b, .. } if b == binding)
            })
            .count()
    }

    /// Sends of a binding that are not completed.
    pub(crate) fn sends_of(&self, binding: u32) -> u32 {
        self.world
            .vcs
            .values()
            .filter(|vc| {
                let end = self.world.end_of_vc(vc);
                end.is_some_and(|(end, _)| end == binding)
            })
            .map(|vc| vc.sends)
            .sum()
    }

    fn close_adapter(&mut self, raw: usize) -> Option<(u32, bool)> {
        let call = CLOSE.name;
        let number = self.take(call, raw, Kind::Binding)?;
        let object = ObjectId::new(Kind::Binding, number);
        let during_bind = self.is_being_bound(number);
        let unbinding = self
            .world
            .unbinds
            .values()
            .any(|unbind| unbind.binding == Some(number) && unbind.request.open());
        if !during_bind && !unbinding {
            let message = alloc::format!("{call} on {object} outside a bind or unbind request");
            self.violate("BIND-12", Some(object), message);
        }
        let afs = self
            .world
            .afs
            .values()
            .filter(|af| af.binding == number && !af.ended)
            .count();
        if afs > 0 {
            let message = alloc::format!("{call} on {object} with {afs} address families open");
            self.violate("BIND-18", Some(object), message);
        }
        self.check_manager_left(call, number);
        if let Some(on) = self.world.bindings.get(&number).map(|b| b.adapter) {
            self.give_families_back(on, Manager::Alone { binding: number });
        }
        self.end_configurations(Kind::Binding, number, "CFG-06", call);
        let sends = self.sends_of(number);
        if sends > 0 {
            let message = alloc::format!("{call} on {object} with {sends} sends outstanding");
            self.violate("BIND-11", Some(object), message);
        }
        let requests = self.requests_of(number);
        if requests > 0 {
            let message = alloc::format!("{call} on {object} with {requests} requests outstanding");
            self.violate("BIND-11", Some(object), message);
        }
        self.handles.kill(raw);
        if let Some(binding) = self.world.bindings.get_mut(&number) {
            binding.closing = true;
            binding.running = false;
        }
        let later = self.rng.chance(1, 4) || self.busy(number) || requests > 0;
        Some((number, later))
    }

    /// Whether the bind that has made a binding goes on.
    pub(crate) fn is_being_bound(&self, binding: u32) -> bool {
        let mut binds = self.world.binds.values();
        binds.any(|bind| bind.binding == Some(binding) && bind.request.open())
    }

    /// BIND-19, BIND-40: what a stand-alone call manager has left when it closes its binding.
    fn check_manager_left(&mut self, call: &str, binding: u32) {
        let alone = Manager::Alone { binding };
        let open: Vec<(u32, Arc<str>)> = self
            .world
            .afs
            .iter()
            .filter(|(_, af)| af.served_by == alone && !af.ended)
            .map(|(number, af)| (*number, af.client.clone()))
            .collect();
        for (number, client) in open {
            let af = ObjectId::new(Kind::ClientAf, number);
            let message = alloc::format!(
                "{call} on {} of a call manager with {af} of {client} open",
                ObjectId::new(Kind::Binding, binding)
            );
            self.violate("BIND-19", Some(af), message);
        }
        let own: Vec<u32> = self
            .world
            .vcs
            .iter()
            .filter(|(_, vc)| vc.served_by == alone && vc.af.is_none())
            .map(|(number, _)| *number)
            .collect();
        for number in own {
            let vc = ObjectId::new(Kind::ClientVc, number);
            let message = alloc::format!(
                "{call} on {} with {vc}, which its call manager made for itself",
                ObjectId::new(Kind::Binding, binding)
            );
            self.violate("BIND-40", Some(vc), message);
        }
    }

    /// Whether a closing binding must stay a while: its protocol has lists, or is being
    /// offered an address family.
    fn busy(&self, binding: u32) -> bool {
        let offers = |b: &Binding| b.notifications > 0 || b.being_told;
        self.receives_of(binding) > 0 || self.world.bindings.get(&binding).is_some_and(offers)
    }

    /// The open has succeeded: under one reading the offers come at once.
    fn adapter_opened(&mut self, binding: u32) {
        self.set_opened(binding);
        if self.readings.af_offers == AfOffers::DuringBind {
            self.notify_families(binding);
        }
    }

    /// A bind that was answered before its open had completed gets its offers now.
    fn offer_to_bound(&mut self, binding: u32) {
        let mut binds = self.world.binds.values();
        let bound = !binds.any(|bind| bind.binding == Some(binding));
        let alive = self
            .world
            .bindings
            .get(&binding)
            .is_some_and(|b| !b.closing);
        if bound && alive {
            self.notify_families(binding);
        }
    }

    fn set_opened(&mut self, binding: u32) {
        if let Some(record) = self.world.bindings.get_mut(&binding) {
            record.opened = true;
        }
    }

    /// BIND-15: an unbind that is reported complete while the close goes on.
    pub(crate) fn check_unbound(&mut self, binding: u32, what: &str) {
        let Some(record) = self.world.bindings.get(&binding) else {
            return;
        };
        if record.closing && !record.closed {
            let object = ObjectId::new(Kind::Binding, binding);
            let who = record.who.clone();
            let message =
                alloc::format!("{what}, and the close of {object}, which pends, has not completed");
            self.violate_by(who, "BIND-15", Some(object), message);
        }
    }

    /// The binding that the running driver's bind has opened, if that bind goes on: the
    /// driver may not have seen the handle yet.
    fn binds_now(&self) -> Option<u32> {
        let driver = self.driver()?;
        self.world.binds.values().find_map(|bind| {
            let binding = bind.binding?;
            let own = self.world.bindings.get(&binding)?.driver == driver;
            (own && bind.request.open()).then_some(binding)
        })
    }

    /// The binding that a family is opened on. A handler that runs while the bind goes on
    /// must have the handle all the same; one whose binding is being closed meanwhile
    /// cannot know.
    pub(crate) fn binding_to_open_on(
        &mut self,
        call: &'static str,
        raw: usize,
    ) -> Result<u32, i32> {
        let found = self.handles.look(raw);
        match found {
            Lookup::Live(Kind::Binding, number) => return Ok(number),
            Lookup::Stale(Kind::Binding, number) => {
                let offered = |b: &Binding| b.notifications > 0;
                if self.world.bindings.get(&number).is_some_and(offered) {
                    return Err(n::NDIS_STATUS_CLOSING);
                }
            }
            Lookup::Null => {
                if let Some(binding) = self.binds_now() {
                    let object = ObjectId::new(Kind::Binding, binding);
                    let message = alloc::format!(
                        "{call} with a NULL handle: the offer came before the bind had returned, \
                         and the driver has not kept the handle of {object}"
                    );
                    self.violate("AF-52", Some(object), message);
                    return Err(n::NDIS_STATUS_FAILURE);
                }
            }
            _ => {}
        }
        self.bad_handle(call, found, "the live handle of a binding");
        Err(n::NDIS_STATUS_FAILURE)
    }
}

exports! { EXPORTS {
    /// Opens an adapter from within a bind request.
    fn NdisOpenAdapterEx(
        protocol: NDIS_HANDLE,
        context: NDIS_HANDLE,
        parameters: *mut NDIS_OPEN_PARAMETERS,
        bind: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(OPEN, &[protocol, bind]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if parameters.is_null() || out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        // SAFETY: the caller's structure.
        let count = unsafe { (*parameters).MediumArraySize };
        // SAFETY: as above.
        let array = unsafe { (*parameters).MediumArray };
        let media = if array.is_null() || count == 0 {
            None
        } else {
            // SAFETY: the caller's array of that many media.
            Some(unsafe { core::slice::from_raw_parts(array, count as usize) })
        };
        let opened = cx.with(|s| {
            s.open_adapter(protocol.addr(), Context(context), bind.addr(), media)
        });
        let (number, raw, index) = match opened {
            Ok(opened) => opened,
            Err(status) => return cx.done(status),
        };
        cx.about(ObjectId::new(Kind::Binding, number));
        // SAFETY: the caller's structure.
        let selected = unsafe { (*parameters).SelectedMediumIndex };
        if !selected.is_null() {
            // SAFETY: the caller's variable for the index.
            unsafe { selected.write(index as u32) };
        }
        let later = cx.with(|s| s.rng.chance(1, 4));
        if !later {
            // SAFETY: the caller's variable for the result.
            unsafe { out.write(handle(raw)) };
            cx.with(|s| s.adapter_opened(number));
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        let out = Ptr(out);
        cx.with(|s| {
            let callback = s.to_binding("ProtocolOpenAdapterCompleteEx", number);
            let protocol = s.world.bindings.get(&number).map(|b| b.protocol);
            let handler = protocol
                .and_then(|p| s.world.protocols.get(&p))
                .and_then(|p| p.handlers.0.OpenAdapterCompleteHandlerEx);
            let context = Context(context);
            s.sched.queue(Work {
                id: 0,
                name: "completion of an open".into(),
                irql: 0,
                frame: None,
                system: false,
                plug_and_play: true,
                run: job(move |cx| {
                    let (context, out) = (context, out);
                    let mut callback = callback;
                    callback.passive = Some("IRQL-141");
                    // SAFETY: the variable for the handle stays valid until the
                    // completion by contract (BIND-02).
                    unsafe { out.0.write(handle(raw)) };
                    let inside = cx.with(|s| {
                        let inside = s.readings.af_offers == AfOffers::DuringBind
                            && s.rng.chance(1, 2);
                        if inside {
                            s.set_opened(number);
                        } else {
                            s.adapter_opened(number);
                        }
                        inside
                    });
                    if let Some(handler) = handler {
                        cx.call(&callback, || {
                            // SAFETY: the driver's handler with its context.
                            unsafe { handler(context.0, n::NDIS_STATUS_SUCCESS) };
                        });
                    }
                    if inside {
                        for offer in cx.with(|s| s.offers(number)) {
                            offer(cx);
                        }
                    }
                    cx.with(|s| s.offer_to_bound(number));
                }),
            });
        });
        cx.done(n::NDIS_STATUS_PENDING)
    }

    /// Closes a binding.
    fn NdisCloseAdapterEx(binding: NDIS_HANDLE) -> i32 {
        let cx = Cx::enter(CLOSE, &[binding]);
        let Some((number, later)) = cx.with(|s| s.close_adapter(binding.addr())) else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        if !later {
            cx.with(|s| s.end_binding(number));
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        cx.with(|s| {
            let mut callback = s.to_binding("ProtocolCloseAdapterCompleteEx", number);
            callback.passive = Some("IRQL-142");
            let record = s.world.bindings.get(&number);
            let context = record.map_or(Context::NULL, |b| b.context);
            let handler = record
                .and_then(|b| s.world.protocols.get(&b.protocol))
                .and_then(|p| p.handlers.0.CloseAdapterCompleteHandlerEx);
            s.sched.queue(Work {
                id: 0,
                name: "completion of a close".into(),
                irql: 0,
                frame: None,
                system: false,
                plug_and_play: true,
                run: job(move |cx| {
                    let context = context;
                    wait_for_requests_of_binding(cx, number);
                    cx.wait_until(
                        "NBL-25",
                        &callback.who,
                        callback.objects[0],
                        "the return of the received lists",
                        move |s| !s.busy(number),
                    );
                    cx.with(|s| {
                        if let Some(record) = s.world.bindings.get_mut(&number) {
                            record.closed = true;
                        }
                    });
                    if let Some(handler) = handler {
                        cx.call(&callback, || {
                            // SAFETY: the driver's handler with its context.
                            unsafe { handler(context.0) };
                        });
                    }
                    cx.with(|s| s.end_binding(number));
                }),
            });
        });
        cx.done(n::NDIS_STATUS_PENDING)
    }

    /// Asks NDIS to unbind.
    fn NdisUnbindAdapter(binding: NDIS_HANDLE) -> i32 {
        let cx = Cx::enter(UNBIND, &[binding]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let found = cx.with(|s| s.take(UNBIND.name, binding.addr(), Kind::Binding));
        let Some(number) = found else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        cx.with(|s| {
            if let Some(record) = s.world.bindings.get_mut(&number) {
                record.asked_to_go = true;
            }
            s.queue_step("unbind", move |cx| crate::pnp::unbind(cx, number));
        });
        cx.done(n::NDIS_STATUS_SUCCESS)
    }

    /// Completes a pended `ProtocolBindAdapterEx`.
    fn NdisCompleteBindAdapterEx(bind: NDIS_HANDLE, status: i32) {
        let cx = Cx::enter(COMPLETE_BIND, &[bind]);
        cx.done(status);
        cx.with(|s| {
            let call = COMPLETE_BIND.name;
            let Some(number) = s.take(call, bind.addr(), Kind::Bind) else {
                return;
            };
            let object = ObjectId::new(Kind::Bind, number);
            if !s.final_status(call, status, object) {
                return;
            }
            s.completes(call, "BIND-05", object, Asked::Bind(number), status);
        });
    }

    /// Completes a pended `ProtocolUnbindAdapterEx`.
    fn NdisCompleteUnbindAdapterEx(unbind: NDIS_HANDLE) {
        let cx = Cx::enter(COMPLETE_UNBIND, &[unbind]);
        cx.with(|s| {
            let call = COMPLETE_UNBIND.name;
            let Some(number) = s.take(call, unbind.addr(), Kind::Unbind) else {
                return;
            };
            let object = ObjectId::new(Kind::Unbind, number);
            let done = n::NDIS_STATUS_SUCCESS;
            if s.completes(call, "BIND-10", object, Asked::Unbind(number), done)
                && let Some(binding) = s.world.unbinds.get(&number).and_then(|u| u.binding)
            {
                s.check_unbound(binding, call);
            }
        });
    }

    /// Completes a pended `ProtocolNetPnPEvent`.
    fn NdisCompleteNetPnPEvent(
        binding: NDIS_HANDLE,
        event: *mut NET_PNP_EVENT_NOTIFICATION,
        status: i32,
    ) {
        let cx = Cx::enter(COMPLETE_EVENT, &[binding]);
        cx.done(status);
        cx.with(|s| {
            let call = COMPLETE_EVENT.name;
            let Some(number) = s.take(call, binding.addr(), Kind::Binding) else {
                return;
            };
            let object = ObjectId::new(Kind::Binding, number);
            if !s.final_status(call, status, object) {
                return;
            }
            let pended = s.world.events.get(&event.addr());
            if pended.is_some_and(|pended| pended.binding == number) {
                s.completes(call, "PAUSE-14", object, Asked::Event(event.addr()), status);
            } else {
                s.not_asked(call, "PAUSE-14", object);
            }
        });
    }
}}
