//! [`NetBufferListPool`]: where this driver's own lists and packets come from.

use super::{
    buffer::{self, NetBuffer},
    fields::{At, Backed, Hand, Side, Slot, store},
    list::{Backing, Kind, NetBufferList},
};
use crate::{
    Status,
    mem::{Anchored, Arc, Parent, Tag, Vacant, Vec},
    owner::{Live, Owner},
    raw::Token,
};
use core::{fmt, ptr};
use ndis_sys::{
    MDL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_POOL_PARAMETERS,
    NET_BUFFER_POOL_PARAMETERS,
};

/// A pool of lists and of packets, for one direction.
///
/// What is allocated from it keeps it alive, and the pool its owner: an
/// adapter is not halted and a binding not closed before every list has come
/// home (rules [HALT-07], [DV-17]).
///
/// | to get | use |
/// |---|---|
/// | a list with one packet | [`allocate`](Self::allocate) |
/// | the same, with room for headers in front | [`allocate_with_headroom`](Self::allocate_with_headroom) |
/// | a packet by itself, for a list of several | [`allocate_buffer`](Self::allocate_buffer) |
/// | a list without packets | [`allocate_list`](Self::allocate_list) |
/// | lists of someone else's packets, uncopied | [`Parent`](super::Parent) |
///
/// Source pages: [`NdisAllocateNetBufferListPool`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbufferlistpool),
/// [`NdisFreeNetBufferListPool`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreenetbufferlistpool),
/// [`NdisAllocateNetBufferPool`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbufferpool),
/// [`NdisFreeNetBufferPool`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreenetbufferpool).
///
/// [DV-17]: ndis_sys::rules#DV-17
/// [HALT-07]: ndis_sys::rules#HALT-07
#[derive(Clone)]
#[doc(alias = "NdisAllocateNetBufferListPool")]
#[doc(alias = "NdisFreeNetBufferListPool")]
#[doc(alias = "NdisAllocateNetBufferPool")]
#[doc(alias = "NdisFreeNetBufferPool")]
pub struct NetBufferListPool {
    inner: Arc<Inner>,
}

/// What is shared by a pool and all that was allocated from it. The fields go in this order.
struct Inner {
    lists: ListPool,
    buffers: BufferPool,
    side: Side,
    tag: Tag,
    /// Keeps the handle: goes last.
    live: Parent<Live>,
}

/// # Invariants
///
/// LISTS: a pool for lists without packets (rule NBL-39), on the handle of an owner that
/// counts it; whatever was allocated from it keeps it.
struct ListPool(Token);

impl ListPool {
    fn try_new(live: &Live, tag: Tag) -> Result<Self, Status> {
        let mut parameters: NET_BUFFER_LIST_POOL_PARAMETERS = ndis_sys::zeroed();
        parameters.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        );
        parameters.ProtocolId = ndis_sys::NDIS_PROTOCOL_ID_DEFAULT as u8;
        parameters.PoolTag = tag.raw();
        let owner = live.owner().handle();
        // SAFETY: the owner's handle is valid while it is counted; the
        // parameters live for the call.
        let lists = unsafe { ndis_sys::NdisAllocateNetBufferListPool(owner, &parameters) };
        match lists.is_null() {
            true => Err(Status::RESOURCES),
            false => Ok(Self(Token(lists))),
        }
    }
}

impl Drop for ListPool {
    fn drop(&mut self) {
        // SAFETY: by LISTS a live pool, everything from which is freed.
        unsafe { ndis_sys::NdisFreeNetBufferListPool(self.0.0) };
    }
}

/// # Invariants
///
/// BUFFERS: as LISTS, for packets without memory.
struct BufferPool(Token);

impl BufferPool {
    fn try_new(live: &Live, tag: Tag) -> Result<Self, Status> {
        let mut parameters: NET_BUFFER_POOL_PARAMETERS = ndis_sys::zeroed();
        parameters.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
        );
        parameters.PoolTag = tag.raw();
        let owner = live.owner().handle();
        // SAFETY: as for lists.
        let buffers = unsafe { ndis_sys::NdisAllocateNetBufferPool(owner, &raw mut parameters) };
        match buffers.is_null() {
            true => Err(Status::RESOURCES),
            false => Ok(Self(Token(buffers))),
        }
    }
}

impl Drop for BufferPool {
    fn drop(&mut self) {
        // SAFETY: by BUFFERS a live pool, everything from which is freed.
        unsafe { ndis_sys::NdisFreeNetBufferPool(self.0.0) };
    }
}

/// A data space of this driver's.
///
/// # Invariants
///
/// SPACE: the MDL describes all of the data, which is freed after it.
pub(super) struct Space {
    mdl: OwnMdl,
    data: Vec<u8>,
}

/// # Invariants
///
/// MDL: one of `NdisAllocateMdl`, in no buffer when it goes.
struct OwnMdl(Hand<MDL>);

impl Drop for OwnMdl {
    fn drop(&mut self) {
        // SAFETY: by MDL ours, and used no more.
        unsafe { ndis_sys::NdisFreeMdl(self.0.as_raw()) };
    }
}

impl Space {
    /// `size` zeros, at least one.
    fn try_new(live: &Live, size: u32, tag: Tag) -> Result<Self, Status> {
        let data = Vec::<u8>::try_zeroed(size as usize, tag)?;
        let (owner, start) = (live.owner().handle(), data.base().cast());
        // SAFETY: the owner's handle is valid while it is counted; the memory
        // is resident and stays until after the MDL is freed.
        let mdl = unsafe { ndis_sys::NdisAllocateMdl(owner, start, size) };
        // SAFETY: just allocated, or null.
        let mdl = unsafe { Hand::from_raw(mdl) };
        let mdl = mdl.map(OwnMdl).ok_or(Status::RESOURCES)?;
        Ok(Self { mdl, data })
    }

    pub(super) fn mdl(&self) -> At<'_, MDL> {
        self.mdl.0.at()
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    pub(super) fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }
}

/// A list without packets, in no chain and without a backing.
///
/// # Invariants
///
/// EMPTY: it was allocated from a pool of this driver.
pub(super) struct EmptyList(Hand<NET_BUFFER_LIST>);

impl EmptyList {
    pub(super) fn free(self) {
        // SAFETY: by EMPTY the list is ours, and without packets (rule NBL-38).
        unsafe { ndis_sys::NdisFreeNetBufferList(self.0.into_raw()) };
    }

    pub(super) fn into_hand(self) -> Hand<NET_BUFFER_LIST> {
        self.0
    }
}

impl Anchored for Inner {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

impl NetBufferListPool {
    /// Makes a pool for lists that a protocol sends.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn for_sends(owner: &Owner, tag: Tag) -> Result<Self, Status> {
        Self::try_new(owner, Side::Protocol, tag)
    }

    /// Makes a pool for lists that a miniport indicates.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn for_receives(owner: &Owner, tag: Tag) -> Result<Self, Status> {
        Self::try_new(owner, Side::Miniport, tag)
    }

    fn try_new(owner: &Owner, side: Side, tag: Tag) -> Result<Self, Status> {
        let live = owner.enter();
        let inner = Inner {
            lists: ListPool::try_new(&live, tag)?,
            buffers: BufferPool::try_new(&live, tag)?,
            side,
            tag,
            live: Parent::new(live),
        };
        Ok(Self {
            inner: Arc::try_new_anchored(inner, Tag::NDIS)?,
        })
    }

    /// Which driver's lists come from here.
    #[must_use]
    pub fn side(&self) -> Side {
        self.inner.side
    }

    /// Allocates a list with one packet that has room for `capacity` bytes and
    /// no data yet.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also for a capacity over 4 GB.
    #[doc(alias = "NdisAllocateNetBufferAndNetBufferList")]
    pub fn allocate(&self, capacity: usize) -> Result<NetBufferList, Status> {
        self.allocate_with_headroom(0, capacity)
    }

    /// Allocates a list with one packet that has room for `capacity` bytes
    /// behind `headroom` unused ones, and no data yet.
    ///
    /// The headroom is for headers, see [`BufferMut::retreat`]. A driver that
    /// sends leaves room for those below it, too, when it knows their size.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also for more than 4 GB.
    ///
    /// [`BufferMut::retreat`]: super::BufferMut::retreat
    pub fn allocate_with_headroom(
        &self,
        headroom: usize,
        capacity: usize,
    ) -> Result<NetBufferList, Status> {
        let packet = self.allocate_buffer(headroom, capacity)?;
        let mut list = self.allocate_list()?;
        // Both are of this pool.
        list.push_back(packet)
            .map_err(|_| Status::INVALID_PARAMETER)?;
        Ok(list)
    }

    /// Allocates a list without packets.
    ///
    /// At or below DISPATCH_LEVEL. It must get packets before it is sent, and
    /// one before it is indicated.
    ///
    /// Source page: [`NdisAllocateNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbufferlist).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    #[doc(alias = "NdisAllocateNetBufferList")]
    pub fn allocate_list(&self) -> Result<NetBufferList, Status> {
        let backing = Vacant::try_new(Tag::NDIS)?;
        let list = self.empty_list()?.into_hand();
        let last = Token::null();
        // SAFETY: from this pool, and without packets.
        Ok(unsafe { self.adopt(list, backing, Kind::Own { last }) })
    }

    /// Allocates a packet that has room for `capacity` bytes behind `headroom`
    /// unused ones, and no data yet. All of them are zero.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: [`NdisAllocateNetBuffer`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbuffer),
    /// [`NdisAllocateMdl`](https://learn.microsoft.com/windows-hardware/drivers/ddi/mdlapi/nf-mdlapi-ndisallocatemdl).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also for more than 4 GB.
    #[doc(alias = "NdisAllocateNetBuffer")]
    #[doc(alias = "NdisAllocateMdl")]
    pub fn allocate_buffer(&self, headroom: usize, capacity: usize) -> Result<NetBuffer, Status> {
        let inner = &*self.inner;
        let space = headroom.checked_add(capacity).ok_or(Status::RESOURCES)?;
        // An MDL describes at least one byte.
        let size = u32::try_from(space.max(1)).map_err(|_| Status::RESOURCES)?;
        let offset = u32::try_from(headroom).map_err(|_| Status::RESOURCES)?;
        let backing = Vacant::try_new(Tag::NDIS)?;
        let space = Space::try_new(&inner.live, size, inner.tag)?;
        let mdl = space.mdl().as_raw();
        // SAFETY: the MDL describes at least `offset` bytes (rule NBL-40), and stays in the
        // backing until after the buffer is freed.
        let buffer = unsafe { self.buffer_over(mdl, offset, 0) }?;
        let _pool = self.clone();
        let backing = backing.fill(buffer::Backing { space, _pool });
        Ok(NetBuffer::new(Backed::new(buffer, inner.side, backing)))
    }

    /// A list without packets from this pool.
    pub(super) fn empty_list(&self) -> Result<EmptyList, Status> {
        // SAFETY: by LISTS a live pool.
        let list = unsafe { ndis_sys::NdisAllocateNetBufferList(self.inner.lists.0.0, 0, 0) };
        // SAFETY: just allocated, or null.
        let list = unsafe { Hand::from_raw(list) };
        list.map(EmptyList).ok_or(Status::RESOURCES)
    }

    /// A packet from this pool over these MDLs, or none.
    ///
    /// # Safety
    ///
    /// The MDLs hold the data, and stay until after the packet is freed.
    pub(super) unsafe fn buffer_over(
        &self,
        mdl: *mut MDL,
        offset: u32,
        length: usize,
    ) -> Result<Hand<NET_BUFFER>, Status> {
        let pool = self.inner.buffers.0.0;
        // SAFETY: by BUFFERS a live pool; the caller vouches for the MDLs.
        let buffer = unsafe { ndis_sys::NdisAllocateNetBuffer(pool, mdl, offset, length) };
        // SAFETY: just allocated, or null.
        unsafe { Hand::from_raw(buffer) }.ok_or(Status::RESOURCES)
    }

    /// The pools of NDIS's for lists and for packets.
    pub(super) fn handles(&self) -> (NDIS_HANDLE, NDIS_HANDLE) {
        (self.inner.lists.0.0, self.inner.buffers.0.0)
    }

    /// Gives a list its backing.
    ///
    /// # Safety
    ///
    /// The list is from this pool, in no chain, and its packets are what `kind` says.
    pub(super) unsafe fn adopt(
        &self,
        list: Hand<NET_BUFFER_LIST>,
        backing: Vacant<Backing>,
        kind: Kind,
    ) -> NetBufferList {
        let (side, pool) = (self.side(), self.clone());
        store(list.at(), side, Slot::Vc, ptr::null_mut());
        let backing = backing.fill(Backing { kind, pool });
        NetBufferList::new(Backed::new(list, side, backing))
    }
}

impl fmt::Debug for NetBufferListPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBufferListPool").finish_non_exhaustive()
    }
}
