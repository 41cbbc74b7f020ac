//! [`Parent`]: the same data on another way without copying it, and the list
//! that it came in given back when the last clone has come home.
//!
//! NDIS has two demands on whoever derives lists from others: the parent stays
//! with the driver and is given back only after its last child is freed, and
//! the data stays as it is meanwhile (rules NBL-36, NBL-44). Both follow from
//! ownership here: a clone holds a share of its parent, and nothing that can
//! be had from either of them writes.

use super::{
    Chain, ListView, Lists, NetBufferList, NetBufferListPool, NetBufferLists, Packets,
    fields::{self, Side},
    list::Kind,
};
use crate::{
    Status,
    irql::UpToDispatch,
    mem::{Box, Tag},
};
use core::{
    cell::Cell,
    ffi::c_void,
    fmt,
    marker::PhantomData,
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering, fence},
};
use ndis_sys::NET_BUFFER_LIST;

/// What clones can be made of: lists in this driver's hands, with the way in
/// which they go back.
///
/// It is implemented by [`NetBufferLists`], by
/// [`Kept`](crate::client::Kept) and by `ndis_mcm::SendLists`.
///
/// # Safety
///
/// From `chain` on, the lists are this driver's to read, and nobody changes
/// them or their data, until [`clones_gone`](Self::clones_gone) or the drop of
/// the value gives them back; moving the value leaves them where they are.
pub unsafe trait Original: Send + Sized + 'static {
    /// The lists, always the same ones.
    fn chain(&self) -> &Chain;

    /// Whether clones of these lists can be made.
    fn can_be_parent(&self) -> bool {
        true
    }

    /// Gives the lists back: the last clone is freed.
    ///
    /// `status` says what became of the clones, success only when all of them
    /// were handed on and came back with success. Without a level the code
    /// that runs is a destructor's.
    fn clones_gone(self, status: Status, irql: Option<&mut UpToDispatch>);
}

// SAFETY: by OWN-ALL the lists are this driver's own and in its hands, and
// behind this value nobody reaches them.
unsafe impl Original for NetBufferLists {
    fn chain(&self) -> &Chain {
        NetBufferLists::chain(self)
    }

    /// Not clones themselves: freeing generations of them has no bound.
    fn can_be_parent(&self) -> bool {
        let mut clones = false;
        self.chain().for_each_raw(|list| {
            // SAFETY: by OWN-ALL the list is as OWN says; lent for this look,
            // and not dropped.
            let list =
                core::mem::ManuallyDrop::new(unsafe { NetBufferList::from_raw(list, self.side()) });
            clones |= list.is_clone();
        });
        !clones
    }

    fn clones_gone(self, _status: Status, _irql: Option<&mut UpToDispatch>) {
        drop(self);
    }
}

/// What clones share: the original, and what became of them so far.
///
/// # Invariants
///
/// SHARE: the memory is a leaked [`Box`]; `count` is the number of [`Parent`]s
/// and [`Origin`]s with its address, and whoever counts it down to zero frees
/// it.
struct Shared<O> {
    count: AtomicUsize,
    /// The first failure of a clone, or success.
    failure: AtomicI32,
    /// Whether there ever was a clone.
    cloned: AtomicBool,
    original: O,
}

/// A clone's share of its parent, whatever that is.
pub(super) struct Origin {
    /// A share as SHARE says.
    shared: *mut c_void,
    release: unsafe fn(*mut c_void, Status, Option<&mut UpToDispatch>),
    /// The list that the clone is of; lives as long as the share.
    list: *mut NET_BUFFER_LIST,
}

impl Origin {
    /// The clone is freed.
    pub(super) fn release(self, status: Status, irql: Option<&mut UpToDispatch>) {
        // SAFETY: the parent is in this driver's hands as long as the share.
        unsafe { fields::count_child(self.list, -1) };
        // SAFETY: the function of the very type that the share is of, which it
        // takes.
        unsafe { (self.release)(self.shared, status, irql) };
    }
}

/// Gives up a share; with the last one the original goes back.
///
/// # Safety
///
/// `shared` is a share of a `Shared<O>`, handed over.
unsafe fn release<O: Original>(
    shared: *mut c_void,
    status: Status,
    irql: Option<&mut UpToDispatch>,
) {
    let shared: *mut Shared<O> = shared.cast();
    // SAFETY: by SHARE the memory lives until the count is zero.
    let entry = unsafe { &*shared };
    if !status.is_success() {
        // Only the first failure counts.
        let _ = entry.failure.compare_exchange(
            Status::SUCCESS.raw(),
            status.raw(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
    if entry.count.fetch_sub(1, Ordering::Release) != 1 {
        return;
    }
    fence(Ordering::Acquire);
    // SAFETY: by SHARE this was the last share of the leaked box.
    let inner = Box::into_inner(unsafe { Box::from_leaked(shared) });
    let failure = Status::from_raw(inner.failure.into_inner());
    let status = match inner.cloned.into_inner() {
        true => failure,
        false => Status::FAILURE,
    };
    inner.original.clones_gone(status, irql);
}

/// Lists of which clones are made: to send or indicate the same data on
/// another way, without copying it.
///
/// The clones are lists of this driver, and they go and come back as others
/// do. Each holds a share of this parent, so the original lists are given back
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
/// # use ndis_co::{Status, client::{Client, Kept, Unsent, Vc}, irql::UpToDispatch, nbl::*};
/// /// Sends on another call what came in on one, without copying.
/// fn relay<C: Client>(
///     kept: Kept<C>,
///     to: &Vc<C>,
///     pool: &NetBufferListPool,
///     irql: &mut UpToDispatch,
/// ) -> Result<(), Status> {
///     let parent = Parent::try_new(kept)?;
///     to.send(parent.allocate_clones(pool)?, irql)?;
///     // What was kept is given back when the last clone has come home.
///     Ok(())
/// }
/// # use ndis_host as _;
/// ```
///
/// Source pages: `nf-nblapi-ndisallocateclonenetbufferlist`,
/// `nf-nblapi-ndisfreeclonenetbufferlist`.
#[doc(alias = "ParentNetBufferList")]
pub struct Parent<O: Original> {
    /// A share as SHARE says.
    shared: *mut Shared<O>,
    /// Views of the lists stay on one thread (VIEW).
    _one_thread: PhantomData<Cell<()>>,
}

// SAFETY: a share moves with this value; the original behind it is `Send`, and
// reached through this one value only until the last share takes it out.
unsafe impl<O: Original> Send for Parent<O> {}

/// Lists of which no clones can be made, and why.
pub struct NoParent<O> {
    /// The lists, as they were.
    pub original: O,
    /// Why.
    pub status: Status,
}

impl<O> From<NoParent<O>> for Status {
    fn from(refused: NoParent<O>) -> Self {
        refused.status
    }
}

impl<O> fmt::Debug for NoParent<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoParent")
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
    pub fn try_new(original: O) -> Result<Self, NoParent<O>> {
        if !original.can_be_parent() {
            return Err(NoParent {
                original,
                status: Status::INVALID_PARAMETER,
            });
        }
        // The memory first, so that the lists are not lost without.
        match Box::try_new(MaybeUninit::uninit(), Tag::NDIS) {
            Ok(mut shared) => {
                shared.write(Shared {
                    count: AtomicUsize::new(1),
                    failure: AtomicI32::new(Status::SUCCESS.raw()),
                    cloned: AtomicBool::new(false),
                    original,
                });
                Ok(Self {
                    shared: shared.leak().cast(),
                    _one_thread: PhantomData,
                })
            }
            Err(error) => Err(NoParent {
                original,
                status: error.into(),
            }),
        }
    }

    fn shared(&self) -> &Shared<O> {
        // SAFETY: by SHARE the memory lives as long as this share.
        unsafe { &*self.shared }
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.shared().original.chain().views()
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
        if self.shared().count.load(Ordering::Acquire) != 1 {
            return Err(self);
        }
        let this = core::mem::ManuallyDrop::new(self);
        // SAFETY: by SHARE this is the only share, and only shares make more;
        // `this` is not dropped.
        let shared = Box::into_inner(unsafe { Box::from_leaked(this.shared) });
        Ok(shared.original)
    }

    /// One more share, for a clone of `list`.
    fn origin(&self, list: *mut NET_BUFFER_LIST) -> Origin {
        let before = self.shared().count.fetch_add(1, Ordering::Relaxed);
        if before > usize::MAX / 2 {
            crate::bugcheck::bug_check(crate::bugcheck::Reason::RefCountOverflow);
        }
        // SAFETY: the parent is in this driver's hands as long as the share.
        unsafe { fields::count_child(list, 1) };
        Origin {
            shared: self.shared.cast(),
            release: release::<O>,
            list,
        }
    }

    /// Makes a clone of each list, with the same packets: their data is not
    /// copied.
    ///
    /// At or below DISPATCH_LEVEL. A clone begins where the data begins: what
    /// is unused in front of it does not belong to the clone.
    ///
    /// Source page: `nf-nblapi-ndisallocateclonenetbufferlist`.
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
        // SAFETY: by the contract of `Original` the list is in this driver's
        // hands, with all that belongs to it; its share of the parent goes
        // into the clone's backing.
        let raw = unsafe { pool.clone_raw(list.as_raw()) };
        if raw.is_null() {
            return Err(Status::RESOURCES);
        }
        // SAFETY: just made as a clone without flags, and ours alone.
        let adopted = unsafe { pool.adopt(raw, || Kind::Clone(self.origin(list.as_raw()))) };
        let Some(clone) = adopted else {
            // SAFETY: as above, freed once.
            unsafe { ndis_sys::NdisFreeCloneNetBufferList(raw, 0) };
            return Err(Status::RESOURCES);
        };
        self.mark(clone, list, clones)
    }

    /// Makes a list for each packet, over the packet's own MDLs: their data is
    /// not copied.
    ///
    /// This is what an MCM needs that indicates what it was sent: received
    /// lists carry one packet each (rule NBL-35). It is for indicating only:
    /// drivers below a sender may put headers into what is unused in front of
    /// the data, which here is the original's.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: `nf-nblapi-ndisallocatenetbuffer`,
    /// `nf-nblapi-ndisallocatenetbufferlist`.
    ///
    /// # Errors
    ///
    /// As [`allocate_clones`](Self::allocate_clones), [`Status::RESOURCES`]
    /// when Windows cannot map the data, and [`Status::INVALID_PARAMETER`] for
    /// a pool for sends.
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
            // SAFETY: by the contract of `Original` the packet and its MDLs
            // are in this driver's hands, and stay as long as the share of the
            // parent that goes into the list's backing.
            let raw = unsafe { pool.list_over(buffer.as_raw()) };
            if raw.is_null() {
                return Err(Status::RESOURCES);
            }
            // SAFETY: just made of one buffer of the pool, and ours alone.
            let adopted = unsafe { pool.adopt(raw, || Kind::Packet(self.origin(list.as_raw()))) };
            let Some(clone) = adopted else {
                // SAFETY: as above, freed once.
                unsafe { NetBufferListPool::free_list_over(raw) };
                return Err(Status::RESOURCES);
            };
            self.mark(clone, list, clones)?;
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
        let raw = clone.view().as_raw();
        // SAFETY: the clone is ours alone (rule NBL-36).
        unsafe { fields::set_parent(raw, parent.as_raw()) };
        // SAFETY: as above.
        unsafe { fields::set_status(raw, Status::FAILURE.raw()) };
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
                self.shared().cloned.store(true, Ordering::Relaxed);
                Ok(clones)
            }
            Err(failure) => {
                clones.chain().for_each_raw(|list| {
                    // SAFETY: the clones are ours and in our hands. They are
                    // not to be seen as a failure of the others.
                    unsafe { fields::set_status(list, Status::SUCCESS.raw()) };
                });
                drop(clones);
                Err(failure)
            }
        }
    }
}

impl<O: Original> Drop for Parent<O> {
    fn drop(&mut self) {
        // SAFETY: by SHARE this value's share, given up once.
        unsafe { release::<O>(self.shared.cast(), Status::SUCCESS, None) };
    }
}

impl<O: Original> fmt::Debug for Parent<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
