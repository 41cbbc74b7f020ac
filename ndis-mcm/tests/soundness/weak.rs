//! Weak references: two VCs that are joined refer to each other, and hold nothing up. Whoever looks
//! for a VC while it goes finds all of it or nothing.

use super::*;
use ndis_co::{client, reference::Weak};
use ndis_mcm::WeakVc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the call manager keeps for one end of a call.
struct Line {
    peer: SpinLock<Option<WeakVc<Exchange<Joins>>>>,
    ends: Arc<AtomicUsize>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }
}

/// A call manager that knows all of its VCs, and keeps none.
#[derive(Default)]
struct Joins {
    ends: Arc<AtomicUsize>,
    adapter: Place<Weak<Adapter<Exchange<Self>>>>,
    family: Place<Weak<Af<Exchange<Self>>>>,
    sap: Place<Weak<Sap<Exchange<Self>>>>,
    halted: AtomicBool,
}

impl Joins {
    fn line(&self) -> Context {
        Some(Box::new(Line {
            peer: SpinLock::new(None),
            ends: self.ends.clone(),
        }))
    }
}

fn line(vc: &Vc<Exchange<Joins>>) -> &Line {
    let context: &Context = vc;
    context.as_ref().unwrap().downcast_ref().unwrap()
}

fn peer(vc: &Vc<Exchange<Joins>>, irql: &mut Passive) -> Option<Vc<Exchange<Joins>>> {
    line(vc)
        .peer
        .with(irql, |peer, _| peer.clone())
        .and_then(|peer| peer.upgrade())
}

impl Switch for Joins {
    fn initialized(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        self.adapter.put(adapter.downgrade().unwrap());
    }

    fn halt(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        // Still there: for as long as this runs.
        let found = self.adapter.take().unwrap().upgrade().unwrap();
        assert!(found.is(adapter));
        self.halted.store(true, Ordering::SeqCst);
    }

    fn create_vc(
        &self,
        af: &Af<Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        self.family.put(insist(|| af.downgrade()));
        Ok(self.line())
    }

    /// Kept weakly.
    fn register_sap<'r>(
        &self,
        request: RegisterSap<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> (Answer<'r>, Option<Sap<Exchange<Self>>>) {
        let (answer, sap) = request.accept(None);
        self.sap.put(sap.downgrade().unwrap());
        (answer, None)
    }
}

/// A call to this host's phone, and one from it, whose VCs are joined.
fn joined(seed: u64) -> World<Joins, ListeningPhone> {
    let world = World::seed(seed, Joins::default(), ListeningPhone);
    world.place_call();
    world.host.run();
    let exchange = world.exchange.clone();
    world.thread("network", move |irql| {
        let calling = exchange.vc.take().unwrap();
        let sap = exchange.switch.sap.get().unwrap().upgrade().unwrap();
        let called = insist(|| sap.create_vc(exchange.switch.line(), irql));
        let called = called.activate(parameters(b"the link's"), irql).unwrap();
        let called = called.dispatch_incoming_call(parameters(b"ring"), irql);
        line(&calling).peer.set(Some(called.downgrade().unwrap()));
        line(&called).peer.set(Some(calling.downgrade().unwrap()));
        assert!(peer(&calling, irql).unwrap().is(&called));
        assert!(peer(&called, irql).unwrap().is(&calling));
        assert!(!peer(&called, irql).unwrap().is(&called));
        let again = called.downgrade().unwrap();
        assert!(
            again.is(&line(&calling)
                .peer
                .with(irql, |peer, _| peer.clone().unwrap()))
        );
        assert!(
            !again.is(&line(&called)
                .peer
                .with(irql, |peer, _| peer.clone().unwrap()))
        );
    });
    world.host.run();
    world
}

/// Takes everything down. What is left of a weak reference is its memory, and finds nothing.
#[track_caller]
fn end_clean(mut world: World<Joins, ListeningPhone>) {
    let adapter = world.adapter.take().unwrap();
    world.host.remove_adapter(&adapter);
    let joins = &world.exchange.switch;
    assert!(joins.halted.load(Ordering::SeqCst));
    assert_eq!(joins.ends.load(Ordering::SeqCst), 2);
    assert!(joins.family.take().unwrap().upgrade().is_none());
    assert!(joins.sap.take().unwrap().upgrade().is_none());
    world.end_clean();
}

/// Nobody parts the two, and both go, before the halt has ended.
#[test]
fn joined_vcs_keep_nothing() {
    for seed in seeds(40) {
        let world = joined(seed);
        assert_eq!(world.exchange.switch.ends.load(Ordering::SeqCst), 0);
        end_clean(world);
    }
}

/// Threads go from one end to the other, over and over, while all of it goes away.
#[test]
fn a_vc_may_be_looked_for_while_it_goes() {
    let mut found = 0;
    for seed in seeds(200) {
        let world = joined(seed);
        let looks = Arc::new(AtomicUsize::new(0));
        // One end of either driver.
        let leg = world.handset.vc.take().unwrap().downgrade().unwrap();
        for name in ["one", "other"] {
            let exchange = world.exchange.clone();
            let (looks, leg) = (looks.clone(), leg.clone());
            world.thread(name, move |irql| {
                let Some(family) = exchange.switch.family.get() else {
                    return;
                };
                while let Some(leg) = leg.upgrade() {
                    let _ = leg.is_connected();
                    if let Some(family) = family.upgrade() {
                        assert!(family.base().is(family.base()));
                    }
                    looks.fetch_add(1, Ordering::SeqCst);
                    drop(leg);
                    sleep(1, irql);
                }
            });
        }
        drop(leg);
        let hangs_up: Option<client::Af<_>> = world.handset.af.get();
        world.thread("hangs up", move |irql| {
            sleep(3, irql);
            if let Some(af) = hangs_up {
                af.close(irql);
            }
        });
        end_clean(world);
        found += looks.load(Ordering::SeqCst);
    }
    assert!(found > 0);
}
