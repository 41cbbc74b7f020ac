//! [`PendingControl`]: a request of a program's that is answered later, and may be cancelled meanwhile.
//!
//! Who completes a request is decided by its cancel routine: whoever gets that out of the request, by
//! an exchange. A token does not look at the request without its [`Slot`]'s lock, under which the
//! cancel routine takes the request out before it completes it. So neither finds one that is gone.
//!
//! # Invariants
//!
//! SLOT: a request that has [`cancelled`] as its cancel routine, or of which that routine is being
//! called, has a pointer in its first word that was made of a reference to its slot. Whoever
//! completes the request takes that reference, once.

use super::irp::{Irp, Pended, put};
use crate::{key::key, lock::StateLock};
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use ndis_co::{
    Status,
    armed::{Alarm, Armed},
    irql::{NoLock, Passive, UpToDispatch},
    later::{self, Place},
    mem::{Anchored, Arc, OutOfMemory, Parent, Tag, Vec},
    scope::{Live, Scope},
};
use ndis_sys::{DEVICE_OBJECT, IRP};

/// The program does not want it any more.
pub(super) const CANCELLED: Status = Status::from_raw(ndis_sys::STATUS_CANCELLED);

/// What a device has pended, until it ends.
pub(super) struct Waiting(StateLock<Option<Held>>);

struct Held {
    slots: Vec<Arc<Slot>>,
    /// What a slot keeps.
    live: Live,
}

/// A file as its requests know it: whether it is closed. Changed and looked at under the lock of
/// [`Waiting`].
pub(super) struct OfFile(AtomicBool);

/// The place of one request.
pub(super) struct Slot {
    /// Where it is in the list, whose lock is held by whoever asks.
    at: AtomicUsize,
    pended: StateLock<Option<Pended>>,
    file: Arc<OfFile>,
    waiting: Arc<Waiting>,
    place: Place<Self>,
    /// Keeps the work item that completes it when the token is dropped.
    live: Parent<Live>,
}

impl Anchored for Slot {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

impl Held {
    fn put(&mut self, slot: Arc<Slot>) -> Result<(), OutOfMemory> {
        slot.at.store(self.slots.len(), Ordering::Relaxed);
        self.slots.try_push(slot)
    }

    /// Takes this one out, if it is there.
    fn take(&mut self, slot: &Arc<Slot>) -> Option<Arc<Slot>> {
        let at = slot.at.load(Ordering::Relaxed);
        Arc::ptr_eq(self.slots.get(at)?, slot)
            .then(|| self.take_at(at))
            .flatten()
    }

    /// Takes one out; the last one comes to its place.
    fn take_at(&mut self, at: usize) -> Option<Arc<Slot>> {
        let gone = self.slots.swap_remove(at);
        if let Some(moved) = self.slots.get(at) {
            moved.at.store(at, Ordering::Relaxed);
        }
        gone
    }
}

impl OfFile {
    pub(super) fn try_new() -> Result<Arc<Self>, Status> {
        Ok(Arc::try_new(Self(AtomicBool::new(false)), Tag::NDIS)?)
    }
}

impl Waiting {
    pub(super) fn try_new(live: Live) -> Result<Arc<Self>, Status> {
        let slots = Vec::new(Tag::NDIS);
        let held = Some(Held { slots, live });
        Ok(Arc::try_new(Self(StateLock::new(held)), Tag::NDIS)?)
    }

    fn live(&self) -> Option<Live> {
        self.0.with(|held| Some(held.as_ref()?.live.clone()))
    }

    /// Takes a slot out of the list, if it is there.
    fn forget(&self, slot: &Arc<Slot>) -> Option<Arc<Slot>> {
        self.0.with(|held| held.as_mut()?.take(slot))
    }

    /// The file is closed: nobody waits for its requests any more (rule [DEV-26]).
    ///
    /// [DEV-26]: ndis_sys::rules#DEV-26
    pub(super) fn close(&self, file: &Arc<OfFile>, irql: &mut Passive) {
        let of_file = |slot: &Arc<Slot>| Arc::ptr_eq(&slot.file, file);
        // None of the file's is from here on; what comes to a place meanwhile comes from behind.
        let mut from = usize::MAX;
        let mut next = || {
            self.0.with(|held| {
                file.0.store(true, Ordering::Relaxed);
                let held = held.as_mut()?;
                let before = held.slots.get(..from.min(held.slots.len()))?;
                from = before.iter().rposition(of_file)?;
                held.take_at(from)
            })
        };
        while let Some(slot) = next() {
            Slot::end(slot, Err(CANCELLED), irql.up_to_dispatch());
        }
    }

    /// The device goes.
    pub(super) fn end(&self, status: Status, irql: &mut Passive) {
        let Some(mut held) = self.0.with(Option::take) else {
            return;
        };
        while let Some(slot) = held.slots.pop() {
            Slot::end(slot, Err(status), irql.up_to_dispatch());
        }
    }
}

impl Slot {
    /// A place for a request; none when there is no memory, or the file or the device has gone.
    pub(super) fn try_new(waiting: &Arc<Waiting>, file: &Arc<OfFile>) -> Option<Arc<Self>> {
        let slot = Self {
            at: AtomicUsize::new(0),
            pended: StateLock::new(None),
            file: file.clone(),
            waiting: waiting.clone(),
            place: Place::new(),
            live: Parent::new(waiting.live()?),
        };
        let slot = Arc::try_new_anchored(slot, Tag::NDIS).ok()?;
        let entry = slot.clone();
        let put = waiting.0.with(|held| {
            let held = held.as_mut().filter(|_| !file.0.load(Ordering::Relaxed));
            held.ok_or(CANCELLED).and_then(|held| Ok(held.put(entry)?))
        });
        put.ok().map(|()| slot)
    }

    /// The request is here, and can be cancelled.
    fn arm(this: &Arc<Self>, pended: Pended, irql: &mut UpToDispatch) {
        let context = Arc::into_raw(this.clone());
        let cancelled_before = this.pended.with(|place| {
            pended.arm(context, cancelled);
            let is_cancelled = pended.is_cancelled();
            *place = Some(pended);
            is_cancelled
        });
        // What has come before there was a request to be found: nobody else takes the slot out of the list.
        let has_gone =
            |held: &mut Option<Held>| held.is_none() || this.file.0.load(Ordering::Relaxed);
        if cancelled_before || this.waiting.0.with(has_gone) {
            Self::end(this.clone(), Err(CANCELLED), irql);
        }
    }

    /// Takes the request, if the cancel routine does not have it.
    fn claim(this: &Arc<Self>) -> Option<Pended> {
        let pended = this.pended.with(|place| {
            let own = place.as_ref().is_some_and(Pended::disarm);
            own.then(|| place.take()).flatten()
        })?;
        drop(this.waiting.forget(this));
        Some(pended)
    }

    /// Completes the request, if it is there. The slot is not used afterwards.
    fn end(this: Arc<Self>, result: Result<usize, Status>, irql: &mut UpToDispatch) -> bool {
        match Self::claim(&this) {
            Some(pended) => Self::complete(this, pended, result, irql),
            None => false,
        }
    }

    /// Completes a request that was claimed, as the last thing.
    fn complete(
        this: Arc<Self>,
        pended: Pended,
        result: Result<usize, Status>,
        irql: &mut UpToDispatch,
    ) -> bool {
        let Some(irp) = pended.into_irp() else {
            return false;
        };
        // SAFETY: by SLOT; the request was claimed.
        drop(unsafe { Arc::<Self>::from_raw(irp.context()) });
        drop(this);
        let status = match result {
            Ok(length) => {
                irp.set_information(length);
                Status::SUCCESS
            }
            Err(failure) => {
                irp.set_information(0);
                failure.as_failure()
            }
        };
        irp.complete(status, irql);
        result.is_ok()
    }
}

/// The cancel routine: it has the request that it is called with, whatever the token does.
unsafe extern "system" fn cancelled(_device: *mut DEVICE_OBJECT, irp: *mut IRP) {
    // SAFETY: the request that the I/O manager gives the driver here, which by the exchange is
    // nobody else's.
    let Some(irp) = (unsafe { Irp::of_cancel(irp) }) else {
        return;
    };
    // SAFETY: the I/O manager has taken the lock for this call (rule DEV-27).
    unsafe { ndis_sys::IoReleaseCancelSpinLock(irp.cancel_irql()) };
    // SAFETY: the level is that of who cancels, at most DISPATCH_LEVEL, and no lock is held.
    let mut irql = unsafe { UpToDispatch::assume() };
    // SAFETY: by SLOT.
    if let Some(slot) = unsafe { Arc::<Slot>::from_raw(irp.context()) } {
        slot.pended.with(|place| *place = None);
        drop(slot.waiting.forget(&slot));
    }
    irp.set_information(0);
    irp.complete(CANCELLED, &mut irql);
}

impl later::Work for Slot {
    fn place(&self) -> &Place<Self> {
        &self.place
    }

    fn scope(&self) -> &Scope {
        self.live.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        Self::end(this, Err(Status::FAILURE), irql.up_to_dispatch());
    }
}

/// A token that is dropped.
enum Dropped {}

impl Alarm<Arc<Slot>> for Dropped {
    fn lost(slot: Arc<Slot>) {
        later::leave(&slot, key());
    }
}

/// A request that is answered later, by value: from any thread, at or below DISPATCH_LEVEL.
///
/// The program waits until then, or until it cancels what it has asked. So does the close of its
/// file, which cancels what is pended for it, as the end of the device does. A request that was
/// cancelled is completed without the driver (rules [DEV-26] to [DEV-29]): the token only says so.
/// The token has no input: copy what is needed before the request is pended. Who keeps many tokens drops those
/// that are [cancelled](Self::is_cancelled), or a program that asks and cancels in a loop fills the memory.
/// When the device ends the program gets `STATUS_DEVICE_REMOVED`.
///
/// A token that is dropped refuses the request with `STATUS_UNSUCCESSFUL`, a little later, for a
/// lock may be held. Each keeps its adapter, as the [`Device`](super::Device) does: what is kept
/// elsewhere than in the adapter's context or in the device has to be dropped by the halt.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::NoLock, lock::SpinLock};
/// use ndis_mcm::device::PendingControl;
///
/// /// The telephone rings: whoever waits for that is told by whom.
/// fn ring(waits: &SpinLock<Option<PendingControl>>, line: u32, irql: &mut impl NoLock) {
///     if let Some(request) = waits.take() {
///         let told = request.reply(&line.to_le_bytes(), irql);
///         // Otherwise it was cancelled, or had too little room.
///         let _ = told;
///     }
/// }
/// ```
///
/// Source pages: [`IoMarkIrpPending`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iomarkirppending),
/// [`IoSetCancelRoutine`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcancelroutine),
/// [`DRIVER_CANCEL`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_cancel),
/// [`IoCompleteRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest).
///
/// [DEV-26]: ndis_sys::rules#DEV-26
/// [DEV-29]: ndis_sys::rules#DEV-29
#[must_use = "a request is answered"]
#[doc(alias = "IoMarkIrpPending")]
#[doc(alias = "IoSetCancelRoutine")]
pub struct PendingControl(Armed<Arc<Slot>, Dropped>);

impl PendingControl {
    pub(super) fn begin(slot: Arc<Slot>, pended: Pended, irql: &mut UpToDispatch) -> Self {
        Slot::arm(&slot, pended, irql);
        Self(Armed::new(slot))
    }

    /// Whether the request is over already: cancelled, or its file or its device has gone. It may be at
    /// any moment.
    #[must_use]
    #[doc(alias = "Cancel")]
    pub fn is_cancelled(&self) -> bool {
        self.0.pended.with(|place| place.is_none())
    }

    /// It is done, and there is nothing to be told. Whether the program gets that: not when it has
    /// cancelled the request.
    pub fn done(self, irql: &mut impl NoLock) -> bool {
        Slot::end(self.0.disarm(), Ok(0), irql.up_to_dispatch())
    }

    /// It is done, and this is what the program gets, if it has not cancelled the request. When it has
    /// less room, it gets `STATUS_BUFFER_TOO_SMALL` and no data. Whether it gets the data.
    pub fn reply(self, data: &[u8], irql: &mut impl NoLock) -> bool {
        let slot = self.0.disarm();
        let Some(mut pended) = Slot::claim(&slot) else {
            return false;
        };
        let result = put(pended.data(), data);
        Slot::complete(slot, pended, result, irql.up_to_dispatch())
    }

    /// It is not done. The program gets this status, and no data.
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        Slot::end(self.0.disarm(), Err(status), irql.up_to_dispatch());
    }
}

impl fmt::Debug for PendingControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingControl")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
