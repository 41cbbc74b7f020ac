//! The few things that the host needs from the world below it.
//!
//! The scheduler gives every piece of driver code a thread of its own and lets
//! exactly one of them run. That takes: a way to start a thread, a name for the
//! thread that is running, a way to park and wake one, and a lock for the short
//! moments in which the host's own tables change. With the feature `std` (the
//! default) the standard library provides them, and in the place of most threads
//! are strands, which are stacks within one thread (`crew.rs`); an `ndis.sys` image
//! installs system threads and kernel events instead. Nothing else in this crate
//! knows the difference.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

/// A job for a thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// What the host asks of the system that it runs on.
pub trait Platform: Sync {
    /// Starts a thread. Joining the returned handle waits for it; dropping the
    /// handle leaves it to itself.
    fn spawn(&self, job: Job) -> Box<dyn Join>;
    /// A number that names the calling thread for as long as it lives.
    fn thread_id(&self) -> u64;
    /// A new parking place.
    fn parker(&self) -> Arc<dyn Park>;
    /// Runs `job`; a panic in it comes back as its message, where panics unwind.
    fn catch(&self, job: Job) -> Result<(), String>;
}

/// A started thread.
pub trait Join: Send {
    /// Waits for the end of the thread.
    fn join(self: Box<Self>);
}

/// A place where one thread waits for a token that another one leaves.
pub trait Park: Send + Sync {
    /// Waits for the token and takes it.
    fn park(&self);
    /// As [`park`](Park::park), for `milliseconds` at most; false when none came.
    fn park_for(&self, milliseconds: u32) -> bool;
    /// Leaves the token; a second one before it is taken adds nothing.
    fn unpark(&self);
}

pub(crate) mod crew;
#[cfg(all(
    feature = "std",
    not(all(
        not(miri),
        any(
            target_arch = "x86_64",
            target_arch = "x86",
            all(target_arch = "aarch64", not(windows))
        )
    ))
))]
mod no_strand;
mod spare;
#[cfg(all(
    feature = "std",
    not(miri),
    any(
        target_arch = "x86_64",
        target_arch = "x86",
        all(target_arch = "aarch64", not(windows))
    )
))]
mod strand;
#[cfg(all(
    feature = "std",
    not(all(
        not(miri),
        any(
            target_arch = "x86_64",
            target_arch = "x86",
            all(target_arch = "aarch64", not(windows))
        )
    ))
))]
use no_strand as strand;

/// The crew of a new host: `threads` has each be a thread of the system's.
pub(crate) fn crew(threads: bool) -> Arc<dyn crew::Crew> {
    #[cfg(feature = "std")]
    if !threads && let Some(strands) = strand::crew() {
        return strands;
    }
    let _ = threads;
    Arc::new(spare::Threads)
}

#[cfg(feature = "std")]
pub(crate) use self::with_std::announce_panics;
#[cfg(feature = "std")]
pub use self::with_std::{Lock, Std};

#[cfg(feature = "std")]
pub(crate) fn platform() -> &'static dyn Platform {
    &Std
}

#[cfg(not(feature = "std"))]
pub(crate) use self::without_std::platform;
#[cfg(not(feature = "std"))]
pub use self::without_std::{Lock, install};
#[cfg(not(feature = "std"))]
pub use crate::sched::fault;

#[cfg(feature = "std")]
mod with_std {
    use super::{Job, Join, Park, Platform};
    use alloc::boxed::Box;
    use alloc::string::{String, ToString};
    use alloc::sync::Arc;
    use core::sync::atomic::{AtomicU64, Ordering};
    use core::time::Duration;
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    /// The standard library as platform.
    pub struct Std;

    static NEXT: AtomicU64 = AtomicU64::new(1);
    std::thread_local! {
        static ID: u64 = new_id();
    }

    /// The number of a thread, or of what runs as one.
    pub(super) fn new_id() -> u64 {
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Has the panic of a task say how its run is had again. What the controlling thread
    /// says of it afterwards never comes when the panic cannot unwind: out of a driver's
    /// handler. `seed` is that of the run that the calling thread is a task of.
    pub(crate) fn announce_panics(seed: fn() -> Option<u64>) {
        static ONCE: std::sync::Once = std::sync::Once::new();
        if std::thread::panicking() {
            return;
        }
        ONCE.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                before(info);
                if let Some(seed) = seed() {
                    std::eprintln!("ndis-host: the panic is in a run with seed {seed}");
                }
            }));
        });
    }

    impl Platform for Std {
        fn spawn(&self, job: Job) -> Box<dyn Join> {
            let thread = std::thread::Builder::new()
                .name("ndis-host".to_string())
                .spawn(job)
                .expect("ndis-host: the system refuses to start a thread");
            Box::new(thread)
        }

        fn thread_id(&self) -> u64 {
            if let Some(id) = super::strand::id() {
                return id;
            }
            // A thread whose locals are gone is on its way out; it gets a
            // number that nobody else has.
            ID.try_with(|id| *id).unwrap_or_else(|_| new_id())
        }

        fn parker(&self) -> Arc<dyn Park> {
            Arc::new(Token::default())
        }

        fn catch(&self, job: Job) -> Result<(), String> {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).map_err(|payload| {
                payload
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| payload.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "a panic without a message".to_string())
            })
        }
    }

    impl Join for std::thread::JoinHandle<()> {
        fn join(self: Box<Self>) {
            // The job catches its own panics.
            let _ = std::thread::JoinHandle::join(*self);
        }
    }

    #[derive(Default)]
    struct Token {
        place: Mutex<Place>,
        signal: Condvar,
    }

    #[derive(Default)]
    struct Place {
        left: bool,
        /// A thread waits. To signal without one costs a call of the system all the same.
        thread: bool,
        strand: Option<super::strand::Sleeper>,
    }

    impl Token {
        fn place(&self) -> MutexGuard<'_, Place> {
            self.place.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Park for Token {
        fn park(&self) {
            let mut place = self.place();
            while !place.left
                && let Some(strand) = super::strand::Sleeper::here()
            {
                place.strand = Some(strand);
                drop(place);
                super::strand::suspend();
                place = self.place();
            }
            place.thread = true;
            while !place.left {
                place = self
                    .signal
                    .wait(place)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            place.thread = false;
            place.left = false;
        }

        fn park_for(&self, milliseconds: u32) -> bool {
            let mut place = self.place();
            place.thread = true;
            let time = Duration::from_millis(milliseconds.into());
            let (mut place, _) = self
                .signal
                .wait_timeout_while(place, time, |place| !place.left)
                .unwrap_or_else(PoisonError::into_inner);
            place.thread = false;
            core::mem::replace(&mut place.left, false)
        }

        fn unpark(&self) {
            let mut place = self.place();
            place.left = true;
            if place.thread {
                self.signal.notify_one();
            }
            if let Some(strand) = place.strand.take() {
                drop(place);
                strand.wake();
            }
        }
    }

    /// Mutual exclusion over a value.
    #[derive(Default)]
    pub struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        /// A lock around `value`.
        pub const fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        /// Waits for the lock.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(not(feature = "std"))]
mod without_std {
    use super::Platform;
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};
    use core::sync::atomic::{AtomicBool, Ordering};

    static INSTALLED: Lock<Option<&'static dyn Platform>> = Lock::new(None);

    /// Names the platform; call it once, before the first host is built.
    pub fn install(platform: &'static dyn Platform) {
        *INSTALLED.lock() = Some(platform);
    }

    pub(crate) fn platform() -> &'static dyn Platform {
        INSTALLED
            .lock()
            .expect("ndis-host: no platform is installed")
    }

    /// So many looks at a lock, a millisecond apart, say that it will not be opened: others hold it for moments.
    const LOOKS: u32 = 500;

    /// Mutual exclusion over a value. The host holds one for a few table
    /// accesses only and never parks meanwhile, so that spinning is enough.
    #[derive(Default)]
    pub struct Lock<T> {
        taken: AtomicBool,
        value: UnsafeCell<T>,
    }

    // SAFETY: `lock` hands out the value to one thread at a time, so sharing the
    // lock moves at most the value (`T: Send`) between threads.
    unsafe impl<T: Send> Sync for Lock<T> {}

    /// The right to the value of a [`Lock`].
    pub struct Guard<'a, T>(&'a Lock<T>);

    impl<T> Lock<T> {
        /// A lock around `value`.
        pub const fn new(value: T) -> Self {
            Self {
                taken: AtomicBool::new(false),
                value: UnsafeCell::new(value),
            }
        }

        /// Sees to it that the lock can be had, for a thread that will never go back to where it
        /// may hold it: that is what a lock is taken for that nobody opens for long.
        pub(crate) fn open(&self, wait: impl Fn() -> bool) {
            for _ in 0..LOOKS {
                if !self.taken.load(Ordering::Acquire) {
                    return;
                }
                wait();
            }
            self.taken.store(false, Ordering::Release);
        }

        /// Waits for the lock.
        pub fn lock(&self) -> Guard<'_, T> {
            while self.taken.swap(true, Ordering::Acquire) {
                core::hint::spin_loop();
            }
            Guard(self)
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: a guard exists only while `taken` is set by its maker, so
            // no other reference to the value is alive.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: as in `deref`; the guard itself is borrowed exclusively.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            self.0.taken.store(false, Ordering::Release);
        }
    }
}
