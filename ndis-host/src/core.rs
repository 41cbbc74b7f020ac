//! One host as its tasks see it, and the way from a thread to its host.

use crate::handle::host_of;
use crate::platform::crew::Crew;
use crate::platform::{Lock, Park, crew, platform};
use crate::sched::TaskId;
use crate::state::{Settings, State};
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Core {
    pub(crate) id: u32,
    #[cfg(feature = "std")]
    seed: u64,
    pub(crate) state: Lock<State>,
    /// The thread that built the host: what it calls outside of any task is
    /// meant for this host.
    home: u64,
    /// Where the controlling thread waits.
    pub(crate) controller: Arc<dyn Park>,
    /// How long, in real milliseconds, a stuck run waits for a foreign thread.
    pub(crate) patience: u32,
    /// How long, in real milliseconds, a task may keep the baton.
    pub(crate) watchdog: u32,
    last_words: Option<fn(&str)>,
    pub(crate) crew: Arc<dyn Crew>,
    /// Its handles lead nowhere any more.
    #[cfg(feature = "std")]
    gone: core::sync::atomic::AtomicBool,
}

type Current = (Weak<Core>, TaskId);

/// Which thread runs which task of which host.
static CURRENT: Lock<BTreeMap<u64, Current>> = Lock::new(BTreeMap::new());
/// The hosts of this process.
static LIVE: Lock<Vec<Weak<Core>>> = Lock::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(1);

#[cfg(feature = "std")]
std::thread_local! {
    /// What was last found for the calling thread, or for one of the strands on it: the same one
    /// asks many times in a row.
    static LAST: core::cell::RefCell<Option<(u64, Current)>> =
        const { core::cell::RefCell::new(None) };
}

pub(crate) fn set_current(current: Option<Current>) {
    let thread = platform().thread_id();
    #[cfg(feature = "std")]
    let _ = LAST.try_with(|last| last.replace(current.clone().map(|current| (thread, current))));
    let mut all = CURRENT.lock();
    match current {
        Some(current) => {
            all.insert(thread, current);
        }
        None => {
            all.remove(&thread);
        }
    }
}

/// The task that the calling thread runs, if it is one of a living host.
pub(crate) fn current() -> Option<(Arc<Core>, TaskId)> {
    let thread = platform().thread_id();
    #[cfg(feature = "std")]
    if let Ok(Some((core, task))) = LAST.try_with(|last| {
        let last = last.borrow();
        let (_, (core, task)) = last.as_ref().filter(|(of, _)| *of == thread)?;
        Some((core.upgrade()?, *task))
    }) && !core.gone.load(Ordering::Relaxed)
    {
        return Some((core, task));
    }
    let all = CURRENT.lock();
    let current = all.get(&thread)?;
    let found = (current.0.upgrade()?, current.1);
    #[cfg(feature = "std")]
    let _ = LAST.try_with(|last| last.replace(Some((thread, current.clone()))));
    Some(found)
}

/// The seed of the run that the calling thread is a task of.
#[cfg(feature = "std")]
pub(crate) fn current_seed() -> Option<u64> {
    current().map(|(core, _)| core.seed)
}

/// The host that a thread of no host means: the one that made the handle, the
/// one that this thread built last, or the only one there is.
pub(crate) fn find(call: &'static str, handles: &[usize]) -> Arc<Core> {
    let live: Vec<Arc<Core>> = LIVE.lock().iter().filter_map(Weak::upgrade).collect();
    for raw in handles {
        if let Some(id) = host_of(*raw)
            && let Some(core) = live.iter().find(|core| core.id == id)
        {
            return core.clone();
        }
    }
    let me = platform().thread_id();
    if let Some(core) = live.iter().rev().find(|core| core.home == me) {
        return core.clone();
    }
    match live.as_slice() {
        [only] => only.clone(),
        [] => panic!("{call} was called, and there is no ndis-host in this process"),
        _ => panic!(
            "{call} was called by a thread that belongs to no host while several exist, \
             and none of its arguments says which one is meant"
        ),
    }
}

impl Core {
    pub(crate) fn new(settings: &Settings) -> Arc<Self> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed) % crate::handle::HOSTS;
        let core = Arc::new(Self {
            id,
            #[cfg(feature = "std")]
            seed: settings.seed,
            state: Lock::new(State::new(id, settings)),
            home: platform().thread_id(),
            controller: platform().parker(),
            patience: settings.patience,
            watchdog: settings.watchdog,
            last_words: settings.last_words,
            crew: crew(settings.threads),
            #[cfg(feature = "std")]
            gone: core::sync::atomic::AtomicBool::new(false),
        });
        let mut live = LIVE.lock();
        live.retain(|host| host.strong_count() > 0);
        live.push(Arc::downgrade(&core));
        core
    }

    /// The run cannot go on. Call it with no lock held.
    ///
    /// # Panics
    ///
    /// Always.
    pub(crate) fn fail(&self, reason: &str) -> ! {
        if let Some(last_words) = self.last_words {
            last_words(reason);
        }
        panic!("{reason}");
    }

    /// The host is going: its handles lead nowhere from now on.
    pub(crate) fn retire(&self) {
        #[cfg(feature = "std")]
        self.gone.store(true, Ordering::Relaxed);
        LIVE.lock()
            .retain(|host| host.upgrade().is_some_and(|core| core.id != self.id));
        CURRENT
            .lock()
            .retain(|_, (core, _)| core.upgrade().is_some_and(|core| core.id != self.id));
    }
}
