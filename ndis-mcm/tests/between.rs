//! OID requests between a miniport call manager and its client, both of safe code: each
//! asks the other, and answers now, later, or by losing the token.

use ndis_co::{
    cm,
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc as Shared, Tag},
    oid::{Answered, Door, OidRequest, OutgoingRequest, PendingOidRequest, ToClient, known},
    params::CallParameters,
    work::{Work, WorkItem},
};
use ndis_host::{Driver, Host, Readings};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, Status, Vc,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

const FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4F69_6473), 1, 0);
/// The vendor's own.
const ASKED: u32 = 0xFF00_0201;
const VALUE: u32 = 0x0BAD_CAFE;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Now,
    Later,
    Dropped,
    DroppedUnderLock,
}

const ALL: [How; 4] = [How::Now, How::Later, How::Dropped, How::DroppedUnderLock];

type Chore = Box<dyn FnOnce(&mut Passive) + Send>;

/// What is done later.
#[derive(Default)]
struct Chores(Mutex<Vec<Chore>>);

impl Work for Chores {
    fn run(this: &Shared<Self>, irql: &mut Passive) {
        let chores = std::mem::take(&mut *this.0.lock().unwrap());
        for chore in chores {
            chore(irql);
        }
    }
}

/// What answers, at either end.
pub struct Desk {
    how: How,
    chores: Shared<Chores>,
    item: WorkItem<Chores>,
    lock: SpinLock<()>,
}

impl Desk {
    fn try_new(how: How, scope: &ndis_co::scope::Scope) -> Result<Self, Status> {
        Ok(Self {
            how,
            chores: Shared::try_new(Chores::default(), Tag::NDIS)?,
            item: WorkItem::try_new(scope)?,
            lock: SpinLock::new(()),
        })
    }

    fn later(&self, chore: impl FnOnce(&mut Passive) + Send + 'static) {
        self.chores.0.lock().unwrap().push(Box::new(chore));
        self.item.queue(&self.chores);
    }

    fn answer<'r, D: Door>(
        &self,
        request: OidRequest<'r, D>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        assert_eq!(request.oid(), ASKED);
        if self.how == How::Now {
            return request.reply_u32(VALUE);
        }
        let (answer, pending) = request.pend();
        match self.how {
            How::Later => self.later(move |irql| reply(pending, irql)),
            How::Now | How::Dropped => drop(pending),
            How::DroppedUnderLock => self.lock.with(irql, |_, _| drop(pending)),
        }
        answer
    }
}

fn reply<D: Door>(pending: PendingOidRequest<D>, irql: &mut impl NoLock) {
    pending.reply_u32(VALUE, irql);
}

/// What became of the requests.
#[derive(Default)]
pub struct Notes {
    made: AtomicU32,
    good: AtomicU32,
    failed: AtomicU32,
    waited: AtomicU32,
    closing: AtomicU32,
    closed: AtomicU32,
    told: AtomicU32,
}

impl Notes {
    fn made<T>(&self, made: Result<(), T>) {
        self.made.fetch_add(u32::from(made.is_ok()), SeqCst);
    }

    fn look<A>(&self, answered: &Answered<A>) {
        let good = answered.status().is_success();
        if good && answered.kind().is_query() {
            assert_eq!(answered.value_as(), Ok(VALUE));
        }
        let count = if good { &self.good } else { &self.failed };
        count.fetch_add(1, SeqCst);
    }
}

fn ask<A>() -> OutgoingRequest<A> {
    OutgoingRequest::query_bytes(ASKED, 4).unwrap()
}

struct Exchange {
    how: How,
    /// It has the family closed, by an OID.
    ends: bool,
    notes: Arc<Notes>,
}

impl Miniport for Exchange {
    type Adapter = Desk;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan().max_frame(1500), irql)?;
        let desk = Desk::try_new(self.how, init.scope())?;
        let mut init = init.adapter(desk)?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }
}

impl Carry for Exchange {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::FAILURE, irql);
    }
}

impl CallManager for Exchange {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let af = vc.af();
        let code = Status::from_raw(ndis_sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
        let told = af.base().indicate_status(code, &VALUE.to_ne_bytes(), irql);
        assert_eq!(told, Ok(()));
        let reset = Status::from_raw(ndis_sys::NDIS_STATUS_RESET_START);
        let refused = af.base().indicate_status(reset, &[], irql);
        assert_eq!(refused, Err(Status::INVALID_PARAMETER));
        self.notes.made(vc.request(ask(), irql));
        self.notes.made(af.request(ask(), irql));
        let (notes, ends) = (self.notes.clone(), self.ends);
        vc.base().later(move |irql| {
            if let Ok(answered) = af.request_and_wait(ask(), irql) {
                notes.look(&answered);
                notes.waited.fetch_add(1, SeqCst);
            }
            if ends {
                let end = OutgoingRequest::set(known::CO_AF_CLOSE, &()).unwrap();
                notes.made(af.request(end, irql));
            }
        });
        request.refuse(Status::FAILURE)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.close(Status::FAILURE, irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }

    fn oid_request<'r>(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        request: cm::OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        assert!(vc.is_none_or(|vc| vc.af().is(af)));
        af.base().answer(request, irql)
    }

    fn oid_completed(
        &self,
        _: &Af<Self>,
        _: Option<&Vc<Self>>,
        answered: Answered<ToClient>,
        _: &mut UpToDispatch,
    ) {
        self.notes.look(&answered);
    }
}

/// The other end.
mod asker {
    use super::{Desk, FAMILY, How, Notes, ask};
    use ndis_co::{
        Answer, Status,
        client::{
            Af, AfOffer, AsClient, Binding, Client, NewBinding, OidRequest, OpenAf, Protocol,
            Received, Vc,
        },
        indication::StatusIndication,
        irql::{Passive, UpToDispatch},
        oid::{Answered, ToManager},
        params::{CallParameters, CallParametersBuf},
    };
    use std::sync::{Arc, atomic::Ordering::SeqCst};

    pub struct Asker {
        pub how: How,
        pub hasty: bool,
        /// VCs that it deletes while requests about them are under way.
        pub spare: u32,
        pub notes: Arc<Notes>,
    }

    impl Protocol for Asker {
        const NAME: &'static str = "ASKER";
        type Binding = Desk;
        type Role = AsClient;

        fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<Desk, Status> {
            Desk::try_new(self.how, new.scope())
        }

        fn status(&self, _: &Binding<Self>, status: StatusIndication<'_>, _: &mut UpToDispatch) {
            if status.code().raw() == ndis_sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION {
                assert_eq!(status.value(), Some(super::VALUE));
                self.notes.told.fetch_add(1, SeqCst);
            }
        }
    }

    impl Client for Asker {
        type Af = ();
        type Sap = ();
        type Vc = ();

        fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
            assert_eq!(offer.family(), FAMILY);
            offer.open((), irql).unwrap();
        }

        fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
            let af = af.keep();
            self.notes.made(af.request(ask(), irql));
            let answered = af.request_and_wait(ask(), irql).unwrap();
            self.notes.look(&answered);
            self.notes.waited.fetch_add(1, SeqCst);
            let vc = af.create_vc((), irql).unwrap();
            self.notes.made(vc.request(ask(), irql));
            for number in 0..self.spare {
                let spare = af.create_vc((), irql).unwrap();
                self.notes.made(spare.request(ask(), irql));
                self.notes.made(spare.request(ask(), irql));
                if number % 2 == 0 {
                    spare.delete(irql);
                } else {
                    drop(spare);
                }
            }
            let parameters = CallParametersBuf::builder().build().unwrap();
            let _ = vc.make_call(parameters, irql).keep();
            if self.hasty {
                af.close(irql);
            }
        }

        fn af_closing(&self, _: &Af<Self>, _: &mut UpToDispatch) {
            self.notes.closing.fetch_add(1, SeqCst);
        }

        fn af_closed(&self, _: &Af<Self>, _: &mut UpToDispatch) {
            self.notes.closed.fetch_add(1, SeqCst);
        }

        fn oid_request<'r>(
            &self,
            af: &Af<Self>,
            _: Option<&Vc<Self>>,
            request: OidRequest<'r, Self>,
            irql: &mut UpToDispatch,
        ) -> Answer<'r> {
            af.binding().answer(request, irql)
        }

        fn oid_completed(
            &self,
            _: &Af<Self>,
            _: Option<&Vc<Self>>,
            answered: Answered<ToManager>,
            _: &mut UpToDispatch,
        ) {
            self.notes.look(&answered);
        }

        fn call_connected(
            &self,
            _: &Vc<Self>,
            _: Option<CallParameters<'_>>,
            _: &mut UpToDispatch,
        ) {
        }

        fn receive(&self, _: &Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
    }
}

fn load_exchange(host: &Host, how: How, ends: bool, notes: &Arc<Notes>) -> Driver {
    let notes = notes.clone();
    let entry = ndis_mcm::Entry::new(Exchange { how, ends, notes });
    let driver = host.load_with("exchange", move |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    });
    driver.unwrap()
}

fn load_asker(host: &Host, how: How, hasty: bool, spare: u32, notes: &Arc<Notes>) -> Driver {
    let notes = notes.clone();
    let asker = asker::Asker {
        how,
        hasty,
        spare,
        notes,
    };
    let entry = ndis_co::client::Entry::new(asker);
    let driver = host.load_with("asker", move |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    });
    driver.unwrap()
}

fn life(seed: u64, readings: Readings, how: How) {
    let host = Host::builder().seed(seed).readings(readings).build();
    life_on(host, seed, readings, how, 0);
}

fn life_on(host: Host, seed: u64, readings: Readings, how: How, spare: u32) {
    let (hasty, ends) = (seed % 3 == 1, seed % 3 == 2);
    let notes = Arc::<Notes>::default();
    let exchange = load_exchange(&host, how, ends, &notes);
    let asker = load_asker(&host, how, hasty, spare, &notes);
    let adapter = host.add_adapter(&exchange).unwrap();
    host.run();
    if seed.is_multiple_of(2) {
        host.remove_adapter(&adapter);
        host.unload(&asker);
    } else {
        host.unload(&asker);
        host.remove_adapter(&adapter);
    }
    host.unload(&exchange);
    let report = host.finish();
    let what = format!("{how:?}, seed {seed}, {}", readings.describe());
    assert!(report.is_clean(), "{what}: {report}");
    let [made, good, failed, waited, closing, closed] = [
        &notes.made,
        &notes.good,
        &notes.failed,
        &notes.waited,
        &notes.closing,
        &notes.closed,
    ]
    .map(|count| count.load(SeqCst));
    assert_eq!(made + waited, good + failed, "{what}");
    assert!(made >= 2 && waited >= 1, "{what}: {made}, {waited}");
    assert_eq!(closed, 1, "{what}");
    assert_eq!(notes.told.load(SeqCst), 1, "{what}");
    if ends {
        assert!(closing >= 1, "{what}");
    }
    match how {
        How::Dropped | How::DroppedUnderLock => assert!(failed > 0, "{what}"),
        _ if !hasty => assert_eq!(failed, 0, "{what}"),
        _ => assert!(good > 0, "{what}"),
    }
}

#[test]
fn both_ends_ask_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 1000 } else { 1 }) {
        for (seed, how) in (0..).zip(ALL) {
            life(seed, readings, how);
        }
    }
}

#[test]
fn many_schedules() {
    for how in ALL {
        for seed in 0..if cfg!(miri) { 1 } else { 60 } {
            life(seed, Readings::default(), how);
        }
    }
}

/// A VC goes when the requests about it are over, whenever its client has had enough of it.
#[test]
fn vcs_that_go_meanwhile() {
    for how in ALL {
        for seed in 0..if cfg!(miri) { 1 } else { 100 } {
            let readings = Readings::default();
            let host = Host::builder().seed(seed).readings(readings);
            life_on(host.preemption(1, 2).build(), seed, readings, how, 4);
        }
    }
}
