//! An initialization that fails: case `failed_initialize`.
//!
//! What the driver has made by then goes with the adapter's context, and nothing is
//! waited for that only the driver could give back: it has no adapter yet to keep a
//! reference to. `initialized` gives it one, and `halt` asks for it.

use super::*;
use ndis_co::{
    mem::Arc as KernelArc,
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};
use ndis_host::Report;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// What timers and work items are for.
struct Errand(Arc<AtomicU32>);

impl Expire for Errand {
    fn expired(this: &KernelArc<Self>, _irql: &mut UpToDispatch) {
        this.0.fetch_add(1, SeqCst);
    }
}

impl Work for Errand {
    fn run(this: &KernelArc<Self>, _irql: &mut Passive) {
        this.0.fetch_add(1, SeqCst);
    }
}

/// Everything that can hang on an adapter, and is in its context.
struct Equipment {
    /// A list out of its pool.
    _list: Place<ndis_co::nbl::NetBufferList>,
    _soon: Timer<Errand>,
    _late: Timer<Errand>,
    _item: WorkItem<Errand>,
    _errand: KernelArc<Errand>,
    dropped: Arc<AtomicU32>,
}

impl Drop for Equipment {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
    }
}

/// A switch with equipment.
#[derive(Default)]
struct Equipped {
    made: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
    ran: Arc<AtomicU32>,
    initialized: AtomicU32,
    halted: AtomicU32,
    adapter: Place<Adapter<Exchange<Self>>>,
}

impl Switch for Equipped {
    fn adapter(&self, scope: &Scope) -> Result<Context, Status> {
        let errand = KernelArc::try_new(Errand(self.ran.clone()), Tag::NDIS)?;
        let list = NetBufferListPool::for_receives(scope, Tag::NDIS)?.allocate(16)?;
        let equipment = Equipment {
            _list: Place::default(),
            _soon: Timer::try_new(scope)?,
            _late: Timer::try_new(scope)?,
            _item: WorkItem::try_new(scope)?,
            _errand: errand.clone(),
            dropped: self.dropped.clone(),
        };
        equipment._list.put(list);
        self.made.fetch_add(1, SeqCst);
        // All of it is busy when the initialization ends.
        equipment._soon.set(&errand, 0);
        equipment._late.set(&errand, 3_600_000);
        assert!(equipment._item.queue(&errand));
        Ok(Some(Box::new(equipment)))
    }

    fn initialized(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        self.initialized.fetch_add(1, SeqCst);
        self.adapter.put(adapter.clone());
    }

    fn halt(&self, adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        self.halted.fetch_add(1, SeqCst);
        assert!(!adapter.is_running());
        drop(self.adapter.take());
    }
}

/// Ends a world whose adapter never was; how long that took, in milliseconds.
fn end_without_adapter(world: World<Equipped, PlainPhone>) -> Report {
    let (made, dropped) = {
        let switch = &world.exchange.switch;
        assert_eq!(switch.initialized.load(SeqCst), 0);
        assert_eq!(
            switch.halted.load(SeqCst),
            0,
            "no halt comes (rule INIT-10)"
        );
        (switch.made.load(SeqCst), switch.dropped.load(SeqCst))
    };
    assert_eq!(made, dropped);
    // In units of 100 ns; without events this is not looked at.
    let now = world.host.events().last().map_or(0, |event| event.time);
    assert!(now < 36_000_000_000, "it waited for the timer");
    world.end()
}

/// Case `failed_initialize`: the last step fails, with everything made and busy. No
/// hang, and nothing is left.
#[test]
fn an_initialization_that_fails_late_leaves_nothing() {
    for seed in seeds(60) {
        let builder = Host::builder().seed(seed).preemption(1, 4);
        let mut world = World::load(builder, Equipped::default(), PlainPhone);
        let call = "NdisMCmRegisterAddressFamilyEx";
        world.host.fail_call(call, 1, Status::RESOURCES.raw());
        assert_eq!(world.start(), Err(Status::RESOURCES.raw()));
        assert_eq!(world.exchange.switch.made.load(SeqCst), 1);
        let report = end_without_adapter(world);
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// As above, at every allocation: whatever was made before it goes.
#[test]
fn an_initialization_out_of_memory_leaves_nothing() {
    let mut failed = 0;
    for nth in 1.. {
        let builder = Host::builder().seed(nth);
        let mut world = World::load(builder, Equipped::default(), PlainPhone);
        world.host.fail_allocation(nth);
        if world.start().is_ok() {
            // The allocation that fails came later: so far, all have failed once.
            drop(world.end());
            break;
        }
        failed += 1;
        let report = end_without_adapter(world);
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
    assert!(failed > 10, "{failed} allocations");
}

/// Case `failed_initialize`, the right way: `initialized` lends the adapter, which
/// may be kept, and `halt` asks for it.
#[test]
fn an_adapter_is_kept_from_initialized_to_halt() {
    for seed in seeds(60) {
        let world = World::seed(seed, Equipped::default(), PlainPhone);
        let exchange = world.exchange.clone();
        let switch = &exchange.switch;
        assert_eq!(switch.initialized.load(SeqCst), 1);
        assert!(switch.adapter.get().unwrap().is_running());
        // Both timers, for time has passed until nothing was due, and the work item.
        assert_eq!(switch.ran.load(SeqCst), 3);
        let adapter = world.adapter.unwrap();
        world.host.remove_adapter(&adapter);
        assert_eq!(switch.halted.load(SeqCst), 1);
        assert!(switch.adapter.is_empty());
        assert_eq!(switch.dropped.load(SeqCst), 1);
        drop(exchange);
        world.end_clean();
    }
}
