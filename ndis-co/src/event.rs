//! [`Event`]: one thread waits for what another one does.

use crate::{
    irql::AtPassive,
    mem::{Box, OutOfMemory, Tag},
};
use core::{cell::UnsafeCell, fmt};

/// A notification event in resident memory.
///
/// Once set it lets every waiter pass until it is reset.
///
/// ```
/// # use ndis_co::{event::Event, irql::Passive, mem::{OutOfMemory, Tag}};
/// # use ndis_host as _;
/// struct Done(Event);
///
/// impl Done {
///     fn try_new() -> Result<Self, OutOfMemory> {
///         Ok(Self(Event::try_new(Tag::new(*b"Done"))?))
///     }
///
///     /// From any callback.
///     fn tell(&self) {
///         self.0.set();
///     }
///
///     /// Whether it is done within a second.
///     fn wait(&self, irql: &mut Passive) -> bool {
///         self.0.wait_for(1_000, irql)
///     }
/// }
/// ```
///
/// Source page: [`NdisInitializeEvent`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisinitializeevent).
///
/// # Invariants
///
/// EVENT: the boxed `NDIS_EVENT` was initialised at its present address and
/// never moves (the kernel links waiters through it).
#[doc(alias = "NDIS_EVENT")]
#[doc(alias = "NdisInitializeEvent")]
pub struct Event {
    raw: Box<UnsafeCell<ndis_sys::NDIS_EVENT>>,
}

// SAFETY: kernel events are made to be used by several threads.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// Makes an event that is not set.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn try_new(tag: Tag) -> Result<Self, OutOfMemory> {
        let raw = Box::try_new(UnsafeCell::new(ndis_sys::zeroed()), tag)?;
        // SAFETY: the memory is resident and, boxed, stays where it is (EVENT).
        unsafe { ndis_sys::NdisInitializeEvent(raw.get()) };
        Ok(Self { raw })
    }

    /// Lets the waiters pass. At or below DISPATCH_LEVEL.
    ///
    /// Source page: [`NdisSetEvent`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissetevent).
    #[doc(alias = "NdisSetEvent")]
    pub fn set(&self) {
        // SAFETY: by EVENT the event is initialised.
        unsafe { ndis_sys::NdisSetEvent(self.raw.get()) };
    }

    /// Makes the next waiters wait again. At or below DISPATCH_LEVEL.
    ///
    /// Source page: [`NdisResetEvent`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisresetevent).
    #[doc(alias = "NdisResetEvent")]
    pub fn reset(&self) {
        // SAFETY: by EVENT the event is initialised.
        unsafe { ndis_sys::NdisResetEvent(self.raw.get()) };
    }

    /// Waits until the event is set.
    ///
    /// Source page: [`NdisWaitEvent`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiswaitevent).
    #[doc(alias = "NdisWaitEvent")]
    pub fn wait(&self, irql: &mut impl AtPassive) {
        // Zero means without end.
        let _ = self.waited(0, irql);
    }

    /// Waits until the event is set, `milliseconds` (at least one) at most,
    /// and tells whether it was set.
    ///
    /// Source page: [`NdisWaitEvent`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiswaitevent).
    #[doc(alias = "NdisWaitEvent")]
    pub fn wait_for(&self, milliseconds: u32, irql: &mut impl AtPassive) -> bool {
        self.waited(milliseconds.max(1), irql)
    }

    fn waited(&self, milliseconds: u32, irql: &mut impl AtPassive) -> bool {
        let _ = irql;
        // SAFETY: by EVENT the event is initialised; the proof says
        // PASSIVE_LEVEL, where a thread may wait.
        unsafe { ndis_sys::NdisWaitEvent(self.raw.get(), milliseconds) != 0 }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").finish_non_exhaustive()
    }
}
