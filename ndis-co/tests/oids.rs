//! OID requests of safe protocols above a raw miniport: between a client and a stand-alone
//! call manager, which are two drivers or one, and to the adapter; and its status.

use crate::raw;

use ndis_co::{
    Answer, AsBoth, Status,
    client::{self, AfOffer, AsClient, Client, NewBinding, OpenAf, Received},
    cm::{self, AsCallManager, CallManager, StandaloneCallManager},
    family::{AddressFamily, Family},
    indication::StatusIndication,
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc as Shared, Tag},
    oid::{Answered, Door, OidRequest, OutgoingRequest, PendingOidRequest, ToAdapter, known},
    params::{CallParameters, CallParametersBuf},
    protocol::{Binding, Entry, OpenedBinding, Protocol},
    work::{Work, WorkItem},
};
use ndis_host::{Driver, Host, Readings, Report};
use raw::{
    link::{Flaw, Link},
    oids,
};
use std::convert::Infallible;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

const FAMILY: AddressFamily = AddressFamily::new(Family::L2TP, 1, 0);
/// The vendor's own.
const ASKED: u32 = 0xFF00_0101;
const GIVEN: u32 = 0xFF00_0102;
const VALUE: u32 = 0x1234_5678;

/// How a driver answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Now,
    /// By a work item.
    Later,
    /// Pended and answered, then the handler returns.
    Early,
    /// The token is dropped.
    Dropped,
    DroppedUnderLock,
    /// Not before the family, or the binding, goes.
    Last,
}

const ALL: [How; 6] = [
    How::Now,
    How::Later,
    How::Early,
    How::Dropped,
    How::DroppedUnderLock,
    How::Last,
];

#[derive(Clone, Copy, Debug)]
struct Plan {
    how: How,
    /// The client closes its family right after it has asked.
    hasty: bool,
    /// The call manager has the family closed, by an OID.
    ends: bool,
    /// The adapter answers later.
    adapter_pends: bool,
    /// The client waits for some answers.
    waits: bool,
}

/// What a driver does later.
type Chore = Box<dyn FnOnce(&mut Passive) + Send>;

#[derive(Default)]
struct Chores(Mutex<Vec<Chore>>);

impl Chores {
    fn take(&self) -> Vec<Chore> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Work for Chores {
    fn run(this: &Shared<Self>, irql: &mut Passive) {
        for chore in this.take() {
            chore(irql);
        }
    }
}

/// What a driver keeps for a binding.
struct Port {
    later: Shared<Chores>,
    /// What is left to the end.
    last: Chores,
    item: WorkItem<Chores>,
    lock: SpinLock<()>,
}

impl Port {
    fn try_new(new: &NewBinding<'_>) -> Result<Self, Status> {
        Ok(Self {
            later: Shared::try_new(Chores::default(), Tag::NDIS)?,
            last: Chores::default(),
            item: WorkItem::try_new(new.scope())?,
            lock: SpinLock::new(()),
        })
    }

    fn later(&self, chore: impl FnOnce(&mut Passive) + Send + 'static) {
        self.later.0.lock().unwrap().push(Box::new(chore));
        self.item.queue(&self.later);
    }

    fn end(&self) {
        for chore in self.last.take() {
            self.later(chore);
        }
    }
}

#[derive(Default)]
struct Counts {
    /// Requests that were made, and those whose end was told.
    made: AtomicU32,
    over: AtomicU32,
    refused: AtomicU32,
    /// Good answers, and those that were not.
    good: AtomicU32,
    failed: AtomicU32,
    waited: AtomicU32,
    /// Requests that came.
    came: AtomicU32,
    closing: AtomicU32,
    closed: AtomicU32,
    told: Mutex<Vec<Vec<u8>>>,
    told_of_vc: Mutex<Vec<Vec<u8>>>,
}

impl Counts {
    fn made<T>(&self, result: Result<(), T>) {
        let count = match result {
            Ok(()) => &self.made,
            Err(_) => &self.refused,
        };
        count.fetch_add(1, SeqCst);
    }

    fn over<A>(&self, answered: &Answered<A>) {
        self.over.fetch_add(1, SeqCst);
        self.look(answered);
    }

    fn look<A>(&self, answered: &Answered<A>) {
        let good = answered.status().is_success();
        if good && answered.kind().is_query() {
            assert_eq!(answered.value_as::<u32>(), Ok(VALUE));
        }
        let count = if good { &self.good } else { &self.failed };
        count.fetch_add(1, SeqCst);
    }
}

/// The driver, in each of its roles.
struct Peer<R> {
    plan: Plan,
    counts: Arc<Counts>,
    _role: std::marker::PhantomData<fn() -> R>,
}

fn finish<D: Door>(pending: PendingOidRequest<D>, irql: &mut impl NoLock) {
    if pending.kind().is_query() {
        pending.reply_u32(VALUE, irql);
    } else {
        pending.accept(0, irql);
    }
}

impl<R> Peer<R> {
    fn answer<'r, D: Door>(
        &self,
        port: &Port,
        request: OidRequest<'r, D>,
        of_vc: bool,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.counts.came.fetch_add(1, SeqCst);
        let how = match self.plan.how {
            // Nobody tells of the end of a VC before it is there.
            How::Last if of_vc => How::Later,
            how => how,
        };
        if how == How::Now {
            return if request.kind().is_query() {
                request.reply_u32(VALUE)
            } else {
                request.accept(0)
            };
        }
        let (answer, pending) = request.pend();
        match how {
            How::Now | How::Dropped => drop(pending),
            How::Later => port.later(move |irql| finish(pending, irql)),
            How::Early => finish(pending, irql),
            How::DroppedUnderLock => port.lock.with(irql, |_, _| drop(pending)),
            How::Last => {
                let chore = Box::new(move |irql: &mut Passive| finish(pending, irql));
                port.last.0.lock().unwrap().push(chore);
            }
        }
        answer
    }
}

/// One allocation may fail.
fn again<T, E: std::fmt::Debug>(made: impl Fn() -> Result<T, E>) -> T {
    made().or_else(|_| made()).unwrap()
}

fn ask<A>() -> OutgoingRequest<A> {
    again(|| OutgoingRequest::query_bytes(ASKED, 4))
}

fn give<A>() -> OutgoingRequest<A> {
    again(|| OutgoingRequest::set_bytes(GIVEN, &[1, 2, 3, 4]))
}

macro_rules! protocol {
    ($role:ty, |$binding:ident, $irql:ident| $opened:expr) => {
        impl Protocol for Peer<$role> {
            const NAME: &'static str = stringify!($role);
            type Binding = Port;
            type Role = $role;

            fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<Port, Status> {
                Port::try_new(new)
            }

            fn opened(&self, $binding: &OpenedBinding<'_, Self>, $irql: &mut Passive) {
                $opened;
                // Within the bind, of the adapter.
                self.counts.made($binding.request(ask(), $irql));
                let power = known::PNP_QUERY_POWER.number();
                let power = again(|| OutgoingRequest::query_bytes(power, 4));
                let power = $binding.request(power, $irql).unwrap_err();
                assert_eq!(power.status, Status::NOT_SUPPORTED);
            }

            fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
                let late = binding.request(ask(), irql).unwrap_err();
                assert_eq!(late.status, Status::CLOSING);
                assert_eq!(late.request.oid(), ASKED);
                binding.end();
            }

            fn oid_completed(
                &self,
                _: &Binding<Self>,
                answered: Answered<ToAdapter>,
                _: &mut UpToDispatch,
            ) {
                self.counts.over(&answered);
            }

            fn status(
                &self,
                _: &Binding<Self>,
                status: StatusIndication<'_>,
                _: &mut UpToDispatch,
            ) {
                if status.code().raw() != ndis_sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION {
                    return;
                }
                assert_eq!(status.port(), 0);
                assert!(status.request().is_none());
                let bytes = status.bytes().to_vec();
                assert_eq!(bytes, VALUE.to_ne_bytes());
                assert_eq!(status.value::<u32>(), Some(VALUE));
                assert_eq!(status.value::<u64>(), None, "too few");
                self.counts.told.lock().unwrap().push(bytes);
            }
        }
    };
}

macro_rules! client {
    ($role:ty) => {
        impl Client for Peer<$role> {
            type Af = ();
            type Sap = ();
            type Vc = ();

            fn address_family(
                &self,
                _: &Binding<Self>,
                offer: AfOffer<'_, Self>,
                irql: &mut Passive,
            ) {
                assert_eq!(offer.family(), FAMILY);
                let _ = offer.open((), irql);
            }

            fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
                let counts = &self.counts;
                let af = af.keep();
                let vc = af.create_vc((), irql);
                counts.made(af.request(ask(), irql));
                counts.made(af.request(give(), irql));
                counts.made(af.binding().request(ask(), irql));
                if self.plan.waits && self.plan.how != How::Last {
                    if let Ok(answered) = af.request_and_wait(ask(), irql) {
                        assert_eq!(answered.oid(), ASKED);
                        counts.look(&answered);
                        counts.waited.fetch_add(1, SeqCst);
                    }
                    if let Ok(answered) = af.binding().request_and_wait(ask(), irql) {
                        counts.look(&answered);
                        counts.waited.fetch_add(1, SeqCst);
                    }
                }
                if let Ok(vc) = vc {
                    counts.made(vc.request(ask(), irql));
                    counts.made(vc.request_of_adapter(ask(), irql));
                    if self.plan.waits && self.plan.how != How::Last {
                        if let Ok(answered) = vc.request_and_wait(ask(), irql) {
                            counts.look(&answered);
                            counts.waited.fetch_add(1, SeqCst);
                        }
                        if let Ok(answered) = vc.request_of_adapter_and_wait(ask(), irql) {
                            counts.look(&answered);
                            counts.waited.fetch_add(1, SeqCst);
                        }
                    }
                    // The manager asks meanwhile, and refuses: the VC goes.
                    let parameters = again(|| CallParametersBuf::builder().build());
                    let _ = vc.make_call(parameters, irql).keep();
                }
                if self.plan.hasty {
                    af.close(irql);
                    let late = af.request(ask(), irql).unwrap_err();
                    assert_eq!(Status::from(late), Status::CLOSING);
                }
            }

            fn af_closing(&self, af: &client::Af<Self>, _: &mut UpToDispatch) {
                self.counts.closing.fetch_add(1, SeqCst);
                af.binding().end();
            }

            fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
                self.counts.closed.fetch_add(1, SeqCst);
            }

            fn oid_request<'r>(
                &self,
                af: &client::Af<Self>,
                vc: Option<&client::Vc<Self>>,
                request: client::OidRequest<'r, Self>,
                irql: &mut UpToDispatch,
            ) -> Answer<'r> {
                assert!(vc.is_none_or(|vc| vc.af().is(af)));
                self.answer(&af.binding(), request, vc.is_some(), irql)
            }

            fn oid_completed(
                &self,
                af: &client::Af<Self>,
                vc: Option<&client::Vc<Self>>,
                answered: Answered<ndis_co::oid::ToManager>,
                _: &mut UpToDispatch,
            ) {
                assert!(vc.is_none_or(|vc| vc.af().is(af)));
                self.counts.over(&answered);
            }

            fn vc_oid_completed(
                &self,
                _: &client::Vc<Self>,
                answered: Answered<ToAdapter>,
                _: &mut UpToDispatch,
            ) {
                self.counts.over(&answered);
            }

            fn vc_status(
                &self,
                _: &client::Vc<Self>,
                status: StatusIndication<'_>,
                _: &mut UpToDispatch,
            ) {
                let bytes = status.bytes().to_vec();
                self.counts.told_of_vc.lock().unwrap().push(bytes);
            }

            fn call_connected(
                &self,
                _: &client::Vc<Self>,
                _: Option<CallParameters<'_>>,
                _: &mut UpToDispatch,
            ) {
            }

            fn receive(&self, _: &client::Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
        }
    };
}

macro_rules! manager {
    ($role:ty) => {
        impl StandaloneCallManager for Peer<$role> {
            type Signaling = Infallible;
        }

        impl CallManager for Peer<$role> {
            type Base = Binding<Self>;
            type Af = ();
            type Sap = ();
            type Vc = ();

            fn open_af<'r>(
                &self,
                binding: &Binding<Self>,
                request: cm::OpenAf<'r, Self>,
                _: &mut UpToDispatch,
            ) -> Answer<'r> {
                let (answer, pending) = request.pend();
                let (counts, ends) = (self.counts.clone(), self.plan.ends);
                binding.later(move |irql| {
                    pending.accept((), irql);
                    let _ = (counts, ends);
                });
                answer
            }

            fn close_af<'r>(
                &self,
                af: &cm::Af<Self>,
                request: cm::CloseAf<'r, Self>,
                _: &mut UpToDispatch,
            ) -> Answer<'r> {
                af.base().end();
                request.finish()
            }

            fn register_sap<'r>(
                &self,
                _: &cm::Af<Self>,
                request: cm::RegisterSap<'r, Self>,
                _: &mut UpToDispatch,
            ) -> Answer<'r> {
                request.refuse(Status::FAILURE)
            }

            fn create_vc(&self, _: &cm::Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
                Ok(())
            }

            fn make_call<'r>(
                &self,
                vc: &cm::Vc<Self>,
                request: cm::MakeCall<'r, Self>,
                irql: &mut UpToDispatch,
            ) -> Answer<'r> {
                let counts = &self.counts;
                let af = vc.af();
                counts.made(vc.request(ask(), irql));
                counts.made(af.request(ask(), irql));
                counts.made(af.request(give(), irql));
                if self.plan.ends {
                    let (counts, waits) = (counts.clone(), self.plan.waits);
                    vc.base().later(move |irql| {
                        let end = || again(|| OutgoingRequest::set(known::CO_AF_CLOSE, &()));
                        if !waits {
                            counts.made(af.request(end(), irql));
                        } else if let Ok(answered) = af.request_and_wait(end(), irql) {
                            counts.look(&answered);
                            counts.waited.fetch_add(1, SeqCst);
                        }
                        // Twice does no harm.
                        counts.made(af.request(end(), irql));
                    });
                }
                request.refuse(Status::FAILURE)
            }

            fn incoming_call_accepted(
                &self,
                call: cm::AcceptedCall<Self>,
                _: Option<CallParameters<'_>>,
                irql: &mut UpToDispatch,
            ) {
                call.close(Status::FAILURE, irql);
            }

            fn close_call<'r>(
                &self,
                _: &cm::Vc<Self>,
                request: cm::CloseCall<'r, Self>,
                irql: &mut UpToDispatch,
            ) -> Answer<'r> {
                request.finish(irql)
            }

            fn oid_request<'r>(
                &self,
                af: &cm::Af<Self>,
                vc: Option<&cm::Vc<Self>>,
                request: cm::OidRequest<'r, Self>,
                irql: &mut UpToDispatch,
            ) -> Answer<'r> {
                assert!(vc.is_none_or(|vc| vc.af().is(af)));
                self.answer(af.base(), request, vc.is_some(), irql)
            }

            fn oid_completed(
                &self,
                af: &cm::Af<Self>,
                vc: Option<&cm::Vc<Self>>,
                answered: Answered<ndis_co::oid::ToClient>,
                _: &mut UpToDispatch,
            ) {
                assert!(vc.is_none_or(|vc| vc.af().is(af)));
                self.counts.over(&answered);
            }
        }
    };
}

fn advertise<P: StandaloneCallManager>(binding: &OpenedBinding<'_, P>, irql: &mut Passive) {
    // Without memory there is none.
    let _ = binding.register_address_family(FAMILY, irql);
}

protocol!(AsClient, |binding, irql| {});
protocol!(AsCallManager, |binding, irql| advertise(binding, irql));
protocol!(AsBoth, |binding, irql| advertise(binding, irql));
client!(AsClient);
client!(AsBoth);
manager!(AsCallManager);
manager!(AsBoth);

fn load<R>(host: &Host, plan: Plan) -> (Option<Driver>, Arc<Counts>)
where
    Peer<R>: Protocol,
{
    let counts = Arc::<Counts>::default();
    let entry = Entry::new(Peer::<R> {
        plan,
        counts: counts.clone(),
        _role: std::marker::PhantomData,
    });
    let driver = host
        // SAFETY: the host calls this once, as DriverEntry.
        .load_with("peer", move |object, path| unsafe {
            entry.run(object, path)
        });
    (driver.ok(), counts)
}

struct World {
    host: Host,
    link: Link,
    drivers: Vec<Option<Driver>>,
    counts: Vec<Arc<Counts>>,
}

impl World {
    fn new(host: Host, plan: Plan, both: bool) -> Self {
        let link = Link::load(&host, Flaw::None, false);
        // It has this closure itself.
        let shared = Arc::downgrade(&link.shared);
        link.shared.oids.answers(move |asked| {
            if asked.oid != ASKED {
                return ndis_sys::NDIS_STATUS_NOT_SUPPORTED;
            }
            oids::write(asked.request.0, &VALUE.to_ne_bytes());
            let (link, vc) = (shared.upgrade().unwrap(), asked.vc);
            let (adapter, request) = (link.adapter(), asked.request);
            let handle = if vc.0.is_null() {
                oids::NO
            } else {
                // SAFETY: the VC's context at this miniport; the VC stays meanwhile.
                unsafe { (*vc.0.cast::<raw::link::Vc>()).handle }
            };
            let code = ndis_sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION;
            let mut bytes = VALUE.to_ne_bytes();
            let it = oids::indication(adapter, code, &mut bytes);
            oids::indicate(adapter, handle, it);
            let handle = raw::P(handle);
            let adapter = raw::P(adapter);
            if !plan.adapter_pends {
                return raw::SUCCESS;
            }
            oids::later(move || {
                let (adapter, handle, request) = (adapter, handle, request);
                oids::miniport_complete(adapter.0, handle.0, request, raw::SUCCESS);
            });
            raw::PENDING
        });
        let (drivers, counts) = if both {
            let (driver, counts) = load::<AsBoth>(&host, plan);
            (vec![driver], vec![counts])
        } else {
            let (manager, of_manager) = load::<AsCallManager>(&host, plan);
            let (client, of_client) = load::<AsClient>(&host, plan);
            (vec![client, manager], vec![of_client, of_manager])
        };
        Self {
            host,
            link,
            drivers,
            counts,
        }
    }

    fn sum(&self, of: impl Fn(&Counts) -> &AtomicU32) -> u32 {
        let all = self.counts.iter();
        all.map(|counts| of(counts).load(SeqCst)).sum()
    }

    /// The adapter goes first, or the drivers.
    fn down(self, adapter: Option<ndis_host::Adapter>, adapter_first: bool) -> Report {
        if adapter_first && let Some(adapter) = &adapter {
            self.host.remove_adapter(adapter);
        }
        for driver in self.drivers.into_iter().flatten() {
            self.host.unload(&driver);
        }
        if !adapter_first && let Some(adapter) = &adapter {
            self.host.remove_adapter(adapter);
        }
        self.host.unload(&self.link.driver);
        self.host.finish()
    }
}

fn life(seed: u64, readings: Readings, plan: Plan, both: bool) {
    let host = Host::builder().seed(seed).readings(readings).build();
    let world = World::new(host, plan, both);
    let adapter = world.host.add_adapter(&world.link.driver).unwrap();
    world.host.run();
    let counts = world.counts.clone();
    let what = format!(
        "{plan:?}, both: {both}, seed {seed}, {}",
        readings.describe()
    );
    let (came, made) = (world.sum(|it| &it.came), world.sum(|it| &it.made));
    let of_families = world.sum(|it| &it.waited);
    let report = world.down(Some(adapter), seed.is_multiple_of(2));
    assert!(report.is_clean(), "{what}: {report}");
    assert!(came > 0 && made >= 6, "{what}: {came} of {made}");
    let sum = |of: fn(&Counts) -> &AtomicU32| -> u32 {
        counts.iter().map(|counts| of(counts).load(SeqCst)).sum()
    };
    assert_eq!(sum(|it| &it.made), sum(|it| &it.over), "{what}");
    assert!(
        counts.iter().all(|it| !it.told.lock().unwrap().is_empty()),
        "{what}"
    );
    let of_vc = counts[0].told_of_vc.lock().unwrap();
    assert!(of_vc.iter().all(|it| *it == VALUE.to_ne_bytes()), "{what}");
    assert!(!of_vc.is_empty(), "{what}");
    assert_eq!(sum(|it| &it.closed), 1, "{what}");
    if plan.waits && plan.how != How::Last {
        assert!(of_families >= 4, "{what}: {of_families}");
    }
    let failed = matches!(plan.how, How::Dropped | How::DroppedUnderLock);
    if failed {
        assert!(sum(|it| &it.failed) > 0, "{what}");
    } else if !plan.hasty && !plan.ends && plan.how != How::Last {
        assert_eq!(sum(|it| &it.failed), 0, "{what}");
    }
    if plan.ends && !plan.hasty {
        assert!(sum(|it| &it.closing) >= 1, "{what}");
    }
}

fn plan(seed: u64, how: How) -> Plan {
    Plan {
        how,
        hasty: seed % 3 == 1,
        ends: seed % 3 == 2,
        adapter_pends: seed % 2 == 1,
        waits: seed % 4 < 2,
    }
}

/// Every direction, every way to answer, and each end: all that was made is answered, and
/// nothing is left.
#[test]
fn every_answer_under_every_reading() {
    for readings in Readings::all() {
        for how in ALL {
            for seed in 0..2 {
                life(seed, readings, plan(seed + how as u64, how), seed == 1);
            }
        }
    }
}

/// Many schedules of each way.
#[test]
fn many_schedules() {
    for how in ALL {
        for seed in 0..if cfg!(miri) { 1 } else { 48 } {
            life(
                seed,
                Readings::default(),
                plan(seed, how),
                seed.is_multiple_of(5),
            );
        }
    }
}

/// Memory that runs out: what cannot be asked comes back, what cannot be answered is refused,
/// and the rest ends as ever.
#[test]
fn without_memory() {
    let mut short = 0;
    for nth in (1..).take(if cfg!(miri) { 1 } else { 140 }) {
        let mut plan = plan(nth, ALL[nth as usize % ALL.len()]);
        // The raw miniport needs its memory.
        plan.adapter_pends = false;
        let host = Host::builder().seed(nth).build();
        let world = World::new(host, plan, nth.is_multiple_of(2));
        let adapter = world.host.add_adapter(&world.link.driver).ok();
        world.host.fail_allocation(nth);
        world.host.run();
        let counts = world.counts.clone();
        let report = world.down(adapter, nth % 4 < 2);
        assert!(report.is_clean(), "{nth} {plan:?}: {report}");
        let sum = |of: fn(&Counts) -> &AtomicU32| -> u32 {
            counts.iter().map(|counts| of(counts).load(SeqCst)).sum()
        };
        assert_eq!(sum(|it| &it.made), sum(|it| &it.over), "{nth} {plan:?}");
        short += sum(|it| &it.failed);
    }
    assert!(short > 0 || cfg!(miri));
}

/// What Miri looks at.
#[test]
fn a_small_life() {
    for (seed, how) in [(1, How::Later), (5, How::DroppedUnderLock)] {
        life(seed, Readings::default(), plan(seed, how), true);
    }
}
