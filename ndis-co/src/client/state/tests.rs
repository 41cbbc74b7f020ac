//! The state machine, without NDIS.

use super::*;
use core::ptr;
// Defines what the crates import.
use ndis_host as _;

/// A VC of the call manager's, alive.
fn called() -> State {
    let mut state = State::new(Origin::CallManager);
    state.created();
    state
}

/// Parameters of an offer: an address that nobody follows.
fn parameters(number: usize) -> *mut CO_CALL_PARAMETERS {
    ptr::without_provenance_mut(number)
}

/// A moment passes after the callback of an offer.
fn passed(state: &mut State) -> bool {
    state.waits_for_return();
    state.has_returned()
}

/// The answer that is due: the status, and of which offer.
fn answer(state: &mut State) -> Option<(Status, usize)> {
    match state.next(|| false)? {
        Step::Answer {
            status, parameters, ..
        } => Some((status, parameters.addr())),
        _ => None,
    }
}

#[test]
fn the_first_answer_counts() {
    let mut state = called();
    let offer = state.offer().unwrap().0;
    assert!(state.offer().is_none(), "one call on a VC");
    assert!(!state.pend(parameters(1)));
    assert_eq!(answer(&mut state), None);
    state.want_answer(offer, Status::SUCCESS);
    state.want_answer(offer, Status::FAILURE);
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
    assert_eq!(answer(&mut state), None);
}

/// A token that its request has outlived answers nothing: not the next offer on
/// the same VC, neither before nor after that one was pended.
#[test]
fn a_stale_token_does_not_answer_a_later_offer() {
    let mut state = called();
    let first = state.offer().unwrap().0;
    state.pend(parameters(1));
    state.want_answer(first, Status::FAILURE);
    assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));

    let second = state.offer().unwrap().0;
    assert_ne!(first, second);
    state.want_answer(first, Status::SUCCESS);
    state.pend(parameters(2));
    assert_eq!(answer(&mut state), None);
    state.want_answer(first, Status::SUCCESS);
    assert_eq!(answer(&mut state), None);
    state.want_answer(second, Status::REQUEST_ABORTED);
    assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 2)));
}

/// As above, when the first call was taken, and has come to its end.
#[test]
fn a_stale_token_does_not_answer_after_a_whole_call() {
    let mut state = called();
    let first = state.offer().unwrap().0;
    state.pend(parameters(1));
    state.want_answer(first, Status::SUCCESS);
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
    assert!(!state.answer_told(state.number));
    assert!(state.connected().0);
    state.want_close();
    assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
    state.closed();
    state.closed_and_told();

    let second = state.offer().unwrap().0;
    state.pend(parameters(2));
    state.want_answer(first, Status::FAILURE);
    assert_eq!(answer(&mut state), None);
    state.want_answer(second, Status::SUCCESS);
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 2)));
}

/// The client's next close, if it is due.
fn closes(state: &mut State) -> bool {
    matches!(state.next(|| false), Some(Step::Close { .. }))
}

/// An offer that is taken back while it rings is answered, then closed; the close
/// waits until NDIS has the answer.
#[test]
fn an_offer_that_is_taken_back_is_closed() {
    let mut state = called();
    let offer = state.offer().unwrap().0;
    state.pend(parameters(1));
    assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Tell(state.number));
    assert!(!closes(&mut state), "the client is just being told");
    // The driver's refusal comes too late to be one.
    state.want_answer(offer, Status::REQUEST_ABORTED);
    state.close_hung_up(state.number);
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
    assert!(!closes(&mut state), "NDIS has the answer soon");
    assert!(!state.try_delete());
    assert!(!state.answer_told(state.number));
    assert!(closes(&mut state));
    assert!(state.closed(), "the client is told");
    state.closed_and_told();
    assert!(state.try_delete());
}

/// As above, while the callback of the offer still runs.
#[test]
fn an_offer_may_be_taken_back_before_it_is_pended() {
    let mut state = called();
    state.offer().unwrap();
    assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Tell(state.number));
    state.close_hung_up(state.number);
    assert!(!closes(&mut state));
    assert!(!state.refuse(), "there is nothing to refuse");
    assert!(state.pend(parameters(1)), "the answer is due");
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
    assert!(!state.returns(state.number));
    assert!(!state.answer_told(state.number));
    assert!(closes(&mut state));

    let mut state = called();
    state.offer().unwrap();
    state.accept();
    assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Tell(state.number));
    state.close_hung_up(state.number);
    assert!(!closes(&mut state), "the callback still runs");
    assert!(state.returns(state.number));
    assert!(!closes(&mut state));
    assert!(!passed(&mut state));
    assert!(closes(&mut state));
}

/// A refusal and the other side's end have crossed: the call is closed, of which
/// the client hears nothing.
#[test]
fn a_call_that_was_refused_and_taken_back_is_closed() {
    fn ends(mut state: State) {
        assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Nothing, "once");
        assert!(closes(&mut state));
        assert!(!state.try_delete());
        assert!(!state.closed(), "the client has done with it");
        state.closed_and_told();
        assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Nothing);
        assert!(state.try_delete());
    }

    // The answer is due, NDIS is being told, or knows.
    for told in 0..3 {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(offer, Status::REQUEST_ABORTED);
        if told == 0 {
            assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Close);
        }
        assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 1)));
        if told == 1 {
            assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Close);
        }
        assert!(!closes(&mut state), "NDIS has the answer soon");
        assert_eq!(state.answer_told(state.number), told == 2);
        if told == 2 {
            assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Close);
        }
        ends(state);
    }

    // The same on the spot.
    let mut state = called();
    state.offer().unwrap();
    assert!(state.refuse());
    assert_eq!(state.hung_up(Status::SUCCESS), HungUp::Close);
    assert!(!closes(&mut state), "the callback still runs");
    assert!(state.returns(state.number));
    assert!(!closes(&mut state));
    assert!(!passed(&mut state));
    ends(state);
}

/// A refused offer that nobody takes back leaves the VC free.
#[test]
fn a_refused_offer_is_over() {
    let mut state = called();
    let offer = state.offer().unwrap().0;
    state.pend(parameters(1));
    state.want_answer(offer, Status::REQUEST_ABORTED);
    assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 1)));
    assert!(state.answer_told(state.number));
    assert!(!closes(&mut state));
    assert!(state.try_delete());
    assert_eq!(
        state.hung_up(Status::SUCCESS),
        HungUp::Nothing,
        "it is gone"
    );
}

/// The count of offers starts again some day, and is still no excuse for a
/// second call on the VC.
#[test]
fn the_number_of_an_offer_wraps() {
    let mut state = called();
    state.number = u32::MAX;
    assert_eq!(state.offer().unwrap().0, 0);
    state.pend(parameters(1));
    assert!(state.offer().is_none());
    state.want_answer(u32::MAX, Status::SUCCESS);
    assert_eq!(answer(&mut state), None);
}

/// A family that is being closed refuses what rings, and the token comes late.
#[test]
fn a_closing_family_answers_before_the_token() {
    let mut state = called();
    let offer = state.offer().unwrap().0;
    assert!(state.mark_ending());
    assert!(state.pend(parameters(1)), "refused at once");
    state.want_answer(offer, Status::SUCCESS);
    assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));
    assert!(state.offer().is_none(), "none while the family is closed");

    let mut state = called();
    let offer = state.offer().unwrap().0;
    assert!(!state.pend(parameters(2)));
    assert!(state.mark_ending());
    assert!(!state.mark_ending(), "the first time only");
    state.want_answer(offer, Status::SUCCESS);
    assert_eq!(answer(&mut state), Some((Status::FAILURE, 2)));
    assert!(state.holds_af_open(), "NDIS is just being told");
    state.refusal_told();
    assert!(!state.holds_af_open());
}

/// While NDIS is told of a refusal the call manager may delete the VC, or offer
/// the next call on it; the family is not closed before.
#[test]
fn a_refusal_holds_the_family_and_not_the_vc() {
    let refused = || {
        let mut state = called();
        state.offer().unwrap();
        state.refuse();
        assert!(state.holds_af_open());
        state
    };
    assert!(refused().try_delete());

    let mut state = refused();
    drop(state.hang_up(None, None));
    assert!(!state.want_close, "there is nothing to hang up");
    state.offer().unwrap();
    state.refusal_told();
    assert!(state.holds_af_open(), "the next offer stands");
    assert!(state.next(|| false).is_none());

    let mut state = refused();
    state.refusal_told();
    assert!(!state.holds_af_open());

    let mut state = refused();
    assert!(!passed(&mut state));
    assert!(state.returns(state.number));
    assert!(state.holds_af_open(), "on its way out of the callback");
    assert!(passed(&mut state));
    assert!(!state.holds_af_open());

    let mut state = refused();
    assert!(state.returns(state.number));
    state.offer().unwrap();
    assert!(!passed(&mut state), "the next offer stands");
    assert!(state.holds_af_open());

    // Another thread refuses a pended offer while the callback returns.
    let mut state = called();
    let offer = state.offer().unwrap().0;
    assert!(!state.pend(parameters(1)));
    state.want_answer(offer, Status::FAILURE);
    assert!(matches!(state.next(|| false), Some(Step::Answer { .. })));
    assert!(!state.returns(state.number), "none of this callback's");
    assert!(!passed(&mut state));
    assert!(state.holds_af_open(), "NDIS is being told");
    assert!(state.refusal_told());
}

/// A hang-up of an earlier call is none of the next one's.
#[test]
fn an_offer_begins_without_an_end() {
    let mut state = called();
    let first = state.offer().unwrap().0;
    state.pend(parameters(1));
    state.want_answer(first, Status::FAILURE);
    state.want_close();
    assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));
    assert!(state.answer_told(state.number));

    state.offer().unwrap();
    state.accept();
    assert!(state.connected().0);
    assert!(state.can_send());
    assert!(
        state.next(|| false).is_none(),
        "nobody has hung up this one"
    );
}

/// Nothing is closed or deleted while something is under way on the VC.
#[test]
fn the_end_waits_for_what_is_under_way() {
    let mut state = called();
    state.offer().unwrap();
    state.accept();
    assert!(state.connected().0);
    assert_eq!(state.changed_gate(), Some(true));
    assert!(
        state.send(Chain::new(), true).is_none(),
        "the work item is to"
    );
    state.want_close();
    assert_eq!(state.changed_gate(), Some(false), "no more from here on");
    state.set_out(true);
    assert!(state.next(|| false).is_none(), "a list is out");
    assert!(!state.try_delete());
    state.set_out(false);
    assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
    assert!(!state.try_delete());
    state.closed();
    assert!(!state.try_delete(), "the client is just being told");
    state.closed_and_told();
    assert!(state.try_delete());
    assert!(!state.try_delete(), "once");
}

/// A refused close or deletion is tried again, each time a little later.
#[test]
fn what_was_refused_is_tried_again() {
    let mut state = State::new(Origin::Client);
    state.created();
    state.want_delete();
    for _ in 0..3 {
        assert!(matches!(state.next(|| false), Some(Step::Delete)));
        state.delete_refused();
        assert!(
            state.next(|| false).is_none(),
            "not before a while has passed"
        );
        assert!(state.holds_af_open());
        state.retry();
    }

    let mut state = called();
    state.offer().unwrap();
    state.accept();
    assert!(state.connected().0);
    state.want_close();
    for _ in 0..3 {
        assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
        state.close_refused();
        assert!(state.next(|| false).is_none());
        assert!(state.holds_af_open());
        state.retry();
    }
}

/// What is due stays due while there is too little stack for it.
#[test]
fn what_is_left_for_later_is_still_due() {
    let mut state = called();
    let offer = state.offer().unwrap().0;
    state.pend(parameters(1));
    state.want_answer(offer, Status::SUCCESS);
    for _ in 0..2 {
        assert!(matches!(state.next(|| true), Some(Step::Later)));
    }
    assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
    assert!(state.next(|| true).is_none(), "nothing is due");
}

/// A call that was taken and is up.
fn up(state: &mut State) {
    state.offer().unwrap();
    state.accept();
    assert!(state.connected().0);
    state.returns(state.number);
}

/// The end that the VC above is to hear of.
fn end(state: &mut State) -> Option<Status> {
    match state.next(|| false)? {
        Step::EndAbove { status, .. } => Some(status),
        _ => None,
    }
}

/// One VC shares another while that one's call is up.
#[test]
fn a_vc_is_shared_once_and_while_its_call_is_up() {
    let mut state = called();
    assert_eq!(state.share(), None, "no call");
    state.offer().unwrap();
    assert_eq!(state.share(), None, "nobody has taken it");
    state.accept();
    assert!(state.connected().0);
    assert_eq!(state.share(), Some(state.number));
    assert_eq!(state.share(), None, "there is one already");
    state.unshare();
    assert_eq!(state.share(), Some(state.number));
    state.unshare();
    assert_eq!(state.hung_up(Status::FAILURE), HungUp::Tell(state.number));
    assert_eq!(state.share(), None, "the other side has hung up");
    let mut state = called();
    up(&mut state);
    state.want_close();
    assert_eq!(state.share(), None, "it ends");
}

/// What goes out on a VC that another one shares is that one's: the driver's own lists stay.
#[test]
fn nothing_is_sent_on_a_vc_that_is_shared() {
    let mut state = called();
    up(&mut state);
    assert_eq!(state.changed_gate(), Some(true));
    state.share().unwrap();
    assert_eq!(state.changed_gate(), Some(false), "at once");
    assert!(state.is_up() && !state.can_send());
    state.joined();
    assert_eq!(state.changed_gate(), None);
    state.unshare();
    assert_eq!(state.changed_gate(), Some(true), "and again");
    // Nor on behalf of the next call, as long as it is shared.
    state.share().unwrap();
    state.joined();
    assert_eq!(state.changed_gate(), Some(false));
    state.want_close();
    assert_eq!(end(&mut state), Some(Status::SUCCESS));
    assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
    state.closed();
    state.closed_and_told();
    up(&mut state);
    assert!(state.is_up() && !state.can_send());
    state.unshare();
    assert_eq!(state.changed_gate(), Some(true));
}

/// The VC above hears of the end once, before the close, whoever has ended the call.
#[test]
fn the_vc_above_hears_of_the_end_before_the_close() {
    let hang_up: fn(&mut State) = State::want_close;
    let family: fn(&mut State) = |state| assert!(state.mark_ending());
    let peer: fn(&mut State) = |state| {
        assert_eq!(
            state.hung_up(Status::NO_ROUTE_TO_DESTINATION),
            HungUp::Tell(state.number)
        );
        assert_eq!(end(state), None, "the driver may be first");
        state.close_hung_up(state.number);
    };
    for (cause, status) in [
        (hang_up, Status::SUCCESS),
        (family, Status::CLOSING),
        (peer, Status::NO_ROUTE_TO_DESTINATION),
    ] {
        for late in [false, true] {
            let mut state = called();
            up(&mut state);
            state.share().unwrap();
            if !late {
                state.joined();
                assert_eq!(end(&mut state), None);
            }
            cause(&mut state);
            if late {
                // It is made while the call ends.
                assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
                state.joined();
            }
            assert_eq!(end(&mut state), Some(status));
            if !late {
                assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
            }
            state.closed();
            state.closed_and_told();
            assert!(state.next(|| false).is_none(), "once");
        }
    }
}

/// The call manager may offer the next call on its VC while there is still the VC that was joined
/// for the one before.
#[test]
fn the_next_call_does_not_hide_the_end_of_the_one_before() {
    let mut state = called();
    up(&mut state);
    let number = state.share().unwrap();
    state.want_close();
    assert!(matches!(state.next(|| false), Some(Step::Close { .. })));
    state.closed();
    state.closed_and_told();
    up(&mut state);
    state.joined();
    assert!(
        matches!(state.next(|| false), Some(Step::EndAbove { number: of, .. }) if of == number)
    );
    assert!(state.next(|| false).is_none(), "the next one goes on");
    assert_eq!(state.share(), None, "one at a time");
    state.unshare();
    assert_ne!(state.share(), Some(number));
}
