//! What a handler is lent outlives everything that it may do meanwhile: the cases
//! `uaf_call_connected` and `uaf_incoming_call_accepted`, and their kind.
//!
//! Call parameters, close data and offers are shown to a handler by a pointer.
//! The handler may hang up, close or refuse, others may do so at the same time,
//! and what it was lent must still be there when it looks again. Under Miri a
//! wrong owner is an error at the first look; elsewhere the host poisons the
//! memory that drivers free, so contents are compared. Each test also makes sure
//! that what it is about did happen within the handler: the call was over there.

use super::*;
use ndis_co::params::CallFlags;
use ndis_host::Readings;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

const SECRET: &[u8] = b"what the call manager alone keeps in memory";

/// A copy of everything in a view.
#[derive(Clone, PartialEq, Debug)]
struct Copied {
    flags: CallFlags,
    param_type: u32,
    bytes: Vec<u8>,
    media: usize,
}

fn copied(view: CallParameters<'_>) -> Copied {
    let manager = view.call_manager().unwrap();
    let specific = manager.specific().unwrap();
    Copied {
        flags: view.flags(),
        param_type: specific.param_type,
        bytes: specific.bytes.to_vec(),
        media: view.media().unwrap().specific().unwrap().bytes.len(),
    }
}

/// Two looks, and whether the call was over between them.
#[derive(Clone, Debug)]
struct Looks<T> {
    first: T,
    second: T,
    over: bool,
}

/// Checks what was noted, over all runs: always the same twice, and at least once
/// with an end in between.
#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(looks: &[Looks<T>], runs: usize) {
    assert_eq!(looks.len(), runs);
    for look in looks {
        assert_eq!(look.first, look.second);
    }
    let over = looks.iter().filter(|look| look.over).count();
    assert!(over > 0, "in none of {runs} runs was anything over by then");
}

/// Both defaults and every other reading, each with some seeds.
fn runs(native: u64) -> Vec<(u64, Readings)> {
    let mut runs: Vec<_> = seeds(native)
        .map(|seed| (seed, Readings::default()))
        .collect();
    if !cfg!(miri) {
        runs.extend(Readings::all().map(|readings| (1, readings)));
    }
    runs
}

fn host((seed, readings): (u64, Readings)) -> Builder {
    let host = Host::builder().seed(seed).readings(readings);
    host.no_events_under_miri()
}

/// How the switch answers a placed call.
#[derive(Clone, Copy, Debug)]
enum Answers {
    /// From within the request, with parameters of its own.
    AtOnce,
    /// Later, from another thread, with parameters of its own.
    Later,
    /// With those of the client.
    WithTheClients,
}

struct Answering {
    how: Answers,
    token: Place<PendingMakeCall<Exchange<Self>>>,
    deleted: Arc<AtomicBool>,
}

impl Switch for Answering {
    fn make_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match self.how {
            Answers::AtOnce => request.accept_with(parameters(SECRET), irql),
            Answers::WithTheClients => request.accept(irql),
            Answers::Later => {
                let (answer, token) = request.pend();
                self.token.put(token);
                answer
            }
        }
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.deleted.store(true, SeqCst);
    }
}

struct HangsUpWhenConnected {
    looks: Arc<Notes<Looks<Copied>>>,
    deleted: Arc<AtomicBool>,
}

impl Phone for HangsUpWhenConnected {
    fn call_connected(
        &self,
        vc: &Leg<Handset<Self>>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let parameters = parameters.unwrap();
        let first = copied(parameters);
        vc.hang_up(b"had enough", irql).unwrap();
        let over = let_others_run(|| self.deleted.load(SeqCst));
        let second = copied(parameters);
        self.looks.add(Looks {
            first,
            second,
            over,
        });
    }
}

/// A client hangs up in `call_connected`, and looks at the parameters again.
fn hang_up_when_connected(how: Answers) -> Vec<Looks<Copied>> {
    let looks = Arc::new(Notes::default());
    for run in runs(10) {
        let deleted = Arc::new(AtomicBool::new(false));
        let switch = Answering {
            how,
            token: Place::default(),
            deleted: deleted.clone(),
        };
        let phone = HangsUpWhenConnected {
            looks: looks.clone(),
            deleted,
        };
        let world = World::new(host(run), switch, phone);
        world.place_call();
        if let Answers::Later = how {
            let exchange = world.exchange.clone();
            world.thread("answer", move |irql| {
                wait_until(|| !exchange.switch.token.is_empty(), irql);
                let token = exchange.switch.token.take().unwrap();
                token.accept_with(parameters(SECRET), irql);
            });
        }
        world.host.run();
        world.end_clean();
    }
    let looks = looks.all();
    check(&looks, runs(10).len());
    looks
}

/// Case `uaf_call_connected`: the call manager's own parameters, of a call that it
/// accepts from within the request.
#[test]
fn parameters_of_an_accepted_call_outlive_a_hang_up() {
    let looks = hang_up_when_connected(Answers::AtOnce);
    assert!(looks.iter().all(|look| look.second.bytes == SECRET));
}

/// As above, of a call that is accepted later.
#[test]
fn parameters_of_a_call_accepted_later_outlive_a_hang_up() {
    let looks = hang_up_when_connected(Answers::Later);
    assert!(looks.iter().all(|look| look.second.bytes == SECRET));
}

/// A neighbour of `uaf_call_connected`: the client's own parameters, which its
/// call gives back when it has been answered.
#[test]
fn the_callers_own_parameters_outlive_a_hang_up() {
    let looks = hang_up_when_connected(Answers::WithTheClients);
    assert!(
        looks
            .iter()
            .all(|look| look.second.bytes == b"the client's")
    );
}

/// What the switch does with a call that was accepted.
#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Drop,
    Connect,
}

struct EndsAccepted {
    then: Then,
    looks: Arc<Notes<Looks<Copied>>>,
    closing: AtomicBool,
}

impl Switch for EndsAccepted {
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        // Under one reading a client that answers at once hands none back.
        let Some(parameters) = parameters else { return };
        let first = copied(parameters);
        match self.then {
            Then::Close => call.close(Status::FAILURE, irql),
            Then::Drop => drop(call),
            Then::Connect => drop(call.connect(irql)),
        }
        let over = let_others_run(|| self.closing.load(SeqCst));
        let second = copied(parameters);
        self.looks.add(Looks {
            first,
            second,
            over,
        });
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let answer = request.finish(irql);
        self.closing.store(true, SeqCst);
        answer
    }
}

/// Answers later, and hangs up as soon as it is connected.
#[derive(Default)]
struct AnswersLater {
    token: Place<ndis_co::client::PendingIncomingCall<Handset<Self>>>,
}

impl Phone for AnswersLater {
    const LISTENS: bool = true;

    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        drop(self.token.take());
    }

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = call.pend();
        self.token.put(token);
        answer
    }

    fn call_connected(
        &self,
        vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        vc.hang_up(&[], irql).unwrap();
    }
}

/// Case `uaf_incoming_call_accepted`: the client hands back what it was offered,
/// the call manager ends the call and looks at it again.
fn parameters_of_an_offer_outlive(then: Then) {
    let looks = Arc::new(Notes::default());
    for run in runs(10) {
        let switch = EndsAccepted {
            then,
            looks: looks.clone(),
            closing: AtomicBool::new(false),
        };
        let world = World::new(host(run), switch, AnswersLater::default());
        world.ring(SECRET);
        let handset = world.handset.clone();
        world.thread("user", move |irql| {
            wait_until(|| !handset.phone.token.is_empty(), irql);
            let token = handset.phone.token.take().unwrap();
            let _ = token.accept(irql).keep();
        });
        world.host.run();
        world.end_clean();
    }
    let looks = looks.all();
    assert_eq!(looks.len(), runs(10).len());
    // The end itself waits for the handler, on both sides.
    assert!(looks.iter().all(|look| !look.over));
    let unchanged = |look: &Looks<Copied>| look.first == look.second && look.second.bytes == SECRET;
    assert!(looks.iter().all(unchanged), "{then:?}");
}

#[test]
fn parameters_of_an_offer_outlive_the_close_of_the_accepted_call() {
    parameters_of_an_offer_outlive(Then::Close);
}

#[test]
fn parameters_of_an_offer_outlive_the_drop_of_the_accepted_call() {
    parameters_of_an_offer_outlive(Then::Drop);
}

#[test]
fn parameters_of_an_offer_outlive_the_connected_call() {
    parameters_of_an_offer_outlive(Then::Connect);
}

/// Takes every accepted call back.
struct TakesBack {
    looks: Notes<(Copied, Copied)>,
    closing: Arc<AtomicBool>,
}

impl Switch for TakesBack {
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let parameters = parameters.unwrap();
        let first = copied(parameters);
        call.close(Status::FAILURE, irql);
        self.looks.add((first, copied(parameters)));
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.closing.store(true, SeqCst);
        request.finish(irql)
    }
}

/// Answers from another thread while `incoming_call` still runs.
struct AnsweredElsewhere {
    token: Place<ndis_co::client::PendingIncomingCall<Handset<Self>>>,
    offered: Notes<Copied>,
    closing: Arc<AtomicBool>,
    over: Notes<bool>,
}

impl Phone for AnsweredElsewhere {
    const LISTENS: bool = true;

    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        drop(self.token.take());
    }

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.offered.add(copied(call.parameters().unwrap()));
        let (answer, token) = call.pend();
        self.token.put(token);
        self.over.add(let_others_run(|| self.closing.load(SeqCst)));
        answer
    }
}

/// A neighbour of `uaf_incoming_call_accepted`: another thread answers the offer
/// while the handler that pended it still runs; the call is taken back and closed
/// there. The parameters are still NDIS's to look at, and the call manager's.
#[test]
fn an_offer_is_answered_and_closed_before_its_handler_has_returned() {
    let mut over = 0;
    for run in runs(30) {
        let closing = Arc::new(AtomicBool::new(false));
        let switch = TakesBack {
            looks: Notes::default(),
            closing: closing.clone(),
        };
        let phone = AnsweredElsewhere {
            token: Place::default(),
            offered: Notes::default(),
            closing,
            over: Notes::default(),
        };
        let world = World::new(host(run), switch, phone);
        world.ring(SECRET);
        let handset = world.handset.clone();
        world.thread("user", move |irql| {
            // At once, not a millisecond later: time stands still meanwhile.
            while handset.phone.token.is_empty() {
                if !let_others_run(|| !handset.phone.token.is_empty()) {
                    sleep(1, irql);
                }
            }
            let token = handset.phone.token.take().unwrap();
            drop(token.accept(irql));
        });
        world.host.run();
        let phone = &world.handset.phone;
        assert_eq!(phone.offered.all()[0].bytes, SECRET);
        over += usize::from(phone.over.all()[0]);
        let looks = world.exchange.switch.looks.all();
        let [(first, second)] = &looks[..] else {
            panic!("accepted once, told {} times", looks.len());
        };
        assert_eq!((first, &first.bytes[..]), (second, SECRET));
        world.end_clean();
    }
    assert!(over > 0, "no call was closed within its handler");
}

/// What a client does with an offer in the end.
#[derive(Clone, Copy, Debug)]
enum Decides {
    Accept,
    Refuse,
}

/// Looks at the offer while others end everything around it.
struct LooksTwice {
    decides: Decides,
    ringing: AtomicBool,
    done: AtomicBool,
    looks: Arc<Notes<Looks<Copied>>>,
}

impl Phone for LooksTwice {
    const LISTENS: bool = true;

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let view = call.parameters().unwrap();
        let first = copied(view);
        self.ringing.store(true, SeqCst);
        let over = let_others_run(|| self.done.load(SeqCst));
        let second = copied(view);
        self.looks.add(Looks {
            first,
            second,
            over,
        });
        match self.decides {
            Decides::Refuse => call.refuse(Status::REQUEST_ABORTED),
            Decides::Accept => {
                let (answer, call) = call.accept();
                drop(call);
                answer
            }
        }
    }
}

/// A neighbour of `uaf_incoming_call_accepted`: while the client looks at an offer
/// it has not answered, the call manager takes the call back and the client's
/// other thread closes the family.
#[test]
fn an_offer_outlives_its_call_taken_back_and_its_family_closed() {
    for decides in [Decides::Accept, Decides::Refuse] {
        let looks = Arc::new(Notes::default());
        for run in runs(10) {
            let phone = LooksTwice {
                decides,
                ringing: AtomicBool::new(false),
                done: AtomicBool::new(false),
                looks: looks.clone(),
            };
            let world = World::new(host(run), PlainSwitch, phone);
            world.ring(SECRET);
            let (handset, exchange) = (world.handset.clone(), world.exchange.clone());
            world.thread("others", move |irql| {
                while !handset.phone.ringing.load(SeqCst) {
                    if !let_others_run(|| handset.phone.ringing.load(SeqCst)) {
                        sleep(1, irql);
                    }
                }
                let vc = exchange.vc.get().unwrap();
                vc.dispatch_incoming_close(Status::SUCCESS, b"taken back", irql)
                    .unwrap();
                handset.af.get().unwrap().close(irql);
                handset.phone.done.store(true, SeqCst);
            });
            world.host.run();
            world.end_clean();
        }
        check(&looks.all(), runs(10).len());
    }
}

/// Looks at the close data while others close as well.
struct ReadsCloseData {
    reading: AtomicBool,
    done: AtomicBool,
    refuse_first: bool,
    looks: Arc<Notes<Looks<Vec<u8>>>>,
}

impl Switch for ReadsCloseData {
    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let data = request.data();
        let first = data.to_vec();
        let again = self.reading.swap(true, SeqCst);
        let over = let_others_run(|| self.done.load(SeqCst));
        let second = data.to_vec();
        self.looks.add(Looks {
            first,
            second,
            over,
        });
        if self.refuse_first && !again {
            return request.refuse(Status::INVALID_DATA);
        }
        request.finish(irql)
    }
}

/// A neighbour of both cases: the data of a close, while the client hangs up once
/// more with other data and closes its family.
#[test]
fn close_data_outlive_a_second_hang_up_and_the_family() {
    for refuse_first in [false, true] {
        let looks = Arc::new(Notes::default());
        let mut closes = 0;
        for run in runs(10) {
            let switch = ReadsCloseData {
                reading: AtomicBool::new(false),
                done: AtomicBool::new(false),
                refuse_first,
                looks: looks.clone(),
            };
            let world = World::new(host(run), switch, PlainPhone);
            world.place_call();
            world.host.run();
            let handset = world.handset.clone();
            world.thread("hangs up", move |irql| {
                let vc = handset.vc.get().unwrap();
                vc.hang_up(b"good bye, and thank you", irql).unwrap();
            });
            let (handset, exchange) = (world.handset.clone(), world.exchange.clone());
            world.thread("hangs up as well", move |irql| {
                let reading = || exchange.switch.reading.load(SeqCst);
                while !reading() {
                    if !let_others_run(reading) {
                        sleep(1, irql);
                    }
                }
                let vc = handset.vc.get().unwrap();
                vc.hang_up(b"something else altogether!", irql).unwrap();
                handset.af.get().unwrap().close(irql);
                exchange.switch.done.store(true, SeqCst);
            });
            world.host.run();
            closes += 1 + usize::from(refuse_first);
            world.end_clean();
        }
        let looks = looks.all();
        check(&looks, closes);
        // The first hang-up's data count; those that were refused are not sent
        // again (rule CALL-48).
        for (index, look) in looks.iter().enumerate() {
            let refused = refuse_first && index % 2 == 1;
            let sent: &[u8] = if refused {
                b""
            } else {
                b"good bye, and thank you"
            };
            assert_eq!(look.second, sent);
        }
    }
}

/// Notes that the client closes.
struct SeesTheClose(Arc<AtomicBool>);

impl Switch for SeesTheClose {
    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.store(true, SeqCst);
        request.finish(irql)
    }
}

/// Hangs up in `incoming_close`, and looks at the other side's data again.
struct HangsUpInReturn {
    looks: Arc<Notes<Looks<Vec<u8>>>>,
    closing: Arc<AtomicBool>,
}

impl Phone for HangsUpInReturn {
    fn incoming_close(
        &self,
        vc: &Leg<Handset<Self>>,
        _status: Status,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let first = data.to_vec();
        vc.hang_up(b"likewise", irql).unwrap();
        vc.af().close(irql);
        let over = let_others_run(|| self.closing.load(SeqCst));
        let second = data.to_vec();
        self.looks.add(Looks {
            first,
            second,
            over,
        });
    }
}

/// A neighbour of `uaf_call_connected`: the data of an incoming close, while the
/// client hangs up on its part.
#[test]
fn incoming_close_data_outlive_the_clients_own_hang_up() {
    let looks = Arc::new(Notes::default());
    let mut told = 0;
    for run in runs(10) {
        let closing = Arc::new(AtomicBool::new(false));
        let phone = HangsUpInReturn {
            looks: looks.clone(),
            closing: closing.clone(),
        };
        let world = World::new(host(run), SeesTheClose(closing), phone);
        world.place_call();
        world.host.run();
        let exchange = world.exchange.clone();
        world.thread("network", move |irql| {
            let vc = exchange.vc.take().unwrap();
            // Of the driver's pool, and freed as soon as the call has returned.
            let data =
                ndis_co::mem::Vec::try_from_slice(b"the other side says bye", Tag::NDIS).unwrap();
            vc.dispatch_incoming_close(Status::SUCCESS, &data, irql)
                .unwrap();
            drop(vc);
            drop(data);
        });
        world.host.run();
        told += 1;
        world.end_clean();
    }
    let looks = looks.all();
    check(&looks, told);
    for look in &looks {
        assert_eq!(look.second, b"the other side says bye");
    }
}

/// A neighbour of both cases: parameters of an activation belong to the VC until
/// it is inactive, also when the driver drops the VC while NDIS still activates
/// it, and when the call is over before that is done.
#[test]
fn parameters_of_an_activation_outlive_the_vc_being_dropped() {
    for run in runs(30) {
        let world = World::new(host(run), PlainSwitch, ListeningPhone);
        for turn in 0..4 {
            let exchange = world.exchange.clone();
            world.thread("network", move |irql| {
                let sap = exchange.sap.get().unwrap();
                let vc = sap.create_vc(None, irql).unwrap();
                let vc = vc.activate(parameters(b"the link's"), irql).unwrap();
                match turn {
                    0 => drop(vc),
                    1 => vc.delete(irql),
                    2 => {
                        let vc = vc.dispatch_incoming_call_as_activated(irql);
                        let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
                    }
                    _ => {
                        let vc = vc.dispatch_incoming_call(parameters(SECRET), irql);
                        // Too early or too late are answers, too.
                        let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
                    }
                }
            });
        }
        // And one that the client drops while it is brought up.
        let handset = world.handset.clone();
        world.thread("caller", move |irql| {
            let af = handset.af.get().unwrap();
            let vc = af.create_vc(None, irql).unwrap();
            drop(vc.make_call(parameters(b"the client's"), irql));
        });
        world.host.run();
        world.end_clean();
    }
}
