//! A driver's code and memory are used until its unload routine has returned, not
//! longer: case `drop_after_unload`.
//!
//! A driver's context has a destructor, which is code of its image, and every
//! object has memory. Whoever drops the last reference may be a thread that nobody
//! waits for; then the unbind or the halt, and with it the unload, waits for the
//! object: until the destructor has run *and* the memory is freed. Both tests go
//! through many orders, for each kind of object that can be kept.

use super::*;
use ndis_co::{
    client,
    mem::{Anchored, Arc as KernelArc, Parent},
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

/// What the test knows of the contexts.
#[derive(Default)]
struct Ledger {
    unloaded: AtomicBool,
    late: Notes<&'static str>,
    made: Notes<&'static str>,
    dropped: Notes<&'static str>,
}

/// A context: its destructor takes its time and belongs to the driver.
struct Probe {
    what: &'static str,
    ledger: Arc<Ledger>,
}

impl Probe {
    fn new(what: &'static str, ledger: &Arc<Ledger>) -> Self {
        ledger.made.add(what);
        Self {
            what,
            ledger: ledger.clone(),
        }
    }

    fn context(what: &'static str, ledger: &Arc<Ledger>) -> Context {
        Some(Box::new(Self::new(what, ledger)))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        for _ in 0..6 {
            SWITCH_POINT.get();
        }
        self.ledger.dropped.add(self.what);
        if self.ledger.unloaded.load(SeqCst) {
            self.ledger.late.add(self.what);
        }
    }
}

/// What timers and work items are for.
struct Errand {
    #[allow(dead_code)] // Its destructor counts.
    probe: Probe,
}

impl Expire for Errand {
    fn expired(_this: &KernelArc<Self>, _irql: &mut UpToDispatch) {}
}

impl Work for Errand {
    fn run(_this: &KernelArc<Self>, _irql: &mut Passive) {
        SWITCH_POINT.get();
    }
}

/// How the last reference to something goes.
type LetGo = Box<dyn FnOnce() + Send>;

/// The kinds of objects that a driver can keep.
const KINDS: [&str; 7] = ["VC", "AF", "SAP", "adapter", "list", "timer", "work item"];

/// What a driver keeps of one kind, to be let go of by a foreign thread.
struct Keeps {
    kind: &'static str,
    ledger: Arc<Ledger>,
    held: Place<LetGo>,
}

impl Keeps {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
            ledger: Arc::new(Ledger::default()),
            held: Place::default(),
        }
    }

    fn context(&self, what: &'static str) -> Context {
        Probe::context(what, &self.ledger)
    }

    /// Keeps `value`, if it is of the kind that is asked for.
    fn keep<T: Send + 'static>(&self, kind: &'static str, value: impl FnOnce() -> T) {
        if self.kind == kind {
            let value = value();
            self.held.put(Box::new(move || drop(value)));
        }
    }

    /// Makes what hangs on an adapter or binding, and keeps it.
    fn resources(&self, scope: &Scope, pool: &NetBufferListPool) -> Result<(), Status> {
        let errand = || {
            let probe = Probe::new("errand", &self.ledger);
            KernelArc::try_new(Errand { probe }, Tag::NDIS)
        };
        match self.kind {
            "list" => {
                let list = pool.allocate(8)?;
                self.keep("list", || list);
            }
            "timer" => {
                let (timer, errand) = (Timer::try_new(scope)?, errand()?);
                timer.set(&errand, 600_000);
                drop(errand);
                self.keep("timer", || timer);
            }
            "work item" => {
                let (item, errand) = (WorkItem::try_new(scope)?, errand()?);
                self.held.put(Box::new(move || {
                    assert!(item.queue(&errand));
                    drop(errand);
                    drop(item);
                }));
            }
            _ => {}
        }
        Ok(())
    }
}

/// A client whose contexts are watched.
struct Keeper(Keeps);

impl Phone for Keeper {
    const LISTENS: bool = true;

    fn bind(&self, adapter: &NewBinding<'_>) -> Result<Context, Status> {
        let pool = NetBufferListPool::for_sends(adapter.scope(), Tag::NDIS)?;
        self.0.resources(adapter.scope(), &pool)?;
        Ok(self.0.context("adapter"))
    }

    fn af_context(&self) -> Context {
        self.0.context("AF")
    }

    fn sap_context(&self) -> Context {
        self.0.context("SAP")
    }

    fn af_opened(
        &self,
        af: Opened<Handset<Self>>,
        irql: &mut Passive,
    ) -> Option<Opened<Handset<Self>>> {
        // Made in a callback, so that its memory is the driver's to free.
        let vc = af.create_vc(self.0.context("VC"), irql).unwrap();
        let vc = vc.make_call(parameters(b"the client's"), irql).keep();
        self.0.keep("VC", || vc);
        self.0.keep("AF", || client::Af::clone(&af));
        self.0.keep("adapter", || af.binding());
        Some(af)
    }
}

/// A call manager whose contexts are watched.
struct Keeping(Keeps);

impl Switch for Keeping {
    fn adapter(&self, scope: &Scope) -> Result<Context, Status> {
        let pool = NetBufferListPool::for_receives(scope, Tag::NDIS)?;
        self.0.resources(scope, &pool)?;
        Ok(self.0.context("adapter"))
    }

    fn initialized(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        self.0.keep("adapter", || adapter.clone());
    }

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        request: OpenAf<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(self.0.context("AF"))
    }

    fn register_sap<'r>(
        &self,
        request: RegisterSap<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> (Answer<'r>, Option<Sap<Exchange<Self>>>) {
        let (answer, sap) = request.accept(self.0.context("SAP"));
        self.0.keep("SAP", || sap);
        (answer, None)
    }

    fn create_vc(
        &self,
        _af: &Af<Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        Ok(self.0.context("VC"))
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.keep("VC", || vc.clone());
        self.0.keep("AF", || vc.af());
        request.accept(irql)
    }
}

/// Schedules with many switches, so that they also fall between the last steps of
/// an object, and with fewer, so that the unload gets far then.
fn builder(seed: u64) -> Builder {
    let of = if seed.is_multiple_of(2) { 4 } else { 16 };
    Host::builder().seed(seed).preemption(1, of)
}

/// Has a thread that is no driver's let go while the driver is taken down.
fn let_go<S: Switch, P: Phone>(
    world: &World<S, P>,
    seed: u64,
    take: impl FnOnce() -> Option<LetGo> + Send + 'static,
) {
    world.thread("last", move |irql| {
        match seed % 4 {
            0 => {}
            longer => sleep(longer as u32, irql),
        }
        // Of the thread, not of the driver: not to be asked for later.
        let last = take().unwrap();
        last();
    });
}

/// What was made was dropped, once each, and in time.
#[track_caller]
fn check(ledger: &Ledger, kind: &str, seed: u64) {
    let count = |notes: &Notes<&'static str>| {
        let mut counts = BTreeMap::new();
        for what in notes.all() {
            *counts.entry(what).or_insert(0_u32) += 1;
        }
        counts
    };
    let (made, dropped) = (count(&ledger.made), count(&ledger.dropped));
    assert_eq!(made, dropped, "{kind}, seed {seed}");
    assert!(made.len() >= 4, "{made:?}");
    let late = ledger.late.all();
    assert!(
        late.is_empty(),
        "{kind}, seed {seed}: {late:?} after unload"
    );
}

/// Case `drop_after_unload`: a client.
#[test]
fn a_clients_contexts_are_gone_before_its_unload_returns() {
    for kind in KINDS {
        for seed in seeds(60) {
            let world = World::new(builder(seed), PlainSwitch, Keeper(Keeps::new(kind)));
            if kind == "SAP" {
                let sap = world.handset.sap.take().unwrap();
                world.handset.phone.0.held.put(Box::new(move || drop(sap)));
            }
            let handset = world.handset.clone();
            let_go(&world, seed, move || handset.phone.0.held.take());
            let ledger = world.handset.phone.0.ledger.clone();
            world.host.unload(&world.client);
            ledger.unloaded.store(true, SeqCst);
            world.host.run();
            check(&ledger, kind, seed);
            world.end_clean();
        }
    }
}

/// Case `drop_after_unload`: a call manager.
#[test]
fn a_call_managers_contexts_are_gone_before_its_unload_returns() {
    for kind in KINDS {
        for seed in seeds(60) {
            let world = World::new(builder(seed), Keeping(Keeps::new(kind)), ListeningPhone);
            world.place_call();
            world.host.run();
            drop(world.exchange.vc.take());
            let exchange = world.exchange.clone();
            let_go(&world, seed, move || exchange.switch.0.held.take());
            let ledger = world.exchange.switch.0.ledger.clone();
            world.host.unload(&world.mcm);
            ledger.unloaded.store(true, SeqCst);
            world.host.run();
            check(&ledger, kind, seed);
            world.end_clean();
        }
    }
}

/// Stands for what keeps a driver loaded: when it goes, it looks at what there
/// still is.
struct LastHold {
    host: Arc<Host>,
    ledger: Arc<Ledger>,
    /// How many allocations were left then.
    left: Arc<Notes<usize>>,
}

impl Drop for LastHold {
    fn drop(&mut self) {
        self.left.add(self.host.report().objects_left.len());
        self.ledger.unloaded.store(true, SeqCst);
    }
}

/// An object as those of the crates are.
struct Anchoring {
    /// Declared first, which is not what the order comes from.
    hold: Parent<Arc<LastHold>>,
    #[allow(dead_code)] // Its destructor counts.
    probe: Probe,
}

impl Anchored for Anchoring {
    type Parent = Arc<LastHold>;
    fn parent(&mut self) -> &mut Parent<Arc<LastHold>> {
        &mut self.hold
    }
}

/// Case `drop_after_unload`, the narrow half of it (32 bytes left, once in
/// thousands of runs): an object's destructor, then its memory, and only then what
/// it hangs on, also when there is no memory for the object.
#[test]
fn an_object_lets_go_of_its_parent_when_its_memory_is_freed() {
    for fails in [false, true] {
        let _alone = alone();
        let host = Arc::new(Host::builder().seed(1).build());
        let ledger = Arc::new(Ledger::default());
        let left = Arc::new(Notes::default());
        if fails {
            host.fail_allocation(1);
        }
        let object = Anchoring {
            hold: Parent::new(Arc::new(LastHold {
                host: host.clone(),
                ledger: ledger.clone(),
                left: left.clone(),
            })),
            probe: Probe::new("object", &ledger),
        };
        let notes = ledger.clone();
        thread(&host, "driver", move |_| {
            let made = KernelArc::try_new_anchored(object, Tag::NDIS);
            assert_eq!(made.is_err(), fails);
            if let Ok(object) = made {
                let other = object.clone();
                drop(object);
                assert!(notes.dropped.all().is_empty());
                drop(other);
            }
        });
        host.run();
        assert_eq!(ledger.dropped.all(), ["object"]);
        assert!(ledger.late.all().is_empty(), "the parent went first");
        assert_eq!(left.all(), [0], "allocations left when the parent went");
        let report = Arc::into_inner(host).unwrap().finish();
        assert!(report.is_clean(), "{report}");
    }
}
