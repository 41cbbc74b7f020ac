//! [`NetBufferListPool`]: where this driver's own lists and packets come from.

use super::fields::{At, Hand, Side};
use crate::{
    Status,
    mem::{Anchored, Arc, Parent, Tag, Vec},
    raw::Token,
    scope::{Live, Scope},
};
use core::{ffi::c_void, fmt};
use ndis_sys::{
    MDL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_POOL_PARAMETERS,
    NET_BUFFER_POOL_PARAMETERS,
};

/// A pool of lists and of packets, for one direction.
///
/// What is allocated from it keeps it alive, and the pool its scope: an
/// adapter is not halted and a binding not closed before every list has come
/// back (rules [HALT-07], [DV-17]).
///
/// | to get | use |
/// |---|---|
/// | a list with one packet | [`allocate`](Self::allocate), the quick way from a pool [of a size](Self::for_sends_of_size) |
/// | the same, with room for headers in front | [`allocate_with_headroom`](Self::allocate_with_headroom) |
/// | a packet by itself, for a list of several | [`allocate_buffer`](Self::allocate_buffer) |
/// | a list without packets | [`allocate_list`](Self::allocate_list) |
/// | lists of someone else's packets, uncopied | [`Parent`](super::Parent) |
///
/// ```
/// # use ndis_co::{Status, mem::Tag, nbl::{NetBufferList, NetBufferListPool}, scope::Scope};
/// # use ndis_host as _;
/// /// Of an adapter; a client's is `for_sends`, on the scope of a binding.
/// fn pool(scope: &Scope) -> Result<NetBufferListPool, Status> {
///     NetBufferListPool::for_receives(scope, Tag::new(*b"Recv"))
/// }
///
/// /// A list with one packet that has room for 1500 bytes.
/// fn empty(pool: &NetBufferListPool) -> Result<NetBufferList, Status> {
///     pool.allocate(1500)
/// }
/// ```
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
    /// For lists in one piece, with packets of a size.
    whole: Option<Whole>,
    side: Side,
    tag: Tag,
    /// Keeps the handle: goes last.
    live: Parent<Live>,
}

/// A pool for lists with a packet, an MDL and data, in one piece.
struct Whole {
    pool: ListPool,
    /// How much data, in bytes; not zero.
    size: usize,
}

/// # Invariants
///
/// LISTS: a pool for lists without packets, or of [`Whole`] ones with them (rule NBL-39), on the handle
/// of a scope that counts it; whatever was allocated from it keeps it.
struct ListPool(Token);

impl ListPool {
    /// For packets with so much data in one piece with their list, or without packets when it is zero.
    fn try_new(live: &Live, size: u32, tag: Tag) -> Result<Self, Status> {
        let mut parameters: NET_BUFFER_LIST_POOL_PARAMETERS = ndis_sys::zeroed();
        parameters.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        );
        parameters.ProtocolId = ndis_sys::NDIS_PROTOCOL_ID_DEFAULT as u8;
        parameters.PoolTag = tag.raw();
        parameters.fAllocateNetBuffer = (size != 0).into();
        parameters.DataSize = size;
        let scope = live.scope().handle();
        // SAFETY: the scope's handle is valid while it is counted; the
        // parameters live for the call.
        let lists = unsafe { ndis_sys::NdisAllocateNetBufferListPool(scope, &parameters) };
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
        let scope = live.scope().handle();
        // SAFETY: as for lists.
        let buffers = unsafe { ndis_sys::NdisAllocateNetBufferPool(scope, &raw mut parameters) };
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
        let (scope, start) = (live.scope().handle(), data.base().cast());
        // SAFETY: the scope's handle is valid while it is counted; the memory
        // is resident and stays until after the MDL is freed.
        let mdl = unsafe { ndis_sys::NdisAllocateMdl(scope, start, size) };
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
    pub fn for_sends(scope: &Scope, tag: Tag) -> Result<Self, Status> {
        Self::try_new(scope, Side::Protocol, 0, tag)
    }

    /// As [`for_sends`](Self::for_sends); a list with room for up to `size` bytes, headroom included, is
    /// allocated in one piece with its packet and its data, which is several times as fast.
    ///
    /// Such a list keeps its packet: none is [put in](super::NetBufferList::push_back) or
    /// [taken out](super::NetBufferList::pop_front). A list with more room is allocated as from other pools.
    ///
    /// NDIS does not clear the memory, which may hold anybody's data. A driver finds zeros in it as in
    /// that of other pools, and sends no more: what it comes to see before it has written it is cleared
    /// then. What it [copies in](super::BufferMut::set_data) is not cleared first.
    ///
    /// No driver may give a list back with more data than it got (rule [NBL-41]), and nobody looks at each
    /// that comes back: such a one shows what is in the memory. [`data_mut`](super::BufferMut::data_mut)
    /// clears that, and [`set_data`](super::BufferMut::set_data) makes the list what it should be.
    ///
    /// ```
    /// # use ndis_co::{Status, mem::Tag, nbl::{NetBufferList, NetBufferListPool}, scope::Scope};
    /// # use ndis_host as _;
    /// /// For frames of at most 1500 bytes behind a header of four.
    /// fn pool(scope: &Scope) -> Result<NetBufferListPool, Status> {
    ///     NetBufferListPool::for_sends_of_size(scope, 1504, Tag::new(*b"Send"))
    /// }
    ///
    /// fn frame(pool: &NetBufferListPool, bytes: &[u8]) -> Result<NetBufferList, Status> {
    ///     let mut frame = pool.allocate_with_headroom(4, bytes.len())?;
    ///     frame.set_data(bytes)?;
    ///     Ok(frame)
    /// }
    /// ```
    ///
    /// Source page: [`NET_BUFFER_LIST_POOL_PARAMETERS`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/ns-nblapi-net_buffer_list_pool_parameters).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    ///
    /// [NBL-41]: ndis_sys::rules#NBL-41
    #[doc(alias = "DataSize")]
    pub fn for_sends_of_size(scope: &Scope, size: u32, tag: Tag) -> Result<Self, Status> {
        Self::try_new(scope, Side::Protocol, size, tag)
    }

    /// Makes a pool for lists that a miniport indicates.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn for_receives(scope: &Scope, tag: Tag) -> Result<Self, Status> {
        Self::try_new(scope, Side::Miniport, 0, tag)
    }

    /// As [`for_receives`](Self::for_receives) and [`for_sends_of_size`](Self::for_sends_of_size).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    #[doc(alias = "DataSize")]
    pub fn for_receives_of_size(scope: &Scope, size: u32, tag: Tag) -> Result<Self, Status> {
        Self::try_new(scope, Side::Miniport, size, tag)
    }

    fn try_new(scope: &Scope, side: Side, size: u32, tag: Tag) -> Result<Self, Status> {
        let live = scope.enter();
        let whole = match size {
            0 => None,
            _ => Some(Whole {
                pool: ListPool::try_new(&live, size, tag)?,
                size: size as usize,
            }),
        };
        let inner = Inner {
            lists: ListPool::try_new(&live, 0, tag)?,
            whole,
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

    /// NDIS's pool for lists in one piece, if there is one and `room` is not too much for it.
    #[inline]
    pub(super) fn in_one_piece(&self, room: usize) -> Option<NDIS_HANDLE> {
        let whole = self.inner.whole.as_ref()?;
        (room <= whole.size).then_some(whole.pool.0.0)
    }

    /// The pool as a pointer that keeps its reference, at an even address.
    #[inline]
    pub(super) fn into_raw(self) -> *mut c_void {
        Arc::into_raw(self.inner)
    }

    /// Takes that back.
    ///
    /// # Safety
    ///
    /// It came from [`into_raw`](Self::into_raw), once.
    #[inline]
    pub(super) unsafe fn from_raw(raw: *mut c_void) -> Option<Self> {
        // SAFETY: by the caller.
        let inner = unsafe { Arc::from_raw(raw) }?;
        Some(Self { inner })
    }

    /// A data space of `size` zeros, at least one.
    pub(super) fn space(&self, size: u32) -> Result<Space, Status> {
        Space::try_new(&self.inner.live, size, self.inner.tag)
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
}

impl fmt::Debug for NetBufferListPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBufferListPool").finish_non_exhaustive()
    }
}
