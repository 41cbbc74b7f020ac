//! [`Parent`]: the same data on another way without copying it, and the list
//! that it came in given back when the last clone is back.
//!
//! NDIS has two demands on whoever derives lists from others: the parent stays
//! with the driver and is given back only after its last child is freed, and
//! the data stays as it is meanwhile (rules NBL-36, NBL-44). Both follow from
//! ownership here: a clone holds a reference to its parent, and nothing that can
//! be had from either of them writes.

use super::{
    Chain, ListView, Lists, NetBufferList, NetBufferListPool, NetBufferLists, Packets,
    fields::{At, Hand, Side, set_status},
    list::Kind,
    origin::Origin,
};
use crate::{
    Status,
    armed::{Alarm, Armed},
    irql::UpToDispatch,
    mem::{Arc, Tag, Vacant},
    raw::Token,
};
use core::{
    cell::Cell,
    ffi::c_void,
    fmt,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
};

pub(crate) mod sealed {
    /// Original lists are this crate's types: only these know whether clones of theirs can
    /// be made.
    pub trait Sealed {}
}

/// What clones can be made of: lists in this driver's hands, with the way in
/// which they go back.
///
/// It is implemented by [`NetBufferLists`], by
/// [`Kept`](crate::client::Kept) and by `ndis_mcm::SendLists`; and by each of them with somebody who
/// hears what became of the clones, as [`Watched`](super::Watched).
///
/// The lists are in the value's [`Chain`], so they stay in this driver's hands until
/// [`clones_gone`](Self::clones_gone) or the drop of the value gives them back.
///
/// ```
/// # use ndis_co::{Status, nbl::{NetBufferListPool, NetBufferLists, Original, Parent}};
/// # use ndis_host as _;
/// /// Clones of whatever may be shown a second time: lists of one's own, kept or sent ones.
/// fn clones<O: Original>(original: O, pool: &NetBufferListPool) -> Result<NetBufferLists, Status> {
///     // The original goes its way when the last clone has come back.
///     Parent::try_new(original)?.allocate_clones(pool)
/// }
/// ```
pub trait Original: sealed::Sealed + Send + Sized + 'static {
    /// The lists.
    fn chain(&self) -> &Chain;

    /// Whether clones of these lists can be made.
    fn can_be_parent(&mut self) -> bool {
        true
    }

    /// Gives the lists back: the last clone is freed.
    ///
    /// `status` says what became of the clones, success only when all of them
    /// were handed on and came back with success. Without a level the code
    /// that runs is a destructor's.
    fn clones_gone(self, status: Status, irql: Option<&mut UpToDispatch>);
}

impl sealed::Sealed for NetBufferLists {}

impl Original for NetBufferLists {
    fn chain(&self) -> &Chain {
        NetBufferLists::chain(self)
    }

    /// Not clones themselves: freeing generations of them has no bound.
    fn can_be_parent(&mut self) -> bool {
        let mut clones = false;
        for _ in 0..self.len() {
            let Some(list) = self.pop_front() else { break };
            clones |= list.is_clone();
            // It is as it was, so it is not refused.
            let _ = self.push_back(list);
        }
        !clones
    }

    fn clones_gone(self, _status: Status, _irql: Option<&mut UpToDispatch>) {
        drop(self);
    }
}

/// What clones have in common: the original, and what became of them so far.
struct Shared<O> {
    /// The first failure of a clone, or success.
    failure: AtomicI32,
    /// Whether there ever was a clone.
    cloned: AtomicBool,
    original: Sole<O>,
}

/// What one thread at a time reaches: that of the one [`Parent`], until whoever has the
/// last reference takes it out.
struct Sole<O>(O);

// SAFETY: [`Parent`] is neither `Sync` nor `Clone`, and the one that lends it.
unsafe impl<O: Send> Sync for Sole<O> {}

/// Gives up the reference of a clone.
///
/// # Safety
///
/// `shared` is a reference as ORIGIN says, handed over.
unsafe fn release<O: Original>(
    shared: *mut c_void,
    status: Status,
    irql: Option<&mut UpToDispatch>,
) {
    // SAFETY: by the caller.
    if let Some(shared) = unsafe { Arc::<Shared<O>>::from_raw(shared) } {
        give_up(shared, status, irql);
    }
}

/// Gives up a reference; with the last one the original goes back.
fn give_up<O: Original>(shared: Arc<Shared<O>>, status: Status, irql: Option<&mut UpToDispatch>) {
    if !status.is_success() {
        // Only the first failure counts.
        let _ = shared.failure.compare_exchange(
            Status::SUCCESS.raw(),
            status.raw(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
    let Some(inner) = Arc::into_inner(shared) else {
        return;
    };
    let failure = Status::from_raw(inner.failure.into_inner());
    let status = match inner.cloned.into_inner() {
        true => failure,
        false => Status::FAILURE,
    };
    inner.original.0.clones_gone(status, irql);
}

/// Lists of which clones are made: to send or indicate the same data on
/// another way, without copying it.
///
/// The clones are lists of this driver, and they go and come back as others
/// do. Each holds a reference to this parent, so the original lists are given back
/// when this value and the last clone are gone, and not before:
/// [`NetBufferLists`] are freed, a client's [`Kept`](crate::client::Kept) are
/// returned, an MCM's `SendLists` are completed, with success when every clone
/// was handed on and came back with success.
///
/// | the clones | made by |
/// |---|---|
/// | to send: a list for each list, with as many packets | [`allocate_clones`](Self::allocate_clones) |
/// | to indicate: a list for each packet, as received lists must be | [`allocate_packet_clones`](Self::allocate_packet_clones) |
///
/// Clones can be looked at, but not written. No clone is made of clones of
/// this driver; of a clone that another driver sent or indicated there is.
///
/// ```
/// # use ndis_co::{Status, client::{Client, Kept, Vc}, irql::UpToDispatch, nbl::*};
/// /// Sends on another call what came in on one, without copying.
/// fn relay<C: Client>(
///     kept: Kept<C>,
///     to: &Vc<C>,
///     pool: &NetBufferListPool,
///     irql: &mut UpToDispatch,
/// ) -> Result<(), Status> {
///     let parent = Parent::try_new(kept)?;
///     to.send(parent.allocate_clones(pool)?, irql)?;
///     // What was kept is given back when the last clone is back.
///     Ok(())
/// }
/// # use ndis_host as _;
/// ```
///
/// Source pages: [`NdisAllocateCloneNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocateclonenetbufferlist),
/// [`NdisFreeCloneNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreeclonenetbufferlist).
#[doc(alias = "ParentNetBufferList")]
pub struct Parent<O: Original> {
    /// There until this is dropped or taken apart.
    shared: Armed<Arc<Shared<O>>, Dropped>,
    /// Views of the lists stay on one thread (AT).
    _one_thread: PhantomData<Cell<()>>,
}

/// What becomes of a parent that is dropped.
enum Dropped {}

impl<O: Original> Alarm<Arc<Shared<O>>> for Dropped {
    fn lost(shared: Arc<Shared<O>>) {
        give_up(shared, Status::SUCCESS, None);
    }
}

/// Lists of which no clones can be made, and why.
///
/// ```
/// # use ndis_co::{channel::{Channel, SendLists}, irql::UpToDispatch, nbl::Parent};
/// # use ndis_host as _;
/// /// Lists that cannot be cloned are completed with the reason.
/// fn parent<V: Channel>(lists: SendLists<V>, irql: &mut UpToDispatch) -> Option<Parent<SendLists<V>>> {
///     match Parent::try_new(lists) {
///         Ok(parent) => Some(parent),
///         Err(refused) => {
///             refused.original.complete(refused.status, irql);
///             None
///         }
///     }
/// }
/// ```
pub struct ParentError<O> {
    /// The lists, as they were.
    pub original: O,
    /// Why.
    pub status: Status,
}

impl<O> fmt::Display for ParentError<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no parent of clones: {}", self.status)
    }
}

impl<O> core::error::Error for ParentError<O> {}

impl<O> From<ParentError<O>> for Status {
    fn from(refused: ParentError<O>) -> Self {
        refused.status
    }
}

impl<O> fmt::Debug for ParentError<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParentError")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl<O: Original> Parent<O> {
    /// Takes over lists that are to be cloned.
    ///
    /// # Errors
    ///
    /// Gives them back with [`Status::RESOURCES`], or
    /// [`Status::INVALID_PARAMETER`] when they are clones of this driver.
    pub fn try_new(mut original: O) -> Result<Self, ParentError<O>> {
        if !original.can_be_parent() {
            return Err(ParentError {
                original,
                status: Status::INVALID_PARAMETER,
            });
        }
        let shared = Shared {
            failure: AtomicI32::new(Status::SUCCESS.raw()),
            cloned: AtomicBool::new(false),
            original: Sole(original),
        };
        match Arc::try_new_or_back(shared, Tag::NDIS) {
            Ok(shared) => Ok(Self::new(shared)),
            Err(shared) => Err(ParentError {
                original: shared.original.0,
                status: Status::RESOURCES,
            }),
        }
    }

    fn new(shared: Arc<Shared<O>>) -> Self {
        Self {
            shared: Armed::new(shared),
            _one_thread: PhantomData,
        }
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.shared.original.0.chain().views()
    }

    /// Looks at each packet of each list, in order.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }

    /// The lists, when there is no clone of them.
    ///
    /// # Errors
    ///
    /// Gives the parent back when there is one.
    pub fn into_original(self) -> Result<O, Self> {
        match Arc::try_unwrap(self.shared.disarm()) {
            Ok(shared) => Ok(shared.original.0),
            Err(shared) => Err(Self::new(shared)),
        }
    }

    /// One more reference, for a clone of `list`.
    fn origin(&self, list: ListView<'_>) -> Origin {
        let shared = Token(Arc::into_raw(Arc::clone(&self.shared)));
        // SAFETY: a reference of its own, which the function takes; the list is one of the
        // original's.
        unsafe { Origin::new(shared, release::<O>, list.at()) }
    }

    /// Makes a clone of each list, with the same packets: their data is not
    /// copied.
    ///
    /// At or below DISPATCH_LEVEL. A clone begins where the data begins: what
    /// is unused in front of it does not belong to the clone.
    ///
    /// Source page: [`NdisAllocateCloneNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocateclonenetbufferlist).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`]; [`Status::INVALID_DATA`] when the MDLs of a
    /// packet hold less than it says. No clone is left then, and what becomes
    /// of other clones is not affected.
    #[doc(alias = "NdisAllocateCloneNetBufferList")]
    #[doc(alias = "NdisFreeCloneNetBufferList")]
    pub fn allocate_clones(&self, pool: &NetBufferListPool) -> Result<NetBufferLists, Status> {
        let mut clones = NetBufferLists::new(pool.side());
        let made = self
            .iter()
            .try_for_each(|list| self.clone_list(list, pool, &mut clones));
        self.finish(clones, made)
    }

    fn clone_list(
        &self,
        list: ListView<'_>,
        pool: &NetBufferListPool,
        clones: &mut NetBufferLists,
    ) -> Result<(), Status> {
        for buffer in list {
            // NDIS would follow a length that lies (rule NBL-40).
            buffer.check()?;
            buffer.check_start()?;
        }
        let backing = Vacant::try_new(Tag::NDIS)?;
        let (lists, buffers) = pool.handles();
        // SAFETY: the pool's handles are valid; the list is in this driver's hands, with all
        // that belongs to it, until the reference in the clone's backing is given up (rule
        // NBL-36). Without flags the clone has MDLs of its own.
        let clone = unsafe {
            ndis_sys::NdisAllocateCloneNetBufferList(list.at().as_raw(), lists, buffers, 0)
        };
        // SAFETY: just allocated, or null.
        let clone = unsafe { Hand::from_raw(clone) }.ok_or(Status::RESOURCES)?;
        // SAFETY: just made as a clone without flags.
        let clone = unsafe { pool.adopt(clone, backing, Kind::Clone(self.origin(list))) };
        self.mark(clone, list, clones)
    }

    /// Makes a list for each packet, over the packet's own MDLs: their data is
    /// not copied.
    ///
    /// This is what an MCM needs that indicates what it was sent: received
    /// lists carry one packet each (rule [NBL-35]). It is for indicating only:
    /// drivers below a sender may put headers into what is unused in front of
    /// the data, which here is the original's.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: [`NdisAllocateNetBuffer`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbuffer),
    /// [`NdisAllocateNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbufferlist).
    ///
    /// # Errors
    ///
    /// As [`allocate_clones`](Self::allocate_clones), [`Status::RESOURCES`]
    /// when Windows cannot map the data, and [`Status::INVALID_PARAMETER`] for
    /// a pool for sends.
    ///
    /// [NBL-35]: ndis_sys::rules#NBL-35
    #[doc(alias = "NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS")]
    pub fn allocate_packet_clones(
        &self,
        pool: &NetBufferListPool,
    ) -> Result<NetBufferLists, Status> {
        if pool.side() != Side::Miniport {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut clones = NetBufferLists::new(pool.side());
        let made = self
            .iter()
            .try_for_each(|list| self.clone_packets(list, pool, &mut clones));
        self.finish(clones, made)
    }

    fn clone_packets(
        &self,
        list: ListView<'_>,
        pool: &NetBufferListPool,
        clones: &mut NetBufferLists,
    ) -> Result<(), Status> {
        for buffer in list {
            // Mapped here, by the one thread that has the packet: the clones
            // share its MDLs, and two threads must not map one at a time.
            for segment in buffer.segments() {
                segment?;
            }
            let backing = Vacant::try_new(Tag::NDIS)?;
            let empty = pool.empty_list()?;
            let packet = buffer.at();
            // Without data there need be no MDL.
            let (mdl, offset) = match buffer.is_empty() {
                true => (ptr::null_mut(), 0),
                false => (
                    packet.current_mdl().map_or(ptr::null_mut(), At::as_raw),
                    packet.current_mdl_offset(),
                ),
            };
            // SAFETY: the MDLs hold the data, for all of it was looked at (rule NBL-40), and
            // stay in this driver's hands as the list does, see `clone_list`.
            match unsafe { pool.buffer_over(mdl, offset, buffer.len()) } {
                Ok(packet) => {
                    let mut made = empty.into_hand();
                    made.set_first_buffer(Some(packet));
                    let kind = Kind::Packet(self.origin(list));
                    // SAFETY: just made of one buffer of the pool.
                    let clone = unsafe { pool.adopt(made, backing, kind) };
                    self.mark(clone, list, clones)?;
                }
                Err(status) => {
                    empty.free();
                    return Err(status);
                }
            }
        }
        Ok(())
    }

    /// Notes in a new clone what it is of, and that it went nowhere yet.
    fn mark(
        &self,
        clone: NetBufferList,
        parent: ListView<'_>,
        clones: &mut NetBufferLists,
    ) -> Result<(), Status> {
        clone.view().at().set_parent(parent.at().as_raw());
        set_status(clone.view().at(), Status::FAILURE.raw());
        // Both are for the pool's direction.
        clones
            .push_back(clone)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn finish(
        &self,
        clones: NetBufferLists,
        made: Result<(), Status>,
    ) -> Result<NetBufferLists, Status> {
        match made {
            Ok(()) => {
                self.shared.cloned.store(true, Ordering::Relaxed);
                Ok(clones)
            }
            Err(failure) => {
                // They are not to be seen as a failure of the others.
                let success = Status::SUCCESS.raw();
                clones
                    .chain()
                    .for_each_raw(|list| set_status(list, success));
                drop(clones);
                Err(failure)
            }
        }
    }
}

impl<O: Original> fmt::Debug for Parent<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
