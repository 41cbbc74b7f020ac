//! [`Call`]: one call, from the moment at which it is dialled or offered to its end.

use super::{
    Adapter, Wan, WanMiniport,
    lines::Place,
    link::LinkParams,
    state::{CallCore, Direction},
};
use crate::{IndicateError, Status, Vc, WeakVc};
use core::{fmt, ops};
use ndis_co::{
    address::MAX_VARIABLE,
    irql::{Irql, NoLock},
    mem::{self, Arc},
    nbl::NetBufferLists,
    tapi::Disconnect,
    wan::{CompressionInfo, Fragment, FrameErrors, Framing, LinkInfo, Statistics},
};

/// A call: a counted reference that derefs to what the driver keeps for it.
///
/// It is there from [`Dial::pend`](super::Dial::pend) or [`offer`](super::Adapter#method.offer) to its
/// end, of which one of [`failed`](WanMiniport::failed), [`refused`](WanMiniport::refused) and
/// [`hang_up`](WanMiniport::hang_up) tells. A reference that is kept after that keeps the adapter
/// from being halted; a [weak](Self::downgrade) one keeps nothing.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::UpToDispatch, tapi::Disconnect};
/// use ndis_mcm::wan::{Call, WanMiniport};
///
/// /// A packet has come from the network for this call; an empty one says that the other end is gone.
/// fn came<W: WanMiniport>(call: &Call<W>, frame: &[u8], irql: &mut UpToDispatch) {
///     // Errors: there is no memory, or the call is over.
///     let _ = if frame.is_empty() {
///         call.hang_up(Disconnect::Normal, irql)
///     } else {
///         call.receive(frame, irql)
///     };
/// }
/// ```
pub struct Call<W: WanMiniport> {
    vc: Vc<Wan<W>>,
    core: Arc<CallCore<W>>,
}

impl<W: WanMiniport> Call<W> {
    pub(super) fn new(vc: Vc<Wan<W>>, core: Arc<CallCore<W>>) -> Self {
        Self { vc, core }
    }

    /// A call that begins on a VC.
    pub(super) fn begin(vc: Vc<Wan<W>>, core: Arc<CallCore<W>>) -> Self {
        core.set_number(vc.call_number());
        Self::new(vc, core)
    }

    /// The call that is on a VC.
    pub(super) fn on(vc: &Vc<Wan<W>>, irql: &mut impl Irql) -> Option<Self> {
        let core = vc.current(irql)?;
        Some(Self::new(vc.clone(), core))
    }

    pub(super) fn core(&self) -> &CallCore<W> {
        &self.core
    }

    pub(super) fn shared_core(&self) -> &Arc<CallCore<W>> {
        &self.core
    }

    pub(super) fn place(&self) -> Place {
        self.core.place
    }

    /// The call is over, and its address free. Called before the client knows, so that the VC has
    /// no other call yet.
    pub(super) fn end(&self) {
        if self.core.end() {
            drop(self.vc.current.take());
            self.adapter().release(self.place());
        }
    }

    /// The adapter that it is on.
    #[must_use]
    pub fn adapter(&self) -> &Adapter<W> {
        self.vc.base()
    }

    /// The VC that carries it.
    #[must_use]
    pub fn vc(&self) -> &Vc<Wan<W>> {
        &self.vc
    }

    /// Which way it goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.core.direction
    }

    /// The number of its line.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.core.place.line
    }

    /// The number of its address on the line.
    #[must_use]
    pub fn address(&self) -> u32 {
        self.core.place.address
    }

    /// Whether both are the same call.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// Whether data may flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.core.has_ended() && self.vc.is_connected()
    }

    /// Whether it has come to nothing, or has ended: its address may have another call.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.core.has_ended()
    }

    /// Hands a frame up to NDISWAN: PPP as it is, without what the driver puts around it on its
    /// network (rule [WAN-09]). It is copied, and counted.
    ///
    /// Nothing that was sent is handed up again (rule [WAN-08]): NDISWAN does that itself.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] for a frame of more than [`Link::longest`] bytes,
    /// [`Status::RESOURCES`], else as [`Vc::indicate_receive`]. The frame is counted as lost.
    ///
    /// [`Link::longest`]: super::Link::longest
    /// [WAN-08]: ndis_sys::rules#WAN-08
    /// [WAN-09]: ndis_sys::rules#WAN-09
    #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
    pub fn receive(&self, frame: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let sent = self
            .copy(frame)
            .and_then(|lists| self.indicate(lists, irql).map_err(|refused| refused.status));
        if sent.is_err() {
            self.lost(1);
        }
        sent
    }

    fn copy(&self, frame: &[u8]) -> Result<NetBufferLists, Status> {
        let adapter = self.adapter();
        if frame.len() > adapter.link.longest() {
            return Err(Status::INVALID_LENGTH);
        }
        let mut list = adapter.pool.allocate(frame.len())?;
        list.set_data(frame)?;
        Ok(list.into())
    }

    /// As [`receive`](Self::receive), with lists of the driver's own, one frame each: of a pool for
    /// receives, or clones of what it has. They come back through
    /// [`returned`](WanMiniport::returned).
    ///
    /// # Errors
    ///
    /// Gives the lists back, as [`Vc::indicate_receive`]. They are not counted then: see
    /// [`lost`](Self::lost).
    pub fn receive_lists(
        &self,
        lists: NetBufferLists,
        irql: &mut impl NoLock,
    ) -> Result<(), IndicateError> {
        let longest = self.adapter().link.longest();
        if lists.buffers().any(|frame| frame.len() > longest) {
            let status = Status::INVALID_LENGTH;
            return Err(IndicateError { lists, status });
        }
        self.indicate(lists, irql)
    }

    fn indicate(&self, lists: NetBufferLists, irql: &mut impl NoLock) -> Result<(), IndicateError> {
        if self.core.has_ended() {
            // The VC may have another call.
            let status = Status::CLOSING;
            return Err(IndicateError { lists, status });
        }
        // Now: they may be back, and freed, before the call returns.
        let (frames, bytes) = lists.buffers().fold((0, 0), |(frames, bytes), frame| {
            (frames + 1, bytes + frame.len() as u64)
        });
        if self.adapter().link.is_ppp_only() {
            self.core.detected(Framing::PPP, irql);
        }
        self.vc.indicate_receive(lists, irql)?;
        self.core.counters.received(frames, bytes);
        self.adapter().statistics().received(frames, bytes);
        Ok(())
    }

    /// So many frames came from the network and could not be taken, for want of memory, or because
    /// NDISWAN [took](Self::receive_lists) none: they are counted for the call and the adapter, as
    /// overruns of a buffer and as received without one. What [`receive`](Self::receive) refuses it
    /// counts itself.
    ///
    /// NDISWAN sees them when it asks. When it is to hear of each at once, which is worth while where
    /// the other end would wait for a frame, report it as [damaged](Self::damaged), by
    /// [`FrameErrors::BUFFER_OVERRUN`].
    #[doc(alias = "OID_GEN_CO_RCV_PDUS_NO_BUFFER")]
    pub fn lost(&self, frames: u64) {
        self.core.counters.lost(frames);
        self.adapter().statistics().lost(frames);
    }

    /// A frame came damaged from the network, and was dropped: it is counted, and NDISWAN hears of
    /// it.
    ///
    /// Each of the errors is counted, and the frame once, for the call and the adapter: as
    /// [lost](Self::lost) when it is [`FrameErrors::BUFFER_OVERRUN`] alone, for that is a driver
    /// that does not keep up, else as received with an error.
    #[doc(alias = "NDIS_STATUS_WAN_CO_FRAGMENT")]
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn damaged(&self, errors: FrameErrors, irql: &mut impl NoLock) {
        let adapter = self.adapter().statistics();
        if self.core.counters.damaged(errors) {
            adapter.lost(1);
        } else {
            adapter.received_wrong(1);
        }
        if !self.core.has_ended() {
            // An error: there is nobody who wants to know.
            let _ = self.vc.indicate(&Fragment { errors }, irql);
        }
    }

    /// A frame has come that shows which framing the other end has: NDISWAN hears of it when it
    /// asks, if it has let the link detect that (rule [WAN-06]).
    ///
    /// The module itself detects PPP where the driver has no other framing.
    ///
    /// [WAN-06]: ndis_sys::rules#WAN-06
    pub fn detected(&self, framing: Framing, irql: &mut impl Irql) {
        self.core.detected(framing, irql);
    }

    /// The other end has hung up, or the network has lost the call: NDISWAN and the application
    /// are told, and [`WanMiniport::hang_up`] is next. A call that is still dialled fails, and
    /// [`WanMiniport::failed`] is next.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when it is over, or its end is under way: nothing is left to do.
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    pub fn hang_up(&self, why: Disconnect, irql: &mut impl NoLock) -> Result<(), Status> {
        self.hang_up_with(why, &[], irql)
    }

    /// As [`hang_up`](Self::hang_up), with what the other end has sent along.
    ///
    /// The pages have a buffer for it, and leave open what NDPROXY does with it: TAPI's
    /// user-to-user information of a call that ends is nowhere tied to it. A call that is still
    /// dialled fails without it, for a refusal carries a status and nothing else; and one that is about
    /// to be offered is taken back without it.
    ///
    /// # Errors
    ///
    /// As there; [`Status::INVALID_LENGTH`] for more than
    /// [`MAX_VARIABLE`](ndis_co::address::MAX_VARIABLE) bytes, when nothing has happened, and
    /// [`Status::RESOURCES`] when it was hung up without the data.
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    pub fn hang_up_with(
        &self,
        why: Disconnect,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        if self.core.has_ended() {
            return Err(Status::CLOSING);
        }
        if let Some(waits) = self.core.take_waiting() {
            waits.refuse(why.status(), irql);
            return Ok(());
        }
        if u32::try_from(data.len()).map_or(true, |len| len > MAX_VARIABLE) {
            return Err(Status::INVALID_LENGTH);
        }
        // Before: it may be offered meanwhile, and who offers it looks afterwards.
        let kept = self.core.take_back(why.status(), irql);
        self.end_on_vc(why.status(), data, irql).or_else(|refused| {
            // It is no call of its VC's yet.
            let later = kept && refused == Status::CLOSING && !self.core.has_ended();
            later.then_some(()).ok_or(refused)
        })
    }

    /// The client hears that the call is over.
    fn end_on_vc(&self, status: Status, data: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        // The VC may have another call by now.
        let number = self.core.number();
        self.vc
            .dispatch_incoming_close_of(number, status, data, irql)
    }

    /// The call was offered: it is taken back when it was hung up before.
    pub(super) fn offered(&self, irql: &mut impl NoLock) {
        if let Some(status) = self.core.offered() {
            // An error: it is over.
            let _ = self.end_on_vc(status, &[], irql);
        }
    }

    /// What the link is at the moment.
    #[must_use]
    pub fn params(&self) -> LinkParams {
        self.core.params()
    }

    /// The link has become faster or slower, or has another window; with a window of zero NDISWAN
    /// sends nothing until the next change (rule [WAN-04]). NDISWAN is told at once, or when the
    /// call is up: then the module tells it [anyway](WanMiniport::connected).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the call is over.
    ///
    /// [WAN-04]: ndis_sys::rules#WAN-04
    #[doc(alias = "NDIS_STATUS_WAN_CO_LINKPARAMS")]
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn set_params(&self, params: LinkParams, irql: &mut impl NoLock) -> Result<(), Status> {
        if self.core.has_ended() {
            return Err(Status::CLOSING);
        }
        self.core.set_params(params);
        self.tell(irql);
        Ok(())
    }

    /// Tells NDISWAN what the link is, if there is something new. What cannot be told now is when
    /// the call is up, or with the next frame.
    pub(super) fn tell(&self, irql: &mut impl NoLock) {
        while let Some(params) = self.core.untold() {
            if self.vc.indicate(&params.to_ndis(), irql).is_err() {
                return self.core.not_told();
            }
            // Who has changed them meanwhile may have told that first.
            if self.core.params() == params {
                return;
            }
            self.core.not_told();
        }
    }

    /// NDISWAN sets the link: the first time it is told what that is in any case. NDPROXY lends it
    /// the VC only after the call is up, so nobody has heard what was told then.
    pub(super) fn tell_first_set(&self, irql: &mut impl NoLock) {
        self.core.first_set();
        self.tell(irql);
    }

    /// What NDISWAN has set: sizes and framing.
    #[must_use]
    #[doc(alias = "OID_WAN_CO_SET_LINK_INFO")]
    pub fn link(&self) -> LinkInfo {
        self.core.link()
    }

    /// What NDISWAN has chosen to be compressed of what the driver has
    /// [declared](super::Link::compression): nothing, until it has.
    #[must_use]
    #[doc(alias = "OID_WAN_CO_SET_COMP_INFO")]
    pub fn compression(&self) -> CompressionInfo {
        self.core.compression()
    }

    /// So many bytes were sent in so many fewer: for the counters of a driver that compresses
    /// (rule [WAN-07]).
    ///
    /// [WAN-07]: ndis_sys::rules#WAN-07
    #[doc(alias = "BytesTransmittedCompressed")]
    pub fn compressed(&self, bytes: u64, to: u64) {
        self.core.counters.compressed(bytes, to);
    }

    /// So many bytes were received as that many: likewise.
    #[doc(alias = "BytesReceivedCompressed")]
    pub fn expanded(&self, bytes: u64, to: u64) {
        self.core.counters.expanded(bytes, to);
    }

    /// The counters, as NDISWAN sees them.
    #[must_use]
    #[doc(alias = "OID_WAN_CO_GET_STATS_INFO")]
    pub fn statistics(&self) -> Statistics {
        self.core.counters.statistics()
    }

    /// A reference that does not keep the call.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn downgrade(&self) -> Result<WeakCall<W>, Status> {
        Ok(WeakCall {
            vc: self.vc.downgrade()?,
            core: Arc::downgrade(&self.core)?,
        })
    }
}

impl<W: WanMiniport> Clone for Call<W> {
    fn clone(&self) -> Self {
        Self::new(self.vc.clone(), self.core.clone())
    }
}

impl<W: WanMiniport> ops::Deref for Call<W> {
    type Target = W::Call;
    fn deref(&self) -> &W::Call {
        &self.core.context
    }
}

impl<W: WanMiniport> fmt::Debug for Call<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("direction", &self.direction())
            .field("line", &self.line())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// A [`Call`] that keeps nothing.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::UpToDispatch, tapi::Disconnect};
/// use ndis_mcm::wan::{WeakCall, WanMiniport};
///
/// /// The tunnel to this peer has gone, and with it the call, if there is one.
/// fn tunnel_gone<W: WanMiniport>(call: &WeakCall<W>, irql: &mut UpToDispatch) {
///     if let Some(call) = call.upgrade() {
///         let _ = call.hang_up(Disconnect::Unreachable, irql);
///     }
/// }
/// ```
pub struct WeakCall<W: WanMiniport> {
    vc: WeakVc<Wan<W>>,
    core: mem::Weak<CallCore<W>>,
}

impl<W: WanMiniport> WeakCall<W> {
    /// The call, as long as anybody has it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Call<W>> {
        Some(Call::new(self.vc.upgrade()?, self.core.upgrade()?))
    }

    /// Whether both refer to the same call, which may be over.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.core.ptr_eq(&other.core)
    }
}

impl<W: WanMiniport> Clone for WeakCall<W> {
    fn clone(&self) -> Self {
        Self {
            vc: self.vc.clone(),
            core: self.core.clone(),
        }
    }
}

impl<W: WanMiniport> fmt::Debug for WeakCall<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakCall").finish_non_exhaustive()
    }
}
