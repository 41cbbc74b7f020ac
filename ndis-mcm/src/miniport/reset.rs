//! [`Resets`]: whether NDIS looks for hangs of an adapter's hardware and resets it, and the tokens
//! of a reset.
//!
//! Nearly no driver wants this. A driver without hardware must not register the two handlers
//! (rules [REG-41], [RESET-08]): there is nothing to be reset, and a busy machine looks like a
//! hang. From NDIS 6.83 on no new driver should. So [`Miniport::RESETS`] is none, and both slots
//! of the driver's table are null.
//!
//! [REG-41]: ndis_sys::rules#REG-41
//! [RESET-08]: ndis_sys::rules#RESET-08

use super::{Adapter, Miniport, adapter::AdapterShared, errors};
use core::fmt;
use ndis_co::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    callback::Out,
    callbacks,
    irql::{NoLock, Passive, UpToDispatch},
    later,
    mem::Arc,
};
use ndis_sys::{BOOLEAN, MINIPORT_CHECK_FOR_HANG, MINIPORT_RESET, NDIS_HANDLE, NDIS_STATUS};

/// Whether NDIS looks for hangs of an adapter and resets it: the value of [`Miniport::RESETS`].
///
/// ```
/// # use ndis_host as _;
/// # use ndis_mcm::{Reset, Resettable, prelude::*};
/// use ndis_mcm::{Resets, Settings};
///
/// # struct Card;
/// impl Miniport for Card {
///     const RESETS: Resets<Self> = Resets::of_hardware();
/// #   type Adapter = ();
/// #   type Role = Connectionless;
/// #   fn initialize<'i>(&self, _: Initialize<'i, Self, New>, _: &mut Passive) -> Result<Initialized<'i>, Status> {
/// #       Err(Status::FAILURE)
/// #   }
/// }
///
/// impl Resettable for Card {
///     fn is_hung(&self, _: &Adapter<Self>, _: &mut Passive) -> bool {
///         // Whether the transmitter has stood still for two seconds.
/// #       false
///     }
///
///     fn reset<'r>(&self, _: &Adapter<Self>, reset: Reset<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
///         // The registers are written; all sends have been completed.
///         reset.done(Settings::Kept)
///     }
/// }
/// ```
pub struct Resets<M: Miniport> {
    handlers: Option<(MINIPORT_CHECK_FOR_HANG, MINIPORT_RESET)>,
    // Of one driver only, and of no subtype of it (`D<for<'a> fn(&'a u8)>` is one of
    // `D<fn(&'static u8)>`): the handlers take a context of `M`'s.
    _driver: core::marker::PhantomData<fn(M) -> M>,
}

impl<M: Miniport> Resets<M> {
    /// It does not: right for every adapter without hardware.
    pub const NEVER: Self = Self {
        handlers: None,
        _driver: core::marker::PhantomData,
    };

    /// It does: the adapter has hardware that can be reset (rule [REG-41]).
    ///
    /// [REG-41]: ndis_sys::rules#REG-41
    #[must_use]
    pub const fn of_hardware() -> Self
    where
        M: Resettable,
    {
        Self {
            handlers: Some((check_for_hang::<M>, reset::<M>)),
            _driver: core::marker::PhantomData,
        }
    }

    /// Both, or neither.
    pub(super) fn handlers(&self) -> (Option<MINIPORT_CHECK_FOR_HANG>, Option<MINIPORT_RESET>) {
        self.handlers.unzip()
    }
}

impl<M: Miniport> fmt::Debug for Resets<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resets")
            .field("of_hardware", &self.handlers.is_some())
            .finish()
    }
}

/// A miniport whose adapters' hardware can be reset.
///
/// See [`Resets`] for an example, and for why it is rarely right.
pub trait Resettable: Miniport {
    /// Whether the hardware hangs, so that NDIS resets it: about every two seconds.
    ///
    /// Only look, and return at once (rule [RESET-08]): no call of NDIS, no wait. A send that
    /// has not been completed for some two seconds is a hang.
    ///
    /// Source page: [`MINIPORT_CHECK_FOR_HANG`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_check_for_hang).
    ///
    /// [RESET-08]: ndis_sys::rules#RESET-08
    #[doc(alias = "MiniportCheckForHangEx")]
    fn is_hung(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> bool;

    /// Resets the hardware.
    ///
    /// Complete all lists that are held, and answer all requests that are pended, with
    /// [`Status::REQUEST_ABORTED`], before the reset is done (rule [RESET-03]). NDIS
    /// lets nothing new through meanwhile, and tells the protocols of the begin and the end (rule
    /// [STATUS-10]); address families, SAPs and VCs stay (rule [AF-46]). A pause may come while a
    /// reset pends: each is ended on its own (rule [RESET-07]).
    ///
    /// At or below DISPATCH_LEVEL. It may stall for 50 microseconds at most, and pends what takes
    /// longer (rule [RESET-06]). While one pends, the layer answers others with
    /// [`Status::RESET_IN_PROGRESS`].
    ///
    /// A link that the reset has cut is to be indicated, and so is its return.
    ///
    /// Source pages: [`MINIPORT_RESET`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_reset),
    /// [hardware-reset](https://learn.microsoft.com/windows-hardware/drivers/network/hardware-reset).
    ///
    /// [AF-46]: ndis_sys::rules#AF-46
    /// [RESET-03]: ndis_sys::rules#RESET-03
    /// [RESET-06]: ndis_sys::rules#RESET-06
    /// [RESET-07]: ndis_sys::rules#RESET-07
    /// [STATUS-10]: ndis_sys::rules#STATUS-10
    #[doc(alias = "MiniportResetEx")]
    fn reset<'r>(
        &self,
        adapter: &Adapter<Self>,
        reset: Reset<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;
}

/// What a reset has done to the settings that NDIS can set again: the packet filter, addresses,
/// offloads and patterns.
///
/// ```
/// # use ndis_host as _;
/// # use ndis_mcm::{PendingReset, Resettable, Settings};
/// # use ndis_co::irql::NoLock;
/// fn done<M: Resettable>(reset: PendingReset<M>, registers_are_zero: bool, irql: &mut impl NoLock) {
///     reset.done(if registers_are_zero { Settings::Lost } else { Settings::Kept }, irql);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "AddressingReset")]
pub enum Settings {
    /// They are as before: the hardware keeps them, or the driver has set them again.
    Kept,
    /// They are lost: NDIS sets them, by requests (rule [RESET-05]).
    ///
    /// [RESET-05]: ndis_sys::rules#RESET-05
    Lost,
}

impl Settings {
    const fn raw(self) -> BOOLEAN {
        match self {
            Self::Kept => 0,
            Self::Lost => 1,
        }
    }
}

/// NDIS wants an adapter reset: the token of the request (rule [RESET-04]).
///
/// See [`Resets`] for an example.
///
/// [RESET-04]: ndis_sys::rules#RESET-04
#[must_use = "a request must be answered"]
pub struct Reset<'r, M: Resettable> {
    adapter: Adapter<M>,
    settings: Out<'r, BOOLEAN>,
    request: Request<'r>,
}

impl<'r, M: Resettable> Reset<'r, M> {
    /// The reset is done.
    pub fn done(self, settings: Settings) -> Answer<'r> {
        self.adapter.shared.resetting.end();
        self.settings.set(settings.raw());
        self.request.answer(Status::SUCCESS)
    }

    /// The hardware cannot be brought to work again; the error log gets an entry.
    pub fn fail(self) -> Answer<'r> {
        self.adapter.shared.resetting.end();
        errors::log(self.adapter.shared.handle.get(), Status::HARD_ERRORS);
        self.settings.set(0);
        self.request.answer(Status::HARD_ERRORS)
    }

    /// Ends it later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingReset<M>) {
        self.settings.set(0);
        let pending = PendingReset {
            adapter: Armed::new(self.adapter),
        };
        (self.request.answer(Status::PENDING), pending)
    }
}

impl<M: Resettable> fmt::Debug for Reset<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reset").finish_non_exhaustive()
    }
}

/// A reset that is ended later: the token of a pended one. It keeps the adapter.
///
/// Dropping it ends the reset as a failure, a little later.
///
/// ```
/// # use ndis_host as _;
/// # use ndis_mcm::{Reset, Resettable};
/// # use ndis_co::{Answer, irql::UpToDispatch};
/// use ndis_co::lock::SpinLock;
/// use ndis_mcm::{PendingReset, Settings};
///
/// /// The reset that waits for the hardware's word.
/// struct Waiting<M: Resettable>(SpinLock<Option<PendingReset<M>>>);
///
/// impl<M: Resettable> Waiting<M> {
///     fn later<'r>(&self, reset: Reset<'r, M>) -> Answer<'r> {
///         let (answer, pending) = reset.pend();
///         self.0.set(Some(pending));
///         answer
///     }
///
///     /// The timer that looks at the hardware finds it ready.
///     fn ready(&self, irql: &mut UpToDispatch) {
///         if let Some(reset) = self.0.take() {
///             reset.done(Settings::Kept, irql);
///         }
///     }
/// }
/// ```
#[must_use = "dropping a pending reset fails it"]
pub struct PendingReset<M: Resettable> {
    adapter: Armed<Adapter<M>, Fail>,
}

/// Fails a pended reset.
struct Fail;

impl<M: Resettable> Alarm<Adapter<M>> for Fail {
    fn lost(adapter: Adapter<M>) {
        adapter.shared.resetting.lose();
        later::leave(&adapter.shared, crate::key::key());
    }
}

impl<M: Resettable> PendingReset<M> {
    /// The reset is done (rule [RESET-04]).
    ///
    /// Source page: [`NdisMResetComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismresetcomplete~r1).
    ///
    /// [RESET-04]: ndis_sys::rules#RESET-04
    #[doc(alias = "NdisMResetComplete")]
    pub fn done(self, settings: Settings, irql: &mut impl NoLock) {
        let _ = irql.up_to_dispatch();
        let adapter = self.adapter.disarm();
        adapter.shared.resetting.end();
        complete(&adapter.shared, Status::SUCCESS, settings);
    }

    /// The hardware cannot be brought to work again (rule [RESET-04]).
    ///
    /// Source page: [`NdisMResetComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismresetcomplete~r1).
    ///
    /// [RESET-04]: ndis_sys::rules#RESET-04
    #[doc(alias = "NdisMResetComplete")]
    pub fn fail(self, irql: &mut impl NoLock) {
        let _ = irql.up_to_dispatch();
        let adapter = self.adapter.disarm();
        adapter.shared.resetting.end();
        complete(&adapter.shared, Status::HARD_ERRORS, Settings::Kept);
    }
}

impl<M: Resettable> fmt::Debug for PendingReset<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingReset").finish_non_exhaustive()
    }
}

/// Completes the reset that was pended, whose state the caller has taken away.
fn complete<M: Miniport>(adapter: &AdapterShared<M>, status: Status, settings: Settings) {
    let handle = adapter.handle.get();
    if status != Status::SUCCESS {
        errors::log(handle, status);
    }
    // SAFETY: by RESET a reset was pended (or is about to be, rule GEN-04) and is completed once
    // (rule RESET-04); the caller has proven that no lock is held and the level (rule IRQL-114),
    // and the adapter's handle is valid as long as there is a reference.
    unsafe { ndis_sys::NdisMResetComplete(handle, status.raw(), settings.raw()) };
}

/// In the adapter's work item: a reset whose token was dropped has failed.
pub(super) fn complete_lost<M: Miniport>(adapter: &Arc<AdapterShared<M>>) {
    if adapter.resetting.take_lost() {
        complete(adapter, Status::HARD_ERRORS, Settings::Kept);
    }
}

callbacks! {
    /// `MiniportResetEx` (rule [IRQL-132]).
    ///
    /// [IRQL-132]: ndis_sys::rules#IRQL-132
    reset<M: Resettable>(
        context: NDIS_HANDLE as Adapter<M>,
        settings: *mut BOOLEAN as Out<'_, BOOLEAN>,
    ) at UpToDispatch, else HARD_ERRORS -> NDIS_STATUS => on_reset;

    /// The part of `MiniportCheckForHangEx` that has an answer (rule [IRQL-133]).
    ///
    /// [IRQL-133]: ndis_sys::rules#IRQL-133
    look_for_hang<M: Resettable>(
        context: NDIS_HANDLE as Adapter<M>,
        hung: *mut BOOLEAN as Out<'_, BOOLEAN>,
    ) at Passive => on_check_for_hang;
}

/// `MiniportCheckForHangEx`.
unsafe extern "system" fn check_for_hang<M: Resettable>(context: NDIS_HANDLE) -> BOOLEAN {
    let mut hung = 0;
    // SAFETY: by CALLBACK, of which this is a part; the place is there for the call.
    unsafe { look_for_hang::<M>(context, &raw mut hung) };
    hung
}

fn on_check_for_hang<M: Resettable>(
    adapter: Adapter<M>,
    hung: Out<'_, BOOLEAN>,
    irql: &mut Passive,
) {
    hung.set(adapter.driver().is_hung(&adapter, irql).into());
}

/// One at a time.
fn on_reset<'r, M: Resettable>(
    adapter: Adapter<M>,
    settings: Out<'r, BOOLEAN>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    if !adapter.shared.resetting.begin() {
        settings.set(0);
        return request.answer(Status::RESET_IN_PROGRESS);
    }
    let reset = Reset {
        adapter: adapter.clone(),
        settings,
        request,
    };
    adapter.driver().reset(&adapter, reset, irql)
}
