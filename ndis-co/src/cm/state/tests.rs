//! The state machine, without NDIS.

use super::*;
use crate::params::CallParametersBuf;
use core::{
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};
// Defines what the crates import.
use ndis_host::Host;

/// A VC of `origin`'s, alive.
fn alive(origin: Origin) -> State {
    let mut state = State::new(origin);
    state.created();
    state
}

/// The client's VC with a placed call that is up, and of which it knows.
fn connected() -> State {
    let mut state = alive(Origin::Client);
    assert!(state.begin_make(ptr::dangling_mut()));
    state.accept_make(None, None);
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Activate,
            ..
        })
    ));
    state.activated(Status::SUCCESS);
    state.leave();
    let step = state.next(&(), || false);
    assert!(
        matches!(step, Some(Step { kind: Kind::CompleteMakeCall, status, .. }) if status.is_success()),
        "{step:?}"
    );
    assert_eq!(
        indicate(&state),
        Err(Status::INVALID_STATE),
        "the client does not know yet"
    );
    state.tell();
    state
}

/// Whether lists may be indicated, and why not.
fn indicate(state: &State) -> Result<(), Status> {
    let may = state.gates().receives;
    may.then_some(()).ok_or(state.refusal())
}

/// Lists that are out.
#[derive(Default)]
struct Out(AtomicUsize);

impl Part for Out {
    fn is_quiet(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn open(&self, _gates: Gates) {}
}

/// An end without data.
fn end() -> End {
    End {
        status: Status::REQUEST_ABORTED,
        data: None,
    }
}

#[test]
fn an_end_is_announced_once() {
    let mut state = connected();
    assert_eq!(state.begin_dispatch_close(|| false), Ok(None));
    assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
    assert_eq!(
        indicate(&state),
        Err(Status::CLOSING),
        "no data after the end (CALL-63)"
    );
    assert_eq!(state.busy, 1, "what was refused does not count");
}

/// A refused close goes back to the call, and to what was announced of it.
#[test]
fn a_refused_close_forgets_nothing() {
    let mut state = connected();
    assert_eq!(state.begin_dispatch_close(|| false), Ok(None));
    for _ in 0..3 {
        assert!(state.begin_close());
        assert!(!state.begin_close(), "one at a time");
        state.refuse_close();
        assert!(state.is_connected());
        assert_eq!(indicate(&state), Err(Status::CLOSING));
        assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
        assert!(state.next(&(), || false).is_none());
    }
    state.leave();
    assert!(state.begin_close());
    state.finish_close();
    assert_eq!(state.settle_close(&()), Settled::Later, "it is active");
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Deactivate,
            ..
        })
    ));
    state.settle(Done::Deactivated(true));
    assert!(
        matches!(state.next(&(), || false), Some(Step { kind: Kind::CompleteClose, status, .. }) if status.is_success())
    );
    state.completed();
    assert!(state.try_delete(&()));
}

/// A refused close of a call whose end was not announced: all as before.
#[test]
fn a_refused_close_leaves_the_call_up() {
    let mut state = connected();
    assert!(state.begin_close());
    assert_eq!(
        indicate(&state),
        Err(Status::CLOSING),
        "not while it is being closed"
    );
    assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
    state.refuse_close();
    assert_eq!(indicate(&state), Ok(()));
    assert_eq!(state.begin_dispatch_close(|| false), Ok(None));
}

/// An end that waits until the client knows of its call is announced once, and
/// no data goes before it.
#[test]
fn an_end_that_waits_is_an_end() {
    let mut state = alive(Origin::Client);
    assert!(state.begin_make(ptr::dangling_mut()));
    let reason = Status::REQUEST_ABORTED;
    assert_eq!(state.begin_dispatch_close(|| false), Ok(Some(state.number)));
    assert_eq!(state.announce(state.number, end()), Ok(()));
    assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
    state.accept_make(None, None);
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Activate,
            ..
        })
    ));
    state.activated(Status::SUCCESS);
    state.leave();
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::CompleteMakeCall,
            ..
        })
    ));
    assert!(
        state.next(&(), || false).is_none(),
        "the client does not know yet"
    );
    state.tell();
    assert_eq!(indicate(&state), Err(Status::CLOSING));
    assert!(
        matches!(
            state.next(&(), || false),
            Some(Step {
                kind: Kind::DispatchClose,
                ..
            })
        ) && state
            .take_announced()
            .is_some_and(|end| end.status == reason)
    );
    assert!(state.next(&(), || false).is_none());
    state.leave();
    assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
}

/// An end that is just being prepared is that of its call, and not of the next one that
/// the client has placed on the VC meanwhile (rule CALL-55).
#[test]
fn an_end_is_that_of_one_call() {
    let mut state = connected();
    state.told = false;
    let first = state.begin_dispatch_close(|| false).unwrap().unwrap();
    assert!(state.begin_close());
    state.finish_close();
    state.link = Link::Inactive;
    assert_eq!(state.settle_close(&()), Settled::Now(Status::SUCCESS));
    assert!(state.begin_make(ptr::dangling_mut()));
    assert_eq!(state.announce(first, end()), Err(Status::CLOSING));
    assert_eq!(state.announce(state.number, end()), Ok(()));
}

/// The driver's own VC on which a call rings.
fn ringing() -> State {
    let mut state = alive(Origin::Manager);
    state.link = Link::Active;
    state.call = Call::Offering;
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Dispatch,
            ..
        })
    ));
    assert_eq!(
        state.begin_dispatch_close(|| false),
        Ok(Some(0)),
        "the client does not know of it yet"
    );
    state.ringing();
    state.leave();
    state
}

/// An offer is taken back; the client closes the call, with or without an answer,
/// or its refusal crosses the end.
#[test]
fn an_offer_is_taken_back() {
    for answer in [Status::SUCCESS, Status::FAILURE] {
        let mut state = ringing();
        assert!(!state.begin_close(), "not of its own accord");
        assert_eq!(state.begin_dispatch_close(|| false), Ok(None));
        state.leave();
        assert!(state.answered(answer, false).is_none());
        assert!(state.next(&(), || false).is_none(), "the close is to come");
        assert!(state.begin_close());
    }

    let mut state = ringing();
    assert_eq!(state.announce(state.number, end()), Ok(()));
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::DispatchClose,
            ..
        })
    ));
    state.leave();
    assert!(state.begin_close(), "before the answer, or without one");
    assert!(state.answered(Status::SUCCESS, false).is_none());
    state.finish_close();
    assert_eq!(state.settle_close(&()), Settled::Later);
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Deactivate,
            ..
        })
    ));
}

/// A call that is refused takes an end that waited along.
#[test]
fn a_refused_call_has_no_end_to_announce() {
    let mut state = alive(Origin::Client);
    assert!(state.begin_make(ptr::dangling_mut()));
    assert_eq!(state.begin_dispatch_close(|| false), Ok(Some(state.number)));
    assert_eq!(state.announce(state.number, end()), Ok(()));
    state.refuse(Status::NOT_ACCEPTED);
    let step = state.next(&(), || false);
    assert!(
        matches!(step, Some(Step { kind: Kind::CompleteMakeCall, status, .. }) if status == Status::FAILURE),
        "an informational code is no failure: {step:?}"
    );
    assert!(state.next(&(), || false).is_none());
    assert!(state.try_delete(&()));
}

/// What a driver gives as a failure is a negative code on every way out.
#[test]
fn failures_are_negative_codes() {
    for code in [
        Status::SUCCESS,
        Status::PENDING,
        Status::NOT_ACCEPTED,
        Status::from_raw(0x4000_0006),
    ] {
        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::dangling_mut()));
        assert_eq!(state.refuse_now(code), Status::FAILURE, "{code:?}");

        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::dangling_mut()));
        state.accept_make(None, None);
        assert!(matches!(
            state.next(&(), || false),
            Some(Step {
                kind: Kind::Activate,
                ..
            })
        ));
        state.activated(code);
        state.leave();
        let expected = if code.is_success() {
            Status::SUCCESS
        } else {
            Status::FAILURE
        };
        let step = state.next(&(), || false);
        assert!(
            matches!(step, Some(Step { kind: Kind::CompleteMakeCall, status, .. }) if status == expected),
            "{code:?}: {step:?}"
        );
    }
}

/// A call and its VC end when every list is back, and not before.
#[test]
fn the_end_waits_for_what_is_under_way() {
    let mut state = connected();
    assert!(state.gates().sends);
    let out = Out(AtomicUsize::new(3));
    assert!(state.begin_close());
    assert_eq!(state.gates(), Gates::default());
    state.finish_close();
    assert_eq!(state.settle_close(&out), Settled::Later);
    for left in (0..3).rev() {
        assert!(state.next(&out, || false).is_none(), "{left} under way");
        assert!(!state.try_delete(&out));
        out.0.store(left, Ordering::Relaxed);
    }
    assert!(matches!(
        state.next(&out, || false),
        Some(Step {
            kind: Kind::Deactivate,
            ..
        })
    ));
    assert!(state.next(&out, || false).is_none());
}

/// A deletion that the client refuses is tried again, each time a little later.
#[test]
fn what_was_refused_is_tried_again() {
    let mut state = alive(Origin::Manager);
    state.want_delete();
    for _ in 0..3 {
        assert!(matches!(
            state.next(&(), || false),
            Some(Step {
                kind: Kind::Delete,
                ..
            })
        ));
        state.delete_refused();
        assert!(
            state.next(&(), || false).is_none(),
            "not before a while has passed"
        );
        state.unblock();
    }
}

/// With too little stack an end is announced rather than dispatched, and stays
/// due; a call is connected first, and its client told of the end after that.
#[test]
fn what_is_left_for_later_is_still_due() {
    let mut state = alive(Origin::Manager);
    state.call = Call::Accepted;
    assert!(state.connect());
    assert!(matches!(
        state.next(&(), || true),
        Some(Step {
            kind: Kind::Later,
            ..
        })
    ));
    assert_eq!(state.begin_dispatch_close(|| false), Ok(Some(state.number)));
    assert_eq!(state.announce(state.number, end()), Ok(()));
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Connect,
            ..
        })
    ));
    assert!(state.next(&(), || false).is_none(), "not told yet");
    state.tell();
    state.leave();
    assert!(matches!(
        state.next(&(), || true),
        Some(Step {
            kind: Kind::Later,
            ..
        })
    ));
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::DispatchClose,
            ..
        })
    ));
    state.leave();

    let mut state = connected();
    assert_eq!(state.begin_dispatch_close(|| true), Ok(Some(state.number)));
    assert_eq!(state.announce(state.number, end()), Ok(()));
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::DispatchClose,
            ..
        })
    ));
}

/// A deactivation that ends within its own call holds the VC until that has returned: so the
/// close is not completed before, nor another call placed whose deactivation this could be.
#[test]
fn a_deactivation_is_that_of_its_own_call() {
    let mut state = connected();
    assert!(state.begin_close());
    state.finish_close();
    assert_eq!(state.settle_close(&()), Settled::Later);
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::Deactivate,
            ..
        })
    ));
    // The completion, within the call.
    state.deactivated();
    assert!(state.next(&(), || false).is_none(), "the call still runs");
    assert!(!state.try_delete(&()));
    state.settle(Done::Deactivated(true));
    assert!(matches!(
        state.next(&(), || false),
        Some(Step {
            kind: Kind::CompleteClose,
            ..
        })
    ));
}

/// With memory for parameters, all of which is given back.
fn hosted(run: fn()) {
    let host = Host::builder().build();
    run();
    assert!(host.finish().is_clean());
}

fn next(state: &mut State) -> Option<Kind> {
    state.next(&(), || false).map(|step| step.kind)
}

fn parameters() -> CallParametersBuf {
    CallParametersBuf::builder().build().unwrap()
}

/// The driver's own VC, which is being activated.
fn activating() -> State {
    let mut state = alive(Origin::Manager);
    assert!(state.want_activate(parameters()).is_none());
    assert!(next(&mut state) == Some(Kind::Activate));
    state
}

fn active() -> State {
    let mut state = activating();
    state.settle(Done::Activated(Some(Status::SUCCESS)));
    state
}

/// A call that the client is just being offered.
fn offered() -> State {
    let mut state = active();
    state.offer(Some(parameters()));
    assert!(next(&mut state) == Some(Kind::Dispatch));
    state
}

/// With what the client is told that the call is over, when that is due.
fn told(state: &mut State) -> Option<Status> {
    let step = state.next(&(), || false)?;
    assert_eq!(step.kind, Kind::DispatchClose);
    Some(state.take_announced().expect("it is due").status)
}

fn is_told_that_it_failed(state: &mut State) -> bool {
    let step = state.next(&(), || false);
    step.is_some_and(|step| step.kind == Kind::TellFailed && step.status == Status::CLOSING)
}

/// A call that is over beneath before it is offered does not come to the client.
#[test]
fn what_is_over_beneath_is_not_offered() {
    hosted(|| {
        let mut state = alive(Origin::Manager);
        state.end_beneath(Status::SUCCESS);
        assert!(state.next(&(), || false).is_none(), "it is the driver's");
        assert!(state.want_activate(parameters()).is_some());
        assert!(state.next(&(), || false).is_none());

        let mut state = active();
        state.end_beneath(Status::SUCCESS);
        assert!(state.next(&(), || false).is_none(), "it is the driver's");
        state.offer(Some(parameters()));
        assert!(is_told_that_it_failed(&mut state));
        assert!(state.next(&(), || false).is_none(), "the driver is told");
        state.leave();
        assert!(next(&mut state) == Some(Kind::Deactivate));

        // It waits for the activation.
        let mut state = activating();
        state.offer(Some(parameters()));
        state.end_beneath(Status::SUCCESS);
        assert!(is_told_that_it_failed(&mut state));
        state.leave();
        assert!(state.next(&(), || false).is_none(), "it is being activated");
        state.settle(Done::Activated(Some(Status::SUCCESS)));
        assert!(next(&mut state) == Some(Kind::Deactivate));
    });
}

/// One that was offered ends once, as soon as the client knows of it.
#[test]
fn what_is_over_beneath_ends() {
    hosted(|| {
        let end = Status::NO_ROUTE_TO_DESTINATION;
        let mut state = offered();
        state.end_beneath(end);
        assert_eq!(told(&mut state), None, "it is just being offered");
        state.settle(Done::Rang);
        assert_eq!(told(&mut state), Some(end));
        assert_eq!(told(&mut state), None, "once");
        assert!(state.answered(Status::SUCCESS, false).is_none());
        assert!(state.begin_close());

        // The client refuses it first.
        let mut state = offered();
        state.end_beneath(end);
        assert!(state.answered(Status::FAILURE, false).is_some());
        state.leave();
        state.leave();
        assert!(next(&mut state) == Some(Kind::Deactivate));

        // The driver was first.
        let mut state = offered();
        state.settle(Done::Rang);
        assert_eq!(state.begin_dispatch_close(|| false), Ok(None));
        state.end_beneath(end);
        assert_eq!(told(&mut state), None);

        // It is up, or the driver is about to connect it.
        for connects in [false, true] {
            let mut state = offered();
            state.settle(Done::Rang);
            assert!(state.answered(Status::SUCCESS, false).is_some());
            state.leave();
            if connects {
                assert!(state.connect());
                assert!(next(&mut state) == Some(Kind::Connect));
                state.end_beneath(end);
                assert_eq!(told(&mut state), None, "the client is being told");
                assert!(state.hold_connected(state.number(), true));
                state.leave();
            } else {
                state.end_beneath(end);
            }
            assert_eq!(told(&mut state), Some(end));
            assert!(!state.connect(), "it is over");
        }
    });
}

/// What the client closes goes on to its end; when the driver will not have that, the client is told.
#[test]
fn a_refused_close_of_what_is_over_beneath_is_told() {
    hosted(|| {
        for end in [Status::SUCCESS, Status::FAILURE] {
            let mut state = offered();
            state.settle(Done::Rang);
            assert!(state.answered(Status::SUCCESS, false).is_some());
            state.leave();
            assert!(state.begin_close());
            state.end_beneath(end);
            assert_eq!(told(&mut state), None);
            if end.is_success() {
                state.finish_close();
                assert!(next(&mut state) == Some(Kind::Deactivate));
            } else {
                state.refuse_close();
                assert_eq!(told(&mut state), Some(end));
            }
        }
    });
}

/// A client places two calls in a row on its VC (rule CALL-55), and asks about the second one.
#[test]
fn requests_of_the_second_call_of_a_vc_are_taken() {
    let mut state = connected();
    assert!(state.ask());
    assert!(!state.asked(Stage::Open));
    assert!(state.begin_close());
    state.finish_close();
    assert!(state.deactivate(&()));
    state.deactivation_returned(true);
    assert_eq!(state.settle_close(&()), Settled::Now(Status::SUCCESS));
    assert!(state.begin_make(ptr::dangling_mut()));
    state.accept_make(None, None);
    assert!(state.ask(), "the VC is not about to be deleted");
}

/// The VC that the driver has made for a call is no client's to place one on: what is offered on it and
/// what is placed would be one state (rule VC-01).
#[test]
fn no_call_is_placed_on_a_vc_of_the_drivers() {
    let mut state = alive(Origin::Manager);
    assert!(!state.begin_make(ptr::dangling_mut()));
    assert_eq!(state.number, 0);
    assert!(state.client_parameters().is_null());
}

/// A call without parameters (rule CALL-01) fails when the driver accepts it, and its VC is not activated.
#[test]
fn nothing_is_activated_without_parameters() {
    hosted(|| {
        for link in [None, Some(parameters())] {
            let mut state = alive(Origin::Client);
            assert!(state.begin_make(ptr::null_mut()));
            state.accept_make(None, link);
            assert!(state.activate().is_none());
            assert_eq!(next(&mut state), Some(Kind::CompleteMakeCall));
            assert!(!state.is_connected());
            assert!(next(&mut state).is_none());
            assert!(state.try_delete(&()));
        }
        // Those of the driver's do.
        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::null_mut()));
        state.accept_make(Some(parameters()), None);
        assert!(state.activate().is_some_and(|it| !it.as_raw().is_null()));
    });
}
