//! Locks that are taken in two orders, one time after the other: nothing hangs in the
//! run, and the second order is reported all the same.

use crate::common;

use common::{P, only, zeroed};
use ndis_host::{Host, Report};
use ndis_sys as n;
use std::ffi::c_void;

const TAG: u32 = u32::from_le_bytes(*b"Lock");

/// A spin lock, at the address of which there may be another one later.
#[derive(Clone, Copy)]
struct Lock(P<n::KSPIN_LOCK>);

impl Lock {
    /// In memory that the host knows nothing of, and that is never given back.
    fn outside() -> Self {
        Self(P(Box::into_raw(Box::new(0))))
    }

    fn in_memory(memory: *mut c_void) -> Self {
        Self(P(memory.cast()))
    }

    fn acquire(self) -> u8 {
        // SAFETY: a lock whose memory lives as long as its users here.
        unsafe { n::KeAcquireSpinLockRaiseToDpc(self.0.0) }
    }

    fn release(self, old: u8) {
        // SAFETY: as above.
        unsafe { n::KeReleaseSpinLock(self.0.0, old) }
    }
}

/// Takes all, each while those before it are held.
fn take(locks: &[Lock]) {
    let Some((first, others)) = locks.split_first() else {
        return;
    };
    let old = first.acquire();
    take(others);
    first.release(old);
}

fn turn(host: &Host, name: &str, locks: &[Lock]) {
    let locks = locks.to_vec();
    host.spawn(name, move || take(&locks));
    host.run();
}

fn pool() -> *mut c_void {
    // SAFETY: the size and the tag are valid.
    let memory = unsafe { n::ExAllocatePoolWithTag(512, 64, TAG) };
    assert!(!memory.is_null());
    memory
}

/// The one report there is, which names both places.
fn twice(report: &Report, by: &str, other: &str) -> String {
    only(report, &["KE-56"]);
    assert_eq!(report.expected.len(), 1, "once: {report}");
    let violation = &report.expected[0];
    assert_eq!(&*violation.who, by, "{report}");
    assert!(violation.message.contains(other), "{report}");
    violation.message.clone()
}

#[test]
fn two_orders_are_reported_without_a_deadlock() {
    let host = Host::builder().seed(1).build();
    host.expect("KE-56");
    let (a, b) = (Lock::outside(), Lock::outside());
    for _ in 0..2 {
        turn(&host, "send path", &[a, b]);
        turn(&host, "pause path", &[b, a]);
    }
    let report = host.finish();
    let message = twice(&report, "pause path", "send path took B while A was held");
    // Nothing in a message changes from one run to the next.
    assert!(!message.contains("0x"), "{message}");
}

#[test]
fn one_order_is_right_however_often() {
    let host = Host::builder().seed(1).build();
    let (a, b, c) = (Lock::outside(), Lock::outside(), Lock::outside());
    for locks in [&[a, b, c][..], &[a, c], &[b, c], &[a], &[b, c]] {
        turn(&host, "worker", locks);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn three_locks_in_a_round() {
    let host = Host::builder().seed(1).build();
    host.expect("KE-56");
    let (a, b, c) = (Lock::outside(), Lock::outside(), Lock::outside());
    turn(&host, "first", &[a, b]);
    turn(&host, "second", &[b, c]);
    turn(&host, "third", &[c, a]);
    let report = host.finish();
    let message = twice(&report, "third", "first took C while A was held");
    assert!(
        message.contains("second took B while C was held"),
        "{message}"
    );
}

/// Two drivers: the one that came second is to blame, and the other is named with its
/// own place and the memory that the locks are in.
#[test]
fn the_drivers_and_the_memory_are_named() {
    let host = Host::builder().seed(1).build();
    host.expect("KE-56");
    let shared = std::sync::Arc::new(std::sync::Mutex::new(None));
    let owner = shared.clone();
    let first = host
        .load_with("owner", move |_, _| {
            let memory = pool();
            let inner = Lock::in_memory(memory.wrapping_byte_add(16));
            let locks = [Lock::in_memory(memory), inner];
            take(&locks);
            *owner.lock().unwrap() = Some(locks);
            0
        })
        .expect("loads");
    let user = shared.clone();
    let second = host
        .load_with("user", move |_, _| {
            let [a, b] = user.lock().unwrap().expect("the owner is there");
            take(&[b, a]);
            // SAFETY: the owner's block, which nobody uses any more.
            unsafe { n::ExFreePoolWithTag(a.0.0.cast(), TAG) };
            0
        })
        .expect("loads");
    host.unload(&second);
    host.unload(&first);
    let report = host.finish();
    let message = twice(&report, "user", "owner took B while A was held, in ");
    let place = "A is at byte 0 of memory 1 (tag Lock) of owner";
    assert!(message.contains(place), "{message}");
}

/// Memory that was freed and allocated again has new locks in it.
#[test]
fn a_lock_in_freed_memory_has_no_order() {
    let host = Host::builder().seed(1).build();
    let keep = Lock::outside();
    host.spawn("worker", move || {
        for turn in 0..600 {
            let memory = pool();
            let lock = Lock::in_memory(memory);
            if turn % 2 == 0 {
                take(&[keep, lock]);
            } else {
                take(&[lock, keep]);
            }
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(memory, TAG) };
        }
    });
    host.run();
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// The same for one that NDIS begins and ends, in memory of the driver's own.
#[test]
fn a_lock_that_ended_has_no_order() {
    unsafe extern "system" {
        fn NdisAllocateSpinLock(lock: *mut n::NDIS_SPIN_LOCK);
        fn NdisFreeSpinLock(lock: *mut n::NDIS_SPIN_LOCK);
    }
    for ends in [true, false] {
        let host = Host::builder().seed(1).build();
        let memory = P(Box::into_raw(Box::new(zeroed::<n::NDIS_SPIN_LOCK>())));
        let (keep, lock) = (Lock::outside(), Lock::in_memory(memory.0.cast()));
        if !ends {
            host.expect("KE-56");
        }
        host.spawn("worker", move || {
            let memory = memory;
            take(&[keep, lock]);
            if ends {
                // SAFETY: memory of this test's own, which is never given back.
                unsafe { NdisFreeSpinLock(memory.0) };
                // SAFETY: as above.
                unsafe { NdisAllocateSpinLock(memory.0) };
            }
            take(&[lock, keep]);
        });
        host.run();
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}

/// The address of a lock on a stack is another lock's soon after.
#[test]
#[cfg_attr(miri, ignore = "a stack is no range of addresses there")]
fn a_lock_on_the_stack_has_no_order() {
    let host = Host::builder().seed(1).build();
    let keep = Lock::outside();
    host.spawn("worker", move || {
        for turn in 0..4 {
            let mut own: n::KSPIN_LOCK = 0;
            let lock = Lock(P(&raw mut own));
            if turn % 2 == 0 {
                take(&[keep, lock]);
            } else {
                take(&[lock, keep]);
            }
        }
    });
    host.run();
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}
