//! What drivers use of the kernel: locks, events, timers, work items, memory,
//! net buffers, under many schedules.

use crate::common;

use common::{P, TAG, header, host, only, zeroed};
use ndis_host::Host;
use ndis_sys as n;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

fn seeds() -> std::ops::Range<u64> {
    0..if cfg!(miri) { 3 } else { 100 }
}

/// Runs `body` as a driver's entry, so that what it makes has an owner.
fn driver(host: &Host, body: impl FnOnce() + Send + 'static) -> ndis_host::Driver {
    host.load_with("driver", move |_, _| {
        body();
        0
    })
    .expect("loads")
}

fn memory(size: usize) -> *mut u8 {
    // SAFETY: plain pool memory.
    unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast()
}

fn free(memory: *mut u8) {
    // SAFETY: allocated by `memory`.
    unsafe { n::ExFreePoolWithTag(memory.cast(), TAG) };
}

#[test]
fn a_spin_lock_excludes() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).preemption(1, 2).build();
        let lock: Arc<(AtomicBool, P<n::KSPIN_LOCK>)> =
            Arc::new((AtomicBool::new(false), P(Box::into_raw(Box::new(0)))));
        for _ in 0..3 {
            let lock = lock.clone();
            host.spawn("worker", move || {
                for _ in 0..10 {
                    // SAFETY: a lock that outlives the threads.
                    let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock.1.0) };
                    assert!(!lock.0.swap(true, SeqCst), "two threads inside");
                    // SAFETY: any thread may ask.
                    assert_eq!(unsafe { n::KeGetCurrentIrql() }, 2);
                    let inner = memory(8);
                    free(inner);
                    assert!(lock.0.swap(false, SeqCst));
                    // SAFETY: held since above.
                    unsafe { n::KeReleaseSpinLock(lock.1.0, irql) };
                }
            });
        }
        host.run();
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        // SAFETY: made above; the threads are gone.
        drop(unsafe { Box::from_raw(lock.1.0) });
    }
}

/// Two threads take two locks in opposite order: some seed finds the deadlock.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn some_schedule_finds_a_lock_order_deadlock() {
    let mut found = 0;
    for seed in 0..60 {
        let outcome = std::panic::catch_unwind(|| {
            let host = Host::builder()
                .seed(seed)
                .preemption(1, 2)
                .patience(20)
                .build();
            let locks: [P<n::KSPIN_LOCK>; 2] =
                std::array::from_fn(|_| P(Box::into_raw(Box::new(0))));
            for turn in 0..2 {
                host.spawn("taker", move || {
                    let locks = locks;
                    let (first, second) = (locks[turn].0, locks[1 - turn].0);
                    // SAFETY: locks that are never freed.
                    let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(first) };
                    // SAFETY: as above.
                    unsafe { n::KeAcquireSpinLockAtDpcLevel(second) };
                    // SAFETY: held since above.
                    unsafe { n::KeReleaseSpinLockFromDpcLevel(second) };
                    // SAFETY: as above.
                    unsafe { n::KeReleaseSpinLock(first, irql) };
                });
            }
            host.run();
            drop(host.finish());
        });
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(text.contains("spin lock"), "{text}");
            found += 1;
        }
    }
    assert!(found > 0, "no schedule of 60 finds it");
    assert!(found < 60, "every schedule finds it");
}

#[test]
fn with_one_processor_a_lock_is_never_contended() {
    for seed in seeds() {
        let host = Host::builder()
            .seed(seed)
            .processors(1)
            .preemption(1, 2)
            .build();
        let lock = P(Box::into_raw(Box::new(0 as n::KSPIN_LOCK)));
        for _ in 0..3 {
            host.spawn("worker", move || {
                let lock = lock;
                // SAFETY: a lock that outlives the threads.
                let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock.0) };
                // SAFETY: held since above.
                unsafe { n::KeReleaseSpinLock(lock.0, irql) };
            });
        }
        host.run();
        assert!(host.finish().is_clean());
        // SAFETY: made above; the threads are gone.
        drop(unsafe { Box::from_raw(lock.0) });
    }
}

#[test]
fn an_event_wakes_its_waiter() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).build();
        let event: P<n::NDIS_EVENT> = P(Box::into_raw(Box::new(zeroed())));
        // SAFETY: an event that outlives the threads.
        unsafe { n::NdisInitializeEvent(event.0) };
        let order = Arc::new(AtomicU32::new(0));
        let (first, second) = (order.clone(), order.clone());
        host.spawn("waiter", move || {
            let event = event;
            // SAFETY: as above.
            assert_eq!(unsafe { n::NdisWaitEvent(event.0, 0) }, 1);
            assert_eq!(first.load(SeqCst), 1);
        });
        host.spawn("setter", move || {
            let event = event;
            second.store(1, SeqCst);
            // SAFETY: as above.
            unsafe { n::NdisSetEvent(event.0) };
        });
        host.run();
        assert!(host.finish().is_clean());
        // SAFETY: made above; the threads are gone.
        drop(unsafe { Box::from_raw(event.0) });
    }
}

/// What a timer and a work item write down.
struct Seen {
    timer: AtomicU32,
    item: AtomicU32,
    irql: AtomicU32,
}

unsafe extern "system" fn on_timer(
    _: *mut c_void,
    context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    // SAFETY: the context of the test.
    let seen = unsafe { &*context.cast::<Seen>() };
    seen.timer.fetch_add(1, SeqCst);
    // SAFETY: any code may ask.
    seen.irql
        .store(u32::from(unsafe { n::KeGetCurrentIrql() }), SeqCst);
}

unsafe extern "system" fn on_item(context: *mut c_void, item: n::NDIS_HANDLE) {
    // SAFETY: the context of the test.
    let seen = unsafe { &*context.cast::<Seen>() };
    seen.item.fetch_add(1, SeqCst);
    // SAFETY: the item is no longer queued.
    unsafe { n::NdisFreeIoWorkItem(item) };
}

fn timer(seen: &Arc<Seen>) -> n::NDIS_HANDLE {
    timer_of(on_timer, Arc::as_ptr(seen).cast_mut().cast())
}

fn timer_of(
    routine: unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void),
    context: *mut c_void,
) -> n::NDIS_HANDLE {
    let mut characteristics: n::NDIS_TIMER_CHARACTERISTICS = zeroed();
    characteristics.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        1,
        size_of::<n::NDIS_TIMER_CHARACTERISTICS>(),
    );
    characteristics.TimerFunction = Some(routine);
    characteristics.FunctionContext = context;
    let mut out = null_mut();
    // SAFETY: complete characteristics.
    let status =
        unsafe { n::NdisAllocateTimerObject(null_mut(), &raw mut characteristics, &raw mut out) };
    assert_eq!(status, 0);
    out
}

fn set(timer: n::NDIS_HANDLE, milliseconds: i64, period: i32) -> u8 {
    let due = n::LARGE_INTEGER {
        QuadPart: -milliseconds * 10_000,
    };
    // SAFETY: a live timer.
    unsafe { n::NdisSetTimerObject(timer, due, period, null_mut()) }
}

fn seen() -> Arc<Seen> {
    Arc::new(Seen {
        timer: AtomicU32::new(0),
        item: AtomicU32::new(0),
        irql: AtomicU32::new(9),
    })
}

#[test]
fn a_timer_fires_once_at_dispatch_in_virtual_time() {
    let host = host();
    let seen = seen();
    let own = seen.clone();
    let driver = driver(&host, move || {
        let timer = timer(&own);
        assert_eq!(set(timer, 60_000, 0), 0);
        assert_eq!(set(timer, 60_000, 0), 1);
        // SAFETY: a live timer.
        assert_eq!(unsafe { n::NdisCancelTimerObject(timer) }, 1);
        // SAFETY: as above.
        assert_eq!(unsafe { n::NdisCancelTimerObject(timer) }, 0);
        set(timer, 60_000, 0);
        // SAFETY: this thread may sleep.
        unsafe { n::NdisMSleep(61_000_000) };
        assert_eq!(own.timer.load(SeqCst), 1);
        // SAFETY: not set any more.
        unsafe { n::NdisFreeTimerObject(timer) };
    });
    assert_eq!(seen.irql.load(SeqCst), 2);
    host.unload(&driver);
    assert!(host.finish().is_clean());
}

#[test]
fn a_periodic_timer_ticks_as_long_as_the_run_is_told_to() {
    let host = host();
    let seen = seen();
    let own = seen.clone();
    let handle = Arc::new(std::sync::Mutex::new(P(null_mut::<c_void>())));
    let keep = handle.clone();
    let driver = driver(&host, move || {
        let timer = timer(&own);
        set(timer, 10, 10);
        *keep.lock().unwrap() = P(timer);
    });
    host.run_for(105);
    assert_eq!(seen.timer.load(SeqCst), 10);
    host.run(); // a periodic timer alone keeps nothing going
    let timer = *handle.lock().unwrap();
    host.spawn("end", move || {
        let timer = timer;
        // SAFETY: a live timer.
        unsafe { n::NdisCancelTimerObject(timer.0) };
        // SAFETY: not set any more.
        unsafe { n::NdisFreeTimerObject(timer.0) };
    });
    host.run();
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// What had become of a timer that was set, cancelled and freed.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Freed {
    /// The cancel was in time.
    Cancelled,
    /// It had expired, and its routine had not run.
    Queued,
    /// Its routine had run.
    Ran,
}

/// Sets a timer, cancels it, and frees it, with or without the flush between.
fn free_timer(seed: u64, flush: bool) -> (ndis_host::Report, Freed) {
    let host = Host::builder().seed(seed).preemption(1, 2).build();
    if !flush {
        host.expect("DV-22");
    }
    // Somebody to switch to.
    host.spawn("another", || {
        for _ in 0..20 {
            free(memory(1));
        }
    });
    let seen = seen();
    let own = seen.clone();
    let outcome = Arc::new(std::sync::Mutex::new(Freed::Ran));
    let found = outcome.clone();
    let driver = driver(&host, move || {
        let timer = timer(&own);
        set(timer, 0, 0);
        // Others may run here: the timer expires, and its routine may begin.
        free(memory(1));
        // SAFETY: a live timer.
        let cancelled = unsafe { n::NdisCancelTimerObject(timer) } == 1;
        if flush {
            // SAFETY: PASSIVE_LEVEL.
            unsafe { n::KeFlushQueuedDpcs() };
            assert_eq!(own.timer.load(SeqCst), u32::from(!cancelled));
        }
        // SAFETY: not set any more.
        unsafe { n::NdisFreeTimerObject(timer) };
        *found.lock().unwrap() = match (cancelled, own.timer.load(SeqCst)) {
            (true, _) => Freed::Cancelled,
            (false, 0) => Freed::Queued,
            (false, _) => Freed::Ran,
        };
        // The context outlives what the free did not wait for.
        // SAFETY: this thread may sleep.
        unsafe { n::NdisMSleep(10_000) };
        assert_eq!(own.timer.load(SeqCst), u32::from(!cancelled));
    });
    host.unload(&driver);
    let outcome = *outcome.lock().unwrap();
    (host.finish(), outcome)
}

/// A cancel that comes too late says nothing of the routine: freeing then is too
/// early, unless the routine has been seen to run.
#[test]
fn dv_22_a_timer_freed_while_its_routine_is_queued() {
    let mut queued = 0;
    for seed in 0..100 {
        let (report, outcome) = free_timer(seed, false);
        if outcome == Freed::Queued {
            only(&report, &["DV-22"]);
            assert!(report.is_clean(), "{report}");
            let text = report.expected[0].to_string();
            assert!(text.contains("KeFlushQueuedDpcs"), "{text}");
            queued += 1;
        } else if report.rules() != ["DV-22"] {
            // Announced for the others, and not broken here. (Where the routine has
            // run by the time that the free returns, it may have been queued still
            // when the free was called.)
            only(&report, &["HOST-EXPECTED"]);
        }
    }
    assert!(queued > 0, "no routine was still queued");
}

#[test]
fn a_timer_freed_after_the_flush_breaks_nothing() {
    let mut ran = 0;
    for seed in 0..100 {
        let (report, outcome) = free_timer(seed, true);
        assert_ne!(outcome, Freed::Queued);
        assert!(report.is_clean(), "{report}");
        ran += u32::from(outcome == Freed::Ran);
    }
    assert!(ran > 0, "every cancel was in time");
}

#[test]
fn a_work_item_runs_later_at_passive() {
    let host = host();
    let seen = seen();
    let own = seen.clone();
    let driver = driver(&host, move || {
        // SAFETY: no particular owner.
        let item = unsafe { n::NdisAllocateIoWorkItem(null_mut()) };
        let context = Arc::as_ptr(&own).cast_mut().cast();
        // SAFETY: a live item.
        unsafe { n::NdisQueueIoWorkItem(item, Some(on_item), context) };
    });
    host.run();
    assert_eq!(seen.item.load(SeqCst), 1);
    host.unload(&driver);
    assert!(host.finish().is_clean());
}

#[test]
fn allocations_fail_on_order() {
    let host = host();
    host.fail_allocation(2);
    let driver = driver(&host, || {
        let first = memory(1);
        assert!(!first.is_null());
        assert!(memory(1).is_null());
        free(first);
    });
    host.unload(&driver);
    assert!(host.finish().is_clean());
}

#[test]
fn the_address_of_no_memory_is_not_freed() {
    let host = host();
    host.expect("HOST-MEMORY");
    let driver = driver(&host, || {
        free(std::ptr::without_provenance_mut(0x1234_5678));
        let tagged = memory(4);
        // SAFETY: the tag is wrong, which the host notices.
        unsafe { n::ExFreePoolWithTag(tagged.cast(), TAG + 1) };
    });
    host.unload(&driver);
    let report = host.finish();
    only(&report, &["HOST-MEMORY"]);
    assert_eq!(report.expected.len(), 2, "{report}");
}

/// Freed memory shows a pattern, and whoever writes to it is found out. (Under
/// Miri, which sees it by itself, such an access ends the test.)
#[test]
#[cfg_attr(miri, ignore)]
fn memory_is_not_used_after_it_was_freed() {
    let host = host();
    let seen = Arc::new(AtomicU32::new(0));
    let word = seen.clone();
    let driver = driver(&host, move || {
        let block = memory(8);
        free(block);
        // SAFETY: none: the memory was freed. The host keeps it mapped a while.
        word.store(unsafe { block.cast::<u32>().read_volatile() }, SeqCst);
        let fifth = block.wrapping_add(5);
        // SAFETY: as above.
        unsafe { fifth.write_volatile(1) };
    });
    host.unload(&driver);
    host.expect("HOST-MEMORY");
    let report = host.finish();
    assert_eq!(seen.load(SeqCst), 0xDDDD_DDDD);
    only(&report, &["HOST-MEMORY"]);
    assert!(
        report.expected[0].message.contains("byte 5 is 0x01"),
        "{report}"
    );
}

/// A run in which something always happens ends, too.
#[test]
#[should_panic(expected = "has not ended after 1000 steps")]
fn a_run_without_end_is_ended() {
    let host = Host::builder().limit(1_000).build();
    host.spawn("restless", || {
        loop {
            // SAFETY: a thread at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1_000) };
        }
    });
    host.run();
}

/// A loop around a call that never says what it waits for, and nobody is there who could
/// change that.
#[test]
#[should_panic(expected = "calls, now KeGetCurrentIrql, and nobody else has run or been called")]
#[cfg_attr(miri, ignore)]
fn a_loop_of_calls_is_ended() {
    let host = Host::builder().watchdog(0).build();
    driver(&host, || {
        // SAFETY: any thread may ask.
        while unsafe { n::KeGetCurrentIrql() } == 0 {}
    });
}

/// A slow task that calls now and then is not one that hangs, though nobody else runs.
#[test]
#[cfg_attr(miri, ignore)]
fn the_watchdog_does_not_mind_who_calls() {
    let host = Host::builder().watchdog(1_000).build();
    let driver = driver(&host, || {
        for _ in 0..12 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            // SAFETY: any thread may ask.
            assert_eq!(unsafe { n::KeGetCurrentIrql() }, 0);
        }
    });
    host.unload(&driver);
    only(&host.finish(), &[]);
}

/// A lock of the standard library, held while others run: the host cannot see it, but
/// that nobody runs any more.
#[test]
#[should_panic(expected = "a lock that the host cannot see? It is a thread (")]
#[cfg_attr(miri, ignore)]
fn a_lock_that_the_host_cannot_see() {
    static HIDDEN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let host = Host::builder().watchdog(400).build();
    for name in ["first", "second"] {
        host.spawn(name, || {
            let _held = HIDDEN.lock();
            // SAFETY: a thread at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1_000) };
        });
    }
    host.run();
}

#[test]
fn a_wait_at_dispatch_is_reported_and_does_not_hang() {
    let host = host();
    host.expect("DV-06");
    let driver = driver(&host, || {
        let mut lock: n::KSPIN_LOCK = 0;
        let mut event: n::NDIS_EVENT = zeroed();
        // SAFETY: an event of this function.
        unsafe { n::NdisInitializeEvent(&raw mut event) };
        // SAFETY: a lock of this function.
        let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
        // SAFETY: as above.
        assert_eq!(unsafe { n::NdisWaitEvent(&raw mut event, 0) }, 0);
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(&raw mut lock, irql) };
    });
    host.unload(&driver);
    only(&host.finish(), &["DV-06"]);
}

/// A list over two MDLs of the driver's own memory: found, copied, advanced,
/// retreated.
#[test]
fn net_buffers_hold_what_was_put_in() {
    let host = host();
    let driver = driver(&host, || {
        let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
        pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
        pool.fAllocateNetBuffer = 1;
        pool.PoolTag = TAG;
        // SAFETY: complete parameters.
        let pool = unsafe { n::NdisAllocateNetBufferListPool(null_mut(), &raw const pool) };
        let (one, two) = (memory(4), memory(4));
        for (index, part) in [one, two].into_iter().enumerate() {
            for byte in 0..4 {
                let place = part.wrapping_add(byte);
                // SAFETY: four bytes each.
                unsafe { place.write((index * 4 + byte) as u8) };
            }
        }
        // SAFETY: the memory outlives the MDLs.
        let first = unsafe { n::NdisAllocateMdl(null_mut(), one.cast(), 4) };
        // SAFETY: as above.
        let second = unsafe { n::NdisAllocateMdl(null_mut(), two.cast(), 4) };
        // SAFETY: a live MDL.
        unsafe { (*first).Next = second };
        // SAFETY: a live pool and MDLs.
        let list = unsafe { n::NdisAllocateNetBufferAndNetBufferList(pool, 16, 8, first, 1, 7) };
        // SAFETY: the second pointer of a live list.
        let buffer: *mut n::NET_BUFFER =
            unsafe { *list.cast::<*mut n::NET_BUFFER>().wrapping_add(1) };
        // SAFETY: a live buffer.
        let flat = unsafe { n::NdisGetDataBuffer(buffer, 3, null_mut(), 1, 0) };
        // SAFETY: three bytes of the first MDL.
        assert_eq!(unsafe { flat.cast::<u8>().read() }, 1);
        let mut storage = [0u8; 7];
        // SAFETY: a live buffer, and room for seven bytes.
        let copied = unsafe { n::NdisGetDataBuffer(buffer, 7, storage.as_mut_ptr().cast(), 1, 0) };
        assert!(!copied.is_null());
        assert_eq!(storage, [1, 2, 3, 4, 5, 6, 7]);
        // SAFETY: as above, without storage: the bytes are in two pieces.
        assert!(unsafe { n::NdisGetDataBuffer(buffer, 7, null_mut(), 1, 0) }.is_null());
        // SAFETY: as above: there are not so many bytes.
        assert!(unsafe { n::NdisGetDataBuffer(buffer, 8, null_mut(), 1, 0) }.is_null());
        // SAFETY: a live buffer.
        unsafe { n::NdisAdvanceNetBufferDataStart(buffer, 4, 0, None) };
        // SAFETY: as above.
        let flat = unsafe { n::NdisGetDataBuffer(buffer, 3, null_mut(), 1, 0) };
        // SAFETY: three bytes of the second MDL.
        assert_eq!(unsafe { flat.cast::<u8>().read() }, 5);
        // SAFETY: as above; more than the offset has, so an MDL is put before.
        let status = unsafe { n::NdisRetreatNetBufferDataStart(buffer, 9, 2, None) };
        assert_eq!(status, 0);
        // SAFETY: as above.
        let flat = unsafe { n::NdisGetDataBuffer(buffer, 4, null_mut(), 1, 0) };
        assert!(!flat.is_null());
        // SAFETY: four fresh bytes.
        unsafe { flat.cast::<u8>().write_bytes(0xAA, 4) };
        // SAFETY: as above; the fresh MDL goes.
        unsafe { n::NdisAdvanceNetBufferDataStart(buffer, 4, 1, None) };
        // SAFETY: a live list with a context area.
        let status = unsafe { n::NdisAllocateNetBufferListContext(list, 8, 0, TAG) };
        assert_eq!(status, 0);
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBufferListContext(list, 8) };
        // SAFETY: a live list that this driver owns.
        unsafe { n::NdisFreeNetBufferList(list) };
        for mdl in [first, second] {
            // SAFETY: live MDLs.
            unsafe { n::NdisFreeMdl(mdl) };
        }
        free(one);
        free(two);
        // SAFETY: an empty pool.
        unsafe { n::NdisFreeNetBufferListPool(pool) };
    });
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
#[should_panic(expected = "nobody asked for this report")]
fn a_host_that_nobody_asked_complains() {
    let host = host();
    driver(&host, || free(std::ptr::without_provenance_mut(8)));
    drop(host);
}

#[test]
fn an_announced_violation_must_come() {
    let host = host();
    host.expect("VC-23");
    let report = host.finish();
    assert!(!report.is_clean());
    assert_eq!(report.violations[0].rule, "HOST-EXPECTED");
}

/// Looks at `done` every millisecond, as many drivers' threads do.
fn poll(done: &AtomicBool) {
    let mut time = n::LARGE_INTEGER { QuadPart: -10_000 };
    while !done.load(SeqCst) {
        // SAFETY: a thread at PASSIVE_LEVEL.
        unsafe { n::KeDelayExecutionThread(0, 0, &raw mut time) };
    }
}

/// A thread that polls for ever does not keep a run going, and goes on when the next
/// one begins.
#[test]
#[cfg_attr(miri, ignore = "thousands of turns, and nothing unsafe in them")]
fn a_thread_that_polls_does_not_keep_the_run_alive() {
    let host = host();
    let (done, seen) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (asked, told) = (done.clone(), seen.clone());
    host.spawn("poller", move || {
        poll(&asked);
        told.store(true, SeqCst);
    });
    for _ in 0..3 {
        host.run();
        assert!(!seen.load(SeqCst));
    }
    done.store(true, SeqCst);
    host.run_for(2);
    assert!(seen.load(SeqCst));
    assert!(host.finish().is_clean());
}

/// Sets its timer anew each time that it comes, as a driver's heartbeat does.
unsafe extern "system" fn beat(
    _: *mut c_void,
    context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    // SAFETY: the context of the test.
    let heart = unsafe { &*context.cast::<Heart>() };
    heart.beats.fetch_add(1, SeqCst);
    if !heart.stop.load(SeqCst) {
        set(heart.timer.load(SeqCst), 1, 0);
    }
}

#[derive(Default)]
struct Heart {
    timer: std::sync::atomic::AtomicPtr<c_void>,
    beats: AtomicU32,
    stop: AtomicBool,
}

/// A timer that is set anew for ever does not keep a run going either, and goes on when
/// time is asked for.
#[test]
#[cfg_attr(miri, ignore = "thousands of turns, and nothing unsafe in them")]
fn a_timer_that_is_set_anew_does_not_keep_the_run_alive() {
    let host = host();
    let heart = Arc::new(Heart::default());
    let mine = heart.clone();
    let driver = driver(&host, move || {
        let timer = timer_of(beat, Arc::as_ptr(&mine).cast_mut().cast());
        mine.timer.store(timer, SeqCst);
        set(timer, 1, 0);
    });
    host.run();
    let beats = heart.beats.load(SeqCst);
    assert!(beats > 1_000, "{beats} beats");
    host.run();
    assert_eq!(heart.beats.load(SeqCst), beats, "nobody waits for more");
    host.run_for(10);
    assert!(heart.beats.load(SeqCst) > beats);
    heart.stop.store(true, SeqCst);
    host.run_for(2);
    let mine = heart.clone();
    host.spawn("stop", move || {
        // SAFETY: not set any more.
        unsafe { n::NdisFreeTimerObject(mine.timer.load(SeqCst)) };
    });
    host.run();
    host.unload(&driver);
    assert!(host.finish().is_clean());
}

/// And who waits beside it for what never comes is found all the same.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn a_wait_is_stuck_also_beside_a_thread_that_polls() {
    let host = host();
    let done = Arc::new(AtomicBool::new(false));
    let asked = done.clone();
    host.spawn("poller", move || poll(&asked));
    let event = P(Box::into_raw(Box::new(zeroed::<n::NDIS_EVENT>())));
    // SAFETY: memory of this test's own, which is not freed.
    unsafe { n::NdisInitializeEvent(event.0) };
    host.spawn("waiter", move || {
        let event = event;
        // SAFETY: initialized above.
        unsafe { n::NdisWaitEvent(event.0, 0) };
    });
    let run = std::panic::AssertUnwindSafe(|| host.run());
    let stuck = std::panic::catch_unwind(run).unwrap_err();
    let stuck = stuck.downcast::<String>().unwrap();
    let waiter = stuck
        .find("\"waiter\" in a thread of waiter waits for the event")
        .expect(&stuck);
    let poller = stuck
        .find("\"poller\" in a thread of poller polls")
        .expect(&stuck);
    assert!(waiter < poller, "{stuck}");
    std::mem::forget(host);
}
