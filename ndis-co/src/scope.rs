//! [`Scope`]: the adapter or binding that kernel resources hang on, and the
//! place where work goes that cannot be done on the spot.
//!
//! Pools, timers and work items are allocated on an NDIS handle and must be
//! gone before that handle is (rules [HALT-05], [DV-15], [DV-17], [DV-20]). So each of
//! them counts in its scope, and the scope's teardown waits until the count
//! is zero.
//!
//! Drivers only ever borrow a [`Scope`]. What counts in it is a [`Live`],
//! which is a field of the resource or object that it stands for, and which
//! the layer above gets from the [`Teardown`], the one value that ends it all.
//!
//! What objects leave to be done (`Deferred`) is done by the
//! scope's work item, at PASSIVE_LEVEL with no lock held. No code of the driver that may
//! wait runs on that work item: it would hold up the very ends that it waits for. Nor
//! does it wait itself, for its thread is all drivers' (rule [KE-52]): what is to be done a
//! little later, because somebody has just refused it, is brought back by a timer.
//!
//! [DV-15]: ndis_sys::rules#DV-15
//! [DV-17]: ndis_sys::rules#DV-17
//! [DV-20]: ndis_sys::rules#DV-20
//! [HALT-05]: ndis_sys::rules#HALT-05
//! [KE-52]: ndis_sys::rules#KE-52

use crate::{
    Status,
    backlog::{Backlog, List, Next, Queued},
    delay::delay,
    event::Event,
    irql::Passive,
    kernel::{Base, Bound, RawTimer, RawWorkItem, Routine},
    key::Key,
    lock::SpinLock,
    mem::{Arc, Tag},
    raw::Token,
};
use core::{
    ffi::c_void,
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE};

/// The adapter or binding on whose handle resources are allocated.
///
/// It is lent by the layer above: to an MCM during initialization, to a client
/// with its binding.
///
/// ```
/// # use ndis_co::{Status, mem::{Arc, Tag}, nbl::NetBufferListPool, scope::Scope, irql::{Passive, UpToDispatch}};
/// # use ndis_co::{timer::{Expire, Timer}, work::{Work, WorkItem}};
/// # use ndis_host as _;
/// struct Line {
///     pool: NetBufferListPool,
///     clock: Timer<Self>,
///     later: WorkItem<Self>,
/// }
/// # impl Expire for Line { fn expired(_: &Arc<Self>, _: &mut UpToDispatch) {} }
/// # impl Work for Line { fn run(_: &Arc<Self>, _: &mut Passive) {} }
///
/// /// With the scope of an adapter or a binding, which goes after all of this.
/// fn line(scope: &Scope) -> Result<Line, Status> {
///     Ok(Line {
///         pool: NetBufferListPool::for_sends(scope, Tag::new(*b"Line"))?,
///         clock: Timer::try_new(scope)?,
///         later: WorkItem::try_new(scope)?,
///     })
/// }
/// ```
pub struct Scope {
    inner: Arc<Inner>,
}

/// The end of a [`Scope`], in the hands of the layer that has its handle.
///
/// # Invariants
///
/// SCOPE: what `base` names is valid until [`close`](Self::close) or
/// `finish` has returned, and that returns when every [`Live`] is
/// gone, the work item is idle, and no other reference to `Inner` is left. So whoever
/// holds a `Live`, or borrows a `Scope`, may use the handle.
#[derive(Debug)]
pub struct Teardown(Scope);

struct Inner {
    /// What the resources are allocated on.
    base: Base,
    /// Resources and pieces of work alive, plus one for the teardown itself.
    live: AtomicUsize,
    idle: Event,
    /// What runs when all is gone, where nobody waits for that.
    end: SpinLock<Option<Bound>>,
    backlog: SpinLock<Backlog>,
    /// The timer that ends a pause, until the scope is closed. Its context is this
    /// allocation, of which it has a reference while it is set.
    clock: Option<RawTimer>,
}

/// One resource's entry in its scope's count: the scope's teardown waits
/// until it is dropped.
///
/// An object keeps it in a [`Parent`](crate::mem::Parent), so that it is
/// dropped after the object's memory was freed: the driver may be unloaded
/// from then on.
#[derive(Debug)]
pub struct Live(Scope);

impl Clone for Live {
    fn clone(&self) -> Self {
        self.0.enter()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Live {
    /// What the resource is allocated on.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.0
    }
}

impl Teardown {
    /// Makes the scope for an adapter.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    ///
    /// # Safety
    ///
    /// `handle` is an adapter handle that stays valid until
    /// [`close`](Self::close) has returned, which is called exactly once before
    /// the handle dies.
    pub unsafe fn open(handle: NDIS_HANDLE) -> Result<Self, Status> {
        // SAFETY: by the caller.
        unsafe { Self::on(Base::Adapter(Token(handle))) }
    }

    /// Makes the scope for a binding. What a protocol driver allocates is on the
    /// handle of its registration, never on that of a binding (rules [NBL-61],
    /// [DV-37]).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    ///
    /// # Safety
    ///
    /// `protocol` is the handle of the protocol driver's registration, and `object`
    /// its driver object; both stay valid until [`close`](Self::close) has returned,
    /// which is called exactly once before.
    ///
    /// [DV-37]: ndis_sys::rules#DV-37
    /// [NBL-61]: ndis_sys::rules#NBL-61
    pub unsafe fn open_for_protocol(
        protocol: NDIS_HANDLE,
        object: *mut DRIVER_OBJECT,
    ) -> Result<Self, Status> {
        let base = Base::Protocol {
            handle: Token(protocol),
            object: Token(object),
        };
        // SAFETY: by the caller.
        unsafe { Self::on(base) }
    }

    /// # Safety
    ///
    /// As the functions above.
    unsafe fn on(base: Base) -> Result<Self, Status> {
        let idle = Event::try_new(Tag::NDIS)?;
        let mut backlog = Backlog::new();
        // SAFETY: the caller vouches for the handle, and closes the scope, which
        // frees the work item, before it dies.
        backlog.item = Some(unsafe { RawWorkItem::try_new(base) }?);
        let inner = Inner {
            base,
            live: AtomicUsize::new(1),
            idle,
            end: SpinLock::new(None),
            backlog: SpinLock::new(backlog),
            clock: None,
        };
        let mut inner = Arc::try_new(inner, Tag::NDIS)?;
        let context = Arc::as_raw(&inner);
        // SAFETY: the handle is valid by the caller, and the timer is freed before it
        // dies. The routine gets the reference that it expects whenever it is set.
        let clock = unsafe { RawTimer::try_new(base.handle(), expired, context) }?;
        // Nobody else has a reference yet.
        if let Some(inner) = Arc::get_mut(&mut inner) {
            inner.clock = Some(clock);
        }
        Ok(Self(Scope { inner }))
    }

    /// What drivers may borrow.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.0
    }

    /// Counts one more resource.
    #[must_use]
    pub fn enter(&self) -> Live {
        self.0.enter()
    }

    /// Waits until every resource is freed and all deferred work is done.
    ///
    /// # Safety
    ///
    /// Called once; nothing is allocated on this scope afterwards.
    pub unsafe fn close(&self, irql: &mut Passive) {
        self.0.leave();
        self.0.inner.idle.wait(irql);
        // SAFETY: all is gone, and by the caller this comes once.
        unsafe { self.finish(irql) };
    }

    /// As [`close`](Self::close), without waiting: `R` runs on `item` when every resource
    /// is freed and all deferred work done, and calls `finish`. At or
    /// below DISPATCH_LEVEL.
    ///
    /// # Safety
    ///
    /// Called once, instead of `close`, and nothing is allocated on this scope
    /// afterwards.
    pub(crate) unsafe fn close_later<R: Routine>(&self, item: RawWorkItem, object: Arc<R>) {
        let end = item.bind(object);
        self.0.inner.end.locked(|slot| *slot = Some(end));
        self.0.leave();
    }

    /// The rest of the end.
    ///
    /// # Safety
    ///
    /// Called once, when the scope is idle.
    pub(crate) unsafe fn finish(&self, irql: &mut Passive) {
        let inner = &self.0.inner;
        // Whoever left last, and the routines of the work item and the timer.
        Arc::wait_for_others(inner, 1, irql);
        if let Some(clock) = &inner.clock {
            // SAFETY: not set, for it has no reference, nor will it be; once, as this.
            unsafe { clock.free(irql) };
        }
        // Neither queued nor running, so it is here.
        drop(inner.backlog.locked(|backlog| backlog.item.take()));
    }
}

impl Scope {
    /// Counts one more resource.
    #[must_use]
    pub(crate) fn enter(&self) -> Live {
        self.inner.live.fetch_add(1, Ordering::Relaxed);
        Live(Self {
            inner: self.inner.clone(),
        })
    }

    #[inline]
    fn leave(&self) {
        if self.inner.live.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        match self.inner.end.locked(Option::take) {
            Some(end) => end.queue(),
            None => self.inner.idle.set(),
        }
    }

    /// The handle that pools and timers are allocated on.
    #[must_use]
    pub fn handle(&self) -> NDIS_HANDLE {
        self.inner.base.handle()
    }

    /// The device is about to lose its power: the scope sets no timer of its own until
    /// [`wake`](Self::wake). At or below DISPATCH_LEVEL.
    #[doc(hidden)]
    pub fn sleep(&self, _: Key) {
        Inner::sleep(&self.inner);
    }

    /// The device has power again.
    #[doc(hidden)]
    pub fn wake(&self, _: Key) {
        self.inner.backlog.locked(|backlog| backlog.asleep = false);
    }

    /// What work items are allocated on.
    pub(crate) fn base(&self) -> Base {
        self.inner.base
    }

    /// Has the work of the link's object done.
    pub(crate) fn defer(&self, link: Queued) {
        self.queue(link, |backlog| &mut backlog.due);
    }

    /// As [`defer`](Self::defer), a little later.
    pub(crate) fn defer_later(&self, link: Queued) {
        self.queue(link, |backlog| &mut backlog.later);
    }

    fn queue(&self, link: Queued, list: fn(&mut Backlog) -> &mut List) {
        self.inner.live.fetch_add(1, Ordering::Relaxed);
        let start = self.inner.backlog.locked(|backlog| {
            list(backlog).push(link);
            // What waits for a timer that is set needs nothing else.
            let idle = backlog.ticking && backlog.due.is_empty();
            let start = !idle && !core::mem::replace(&mut backlog.scheduled, true);
            start.then(|| backlog.item.take())
        });
        Inner::start(&self.inner, start.flatten());
    }
}

impl Inner {
    /// Queues the work item, if it was not queued (`scheduled` was clear).
    fn start(this: &Arc<Self>, item: Option<RawWorkItem>) {
        if let Some(item) = item {
            item.bind(this.clone()).queue();
        }
    }

    /// Sets the timer, which is not set (`ticking` was clear); without power it is as if it
    /// had expired.
    fn tick(this: &Arc<Self>, milliseconds: u32) {
        let reference = Arc::into_raw(this.clone());
        // Under the lock: `sleep` must not find it not set yet.
        let (kept, start) = this.backlog.locked(|backlog| {
            if backlog.asleep {
                return (false, backlog.expired().then(|| backlog.item.take()));
            }
            let clock = this.clock.as_ref();
            (clock.is_some_and(|clock| !clock.set(milliseconds)), None)
        });
        if !kept {
            // SAFETY: it was set already, with a reference of its own, or is not set.
            drop(unsafe { Arc::<Self>::from_raw(reference) });
        }
        Self::start(this, start.flatten());
    }

    /// No timer is set from here on (rule [OID-63]).
    ///
    /// [OID-63]: ndis_sys::rules#OID-63
    fn sleep(this: &Arc<Self>) {
        let (cancelled, start) = this.backlog.locked(|backlog| {
            backlog.asleep = true;
            let cancelled = this.clock.as_ref().is_some_and(RawTimer::cancel);
            let start = cancelled && backlog.expired();
            (cancelled, start.then(|| backlog.item.take()))
        });
        if cancelled {
            // SAFETY: the reference that `tick` made, for a routine that will not run.
            drop(unsafe { Arc::<Self>::from_raw(Arc::as_raw(this)) });
        }
        Self::start(this, start.flatten());
    }
}

/// The timer's routine: what was to be done later is due.
unsafe extern "system" fn expired(
    _specific1: *mut c_void,
    context: *mut c_void,
    _specific2: *mut c_void,
    _specific3: *mut c_void,
) {
    // SAFETY: the context is the reference that `tick` made for this run.
    let Some(inner) = (unsafe { Arc::<Inner>::from_raw(context) }) else {
        return;
    };
    let start = inner
        .backlog
        .locked(|backlog| backlog.expired().then(|| backlog.item.take()));
    Inner::start(&inner, start.flatten());
}

impl Routine for Inner {
    fn run(inner: Arc<Self>, item: RawWorkItem, irql: &mut Passive) {
        let scope = Scope { inner };
        // It is taken out again when it was not `scheduled`, which it is for the time of
        // this run.
        let mut next = scope.inner.backlog.locked(|backlog| {
            // There is none.
            core::mem::forget(backlog.item.replace(item));
            backlog.next()
        });
        loop {
            match next {
                Next::Run(job) => job.run(irql),
                Next::Wait(milliseconds) => {
                    delay(milliseconds.saturating_mul(1_000), irql);
                    next = scope.inner.backlog.locked(|backlog| {
                        backlog.waited();
                        backlog.next()
                    });
                    continue;
                }
                Next::Pause(milliseconds) => {
                    Inner::tick(&scope.inner, milliseconds);
                    break;
                }
                Next::End => break,
            }
            scope.leave();
            next = scope.inner.backlog.locked(Backlog::next);
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("live", &self.inner.live)
            .finish_non_exhaustive()
    }
}
