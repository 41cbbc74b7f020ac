//! [`Frames`]: what NDISWAN sends on a call.

use super::{Wan, WanMiniport, call::Call};
use crate::{SendLists, Status};
use core::fmt;
use ndis_co::{
    armed::{Alarm, Armed},
    irql::{NoLock, UpToDispatch},
    nbl::{Lists, Packets, Parent, ParentError, Watch, Watched},
};

/// Frames that NDISWAN sends on a call, held by the driver until it completes them; counted then.
///
/// Each is PPP: address and control unless their compression was negotiated, protocol, data; no
/// flags, no checksum, no stuffing. Dropping them fails them.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, irql::UpToDispatch};
/// use ndis_mcm::wan::{Frames, WanMiniport};
///
/// fn send<W: WanMiniport>(frames: Frames<W>, wire: &mut [u8], irql: &mut UpToDispatch) {
///     let mut status = Status::SUCCESS;
///     for frame in frames.iter() {
///         if let Err(failure) = frame.copy_to(wire) {
///             status = failure;
///         }
///     }
///     frames.complete(status, irql);
/// }
/// ```
#[must_use = "dropped frames are failed"]
pub struct Frames<W: WanMiniport>(Armed<Sent<W>, Fail>);

struct Sent<W: WanMiniport> {
    call: Call<W>,
    lists: SendLists<Wan<W>>,
}

/// Frames were dropped.
struct Fail;

impl<W: WanMiniport> Alarm<Sent<W>> for Fail {
    fn lost(sent: Sent<W>) {
        sent.count(Status::FAILURE);
    }
}

impl<W: WanMiniport> Sent<W> {
    fn count(&self, status: Status) {
        count(&self.call, &self.lists, status);
    }
}

/// Counts frames, of which this has become.
fn count<W: WanMiniport>(call: &Call<W>, lists: &SendLists<Wan<W>>, status: Status) {
    let (mut frames, mut bytes) = (0_u64, 0_u64);
    for frame in lists.buffers() {
        frames = frames.wrapping_add(1);
        bytes = bytes.wrapping_add(frame.len() as u64);
    }
    let (call, adapter) = (&call.core().counters, call.adapter().statistics());
    if status.is_success() {
        call.sent(frames, bytes);
        adapter.sent(frames, bytes);
    } else {
        call.not_sent(frames);
        adapter.not_sent(frames);
    }
}

/// [`Frames`] of which clones are made: see [`Frames::into_parent`].
pub type FramesParent<W> = Parent<Watched<SendLists<Wan<W>>, Counts<W>>>;

/// Counts the frames of a call when their clones are gone.
#[doc(hidden)]
pub struct Counts<W: WanMiniport>(Call<W>);

impl<W: WanMiniport> Watch<SendLists<Wan<W>>> for Counts<W> {
    fn gone(self, lists: &SendLists<Wan<W>>, status: Status) {
        count(&self.0, lists, status);
    }
}

impl<W: WanMiniport> Frames<W> {
    pub(super) fn new(call: Call<W>, lists: SendLists<Wan<W>>) -> Self {
        Self(Armed::new(Sent { call, lists }))
    }

    /// Fails the lists with longer frames than that, which no driver need take (rule WAN-03).
    pub(super) fn without_longer(mut self, longest: usize, irql: &mut UpToDispatch) -> Self {
        let mut good = self.split_front(0);
        let mut long = self.split_front(0);
        while self.list_count() != 0 {
            let one = self.split_front(1);
            let fits = one.iter().all(|frame| frame.len() <= longest);
            // Of the same call, so this cannot fail.
            let _ = if fits { &mut good } else { &mut long }.append(one);
        }
        long.complete(Status::INVALID_LENGTH, irql);
        good
    }

    /// The call that they are of.
    #[must_use]
    pub fn call(&self) -> &Call<W> {
        &self.0.call
    }

    /// Looks at each frame, in the order in which they are to be sent.
    #[must_use]
    pub fn iter(&self) -> Packets<'_> {
        self.0.lists.buffers()
    }

    /// Looks at each list: one may have several frames.
    #[must_use]
    pub fn lists(&self) -> Lists<'_> {
        self.0.lists.iter()
    }

    /// How many lists there are.
    #[must_use]
    pub fn list_count(&self) -> usize {
        self.0.lists.len()
    }

    /// Takes the first lists.
    pub fn split_front(&mut self, lists: usize) -> Self {
        let call = self.0.call.clone();
        Self::new(call, self.0.lists.split_front(lists))
    }

    /// Appends later frames of the same call.
    ///
    /// # Errors
    ///
    /// Gives frames of another call back.
    pub fn append(&mut self, later: Self) -> Result<(), Self> {
        if !self.call().is(later.call()) {
            return Err(later);
        }
        let Sent { call, lists } = later.0.disarm();
        self.0
            .lists
            .append(lists)
            .map_err(|lists| Self::new(call, lists))
    }

    /// Gives the frames back, and counts them: as sent with [`Status::SUCCESS`], else as not sent.
    /// NDISWAN may send as many more, before this returns.
    #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
    pub fn complete(self, status: Status, irql: &mut impl NoLock) {
        let sent = self.0.disarm();
        sent.count(status);
        sent.lists.complete(status, irql);
    }

    /// Hands the frames up at another call, on whatever adapter, without copying them: a null modem,
    /// or a bridge, in one driver. They are given back, and counted as sent, when all that is above
    /// the other call has given them back there.
    ///
    /// NDISWAN gets each as [`Call::receive_lists`] hands it up, before this returns.
    ///
    /// # Errors
    ///
    /// Gives the frames back: [`Status::INVALID_PARAMETER`] for the call that they are of, for NDISWAN
    /// loops back by itself what is to be (rule [WAN-08]); [`Status::RESOURCES`], and as
    /// [`Call::receive_lists`].
    ///
    /// [WAN-08]: ndis_sys::rules#WAN-08
    pub fn forward(self, far: &Call<W>, irql: &mut impl NoLock) -> Result<(), ForwardError<W>> {
        if self.call().is(far) {
            let (frames, status) = (self, Status::INVALID_PARAMETER);
            return Err(ForwardError { frames, status });
        }
        let parent = self.into_parent().map_err(|refused| ForwardError {
            frames: refused.original,
            status: refused.status,
        })?;
        let done = match parent.allocate_packet_clones(&far.adapter().pool) {
            Ok(clones) => far.receive_lists(clones, irql).map_err(|refused| {
                refused.lists.free(irql);
                refused.status
            }),
            Err(status) => Err(status),
        };
        // With clones under way, the last of them gives them back.
        match (Self::from_parent(parent), done) {
            (Ok(frames), Ok(())) => frames.complete(Status::SUCCESS, irql),
            (Ok(frames), Err(status)) => return Err(ForwardError { frames, status }),
            (Err(_), _) => {}
        }
        Ok(())
    }

    /// Makes them the parent of clones, which go out without a copy. They are given back when the
    /// last clone has come back, and counted then: as sent when every clone came back with success,
    /// else as not sent.
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_co::{Status, irql::UpToDispatch, nbl::NetBufferListPool};
    /// use ndis_mcm::wan::{Call, Frames, WanMiniport};
    ///
    /// /// A cable between two calls: what one sends the other one receives.
    /// fn carry<W: WanMiniport>(
    ///     frames: Frames<W>,
    ///     far: &Call<W>,
    ///     pool: &NetBufferListPool,
    ///     irql: &mut UpToDispatch,
    /// ) {
    ///     // Frames that cannot be carried are dropped, which fails them.
    ///     let Ok(parent) = frames.into_parent() else { return };
    ///     if let Ok(clones) = parent.allocate_packet_clones(pool) {
    ///         let _ = far.receive_lists(clones, irql);
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the frames back, as [`Parent::try_new`].
    pub fn into_parent(self) -> Result<FramesParent<W>, ParentError<Self>> {
        let Sent { call, lists } = self.0.disarm();
        Parent::try_new(Watched::new(lists, Counts(call))).map_err(|refused| ParentError {
            original: Self::of(refused.original),
            status: refused.status,
        })
    }

    /// The frames of a parent that has no clone, or none any more that is under way.
    ///
    /// # Errors
    ///
    /// Gives a parent back that has one.
    pub fn from_parent(parent: FramesParent<W>) -> Result<Self, FramesParent<W>> {
        parent.into_original().map(Self::of)
    }

    fn of(watched: Watched<SendLists<Wan<W>>, Counts<W>>) -> Self {
        let (lists, Counts(call)) = watched.into_parts();
        Self::new(call, lists)
    }

    /// The lists themselves, counted as sent from here on.
    #[must_use]
    pub fn into_lists(self) -> SendLists<Wan<W>> {
        let sent = self.0.disarm();
        sent.count(Status::SUCCESS);
        sent.lists
    }
}

impl<W: WanMiniport> fmt::Debug for Frames<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("call", self.call())
            .field("lists", &self.list_count())
            .finish()
    }
}

/// Frames that the other call did not take, and why.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, irql::UpToDispatch};
/// use ndis_mcm::wan::{Call, Frames, WanMiniport};
///
/// /// A cable between two calls: what the far end does not take is lost there.
/// fn carry<W: WanMiniport>(frames: Frames<W>, far: &Call<W>, irql: &mut UpToDispatch) {
///     if let Err(refused) = frames.forward(far, irql) {
///         far.lost(refused.frames.iter().count() as u64);
///         refused.frames.complete(Status::SUCCESS, irql);
///     }
/// }
/// ```
pub struct ForwardError<W: WanMiniport> {
    /// The frames, as they were: to be completed, or handed on later.
    pub frames: Frames<W>,
    /// Why.
    pub status: Status,
}

impl<W: WanMiniport> fmt::Display for ForwardError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frames not handed on: {}", self.status)
    }
}

impl<W: WanMiniport> core::error::Error for ForwardError<W> {}

impl<W: WanMiniport> From<ForwardError<W>> for Status {
    fn from(refused: ForwardError<W>) -> Self {
        refused.status
    }
}

impl<W: WanMiniport> fmt::Debug for ForwardError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardError")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
