//! Calls that are withdrawn while they ring: what the pages demand of the call manager
//! and of the client, in either order of answer and close, and who is named.

use crate::common;

use common::{Bench, Client, Twist, host_under, only, plain};
use ndis_host::{EventKind, Host, Readings, WithdrawnOfferAnswer};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

fn bench(mcm: Twist, client: Twist, withdrawn_offer_answer: WithdrawnOfferAnswer) -> Bench {
    let host = host_under(Readings {
        withdrawn_offer_answer,
        ..plain()
    });
    Bench::on(host, mcm, client)
}

/// The callbacks about the call on the second VC, in order.
fn callbacks(host: &Host) -> Vec<&'static str> {
    let about = |event: &&ndis_host::Event| {
        event.kind == EventKind::Callback
            && event
                .objects
                .iter()
                .any(|o| o.kind == ndis_host::Kind::ClientVc && o.number == 2)
    };
    let all = host.events();
    all.iter().filter(about).map(|event| event.name).collect()
}

/// One withdrawn call; what the call manager heard of its answer.
fn withdrawn(
    mcm: Twist,
    client: Twist,
    reading: WithdrawnOfferAnswer,
) -> (Vec<i32>, Vec<&'static str>) {
    let bench = bench(mcm, client, reading);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    assert_eq!(bench.b.shared.told.load(SeqCst), 1, "the client was told");
    let last = *bench.a.shared.last.lock().unwrap();
    assert_eq!(last, Some(n::NDIS_STATUS_FAILURE), "the caller was told");
    let callbacks = callbacks(&bench.host);
    // The first one is that of the registration of the family.
    let heard = bench.mcm.shared.statuses.lock().unwrap()[1..].to_vec();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
    (heard, callbacks)
}

const REFUSED: i32 = n::NDIS_STATUS_NOT_ACCEPTED;

#[test]
fn a_pended_offer_is_answered_and_closed() {
    let (heard, callbacks) = withdrawn(
        Twist::Withdraws,
        Twist::PendsOffer,
        WithdrawnOfferAnswer::PassedOn,
    );
    assert_eq!(heard, [REFUSED]);
    assert_eq!(
        callbacks,
        [
            "ProtocolCoCreateVc",
            "ProtocolClIncomingCall",
            "ProtocolClIncomingCloseCall",
            "ProtocolCmIncomingCallComplete",
            "ProtocolCmCloseCall",
            "ProtocolClCloseCallComplete",
            "ProtocolCoDeleteVc",
        ]
    );
}

#[test]
fn a_pended_offer_may_be_closed_first() {
    let (heard, callbacks) = withdrawn(
        Twist::Withdraws,
        Twist::ClosesBeforeAnswer,
        WithdrawnOfferAnswer::PassedOn,
    );
    assert_eq!(heard, [REFUSED]);
    let place = |name| callbacks.iter().position(|found| *found == name);
    assert!(place("ProtocolCmCloseCall") < place("ProtocolCmIncomingCallComplete"));
}

#[test]
fn the_answer_ends_at_ndis_under_the_other_reading() {
    for client in [Twist::PendsOffer, Twist::ClosesBeforeAnswer] {
        let reading = WithdrawnOfferAnswer::KeptBack;
        let (heard, callbacks) = withdrawn(Twist::Withdraws, client, reading);
        assert!(heard.is_empty(), "{heard:?}");
        assert!(callbacks.contains(&"ProtocolCmCloseCall"));
    }
}

/// The client closes while its handler for the offer runs, and answers by its return.
#[test]
fn a_call_withdrawn_while_the_handler_runs() {
    for (client, answer) in [
        (Twist::AnswersSlowly, REFUSED),
        (Twist::TakesSlowly, n::NDIS_STATUS_SUCCESS),
    ] {
        let reading = WithdrawnOfferAnswer::PassedOn;
        let (heard, callbacks) = withdrawn(Twist::WithdrawsRinging, client, reading);
        assert_eq!(heard, [answer]);
        assert_eq!(callbacks.last(), Some(&"ProtocolCoDeleteVc"));
        assert!(!callbacks.contains(&"ProtocolClCallConnected"));
        let reading = WithdrawnOfferAnswer::KeptBack;
        let (heard, _) = withdrawn(Twist::WithdrawsRinging, client, reading);
        assert!(heard.is_empty(), "{heard:?}");
    }
}

/// In any order of things, under both readings.
#[test]
fn any_schedule_is_clean() {
    for seed in 0..if cfg!(miri) { 2 } else { 60 } {
        for withdrawn_offer_answer in WithdrawnOfferAnswer::ALL {
            let readings = Readings {
                withdrawn_offer_answer: *withdrawn_offer_answer,
                ..plain()
            };
            let host = Host::builder().seed(seed).readings(readings).build();
            let bench = Bench::on(host, Twist::Withdraws, Twist::PendsOffer);
            let adapter = bench.up();
            bench.spawn("caller", |a| a.call());
            bench.host.remove_adapter(&adapter);
            let report = bench.down();
            assert!(report.is_clean(), "seed {seed}: {report}");
        }
    }
}

/// Runs when the client has been told of the withdrawal.
fn when_told(bench: &Bench, then: impl FnOnce(&Client) + Send + 'static) {
    let callee = bench.b.clone();
    bench.host.spawn("callee", move || {
        while callee.shared.told.load(SeqCst) == 0 {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(100) };
        }
        then(&callee);
    });
}

/// The client has refused, and the call manager, which is just being told, withdraws: the
/// client hears of it and closes.
#[test]
fn a_withdrawal_that_crosses_the_refusal() {
    let bench = bench(
        Twist::WithdrawsCrossing,
        Twist::PendsOfferOnly,
        WithdrawnOfferAnswer::PassedOn,
    );
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    when_told(&bench, Client::close_withdrawn);
    let callee = bench.b.clone();
    bench.host.spawn("refuser", move || callee.refuse());
    bench.host.run();
    assert_eq!(bench.b.shared.told.load(SeqCst), 1);
    let vc = bench.b.shared.vc.load(SeqCst);
    assert!(vc.is_null(), "the VC is deleted");
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// One call that breaks a rule, by the driver or thread that is named.
fn broken(
    mcm: Twist,
    client: Twist,
    rule: &str,
    who: &str,
    callee: impl FnOnce(&Client) + Send + 'static,
) {
    let bench = bench(mcm, client, WithdrawnOfferAnswer::PassedOn);
    let adapter = bench.up();
    if mcm == Twist::WithdrawsRefused {
        bench.b.shared.refuse.store(1, SeqCst);
    } else {
        when_told(&bench, callee);
    }
    bench.spawn("caller", |a| a.call());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &[rule]);
    for violation in &report.violations {
        assert_eq!(&*violation.who, who, "{report}");
    }
}

fn refuse_and_close(callee: &Client) {
    callee.refuse();
    callee.close_withdrawn();
}

#[test]
fn call_61_an_offer_withdrawn_twice() {
    let (mcm, client) = (Twist::WithdrawsTwice, Twist::PendsOfferOnly);
    broken(mcm, client, "CALL-61", "raw-mcm", refuse_and_close);
}

#[test]
fn call_61_a_refused_offer_withdrawn() {
    let (mcm, client) = (Twist::WithdrawsRefused, Twist::None);
    broken(mcm, client, "CALL-61", "raw-mcm", |_| {});
}

#[test]
fn call_39_a_withdrawn_offer_deactivated_before_the_close() {
    let (mcm, client) = (Twist::WithdrawsHastily, Twist::PendsOfferOnly);
    broken(mcm, client, "CALL-39", "raw-mcm", refuse_and_close);
}

#[test]
fn vc_23_a_vc_deleted_before_its_offer_has_returned() {
    let (mcm, client) = (Twist::DeletesRinging, Twist::AnswersSlowly);
    broken(mcm, client, "VC-23", "raw-mcm", |_| {});
}

#[test]
fn call_62_a_withdrawal_that_nobody_answers() {
    let (mcm, client) = (Twist::Withdraws, Twist::PendsOfferOnly);
    let bench = bench(mcm, client, WithdrawnOfferAnswer::PassedOn);
    bench.up();
    bench.spawn("caller", |a| a.call());
    let report = bench.host.finish();
    only(&report, &["CALL-62"]);
    assert_eq!(&*report.violations[0].who, "client-b");
}

/// The deletion of the VC ends what the client may say to the offer.
#[test]
fn vc_25_an_answer_when_the_vc_is_gone() {
    let (mcm, client) = (Twist::Withdraws, Twist::PendsOfferOnly);
    broken(mcm, client, "VC-25", "callee", |callee| {
        let vc = callee.shared.vc.load(SeqCst);
        callee.close_withdrawn();
        callee.shared.vc.store(vc, SeqCst);
        callee.refuse();
        callee.shared.vc.store(std::ptr::null_mut(), SeqCst);
    });
}

/// An offer that nobody withdrew is refused, not closed.
#[test]
fn call_70_an_offer_closed_instead_of_refused() {
    let bench = bench(
        Twist::None,
        Twist::PendsOfferOnly,
        WithdrawnOfferAnswer::PassedOn,
    );
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let callee = bench.b.clone();
    bench.host.spawn("callee", move || {
        let vc = callee.shared.vc.load(SeqCst);
        let null = std::ptr::null_mut();
        // SAFETY: handles may be anything.
        let status = unsafe { n::NdisClCloseCall(vc, null, null, 0) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
        callee.refuse();
    });
    bench.host.run();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["CALL-70"]);
    assert_eq!(&*report.violations[0].who, "callee");
}
