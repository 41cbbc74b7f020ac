//! [`Timer`]: code that runs after a while.

use crate::{
    Status,
    deferred::{Deferred, Node},
    irql::{Passive, UpToDispatch},
    kernel::RawTimer,
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    scope::{Live, Scope},
};
use core::{ffi::c_void, fmt};

/// What a [`Timer`] does when its time has come.
///
/// ```
/// # use ndis_co::{irql::UpToDispatch, mem::Arc, timer::{Expire, Timer}};
/// # use ndis_host as _;
/// struct Clock {
///     timer: Timer<Self>,
/// }
///
/// impl Expire for Clock {
///     fn expired(this: &Arc<Self>, _irql: &mut UpToDispatch) {
///         // Once more in a second.
///         this.timer.set(this, 1_000);
///     }
/// }
/// ```
pub trait Expire: Sized + Send + Sync + 'static {
    /// Runs at DISPATCH_LEVEL.
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch);
}

/// Runs [`Expire`] once after a delay.
///
/// Setting it again moves the one pending expiry. Dropping it cancels; an
/// expiry that has begun runs to its end, and the scope (the adapter) does
/// not go before it (rules [HALT-10], [DV-15]).
///
/// ```
/// # use ndis_co::{Status, irql::UpToDispatch, mem::{Arc, Tag}, scope::Scope, timer::{Expire, Timer}};
/// # use ndis_host as _;
/// struct Clock {
///     timer: Timer<Self>,
/// }
///
/// impl Expire for Clock {
///     fn expired(this: &Arc<Self>, _irql: &mut UpToDispatch) {
///         // What was waited for has not come.
///         let _ = this;
///     }
/// }
///
/// fn start(scope: &Scope) -> Result<Arc<Clock>, Status> {
///     let clock = Clock { timer: Timer::try_new(scope)? };
///     let clock = Arc::try_new(clock, Tag::new(*b"Tick"))?;
///     clock.timer.set(&clock, 1_000);
///     Ok(clock)
/// }
/// ```
///
/// Source pages: [`NdisAllocateTimerObject`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisallocatetimerobject),
/// [`NdisFreeTimerObject`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisfreetimerobject).
///
/// [DV-15]: ndis_sys::rules#DV-15
/// [HALT-10]: ndis_sys::rules#HALT-10
#[doc(alias = "NdisAllocateTimerObject")]
#[doc(alias = "NdisFreeTimerObject")]
pub struct Timer<T: Expire> {
    inner: Arc<Inner<T>>,
}

/// # Invariants
///
/// TIMER: the context of `timer` is this allocation. The [`Timer`] has a reference to it, and when it is dropped the deferred
/// free has one: that waits until the routine is over, and only then lets go. So the
/// context outlives every run of the routine, which needs no reference of its own.
struct Inner<T: Expire> {
    /// For the free.
    node: Node<Self>,
    timer: Option<RawTimer>,
    target: SpinLock<Option<Arc<T>>>,
    /// The timer is allocated on its scope's handle.
    live: Parent<Live>,
}

impl<T: Expire> Anchored for Inner<T> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

impl<T: Expire> Timer<T> {
    /// Allocates a timer on `scope`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(scope: &Scope) -> Result<Self, Status> {
        // The context of the timer object is the allocation, so that comes
        // first, without a timer, which comes below before anyone can see it.
        let inner = Inner::<T> {
            node: Node::new(),
            timer: None,
            target: SpinLock::new(None),
            live: Parent::new(scope.enter()),
        };
        let mut inner = Arc::try_new_anchored(inner, Tag::NDIS)?;
        // SAFETY: by SCOPE the handle is valid while `inner` is counted there; the
        // context is as TIMER says.
        let timer =
            unsafe { RawTimer::try_new(scope.handle(), expired::<T>, Arc::as_raw(&inner)) }?;
        // Nobody else has a reference yet: the timer is not queued.
        if let Some(inner) = Arc::get_mut(&mut inner) {
            inner.timer = Some(timer);
        }
        Ok(Self { inner })
    }

    /// Lets `target` expire in `milliseconds`, replacing what was set before.
    ///
    /// An expiry that begins on another processor at this very moment may take
    /// the new target along, at once.
    ///
    /// At or below DISPATCH_LEVEL; legal under a lock. The reference to the target before is
    /// dropped here: when that may be the last one, the target's destructor must not take the lock.
    ///
    /// Source page: [`NdisSetTimerObject`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissettimerobject).
    #[doc(alias = "NdisSetTimerObject")]
    pub fn set(&self, target: &Arc<T>, milliseconds: u32) {
        let target = Some(target.clone());
        let before = self
            .inner
            .target
            .locked(|slot| core::mem::replace(slot, target));
        drop(before);
        if let Some(timer) = &self.inner.timer {
            timer.set(milliseconds);
        }
    }

    /// Takes back what was set; `true` if it will not expire any more.
    ///
    /// At or below DISPATCH_LEVEL; legal under a lock. The reference to the target is dropped here,
    /// as [`set`](Self::set) says.
    ///
    /// Source page: [`NdisCancelTimerObject`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscanceltimerobject).
    #[doc(alias = "NdisCancelTimerObject")]
    pub fn cancel(&self) -> bool {
        let timer = self.inner.timer.as_ref();
        let was_queued = timer.is_some_and(RawTimer::cancel);
        if was_queued {
            drop(self.inner.target.locked(Option::take));
        }
        was_queued
    }
}

impl<T: Expire> Drop for Timer<T> {
    fn drop(&mut self) {
        self.cancel();
        // The timer object may be freed only when its routine is surely over,
        // which is found out at PASSIVE_LEVEL.
        Inner::defer(&self.inner);
    }
}

impl<T: Expire> Deferred for Inner<T> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.live.scope()
    }

    /// Frees the timer object of a dropped [`Timer`].
    fn run(this: Arc<Self>, irql: &mut Passive) {
        if let Some(timer) = &this.timer {
            // SAFETY: by TIMER this is the one place that frees. A one-shot timer is never
            // set again once its `Timer` is gone, and was cancelled there.
            unsafe { timer.free(irql) };
        }
    }
}

/// The timer's routine.
unsafe extern "system" fn expired<T: Expire>(
    _specific1: *mut c_void,
    context: *mut c_void,
    _specific2: *mut c_void,
    _specific3: *mut c_void,
) {
    // SAFETY: by TIMER the context outlives this run, and the deferred free
    // owns a reference to it until then.
    let Some(inner) = (unsafe { Arc::<Inner<T>>::borrow_raw(context) }) else {
        return;
    };
    if let Some(target) = inner.target.locked(Option::take) {
        // SAFETY: timer routines run at DISPATCH_LEVEL with no lock held.
        let mut irql = unsafe { UpToDispatch::assume() };
        T::expired(&target, &mut irql);
    }
}

impl<T: Expire> fmt::Debug for Timer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}
