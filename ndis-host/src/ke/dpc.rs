//! The kernel's own DPCs and timers.
//!
//! Both lie in memory of the driver, and are known by their addresses from their
//! initialisation on. What a wait looks at, whether a timer is signalled, stands
//! in the driver's structure, as for events; the rest is the host's.

use crate::callback::{Callback, Context, Ptr};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::ke::due::interval;
use crate::ke::table::dpc::{Dpc, DpcRoutine, Queued, Timer};
use crate::rules;
use crate::sched::{self, DISPATCH, Due, Woken, Work};
use crate::state::State;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::fmt::Arguments;
use core::ops::Range;
use ndis_sys::{KDPC, KTIMER, LARGE_INTEGER};

/// The types in the headers of timers.
pub(crate) const NOTIFICATION_TIMER: u8 = 8;
pub(crate) const SYNCHRONIZATION_TIMER: u8 = 9;
/// The type in a DPC.
const DPC_OBJECT: u8 = 19;

impl State {
    fn dpc_of(&mut self, call: &str, address: usize) -> Option<&mut Dpc> {
        if !self.dpcs.dpcs.contains_key(&address) {
            let message = alloc::format!("{call} with a DPC that is not initialised");
            self.violate("KE-65", None, message);
        }
        self.dpcs.dpcs.get_mut(&address)
    }

    fn timer_of(&mut self, call: &str, address: usize) -> Option<&mut Timer> {
        if !self.dpcs.timers.contains_key(&address) {
            let message = alloc::format!("{call} with a timer that is not initialised");
            self.violate("KE-66", None, message);
        }
        self.dpcs.timers.get_mut(&address)
    }

    fn initialize_dpc(&mut self, place: Ptr<KDPC>, routine: DpcRoutine, context: Context) {
        let address = place.0.addr();
        self.end_dpcs(format_args!("KeInitializeDpc"), address..address + 1);
        self.dpcs.numbers += 1;
        let dpc = Dpc {
            number: self.dpcs.numbers,
            routine,
            context,
            driver: self.driver(),
            who: self.who(),
            queued: None,
            running: 0,
            of_timer: false,
            inserted: false,
        };
        self.dpcs.dpcs.insert(address, dpc);
    }

    /// What lies in this memory ends: no DPC may be queued there, no timer set.
    fn end_dpcs(&mut self, how: Arguments<'_>, memory: Range<usize>) {
        let dpcs = self.dpcs.dpcs.range(memory.clone()).map(|dpc| *dpc.0);
        for address in dpcs.collect::<Vec<usize>>() {
            let Some(dpc) = self.dpcs.dpcs.remove(&address) else {
                continue;
            };
            if let Some(queued) = dpc.queued {
                self.timers.end_expiry(queued.expiry);
                let message = alloc::format!("{how} while DPC {} there is queued", dpc.number);
                self.violate("KE-65", None, message);
            }
        }
        let timers = self.dpcs.timers.range(memory).map(|timer| *timer.0);
        for address in timers.collect::<Vec<usize>>() {
            let Some(timer) = self.dpcs.timers.remove(&address) else {
                continue;
            };
            if timer.set.is_some() {
                let message = alloc::format!("{how} while timer {} there is set", timer.number);
                self.violate("KE-66", None, message);
            }
        }
    }

    /// Pool memory is freed: what the kernel looks at must be over there.
    pub(crate) fn kernel_objects_end(&mut self, call: &str, memory: &Range<usize>) {
        self.end_dpcs(format_args!("{call} frees memory"), memory.clone());
        self.remove_locks_end(call, memory);
        self.locks.end_lists(memory);
        if self.sched.waits_in(memory) {
            let message =
                alloc::format!("{call} frees memory while somebody waits for an event there");
            self.violate("KE-34", None, message);
        }
    }

    /// A driver is gone: its timers must not be set.
    pub(crate) fn dpcs_of_gone(&mut self, driver: u32, when: &str) {
        let mut set = Vec::new();
        self.dpcs.timers.retain(|_, timer| {
            let own = timer.driver == Some(driver);
            if own && timer.set.is_some() {
                set.push((timer.number, timer.who.clone()));
            }
            !own
        });
        self.dpcs.dpcs.retain(|_, dpc| dpc.driver != Some(driver));
        for (number, who) in set {
            let message = alloc::format!("{when} while kernel timer {number} is set");
            self.violate_by(who, "KE-66", None, message);
        }
    }

    /// Queues a DPC that is known; false when it is queued already.
    fn queue_dpc(
        &mut self,
        place: Ptr<KDPC>,
        name: &'static str,
        arguments: (Context, Context),
    ) -> bool {
        let address = place.0.addr();
        let Some(dpc) = self.dpcs.dpcs.get_mut(&address) else {
            return false;
        };
        if dpc.queued.is_some() {
            return false;
        }
        let expiry = self.timers.begin_expiry();
        dpc.queued = Some(Queued { expiry, arguments });
        let number = dpc.number;
        self.sched.queue(Work {
            id: 0,
            name: alloc::format!("DPC {number}").into(),
            irql: DISPATCH,
            frame: None,
            system: false,
            plug_and_play: false,
            run: job(move |cx| run_dpc(cx, place, name, expiry)),
        });
        true
    }

    fn remove_dpc(&mut self, call: &str, address: usize) -> bool {
        let queued = self.dpc_of(call, address).and_then(|dpc| dpc.queued.take());
        if let Some(queued) = &queued {
            self.timers.end_expiry(queued.expiry);
        }
        queued.is_some()
    }

    fn initialize_timer(&mut self, place: Ptr<KTIMER>) {
        let address = place.0.addr();
        self.end_dpcs(format_args!("KeInitializeTimer"), address..address + 1);
        let timer = Timer {
            number: self.number(crate::handle::Kind::Timer),
            place,
            driver: self.driver(),
            who: self.who(),
            set: None,
            period: 0,
            expiries: 0,
            dpc: None,
        };
        self.dpcs.timers.insert(address, timer);
    }

    fn set_kernel_timer(
        &mut self,
        call: &str,
        timer: usize,
        due: i64,
        period: i32,
        dpc: Ptr<KDPC>,
    ) -> bool {
        if period < 0 {
            let message = alloc::format!("{call} with a period of {period} ms");
            self.violate("KE-67", None, message);
        }
        let dpc = (!dpc.0.is_null()).then_some(dpc);
        if let Some(dpc) = dpc
            && let Some(dpc) = self.dpc_of(call, dpc.0.addr())
        {
            dpc.of_timer = true;
            if dpc.inserted {
                self.two_queues(call);
            }
        }
        let set = self.timers.new_set();
        let now = self.sched.now;
        let Some(found) = self.timer_of(call, timer) else {
            return false;
        };
        let before = found.set.replace(set).is_some();
        found.period = period.max(0).unsigned_abs().into();
        found.period *= 10_000;
        found.dpc = dpc;
        let number = found.number;
        let periodic = sched::goes_round(found.period, found.expiries);
        // SAFETY: the timer that the driver has initialised, which it keeps (KE-66).
        unsafe { found.signal().write(0) };
        self.sched.at(
            now.saturating_add(interval(due)),
            Due::Timer {
                number,
                set,
                periodic,
            },
        );
        before
    }

    fn two_queues(&mut self, call: &str) {
        let message =
            alloc::format!("{call} with a DPC that is both a timer's and queued without one");
        self.violate("KE-67", None, message);
    }

    fn cancel_kernel_timer(&mut self, address: usize) -> bool {
        let timer = self.timer_of("KeCancelTimer", address);
        timer.is_some_and(|timer| timer.set.take().is_some())
    }

    /// A point in time that a kernel's timer was set for has come.
    pub(crate) fn kernel_timer_expired(&mut self, number: u32, set: u64, time: u64) {
        let mut timers = self.dpcs.timers.iter_mut();
        let found = timers.find(|(_, t)| t.number == number && t.set == Some(set));
        let Some((address, timer)) = found else {
            return;
        };
        timer.expiries = timer.expiries.saturating_add(1);
        let (address, dpc, period) = (*address, timer.dpc, timer.period);
        // SAFETY: the timer that the driver has initialised and set, which it keeps (KE-66).
        unsafe { timer.signal().write(1) };
        if period == 0 {
            timer.set = None;
        } else {
            let periodic = true;
            let due = Due::Timer {
                number,
                set,
                periodic,
            };
            self.sched.at(time.saturating_add(period), due);
        }
        for waiter in self.sched.waiting_for(address) {
            self.sched.wake(waiter, Woken::Normal);
        }
        if let Some(place) = dpc {
            let none = || Context(core::ptr::null_mut());
            self.queue_dpc(place, "CustomTimerDpc", (none(), none()));
        }
    }
}

/// A DPC's turn, unless it was taken out of the queue.
fn run_dpc(cx: &Cx, place: Ptr<KDPC>, name: &'static str, expiry: u64) {
    let found = cx.with(|s| {
        let dpc = s.dpcs.dpcs.get_mut(&place.0.addr())?;
        let queued = dpc.queued.take_if(|queued| queued.expiry == expiry)?;
        dpc.running += 1;
        let callback = Callback {
            name,
            driver: dpc.driver.unwrap_or(0),
            who: dpc.who.clone(),
            passive: None,
            objects: [None; 3],
        };
        Some((callback, dpc.routine, dpc.context.0, queued.arguments))
    });
    let Some((callback, routine, context, (first, second))) = found else {
        return;
    };
    cx.call(&callback, || {
        // SAFETY: the routine and the context that the driver gave, at DISPATCH_LEVEL as
        // documented.
        unsafe { routine(place.0, context, first.0, second.0) };
    });
    cx.with(|s| {
        s.timers.end_expiry(expiry);
        // The routine may have ended the DPC.
        if let Some(dpc) = s.dpcs.dpcs.get_mut(&place.0.addr()) {
            dpc.running = dpc.running.saturating_sub(1);
        }
    });
}

/// What the loader does before it takes a driver out of memory: waits for its DPCs.
pub(crate) fn flush(cx: &Cx, driver: u32, who: &Arc<str>) {
    cx.wait_until("", who, None, "the end of the driver's DPCs", move |s| {
        s.dpcs.is_quiet(driver)
    });
}

/// Whether a pointer can be that of a structure of this type.
fn usable<T>(cx: &Cx, name: &str, place: *mut T) -> bool {
    if !place.is_null() && place.is_aligned() {
        return true;
    }
    cx.with(|s| {
        let message = alloc::format!("{name}: {:#x} cannot be one", place.addr());
        s.violate(rules::ARGUMENT, None, message);
    });
    false
}

/// # Safety
///
/// `timer` is null or points to memory for a `KTIMER`.
unsafe fn initialize_timer(name: &'static str, timer: *mut KTIMER, kind: u8) {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    if !usable(&cx, name, timer) {
        return;
    }
    cx.with(|s| s.initialize_timer(Ptr(timer)));
    // SAFETY: the caller's memory; zeroes are valid.
    unsafe { timer.write_bytes(0, 1) };
    // SAFETY: as above; the type is the first byte.
    unsafe { timer.cast::<u8>().write(kind) };
}

fn set_timer(
    name: &'static str,
    timer: *mut KTIMER,
    due: LARGE_INTEGER,
    period: i32,
    dpc: *mut KDPC,
) -> u8 {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    // SAFETY: every bit pattern of the union is a number.
    let due = unsafe { due.QuadPart };
    u8::from(cx.with(|s| s.set_kernel_timer(name, timer.addr(), due, period, Ptr(dpc))))
}

exports! { EXPORTS {
    /// Prepares a DPC.
    fn KeInitializeDpc(dpc: *mut KDPC, routine: Option<DpcRoutine>, context: *mut c_void) {
        let name = "KeInitializeDpc";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        if !usable(&cx, name, dpc) {
            return;
        }
        let Some(routine) = routine else {
            cx.with(|s| s.violate(rules::ARGUMENT, None, String::from("KeInitializeDpc without a routine")));
            return;
        };
        cx.with(|s| s.initialize_dpc(Ptr(dpc), routine, Context(context)));
        // SAFETY: the caller's memory; zeroes are valid.
        unsafe { dpc.write_bytes(0, 1) };
        // SAFETY: as above; the type is the first byte.
        unsafe { dpc.cast::<u8>().write(DPC_OBJECT) };
    }

    /// Queues a DPC; false when it is queued already.
    fn KeInsertQueueDpc(dpc: *mut KDPC, first: *mut c_void, second: *mut c_void) -> u8 {
        let name = "KeInsertQueueDpc";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        let arguments = (Context(first), Context(second));
        u8::from(cx.with(|s| {
            let Some(found) = s.dpc_of(name, dpc.addr()) else {
                return false;
            };
            found.inserted = true;
            if found.of_timer {
                s.two_queues(name);
            }
            s.queue_dpc(Ptr(dpc), "CustomDpc", arguments)
        }))
    }

    /// Takes a DPC out of the queue; false when it is not there.
    fn KeRemoveQueueDpc(dpc: *mut KDPC) -> u8 {
        let name = "KeRemoveQueueDpc";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        u8::from(cx.with(|s| s.remove_dpc(name, dpc.addr())))
    }

    /// Says how urgent a DPC is. The order is the seed's in any case.
    fn KeSetImportanceDpc(dpc: *mut KDPC, _importance: i32) {
        let name = "KeSetImportanceDpc";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        cx.with(|s| s.dpc_of(name, dpc.addr()).is_some());
    }

    /// Prepares a timer that stays signalled.
    fn KeInitializeTimer(timer: *mut KTIMER) {
        // SAFETY: the caller's contract.
        unsafe { initialize_timer("KeInitializeTimer", timer, NOTIFICATION_TIMER) };
    }

    /// Prepares a timer that stays signalled, or one that lets one waiter pass.
    fn KeInitializeTimerEx(timer: *mut KTIMER, kind: i32) {
        let kind = if kind == 0 { NOTIFICATION_TIMER } else { SYNCHRONIZATION_TIMER };
        // SAFETY: the caller's contract.
        unsafe { initialize_timer("KeInitializeTimerEx", timer, kind) };
    }

    /// Sets a timer; true when it was already set.
    fn KeSetTimer(timer: *mut KTIMER, due: LARGE_INTEGER, dpc: *mut KDPC) -> u8 {
        set_timer("KeSetTimer", timer, due, 0, dpc)
    }

    /// Sets a timer, with a period of some milliseconds; true when it was already set.
    fn KeSetTimerEx(timer: *mut KTIMER, due: LARGE_INTEGER, period: i32, dpc: *mut KDPC) -> u8 {
        set_timer("KeSetTimerEx", timer, due, period, dpc)
    }

    /// Cancels a timer; true when it was set.
    fn KeCancelTimer(timer: *mut KTIMER) -> u8 {
        let cx = Cx::enter(Call::new("KeCancelTimer").silent(), &[]);
        u8::from(cx.with(|s| s.cancel_kernel_timer(timer.addr())))
    }

    /// Whether a timer is signalled.
    fn KeReadStateTimer(timer: *mut KTIMER) -> u8 {
        let cx = Cx::enter(Call::new("KeReadStateTimer").silent(), &[]);
        cx.with(|s| {
            let Some(timer) = s.timer_of("KeReadStateTimer", timer.addr()) else {
                return 0;
            };
            // SAFETY: the timer that the driver has initialised, which it keeps (KE-66).
            u8::from(unsafe { timer.signal().read() } != 0)
        })
    }
}}
