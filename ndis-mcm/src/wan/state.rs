//! What is kept for one call, and for a VC.
//!
//! A VC outlives a call: a client may place several in a row on one (rule [CALL-55]). So what
//! belongs to a call is an object of its own, which the VC refers to as long as there is that call.
//!
//! [CALL-55]: ndis_sys::rules#CALL-55

use super::{Wan, WanMiniport, counters::Counters, lines::Place, link::LinkParams};
use crate::{PendingMakeCall, Status};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use ndis_co::{
    irql::Irql,
    lock::SpinLock,
    mem::{Arc, Tag},
    tapi::CallOrigin,
    timer::Timer,
    wan::{CompressionInfo, Framing, LinkInfo},
};

/// Which way a call goes.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::{Call, Direction, WanMiniport};
///
/// fn may_call_back<W: WanMiniport>(call: &Call<W>) -> bool {
///     call.direction() == Direction::Incoming
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This machine calls.
    Outgoing,
    /// This machine is called.
    Incoming,
}

impl Direction {
    pub(super) const fn origin(self) -> CallOrigin {
        match self {
            Self::Outgoing => CallOrigin::OUTBOUND,
            Self::Incoming => CallOrigin::EXTERNAL,
        }
    }
}

/// The client who waits for the network, and for how long: see the module `deadline`.
pub(super) struct Waiting<W: WanMiniport, P = PendingMakeCall<Wan<W>>> {
    pub(super) waits: P,
    pub(super) deadline: Option<Deadline<W>>,
    /// How many expiries are under way of times that hold no more.
    pub(super) overtaken: u32,
}

/// The time that a driver has stated.
pub(super) struct Deadline<W: WanMiniport> {
    pub(super) timer: Timer<CallCore<W>>,
    pub(super) milliseconds: u32,
    /// It has begun, and was not stopped.
    pub(super) runs: bool,
}

/// Whether an application has been rung for a call, or who was to ring it has heard before that it is
/// over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offering {
    /// Nobody has heard of it.
    Before,
    /// It is taken back as soon as it is offered.
    TakenBack(Status),
    /// It was offered, or dialled.
    Done,
}

/// What is kept for one call.
#[doc(hidden)]
pub struct CallCore<W: WanMiniport> {
    pub(super) context: W::Call,
    pub(super) place: Place,
    pub(super) direction: Direction,
    pub(super) counters: Counters,
    /// Which of the VC's calls it is.
    number: AtomicU32,
    params: SpinLock<LinkParams>,
    /// NDISWAN has not heard of the parameters.
    untold: AtomicBool,
    /// NDISWAN has not set the link on this call yet.
    unset: AtomicBool,
    link: SpinLock<LinkInfo>,
    /// The next frame that comes in says what its framing is.
    detects: AtomicBool,
    /// It is over, and its address free.
    ended: AtomicBool,
    /// Who hangs it up may do so before it is offered.
    offering: SpinLock<Offering>,
    /// The client who waits for the network, unless that is answered.
    pub(super) dialing: SpinLock<Option<Waiting<W>>>,
    /// What NDISWAN has chosen to be compressed.
    compression: SpinLock<CompressionInfo>,
}

impl<W: WanMiniport> CallCore<W> {
    /// Gives the context back when there is no memory.
    pub(super) fn try_new(
        context: W::Call,
        place: Place,
        direction: Direction,
        params: LinkParams,
        link: LinkInfo,
    ) -> Result<Arc<Self>, W::Call> {
        let core = Self {
            context,
            place,
            direction,
            counters: Counters::default(),
            number: AtomicU32::new(0),
            params: SpinLock::new(params),
            untold: AtomicBool::new(true),
            unset: AtomicBool::new(true),
            link: SpinLock::new(link),
            detects: AtomicBool::new(is_open(&link)),
            ended: AtomicBool::new(false),
            offering: SpinLock::new(match direction {
                Direction::Incoming => Offering::Before,
                Direction::Outgoing => Offering::Done,
            }),
            dialing: SpinLock::new(None),
            compression: SpinLock::new(CompressionInfo::default()),
        };
        Arc::try_new_or_back(core, Tag::NDIS).map_err(|core| core.context)
    }

    /// Who waits, for whoever gives the answer.
    pub(super) fn take_waiting(&self) -> Option<PendingMakeCall<Wan<W>>> {
        self.dialing.take().map(|waiting| waiting.waits)
    }

    /// Which of the VC's calls it is.
    pub(super) fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    pub(super) fn set_number(&self, number: u32) {
        self.number.store(number, Ordering::Relaxed);
    }

    /// The call is over; whether it was not before.
    pub(super) fn end(&self) -> bool {
        !self.ended.swap(true, Ordering::SeqCst)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// The call is over for who hangs it up; whether that is to be said when it is offered.
    pub(super) fn take_back(&self, status: Status, irql: &mut impl Irql) -> bool {
        self.offering.with(irql, |offering, _| {
            let before = *offering == Offering::Before;
            if before {
                *offering = Offering::TakenBack(status);
            }
            before
        })
    }

    /// It was offered; why it is to be taken back, if it is.
    pub(super) fn offered(&self) -> Option<Status> {
        match self.offering.replace(Offering::Done) {
            Offering::TakenBack(status) => Some(status),
            Offering::Before | Offering::Done => None,
        }
    }

    pub(super) fn params(&self) -> LinkParams {
        self.params.get()
    }

    pub(super) fn set_params(&self, params: LinkParams) {
        self.params.set(params);
        self.not_told();
    }

    /// The parameters, if NDISWAN has not heard of them: it will now.
    pub(super) fn untold(&self) -> Option<LinkParams> {
        let untold =
            self.untold.load(Ordering::Relaxed) && self.untold.swap(false, Ordering::SeqCst);
        untold.then(|| self.params.get())
    }

    /// It has not.
    pub(super) fn not_told(&self) {
        self.untold.store(true, Ordering::SeqCst);
    }

    /// NDISWAN sets the link of this very call: before the first time it may have heard nothing.
    pub(super) fn first_set(&self) {
        if self.unset.load(Ordering::Relaxed) && self.unset.swap(false, Ordering::SeqCst) {
            self.not_told();
        }
    }

    pub(super) fn link(&self) -> LinkInfo {
        self.link.get()
    }

    /// NDISWAN has set the link. Without framing the link detects it (rule WAN-06).
    pub(super) fn set_link(&self, link: LinkInfo) {
        self.link.set(link);
        self.detects.store(is_open(&link), Ordering::SeqCst);
    }

    pub(super) fn compression(&self) -> CompressionInfo {
        self.compression.get()
    }

    pub(super) fn set_compression(&self, chosen: CompressionInfo) {
        self.compression.set(chosen);
    }

    /// A frame has come in that has this framing.
    pub(super) fn detected(&self, framing: Framing, irql: &mut impl Irql) {
        if self.detects.load(Ordering::Relaxed) && self.detects.swap(false, Ordering::SeqCst) {
            self.link.with(irql, |link, _| {
                link.send_framing = framing;
                link.receive_framing = framing;
            });
        }
    }
}

/// Whether a link is to detect its framing.
fn is_open(link: &LinkInfo) -> bool {
    link.receive_framing.is_empty()
}

/// What is kept for a VC: the call on it.
#[doc(hidden)]
pub struct OnVc<W: WanMiniport> {
    pub(super) current: SpinLock<Option<Arc<CallCore<W>>>>,
    /// Where the last call came from that was on it.
    origin: SpinLock<Option<CallOrigin>>,
}

impl<W: WanMiniport> OnVc<W> {
    pub(super) fn new() -> Self {
        Self {
            current: SpinLock::new(None),
            origin: SpinLock::new(None),
        }
    }

    /// The call on it.
    pub(super) fn current(&self, irql: &mut impl Irql) -> Option<Arc<CallCore<W>>> {
        self.current.with(irql, |current, _| current.clone())
    }

    /// A call begins.
    pub(super) fn begin(&self, call: Arc<CallCore<W>>) {
        self.origin.set(Some(call.direction.origin()));
        self.current.set(Some(call));
    }

    /// Where the last call came from.
    pub(super) fn origin(&self) -> Option<CallOrigin> {
        self.origin.get()
    }
}
