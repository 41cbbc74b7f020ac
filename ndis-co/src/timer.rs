//! [`Timer`]: code that runs after a while.

use crate::{
    Status,
    deferred::{Deferred, Node},
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    owner::{Live, Owner},
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
/// not go before it (rules HALT-10, DV-15).
///
/// Source pages: `nf-ndis-ndisallocatetimerobject`,
/// `nf-ndis-ndisfreetimerobject`.
#[doc(alias = "NdisAllocateTimerObject")]
#[doc(alias = "NdisFreeTimerObject")]
pub struct Timer<T: Expire> {
    inner: Arc<Inner<T>>,
}

/// # Invariants
///
/// TIMER: `timer` is an allocated timer object, whose context is this
/// allocation. The [`Timer`] has a reference to it, and when it is dropped the deferred
/// free has one: that waits until the routine is over, and only then lets go. So the
/// context outlives every run of the routine, which needs no reference of its own.
struct Inner<T> {
    /// For the free.
    node: Node<Self>,
    timer: NDIS_HANDLE,
    target: SpinLock<Option<Arc<T>>>,
    /// The timer is allocated on its owner's handle.
    live: Parent<Live>,
}

// SAFETY: the handle is a token for NDIS; the target is behind the lock.
unsafe impl<T: Send + Sync> Send for Inner<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Inner<T> {}
impl<T> Anchored for Inner<T> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

/// `NDIS_TIMER_FUNCTION`.
type Function = unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void);

/// Allocates a timer object; for the crate itself.
///
/// # Safety
///
/// The handle is valid until the timer was freed; `function` expects `context`.
pub(crate) unsafe fn allocate(
    handle: NDIS_HANDLE,
    function: Function,
    context: *mut c_void,
) -> Result<NDIS_HANDLE, Status> {
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
    Status::from_raw(status).result().map(|()| timer)
}

/// Sets a timer object, with the context that it was allocated with; whether it was set
/// already. At or below DISPATCH_LEVEL.
///
/// # Safety
///
/// The timer is allocated.
pub(crate) unsafe fn set(timer: NDIS_HANDLE, milliseconds: u32) -> bool {
    // A negative due time is relative, in units of 100 ns.
    let due = i64::from(milliseconds).saturating_mul(-10_000);
    let due = crate::raw::large_integer(due);
    // SAFETY: by the caller; a null context keeps the one given at allocation.
    unsafe { ndis_sys::NdisSetTimerObject(timer, due, 0, ptr::null_mut()) != 0 }
}

impl<T: Expire> Timer<T> {
    /// Allocates a timer on `owner`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(owner: &Owner) -> Result<Self, Status> {
        // The context of the timer object is the allocation, so that comes
        // first, with a null timer that is set below before anyone can see it.
        let inner = Inner::<T> {
            node: Node::new(),
            timer: ptr::null_mut(),
            target: SpinLock::new(None),
            live: Parent::new(owner.enter()),
        };
        let mut inner = Arc::try_new_anchored(inner, Tag::NDIS)?;
        // SAFETY: by OWNER the handle is valid while `inner` is counted there; the
        // context is as TIMER says.
        let timer = unsafe { allocate(owner.handle(), expired::<T>, Arc::as_raw(&inner)) }?;
        // Nobody else has a reference yet: the timer is not queued.
        if let Some(inner) = Arc::get_mut(&mut inner) {
            inner.timer = timer;
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
    /// Source page: `nf-ndis-ndissettimerobject`.
    #[doc(alias = "NdisSetTimerObject")]
    pub fn set(&self, target: &Arc<T>, milliseconds: u32) {
        let target = Some(target.clone());
        let before = self
            .inner
            .target
            .locked(|slot| core::mem::replace(slot, target));
        drop(before);
        // SAFETY: by TIMER the timer is allocated.
        unsafe { set(self.inner.timer, milliseconds) };
    }

    /// Takes back what was set; `true` if it will not expire any more.
    ///
    /// At or below DISPATCH_LEVEL; legal under a lock.
    ///
    /// Source page: `nf-ndis-ndiscanceltimerobject`.
    #[doc(alias = "NdisCancelTimerObject")]
    pub fn cancel(&self) -> bool {
        // SAFETY: by TIMER the timer is allocated.
        let was_queued = unsafe { ndis_sys::NdisCancelTimerObject(self.inner.timer) } != 0;
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

// SAFETY: the field.
unsafe impl<T: Send + Sync> Deferred for Inner<T> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn owner(&self) -> &Owner {
        self.live.owner()
    }

    /// Frees the timer object of a dropped [`Timer`].
    fn run(this: Arc<Self>, _irql: &mut Passive) {
        // A one-shot timer is never set again once its `Timer` is gone, and was
        // cancelled there; its routine may still be queued, or run on another
        // processor, until every processor's queue of DPCs was gone through.
        // SAFETY: PASSIVE_LEVEL, which the proof says.
        unsafe { ndis_sys::KeFlushQueuedDpcs() };
        // SAFETY: by TIMER this is the one place that frees; the timer is not set,
        // and its routine is over.
        unsafe { ndis_sys::NdisFreeTimerObject(this.timer) };
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
