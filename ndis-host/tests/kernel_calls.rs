//! What drivers written in C use of the kernel: threads and their objects, the
//! IRQL, pool memory with flags, DPCs and timers.
//! Each test is a driver that is right, or breaks one rule and is reported for
//! just that one.

use crate::common;

use common::{P, TAG, host, only};
use ndis_host::{Host, Refusal, Report};
use ndis_sys as n;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// What `ndis-sys` does not declare.
mod k {
    use ndis_sys as n;
    use std::ffi::c_void;

    #[allow(clashing_extern_declarations)]
    unsafe extern "system" {
        pub static PsThreadType: *mut c_void;
        pub fn ObfReferenceObject(object: *mut c_void) -> isize;
        pub fn ObfDereferenceObject(object: *mut c_void) -> isize;
        pub fn ObfDereferenceObjectWithTag(object: *mut c_void, tag: u32) -> isize;
        pub fn ObReferenceObjectByHandleWithTag(
            handle: *mut c_void,
            access: u32,
            kind: *mut c_void,
            mode: i8,
            tag: u32,
            object: *mut *mut c_void,
            information: *mut c_void,
        ) -> i32;
        pub fn IoInitializeRemoveLockEx(lock: *mut u8, tag: u32, min: u32, most: u32, size: u32);
        pub fn IoAcquireRemoveLockEx(
            lock: *mut u8,
            tag: *mut c_void,
            file: *const u8,
            line: u32,
            size: u32,
        ) -> i32;
        pub fn IoReleaseRemoveLockEx(lock: *mut u8, tag: *mut c_void, size: u32);
        pub fn IoReleaseRemoveLockAndWaitEx(lock: *mut u8, tag: *mut c_void, size: u32);
        pub fn KeInitializeSemaphore(semaphore: *mut c_void, count: i32, limit: i32);
        pub fn KeReleaseSemaphore(semaphore: *mut c_void, boost: i32, more: i32, wait: u8) -> i32;
        pub fn KeReadStateSemaphore(semaphore: *mut c_void) -> i32;
        pub fn KeQuerySystemTimePrecise(time: *mut i64);
        pub fn KeQueryInterruptTime() -> u64;
        pub fn KfRaiseIrql(level: u8) -> u8;
        pub fn KeReadStateEvent(event: *mut n::KEVENT) -> i32;
        pub fn ExAllocatePool2(flags: u64, size: usize, tag: u32) -> *mut c_void;
        pub fn KeInitializeDpc(dpc: *mut n::KDPC, routine: Option<Dpc>, context: *mut c_void);
        pub fn KeInsertQueueDpc(dpc: *mut n::KDPC, one: *mut c_void, two: *mut c_void) -> u8;
        pub fn KeRemoveQueueDpc(dpc: *mut n::KDPC) -> u8;
        pub fn KeInitializeTimer(timer: *mut n::KTIMER);
        pub fn KeInitializeTimerEx(timer: *mut n::KTIMER, kind: i32);
        pub fn KeSetTimer(timer: *mut n::KTIMER, due: n::LARGE_INTEGER, dpc: *mut n::KDPC) -> u8;
        pub fn KeSetTimerEx(
            timer: *mut n::KTIMER,
            due: n::LARGE_INTEGER,
            period: i32,
            dpc: *mut n::KDPC,
        ) -> u8;
        pub fn KeCancelTimer(timer: *mut n::KTIMER) -> u8;
        pub fn KeReadStateTimer(timer: *mut n::KTIMER) -> u8;
    }

    pub type Dpc = unsafe extern "system" fn(*mut n::KDPC, *mut c_void, *mut c_void, *mut c_void);
}

fn seeds() -> std::ops::Range<u64> {
    0..if cfg!(miri) { 3 } else { 100 }
}

/// Runs `body` as a driver's entry, and unloads the driver after all.
fn life(host: &Host, body: impl FnOnce() + Send + 'static) {
    let driver = host.load_with("driver", move |_, _| {
        body();
        0
    });
    let driver = driver.expect("loads");
    host.run();
    host.unload(&driver);
}

/// A driver that breaks a rule in one place.
fn broken(rule: &str, body: impl FnOnce() + Send + 'static) -> Report {
    let host = host();
    host.expect(rule);
    life(&host, body);
    let report = host.finish();
    only(&report, &[rule]);
    report
}

const ZERO: *const i64 = &0;

/// A time-out of some milliseconds from now on.
fn after(milliseconds: i64) -> i64 {
    -10_000 * milliseconds
}

/// Waits for an object; a null time-out has no end.
fn wait(object: *mut c_void, timeout: *const i64) -> i32 {
    let timeout = timeout.cast_mut().cast();
    // SAFETY: an object, and null or a time-out that lives for the call.
    unsafe { n::KeWaitForSingleObject(object, 0, 0, 0, timeout) }
}

fn delay(milliseconds: i64) {
    let mut interval = after(milliseconds);
    // SAFETY: an interval that lives for the call.
    unsafe { n::KeDelayExecutionThread(0, 0, (&raw mut interval).cast()) };
}

type Routine = unsafe extern "system" fn(*mut c_void);

fn start(routine: Routine, context: *mut c_void) -> n::HANDLE {
    let mut handle = null_mut();
    let none = null_mut();
    let routine = Some(routine);
    // SAFETY: a place for the handle; the context is what the routine wants.
    let status = unsafe {
        n::PsCreateSystemThread(
            &raw mut handle,
            0,
            none,
            null_mut(),
            null_mut(),
            routine,
            context,
        )
    };
    assert_eq!(status, 0);
    handle
}

fn close(handle: n::HANDLE) {
    // SAFETY: the host looks at a handle before it believes it.
    assert_eq!(unsafe { n::ZwClose(handle) }, 0);
}

fn thread_type() -> *mut c_void {
    // SAFETY: the host's variable, which nobody writes.
    unsafe { k::PsThreadType }
}

fn reference(handle: n::HANDLE, kind: *mut c_void, mode: i8) -> Result<*mut c_void, i32> {
    let mut object = null_mut();
    let place = &raw mut object;
    // SAFETY: a place for the object.
    let status = unsafe {
        n::ObReferenceObjectByHandle(handle, 0x10_0000, kind.cast(), mode, place, null_mut())
    };
    if status < 0 { Err(status) } else { Ok(object) }
}

fn dereference(object: *mut c_void) {
    // SAFETY: the host looks at an object before it believes it.
    unsafe { k::ObfDereferenceObject(object) };
}

/// As drivers start threads: only the object is kept.
fn object_of(routine: Routine, context: *mut c_void) -> *mut c_void {
    let handle = start(routine, context);
    let object = reference(handle, thread_type(), 0).expect("a thread");
    close(handle);
    object
}

/// Sleeps, counts, ends; what comes after that would count as well.
unsafe extern "system" fn count(context: *mut c_void) {
    delay(5);
    // SAFETY: the context of the test, which outlives the thread.
    let ran = unsafe { &*context.cast::<AtomicU32>() };
    ran.fetch_add(1, SeqCst);
    // SAFETY: the routine of a system thread, of which nothing is left to do.
    unsafe { n::PsTerminateSystemThread(0) };
    if !cfg!(miri) {
        ran.fetch_add(100, SeqCst);
    }
}

unsafe extern "system" fn nothing(_: *mut c_void) {}

#[test]
fn the_object_of_a_thread_is_signalled_at_its_end() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        let ran = Arc::new(AtomicU32::new(0));
        let own = ran.clone();
        life(&host, move || {
            let context = Arc::as_ptr(&own).cast_mut().cast();
            let object = object_of(count, context);
            assert_eq!(wait(object, ZERO), n::STATUS_TIMEOUT);
            assert_eq!(wait(object, &after(1)), n::STATUS_TIMEOUT);
            assert_eq!(wait(object, null()), 0);
            assert_eq!(own.load(SeqCst), 1);
            // It stays signalled.
            assert_eq!(wait(object, ZERO), 0);
            assert_eq!(wait(object, &after(1000)), 0);
            dereference(object);
        });
        assert_eq!(ran.load(SeqCst), 1, "a routine went on after its end");
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// What threads say that they are, in the order in which they ran.
unsafe extern "system" fn say(context: *mut c_void) {
    // SAFETY: the context of the test, which outlives the thread.
    let said = unsafe { &*context.cast::<Mutex<Vec<usize>>>() };
    // SAFETY: at any level.
    let own = [0; 2].map(|_| unsafe { n::PsGetCurrentThread() }.addr());
    assert_eq!(own[0], own[1]);
    said.lock().unwrap().push(own[0]);
}

/// Rule KE-72: who runs is told by the address of the thread's object.
#[test]
fn a_thread_knows_which_one_it_is() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        life(&host, || {
            let said = Mutex::new(Vec::<usize>::new());
            let context = (&raw const said).cast_mut().cast();
            let threads = [object_of(say, context), object_of(say, context)];
            for thread in threads {
                assert_eq!(wait(thread, null()), 0);
                dereference(thread);
            }
            let said = said.into_inner().unwrap();
            let all = threads.map(|thread| thread.addr());
            assert!(said == all || said == [all[1], all[0]]);
            // SAFETY: at any level.
            assert!(!all.contains(&unsafe { n::PsGetCurrentThread() }.addr()));
        });
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// The same thread serves others after it has left a routine, for many hosts.
#[test]
fn a_thread_that_was_left_is_of_use_again() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).build();
        let ran = Arc::new(AtomicU32::new(0));
        let own = ran.clone();
        life(&host, move || {
            let context = Arc::as_ptr(&own).cast_mut().cast();
            for _ in 0..5 {
                let objects = [object_of(count, context), object_of(count, context)];
                for object in objects {
                    assert_eq!(wait(object, null()), 0);
                    dereference(object);
                }
            }
        });
        assert_eq!(ran.load(SeqCst), 10);
        assert!(host.finish().is_clean());
        assert_eq!(Arc::strong_count(&ran), 1);
    }
}

#[test]
fn a_reference_can_be_counted_and_tagged() {
    let host = host();
    life(&host, || {
        let handle = start(nothing, null_mut());
        let mut object = null_mut();
        // SAFETY: a place for the object.
        let status = unsafe {
            let place = &raw mut object;
            k::ObReferenceObjectByHandleWithTag(handle, 0, null_mut(), 0, 1, place, null_mut())
        };
        assert_eq!(status, 0);
        assert_eq!(reference(handle, null_mut(), 0), Ok(object));
        close(handle);
        // SAFETY: an object with a reference.
        unsafe { k::ObfReferenceObject(object) };
        dereference(object);
        dereference(object);
        assert_eq!(wait(object, null()), 0);
        // SAFETY: as above.
        unsafe { k::ObfDereferenceObjectWithTag(object, 1) };
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_reference_given_back_twice() {
    broken("KE-61", || {
        let object = object_of(nothing, null_mut());
        assert_eq!(wait(object, null()), 0);
        dereference(object);
        dereference(object);
    });
}

#[test]
fn an_object_used_without_a_reference() {
    broken("KE-61", || {
        let object = object_of(nothing, null_mut());
        dereference(object);
        assert_eq!(wait(object, null()), 0);
    });
}

#[test]
fn a_reference_that_is_never_given_back() {
    let report = broken("DV-17", || {
        let object = object_of(nothing, null_mut());
        assert_eq!(wait(object, null()), 0);
    });
    let left = &report.expected[0].message;
    assert!(
        left.contains("thread 1 (1 references to its object, made in DriverEntry at #"),
        "{left}"
    );
}

#[test]
fn a_thread_that_outlives_its_driver() {
    unsafe extern "system" fn long(_: *mut c_void) {
        delay(100_000);
    }
    let host = host();
    host.expect("KE-62");
    let driver = host.load_with("driver", |_, _| {
        close(start(long, null_mut()));
        0
    });
    let driver = driver.expect("loads");
    host.unload(&driver);
    only(&host.finish(), &["KE-62"]);
}

#[test]
fn only_a_system_thread_ends_itself() {
    broken("KE-63", || {
        // SAFETY: not allowed here; the host says so and returns.
        let status = unsafe { n::PsTerminateSystemThread(0) };
        assert_eq!(status, n::STATUS_INVALID_PARAMETER);
    });
}

/// A thread ends with a lock held, by its call or by returning.
#[test]
fn a_thread_ends_with_nothing_in_its_hands() {
    unsafe extern "system" fn returns(lock: *mut c_void) {
        // SAFETY: the test's lock.
        unsafe { n::KeAcquireSpinLockRaiseToDpc(lock.cast()) };
    }
    broken("KE-63", || {
        let lock = P(Box::into_raw(Box::new(0 as n::KSPIN_LOCK)));
        let object = object_of(returns, lock.0.cast());
        assert_eq!(wait(object, null()), 0);
        dereference(object);
        // SAFETY: made above; the thread is gone.
        drop(unsafe { Box::from_raw(lock.0) });
    });
}

#[test]
fn threads_are_for_passive_level() {
    for place in 0..2 {
        broken("KE-60", move || {
            let lock = &mut 0;
            let handle = if place == 0 {
                null_mut()
            } else {
                start(nothing, null_mut())
            };
            // SAFETY: a lock of this frame's.
            let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
            let handle = if place == 0 {
                start(nothing, null_mut())
            } else {
                dereference(reference(handle, null_mut(), 0).expect("a thread"));
                handle
            };
            // SAFETY: held since above.
            unsafe { n::KeReleaseSpinLock(lock, irql) };
            close(handle);
        });
    }
}

#[test]
fn a_wait_for_a_thread_is_for_passive_level_unless_it_only_looks() {
    broken("DV-06", || {
        let object = object_of(nothing, null_mut());
        let lock = &mut 0;
        // SAFETY: a lock of this frame's.
        let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
        wait(object, ZERO);
        wait(object, &after(1));
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(lock, irql) };
        assert_eq!(wait(object, null()), 0);
        dereference(object);
    });
}

#[test]
fn what_is_no_handle_of_a_thread() {
    const INVALID: i32 = 0xC000_0008_u32 as i32;
    const MISMATCH: i32 = 0xC000_0024_u32 as i32;
    const DENIED: i32 = 0xC000_0022_u32 as i32;
    let report = broken("HOST-ARGUMENT", || {
        let handle = start(nothing, null_mut());
        let other: *mut c_void = null_mut::<u8>().wrapping_add(64).cast();
        assert_eq!(reference(handle, other, 0), Err(MISMATCH));
        assert_eq!(reference(handle, null_mut(), 1), Err(DENIED));
        close(handle);
        assert_eq!(reference(handle, null_mut(), 0), Err(INVALID));
        dereference(other);
    });
    assert_eq!(report.expected.len(), 4, "{report}");
}

/// A thread names itself by a handle that nobody opens.
#[test]
fn a_thread_references_itself() {
    unsafe extern "system" fn own(place: *mut c_void) {
        let current = null_mut::<u8>().wrapping_sub(2).cast();
        let object = reference(current, thread_type(), 0).expect("its own");
        // SAFETY: the test's variable.
        unsafe { place.cast::<*mut c_void>().write(object) };
    }
    let host = host();
    life(&host, || {
        let mut found = null_mut::<c_void>();
        let object = object_of(own, (&raw mut found).cast());
        assert_eq!(wait(object, null()), 0);
        // SAFETY: the thread has ended.
        assert_eq!(unsafe { (&raw const found).read() }, object);
        dereference(object);
        dereference(object);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

const NON_PAGED: u64 = 0x40;
const PAGED: u64 = 0x100;

fn raise(level: u8) -> u8 {
    // SAFETY: any thread may ask.
    unsafe { k::KfRaiseIrql(level) }
}

fn lower(level: u8) {
    // SAFETY: any thread may ask.
    unsafe { n::KeLowerIrql(level) };
}

fn irql() -> u8 {
    // SAFETY: any thread may ask.
    unsafe { n::KeGetCurrentIrql() }
}

#[test]
fn the_irql_goes_up_and_down() {
    let host = host();
    life(&host, || {
        assert_eq!((irql(), raise(1), irql()), (0, 0, 1));
        // SAFETY: any thread may ask.
        let before = unsafe { n::KeRaiseIrqlToDpcLevel() };
        assert_eq!((before, irql()), (1, 2));
        // It may be raised to what it is.
        assert_eq!((raise(2), irql()), (2, 2));
        lower(2);
        lower(1);
        assert_eq!(irql(), 1);
        lower(0);
        assert_eq!(irql(), 0);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_irql_is_lowered_to_what_it_was() {
    broken("KE-64", || {
        raise(1);
        raise(2);
        // The outer one first.
        lower(0);
        lower(0);
    });
    broken("KE-64", || lower(0));
    broken("KE-64", || {
        raise(2);
        raise(1);
        lower(2);
        lower(0);
    });
    broken("HOST-NOT-SIMULATED", || lower(raise(5)));
}

/// A handler that keeps the IRQL up is found at its end.
#[test]
fn a_dpc_leaves_the_irql_as_it_was() {
    unsafe extern "system" fn lowers(
        _: *mut n::KDPC,
        _: *mut c_void,
        _: *mut c_void,
        _: *mut c_void,
    ) {
        lower(0);
    }
    let host = host();
    host.expect("KE-64");
    host.expect("DV-14");
    life(&host, || {
        let dpc = dpc(lowers, null_mut());
        insert(dpc.0);
        flush();
        free(dpc.0);
    });
    only(&host.finish(), &["DV-14", "KE-64"]);
}

fn pool(flags: u64, size: usize, tag: u32) -> *mut c_void {
    // SAFETY: plain pool memory.
    unsafe { k::ExAllocatePool2(flags, size, tag) }
}

fn free<T>(memory: *mut T) {
    // SAFETY: the host looks at an address before it believes it.
    unsafe { n::ExFreePool(memory.cast()) };
}

#[test]
fn pool_memory_is_zeroed() {
    let host = host();
    life(&host, || {
        for flags in [NON_PAGED, PAGED, 0x80, NON_PAGED | 1 | 8] {
            let memory = pool(flags, 100, TAG).cast::<u8>();
            // SAFETY: so many bytes, which are zeroed.
            let bytes = unsafe { std::slice::from_raw_parts(memory, 100) };
            assert!(bytes.iter().all(|byte| *byte == 0));
            free(memory);
        }
        let memory = pool(NON_PAGED | 2, 100, TAG);
        assert!(!memory.is_null());
        free(memory);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn pool_memory_is_refused_on_purpose_once() {
    let host = host();
    host.fail_call("ExAllocatePool2", 2, n::NDIS_STATUS_RESOURCES);
    life(&host, || {
        let given: Vec<_> = (0..3).map(|_| pool(NON_PAGED, 100, TAG)).collect();
        let refused: Vec<bool> = given.iter().map(|memory| memory.is_null()).collect();
        assert_eq!(refused, [false, true, false]);
        for memory in given.into_iter().filter(|memory| !memory.is_null()) {
            free(memory);
        }
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn pool_memory_that_is_not_given() {
    broken("KE-12", || assert!(pool(NON_PAGED, 8, 0).is_null()));
    broken("KE-12", || {
        free(pool(NON_PAGED, 8, u32::from_le_bytes(*b"A\0\0B")))
    });
    broken("KE-13", || free(pool(NON_PAGED, 0, TAG)));
    broken("KE-11", || {
        let irql = raise(2);
        free(pool(NON_PAGED, 8, TAG));
        free(pool(PAGED, 8, TAG));
        lower(irql);
    });
    for flags in [0, NON_PAGED | PAGED, NON_PAGED | 0x1_0000] {
        broken("HOST-ARGUMENT", move || {
            assert!(pool(flags, 8, TAG).is_null())
        });
    }
    broken("HOST-NOT-SIMULATED", || {
        free(pool(NON_PAGED | 0x20, 8, TAG))
    });
}

#[test]
fn an_event_is_read() {
    let host = host();
    life(&host, || {
        let event: P<n::KEVENT> = P(pool(NON_PAGED, size_of::<n::KEVENT>(), TAG).cast());
        // SAFETY: memory for an event.
        unsafe { n::KeInitializeEvent(event.0, 0, 0) };
        // SAFETY: an event.
        assert_eq!(unsafe { k::KeReadStateEvent(event.0) }, 0);
        // SAFETY: an event.
        unsafe { n::KeSetEvent(event.0, 0, 0) };
        // SAFETY: an event.
        assert_eq!(unsafe { k::KeReadStateEvent(event.0) }, 1);
        free(event.0);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_memory_of_an_event_that_somebody_waits_for() {
    unsafe extern "system" fn waiter(event: *mut c_void) {
        wait(event, &after(50));
    }
    broken("KE-34", || {
        let event = pool(NON_PAGED, size_of::<n::KEVENT>(), TAG);
        // SAFETY: memory for an event.
        unsafe { n::KeInitializeEvent(event.cast(), 0, 0) };
        let object = object_of(waiter, event);
        delay(5);
        // Its state would be looked at when the wait ends: it is freed, and lies there.
        free(event);
        assert_eq!(wait(object, null()), 0);
        dereference(object);
    });
}

#[test]
fn a_set_event_that_goes_on_to_a_wait() {
    broken("HOST-NOT-SIMULATED", || {
        let event = pool(NON_PAGED, size_of::<n::KEVENT>(), TAG);
        // SAFETY: memory for an event.
        unsafe { n::KeInitializeEvent(event.cast(), 0, 0) };
        // SAFETY: an event.
        unsafe { n::KeSetEvent(event.cast(), 0, 1) };
        free(event);
    });
}

/// A DPC in pool memory.
fn dpc(routine: k::Dpc, context: *mut c_void) -> P<n::KDPC> {
    let dpc = pool(NON_PAGED, size_of::<n::KDPC>(), TAG).cast();
    // SAFETY: memory for a DPC.
    unsafe { k::KeInitializeDpc(dpc, Some(routine), context) };
    P(dpc)
}

fn insert(dpc: *mut n::KDPC) -> bool {
    let arguments = [1, 2].map(|number| null_mut::<u8>().wrapping_add(number).cast());
    // SAFETY: the host looks at an address before it believes it.
    unsafe { k::KeInsertQueueDpc(dpc, arguments[0], arguments[1]) != 0 }
}

fn remove(dpc: *mut n::KDPC) -> bool {
    // SAFETY: the host looks at an address before it believes it.
    unsafe { k::KeRemoveQueueDpc(dpc) != 0 }
}

fn flush() {
    // SAFETY: at PASSIVE_LEVEL.
    unsafe { n::KeFlushQueuedDpcs() };
}

/// A timer in pool memory, of this type.
fn timer(kind: i32) -> P<n::KTIMER> {
    let timer = pool(NON_PAGED, size_of::<n::KTIMER>(), TAG).cast();
    // SAFETY: memory for a timer.
    unsafe { k::KeInitializeTimerEx(timer, kind) };
    P(timer)
}

fn set(timer: *mut n::KTIMER, milliseconds: i64, period: i32, dpc: *mut n::KDPC) -> bool {
    let due = n::LARGE_INTEGER {
        QuadPart: after(milliseconds),
    };
    // SAFETY: the host looks at addresses before it believes them.
    unsafe { k::KeSetTimerEx(timer, due, period, dpc) != 0 }
}

fn cancel(timer: *mut n::KTIMER) -> bool {
    // SAFETY: the host looks at an address before it believes it.
    unsafe { k::KeCancelTimer(timer) != 0 }
}

/// Counts its runs, and the arguments that came with them.
#[derive(Default)]
struct Runs {
    runs: AtomicU32,
    sum: AtomicU32,
}

unsafe extern "system" fn counts(
    _: *mut n::KDPC,
    context: *mut c_void,
    one: *mut c_void,
    two: *mut c_void,
) {
    assert_eq!(irql(), 2);
    // SAFETY: the test's counters, which outlive the host.
    let runs = unsafe { &*context.cast::<Runs>() };
    runs.runs.fetch_add(1, SeqCst);
    runs.sum
        .fetch_add((one.addr() + 10 * two.addr()) as u32, SeqCst);
}

/// Runs a driver under many schedules; gives how often its DPC ran, seed by seed.
fn under_schedules(
    body: impl Fn(P<n::KDPC>, &Runs) + Clone + Send + 'static,
) -> std::collections::BTreeSet<u32> {
    let mut all = std::collections::BTreeSet::new();
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        let runs = Arc::new(Runs::default());
        let (own, body) = (runs.clone(), body.clone());
        life(&host, move || {
            let dpc = dpc(counts, Arc::as_ptr(&own).cast_mut().cast());
            body(dpc, &own);
            free(dpc.0);
        });
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
        all.insert(runs.runs.load(SeqCst));
    }
    all
}

#[test]
fn a_dpc_runs_once_each_time_it_is_queued() {
    let all = under_schedules(|dpc, runs| {
        assert!(insert(dpc.0));
        flush();
        assert_eq!(runs.runs.load(SeqCst), 1);
        assert_eq!(runs.sum.load(SeqCst), 21);
        assert!(insert(dpc.0));
        flush();
    });
    assert!(all.iter().eq(&[2]), "{all:?}");
}

#[test]
fn a_dpc_is_in_the_queue_once() {
    let irql_keeps_it = under_schedules(|dpc, _| {
        let _ = (insert(dpc.0), insert(dpc.0));
        flush();
    });
    assert!(irql_keeps_it.iter().all(|runs| [1, 2].contains(runs)));
    if !cfg!(miri) {
        assert_eq!(irql_keeps_it.len(), 2, "the schedules are all the same");
    }
}

#[test]
fn a_dpc_that_is_removed_does_not_run() {
    let all = under_schedules(|dpc, runs| {
        assert!(insert(dpc.0));
        let removed = remove(dpc.0);
        flush();
        assert_eq!(runs.runs.load(SeqCst), u32::from(!removed));
        assert!(!remove(dpc.0));
    });
    if !cfg!(miri) {
        assert_eq!(all.len(), 2, "always one of the two: {all:?}");
    }
}

/// The DPC waits until the driver lowers its IRQL: there is one processor.
#[test]
fn a_dpc_waits_for_a_processor() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).processors(1).build();
        let runs = Arc::new(Runs::default());
        let own = runs.clone();
        life(&host, move || {
            let dpc = dpc(counts, Arc::as_ptr(&own).cast_mut().cast());
            let before = raise(2);
            assert!(insert(dpc.0));
            assert!(!insert(dpc.0));
            assert_eq!(own.runs.load(SeqCst), 0);
            lower(before);
            flush();
            assert_eq!(own.runs.load(SeqCst), 1);
            free(dpc.0);
        });
        assert!(host.finish().is_clean());
    }
}

/// The loader waits for a DPC that is queued when its driver is unloaded.
#[test]
fn a_dpc_may_be_queued_at_the_unload() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).build();
        let runs = Arc::new(Runs::default());
        let own = runs.clone();
        let memory: P<n::KDPC> = P(Box::into_raw(Box::new(common::zeroed())));
        let driver = host.load_with("driver", move |_, _| {
            let memory = memory;
            let context = Arc::as_ptr(&own).cast_mut().cast();
            // SAFETY: memory for a DPC, which outlives the host.
            unsafe { k::KeInitializeDpc(memory.0, Some(counts), context) };
            assert!(insert(memory.0));
            n::STATUS_UNSUCCESSFUL
        });
        assert!(driver.is_err());
        assert_eq!(runs.runs.load(SeqCst), 1);
        assert!(host.finish().is_clean());
        // SAFETY: made above; the host is gone.
        drop(unsafe { Box::from_raw(memory.0) });
    }
}

#[test]
fn what_happens_to_a_dpc_in_the_queue() {
    // Freed, and initialised anew.
    broken("KE-65", || {
        let dpc = dpc(counts, null_mut());
        insert(dpc.0);
        free(dpc.0);
    });
    broken("KE-65", || {
        let dpc = dpc(counts, null_mut());
        insert(dpc.0);
        // SAFETY: memory for a DPC.
        unsafe { k::KeInitializeDpc(dpc.0, Some(counts), null_mut()) };
        free(dpc.0);
    });
    // Never initialised.
    broken("KE-65", || {
        let dpc = pool(NON_PAGED, size_of::<n::KDPC>(), TAG).cast();
        assert!(!insert(dpc) && !remove(dpc));
        free(dpc);
    });
}

#[test]
fn a_timer_queues_its_dpc() {
    let all = under_schedules(|dpc, runs| {
        let timer = timer(0);
        assert!(!set(timer.0, 5, 0, dpc.0));
        // Later, in place of that.
        assert!(set(timer.0, 10, 0, dpc.0));
        assert_eq!(wait(timer.0.cast(), &after(7)), n::STATUS_TIMEOUT);
        // SAFETY: a timer.
        assert_eq!(unsafe { k::KeReadStateTimer(timer.0) }, 0);
        assert_eq!(wait(timer.0.cast(), null()), 0);
        // It stays signalled.
        assert_eq!(wait(timer.0.cast(), ZERO), 0);
        // SAFETY: a timer.
        assert_eq!(unsafe { k::KeReadStateTimer(timer.0) }, 1);
        assert!(!cancel(timer.0));
        flush();
        assert_eq!(runs.sum.load(SeqCst), 0);
        free(timer.0);
    });
    assert!(all.iter().eq(&[1]), "{all:?}");
}

#[test]
fn a_periodic_timer_lets_one_waiter_pass_each_time() {
    let all = under_schedules(|dpc, _| {
        let timer = timer(1);
        assert!(!set(timer.0, 1, 10, dpc.0));
        for _ in 0..3 {
            assert_eq!(wait(timer.0.cast(), null()), 0);
            assert_eq!(wait(timer.0.cast(), ZERO), n::STATUS_TIMEOUT);
        }
        // A timer with a period is set until it is cancelled.
        assert!(cancel(timer.0));
        assert!(!cancel(timer.0));
        flush();
        free(timer.0);
    });
    assert!(all.iter().eq(&[3]), "{all:?}");
}

#[test]
fn a_timer_that_is_cancelled_is_never_signalled() {
    let all = under_schedules(|dpc, _| {
        let timer: P<n::KTIMER> = P(pool(NON_PAGED, size_of::<n::KTIMER>(), TAG).cast());
        let due = n::LARGE_INTEGER {
            QuadPart: after(50),
        };
        // SAFETY: memory for a timer.
        unsafe { k::KeInitializeTimer(timer.0) };
        // SAFETY: a timer and a DPC.
        assert_eq!(unsafe { k::KeSetTimer(timer.0, due, dpc.0) }, 0);
        assert!(cancel(timer.0));
        assert_eq!(wait(timer.0.cast(), &after(100)), n::STATUS_TIMEOUT);
        free(timer.0);
    });
    assert!(all.iter().eq(&[0]), "{all:?}");
}

#[test]
fn what_happens_to_a_timer_that_is_set() {
    broken("KE-66", || {
        let timer = timer(0);
        set(timer.0, 5, 0, null_mut());
        free(timer.0);
    });
    broken("KE-66", || {
        let timer = timer(0);
        set(timer.0, 5, 0, null_mut());
        // SAFETY: memory for a timer.
        unsafe { k::KeInitializeTimer(timer.0) };
        free(timer.0);
    });
    // Never initialised.
    broken("KE-66", || {
        let timer = pool(NON_PAGED, size_of::<n::KTIMER>(), TAG).cast();
        assert!(!set(timer, 5, 0, null_mut()) && !cancel(timer));
        free(timer);
    });
}

#[test]
fn a_timer_that_is_set_at_the_unload() {
    let memory: P<n::KTIMER> = P(Box::into_raw(Box::new(common::zeroed())));
    broken("KE-66", move || {
        let memory = memory;
        // SAFETY: memory for a timer, which outlives the host.
        unsafe { k::KeInitializeTimer(memory.0) };
        set(memory.0, 1, 1, null_mut());
    });
    // SAFETY: made above; the host is gone.
    drop(unsafe { Box::from_raw(memory.0) });
}

#[test]
fn the_dpc_of_a_timer_is_no_other() {
    for timer_first in [false, true] {
        broken("KE-67", move || {
            let (timer, dpc) = (timer(0), dpc(nothing_to_do, null_mut()));
            for turn in [timer_first, !timer_first] {
                if turn {
                    set(timer.0, 1, 0, dpc.0);
                } else {
                    insert(dpc.0);
                }
                delay(5);
            }
            flush();
            free(timer.0);
            free(dpc.0);
        });
    }
}

unsafe extern "system" fn nothing_to_do(
    _: *mut n::KDPC,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
}

#[test]
fn a_period_is_not_negative() {
    broken("KE-67", || {
        let timer = timer(0);
        set(timer.0, 1, -1, null_mut());
        delay(5);
        free(timer.0);
    });
}

/// Objects with other types in their headers.
#[test]
fn a_wait_for_what_the_host_does_not_simulate() {
    for kind in [2, 4] {
        broken("HOST-NOT-SIMULATED", move || {
            let object = pool(NON_PAGED, 64, TAG);
            // SAFETY: the first byte of that memory.
            unsafe { object.cast::<u8>().write(kind) };
            wait(object, ZERO);
            free(object);
        });
    }
}

/// What an image imports and the host lacks is refused by its name, or is harmless.
#[test]
#[cfg_attr(miri, ignore = "the address is that of another type of function")]
fn a_function_that_is_refused() {
    type Wait = unsafe extern "system" fn(u32, *mut *mut c_void) -> i32;
    type Other = unsafe extern "system" fn(*mut c_void) -> *mut c_void;
    let address = |name| match ndis_host::refusal(name) {
        Refusal::Refused(address) => std::ptr::with_exposed_provenance::<()>(address),
        other => panic!("{name}: {other:?}"),
    };
    let report = broken("HOST-NOT-SIMULATED", move || {
        let wait = address("KeWaitForMultipleObjects");
        assert_eq!(wait, address("KeWaitForMultipleObjects"));
        // SAFETY: a function that looks at no parameters and gives a number.
        let wait = unsafe { std::mem::transmute::<*const (), Wait>(wait) };
        // SAFETY: as above.
        assert_eq!(unsafe { wait(0, null_mut()) }, 0xC000_0002_u32 as i32);
        let allocate = address("ExAllocateFromLookasideListEx");
        // SAFETY: as above.
        let allocate = unsafe { std::mem::transmute::<*const (), Other>(allocate) };
        // SAFETY: as above.
        assert!(unsafe { allocate(null_mut()) }.is_null());
    });
    let said: Vec<&str> = report
        .expected
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "KeWaitForMultipleObjects is not simulated",
            "ExAllocateFromLookasideListEx is not simulated"
        ]
    );
}

#[test]
fn what_is_refused() {
    let refused = [
        "KeWaitForMultipleObjects",
        "KeReleaseMutex",
        "KeGetCurrentThread",
        "ExAcquireFastMutex",
        "ExQueueWorkItem",
        "ExInterlockedAddLargeInteger",
        "ObReferenceObjectByPointer",
        "PsLookupThreadByThreadId",
        "ZwWaitForSingleObject",
        "ZwCreateEvent",
        "NtSetTimer",
        "IoInitializeTimer",
        "IoCreateNotificationEvent",
    ];
    for name in refused {
        assert!(
            matches!(ndis_host::refusal(name), Refusal::Refused(_)),
            "{name}"
        );
    }
    let harmless = [
        "RtlCopyUnicodeString",
        "memcpy",
        "DbgPrint",
        "IoAllocateMdl",
        "ZwOpenKey",
        "ExEventObjectType",
        "PsProcessType",
        "KeNumberProcessors",
        "ExpInterlockedPopEntrySList",
        // The host has these.
        "KeSetEvent",
        "PsThreadType",
        "KfRaiseIrql",
    ];
    for name in harmless {
        assert_eq!(ndis_host::refusal(name), Refusal::Harmless, "{name}");
    }
}

/// A list, its lock, and some entries, in pool memory.
struct List {
    head: *mut n::LIST_ENTRY,
    lock: *mut n::KSPIN_LOCK,
}

impl List {
    fn new() -> Self {
        let head = pool(NON_PAGED, size_of::<n::LIST_ENTRY>(), TAG).cast::<n::LIST_ENTRY>();
        // SAFETY: memory for an entry, which is its own neighbour.
        unsafe {
            head.write(n::LIST_ENTRY {
                Flink: head,
                Blink: head,
            })
        };
        let lock = pool(NON_PAGED, size_of::<n::KSPIN_LOCK>(), TAG).cast();
        Self { head, lock }
    }

    fn entry() -> *mut n::LIST_ENTRY {
        pool(NON_PAGED, size_of::<n::LIST_ENTRY>(), TAG).cast()
    }

    fn insert(&self, entry: *mut n::LIST_ENTRY, tail: bool) -> *mut n::LIST_ENTRY {
        if tail {
            // SAFETY: a list, an entry that is in none, and the list's lock.
            unsafe { n::ExInterlockedInsertTailList(self.head, entry, self.lock) }
        } else {
            // SAFETY: as above.
            unsafe { n::ExInterlockedInsertHeadList(self.head, entry, self.lock) }
        }
    }

    fn remove(&self) -> *mut n::LIST_ENTRY {
        // SAFETY: a list and its lock.
        unsafe { n::ExInterlockedRemoveHeadList(self.head, self.lock) }
    }

    fn end(self) {
        free(self.head);
        free(self.lock);
    }
}

#[test]
fn an_interlocked_list() {
    let host = host();
    life(&host, || {
        let list = List::new();
        let (first, second, third) = (List::entry(), List::entry(), List::entry());
        assert!(list.remove().is_null());
        assert!(list.insert(second, true).is_null());
        assert_eq!(list.insert(third, true), second);
        assert_eq!(list.insert(first, false), second);
        for entry in [first, second, third] {
            assert_eq!(list.remove(), entry);
            free(entry);
        }
        assert!(list.remove().is_null());
        list.end();

        let lock = pool(NON_PAGED, size_of::<n::KSPIN_LOCK>(), TAG).cast();
        let mut number = 5;
        // SAFETY: a number and its lock.
        let before = unsafe { n::ExInterlockedAddUlong(&raw mut number, 3, lock) };
        assert_eq!((before, number), (5, 8));
        let size = size_of::<n::SINGLE_LIST_ENTRY>();
        let [head, one, two] = [(); 3].map(|()| pool(NON_PAGED, size, TAG).cast());
        // SAFETY: a list, which is empty, an entry that is in none, and their lock.
        assert!(unsafe { n::ExInterlockedPushEntryList(head, one, lock) }.is_null());
        // SAFETY: as above.
        let first = unsafe { n::ExInterlockedPushEntryList(head, two, lock) };
        assert_eq!(first, one);
        for entry in [two, one, null_mut()] {
            // SAFETY: as above.
            assert_eq!(unsafe { n::ExInterlockedPopEntryList(head, lock) }, entry);
        }
        for entry in [head, one, two] {
            free(entry);
        }
        free(lock);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_lock_of_a_list_is_for_nothing_else() {
    for held in [false, true] {
        broken("KE-68", move || {
            let (list, entry) = (List::new(), List::entry());
            if !held {
                list.insert(entry, true);
            }
            // SAFETY: the lock of the list.
            let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(list.lock) };
            if held {
                list.insert(entry, true);
            }
            // SAFETY: held since above.
            unsafe { n::KeReleaseSpinLock(list.lock, irql) };
            free(entry);
            list.end();
        });
    }
    broken("HOST-ARGUMENT", || {
        let list = List::new();
        assert!(list.insert(null_mut(), true).is_null());
        list.end();
    });
}

/// A remove lock in pool memory.
fn remove_lock() -> *mut u8 {
    let lock = pool(NON_PAGED, 32, TAG).cast();
    // SAFETY: memory for a remove lock.
    unsafe { k::IoInitializeRemoveLockEx(lock, TAG, 0, 0, 32) };
    lock
}

fn acquire(lock: *mut u8, tag: usize) -> i32 {
    // SAFETY: the host looks at addresses before it believes them.
    unsafe { k::IoAcquireRemoveLockEx(lock, std::ptr::without_provenance_mut(tag), null(), 0, 32) }
}

fn release(lock: *mut u8, tag: usize) {
    // SAFETY: as above.
    unsafe { k::IoReleaseRemoveLockEx(lock, std::ptr::without_provenance_mut(tag), 32) };
}

fn release_and_wait(lock: *mut u8, tag: usize) {
    // SAFETY: as above.
    unsafe { k::IoReleaseRemoveLockAndWaitEx(lock, std::ptr::without_provenance_mut(tag), 32) };
}

#[test]
fn a_remove_lock_waits_for_its_users() {
    unsafe extern "system" fn user(lock: *mut c_void) {
        let lock = lock.cast();
        delay(10);
        // The device goes: nobody else gets in.
        assert_eq!(acquire(lock, 3), 0xC000_0056_u32 as i32);
        release(lock, 1);
    }
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        life(&host, || {
            let lock = remove_lock();
            assert_eq!((acquire(lock, 1), acquire(lock, 2)), (0, 0));
            let object = object_of(user, lock.cast());
            release_and_wait(lock, 2);
            assert_eq!(wait(object, null()), 0);
            dereference(object);
            free(lock);
        });
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

#[test]
fn what_happens_to_a_remove_lock() {
    // Another tag, and none at all.
    broken("KE-69", || {
        let lock = remove_lock();
        acquire(lock, 1);
        release(lock, 2);
        release(lock, 1);
        release(lock, 1);
        free(lock);
    });
    broken("KE-69", || {
        let lock = remove_lock();
        acquire(lock, 1);
        free(lock);
    });
    broken("KE-69", || {
        let lock = remove_lock();
        // SAFETY: memory for a remove lock.
        unsafe { k::IoInitializeRemoveLockEx(lock, TAG, 0, 0, 32) };
        free(lock);
    });
    broken("KE-69", || {
        let lock = pool(NON_PAGED, 32, TAG).cast();
        acquire(lock, 1);
        free(lock);
    });
    broken("KE-70", || {
        let lock = remove_lock();
        acquire(lock, 1);
        let irql = raise(2);
        release_and_wait(lock, 1);
        lower(irql);
        free(lock);
    });
}

/// A semaphore in pool memory.
fn semaphore(count: i32, limit: i32) -> *mut c_void {
    let semaphore = pool(NON_PAGED, 32, TAG);
    // SAFETY: memory for a semaphore.
    unsafe { k::KeInitializeSemaphore(semaphore, count, limit) };
    semaphore
}

fn release_semaphore(semaphore: *mut c_void, more: i32) -> i32 {
    // SAFETY: a semaphore.
    unsafe { k::KeReleaseSemaphore(semaphore, 0, more, 0) }
}

#[test]
fn a_semaphore_lets_as_many_pass_as_it_counts() {
    unsafe extern "system" fn passes(semaphore: *mut c_void) {
        assert_eq!(wait(semaphore, null()), 0);
    }
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        life(&host, || {
            let semaphore = semaphore(1, 3);
            assert_eq!(wait(semaphore, ZERO), 0);
            assert_eq!(wait(semaphore, &after(1)), n::STATUS_TIMEOUT);
            let objects = [(); 3].map(|()| object_of(passes, semaphore));
            assert_eq!(release_semaphore(semaphore, 2), 0);
            // Two of the three pass.
            delay(5);
            // SAFETY: a semaphore.
            assert_eq!(unsafe { k::KeReadStateSemaphore(semaphore) }, 0);
            let over = objects.iter().filter(|object| wait(**object, ZERO) == 0);
            assert_eq!(over.count(), 2);
            release_semaphore(semaphore, 1);
            for object in objects {
                assert_eq!(wait(object, null()), 0);
                dereference(object);
            }
            free(semaphore);
        });
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

#[test]
fn a_semaphore_beyond_its_limit() {
    for (count, limit, more) in [(1, 2, 2), (0, 1, 0), (2, 1, -1), (0, 0, 1)] {
        broken("KE-71", move || {
            let semaphore = semaphore(count, limit);
            assert_eq!(release_semaphore(semaphore, more), count);
            free(semaphore);
        });
    }
    broken("KE-71", || {
        let memory = pool(NON_PAGED, 32, TAG);
        assert_eq!(release_semaphore(memory, 1), 0);
        free(memory);
    });
    broken("KE-71", || {
        let irql = raise(2);
        free(semaphore(0, 1));
        lower(irql);
    });
}

/// The clocks of the kernel are the host's, and go on while a driver sleeps.
#[test]
fn the_time_is_the_hosts() {
    let host = host();
    life(&host, || {
        let clocks = || {
            let mut time = 0;
            // SAFETY: a place for the time.
            unsafe { k::KeQuerySystemTimePrecise(&raw mut time) };
            // SAFETY: any thread may ask.
            (time, unsafe { k::KeQueryInterruptTime() })
        };
        let (time, since) = clocks();
        delay(10);
        let (later, after) = clocks();
        assert!((100_000..101_000).contains(&(later - time)));
        assert!((100_000..101_000).contains(&(after - since)));
    });
    assert!(host.finish().is_clean());
}

/// What a driver's debug build asks to check itself does not change when its timers expire.
#[test]
fn no_time_passes_by_asking_for_the_level() {
    let host = host();
    life(&host, || {
        // SAFETY: any thread may ask.
        let time = || unsafe { k::KeQueryInterruptTime() };
        let before = time();
        let once = time() - before;
        for _ in 0..10 {
            // SAFETY: any thread may ask.
            assert_eq!(unsafe { n::KeGetCurrentIrql() }, 0);
        }
        assert_eq!(time() - before, 2 * once);
    });
    assert!(host.finish().is_clean());
}
