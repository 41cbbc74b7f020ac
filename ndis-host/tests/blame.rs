//! Who a report blames, and in which words: the driver that broke the rule, not the one
//! that noticed or that the call came from, and nobody for what the host lacks.

use crate::common;

use common::{Bench, P, Twist, host, only};
use ndis_host::{EventKind, Host, OpenAfCompleteIrql, Readings, Report, Violation};
use ndis_sys as n;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";

/// The announced violations, which are all of `rule` and by `who`.
#[track_caller]
fn by<'a>(report: &'a Report, rule: &str, who: &str) -> &'a [Violation] {
    only(report, &[rule]);
    assert!(report.violations.is_empty(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, who, "{violation}");
    }
    &report.expected
}

/// No debug output of the host's own structures.
#[track_caller]
fn plain(violation: &Violation) {
    for code in ["{", "}", "::", "Some(", "0x"] {
        assert!(!violation.message.contains(code), "{violation}");
    }
}

/// A whole life with a twist.
fn life(mcm: Twist, client: Twist, rule: &str) -> Report {
    let bench = Bench::new(mcm, client);
    bench.host.expect(rule);
    bench.life(1);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
    report
}

#[test]
fn gen_02_is_the_handlers_drivers() {
    let report = life(Twist::AnswersTwice, Twist::None, "GEN-02");
    by(&report, "GEN-02", MCM);
}

#[test]
fn vc_04_the_functions_of_stand_alone_call_managers() {
    let report = life(Twist::StandAlone, Twist::None, "VC-04");
    let found = by(&report, "VC-04", MCM);
    for own in ["CreateVc", "DeleteVc", "ActivateVc", "DeactivateVc"] {
        let own = format!("its function is NdisMCm{own}");
        let times = found.iter().filter(|v| v.message.ends_with(&own)).count();
        assert_eq!(times, 2, "once on each leg: {own}\n{report}");
    }
}

#[test]
fn call_01_parameters_longer_than_their_memory() {
    let report = life(Twist::None, Twist::LongParameters, "CALL-01");
    let found = by(&report, "CALL-01", "client-a");
    assert_eq!(found.len(), 1, "{report}");
    plain(&found[0]);
    let message = "a CO_CALL_MANAGER_PARAMETERS with its specific part takes 172 bytes";
    assert!(found[0].message.contains(message), "{report}");
}

/// A call manager's own parameters, at the activation and at the offer.
#[test]
fn a_call_managers_parameters_longer_than_their_memory() {
    for (twist, rule) in [
        (Twist::LongActivation, "VC-35"),
        (Twist::LongOffer, "CALL-26"),
    ] {
        let report = life(twist, Twist::None, rule);
        let found = by(&report, rule, MCM);
        assert_eq!(found.len(), 1, "{report}");
        plain(&found[0]);
        let message = "a CO_CALL_MANAGER_PARAMETERS with its specific part takes 172 bytes";
        assert!(found[0].message.contains(message), "{report}");
    }
}

#[test]
fn sap_02_a_sap_longer_than_its_memory() {
    let report = life(Twist::None, Twist::LongSap, "SAP-02");
    let found = by(&report, "SAP-02", "client-b");
    let message = "takes 13 bytes, and its pool block ends after 12";
    assert!(found[0].message.contains(message), "{report}");
    plain(&found[0]);
}

/// The rule is broken when nothing is left to do, and reported then, once.
#[test]
fn call_62_is_due_at_the_end_of_the_run() {
    let bench = Bench::new(Twist::None, Twist::IgnoreIncomingClose);
    bench.host.expect("CALL-62");
    bench.up();
    bench.spawn("caller", |a| a.call());
    assert!(bench.host.report().expected.is_empty());
    bench.spawn("caller", |a| a.hang_up());
    let seen = bench.host.report().expected.len();
    bench.host.run();
    let report = bench.host.finish();
    let found = by(&report, "CALL-62", "client-b");
    assert_eq!((seen, found.len()), (1, 1), "{report}");
}

/// The call manager waits for its lists: the client that has them is to blame.
#[test]
fn a_pause_that_a_client_holds_up() {
    let bench = Bench::new(Twist::PauseNeverEnds, Twist::KeepForEver);
    bench.host.expect("PAUSE-12");
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.send();
    });
    bench.host.pause(&adapter);
    let report = bench.host.report();
    let found = by(&report, "PAUSE-12", "client-b");
    let message = "NdisMPauseComplete never came: client-b has 1 indicated lists";
    assert!(found[0].message.contains(message), "{report}");
}

#[test]
fn a_pause_that_the_call_manager_forgets() {
    let bench = Bench::new(Twist::PauseNeverEnds, Twist::None);
    bench.host.expect("PAUSE-02");
    let adapter = bench.up();
    bench.host.pause(&adapter);
    let report = bench.host.report();
    assert_eq!(by(&report, "PAUSE-02", MCM).len(), 1, "{report}");
}

#[test]
fn nbl_02_in_plain_words() {
    let bench = Bench::new(Twist::SendNeverCompleted, Twist::None);
    bench.host.expect("NBL-02");
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    bench.spawn("caller", move |a| {
        a.call();
        a.send();
        let (vc, held) = (a.shared.vc.load(SeqCst), mcm.held.load(SeqCst));
        // SAFETY: the list is the miniport's now, which is what is tested.
        unsafe { n::NdisCoSendNetBufferLists(vc, held, 0) };
    });
    let report = bench.host.report();
    let found = by(&report, "NBL-02", "caller");
    plain(&found[0]);
    let message = "is not the sender's: sent on VC 1 and not completed";
    assert!(found[0].message.ends_with(message), "{report}");
    let _ = adapter;
}

#[test]
fn nbl_07_in_plain_words() {
    let bench = Bench::new(Twist::None, Twist::SendInactive);
    bench.host.expect("NBL-07");
    bench.life(1);
    let report = bench.down();
    only(&report, &["NBL-07"]);
    plain(&report.expected[0]);
    let message = "which is inactive and has no call";
    assert!(report.expected[0].message.contains(message), "{report}");
}

/// What the host lacks is no driver's fault: counted apart, and not clean all the same.
#[test]
fn what_is_not_simulated_is_nobodys_fault() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.up();
    bench.spawn("caller", |a| {
        // SAFETY: a handle of this client; nothing else is looked at.
        let status = unsafe { n::NdisClModifyCallQoS(a.shared.vc.load(SeqCst), null_mut()) };
        assert_eq!(status, n::NDIS_STATUS_NOT_SUPPORTED);
    });
    let report = bench.host.report();
    assert!(report.violations.is_empty(), "{report}");
    assert_eq!(report.rules(), ["HOST-NOT-SIMULATED"]);
    assert_eq!(report.not_simulated.len(), 1);
    assert!(!report.is_clean());
    let text = report.to_string();
    let line = "not simulated by this host, and no fault of a driver's: 1 calls\n";
    assert!(text.contains(line), "{text}");
}

/// A handler that returned PENDING, and then nothing.
#[test]
fn a_request_that_nobody_answers_is_named() {
    let bench = Bench::new(Twist::OpenForgotten, Twist::None);
    let adapter = bench.up();
    let report = bench.host.report();
    assert!(report.violations.is_empty(), "{report}");
    let open = "NdisMCmOpenAddressFamilyComplete of AF";
    assert_eq!(report.unanswered.len(), 2, "{report}");
    for found in &report.unanswered {
        assert!(found.starts_with(open), "{found}");
        assert!(found.ends_with(" by raw-mcm"), "{found}");
    }
    assert!(report.to_string().contains("not answered: NdisMCmOpen"));
    let _ = adapter;
}

/// The handler runs at the level that the call manager completes at: never above.
#[test]
fn the_level_of_an_opens_completion_is_the_completers() {
    let readings = Readings {
        open_af_complete_irql: OpenAfCompleteIrql::AsCompleted,
        ..Readings::default()
    };
    let host = Host::builder()
        .seed(1)
        .preemption(0, 1)
        .raise(1, 1)
        .readings(readings)
        .events(ndis_host::EventMode::All)
        .build();
    // Completed from a work item, at PASSIVE_LEVEL, and the level is raised wherever
    // that is allowed.
    let bench = Bench::on(host, Twist::OpenFromWorkItem, Twist::None);
    bench.up();
    let mut seen = 0;
    let events = bench.host.events();
    for event in &events {
        if event.kind == EventKind::Callback && event.name == "ProtocolClOpenAfCompleteEx" {
            assert_eq!(event.irql, 0, "{event}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "one for each client");
    assert!(bench.host.report().violations.is_empty());
}

fn pool(size: usize) -> P<c_void> {
    // SAFETY: the size and the tag are valid.
    P(unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, common::TAG) })
}

/// What the run hangs on when a task waits for an event for ever.
fn stuck(host: Host) -> String {
    let why = stuck_in(|| host.run());
    std::mem::forget(host);
    why
}

fn stuck_in(step: impl FnOnce()) -> String {
    let why = catch_unwind(AssertUnwindSafe(step)).unwrap_err();
    *why.downcast::<String>().unwrap()
}

fn wait_for_ever(event: P<n::NDIS_EVENT>) {
    // SAFETY: memory for an event, which nobody frees.
    unsafe { n::NdisInitializeEvent(event.0) };
    // SAFETY: initialized above.
    unsafe { n::NdisWaitEvent(event.0, 0) };
}

/// An event that a driver has in the context of an object is that object's.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn a_wait_for_an_event_in_a_context_names_the_object() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.up();
    let client = bench.a.clone();
    let context = pool(size_of::<n::NDIS_EVENT>() + 8);
    bench.host.spawn("waiter", move || {
        let context = context;
        let mut vc = null_mut();
        let (binding, af) = (
            client.shared.binding.load(SeqCst),
            client.shared.af.load(SeqCst),
        );
        // SAFETY: handles of this client; nobody looks at the VC's context.
        let status = unsafe { n::NdisCoCreateVc(binding, af, context.0, &raw mut vc) };
        assert_eq!(status, common::SUCCESS);
        wait_for_ever(P(context.0.wrapping_byte_add(8).cast()));
    });
    let why = stuck(bench.host);
    assert!(!why.contains("0x"), "{why}");
    let event = "waits for the event of VC 1 (its client's context; at byte 8 of memory ";
    assert!(why.contains(event), "{why}");
    assert!(why.contains("(tag RawT)"), "{why}");
}

/// Any other is told by its memory, and that by where it was allocated.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn a_wait_for_an_event_names_its_memory() {
    let host = host();
    host.spawn("waiter", || {
        wait_for_ever(P(pool(size_of::<n::NDIS_EVENT>()).0.cast()));
    });
    let why = stuck(host);
    let event = "waits for the event at byte 0 of memory 1 (tag RawT) of waiter, allocated in a \
                 thread at #0 (NdisWaitEvent)";
    assert!(why.contains(event), "{why}");
}

/// A step of plug and play that hangs in a driver: what the driver has not ended.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn an_unbind_that_hangs_names_what_is_held() {
    let bench = Bench::new(Twist::None, Twist::UnbindHangs);
    let adapter = bench.up();
    let why = stuck_in(|| bench.host.remove_adapter(&adapter));
    assert!(
        why.contains("in ProtocolUnbindAdapterEx of client-"),
        "{why}"
    );
    assert!(
        why.contains("waits for the event outside of the pool"),
        "{why}"
    );
    assert!(why.contains("(not closed, and its binding goes)"), "{why}");
    assert!(!why.contains("0x"), "{why}");
    std::mem::forget(bench);
}

#[test]
fn what_is_left_over_says_where_it_came_from() {
    let bench = Bench::new(Twist::None, Twist::KeepForEver);
    bench.up();
    bench.spawn("caller", |a| {
        a.call();
        // Not freed.
        pool(4);
    });
    let report = bench.host.report();
    let find = |kind: &str| report.objects_left.iter().rfind(|left| left.kind == kind);
    let memory = &find("memory").expect("it is left").name;
    assert!(
        memory.contains(" (4 bytes, allocated in a thread at #"),
        "{report}"
    );
    let vc = &find("VC").expect("it is left").name;
    assert!(
        vc.starts_with("VC 2 (from ProtocolCoCreateVc at #"),
        "{report}"
    );
}

/// A work item keeps a thread of the system's, so it must not wait for ever.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn ke_52_a_work_item_that_waits_for_ever() {
    let bench = Bench::new(Twist::ItemWaits, Twist::None);
    let _ = bench
        .host
        .add_adapter(&bench.mcm.driver)
        .expect("initialize");
    let why = stuck_in(|| bench.host.run());
    assert!(why.contains("in NdisIoWorkItemRoutine of raw-mcm"), "{why}");
    let report = bench.host.report();
    only(&report, &["KE-52"]);
    assert_eq!(&*report.violations[0].who, MCM);
    plain(&report.violations[0]);
    std::mem::forget(bench);
}

/// What is left of an adapter's driver, each with the place where it was made.
#[test]
fn what_a_halt_leaves_says_where_it_was_made() {
    for (twist, rule, what) in [
        (Twist::HaltWithTimer, "DV-15", "timer 1"),
        (Twist::HaltWithWorkItem, "DV-20", "work item 1"),
        (Twist::HaltWithPool, "DV-17", "pool 1"),
    ] {
        let bench = Bench::new(twist, Twist::None);
        let adapter = bench.up();
        bench.host.remove_adapter(&adapter);
        let report = bench.host.report();
        let made = format!("{what}, made in MiniportInitializeEx at #");
        let mut found = report.violations.iter().filter(|v| v.rule == rule);
        assert!(found.any(|v| v.message.contains(&made)), "{report}");
        std::mem::forget(bench);
    }
}

#[test]
fn pools_and_mdls_left_over_say_where_they_were_made() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.up();
    let report = bench.host.report();
    for (kind, name) in [
        (
            "NBL pool",
            "NBL pool 2 (0 out, made in ProtocolBindAdapterEx at #",
        ),
        ("MDL", "MDL 1, made in ProtocolBindAdapterEx at #"),
    ] {
        let of_kind = |left: &&ndis_host::ObjectLeft| left.kind == kind;
        let mut all = report.objects_left.iter().filter(of_kind);
        assert!(all.any(|left| left.name.starts_with(name)), "{report}");
    }
    std::mem::forget(bench);
}

/// A spin lock is named by the object in whose context it lies, too.
#[test]
#[cfg_attr(miri, ignore = "a deadlock leaves threads behind")]
fn a_wait_for_a_spin_lock_names_the_object() {
    let host = Host::builder()
        .seed(1)
        .preemption(1, 1)
        .raise(0, 1)
        .patience(50);
    let bench = Bench::on(host.build(), Twist::None, Twist::None);
    bench.up();
    let client = bench.a.clone();
    let size = 8 + 2 * size_of::<n::KSPIN_LOCK>();
    let context = pool(size);
    // SAFETY: as large as that.
    unsafe { context.0.cast::<u8>().write_bytes(0, size) };
    bench.spawn("maker", move |_| {
        let context = context;
        let mut vc = null_mut();
        let (binding, af) = (
            client.shared.binding.load(SeqCst),
            client.shared.af.load(SeqCst),
        );
        // SAFETY: handles of this client; nobody looks at the VC's context.
        let status = unsafe { n::NdisCoCreateVc(binding, af, context.0, &raw mut vc) };
        assert_eq!(status, common::SUCCESS);
    });
    let first: *mut n::KSPIN_LOCK = context.0.wrapping_byte_add(8).cast();
    let locks = [P(first), P(first.wrapping_add(1))];
    for [one, other] in [locks, [locks[1], locks[0]]] {
        bench.host.spawn("holder", move || {
            let (one, other) = (one, other);
            // SAFETY: locks in memory that stays, each of which another thread may hold.
            unsafe { n::KeAcquireSpinLockRaiseToDpc(one.0) };
            // SAFETY: as above.
            unsafe { n::KeAcquireSpinLockAtDpcLevel(other.0) };
        });
    }
    let why = stuck(bench.host);
    let named = "waits for the spin lock of VC 1 (its client's context; at byte 8 of memory ";
    assert!(why.contains(named), "{why}");
    assert!(!why.contains("0x"), "{why}");
}

/// A panic in a handler does not unwind: the process ends, and has said its seed.
#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_panic_in_a_handler_tells_the_seed() {
    const CHILD: &str = "NDIS_HOST_BLAME_PANICS";
    extern "system" fn handler() {
        panic!("out of a handler");
    }
    if std::env::var_os(CHILD).is_some() {
        let host = Host::builder().seed(77).build();
        host.spawn("driver", || handler());
        host.run();
        return;
    }
    let out = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "blame::a_panic_in_a_handler_tells_the_seed",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .expect("the test runs itself");
    assert!(!out.status.success());
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(text.contains("out of a handler"), "{text}");
    assert!(text.contains("in a run with seed 77"), "{text}");
}
