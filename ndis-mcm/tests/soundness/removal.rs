//! A device that has gone without notice: the driver is told, and what is sent from
//! then on comes back with `NOT_ACCEPTED` (rule HALT-13).

use super::*;

type Job = Box<dyn FnOnce(&mut Passive) + Send>;

/// A switch that does something when it is told.
#[derive(Default)]
struct Told {
    then: Place<Job>,
    told: Notes<bool>,
}

impl Switch for Told {
    fn surprise_removed(&self, adapter: &Adapter<Exchange<Self>>, irql: &mut Passive) {
        self.told.add(adapter.is_removed());
        if let Some(then) = self.then.take() {
            then(irql);
        }
    }

    fn send(
        &self,
        vc: &Vc<Exchange<Self>>,
        lists: SendLists<Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) {
        assert!(!vc.base().is_removed());
        lists.complete(Status::SUCCESS, irql);
    }
}

/// A phone that notes what came of its sends.
#[derive(Default)]
struct Sends {
    completed: Notes<Status>,
}

impl Phone for Sends {
    fn send_complete(
        &self,
        _vc: &Leg<Handset<Self>>,
        lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
        for list in &lists {
            self.completed.add(list.status());
        }
    }
}

fn send<P: Phone>(vc: &Leg<Handset<P>>, irql: &mut Passive) {
    let mut list = vc.af().binding().pool.allocate(4).unwrap();
    list.set_data(b"four").unwrap();
    vc.send(list.into(), irql).unwrap();
}

/// Before the notice a list is sent, after it the next one is refused.
#[test]
fn what_is_sent_after_a_surprise_removal_is_not_accepted() {
    for seed in seeds(20) {
        let world = World::seed(seed, Told::default(), Sends::default());
        world.place_call();
        world.host.run();
        let handset = world.handset.clone();
        world.thread("user", move |irql| {
            send(&handset.vc.get().unwrap(), irql);
        });
        world.host.run();
        let handset = world.handset.clone();
        let later: Job = Box::new(move |irql| send(&handset.vc.get().unwrap(), irql));
        world.exchange.switch.then.put(later);
        world.host.surprise_remove(world.adapter.as_ref().unwrap());
        world.host.run();
        assert_eq!(world.exchange.switch.told.all(), [true], "seed {seed}");
        assert_eq!(
            world.handset.phone.completed.all(),
            [Status::SUCCESS, Status::NOT_ACCEPTED],
            "seed {seed}"
        );
        let mut world = world;
        world.adapter = None;
        world.end_clean();
    }
}
