//! A handler that may wait may wait for the end of what it has dropped: case
//! `deferred_deadlock`.
//!
//! What is dropped ends soon, on the work item of the adapter or binding. So no
//! handler that is lent a `Passive` may run on that work item: it would wait for
//! what comes behind it. Each such handler waits here, for a virtual minute at
//! most, and must be told in time.

use super::*;
use ndis_co::{
    mem::Arc as KernelArc,
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};
use ndis_host::{OpenAfCompleteIrql, Readings};

/// In virtual milliseconds: no end takes so long.
const A_MINUTE: u32 = 60_000;

/// An event, and what came of each wait for it.
#[derive(Default)]
struct Bell {
    /// From the first handler of the driver to its last.
    rung: Place<Arc<Event>>,
    waits: Notes<(&'static str, bool)>,
}

impl Bell {
    fn install(&self) -> Result<(), Status> {
        self.rung.put(Arc::new(Event::try_new(Tag::NDIS)?));
        Ok(())
    }

    fn ring(&self) {
        if let Some(rung) = self.rung.get() {
            rung.set();
        }
    }

    fn wait(&self, what: &'static str, irql: &mut Passive) {
        let rung = self.rung.get().unwrap();
        self.waits.add((what, rung.wait_for(A_MINUTE, irql)));
    }
}

/// How an open is completed.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Completes {
    /// From a timer, at DISPATCH_LEVEL.
    AtDispatch,
    /// From a thread, at PASSIVE_LEVEL.
    AtPassive,
    /// At once.
    Now,
}

/// Completes opens later.
struct Opens {
    how: Completes,
    due: Place<(Timer<Opening>, KernelArc<Opening>)>,
}

struct Opening(Place<PendingOpenAf<Exchange<Opens>>>);

impl Expire for Opening {
    fn expired(this: &KernelArc<Self>, irql: &mut UpToDispatch) {
        if let Some(token) = this.0.take() {
            token.accept(None, irql);
        }
    }
}

impl Switch for Opens {
    fn adapter(&self, scope: &Scope) -> Result<Context, Status> {
        let opening = KernelArc::try_new(Opening(Place::default()), Tag::NDIS)?;
        self.due.put((Timer::try_new(scope)?, opening));
        Ok(None)
    }

    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        drop(self.due.take());
    }

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        request: OpenAf<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.how == Completes::Now {
            return request.accept(None);
        }
        let (answer, token) = request.pend();
        // Taken out and put back: nothing of NDIS is called under the mutex.
        let (timer, opening) = self.due.take().unwrap();
        opening.0.put(token);
        if self.how == Completes::AtDispatch {
            timer.set(&opening, 1);
        }
        self.due.put((timer, opening));
        answer
    }
}

/// What is dropped and waited for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Drops {
    Vc,
    Call,
    Sap,
    Af,
}

/// Drops something in `af_opened`, and waits for its end there.
struct WaitsInOpened {
    drops: Drops,
    bell: Bell,
}

impl Phone for WaitsInOpened {
    fn bind(&self, _adapter: &NewBinding<'_>) -> Result<Context, Status> {
        self.bell.install()?;
        Ok(None)
    }

    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        drop(self.bell.rung.take());
    }

    fn af_opened(
        &self,
        af: Opened<Handset<Self>>,
        irql: &mut Passive,
    ) -> Option<Opened<Handset<Self>>> {
        let mut kept = None;
        match self.drops {
            Drops::Vc => drop(af.create_vc(None, irql).unwrap()),
            Drops::Call => {
                let vc = af.create_vc(None, irql).unwrap();
                drop(vc.make_call(parameters(b"dropped"), irql));
            }
            Drops::Sap => {
                let address = SapAddressBuf::try_new(1, b"9").unwrap();
                drop(af.register_sap(None, address, irql).unwrap());
            }
            Drops::Af => {}
        }
        if self.drops == Drops::Af {
            drop(af);
        } else {
            kept = Some(af);
        }
        self.bell.wait("af_opened", irql);
        kept
    }

    fn vc_deleted(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {
        self.bell.ring();
    }

    fn sap_deregistered(&self, _irql: &mut UpToDispatch) {
        self.bell.ring();
    }

    fn af_closed(&self) {
        self.bell.ring();
    }
}

/// Case `deferred_deadlock`: `af_opened` waits, under both readings of
/// `open_af_complete_irql` and however the open was completed.
#[test]
fn af_opened_may_wait_for_what_it_has_dropped() {
    for how in [Completes::AtDispatch, Completes::AtPassive, Completes::Now] {
        for drops in [Drops::Vc, Drops::Call, Drops::Sap, Drops::Af] {
            for open_af_complete_irql in
                [OpenAfCompleteIrql::Passive, OpenAfCompleteIrql::AsCompleted]
            {
                for seed in seeds(6) {
                    let readings = Readings {
                        open_af_complete_irql,
                        ..Readings::default()
                    };
                    let builder = Host::builder().seed(seed).readings(readings);
                    opens(builder, how, drops);
                }
            }
        }
    }
}

/// One open, whose client waits.
fn opens(builder: Builder, how: Completes, drops: Drops) {
    let switch = Opens {
        how,
        due: Place::default(),
    };
    let phone = WaitsInOpened {
        drops,
        bell: Bell::default(),
    };
    let mut world = World::load(builder, switch, phone);
    world.start().unwrap();
    if how == Completes::AtPassive {
        let exchange = world.exchange.clone();
        world.thread("answer", move |irql| {
            let (timer, opening) = exchange.switch.due.take().unwrap();
            let token = opening.0.take().unwrap();
            exchange.switch.due.put((timer, opening));
            token.accept(None, irql);
        });
    }
    world.host.run();
    let waits = world.handset.phone.bell.waits.all();
    assert_eq!(waits, [("af_opened", true)], "{how:?} {drops:?}");
    world.end_clean();
}

/// A work item's target: drops a VC, and waits for its deletion.
struct Errand(Place<Handset<WaitsElsewhere>>);

impl Work for Errand {
    fn run(this: &KernelArc<Self>, irql: &mut Passive) {
        let handset = this.0.take().unwrap();
        let af = handset.af.get().unwrap();
        drop(af.create_vc(None, irql).unwrap());
        handset.phone.bell.wait("a work item", irql);
    }
}

/// Waits in a work item of its own, and in the unbind.
#[derive(Default)]
struct WaitsElsewhere {
    bell: Bell,
    item: Place<(WorkItem<Errand>, KernelArc<Errand>)>,
}

impl Phone for WaitsElsewhere {
    fn bind(&self, adapter: &NewBinding<'_>) -> Result<Context, Status> {
        self.bell.install()?;
        let errand = KernelArc::try_new(Errand(Place::default()), Tag::NDIS)?;
        self.item.put((WorkItem::try_new(adapter.scope())?, errand));
        Ok(None)
    }

    fn unbind(&self, binding: &Binding<Handset<Self>>, irql: &mut Passive) {
        drop(self.item.take());
        let af = binding.driver().af.get().unwrap();
        let vc = af.create_vc(None, irql).unwrap();
        drop(vc.make_call(parameters(b"dropped"), irql));
        self.bell.rung.get().unwrap().reset();
        self.bell.wait("unbind", irql);
        drop(self.bell.rung.take());
    }

    fn vc_deleted(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {
        self.bell.ring();
    }
}

/// A neighbour of `deferred_deadlock`: the driver's own work item, and the unbind.
#[test]
fn a_work_item_and_the_unbind_may_wait_for_what_they_have_dropped() {
    for seed in seeds(30) {
        let world = World::seed(seed, PlainSwitch, WaitsElsewhere::default());
        let handset = world.handset.clone();
        world.thread("user", move |_| {
            let (item, errand) = handset.phone.item.take().unwrap();
            errand.0.put(handset.clone());
            assert!(item.queue(&errand));
            handset.phone.item.put((item, errand));
        });
        world.host.run();
        let handset = world.handset.clone();
        world.host.unload(&world.client);
        let waits = handset.phone.bell.waits.all();
        drop(handset);
        assert_eq!(waits, [("a work item", true), ("unbind", true)]);
        world.end_clean();
    }
}

/// A work item's target: drops a VC of the call manager's, and waits for its end.
struct Call(Place<Exchange<WaitsInWork>>);

impl Work for Call {
    fn run(this: &KernelArc<Self>, irql: &mut Passive) {
        let exchange = this.0.take().unwrap();
        let sap = exchange.sap.get().unwrap();
        let vc = sap.create_vc(None, irql).unwrap();
        let vc = vc.activate(parameters(b"the link's"), irql).unwrap();
        drop(vc);
        exchange.switch.bell.wait("a work item", irql);
    }
}

/// A call manager that waits in a work item.
#[derive(Default)]
struct WaitsInWork {
    bell: Bell,
    item: Place<(WorkItem<Call>, KernelArc<Call>)>,
}

impl Switch for WaitsInWork {
    fn adapter(&self, scope: &Scope) -> Result<Context, Status> {
        self.bell.install()?;
        let call = KernelArc::try_new(Call(Place::default()), Tag::NDIS)?;
        self.item.put((WorkItem::try_new(scope)?, call));
        Ok(None)
    }

    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        drop(self.item.take());
        drop(self.bell.rung.take());
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.bell.ring();
    }
}

/// A neighbour of `deferred_deadlock`: a work item of the call manager.
#[test]
fn a_call_managers_work_item_may_wait_for_a_dropped_vc() {
    for seed in seeds(30) {
        let world = World::seed(seed, WaitsInWork::default(), ListeningPhone);
        let exchange = world.exchange.clone();
        world.thread("network", move |_| {
            let (item, call) = exchange.switch.item.take().unwrap();
            call.0.put(exchange.clone());
            assert!(item.queue(&call));
            exchange.switch.item.put((item, call));
        });
        world.host.run();
        let waits = world.exchange.switch.bell.waits.all();
        assert_eq!(waits, [("a work item", true)], "seed {seed}");
        world.end_clean();
    }
}
