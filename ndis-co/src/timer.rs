//! [`Timer`]: code that runs after a while.

use crate::{
    Status,
    deferred::{Deferred, Node},
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    owner::{Live, Owner},
    raw::Token,
};
use core::{ffi::c_void, fmt, ptr};
use ndis_sys::{NDIS_HANDLE, NDIS_TIMER_CHARACTERISTICS};

/// What a [`Timer`] does when its time has come.
pub trait Expire: Sized + Send + Sync + 'static {
    /// Runs at DISPATCH_LEVEL.
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch);
}

/// Runs [`Expire`] once after a delay.
///
/// Setting it again moves the one pending expiry. Dropping it cancels; an
/// expiry that has begun runs to its end, and the owner (the adapter) does
/// not go before it (rules [HALT-10], [DV-15]).
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
    /// The timer is allocated on its owner's handle.
    live: Parent<Live>,
}

impl<T: Expire> Anchored for Inner<T> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

/// `NDIS_TIMER_FUNCTION`.
type Function = unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void);

/// A timer object, for the crate itself. It does nothing on drop.
///
/// # Invariants
///
/// CLOCK: allocated until [`free`](Self::free), after which it is not used.
pub(crate) struct RawTimer(Token);

impl RawTimer {
    /// Allocates one.
    ///
    /// # Safety
    ///
    /// The handle is valid until the timer was freed; `function` expects `context`.
    pub(crate) unsafe fn try_new(
        handle: NDIS_HANDLE,
        function: Function,
        context: *mut c_void,
    ) -> Result<Self, Status> {
        let mut characteristics: NDIS_TIMER_CHARACTERISTICS = ndis_sys::zeroed();
        characteristics.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
            ndis_sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
        );
        characteristics.AllocationTag = Tag::NDIS.raw();
        characteristics.TimerFunction = Some(function);
        characteristics.FunctionContext = context;
        let mut timer: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the handle is valid by the caller; the structures live for the call.
        let status =
            unsafe { ndis_sys::NdisAllocateTimerObject(handle, &mut characteristics, &mut timer) };
        Status::from_raw(status).result()?;
        Ok(Self(Token(timer)))
    }

    /// Sets it, with the context that it was allocated with; whether it was set
    /// already. At or below DISPATCH_LEVEL.
    pub(crate) fn set(&self, milliseconds: u32) -> bool {
        // A negative due time is relative, in units of 100 ns.
        let due = i64::from(milliseconds).saturating_mul(-10_000);
        let due = crate::raw::large_integer(due);
        // SAFETY: by CLOCK; a null context keeps the one given at allocation.
        unsafe { ndis_sys::NdisSetTimerObject(self.0.0, due, 0, ptr::null_mut()) != 0 }
    }

    /// Takes it back; whether it was set. At or below DISPATCH_LEVEL.
    fn cancel(&self) -> bool {
        // SAFETY: by CLOCK.
        unsafe { ndis_sys::NdisCancelTimerObject(self.0.0) != 0 }
    }

    /// Waits until its routine is over, and frees it.
    ///
    /// # Safety
    ///
    /// It is not set, and used no more.
    pub(crate) unsafe fn free(&self, irql: &mut Passive) {
        let _ = irql;
        // The routine may still be queued, or run on another processor, until every
        // processor's queue of DPCs was gone through.
        // SAFETY: PASSIVE_LEVEL, which the proof says.
        unsafe { ndis_sys::KeFlushQueuedDpcs() };
        // SAFETY: by CLOCK and the caller.
        unsafe { ndis_sys::NdisFreeTimerObject(self.0.0) };
    }
}

impl<T: Expire> Timer<T> {
    /// Allocates a timer on `owner`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(owner: &Owner) -> Result<Self, Status> {
        // The context of the timer object is the allocation, so that comes
        // first, without a timer, which comes below before anyone can see it.
        let inner = Inner::<T> {
            node: Node::new(),
            timer: None,
            target: SpinLock::new(None),
            live: Parent::new(owner.enter()),
        };
        let mut inner = Arc::try_new_anchored(inner, Tag::NDIS)?;
        // SAFETY: by OWNER the handle is valid while `inner` is counted there; the
        // context is as TIMER says.
        let timer =
            unsafe { RawTimer::try_new(owner.handle(), expired::<T>, Arc::as_raw(&inner)) }?;
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
    /// At or below DISPATCH_LEVEL; legal under a lock.
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
    /// At or below DISPATCH_LEVEL; legal under a lock.
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

    fn owner(&self) -> &Owner {
        self.live.owner()
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
