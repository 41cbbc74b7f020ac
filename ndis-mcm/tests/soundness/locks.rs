//! Locks are scoped: case `irql_smuggling` at run time. What must not compile is in
//! `ndis-co/tests/ui` (DV-06, DV-14): a proof carried into the lock by a wrapper, a
//! guard that is leaked, and with them every guard.
//!
//! What is left to try is code that leaves the closure by a panic. A kernel image
//! aborts then; a driver in a test may catch it, and must find the lock free and the
//! level as it was.

use super::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

/// The level of the calling thread.
fn level() -> u8 {
    // SAFETY: any thread at any level may ask.
    unsafe { ndis_sys::KeGetCurrentIrql() }
}

/// Runs `body` on a thread of a host, which must end at the level where it began,
/// with nothing left behind.
fn run(body: impl FnOnce(&mut Passive) + Send + 'static) {
    let _alone = alone();
    let host = Host::builder().seed(1).build();
    thread(&host, "driver", move |irql| {
        body(irql);
        assert_eq!(level(), 0);
    });
    host.run();
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// The text that a closure panicked with.
fn panics(f: impl FnOnce()) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("a panic");
    panic.downcast_ref::<&str>().copied().unwrap_or("another")
}

/// Case `irql_smuggling`: a closure that is left by a panic does not keep the lock,
/// nor the level.
#[test]
fn a_panic_under_a_lock_releases_it() {
    run(|irql| {
        let lock = SpinLock::new(1_u32);
        let text = panics(|| {
            lock.with(irql, |value, _| {
                assert_eq!(level(), 2);
                *value = 2;
                panic!("on purpose");
            });
        });
        assert_eq!(text, "on purpose");
        // The proof is the caller's again, and true.
        assert_eq!(level(), 0);
        sleep(1, irql);
        // The lock is free, or this would never end.
        assert_eq!(lock.with(irql, |value, _| *value), 2);
        assert_eq!(lock.get(), 2);
    });
}

/// As above with two locks, of which the inner one's closure, or the outer one's
/// after it, panics.
#[test]
fn a_panic_under_two_locks_releases_both() {
    for inner_panics in [true, false] {
        run(move |irql| {
            let (outer, inner) = (SpinLock::new(0_u32), SpinLock::new(0_u32));
            let text = panics(|| {
                outer.with(irql, |outer, irql| {
                    inner.with(irql, |inner, _| {
                        *inner += 1;
                        if inner_panics {
                            panic!("the inner one");
                        }
                    });
                    // The inner one's release does not lower the level.
                    assert_eq!(level(), 2);
                    *outer += 1;
                    panic!("the outer one");
                });
            });
            let expected = if inner_panics {
                "the inner one"
            } else {
                "the outer one"
            };
            assert_eq!(text, expected);
            assert_eq!(level(), 0);
            assert_eq!(inner.with(irql, |value, _| *value), 1);
            assert_eq!(
                outer.with(irql, |value, _| *value),
                u32::from(!inner_panics)
            );
        });
    }
}

/// A panic that is caught within the closure leaves the lock held and the level up
/// until the closure ends.
#[test]
fn a_panic_caught_under_the_lock_does_not_release_it() {
    run(|irql| {
        let (lock, other) = (SpinLock::new(0_u32), SpinLock::new(0_u32));
        lock.with(irql, |value, irql| {
            let text = panics(|| other.with(irql, |_, _| panic!("inside")));
            assert_eq!(text, "inside");
            assert_eq!(level(), 2);
            *value = 5;
        });
        assert_eq!((lock.get(), other.get()), (5, 0));
    });
}

/// A value whose destructor panics.
struct Fragile(&'static AtomicU32);

impl Drop for Fragile {
    fn drop(&mut self) {
        // Not under the lock: at the level of whoever put another value in.
        assert_eq!(level(), 0);
        self.0.fetch_add(1, SeqCst);
        if !std::thread::panicking() {
            panic!("in the destructor");
        }
    }
}

/// A value whose default panics.
struct NoDefault;

impl Default for NoDefault {
    fn default() -> Self {
        assert_eq!(level(), 0);
        panic!("in the default");
    }
}

/// What needs no proof runs no code of the driver under the lock: a destructor or
/// a default that panics finds it free.
#[test]
fn code_of_the_driver_runs_outside_of_an_exchange() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    run(|irql| {
        let lock = SpinLock::new(Some(Fragile(&DROPPED)));
        assert_eq!(panics(|| lock.set(None)), "in the destructor");
        assert_eq!(DROPPED.load(SeqCst), 1);
        assert!(lock.with(irql, |value, _| value.is_none()));
        assert!(lock.replace(None).is_none());

        let lock = SpinLock::new(NoDefault);
        assert_eq!(panics(|| _ = lock.take()), "in the default");
        lock.with(irql, |_, _| assert_eq!(level(), 2));
    });
}

/// Other processors get a lock whose holder has panicked, in every order.
#[test]
fn a_lock_left_by_a_panic_is_taken_by_others() {
    for seed in seeds(200) {
        let _alone = alone();
        let host = Host::builder().seed(seed).preemption(1, 2).build();
        let lock = Arc::new(SpinLock::new(0_u32));
        for number in 0..3 {
            let lock = lock.clone();
            thread(&host, "driver", move |irql| {
                for turn in 0..4 {
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        lock.with(irql, |value, _| {
                            *value += 1;
                            if (turn + number) % 2 == 0 {
                                // Without the hook's message.
                                std::panic::resume_unwind(Box::new(()));
                            }
                        });
                    }));
                    assert_eq!(result.is_err(), (turn + number) % 2 == 0);
                    assert_eq!(level(), 0);
                }
            });
        }
        host.run();
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        assert_eq!(Arc::into_inner(lock).unwrap().into_inner(), 12);
    }
}
