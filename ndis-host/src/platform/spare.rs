//! A crew of threads, and those of them that were left in the middle of a routine.
//!
//! `PsTerminateSystemThread` does not return, and what lies below it on the
//! stack is the driver's code, which cannot be unwound. So the thread stays
//! where it is, and runs from there what another thread would be started for.

use super::crew::Crew;
use super::{Job, Join, Lock, Park, platform};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A thread that waits for a job.
struct Spare {
    parker: Arc<dyn Park>,
    job: Lock<Option<Job>>,
}

/// The threads that wait.
static WAITING: Lock<Vec<Arc<Spare>>> = Lock::new(Vec::new());
/// How many routines were left on each thread that has left one.
static LEFT: Lock<BTreeMap<u64, u32>> = Lock::new(BTreeMap::new());
/// So many routines may lie on one stack. A thread with more of them only waits.
const DEPTH: u32 = 16;

/// A job that a spare thread does.
struct Errand(Arc<dyn Park>);

impl Join for Errand {
    fn join(self: Box<Self>) {
        self.0.park();
    }
}

/// A crew of threads.
pub(super) struct Threads;

impl Crew for Threads {
    fn start(self: Arc<Self>, job: Job) -> Box<dyn Join> {
        spawn(job)
    }

    fn stay(self: Arc<Self>) -> ! {
        drop(self);
        stay()
    }

    fn dismiss(&self) {}
}

/// Starts a thread, or has a spare one do the job.
fn spawn(job: Job) -> Box<dyn Join> {
    let Some(spare) = WAITING.lock().pop() else {
        return platform().spawn(job);
    };
    let done = platform().parker();
    let signal = done.clone();
    *spare.job.lock() = Some(Box::new(move || {
        job();
        signal.unpark();
    }));
    spare.parker.unpark();
    Box::new(Errand(done))
}

/// The calling thread never goes back to what it was doing.
fn stay() -> ! {
    let depth = {
        let mut left = LEFT.lock();
        let depth = left.entry(platform().thread_id()).or_insert(0);
        *depth += 1;
        *depth
    };
    let own = Arc::new(Spare {
        parker: platform().parker(),
        job: Lock::new(None),
    });
    loop {
        if depth < DEPTH {
            WAITING.lock().push(own.clone());
        }
        let job = loop {
            // In a statement of its own, so that the lock is open while this waits.
            let job = own.job.lock().take();
            match job {
                Some(job) => break job,
                None => own.parker.park(),
            }
        };
        job();
    }
}
