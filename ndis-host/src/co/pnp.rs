//! Plug and play: an adapter's life from initialize to halt, and the protocols
//! that come and go meanwhile. Each step is a task of the host; one at a time.

use crate::co::world::{Adapter, AdapterPhase, BindRequest, PendedEvent, Request, Returned};
use crate::cx::{Callback, Context, Cx, handle};
use crate::handle::{Kind, ObjectId};
use crate::net::ListState;
use crate::readings::{CopiesAddressFamily, NotifyClose};
use crate::rules;
use crate::sched::{HostWait, TaskId, Wait, Work};
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use ndis_sys as n;
use ndis_sys::{
    NDIS_BIND_PARAMETERS, NDIS_MINIPORT_INIT_PARAMETERS, NDIS_MINIPORT_PAUSE_PARAMETERS,
    NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_OBJECT_HEADER, NET_DEVICE_PNP_EVENT,
    NET_PNP_EVENT_NOTIFICATION, UNICODE_STRING,
};

/// A structure of zeroes.
///
/// # Safety
///
/// Zeroes are a valid `T`.
unsafe fn zeroed<T>() -> T {
    // SAFETY: by contract.
    unsafe { MaybeUninit::<T>::zeroed().assume_init() }
}

const fn header(kind: i32, revision: i32, size: usize) -> NDIS_OBJECT_HEADER {
    NDIS_OBJECT_HEADER {
        Type: kind as u8,
        Revision: revision as u8,
        Size: size as u16,
    }
}

/// A string for the time of a call.
struct Text {
    units: Vec<u16>,
}

impl Text {
    fn new(text: &str) -> Self {
        Self {
            units: text.encode_utf16().chain([0]).collect(),
        }
    }

    fn unicode(&mut self) -> UNICODE_STRING {
        let length = ((self.units.len() - 1) * 2) as u16;
        UNICODE_STRING {
            Length: length,
            MaximumLength: length + 2,
            Buffer: self.units.as_mut_ptr(),
        }
    }
}

/// Waits for the end of another step of plug and play, and keeps others out.
pub(crate) fn lock(cx: &Cx) {
    let who = cx.with(|s| s.ndis.clone());
    let locked = cx.core.wait(cx.task, None, |s| {
        if !s.world.plug_and_play {
            s.world.plug_and_play = true;
            return Ok(());
        }
        Err(Wait::Host(HostWait {
            what: "another step of plug and play".to_string(),
            rule: "",
            object: None,
            who: who.clone(),
            condition: Box::new(|s| !s.world.plug_and_play),
        }))
    });
    let _ = locked;
}

pub(crate) fn unlock(cx: &Cx) {
    cx.with(|s| s.world.plug_and_play = false);
}

impl State {
    /// Queues a step of plug and play.
    pub(crate) fn queue_step(
        &mut self,
        name: &str,
        run: impl FnOnce(&Cx) + Send + 'static,
    ) -> TaskId {
        self.sched.queue(Work {
            id: 0,
            name: name.into(),
            irql: 0,
            frame: None,
            system: false,
            plug_and_play: true,
            run: Box::new(run),
        })
    }

    /// A new protocol: bind it to every adapter.
    pub(crate) fn queue_binding_of(&mut self, protocol: u32) {
        self.queue_step("bind a protocol", move |cx| {
            lock(cx);
            let adapters: Vec<u32> = cx.with(|s| {
                let mut all: Vec<u32> = s
                    .world
                    .adapters
                    .iter()
                    .filter(|(_, a)| {
                        matches!(a.phase, AdapterPhase::Running | AdapterPhase::Paused)
                    })
                    .map(|(number, _)| *number)
                    .collect();
                s.rng.shuffle(&mut all);
                all
            });
            for adapter in adapters {
                bind(cx, adapter, protocol);
                let running = cx.with(|s| {
                    s.world
                        .adapters
                        .get(&adapter)
                        .is_some_and(|a| a.phase == AdapterPhase::Running)
                });
                if running {
                    restart_bindings(cx, adapter);
                }
            }
            unlock(cx);
        });
    }

    /// Checks that nothing is in the air when a miniport says it has paused.
    pub(crate) fn check_drained(&mut self, adapter: u32, call: &str) {
        let object = ObjectId::new(Kind::Adapter, adapter);
        let (mut sends, mut receives) = (0, 0);
        for list in self.buffers.lists.values() {
            match list.state {
                ListState::Sent { vc, .. } if self.adapter_of_vc(vc) == Some(adapter) => sends += 1,
                ListState::Indicated { adapter: a, .. } if a == adapter => receives += 1,
                _ => {}
            }
        }
        if sends + receives > 0 {
            let message = alloc::format!(
                "{call}: the pause of {object} is reported complete with {sends} sends not \
                 completed and {receives} indicated lists not returned"
            );
            self.violate("PAUSE-03", Some(object), message);
        }
    }

    pub(crate) fn adapter_of_vc(&self, vc: u32) -> Option<u32> {
        let af = self.world.vcs.get(&vc)?.af;
        Some(self.world.afs.get(&af)?.adapter)
    }
}

/// Starts an adapter of `miniport`; the number of the adapter, or the status
/// that its initialization failed with.
pub(crate) fn add_adapter(cx: &Cx, miniport: u32) -> Result<u32, i32> {
    lock(cx);
    let result = start(cx, miniport);
    unlock(cx);
    result
}

fn start(cx: &Cx, miniport: u32) -> Result<u32, i32> {
    let prepared = cx.with(|s| {
        let (driver, who, handler, context) = s.world.miniports.get(&miniport).map(|m| {
            (
                m.driver,
                m.who.clone(),
                m.handlers.0.InitializeHandlerEx,
                m.context,
            )
        })?;
        let handler = handler?;
        let number = s.number(Kind::Adapter);
        let raw = s.handles.make(Kind::Adapter, number);
        s.world.adapters.insert(
            number,
            Adapter {
                raw,
                miniport,
                driver,
                who: who.clone(),
                name: alloc::format!("\\Device\\{{adapter-{number}}}").into(),
                context: None,
                phase: AdapterPhase::Initializing,
                general: false,
                media: 0,
                families: Vec::new(),
                pause: Request::default(),
                restart: Request::default(),
                restart_status: 0,
                removed: false,
            },
        );
        let callback = Callback {
            name: "MiniportInitializeEx",
            driver,
            who,
            passive: Some("IRQL-127"),
            objects: [Some(ObjectId::new(Kind::Adapter, number)), None, None],
        };
        Some((number, raw, handler, context, callback))
    });
    let Some((number, raw, handler, context, callback)) = prepared else {
        return Err(n::NDIS_STATUS_FAILURE);
    };
    let object = ObjectId::new(Kind::Adapter, number);
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_MINIPORT_INIT_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS,
        n::NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_INIT_PARAMETERS>(),
    );
    parameters.IfIndex = number;
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler, called as documented.
        unsafe { handler(handle(raw), context.0, &raw mut parameters) }
    });
    if status != n::NDIS_STATUS_SUCCESS {
        cx.with(|s| {
            let allowed = [
                n::NDIS_STATUS_NOT_ACCEPTED,
                n::NDIS_STATUS_RESOURCES,
                n::NDIS_STATUS_FAILURE,
            ];
            if !allowed.contains(&status) {
                let message = alloc::format!(
                    "MiniportInitializeEx returned {}",
                    crate::status::Name(status)
                );
                s.violate_by(callback.who.clone(), "INIT-09", Some(object), message);
            }
            s.check_adapter_left(number, "INIT-10");
            s.end_adapter(number);
        });
        return Err(if status == n::NDIS_STATUS_PENDING {
            n::NDIS_STATUS_FAILURE
        } else {
            status
        });
    }
    cx.with(|s| {
        let general = s.world.adapters.get(&number).is_some_and(|a| a.general);
        if !general {
            s.violate_by(
                callback.who.clone(),
                "INIT-02",
                Some(object),
                "MiniportInitializeEx succeeded without setting the general attributes".into(),
            );
        }
        if let Some(adapter) = s.world.adapters.get_mut(&number) {
            adapter.phase = AdapterPhase::Paused;
        }
    });
    let protocols: Vec<u32> = cx.with(|s| {
        let mut all: Vec<u32> = s.world.protocols.keys().copied().collect();
        s.rng.shuffle(&mut all);
        all
    });
    for protocol in protocols {
        bind(cx, number, protocol);
    }
    restart(cx, number);
    Ok(number)
}

/// Binds one protocol to one adapter.
fn bind(cx: &Cx, adapter: u32, protocol: u32) {
    let prepared = cx.with(|s| {
        let record = s.world.protocols.get(&protocol)?;
        let bound = s
            .world
            .bindings
            .values()
            .any(|b| b.adapter == adapter && b.protocol == protocol);
        if record.leaving || record.setting_options || bound {
            return None;
        }
        let handler = record.handlers.0.BindAdapterHandlerEx?;
        let (driver, who, context) = (record.driver, record.who.clone(), record.context);
        let (name, media) = s
            .world
            .adapters
            .get(&adapter)
            .map(|a| (a.name.clone(), a.media))?;
        let number = s.number(Kind::Bind);
        let raw = s.handles.make(Kind::Bind, number);
        let mut request = Request::default();
        let serial = request.begin();
        s.world.binds.insert(
            number,
            BindRequest {
                adapter,
                protocol,
                binding: None,
                request,
                status: n::NDIS_STATUS_SUCCESS,
            },
        );
        let callback = Callback {
            name: "ProtocolBindAdapterEx",
            driver,
            who,
            passive: Some("IRQL-139"),
            objects: [
                Some(ObjectId::new(Kind::Bind, number)),
                Some(ObjectId::new(Kind::Adapter, adapter)),
                None,
            ],
        };
        Some((number, raw, serial, handler, context, name, media, callback))
    });
    let Some((number, raw, serial, handler, context, name, media, callback)) = prepared else {
        return;
    };
    let object = ObjectId::new(Kind::Bind, number);
    let mut text = Text::new(&name);
    let mut string = text.unicode();
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_BIND_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_BIND_PARAMETERS,
        n::NDIS_BIND_PARAMETERS_REVISION_4,
        size_of::<NDIS_BIND_PARAMETERS>(),
    );
    parameters.AdapterName = &raw mut string;
    parameters.BoundAdapterName = &raw mut string;
    parameters.MediaType = media;
    parameters.BoundIfIndex = adapter;
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler, called as documented.
        unsafe { handler(context.0, handle(raw), &raw mut parameters) }
    });
    let returned = cx.with(|s| {
        s.world
            .binds
            .get_mut(&number)
            .map(|bind| bind.request.returned(serial, status))
    });
    let status = match returned {
        Some(Returned::Now(status)) => status,
        Some(Returned::Twice(status)) => {
            cx.with(|s| s.answered_twice("ProtocolBindAdapterEx", status, object));
            status
        }
        _ => {
            cx.wait_until(
                "BIND-05",
                &callback.who,
                Some(object),
                "NdisCompleteBindAdapterEx",
                move |s| s.world.binds.get(&number).is_none_or(|b| !b.request.open()),
            );
            cx.with(|s| s.world.binds.get(&number).map_or(0, |b| b.status))
        }
    };
    cx.with(|s| {
        s.handles.kill(raw);
        let binding = s.world.binds.remove(&number).and_then(|b| b.binding);
        s.histories.end(object);
        let Some(binding) = binding else {
            return;
        };
        let open = s.world.bindings.get(&binding).is_some_and(|b| !b.closing);
        if status != n::NDIS_STATUS_SUCCESS {
            if open {
                let message = alloc::format!(
                    "the bind failed with {} and the adapter is still open",
                    crate::status::Name(status)
                );
                let object = ObjectId::new(Kind::Binding, binding);
                s.violate_by(callback.who.clone(), "BIND-08", Some(object), message);
                s.queue_step("unbind after a failed bind", move |cx| unbind(cx, binding));
            }
            return;
        }
        if open {
            s.notify_families(binding);
        }
    });
}

impl State {
    /// Queues the notifications of a new binding about every address family.
    fn notify_families(&mut self, binding: u32) {
        let Some(record) = self.world.bindings.get(&binding) else {
            return;
        };
        let (adapter, context) = (record.adapter, record.context);
        let Some(protocol) = self.world.protocols.get(&record.protocol) else {
            return;
        };
        if protocol.client.is_none() {
            return;
        }
        let Some(handler) = protocol
            .co
            .as_ref()
            .and_then(|co| co.0.CoAfRegisterNotifyHandler)
        else {
            return;
        };
        let copies = self.readings.copies_address_family == CopiesAddressFamily::Copies;
        let families: Vec<_> = self
            .world
            .adapters
            .get_mut(&adapter)
            .map(|a| {
                a.families
                    .iter_mut()
                    .map(|family| {
                        if copies {
                            crate::cx::Ptr(&raw mut *family.copy)
                        } else {
                            family.original
                        }
                    })
                    .collect()
            })
            .unwrap_or_default();
        for family in families {
            if let Some(record) = self.world.bindings.get_mut(&binding) {
                record.notifications += 1;
            }
            self.queue_step("address family notification", move |cx| {
                let (family, context) = (family, context);
                let callback = cx.with(|s| {
                    let alive = s
                        .world
                        .bindings
                        .get(&binding)
                        .is_some_and(|b| !b.closing && !b.unbinding);
                    alive.then(|| {
                        let mut callback = s.to_binding("ProtocolCoAfRegisterNotify", binding);
                        callback.passive = Some("IRQL-94");
                        callback
                    })
                });
                if let Some(callback) = callback {
                    cx.call(&callback, || {
                        // SAFETY: the driver's handler with its own context; the
                        // family lives as long as the adapter, which unbinds first.
                        unsafe { handler(context.0, family.0) };
                    });
                }
                cx.with(|s| {
                    if let Some(record) = s.world.bindings.get_mut(&binding) {
                        record.notifications -= 1;
                    }
                });
            });
        }
    }

    /// Reports what an adapter's driver has not given back.
    fn check_adapter_left(&mut self, adapter: u32, rule: &'static str) {
        let Some(who) = self.world.adapters.get(&adapter).map(|a| a.who.clone()) else {
            return;
        };
        let object = ObjectId::new(Kind::Adapter, adapter);
        let mut found: Vec<(&'static str, alloc::string::String)> = Vec::new();
        for (number, timer) in &self.timers.all {
            if timer.adapter == Some(adapter) && timer.set.is_some() {
                found.push(("DV-15", alloc::format!("timer {number} is still set")));
            }
            if timer.adapter == Some(adapter) {
                found.push((rule, alloc::format!("timer {number} is not freed")));
            }
        }
        for (number, item) in &self.work_items.all {
            if item.adapter == Some(adapter) {
                found.push(("DV-20", alloc::format!("work item {number} is not freed")));
            }
        }
        for (number, pool) in &self.buffers.pools {
            if pool.adapter == Some(adapter) {
                let number = number & !(1 << 31);
                found.push((rule, alloc::format!("pool {number} is not freed")));
            }
        }
        for (rule, text) in found {
            let message = alloc::format!("{object} is gone and {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
    }

    fn end_adapter(&mut self, number: u32) {
        if let Some(adapter) = self.world.adapters.remove(&number) {
            self.handles.kill(adapter.raw);
        }
        self.histories.end(ObjectId::new(Kind::Adapter, number));
    }
}

/// Tells a protocol about an event, and waits for its answer.
fn tell(cx: &Cx, binding: u32, event: i32, what: &str) {
    let prepared = cx.with(|s| {
        let mut callback = s.to_binding("ProtocolNetPnPEvent", binding);
        callback.passive = Some("IRQL-143");
        let record = s.world.bindings.get(&binding).filter(|b| !b.closing)?;
        let handler = s
            .world
            .protocols
            .get(&record.protocol)?
            .handlers
            .0
            .NetPnPEventHandler?;
        let text = alloc::format!("event: {what}");
        let object = ObjectId::new(Kind::Binding, binding);
        let context = record.context;
        s.note(Some(object), &text);
        Some((callback, handler, context))
    });
    let Some((callback, handler, context)) = prepared else {
        return;
    };
    let object = ObjectId::new(Kind::Binding, binding);
    // SAFETY: pointers and numbers.
    let mut notification: Box<NET_PNP_EVENT_NOTIFICATION> = Box::new(unsafe { zeroed() });
    notification.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NET_PNP_EVENT_NOTIFICATION_REVISION_1,
        n::NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1,
    );
    notification.NetPnPEvent.NetEvent = event;
    let pointer = &raw mut *notification;
    let key = pointer.addr();
    let serial = cx.with(|s| {
        let mut request = Request::default();
        let serial = request.begin();
        s.world.events.insert(
            key,
            PendedEvent {
                binding,
                request,
                status: 0,
            },
        );
        serial
    });
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context; the notification
        // lives until the answer.
        unsafe { handler(context.0, pointer) }
    });
    let returned = cx.with(|s| {
        s.world
            .events
            .get_mut(&key)
            .map(|e| e.request.returned(serial, status))
    });
    let status = match returned {
        Some(Returned::Now(status)) => status,
        Some(Returned::Twice(status)) => {
            cx.with(|s| s.answered_twice("ProtocolNetPnPEvent", status, object));
            status
        }
        _ => {
            let what = alloc::format!("NdisCompleteNetPnPEvent ({what})");
            cx.wait_until("PAUSE-14", &callback.who, Some(object), &what, move |s| {
                s.world.events.get(&key).is_none_or(|e| !e.request.open())
            });
            cx.with(|s| s.world.events.get(&key).map_or(0, |e| e.status))
        }
    };
    cx.with(|s| {
        s.world.events.remove(&key);
        if status != n::NDIS_STATUS_SUCCESS {
            let message = alloc::format!(
                "ProtocolNetPnPEvent answered {what} with {}",
                crate::status::Name(status)
            );
            s.violate_by(callback.who.clone(), "PAUSE-13", Some(object), message);
        }
    });
    drop(notification);
}

/// Pauses a binding, as far as its protocol is concerned.
fn pause_binding(cx: &Cx, binding: u32) {
    let running = cx.with(|s| s.world.bindings.get(&binding).is_some_and(|b| b.running));
    if !running {
        return;
    }
    tell(cx, binding, n::NetEventPause, "NetEventPause");
    cx.with(|s| {
        let sends = s.sends_of(binding);
        let Some(record) = s.world.bindings.get_mut(&binding) else {
            return;
        };
        record.running = false;
        let who = record.who.clone();
        if sends > 0 {
            let object = ObjectId::new(Kind::Binding, binding);
            let message =
                alloc::format!("the pause of {object} was answered with {sends} sends outstanding");
            s.violate_by(who, "PAUSE-12", Some(object), message);
        }
    });
}

fn bindings_of(cx: &Cx, adapter: u32) -> Vec<u32> {
    cx.with(|s| {
        let mut all: Vec<u32> = s
            .world
            .bindings
            .iter()
            .filter(|(_, b)| b.adapter == adapter && !b.closing)
            .map(|(number, _)| *number)
            .collect();
        s.rng.shuffle(&mut all);
        all
    })
}

fn restart_bindings(cx: &Cx, adapter: u32) {
    for binding in bindings_of(cx, adapter) {
        let running = cx.with(|s| s.world.bindings.get(&binding).is_none_or(|b| b.running));
        if running {
            continue;
        }
        tell(cx, binding, n::NetEventRestart, "NetEventRestart");
        cx.with(|s| {
            if let Some(record) = s.world.bindings.get_mut(&binding) {
                record.running = true;
                record.started = true;
            }
        });
    }
}

/// Pauses an adapter and everything above it.
pub(crate) fn pause(cx: &Cx, adapter: u32, reason: i32) {
    let running = cx.with(|s| {
        s.world
            .adapters
            .get(&adapter)
            .is_some_and(|a| a.phase == AdapterPhase::Running)
    });
    if !running {
        return;
    }
    for binding in bindings_of(cx, adapter) {
        pause_binding(cx, binding);
    }
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportPause", adapter);
        callback.passive = Some("IRQL-129");
        let record = s.world.adapters.get_mut(&adapter)?;
        record.phase = AdapterPhase::Pausing;
        let serial = record.pause.begin();
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s.world.miniports.get(&miniport)?.handlers.0.PauseHandler?;
        Some((callback, serial, context, handler))
    });
    let Some((callback, serial, context, handler)) = prepared else {
        return;
    };
    // SAFETY: numbers.
    let mut parameters: NDIS_MINIPORT_PAUSE_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_PAUSE_PARAMETERS>(),
    );
    parameters.PauseReason = reason as u32;
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut parameters) }
    });
    let returned = cx.with(|s| {
        s.world
            .adapters
            .get_mut(&adapter)
            .map(|a| a.pause.returned(serial, status))
    });
    match returned {
        Some(Returned::Now(status)) => cx.with(|s| {
            if status != n::NDIS_STATUS_SUCCESS {
                let message =
                    alloc::format!("MiniportPause returned {}", crate::status::Name(status));
                s.violate_by(callback.who.clone(), "DV-12", Some(object), message);
            }
            s.check_drained(adapter, "MiniportPause");
        }),
        Some(Returned::Twice(status)) => {
            cx.with(|s| s.answered_twice("MiniportPause", status, object));
        }
        _ => {
            cx.wait_until(
                "PAUSE-02",
                &callback.who,
                Some(object),
                "NdisMPauseComplete",
                move |s| {
                    s.world
                        .adapters
                        .get(&adapter)
                        .is_none_or(|a| !a.pause.open())
                },
            );
        }
    }
    cx.with(|s| {
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.phase = AdapterPhase::Paused;
        }
    });
}

/// Restarts a paused adapter and everything above it.
pub(crate) fn restart(cx: &Cx, adapter: u32) -> i32 {
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportRestart", adapter);
        callback.passive = Some("IRQL-130");
        let record = s.world.adapters.get_mut(&adapter)?;
        if record.phase != AdapterPhase::Paused {
            return None;
        }
        record.phase = AdapterPhase::Restarting;
        let serial = record.restart.begin();
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s
            .world
            .miniports
            .get(&miniport)?
            .handlers
            .0
            .RestartHandler?;
        Some((callback, serial, context, handler))
    });
    let Some((callback, serial, context, handler)) = prepared else {
        return n::NDIS_STATUS_FAILURE;
    };
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_MINIPORT_RESTART_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_RESTART_PARAMETERS>(),
    );
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut parameters) }
    });
    let returned = cx.with(|s| {
        s.world
            .adapters
            .get_mut(&adapter)
            .map(|a| a.restart.returned(serial, status))
    });
    let status = match returned {
        Some(Returned::Now(status)) => status,
        Some(Returned::Twice(status)) => {
            cx.with(|s| s.answered_twice("MiniportRestart", status, object));
            status
        }
        _ => {
            cx.wait_until(
                "PAUSE-08",
                &callback.who,
                Some(object),
                "NdisMRestartComplete",
                move |s| {
                    s.world
                        .adapters
                        .get(&adapter)
                        .is_none_or(|a| !a.restart.open())
                },
            );
            cx.with(|s| {
                s.world
                    .adapters
                    .get(&adapter)
                    .map_or(0, |a| a.restart_status)
            })
        }
    };
    cx.with(|s| {
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.phase = if status == n::NDIS_STATUS_SUCCESS {
                AdapterPhase::Running
            } else {
                AdapterPhase::Paused
            };
        }
    });
    if status == n::NDIS_STATUS_SUCCESS {
        restart_bindings(cx, adapter);
    }
    status
}

/// Unbinds a protocol from an adapter, as a step of its own.
pub(crate) fn unbind(cx: &Cx, binding: u32) {
    lock(cx);
    unbind_locked(cx, binding);
    unlock(cx);
}

fn unbind_locked(cx: &Cx, binding: u32) {
    let object = ObjectId::new(Kind::Binding, binding);
    let known = cx.with(|s| match s.world.bindings.get_mut(&binding) {
        Some(record) if !record.closing => {
            record.unbinding = true;
            Some(record.who.clone())
        }
        _ => None,
    });
    let Some(who) = known else {
        return;
    };
    cx.wait_until(
        "BIND-14",
        &who,
        Some(object),
        "the return of ProtocolCoAfRegisterNotify",
        move |s| {
            s.world
                .bindings
                .get(&binding)
                .is_none_or(|b| b.notifications == 0)
        },
    );
    pause_binding(cx, binding);
    let prepared = cx.with(|s| {
        let mut callback = s.to_binding("ProtocolUnbindAdapterEx", binding);
        callback.passive = Some("IRQL-140");
        let record = s.world.bindings.get(&binding)?;
        let (adapter, protocol, context) = (record.adapter, record.protocol, record.context);
        let handler = s
            .world
            .protocols
            .get(&protocol)?
            .handlers
            .0
            .UnbindAdapterHandlerEx?;
        let number = s.number(Kind::Unbind);
        let raw = s.handles.make(Kind::Unbind, number);
        let mut request = Request::default();
        let serial = request.begin();
        s.world.unbinds.insert(
            number,
            BindRequest {
                adapter,
                protocol,
                binding: Some(binding),
                request,
                status: n::NDIS_STATUS_SUCCESS,
            },
        );
        callback.objects[1] = Some(ObjectId::new(Kind::Unbind, number));
        Some((number, raw, serial, context, handler, callback))
    });
    let Some((number, raw, serial, context, handler, callback)) = prepared else {
        return;
    };
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(handle(raw), context.0) }
    });
    let returned = cx.with(|s| {
        s.world
            .unbinds
            .get_mut(&number)
            .map(|u| u.request.returned(serial, status))
    });
    match returned {
        Some(Returned::Now(status)) => {
            if status != n::NDIS_STATUS_SUCCESS {
                let message = alloc::format!(
                    "ProtocolUnbindAdapterEx returned {}",
                    crate::status::Name(status)
                );
                cx.with(|s| s.violate_by(who.clone(), "BIND-09", Some(object), message));
            }
        }
        Some(Returned::Twice(status)) => {
            cx.with(|s| s.answered_twice("ProtocolUnbindAdapterEx", status, object));
        }
        _ => {
            cx.wait_until(
                "BIND-10",
                &who,
                Some(object),
                "NdisCompleteUnbindAdapterEx",
                move |s| {
                    s.world
                        .unbinds
                        .get(&number)
                        .is_none_or(|u| !u.request.open())
                },
            );
        }
    }
    let closed = cx.with(|s| {
        s.handles.kill(raw);
        s.world.unbinds.remove(&number);
        s.histories.end(ObjectId::new(Kind::Unbind, number));
        let closed = s.world.bindings.get(&binding).is_none_or(|b| b.closing);
        if !closed {
            s.violate_by(
                who.clone(),
                "BIND-11",
                Some(object),
                "the unbind is complete and NdisCloseAdapterEx was never called".into(),
            );
            if let Some(raw) = s.world.bindings.get(&binding).map(|b| b.raw) {
                s.handles.kill(raw);
            }
            s.end_binding(binding);
        }
        closed
    });
    if closed {
        cx.wait_until(
            "BIND-15",
            &who,
            Some(object),
            "the end of the close",
            move |s| !s.world.bindings.contains_key(&binding),
        );
    }
}

/// Unbinds a protocol from every adapter.
pub(crate) fn unbind_protocol(cx: &Cx, protocol: u32) {
    lock(cx);
    loop {
        let next = cx.with(|s| {
            s.world
                .bindings
                .iter()
                .find(|(_, b)| b.protocol == protocol && !b.closing)
                .map(|(number, _)| *number)
        });
        match next {
            Some(binding) => unbind_locked(cx, binding),
            None => break,
        }
    }
    unlock(cx);
}

/// Tells an adapter's driver that the device is gone.
fn surprise(cx: &Cx, adapter: u32) {
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportDevicePnPEventNotify", adapter);
        callback.passive = Some("IRQL-137");
        let record = s.world.adapters.get_mut(&adapter)?;
        record.removed = true;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s
            .world
            .miniports
            .get(&miniport)?
            .handlers
            .0
            .DevicePnPEventNotifyHandler?;
        Some((callback, context, handler))
    });
    let Some((callback, context, handler)) = prepared else {
        return;
    };
    // SAFETY: pointers and numbers.
    let mut event: NET_DEVICE_PNP_EVENT = unsafe { zeroed() };
    event.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NET_DEVICE_PNP_EVENT_REVISION_1,
        size_of::<NET_DEVICE_PNP_EVENT>(),
    );
    event.DevicePnPEvent = n::NdisDevicePnPEventSurpriseRemoved;
    cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut event) };
    });
}

/// Stops an adapter in the documented order and removes it.
pub(crate) fn remove(cx: &Cx, adapter: u32, surprised: bool) {
    lock(cx);
    if cx.with(|s| s.world.adapters.contains_key(&adapter)) {
        if surprised {
            surprise(cx, adapter);
        }
        pause(cx, adapter, n::NDIS_PAUSE_MINIPORT_DEVICE_REMOVE);
        let halt_first =
            cx.with(|s| s.readings.notify_close == NotifyClose::HaltFirst) && !surprised;
        if !halt_first {
            for binding in bindings_of(cx, adapter) {
                unbind_locked(cx, binding);
            }
        }
        halt(cx, adapter, surprised);
        for binding in bindings_of(cx, adapter) {
            unbind_locked(cx, binding);
        }
        cx.with(|s| s.end_adapter(adapter));
    }
    unlock(cx);
}

fn halt(cx: &Cx, adapter: u32, surprised: bool) {
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportHaltEx", adapter);
        callback.passive = Some("IRQL-128");
        let record = s.world.adapters.get_mut(&adapter)?;
        record.phase = AdapterPhase::Halting;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s.world.miniports.get(&miniport)?.handlers.0.HaltHandlerEx?;
        Some((callback, context, handler))
    });
    let Some((callback, context, handler)) = prepared else {
        return;
    };
    let action = if surprised {
        n::NdisHaltDeviceSurpriseRemoved
    } else {
        n::NdisHaltDeviceDisabled
    };
    cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, action) };
    });
    cx.with(|s| {
        let who: Arc<str> = callback.who.clone();
        let open: Vec<u32> = s
            .world
            .afs
            .iter()
            .filter(|(_, af)| af.adapter == adapter && !af.ended)
            .map(|(number, _)| *number)
            .collect();
        for af in open {
            let af = ObjectId::new(Kind::ClientAf, af);
            let message = alloc::format!("MiniportHaltEx returned with {af} still open");
            s.violate_by(who.clone(), "HALT-01", Some(af), message);
        }
        let held = s
            .buffers
            .lists
            .values()
            .filter(|l| matches!(l.state, ListState::Indicated { adapter: a, .. } if a == adapter))
            .count();
        if held > 0 {
            let message = alloc::format!(
                "MiniportHaltEx returned while {held} indicated lists are with the clients"
            );
            s.violate_by(who.clone(), "HALT-07", Some(object), message);
        }
        let sends: Vec<ObjectId> = s
            .buffers
            .lists
            .values()
            .filter(|l| match l.state {
                ListState::Sent { vc, .. } => s.adapter_of_vc(vc) == Some(adapter),
                _ => false,
            })
            .map(crate::net::list_id)
            .collect();
        for list in sends {
            let message = alloc::format!("MiniportHaltEx returned and {list} was never completed");
            s.violate_by(who.clone(), "NBL-11", Some(list), message);
        }
        s.check_adapter_left(adapter, rules::LEAK);
    });
}
