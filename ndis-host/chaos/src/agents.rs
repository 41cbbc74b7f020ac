//! Who does things later: a thread, a timer, a work item, or another handler.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    stash::Stash,
    world::{Body, Job, TAG, World, look},
};
use ndis_co::{
    Status,
    irql::{NoLock, Passive, UpToDispatch},
    mem::Arc as PoolArc,
    scope::Scope,
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};
use std::sync::{Arc, Mutex, Weak};

/// A job in a timer or a work item; for the latter also one that wants to wait.
pub(crate) struct Slot(Arc<Mutex<Option<Job>>>, Mutex<Option<Body>>);

impl Slot {
    pub(crate) fn try_new(job: Job) -> Result<PoolArc<Self>, Status> {
        let job = Arc::new(Mutex::new(Some(job)));
        Ok(PoolArc::try_new(Self(job, Mutex::default()), TAG)?)
    }

    /// For a work item.
    pub(crate) fn waiting(body: Body) -> Result<PoolArc<Self>, Status> {
        let body = Mutex::new(Some(body));
        Ok(PoolArc::try_new(Self(Arc::default(), body), TAG)?)
    }

    fn take(&self) -> Option<Job> {
        look(&self.0).take()
    }
}

impl Expire for Slot {
    fn expired(this: &PoolArc<Self>, irql: &mut UpToDispatch) {
        if let Some(job) = this.take() {
            job(irql);
        }
    }
}

impl Work for Slot {
    fn run(this: &PoolArc<Self>, irql: &mut Passive) {
        let body = look(&this.1).take();
        if let Some(body) = body {
            body(irql);
        }
        if let Some(job) = this.take() {
            job(irql.up_to_dispatch());
        }
    }
}

/// What every driver has at an adapter or binding.
pub(crate) struct Desk {
    /// Under this number its things are kept.
    pub(crate) place: u32,
    pub(crate) agents: Agents,
}

impl Desk {
    pub(crate) fn try_new(place: u32, scope: &Scope) -> Result<Self, Status> {
        let agents = Agents::try_new(scope)?;
        Ok(Self { place, agents })
    }
}

/// Keeps what another handler, or in the end a thread, does away with; under which number.
pub(crate) fn hold<X: Send + Sync + 'static, T: Send + 'static>(
    x: &Arc<X>,
    world: &Arc<World>,
    stash: impl Fn(&X) -> &Stash<T> + Send + 'static,
    place: u32,
    thing: T,
    irql: &mut UpToDispatch,
    done: impl FnOnce(&Arc<X>, T, &mut UpToDispatch) + Send + 'static,
) -> Option<u32> {
    match stash(x).put(place, thing) {
        Ok(number) => {
            let (x, world_of) = (x.clone(), world.clone());
            world.spawn("manager's sweeper", move |irql| {
                world_of.wait(irql);
                if let Some(thing) = stash(&x).take(number) {
                    done(&x, thing, irql.up_to_dispatch());
                }
            });
            Some(number)
        }
        Err(thing) => {
            done(x, thing, irql);
            None
        }
    }
}

/// Leaves a job to the handlers; should none come upon it, a thread does it in the end. Its number.
fn leave(world: &Arc<World>, jobs: &Arc<Stash<Job>>, place: u32, job: Job) -> Result<u32, Job> {
    let number = jobs.put(place, job)?;
    let (jobs, world_of) = (jobs.clone(), world.clone());
    world.spawn("sweeper", move |irql| {
        world_of.wait(irql);
        if let Some(job) = jobs.take(number) {
            job(irql.up_to_dispatch());
        }
    });
    Ok(number)
}

/// The timer and the work item of an adapter or binding.
pub(crate) struct Agents {
    timer: Timer<Slot>,
    item: WorkItem<Slot>,
    /// What the timer was last set for.
    set: Mutex<Weak<Mutex<Option<Job>>>>,
    /// What it was set for when the device lost its power, by its number among the jobs.
    parked: Mutex<Option<u32>>,
}

impl Agents {
    pub(crate) fn try_new(scope: &Scope) -> Result<Self, Status> {
        Ok(Self {
            timer: Timer::try_new(scope)?,
            item: WorkItem::try_new(scope)?,
            set: Mutex::default(),
            parked: Mutex::default(),
        })
    }

    /// Has `job` done some time, or dropped.
    pub(crate) fn later(
        &self,
        world: &Arc<World>,
        jobs: &Arc<Stash<Job>>,
        place: u32,
        irql: &mut UpToDispatch,
        job: Job,
    ) {
        let job = match world.decide(&[
            (2, Act::LaterTimer),
            (2, Act::LaterWork),
            (4, Act::LaterHandler),
            (1, Act::LaterAtOnce),
            (4, Act::LaterThread),
        ]) {
            Act::LaterTimer => {
                // What the timer was set to before is dropped.
                if let Ok(slot) = Slot::try_new(job)
                    && !self.set_timer(world, place, &slot, 4, irql)
                    && let Some(job) = slot.take()
                    && let Err(job) = leave(world, jobs, place, job)
                {
                    job(irql);
                }
                return;
            }
            Act::LaterWork => match Slot::try_new(job) {
                Ok(slot) => {
                    if self.item.queue(&slot) {
                        return;
                    }
                    match slot.take() {
                        Some(job) => job,
                        None => return,
                    }
                }
                Err(_) => return,
            },
            Act::LaterHandler => match leave(world, jobs, place, job) {
                Ok(_) => return,
                Err(job) => job,
            },
            Act::LaterAtOnce => return job(irql),
            _ => job,
        };
        let world_of = world.clone();
        world.spawn("later", move |irql| {
            world_of.linger(irql);
            job(irql.up_to_dispatch());
        });
    }

    /// Sets the timer to less than `limit` milliseconds; false when the device has no power.
    pub(crate) fn set_timer(
        &self,
        world: &World,
        place: u32,
        slot: &PoolArc<Slot>,
        limit: u32,
        irql: &mut UpToDispatch,
    ) -> bool {
        let set = world.power.awake(place, irql, || {
            *look(&self.set) = Arc::downgrade(&slot.0);
            self.timer.set(slot, world.below(world.power.delay(limit)));
        });
        set.is_some()
    }

    /// The device loses its power: cancels the timer, whose job is done when there is power again, or
    /// by whoever comes upon it before.
    pub(crate) fn sleep(&self, world: &Arc<World>, jobs: &Arc<Stash<Job>>, place: u32) {
        let set = look(&self.set).upgrade();
        let job = set.and_then(|set| look(&set).take());
        self.timer.cancel();
        if let Some(job) = job {
            world.did(Act::TimerParked);
            // Dropped when there is nothing more to be done here.
            *look(&self.parked) = leave(world, jobs, place, job).ok();
        }
    }

    /// Sets the timer for what it was set for when the device lost its power.
    pub(crate) fn wake(&self, world: &World, jobs: &Stash<Job>) {
        let number = look(&self.parked).take();
        let job = number.and_then(|number| jobs.take(number));
        if let Some(slot) = job.and_then(|job| Slot::try_new(job).ok()) {
            world.did(Act::TimerAgain);
            *look(&self.set) = Arc::downgrade(&slot.0);
            self.timer.set(&slot, world.below(4));
        }
    }

    pub(crate) fn timer(&self) -> &Timer<Slot> {
        &self.timer
    }

    pub(crate) fn item(&self) -> &WorkItem<Slot> {
        &self.item
    }
}
