//! A call that is taken back while it rings (rules CALL-39, CALL-61, CALL-62): the client
//! is told and closes it, whatever its driver does with the token of the offer, before
//! or after, and the call manager hears of nothing but the close.

use super::*;
use ndis_co::client::PendingIncomingCall;
use ndis_host::{Readings, WithdrawnOfferAnswer};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A switch that counts what it hears.
#[derive(Default)]
struct Counts {
    answers: AtomicU32,
    closes: AtomicU32,
    deleted: AtomicU32,
}

impl Switch for Counts {
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.answers.fetch_add(1, SeqCst);
        call.connect(irql);
    }

    fn incoming_call_refused(
        &self,
        _vc: &Vc<Exchange<Self>>,
        _status: Status,
        _irql: &mut UpToDispatch,
    ) {
        self.answers.fetch_add(1, SeqCst);
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.closes.fetch_add(1, SeqCst);
        request.finish(irql)
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.deleted.fetch_add(1, SeqCst);
    }
}

/// What the phone does with a call that rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    /// Keeps the token, beyond the call.
    Waits,
    /// Uses it from within `incoming_close`.
    AcceptsWhenTold,
    RefusesWhenTold,
    DropsWhenTold,
    /// Uses it on another thread, about when the call is taken back.
    Accepts,
    Refuses,
    Drops,
    /// Answers on the spot, when it knows that the call was taken back.
    AcceptsOnTheSpot,
    RefusesOnTheSpot,
}

impl Then {
    const ALL: [Self; 9] = [
        Self::Waits,
        Self::AcceptsWhenTold,
        Self::RefusesWhenTold,
        Self::DropsWhenTold,
        Self::Accepts,
        Self::Refuses,
        Self::Drops,
        Self::AcceptsOnTheSpot,
        Self::RefusesOnTheSpot,
    ];
}

struct Rings {
    then: Then,
    token: Place<PendingIncomingCall<Handset<Self>>>,
    ringing: AtomicU32,
    connected: AtomicU32,
    ended: AtomicU32,
    closed: AtomicU32,
}

impl Rings {
    fn new(then: Then) -> Self {
        Self {
            then,
            token: Place::default(),
            ringing: AtomicU32::new(0),
            connected: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            closed: AtomicU32::new(0),
        }
    }
}

impl Phone for Rings {
    const LISTENS: bool = true;

    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        drop(self.token.take());
    }

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.ringing.fetch_add(1, SeqCst);
        match self.then {
            Then::AcceptsOnTheSpot => {
                let_others_run(|| self.ended.load(SeqCst) > 0);
                let (answer, call) = call.accept();
                let _ = call.keep();
                answer
            }
            Then::RefusesOnTheSpot => {
                let_others_run(|| self.ended.load(SeqCst) > 0);
                call.refuse(Status::NOT_ACCEPTED)
            }
            _ => {
                let (answer, token) = call.pend();
                self.token.put(token);
                answer
            }
        }
    }

    fn call_connected(
        &self,
        _vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
        self.connected.fetch_add(1, SeqCst);
    }

    fn incoming_close(
        &self,
        _vc: &Leg<Handset<Self>>,
        _status: Status,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) {
        assert_eq!(data, b"wrong number");
        self.ended.fetch_add(1, SeqCst);
        match self.then {
            Then::AcceptsWhenTold => {
                if let Some(token) = self.token.take() {
                    let _ = token.accept(irql).keep();
                }
            }
            Then::RefusesWhenTold => {
                if let Some(token) = self.token.take() {
                    token.refuse(Status::NOT_ACCEPTED, irql);
                }
            }
            Then::DropsWhenTold => drop(self.token.take()),
            _ => {}
        }
    }

    fn call_closed(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {
        self.closed.fetch_add(1, SeqCst);
    }
}

fn one_call(seed: u64, then: Then, readings: Readings) -> bool {
    let builder = Host::builder().seed(seed).readings(readings);
    let world = World::new(builder, Counts::default(), Rings::new(then));
    world.ring(b"the offer");
    let (exchange, handset) = (world.exchange.clone(), world.handset.clone());
    world.thread("line", move |irql| {
        let phone = &handset.phone;
        spin_or_wait(|| phone.ringing.load(SeqCst) > 0, irql);
        // An error says that the client has refused it already.
        let vc = exchange.vc.get().unwrap();
        let _ = vc.dispatch_incoming_close(Status::SUCCESS, b"wrong number", irql);
    });
    let handset = world.handset.clone();
    world.thread("user", move |irql| {
        if !matches!(then, Then::Accepts | Then::Refuses | Then::Drops) {
            return;
        }
        let_others_run(|| !handset.phone.token.is_empty());
        let Some(token) = handset.phone.token.take() else {
            return;
        };
        match then {
            Then::Accepts => _ = token.accept(irql).keep(),
            Then::Refuses => token.refuse(Status::NOT_ACCEPTED, irql),
            _ => drop(token),
        }
    });
    world.host.run();
    let (switch, phone) = (&world.exchange.switch, &world.handset.phone);
    let of = |count: &AtomicU32| count.load(SeqCst);
    let seen = format!("seed {seed}, {then:?}, {}", readings.describe());
    // Whatever came first, the call is over, and each side was told once at most.
    assert_eq!(of(&switch.deleted), 1, "{seen}");
    assert!(of(&phone.ended) <= 1 && of(&phone.closed) <= 1, "{seen}");
    assert!(
        of(&switch.answers) <= 1 && of(&switch.closes) <= 1,
        "{seen}"
    );
    assert!(of(&switch.answers) + of(&switch.closes) > 0, "{seen}");
    assert_eq!(of(&phone.ended), of(&phone.closed), "{seen}");
    let taken_back = of(&phone.ended) == 1 && of(&phone.connected) == 0;
    if taken_back && of(&switch.answers) == 0 {
        assert_eq!(of(&switch.closes), 1, "{seen}");
    }
    world.end_clean();
    taken_back
}

/// In any order of things, under both readings: clean, and most often taken back.
#[test]
fn an_offer_is_taken_back() {
    for then in Then::ALL {
        let mut taken_back = 0;
        for seed in seeds(30) {
            for reading in WithdrawnOfferAnswer::ALL {
                let readings = Readings {
                    withdrawn_offer_answer: *reading,
                    ..Readings::default()
                };
                taken_back += u32::from(one_call(seed, then, readings));
            }
        }
        // Our call manager takes nothing back before its offer has returned.
        let on_the_spot = matches!(then, Then::AcceptsOnTheSpot | Then::RefusesOnTheSpot);
        if !cfg!(miri) {
            assert_eq!(taken_back > 0, !on_the_spot, "{then:?}: {taken_back} times");
        }
    }
}
