//! WAN miniports: a driver that Windows dials with, be it a VPN, DSL or ISDN.
//!
//! Such a driver is a miniport call manager whose client is NDPROXY, and whose frames come from and
//! go to NDISWAN. What it does of its own is five things: dial, answer, hang up, send a frame, hand
//! a frame up. [`WanMiniport`] has a method for each. All else follows from what it declares, its
//! [`Lines`] and its [`Link`], and is here.
//!
//! # The cast
//!
//! ```text
//! application ── TAPI ──> NDPROXY ──────┐  family TAPI_PROXY: lines, SAPs, calls
//!                            │          │
//!                       family TAPI     │
//!                            │          v
//! TCP/IP ── packets ──> NDISWAN ──> the driver ──> its network
//!                                PPP frames, OIDs about the link
//! ```
//!
//! - **NDPROXY** turns what applications do with TAPI into calls. It opens the family TAPI_PROXY on
//!   the adapter, asks which lines there are, and registers a SAP when an application waits for
//!   calls.
//! - **NDISWAN** does PPP. It hears from NDPROXY that a call is up, asks the driver about the link by
//!   OIDs, sets it, and sends and takes frames.
//! - **The driver** knows its network. It hears of a call as [`Dial`], offers one with
//!   [`offer`](Adapter#method.offer), and carries frames. It never sees TAPI, a VC or a request.
//!
//! # The way of a call
//!
//! ```text
//! application calls:  dial ──> Dial::pend ─ ─ ─> Dialing::connect ──> connected ──> send, receive
//!                                         ├ ─ ─> Dialing::refuse ───> failed
//!                                         └ ─ ─> no answer in time ─> failed     (Dial::pend_for)
//! somebody calls:     Adapter::offer ──────────> answered ──> Answered::connect ──> connected ──> ...
//!                                         └────> refused
//! either hangs up:    hang_up ──> HangUp::finish      (after Call::hang_up, when the other end did)
//! ```
//!
//! A [`Call`] is known by its line and address: an address has one call at a time.
//!
//! # What the module does
//!
//! - It offers the family, takes SAPs with wildcards and finds the one for an incoming call.
//! - It reads and writes what TAPI has in call parameters, overwrites what is wrong in them by
//!   contract (rule [TAPI-09]), and says how fast the call is (rule [TAPI-10]).
//! - It answers the OIDs of TAPI and of WAN links, and keeps what NDISWAN sets, from one table by
//!   whichever door they come.
//! - It counts frames and bytes, for each call and for the adapter.
//! - It tells NDISWAN the speed and the window of a link when its call is up, again when NDISWAN
//!   sets the link for the first time (before that it may not have the VC, and not hear), and when
//!   the driver [changes](Call::set_params) them.
//! - It refuses frames that are longer than declared, and fails what is sent on no call; what a call
//!   sends it hands up at another one without copying it ([`Frames::forward`]).
//! - It refuses a dialled call that nobody has answered in the [time](Dial::pend_for) for it.
//! - It ends calls in the order that TAPI wants (rule [TAPI-13]): when the driver has nothing
//!   against it, the VC is deactivated as soon as the last frame is back, then the request is
//!   completed. A halt refuses what is dialled and ends every call (rule [TAPI-14]).
//!
//! # What the pages leave open
//!
//! - *Where the number of a call is.* The length in the call parameters covers it, or the fixed
//!   structure alone, with the number behind that: both are read. In the second case the
//!   structure itself says how long the number is, and is believed as all lengths are that another
//!   driver states (see [`MakeCall::telephony`](crate::MakeCall::telephony)).
//! - *By which door an OID comes*, and whether with a VC: each is answered at all of them.
//! - *When a VC is activated for an offered call*: before the offer.
//! - *Which version of the family NDPROXY opens*: any.
//!
//! # A whole driver
//!
//! A cable that leads back: who calls `loop` hears himself.
//!
//! ```
//! # use ndis_host as _;
//! use ndis_co::tapi::Disconnect;
//! use ndis_mcm::{
//!     prelude::*,
//!     wan::{Call, Dial, Frames, Line, Lines, Link, LinkParams, NewWan, Speeds, Subtype, Wan, WanMiniport},
//! };
//!
//! struct Loop;
//!
//! impl Load for Loop {
//!     fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
//!         Ok(Self)
//!     }
//! }
//!
//! impl WanMiniport for Loop {
//!     type Adapter = ();
//!     type Call = ();
//!
//!     fn initialize<'i>(
//!         &self,
//!         init: NewWan<'i, Self>,
//!         irql: &mut Passive,
//!     ) -> Result<Initialized<'i>, Status> {
//!         // Four calls at a time, with frames of 1400 bytes, sixteen of them under way.
//!         let line = Line::new("Loop", Speeds::both(10_000_000))?.addresses(4)?;
//!         let link = Link::new(Subtype::L2TP, 1400, 16);
//!         init.declare(link, Lines::one(line)?, irql)?.finish((), irql)
//!     }
//!
//!     fn dial<'r>(&self, dial: Dial<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
//!         if dial.number().is("loop") {
//!             dial.connect((), LinkParams::new(Speeds::both(10_000_000), 16), irql)
//!         } else {
//!             dial.refuse(Disconnect::BadAddress)
//!         }
//!     }
//!
//!     fn send(&self, call: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
//!         let mut copies = [0; 1432];
//!         for frame in frames.iter() {
//!             if let Some(copy) = copies.get_mut(..frame.len())
//!                 && frame.copy_to(copy).is_ok()
//!             {
//!                 // What nobody takes any more is lost.
//!                 let _ = call.receive(copy, irql);
//!             }
//!         }
//!         frames.complete(Status::SUCCESS, irql);
//!     }
//! }
//!
//! ndis_mcm::driver_entry!(Wan<Loop>);
//! # fn main() {}
//! ```
//!
//! [TAPI-09]: ndis_sys::rules#TAPI-09
//! [TAPI-10]: ndis_sys::rules#TAPI-10
//! [TAPI-13]: ndis_sys::rules#TAPI-13
//! [TAPI-14]: ndis_sys::rules#TAPI-14

mod adapt;
mod call;
mod counters;
mod deadline;
mod dial;
mod ending;
mod error;
mod frames;
mod init;
mod lines;
mod link;
mod nic;
mod offer;
mod oids;
pub mod prelude;
mod state;
mod walk;

pub use call::{Call, WeakCall};
pub use dial::{Dial, Dialing};
pub use ending::{HangUp, HangingUp};
pub use error::OfferError;
#[doc(hidden)]
pub use frames::Counts;
pub use frames::{ForwardError, Frames, FramesParent};
pub use init::{Declared, NewWan};
pub use lines::{Line, Lines};
pub use link::{Link, LinkParams, Speeds, Subtype};
pub use offer::{Answered, Offer};
pub use state::Direction;
pub use walk::Calls;

use crate::{Answer, Initialized, OidRequest, PowerSource, Status};
use core::{fmt, ops};
use ndis_co::{
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    oid::RequestId,
    power::PowerState,
    wan::{CompressionInfo, LinkInfo},
};

/// An adapter of a WAN driver; it derefs to what the driver keeps for it. Calls from the network
/// are [offered](Adapter#method.offer) on it.
pub type Adapter<W> = crate::Adapter<Wan<W>>;

/// A driver that Windows dials with.
///
/// Most methods are called by NDIS, on any processor, several at once, at or below DISPATCH_LEVEL,
/// and must not wait; those that get [`Passive`] run at PASSIVE_LEVEL. The [module](self) tells
/// what is called when.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::Disconnect;
/// use ndis_mcm::{
///     prelude::*,
///     wan::{Call, Dial, Frames, Line, Lines, Link, NewWan, Speeds, Subtype, WanMiniport},
/// };
///
/// /// A cable that leads nowhere.
/// struct Nowhere;
///
/// impl WanMiniport for Nowhere {
///     type Adapter = ();
///     type Call = ();
///
///     fn initialize<'i>(
///         &self,
///         init: NewWan<'i, Self>,
///         irql: &mut Passive,
///     ) -> Result<Initialized<'i>, Status> {
///         let line = Line::new("Nowhere", Speeds::both(64_000))?.addresses(1)?;
///         let link = Link::new(Subtype::SERIAL, 1500, 1);
///         init.declare(link, Lines::one(line)?, irql)?.finish((), irql)
///     }
///
///     fn dial<'r>(&self, dial: Dial<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
///         dial.refuse(Disconnect::NoAnswer)
///     }
///
///     fn send(&self, _: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
///         frames.complete(Status::FAILURE, irql);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no WAN miniport",
    note = "`Wan<{Self}>` is a miniport when `{Self}` implements `ndis_mcm::wan::WanMiniport`"
)]
pub trait WanMiniport: Sized + Send + Sync + 'static {
    /// What the driver keeps for one adapter.
    type Adapter: Send + Sync + 'static;
    /// What the driver keeps for one call.
    type Call: Send + Sync + 'static;

    /// The version of the driver itself.
    const VERSION: (u8, u8) = (1, 0);

    /// The OIDs that the driver itself answers, in [`oid_request`](Self::oid_request) and
    /// [`call_oid_request`](Self::call_oid_request). One of the module's that is named here is the
    /// driver's to answer.
    const OIDS: &'static [u32] = &[];

    /// An adapter is there: [declare](NewWan::declare) its links and lines, and
    /// [give](Declared::finish) it what the driver keeps for it.
    ///
    /// # Errors
    ///
    /// A failure refuses the adapter.
    fn initialize<'i>(
        &self,
        init: NewWan<'i, Self>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status>;

    /// As [`Miniport::initialized`](crate::Miniport::initialized).
    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// An application calls: answer now, or [later](Dial::pend).
    #[doc(alias = "ProtocolCmMakeCall")]
    fn dial<'r>(&self, dial: Dial<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r>;

    /// A call that was dialled did not come about: the driver or the halt has refused it, or its VC
    /// could not be activated.
    fn failed(&self, call: &Call<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (call, status, irql);
    }

    /// The application has answered a call that was [offered](Adapter#method.offer): tell the
    /// caller, and connect it. The default connects it.
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn answered(&self, answered: Answered<Self>, irql: &mut UpToDispatch) {
        answered.connect(irql);
    }

    /// The application does not want a call that was offered: tell the caller.
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn refused(&self, call: &Call<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (call, status, irql);
    }

    /// The call is up, and the application knows: frames may be handed up from here on, and come.
    /// NDISWAN is told what the link is, now or as soon as it sets the link.
    fn connected(&self, call: &Call<Self>, irql: &mut UpToDispatch) {
        let _ = (call, irql);
    }

    /// The call ends: the application has hung up, or was told that the
    /// [other end has](Call::hang_up). Tell the network, give back the frames that the driver holds,
    /// and finish, now or later. The default has nothing to tell.
    #[doc(alias = "ProtocolCmCloseCall")]
    fn hang_up<'r>(
        &self,
        call: &Call<Self>,
        end: HangUp<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (call, irql);
        end.finish()
    }

    /// NDISWAN sends frames, in order, at most as many at a time as the window says. The driver
    /// holds them until it completes them; it takes all, and none comes back up (rule [WAN-08]).
    ///
    /// [WAN-08]: ndis_sys::rules#WAN-08
    #[doc(alias = "MiniportCoSendNetBufferLists")]
    fn send(&self, call: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch);

    /// Lists that were handed up with [`Call::receive_lists`], [`Call::receive`] or
    /// [`Frames::forward`] come back. Dropping them frees them, and so does this default.
    #[doc(alias = "MiniportReturnNetBufferLists")]
    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let _ = adapter;
        lists.free(irql);
    }

    /// NDISWAN has set the link of a call: sizes of frames, and framing, within what was declared.
    /// It does so when the call is up, and again when PPP has negotiated.
    #[doc(alias = "OID_WAN_CO_SET_LINK_INFO")]
    fn link_set(&self, call: &Call<Self>, link: &LinkInfo, irql: &mut UpToDispatch) {
        let _ = (call, link, irql);
    }

    /// NDISWAN has chosen what a call compresses, of what was [declared](Link::compression): after
    /// PPP has negotiated it, or again.
    #[doc(alias = "OID_WAN_CO_SET_COMP_INFO")]
    fn compression_set(
        &self,
        call: &Call<Self>,
        chosen: &CompressionInfo,
        irql: &mut UpToDispatch,
    ) {
        let _ = (call, chosen, irql);
    }

    /// As [`Miniport::pause`](crate::Miniport::pause): calls stay, data stop.
    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// As [`Miniport::restart`](crate::Miniport::restart).
    ///
    /// # Errors
    ///
    /// Leaves the adapter paused.
    fn restart(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        let _ = (adapter, irql);
        Ok(())
    }

    /// As [`Miniport::running`](crate::Miniport::running): frames may be handed up again.
    fn running(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// As [`Miniport::set_power`](crate::Miniport::set_power).
    fn set_power(&self, adapter: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        let _ = (adapter, state, irql);
    }

    /// As [`Miniport::oid_request`](crate::Miniport::oid_request), for what neither the layer nor
    /// the module answers.
    fn oid_request<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OidRequest<'r, Wan<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (adapter, irql);
        request.not_supported()
    }

    /// The same, about a call.
    fn call_oid_request<'r>(
        &self,
        call: &Call<Self>,
        request: OidRequest<'r, Wan<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (call, irql);
        request.not_supported()
    }

    /// As [`Miniport::oid_cancelled`](crate::Miniport::oid_cancelled).
    fn oid_cancelled(&self, adapter: &Adapter<Self>, id: RequestId, irql: &mut UpToDispatch) {
        let _ = (adapter, id, irql);
    }

    /// As [`Miniport::surprise_removed`](crate::Miniport::surprise_removed).
    fn surprise_removed(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// As [`Miniport::power_source`](crate::Miniport::power_source).
    fn power_source(&self, adapter: &Adapter<Self>, source: PowerSource, irql: &mut Passive) {
        let _ = (adapter, source, irql);
    }

    /// As [`Miniport::shutdown`](crate::Miniport::shutdown).
    fn shutdown(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }

    /// The adapter goes away: let go of everything that refers to it. Each call has ended.
    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = (adapter, irql);
    }
}

/// A WAN driver as a miniport call manager: what is given to
/// [`driver_entry!`](crate::driver_entry), or in a test to [`Entry::new`](crate::Entry::new). It
/// derefs to the driver.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::{Entry, wan::{Wan, WanMiniport}};
///
/// fn entry<W: WanMiniport>(driver: W) -> Entry<Wan<W>> {
///     Entry::new(Wan::new(driver))
/// }
/// ```
pub struct Wan<W>(W);

impl<W: WanMiniport> Wan<W> {
    /// Of a driver.
    pub const fn new(driver: W) -> Self {
        Self(driver)
    }
}

impl<W> ops::Deref for Wan<W> {
    type Target = W;
    fn deref(&self) -> &W {
        &self.0
    }
}

impl<W> fmt::Debug for Wan<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wan").finish_non_exhaustive()
    }
}
