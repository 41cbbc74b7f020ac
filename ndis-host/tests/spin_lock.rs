//! NDIS's own spin locks, which images and 32-bit drivers import. Elsewhere
//! `ndis_sys` has inline functions of the same names, as `ndis.h` does; here the
//! host's are called.

use crate::common;

use common::{P, host, only, zeroed};
use ndis_host::Host;
use ndis_sys as n;
use ndis_sys::NDIS_SPIN_LOCK;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

unsafe extern "system" {
    fn NdisAllocateSpinLock(lock: *mut NDIS_SPIN_LOCK);
    fn NdisFreeSpinLock(lock: *mut NDIS_SPIN_LOCK);
    fn NdisAcquireSpinLock(lock: *mut NDIS_SPIN_LOCK);
    fn NdisReleaseSpinLock(lock: *mut NDIS_SPIN_LOCK);
    fn NdisDprAcquireSpinLock(lock: *mut NDIS_SPIN_LOCK);
    fn NdisDprReleaseSpinLock(lock: *mut NDIS_SPIN_LOCK);
}

/// A spin lock that outlives the threads of its test.
#[derive(Clone, Copy)]
struct Lock(P<NDIS_SPIN_LOCK>);

impl Lock {
    fn new() -> Self {
        let mut memory: Box<NDIS_SPIN_LOCK> = Box::new(zeroed());
        // What was in the memory before does not matter.
        memory.SpinLock = !0;
        memory.OldIrql = 9;
        let lock = Box::into_raw(memory);
        // SAFETY: memory for a lock that nobody uses.
        unsafe { NdisAllocateSpinLock(lock) };
        Self(P(lock))
    }

    fn acquire(self) {
        // SAFETY: a lock that is not freed; whether it may be taken now is the
        // host's to say.
        unsafe { NdisAcquireSpinLock(self.0.0) };
    }

    fn release(self) {
        // SAFETY: as above.
        unsafe { NdisReleaseSpinLock(self.0.0) };
    }

    fn dpr_acquire(self) {
        // SAFETY: as above.
        unsafe { NdisDprAcquireSpinLock(self.0.0) };
    }

    fn dpr_release(self) {
        // SAFETY: as above.
        unsafe { NdisDprReleaseSpinLock(self.0.0) };
    }

    fn old_irql(self) -> u8 {
        // SAFETY: a lock that is not freed, and whose users hold it.
        unsafe { (*self.0.0).OldIrql }
    }

    fn free(self) {
        // SAFETY: nobody uses it any more.
        unsafe { NdisFreeSpinLock(self.0.0) };
        // SAFETY: made by `new`, freed once.
        drop(unsafe { Box::from_raw(self.0.0) });
    }
}

fn irql() -> u8 {
    // SAFETY: any code may ask.
    unsafe { n::KeGetCurrentIrql() }
}

/// A call that may hand the baton over.
fn switch() {
    let mut event: n::NDIS_EVENT = zeroed();
    // SAFETY: an event of this function.
    unsafe { n::NdisInitializeEvent(&raw mut event) };
    // SAFETY: as above.
    unsafe { n::NdisSetEvent(&raw mut event) };
}

/// Runs `body` as a driver's entry.
fn driver(host: &Host, body: impl FnOnce() + Send + 'static) {
    let driver = host
        .load_with("driver", move |_, _| {
            body();
            0
        })
        .expect("loads");
    host.unload(&driver);
}

#[test]
fn the_irql_is_raised_and_restored() {
    let host = host();
    driver(&host, || {
        let (outer, inner) = (Lock::new(), Lock::new());
        assert_eq!(outer.old_irql(), 0, "a new lock is cleared");
        outer.acquire();
        assert_eq!((irql(), outer.old_irql()), (2, 0));
        inner.acquire();
        assert_eq!((irql(), inner.old_irql()), (2, 2));
        inner.release();
        assert_eq!(irql(), 2, "the outer lock is still held");
        inner.dpr_acquire();
        assert_eq!(irql(), 2);
        inner.dpr_release();
        assert_eq!(irql(), 2);
        outer.release();
        assert_eq!(irql(), 0);
        outer.free();
        inner.free();
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// One thread takes the lock from PASSIVE_LEVEL, the other is at DISPATCH_LEVEL
/// already.
#[test]
fn a_lock_excludes() {
    for seed in 0..if cfg!(miri) { 3 } else { 100 } {
        let host = Host::builder().seed(seed).preemption(1, 2).build();
        let (lock, own) = (Lock::new(), Lock::new());
        let inside = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicU32::new(0));
        for dpr in [false, true] {
            let (inside, rounds) = (inside.clone(), rounds.clone());
            host.spawn("worker", move || {
                for _ in 0..10 {
                    if dpr {
                        own.acquire();
                        lock.dpr_acquire();
                    } else {
                        lock.acquire();
                    }
                    assert!(!inside.swap(true, SeqCst), "two threads inside");
                    switch();
                    assert!(inside.swap(false, SeqCst));
                    if dpr {
                        lock.dpr_release();
                        own.release();
                    } else {
                        lock.release();
                    }
                    assert_eq!(irql(), 0);
                    rounds.fetch_add(1, SeqCst);
                }
            });
        }
        host.run();
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        assert_eq!(rounds.load(SeqCst), 20);
        lock.free();
        own.free();
    }
}

/// The call changes no IRQL, so nothing else is wrong afterwards.
#[test]
fn the_dpr_form_below_dispatch_is_reported() {
    let host = host();
    host.expect("DV-06");
    driver(&host, || {
        let lock = Lock::new();
        lock.dpr_acquire();
        assert_eq!(irql(), 0);
        lock.dpr_release();
        assert_eq!(irql(), 0);
        // It was taken and released all the same.
        lock.acquire();
        lock.release();
        lock.free();
    });
    let report = host.finish();
    only(&report, &["DV-06"]);
    assert_eq!(report.expected.len(), 1, "{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_release_of_a_free_lock_is_reported() {
    let host = host();
    host.expect("DV-14");
    driver(&host, || {
        let lock = Lock::new();
        lock.release();
        lock.dpr_release();
        // Twice is once too often.
        lock.acquire();
        lock.release();
        lock.release();
        assert_eq!(irql(), 0);
        lock.free();
    });
    let report = host.finish();
    only(&report, &["DV-14"]);
    let messages: Vec<&str> = report.expected.iter().map(|v| &*v.message).collect();
    assert_eq!(messages.len(), 3, "{report}");
    for (message, call) in messages.iter().zip(["Release", "DprRelease", "Release"]) {
        assert!(
            message.starts_with(&format!("Ndis{call}SpinLock: ")),
            "{message}"
        );
        assert!(message.ends_with(" is not held"), "{message}");
    }
}

#[test]
fn a_release_of_anothers_lock_is_reported_and_does_not_free_it() {
    let host = Host::builder().preemption(1, 2).build();
    host.expect("DV-14");
    let lock = Lock::new();
    let (held, tried) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (is_held, has_tried) = (held.clone(), tried.clone());
    host.spawn("holder", move || {
        lock.acquire();
        held.store(true, SeqCst);
        while !has_tried.load(SeqCst) {
            switch();
        }
        lock.release();
        assert_eq!(irql(), 0);
    });
    host.spawn("other", move || {
        while !is_held.load(SeqCst) {
            switch();
        }
        lock.dpr_release();
        tried.store(true, SeqCst);
    });
    host.run();
    let report = host.finish();
    only(&report, &["DV-14"]);
    assert_eq!(report.expected.len(), 1, "{report}");
    let message = &report.expected[0].message;
    assert!(message.ends_with(" is held by another thread"), "{message}");
    lock.free();
}
