//! What drivers written in C use of the kernel: threads and their objects.
//! Each test is a driver that is right, or breaks one rule and is reported for
//! just that one.

mod common;

use common::{P, host, only};
use ndis_host::{Host, Report};
use ndis_sys as n;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// What `ndis-sys` does not declare.
mod k {
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
    }
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
        left.contains("thread 1 (1 references to its object)"),
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
