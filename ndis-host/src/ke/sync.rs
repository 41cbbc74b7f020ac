//! Spin locks, events and semaphores.
//!
//! A spin lock is known by its address; its memory is never touched. An event
//! keeps its state in the driver's own structure, as on Windows, because it has
//! no end that the host could learn of.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::ke::dpc::{NOTIFICATION_TIMER, SYNCHRONIZATION_TIMER};
use crate::ke::due::interval;
use crate::rules;
use crate::sched::{DISPATCH, TaskId, Wait, What, Woken};
use crate::state::{Condition, State};
use alloc::string::String;
use core::ffi::c_void;
use ndis_sys::{
    DISPATCHER_HEADER, KEVENT, KSPIN_LOCK, LARGE_INTEGER, NDIS_EVENT, NDIS_SPIN_LOCK,
    STATUS_SUCCESS, STATUS_TIMEOUT,
};

impl State {
    /// Where a lock or an event is, in words that do not change with the run.
    fn whereabouts(&self, address: usize) -> String {
        match self.memory.place(address) {
            Some(place) => alloc::format!("at {place}"),
            None => "outside of the pool".into(),
        }
    }

    /// An event, semaphore, timer or spin lock, by the object that it belongs to: the one whose
    /// context its memory is.
    pub(crate) fn describe_object(&self, what: &str, address: usize) -> String {
        let whereabouts = self.whereabouts(address);
        let owner = self.memory.extent(address).and_then(|block| {
            let inside = |context: usize| block.contains(&context);
            self.world.with_context(inside)
        });
        match owner {
            Some((object, side)) => {
                alloc::format!("the {what} of {object} ({side} context; {whereabouts})")
            }
            None => alloc::format!("the {what} {whereabouts}"),
        }
    }

    /// A list is changed under its lock, which nobody holds otherwise.
    pub(crate) fn lock_of_list(&mut self, call: &str, address: usize) {
        self.locks.lists.insert(address);
        if self.locks.held.contains_key(&address) {
            let message = alloc::format!("{call} with a lock that somebody holds");
            self.violate("KE-68", None, message);
        }
    }

    /// Takes the lock for the running task, or says that it must wait.
    fn acquire(&mut self, call: &str, id: TaskId, address: usize) -> Result<(), Wait<Condition>> {
        if self.locks.lists.remove(&address) {
            let message = alloc::format!("{call} of the lock of an interlocked list");
            self.violate("KE-68", None, message);
        }
        self.check_lock_order(call, address);
        match self.locks.held.get_mut(&address) {
            None => {
                self.locks.held.insert(address, (id, 1));
                if let Some(task) = self.sched.current_mut() {
                    task.locks.push(address);
                }
                Ok(())
            }
            Some((holder, times)) if *holder == id => {
                *times += 1;
                let message = alloc::format!(
                    "{call}: {} is already held by this thread, which on a real machine \
                     waits for itself for ever",
                    self.describe_object("spin lock", address)
                );
                self.violate(rules::LOCK_BALANCE, None, message);
                Ok(())
            }
            Some(_) => Err(Wait::SpinLock {
                address,
                what: What::Object("spin lock", None),
            }),
        }
    }

    /// Whether something with this type in its header is what a wait is for.
    fn can_wait(&mut self, call: &str, kind: u8, address: usize) -> bool {
        let (rule, message) = match kind {
            NOTIFICATION | SYNCHRONIZATION | SEMAPHORE => return true,
            NOTIFICATION_TIMER | SYNCHRONIZATION_TIMER => {
                if self.dpcs.is_timer(address) {
                    return true;
                }
                ("KE-66", "with a timer that is not initialised".into())
            }
            _ => match OTHERS.iter().find(|(other, _)| *other == kind) {
                Some((_, what)) => (rules::NOT_SIMULATED, alloc::format!("for a {what}")),
                None => (
                    rules::ARGUMENT,
                    alloc::format!(": the object is no event (type {kind})"),
                ),
            },
        };
        self.violate(rule, None, alloc::format!("{call} {message}"));
        false
    }

    fn release(&mut self, call: &str, id: TaskId, address: usize) {
        match self.locks.held.get_mut(&address) {
            Some((holder, times)) if *holder == id => {
                *times -= 1;
                if *times > 0 {
                    return;
                }
                self.locks.held.remove(&address);
                if let Some(task) = self.sched.current_mut()
                    && let Some(place) = task.locks.iter().rposition(|a| *a == address)
                {
                    task.locks.remove(place);
                }
                for waiter in self.sched.waiting_for(address) {
                    self.sched.wake(waiter, Woken::Normal);
                }
            }
            found => {
                let found = if found.is_some() {
                    "held by another thread"
                } else {
                    "not held"
                };
                let whereabouts = self.whereabouts(address);
                let message = alloc::format!("{call}: the spin lock {whereabouts} is {found}");
                self.violate(rules::LOCK_BALANCE, None, message);
            }
        }
    }

    /// Whether a task holds a lock.
    pub(crate) fn holds_lock(&mut self, id: TaskId, address: usize) -> bool {
        let held = self.locks.held.get_mut(&address);
        held.is_some_and(|(holder, _)| *holder == id)
    }

    /// Releases a lock that a task holds, and goes to an IRQL.
    pub(crate) fn release_to(&mut self, call: &str, id: TaskId, address: usize, irql: u8) {
        self.release(call, id, address);
        if let Some(task) = self.sched.current_mut() {
            task.irql = irql.min(DISPATCH);
        }
    }
}

/// Raises the IRQL and acquires a lock; what the IRQL was.
fn acquire(name: &'static str, address: usize) -> u8 {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    take_for_system(&cx, name, address)
}

/// The system takes a lock of its own in the running task; what the IRQL was.
pub(crate) fn take_for_system(cx: &Cx, name: &'static str, address: usize) -> u8 {
    let mut before = None;
    spin(cx, name, address, |s| {
        before.get_or_insert(s.irql());
        if let Some(task) = s.sched.current_mut() {
            task.irql = DISPATCH;
        }
    });
    before.unwrap_or_default()
}

/// Acquires a lock for a caller that says it is at DISPATCH_LEVEL already. When
/// it is not, nothing raises its IRQL, as on a real machine.
fn acquire_raised(name: &'static str, address: usize) {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    let mut fresh = true;
    spin(&cx, name, address, |s| {
        if core::mem::take(&mut fresh) && s.irql() < DISPATCH {
            let message = alloc::format!("{name} was called below DISPATCH_LEVEL");
            s.violate(rules::IRQL, None, message);
        }
    });
}

/// Waits for a lock at the IRQL that `first` leaves the task with: it is done before each attempt.
fn spin(cx: &Cx, name: &'static str, address: usize, mut first: impl FnMut(&mut State)) {
    let id = cx.task;
    let answer = cx.core.wait(id, None, |s| {
        first(s);
        s.acquire(name, id, address)
    });
    if answer.is_err() {
        // Nothing ends a wait for a spin lock but its release.
        cx.with(|s| s.note(None, "the wait for a spin lock was abandoned"));
    }
}

fn release(name: &'static str, address: usize, irql: Option<u8>) {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    let id = cx.task;
    cx.with(|s| {
        s.release(name, id, address);
        if let Some(irql) = irql {
            let held = s.sched.current().map_or(0, |t| t.locks.len());
            if held > 0 && irql < DISPATCH {
                let message = alloc::format!(
                    "{name} lowers the IRQL to {irql} while {held} other spin locks are held"
                );
                s.violate(rules::LOCK_BALANCE, None, message);
            }
            if let Some(task) = s.sched.current_mut() {
                task.irql = irql.min(DISPATCH);
            }
        }
    });
}

/// The lock at this address begins or ends, and with it what is known of its order.
/// A thread that no host knows has taken it under none.
fn forget_order(address: usize) {
    if let Some((core, _)) = crate::core::current() {
        let order = &mut core.state.lock().locks.order;
        order.forget(address..address.saturating_add(1));
    }
}

/// Whether a pointer can be an event's.
fn usable<T>(name: &str, event: *mut T, cx: &Cx) -> bool {
    if !event.is_null() && event.is_aligned() {
        return true;
    }
    cx.with(|s| {
        let message = alloc::format!("{name}: {:#x} cannot be an event", event.addr());
        s.violate(rules::ARGUMENT, None, message);
    });
    false
}

const NOTIFICATION: u8 = 0;
const SYNCHRONIZATION: u8 = 1;
const SEMAPHORE: u8 = 5;
/// Objects that the host does not simulate, by the types in their headers.
const OTHERS: [(u8, &str); 4] = [(2, "mutex"), (3, "process"), (4, "queue"), (6, "thread")];

/// The type of an event: the first byte of its header.
///
/// # Safety
///
/// `event` points to a `KEVENT` that nobody else accesses meanwhile.
unsafe fn type_of(event: *mut KEVENT) -> u8 {
    // SAFETY: the header starts with its type.
    unsafe { event.cast::<u8>().read() }
}

/// Where an event keeps whether it is signalled: the header's second long.
///
/// # Safety
///
/// `event` points to a `KEVENT`.
unsafe fn signal_of(event: *mut KEVENT) -> *mut i32 {
    // SAFETY: a `KEVENT` is larger than two longs.
    unsafe { event.cast::<i32>().add(1) }
}

/// # Safety
///
/// `event` points to memory for a `KEVENT`.
unsafe fn initialize(name: &'static str, event: *mut KEVENT, kind: u8, set: bool) {
    let cx = Cx::enter(Call::new(name).quiet(), &[]);
    if !usable(name, event, &cx) {
        return;
    }
    // SAFETY: the caller lends the memory of a whole `KEVENT`; all zeroes is a
    // valid one (an empty list of waiters is the host's business).
    unsafe { event.write_bytes(0, 1) };
    // SAFETY: as above; the type is the first byte.
    unsafe { event.cast::<u8>().write(kind) };
    // SAFETY: as above.
    let signal = unsafe { signal_of(event) };
    // SAFETY: `signal` lies inside the structure.
    unsafe { signal.write(i32::from(set)) };
}

/// # Safety
///
/// `event` points to an initialized `KEVENT`.
unsafe fn change(name: &'static str, event: *mut KEVENT, set: bool) -> i32 {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    if !usable(name, event, &cx) {
        return 0;
    }
    // SAFETY: the caller's event.
    let signal = unsafe { signal_of(event) };
    cx.with(|s| {
        // SAFETY: inside the event; the baton and the lock of the state make
        // this the only access.
        let before = unsafe { signal.read() };
        // SAFETY: as above.
        unsafe { signal.write(i32::from(set)) };
        if set {
            for waiter in s.sched.waiting_for(event.addr()) {
                s.sched.wake(waiter, Woken::Normal);
            }
        }
        before
    })
}

/// Waits for the end of a thread, if the object is a thread's; true when it has
/// ended.
fn wait_for_thread(
    name: &'static str,
    cx: &Cx,
    address: usize,
    limit: Option<u64>,
) -> Option<bool> {
    let (number, raised, now) = cx.with(|s| {
        let number = s.threads.at(address)?;
        s.uses_thread(name, number);
        Some((number, s.irql() >= DISPATCH, s.sched.now))
    })?;
    if raised && limit != Some(0) {
        cx.with(|s| {
            let message = alloc::format!("{name} waits at DISPATCH_LEVEL");
            s.violate(rules::IRQL, None, message);
        });
    }
    if raised || limit == Some(0) {
        return Some(cx.with(|s| s.threads.ended(number)));
    }
    let deadline = limit.map(|limit| now.saturating_add(limit));
    let answer = cx.core.wait(cx.task, deadline, |s| {
        if s.threads.ended(number) {
            return Ok(());
        }
        Err(Wait::Event {
            address,
            what: What::Text(alloc::format!("the end of thread {number} ({name})")),
        })
    });
    Some(answer.is_ok())
}

/// Waits for an event; true when it was signalled.
///
/// # Safety
///
/// `event` points to an initialized `KEVENT`.
unsafe fn wait(name: &'static str, event: *mut KEVENT, limit: Option<u64>) -> bool {
    let cx = Cx::enter(Call::new(name), &[]);
    if let Some(ended) = wait_for_thread(name, &cx, event.addr(), limit) {
        return ended;
    }
    if !usable(name, event, &cx) {
        return false;
    }
    // SAFETY: the caller's event.
    let kind = unsafe { type_of(event) };
    if !cx.with(|s| s.can_wait(name, kind, event.addr())) {
        return false;
    }
    let (raised, now) = cx.with(|s| (s.irql() >= DISPATCH, s.sched.now));
    if raised && limit != Some(0) {
        cx.with(|s| {
            let message = alloc::format!("{name} waits at DISPATCH_LEVEL");
            s.violate(rules::IRQL, None, message);
        });
    }
    // SAFETY: the caller's event.
    let signal = unsafe { signal_of(event) };
    let limit = if raised { Some(0) } else { limit };
    let take = |s: &mut State| {
        let _ = s;
        // SAFETY: inside the event, which its waiter keeps alive; the baton
        // and the lock of the state make this the only access.
        if unsafe { signal.read() } == 0 {
            return false;
        }
        if kind == SEMAPHORE {
            // SAFETY: as above.
            let count = unsafe { signal.read() };
            // SAFETY: as above.
            unsafe { signal.write(count - 1) };
        }
        if kind == SYNCHRONIZATION || kind == SYNCHRONIZATION_TIMER {
            // SAFETY: as above.
            unsafe { signal.write(0) };
        }
        true
    };
    if limit == Some(0) {
        return cx.with(take);
    }
    let answer = cx
        .core
        .wait(cx.task, limit.map(|limit| now.saturating_add(limit)), |s| {
            if take(s) {
                return Ok(());
            }
            Err(Wait::Event {
                address: event.addr(),
                what: What::Object(
                    match kind {
                        NOTIFICATION | SYNCHRONIZATION => "event",
                        SEMAPHORE => "semaphore",
                        _ => "timer",
                    },
                    Some(name),
                ),
            })
        });
    answer.is_ok()
}

/// Where a semaphore keeps the most that it counts to: after its header.
///
/// # Safety
///
/// `semaphore` points to a `KSEMAPHORE`.
unsafe fn limit_of(semaphore: *mut c_void) -> *mut i32 {
    // SAFETY: a `KSEMAPHORE` is a header and a long.
    unsafe { semaphore.cast::<DISPATCHER_HEADER>().add(1).cast() }
}

exports! { EXPORTS {
    /// Prepares a semaphore.
    fn KeInitializeSemaphore(semaphore: *mut c_void, count: i32, limit: i32) {
        let name = "KeInitializeSemaphore";
        let cx = Cx::enter(Call::new(name).silent().passive("KE-71"), &[]);
        let event: *mut KEVENT = semaphore.cast();
        if !usable(name, event, &cx) {
            return;
        }
        if count < 0 || limit < 1 || count > limit {
            cx.with(|s| {
                let message = alloc::format!("{name} with a count of {count}, at most {limit}");
                s.violate("KE-71", None, message);
            });
        }
        // SAFETY: the caller lends the memory of a semaphore, which begins with a header.
        unsafe { semaphore.cast::<DISPATCHER_HEADER>().write_bytes(0, 1) };
        // SAFETY: as above; the type is the first byte.
        unsafe { semaphore.cast::<u8>().write(SEMAPHORE) };
        // SAFETY: as above.
        let signal = unsafe { signal_of(event) };
        // SAFETY: as above.
        let most = unsafe { limit_of(semaphore) };
        // SAFETY: inside the semaphore.
        unsafe { signal.write(count) };
        // SAFETY: inside the semaphore.
        unsafe { most.write(limit) };
    }

    /// Adds to the count of a semaphore; what it was.
    fn KeReleaseSemaphore(semaphore: *mut c_void, _increment: i32, more: i32, wait: u8) -> i32 {
        let name = "KeReleaseSemaphore";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        let event: *mut KEVENT = semaphore.cast();
        if !usable(name, event, &cx) {
            return 0;
        }
        // SAFETY: the caller's semaphore.
        let kind = unsafe { type_of(event) };
        // SAFETY: as above.
        let signal = unsafe { signal_of(event) };
        // SAFETY: as above.
        let limit = unsafe { limit_of(semaphore) };
        cx.with(|s| {
            if kind != SEMAPHORE {
                let message = alloc::format!("{name} with what is no semaphore (type {kind})");
                s.violate("KE-71", None, message);
                return 0;
            }
            if wait != 0 {
                let message = alloc::format!("{name} that goes on to a wait, with the IRQL raised");
                s.violate(rules::NOT_SIMULATED, None, message);
            }
            // SAFETY: inside the semaphore; the baton and the lock of the state make this the
            // only access.
            let before = unsafe { signal.read() };
            // SAFETY: as above.
            let most = unsafe { limit.read() };
            let after = before.checked_add(more).filter(|sum| more > 0 && *sum <= most);
            let Some(after) = after else {
                let message =
                    alloc::format!("{name} by {more} of a count of {before}, at most {most}");
                s.violate("KE-71", None, message);
                return before;
            };
            // SAFETY: as above.
            unsafe { signal.write(after) };
            for waiter in s.sched.waiting_for(semaphore.addr()) {
                s.sched.wake(waiter, Woken::Normal);
            }
            before
        })
    }

    /// The count of a semaphore.
    fn KeReadStateSemaphore(semaphore: *mut c_void) -> i32 {
        let name = "KeReadStateSemaphore";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        let event: *mut KEVENT = semaphore.cast();
        if !usable(name, event, &cx) {
            return 0;
        }
        // SAFETY: the caller's semaphore.
        let signal = unsafe { signal_of(event) };
        // SAFETY: inside the semaphore; the baton makes this the only access.
        unsafe { signal.read() }
    }

    /// Acquires a spin lock and raises the IRQL to DISPATCH_LEVEL.
    fn KeAcquireSpinLockRaiseToDpc(lock: *mut KSPIN_LOCK) -> u8 {
        acquire("KeAcquireSpinLockRaiseToDpc", lock.addr())
    }

    /// Releases a spin lock and goes back to `irql`.
    fn KeReleaseSpinLock(lock: *mut KSPIN_LOCK, irql: u8) {
        release("KeReleaseSpinLock", lock.addr(), Some(irql));
    }

    /// Acquires a spin lock at DISPATCH_LEVEL.
    fn KeAcquireSpinLockAtDpcLevel(lock: *mut KSPIN_LOCK) {
        acquire_raised("KeAcquireSpinLockAtDpcLevel", lock.addr());
    }

    /// Releases a spin lock that was acquired at DISPATCH_LEVEL.
    fn KeReleaseSpinLockFromDpcLevel(lock: *mut KSPIN_LOCK) {
        release("KeReleaseSpinLockFromDpcLevel", lock.addr(), None);
    }

    /// Prepares a spin lock.
    fn NdisAllocateSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller's lock, of which zeroes are a free one.
        unsafe { lock.write_bytes(0, 1) };
        forget_order(lock.addr());
    }

    /// Ends a spin lock.
    fn NdisFreeSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        forget_order(lock.addr());
    }

    /// Acquires a spin lock, raises the IRQL, keeps what it was in the lock.
    fn NdisAcquireSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        let before = acquire("NdisAcquireSpinLock", lock.addr());
        // SAFETY: the caller's lock, which it holds.
        unsafe { (*lock).OldIrql = before };
    }

    /// Releases a spin lock and goes back to the IRQL in it.
    fn NdisReleaseSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller's lock, which it holds.
        let before = unsafe { (*lock).OldIrql };
        release("NdisReleaseSpinLock", lock.addr(), Some(before));
    }

    /// Acquires a spin lock at DISPATCH_LEVEL.
    fn NdisDprAcquireSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        acquire_raised("NdisDprAcquireSpinLock", lock.addr());
    }

    /// Releases a spin lock that was acquired at DISPATCH_LEVEL.
    fn NdisDprReleaseSpinLock(lock: *mut NDIS_SPIN_LOCK) {
        release("NdisDprReleaseSpinLock", lock.addr(), None);
    }

    /// Prepares an event.
    fn KeInitializeEvent(event: *mut KEVENT, kind: i32, state: u8) {
        let kind = if kind == 0 { NOTIFICATION } else { SYNCHRONIZATION };
        // SAFETY: the caller's contract.
        unsafe { initialize("KeInitializeEvent", event, kind, state != 0) };
    }

    /// Signals an event.
    fn KeSetEvent(event: *mut KEVENT, _increment: i32, wait: u8) -> i32 {
        if wait != 0 {
            let cx = Cx::enter(Call::new("KeSetEvent").quiet(), &[]);
            cx.with(|s| {
                let message = "KeSetEvent that goes on to a wait, with the IRQL raised".into();
                s.violate(rules::NOT_SIMULATED, None, message);
            });
        }
        // SAFETY: the caller's contract.
        unsafe { change("KeSetEvent", event, true) }
    }

    /// Makes an event unsignalled and says what it was.
    fn KeResetEvent(event: *mut KEVENT) -> i32 {
        // SAFETY: the caller's contract.
        unsafe { change("KeResetEvent", event, false) }
    }

    /// Makes an event unsignalled.
    fn KeClearEvent(event: *mut KEVENT) {
        // SAFETY: the caller's contract.
        unsafe { change("KeClearEvent", event, false) };
    }

    /// Whether an event is signalled.
    fn KeReadStateEvent(event: *mut KEVENT) -> i32 {
        let cx = Cx::enter(Call::new("KeReadStateEvent").silent(), &[]);
        if !usable("KeReadStateEvent", event, &cx) {
            return 0;
        }
        // SAFETY: the caller's event.
        let signal = unsafe { signal_of(event) };
        // SAFETY: inside the event; the baton makes this the only access.
        unsafe { signal.read() }
    }

    /// Prepares a spin lock. (Drivers have it inline, too.)
    fn KeInitializeSpinLock(lock: *mut KSPIN_LOCK) {
        // SAFETY: the caller's lock, of which zero is a free one.
        unsafe { lock.write(0) };
    }

    /// Waits for an event, a semaphore, a timer or a thread.
    fn KeWaitForSingleObject(
        object: *mut c_void,
        _reason: i32,
        _mode: i8,
        _alertable: u8,
        timeout: *mut LARGE_INTEGER,
    ) -> i32 {
        let limit = if timeout.is_null() {
            None
        } else {
            // SAFETY: the caller's time-out; every bit pattern is a number.
            let due = unsafe { timeout.cast::<i64>().read_unaligned() };
            Some(interval(due))
        };
        // SAFETY: the caller's contract.
        if unsafe { wait("KeWaitForSingleObject", object.cast(), limit) } {
            STATUS_SUCCESS
        } else {
            STATUS_TIMEOUT
        }
    }

    /// Prepares an event.
    fn NdisInitializeEvent(event: *mut NDIS_EVENT) {
        // SAFETY: the caller's contract; an `NDIS_EVENT` starts with its `KEVENT`.
        unsafe { initialize("NdisInitializeEvent", event.cast(), NOTIFICATION, false) };
    }

    /// Signals an event.
    fn NdisSetEvent(event: *mut NDIS_EVENT) {
        // SAFETY: as for `NdisInitializeEvent`.
        unsafe { change("NdisSetEvent", event.cast(), true) };
    }

    /// Makes an event unsignalled.
    fn NdisResetEvent(event: *mut NDIS_EVENT) {
        // SAFETY: as for `NdisInitializeEvent`.
        unsafe { change("NdisResetEvent", event.cast(), false) };
    }

    /// Waits for an event, for ever when `milliseconds` is 0.
    fn NdisWaitEvent(event: *mut NDIS_EVENT, milliseconds: u32) -> u8 {
        let limit = (milliseconds != 0).then(|| u64::from(milliseconds) * 10_000);
        // SAFETY: as for `NdisInitializeEvent`.
        u8::from(unsafe { wait("NdisWaitEvent", event.cast(), limit) })
    }
}}
