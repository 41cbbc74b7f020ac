//! [`Miniport`]: a driver that runs adapters, and the [`Role`] it registers in.

mod adapter;
mod configuration;
mod connectionless;
mod entry;
mod errors;
pub(crate) mod handlers;
mod init;
mod medium;
pub(crate) mod oid;
mod reset;
mod resetting;

pub use adapter::Adapter;
pub use connectionless::Connectionless;
pub use entry::Entry;
pub use init::{Attributed, HasAdapter, Initialize, Initialized, New, Ready};
pub(crate) use oid::standard::Counted;
pub use oid::{OidRequest, PendingOidRequest, Statistics};
pub use reset::{PendingReset, Reset, Resets, Resettable, Settings};

use ndis_co::{
    Answer, Status,
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    oid::RequestId,
    options::Options,
    power::PowerState,
};

/// A miniport driver.
///
/// Every method is called by NDIS, possibly for several adapters at once.
/// They run at PASSIVE_LEVEL and may wait.
///
/// Its adapters have no interrupts and no DMA: this crate registers none, so there is nothing to
/// be set up in their order or to be stopped in time (rules [INIT-16], [HALT-11]).
///
/// ```
/// # use ndis_mcm::prelude::*;
/// # use ndis_co::{mem::Tag, nbl::NetBufferListPool};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Miniport for Driver {
///     // What it keeps for an adapter: where received frames go.
///     type Adapter = NetBufferListPool;
///     // `Mcm` and `CoMiniport` ask for more traits.
///     type Role = Connectionless;
///
///     fn initialize<'i>(
///         &self,
///         init: Initialize<'i, Self, New>,
///         irql: &mut Passive,
///     ) -> Result<Initialized<'i>, Status> {
///         let init = init.attributes(&Attributes::wan().max_frame(1500), irql)?;
///         let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Drvr"))?;
///         Ok(init.adapter(pool)?.finish())
///     }
/// }
/// ```
///
/// [HALT-11]: ndis_sys::rules#HALT-11
/// [INIT-16]: ndis_sys::rules#INIT-16
pub trait Miniport: Sized + Send + Sync + 'static {
    /// What the driver keeps for one adapter.
    type Adapter: Send + Sync + 'static;

    /// What the driver registers as: [`Mcm`](crate::Mcm), [`CoMiniport`](crate::CoMiniport) or [`Connectionless`].
    type Role: Role<Self>;

    /// The version of the driver itself.
    const VERSION: (u8, u8) = (1, 0);

    /// Whether NDIS looks for hangs of the adapters' hardware and resets it: not without hardware
    /// (rules [REG-41], [RESET-08]).
    ///
    /// [REG-41]: ndis_sys::rules#REG-41
    /// [RESET-08]: ndis_sys::rules#RESET-08
    const RESETS: Resets<Self> = Resets::NEVER;

    /// An adapter is there: set its attributes, make its context, register
    /// its address families, and finish. The types of [`Initialize`] lead
    /// through it in this order. No request comes before it has returned (rule [INIT-12]).
    ///
    /// Source page: [`MINIPORT_INITIALIZE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_initialize).
    ///
    /// # Errors
    ///
    /// A failure refuses the adapter; what was made is undone (rule [INIT-10]), and the system's
    /// error log gets an entry with the status (rule [INIT-31]).
    ///
    /// [INIT-10]: ndis_sys::rules#INIT-10
    /// [INIT-12]: ndis_sys::rules#INIT-12
    /// [INIT-31]: ndis_sys::rules#INIT-31
    #[doc(alias = "MiniportInitializeEx")]
    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status>;

    /// The adapter is initialized: from here on references to it can be stored,
    /// because [`halt`](Self::halt) will ask for them.
    ///
    /// (A pool, timer or work item that [`initialize`](Self::initialize) makes
    /// belongs in the adapter's context for the same reason: where it is
    /// stored elsewhere, and the initialization fails, nothing asks for it, and
    /// the failure waits until it is gone.)
    ///
    /// Source page: [`MINIPORT_INITIALIZE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_initialize).
    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The flow of data stops: give back what the driver holds.
    ///
    /// From now on no send arrives and nothing can be indicated. The clients'
    /// bindings were paused before, which waited for their sends: those are
    /// completed without waiting for this. The pause
    /// completes when every held list was completed and every indicated one
    /// is back (rules [PAUSE-01], [PAUSE-03]); it cannot fail.
    ///
    /// Source pages: [`MINIPORT_PAUSE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_pause),
    /// [`NdisMPauseComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismpausecomplete).
    ///
    /// [PAUSE-01]: ndis_sys::rules#PAUSE-01
    /// [PAUSE-03]: ndis_sys::rules#PAUSE-03
    #[doc(alias = "MiniportPause")]
    #[doc(alias = "NdisMPauseComplete")]
    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The flow of data starts: it may be indicated as soon as this has returned, and
    /// [`running`](Self::running) tells.
    ///
    /// Source page: [`MINIPORT_RESTART`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_restart).
    ///
    /// # Errors
    ///
    /// Leaves the adapter paused (rule [PAUSE-09]); the error log gets an entry.
    ///
    /// [PAUSE-09]: ndis_sys::rules#PAUSE-09
    #[doc(alias = "MiniportRestart")]
    fn restart(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        let _ = (adapter, irql);
        Ok(())
    }

    /// Data may be indicated from here on (rule [PAUSE-10]): hand up what has waited. It follows
    /// each [`restart`](Self::restart) that succeeds, the first one after the initialization, too.
    ///
    /// Source page: [`MINIPORT_RESTART`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_restart).
    ///
    /// [PAUSE-10]: ndis_sys::rules#PAUSE-10
    #[doc(alias = "MiniportRestart")]
    fn running(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The device is about to lose its power, or has it again.
    ///
    /// Below [`PowerState::D0`] no timer may be left set: cancel each
    /// [`Timer`](ndis_co::timer::Timer) of the adapter here, and set what is still wanted when the
    /// device is back in `D0` (rule [OID-63]; the crate does so with its own). The adapter is paused
    /// before it loses power, and restarted after it is back; calls go on meanwhile.
    ///
    /// It cannot be refused (rules [OID-62], [DV-08]). At or below DISPATCH_LEVEL.
    ///
    /// Source page: [`OID_PNP_SET_POWER`](https://learn.microsoft.com/windows-hardware/drivers/network/oid-pnp-set-power).
    ///
    /// [DV-08]: ndis_sys::rules#DV-08
    /// [OID-62]: ndis_sys::rules#OID-62
    /// [OID-63]: ndis_sys::rules#OID-63
    #[doc(alias = "OID_PNP_SET_POWER")]
    fn set_power(&self, adapter: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        let _ = (adapter, state, irql);
    }

    /// NDIS, a client or a call manager asks the adapter for something, gives it something, or
    /// wants something done: the request is a token, answered exactly once, now or later.
    ///
    /// At or below DISPATCH_LEVEL, on any processor, several at once; it must not wait. By
    /// whichever handler a request comes, it is this method that answers it, and the layer
    /// completes a pended one by the function that belongs to it (rules [OID-13], [OID-14],
    /// [OID-58]). What is about one VC comes to
    /// [`Carry::vc_oid_request`](crate::Carry::vc_oid_request).
    ///
    /// The driver is not asked for what the layer answers itself:
    ///
    /// - the change of the power state, of which [`set_power`](Self::set_power) tells, and the
    ///   question before it;
    /// - of a connection-oriented adapter, from its [`Attributes`](crate::Attributes), what each
    ///   of them answers (rule [OID-24]): the list of OIDs, the media, the speed of the link, the vendor,
    ///   the versions, the options and states; and its [`Statistics`]. An OID that the
    ///   attributes [name](crate::Attributes::oids) comes here all the same;
    /// - whatever is asked of a device that has [gone](Self::surprise_removed), and what makes
    ///   no sense;
    /// - with [`Status::RESOURCES`], what comes when the stack is nearly used up.
    ///
    /// Answer a pended request in bounded time: whoever asked waits, and so does the adapter's
    /// halt (rule [HALT-08]). One whose token is dropped is refused with [`Status::FAILURE`], a
    /// little later when a lock is held.
    ///
    /// The OIDs of the medium are the driver's: a WAN adapter's `OID_WAN_CO_GET_INFO`, for one.
    ///
    /// ```
    /// # use ndis_host as _;
    /// # use ndis_mcm::prelude::*;
    /// use ndis_co::oid::{Oid, QuerySet};
    /// use ndis_mcm::OidRequest;
    /// # use core::sync::atomic::{AtomicU32, Ordering};
    ///
    /// /// How bright the lamp on the adapter is, in percent: an OID of this driver's own.
    /// const LAMP: Oid<u32, QuerySet> = Oid::new(0xFF01_0001);
    ///
    /// # struct Lamps;
    /// # struct Nic { brightness: AtomicU32 }
    /// impl Miniport for Lamps {
    ///     // In `initialize`: Attributes::wan().oids(const { &[LAMP.number()] })
    /// #   type Adapter = Nic;
    /// #   type Role = Connectionless;
    /// #   fn initialize<'i>(&self, _: Initialize<'i, Self, New>, _: &mut Passive) -> Result<Initialized<'i>, Status> {
    /// #       Err(Status::FAILURE)
    /// #   }
    ///     fn oid_request<'r>(
    ///         &self,
    ///         adapter: &Adapter<Self>,
    ///         request: OidRequest<'r, Self>,
    ///         _irql: &mut UpToDispatch,
    ///     ) -> Answer<'r> {
    ///         if !request.is(LAMP) {
    ///             return request.not_supported();
    ///         }
    ///         if request.kind().is_query() {
    ///             return request.reply_to(LAMP, &adapter.brightness.load(Ordering::Relaxed));
    ///         }
    ///         match request.read(LAMP) {
    ///             Ok((percent, request)) if percent <= 100 => {
    ///                 adapter.brightness.store(percent, Ordering::Relaxed);
    ///                 request.accept(size_of_val(&percent))
    ///             }
    ///             Ok((_, request)) => request.refuse(Status::INVALID_DATA),
    ///             Err(answer) => answer,
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// Source pages: [`MINIPORT_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_oid_request),
    /// [`MINIPORT_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_oid_request),
    /// [`NdisMCoOidRequestComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcooidrequestcomplete),
    /// [`NdisMOidRequestComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismoidrequestcomplete).
    ///
    /// [HALT-08]: ndis_sys::rules#HALT-08
    /// [OID-13]: ndis_sys::rules#OID-13
    /// [OID-14]: ndis_sys::rules#OID-14
    /// [OID-24]: ndis_sys::rules#OID-24
    /// [OID-58]: ndis_sys::rules#OID-58
    #[doc(alias = "MiniportOidRequest")]
    #[doc(alias = "MiniportCoOidRequest")]
    #[doc(alias = "NdisMOidRequestComplete")]
    #[doc(alias = "NdisMCoOidRequestComplete")]
    fn oid_request<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (adapter, irql);
        request.not_supported()
    }

    /// Who asked waits no longer, or the request has taken its time: answer each pended request
    /// whose [`id`](ndis_co::oid::View::id) this is, about the adapter or a VC, with
    /// [`Status::REQUEST_ABORTED`] (rules [OID-25], [OID-26]). There may be several, or none any
    /// more.
    ///
    /// At or below DISPATCH_LEVEL. The default does nothing, which is right for a driver that
    /// pends no request.
    ///
    /// Source page: [`MINIPORT_CANCEL_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_cancel_oid_request).
    ///
    /// [OID-25]: ndis_sys::rules#OID-25
    /// [OID-26]: ndis_sys::rules#OID-26
    #[doc(alias = "MiniportCancelOidRequest")]
    fn oid_cancelled(&self, adapter: &Adapter<Self>, id: RequestId, irql: &mut UpToDispatch) {
        let _ = (adapter, id, irql);
    }

    /// The device has gone without notice: let nothing wait for it any more.
    ///
    /// PASSIVE_LEVEL. Pause and halt follow. What is sent or asked from here on is
    /// refused with [`Status::NOT_ACCEPTED`] before it reaches the driver (rule
    /// [HALT-13]); lists that the driver holds are its own to complete.
    ///
    /// Source page: [`MINIPORT_DEVICE_PNP_EVENT_NOTIFY`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_device_pnp_event_notify).
    ///
    /// [HALT-13]: ndis_sys::rules#HALT-13
    #[doc(alias = "MiniportDevicePnPEventNotify")]
    #[doc(alias = "NdisDevicePnPEventSurpriseRemoved")]
    fn surprise_removed(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The adapter is about to go away: end what holds its clients up, such as pended requests and
    /// calls. They are asked to close their address families next, and [`halt`](Self::halt)
    /// follows when they have.
    fn halting(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The device has its power again, and the system runs from this source of it.
    ///
    /// PASSIVE_LEVEL. A driver for a radio saves power on a battery; the default does nothing.
    ///
    /// Source page: [`MINIPORT_DEVICE_PNP_EVENT_NOTIFY`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_device_pnp_event_notify).
    #[doc(alias = "NdisDevicePnPEventPowerProfileChanged")]
    fn power_source(&self, adapter: &Adapter<Self>, source: PowerSource, irql: &mut Passive) {
        let _ = (adapter, source, irql);
    }

    /// The system shuts down, with the adapter as it is: bring the hardware to a state from which
    /// it can start anew.
    ///
    /// PASSIVE_LEVEL. Nothing more is called for the adapter, [`halt`](Self::halt) neither (rule
    /// [HALT-14]); what it has is best left alone. The default does nothing, which is right without
    /// hardware.
    ///
    /// When the system has failed, at whatever level, no code of a driver runs: NDIS tells a
    /// miniport for NDIS 6.30 only if it has asked for that in its attributes, which this crate does
    /// not, and the handler returns at once all the same, within a halt too (rules [HALT-15],
    /// [HALT-16]). What a driver has cannot even be looked at there: its locks may be held by the
    /// code that has failed.
    ///
    /// Source page: [`MINIPORT_SHUTDOWN`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_shutdown).
    ///
    /// [HALT-14]: ndis_sys::rules#HALT-14
    /// [HALT-15]: ndis_sys::rules#HALT-15
    /// [HALT-16]: ndis_sys::rules#HALT-16
    #[doc(alias = "MiniportShutdownEx")]
    fn shutdown(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The adapter goes away: let go of everything that refers to it.
    ///
    /// NDIS has paused the adapter and unbound the protocols before (rule [HALT-18]). The clients
    /// were asked to close their address families and have done so
    /// (rules [HALT-01] to [HALT-04]). So this comes too late for tokens of pended
    /// requests, accepted calls and VCs that the driver has created: they hold
    /// a family open, and are answered, used or dropped in bounded time, in
    /// [`halting`](Self::halting) at the latest. After this the adapter's
    /// context is dropped, and the halt waits until that has happened: a
    /// reference that the driver keeps elsewhere holds it up (rules [HALT-05],
    /// [HALT-06]). A pended OID request keeps the adapter as well, and NDIS does not halt before
    /// all of them are answered (rule [HALT-08]): that is in bounded time, too.
    ///
    /// Source pages: [`MINIPORT_HALT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_halt),
    /// [`NdisMCmNotifyCloseAddressFamily`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmnotifycloseaddressfamily),
    /// [`PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_notify_close_af_complete).
    ///
    /// [HALT-01]: ndis_sys::rules#HALT-01
    /// [HALT-04]: ndis_sys::rules#HALT-04
    /// [HALT-05]: ndis_sys::rules#HALT-05
    /// [HALT-06]: ndis_sys::rules#HALT-06
    /// [HALT-08]: ndis_sys::rules#HALT-08
    /// [HALT-18]: ndis_sys::rules#HALT-18
    #[doc(alias = "MiniportHaltEx")]
    #[doc(alias = "NdisMCmNotifyCloseAddressFamily")]
    #[doc(alias = "ProtocolCmNotifyCloseAfComplete")]
    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }
}

/// What a miniport driver registers as. Implemented by [`Mcm`](crate::Mcm), [`CoMiniport`](crate::CoMiniport) and
/// [`Connectionless`] only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no role that `{M}` can register in",
    note = "a driver with `type Role = Mcm` implements `CallManager` (rules REG-06, REG-13), one with \
            `type Role = CoMiniport` implements `co::VcMiniport` (rule REG-12)"
)]
pub trait Role<M: Miniport>: sealed::Sealed {
    /// What the role keeps for one adapter.
    #[doc(hidden)]
    type State: Send + Sync + 'static;

    /// The VC of an OID request.
    #[doc(hidden)]
    type OidVc: ndis_co::channel::OfVc;

    /// Whether the driver is connection-oriented.
    #[doc(hidden)]
    const IS_CO: bool;

    #[doc(hidden)]
    fn new_state() -> Result<Self::State, Status>;

    /// Installs the role's handlers.
    #[doc(hidden)]
    fn set_options(options: &mut Options<'_>) -> Status;

    /// Has the adapter's address families closed.
    #[doc(hidden)]
    fn close_families(adapter: &Adapter<M>, irql: &mut Passive, _: sealed::Token);

    /// Indicated lists are back.
    #[doc(hidden)]
    fn returned(
        adapter: &Adapter<M>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
        _: sealed::Token,
    );
}

pub(crate) mod sealed {
    pub trait Sealed {}

    /// Keeps the hidden methods of a role to this crate: nobody else can name
    /// or make one.
    #[derive(Debug)]
    pub struct Token(pub(crate) ());
}

/// What the system runs on.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::PowerSource;
///
/// fn interval_in_ms(source: PowerSource) -> u32 {
///     match source {
///         PowerSource::Mains => 100,
///         PowerSource::Battery => 1000,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "NDIS_POWER_PROFILE")]
pub enum PowerSource {
    /// A battery.
    Battery,
    /// The mains.
    Mains,
}

/// A role whose adapters indicate status as connection-oriented ones do: [`Mcm`](crate::Mcm) and
/// [`CoMiniport`](crate::CoMiniport).
#[diagnostic::on_unimplemented(
    message = "a driver that registers as `{Self}` does not indicate status by `NdisMCoIndicateStatusEx`",
    label = "the adapter of a connectionless miniport",
    note = "rule STATUS-16: only a connection-oriented miniport may; set `type Role = Mcm` and implement `CallManager`, or `type Role = CoMiniport` and implement `co::VcMiniport`"
)]
pub trait ConnectionOriented: sealed::Sealed {}

/// A role in which address families may be registered.
#[diagnostic::on_unimplemented(
    message = "a driver that registers as `{Self}` cannot register an address family",
    label = "NDIS would answer NDIS_STATUS_FAILURE",
    note = "rule INIT-06: only a connection-oriented miniport call manager may; \
            set `type Role = Mcm` and implement `CallManager`"
)]
pub trait RegistersFamilies: sealed::Sealed {}
