//! Timers and work items: code of a driver that runs later, on its own.

use crate::callback::{Callback, Context, handle};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::ke::due::interval;
use crate::ke::table::timer::Timer;
use crate::ke::table::work_item::WorkItem;
use crate::rules;
use crate::sched::{self, DISPATCH, Due, Wait, Work};
use crate::state::State;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{LARGE_INTEGER, NDIS_HANDLE, NDIS_TIMER_CHARACTERISTICS};

type WorkRoutine = unsafe extern "system" fn(*mut c_void, NDIS_HANDLE);

/// What a work item runs; whose it is, too.
#[derive(Clone, Copy)]
enum ItemRoutine {
    Ndis(WorkRoutine),
    Io(n::IO_WORKITEM_ROUTINE_EX),
}

impl State {
    /// The adapter that a handle given at an allocation names, if one.
    pub(crate) fn adapter_of(&self, raw: usize) -> Option<u32> {
        match self.handles.look(raw) {
            crate::handle::Lookup::Live(Kind::Adapter, number) => Some(number),
            _ => None,
        }
    }

    /// Whether something may be allocated on this handle: not on one of the kinds
    /// `refused`.
    pub(crate) fn allocates_on(
        &mut self,
        call: &'static str,
        raw: usize,
        refused: &[Kind],
        rule: &'static str,
    ) -> bool {
        let (kind, number) = match self.handles.look(raw) {
            crate::handle::Lookup::Live(kind, number) if refused.contains(&kind) => (kind, number),
            _ => return true,
        };
        let object = ObjectId::new(kind, number);
        let message = alloc::format!("{call} with the handle of {object}");
        self.violate(rule, Some(object), message);
        false
    }

    fn make_item(&mut self, owner: usize, object: Option<usize>) -> Option<(usize, u32)> {
        if self.faults.allocation() {
            return None;
        }
        let number = self.number(Kind::WorkItem);
        let raw = self.handles.make(Kind::WorkItem, number);
        let item = WorkItem {
            raw,
            driver: self.driver(),
            adapter: self.adapter_of(owner),
            who: self.who(),
            origin: self.origin(),
            object,
            queued: false,
        };
        self.work_items.all.insert(number, item);
        Some((raw, number))
    }

    /// The work item behind a handle, if it is of the sort that the call is for.
    fn item(&mut self, call: &'static str, raw: usize, of_io: bool) -> Option<u32> {
        let number = self.take(call, raw, Kind::WorkItem)?;
        if self.work_items.all.get(&number)?.object.is_some() == of_io {
            return Some(number);
        }
        let object = ObjectId::new(Kind::WorkItem, number);
        let message = alloc::format!("{call} on {object}, which is not of that sort");
        self.violate(rules::ARGUMENT, Some(object), message);
        None
    }

    fn free_item(&mut self, call: &'static str, raw: usize, of_io: bool) {
        let Some(number) = self.item(call, raw, of_io) else {
            return;
        };
        let Some(item) = self.work_items.all.remove(&number) else {
            return;
        };
        let object = ObjectId::new(Kind::WorkItem, number);
        self.handles.kill(item.raw);
        if item.queued {
            let message = alloc::format!("{object} is freed while it is queued");
            self.violate("DV-20", Some(object), message);
        }
        self.histories.end(object);
    }

    fn set_timer(&mut self, number: u32, delay: u64, period: u64) -> bool {
        self.timers.sets += 1;
        let set = self.timers.sets;
        let time = self.sched.now.saturating_add(delay);
        let Some(timer) = self.timers.all.get_mut(&number) else {
            return false;
        };
        let before = timer.set.replace(set).is_some();
        timer.period = period;
        let periodic = sched::goes_round(period, timer.expiries);
        self.sched.at(
            time,
            Due::Timer {
                number,
                set,
                periodic,
            },
        );
        before
    }

    /// A point in time that a timer was set for has come.
    pub(crate) fn timer_expired(&mut self, number: u32, set: u64, time: u64) {
        let Some(timer) = self.timers.all.get_mut(&number) else {
            self.kernel_timer_expired(number, set, time);
            return;
        };
        if timer.set != Some(set) {
            return;
        }
        let (routine, context, who) = (timer.routine, timer.context, timer.who.clone());
        let driver = timer.driver;
        timer.expiries = timer.expiries.saturating_add(1);
        self.timers.expiries += 1;
        let expiry = self.timers.expiries;
        self.timers.expired.insert(expiry, (number, false));
        if timer.period == 0 {
            timer.set = None;
        } else {
            let next = time.saturating_add(timer.period);
            self.sched.at(
                next,
                Due::Timer {
                    number,
                    set,
                    periodic: true,
                },
            );
        }
        self.sched.queue(Work {
            id: 0,
            name: alloc::format!("timer {number}").into(),
            irql: DISPATCH,
            frame: None,
            system: false,
            plug_and_play: false,
            run: job(move |cx| {
                let context = context;
                cx.with(|s| s.timers.expired.insert(expiry, (number, true)));
                let callback = Callback {
                    name: "NetTimerCallback",
                    driver: driver.unwrap_or(0),
                    who,
                    passive: None,
                    objects: [Some(ObjectId::new(Kind::Timer, number)), None, None],
                };
                cx.call(&callback, || {
                    // SAFETY: the routine and context that the driver set; it
                    // is called at DISPATCH_LEVEL as documented.
                    unsafe {
                        routine(
                            core::ptr::null_mut(),
                            context.0,
                            core::ptr::null_mut(),
                            core::ptr::null_mut(),
                        );
                    };
                });
                cx.with(|s| s.timers.expired.remove(&expiry));
            }),
        });
    }

    fn queue_item(
        &mut self,
        call: &'static str,
        raw: usize,
        routine: Option<ItemRoutine>,
        context: Context,
    ) {
        let Some(routine) = routine else {
            let message = alloc::format!("{call} without a routine");
            self.violate(rules::ARGUMENT, None, message);
            return;
        };
        let of_io = matches!(routine, ItemRoutine::Io(_));
        let Some(number) = self.item(call, raw, of_io) else {
            return;
        };
        let Some(item) = self.work_items.all.get_mut(&number) else {
            return;
        };
        let object = ObjectId::new(Kind::WorkItem, number);
        if item.queued {
            let message = alloc::format!("{object} is queued although it already is");
            self.violate(rules::ARGUMENT, Some(object), message);
            return;
        }
        item.queued = true;
        let (driver, who, base) = (item.driver, item.who.clone(), item.object);
        self.sched.queue(Work {
            id: 0,
            name: alloc::format!("work item {number}").into(),
            irql: 0,
            frame: None,
            system: false,
            plug_and_play: false,
            run: job(move |cx| {
                let context = context;
                cx.with(|s| {
                    if let Some(item) = s.work_items.all.get_mut(&number) {
                        item.queued = false;
                    }
                });
                let callback = Callback {
                    name: match routine {
                        ItemRoutine::Ndis(_) => "NdisIoWorkItemRoutine",
                        ItemRoutine::Io(_) => "WorkItemEx",
                    },
                    driver: driver.unwrap_or(0),
                    who,
                    passive: Some(rules::IRQL),
                    objects: [Some(object), None, None],
                };
                cx.call(&callback, || match routine {
                    // SAFETY: the routine and context that the driver queued;
                    // it is called at PASSIVE_LEVEL as documented.
                    ItemRoutine::Ndis(routine) => unsafe { routine(context.0, handle(raw)) },
                    // SAFETY: as above.
                    ItemRoutine::Io(routine) => unsafe {
                        let object = handle(base.unwrap_or_default());
                        routine(object, context.0, handle(raw).cast());
                    },
                });
            }),
        });
    }
}

/// The handle of a work item that was made, or none.
fn item_handle(cx: &Cx, made: Option<(usize, u32)>) -> NDIS_HANDLE {
    let Some((raw, number)) = made else {
        return core::ptr::null_mut();
    };
    cx.about(ObjectId::new(Kind::WorkItem, number));
    handle(raw)
}

fn sleep(name: &'static str, length: u64) {
    let cx = Cx::enter(Call::new(name).passive(rules::IRQL), &[]);
    let (raised, until) = cx.with(|s| (s.irql() >= DISPATCH, s.sched.now.saturating_add(length)));
    if raised {
        return;
    }
    cx.with(|s| s.check_sleep(name, length));
    let slept: Result<(), _> = cx.core.wait(cx.task, Some(until), |s| {
        if s.sched.now >= until {
            return Ok(());
        }
        Err(Wait::Sleep)
    });
    let _ = slept;
}

impl State {
    /// RESET-06, OID-59: handlers that NDIS's other work for the adapter waits for.
    fn check_sleep(&mut self, call: &str, length: u64) {
        // In units of 100 ns.
        const MOST: u64 = 50 * 10;
        let handler = self.sched.current().and_then(|task| task.frames.last());
        let name = handler.map_or("", |frame| frame.name);
        let rule = match name {
            "MiniportResetEx" if length > MOST => "RESET-06",
            "MiniportOidRequest" => "OID-59",
            _ => return,
        };
        let message = alloc::format!("{call} for {} microseconds in {name}", length / 10);
        self.violate(rule, None, message);
    }
}

exports! { EXPORTS {
    /// Makes a timer.
    fn NdisAllocateTimerObject(
        owner: NDIS_HANDLE,
        characteristics: *mut NDIS_TIMER_CHARACTERISTICS,
        timer: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(Call::new("NdisAllocateTimerObject"), &[owner]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if characteristics.is_null() || timer.is_null() {
            return cx.done(n::NDIS_STATUS_INVALID_PARAMETER);
        }
        // SAFETY: the caller's structure.
        let routine = unsafe { (*characteristics).TimerFunction };
        // SAFETY: as above.
        let context = unsafe { (*characteristics).FunctionContext };
        // SAFETY: as above.
        let tag = unsafe { (*characteristics).AllocationTag };
        let Some(routine) = routine else {
            return cx.done(n::NDIS_STATUS_INVALID_PARAMETER);
        };
        let raw = cx.with(|s| {
            if !s.allocates_on("NdisAllocateTimerObject", owner.addr(), &[Kind::Binding], "NBL-61")
                || s.faults.allocation()
            {
                return None;
            }
            let number = s.number(Kind::Timer);
            let raw = s.handles.make(Kind::Timer, number);
            let made = Timer {
                raw,
                routine,
                context: Context(context),
                tag,
                driver: s.driver(),
                adapter: s.adapter_of(owner.addr()),
                who: s.who(),
                origin: s.origin(),
                set: None,
                period: 0,
                expiries: 0,
            };
            s.timers.all.insert(number, made);
            Some((raw, number))
        });
        let Some((raw, number)) = raw else {
            return cx.done(n::NDIS_STATUS_RESOURCES);
        };
        cx.about(ObjectId::new(Kind::Timer, number));
        // SAFETY: the caller's variable for the result.
        unsafe { timer.write(handle(raw)) };
        cx.done(n::NDIS_STATUS_SUCCESS)
    }

    /// Sets a timer; true when it was already set.
    fn NdisSetTimerObject(
        timer: NDIS_HANDLE,
        due: LARGE_INTEGER,
        period: i32,
        context: *mut c_void,
    ) -> u8 {
        let cx = Cx::enter(Call::new("NdisSetTimerObject"), &[timer]);
        // SAFETY: every bit pattern of the union is a number.
        let due = unsafe { due.QuadPart };
        cx.with(|s| {
            let Some(number) = s.take("NdisSetTimerObject", timer.addr(), Kind::Timer) else {
                return 0;
            };
            if !context.is_null() && let Some(timer) = s.timers.all.get_mut(&number) {
                timer.context = Context(context);
            }
            u8::from(s.set_timer(number, interval(due), u64::from(period.unsigned_abs()) * 10_000))
        })
    }

    /// Cancels a timer; true when it was set.
    fn NdisCancelTimerObject(timer: NDIS_HANDLE) -> u8 {
        let cx = Cx::enter(Call::new("NdisCancelTimerObject"), &[timer]);
        cx.with(|s| {
            let number = s.take("NdisCancelTimerObject", timer.addr(), Kind::Timer);
            let timer = number.and_then(|number| s.timers.all.get_mut(&number));
            u8::from(timer.is_some_and(|timer| timer.set.take().is_some()))
        })
    }

    /// Ends a timer that is not set.
    fn NdisFreeTimerObject(timer: NDIS_HANDLE) {
        let cx = Cx::enter(Call::new("NdisFreeTimerObject"), &[timer]);
        cx.with(|s| {
            let Some(number) = s.take("NdisFreeTimerObject", timer.addr(), Kind::Timer) else {
                return;
            };
            let Some(timer) = s.timers.all.remove(&number) else {
                return;
            };
            let object = ObjectId::new(Kind::Timer, number);
            s.handles.kill(timer.raw);
            if timer.set.is_some() {
                let message = alloc::format!("{object} is freed while it is set");
                s.violate("DV-15", Some(object), message);
            }
            // A routine that runs may have told the driver, by a synchronisation of
            // its own, that it does nothing more; one that has not begun cannot.
            if s.timers.expired.values().any(|expired| *expired == (number, false)) {
                let message = alloc::format!(
                    "{object} is freed while its routine is queued: a cancel does not wait for \
                     it, KeFlushQueuedDpcs at PASSIVE_LEVEL does"
                );
                s.violate("DV-22", Some(object), message);
            }
            s.histories.end(object);
        });
    }

    /// Makes a work item.
    fn NdisAllocateIoWorkItem(owner: NDIS_HANDLE) -> NDIS_HANDLE {
        let cx = Cx::enter(Call::new("NdisAllocateIoWorkItem"), &[owner]);
        if cx.fault.is_some() {
            return core::ptr::null_mut();
        }
        let made = cx.with(|s| {
            // A protocol driver's handles are none of those that it takes.
            let refused = [Kind::Binding, Kind::ProtocolDriver];
            if !s.allocates_on("NdisAllocateIoWorkItem", owner.addr(), &refused, "DV-37") {
                return None;
            }
            s.make_item(owner.addr(), None)
        });
        item_handle(&cx, made)
    }

    /// Queues a work item.
    fn NdisQueueIoWorkItem(
        item: NDIS_HANDLE,
        routine: Option<WorkRoutine>,
        context: *mut c_void,
    ) {
        let cx = Cx::enter(Call::new("NdisQueueIoWorkItem"), &[item]);
        let routine = routine.map(ItemRoutine::Ndis);
        cx.with(|s| s.queue_item("NdisQueueIoWorkItem", item.addr(), routine, Context(context)));
    }

    /// Ends a work item that is not queued.
    fn NdisFreeIoWorkItem(item: NDIS_HANDLE) {
        let cx = Cx::enter(Call::new("NdisFreeIoWorkItem"), &[item]);
        cx.with(|s| s.free_item("NdisFreeIoWorkItem", item.addr(), false));
    }

    /// Makes a work item on a driver or device object.
    fn IoAllocateWorkItem(object: *mut n::DEVICE_OBJECT) -> n::PIO_WORKITEM {
        let cx = Cx::enter(Call::new("IoAllocateWorkItem"), &[]);
        if cx.fault.is_some() {
            return core::ptr::null_mut();
        }
        let made = cx.with(|s| {
            if object.is_null() {
                let message = "IoAllocateWorkItem without an object".into();
                s.violate(rules::ARGUMENT, None, message);
                return None;
            }
            s.make_item(0, Some(object.addr()))
        });
        item_handle(&cx, made).cast()
    }

    /// Queues a work item.
    fn IoQueueWorkItemEx(
        item: n::PIO_WORKITEM,
        routine: n::PIO_WORKITEM_ROUTINE_EX,
        queue: n::WORK_QUEUE_TYPE,
        context: *mut c_void,
    ) {
        let cx = Cx::enter(Call::new("IoQueueWorkItemEx"), &[item.cast()]);
        cx.with(|s| {
            if queue != n::DelayedWorkQueue {
                let message = alloc::format!("IoQueueWorkItemEx to the queue {queue}");
                s.violate("KE-50", None, message);
            }
            let routine = routine.map(ItemRoutine::Io);
            s.queue_item("IoQueueWorkItemEx", item.addr(), routine, Context(context));
        });
    }

    /// Ends a work item that is not queued.
    fn IoFreeWorkItem(item: n::PIO_WORKITEM) {
        let cx = Cx::enter(Call::new("IoFreeWorkItem"), &[item.cast()]);
        cx.with(|s| s.free_item("IoFreeWorkItem", item.addr(), true));
    }

    /// Waits until every routine has run that is queued now.
    fn KeFlushQueuedDpcs() {
        let cx = Cx::enter(Call::new("KeFlushQueuedDpcs").passive(rules::IRQL), &[]);
        let (raised, last, who) = cx.with(|s| (s.irql() >= DISPATCH, s.timers.expiries, s.who()));
        if raised {
            return;
        }
        cx.wait_until("", &who, None, "the end of the timers that have expired", move |s| {
            s.timers.expired.range(..=last).next().is_none()
        });
    }

    /// Sleeps for some microseconds.
    fn NdisMSleep(microseconds: u32) {
        sleep("NdisMSleep", u64::from(microseconds) * 10);
    }

    /// Sleeps for an interval.
    fn KeDelayExecutionThread(_mode: i8, _alertable: u8, length: *mut LARGE_INTEGER) -> i32 {
        if !length.is_null() {
            // SAFETY: the caller's interval; every bit pattern is a number.
            let due = unsafe { length.cast::<i64>().read_unaligned() };
            sleep("KeDelayExecutionThread", interval(due));
        }
        0
    }
}}
