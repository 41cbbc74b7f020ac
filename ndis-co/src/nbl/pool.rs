//! [`NetBufferListPool`]: where this driver's own lists and packets come from.

use super::{
    buffer::{self, NetBuffer},
    fields::{self, Side, Slot},
    list::{Backing, Kind, NetBufferList},
};
use crate::{
    Status,
    mem::{Anchored, Arc, Box, Parent, Tag, Vec},
    owner::{Live, Owner},
};
use core::{fmt, mem::MaybeUninit, ptr};
use ndis_sys::{
    NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_POOL_PARAMETERS,
    NET_BUFFER_POOL_PARAMETERS,
};

/// A pool of lists and of packets, for one direction.
///
/// What is allocated from it keeps it alive, and the pool its owner: an
/// adapter is not halted and a binding not closed before every list has come
/// home (rules HALT-07, DV-17).
///
/// | to get | use |
/// |---|---|
/// | a list with one packet | [`allocate`](Self::allocate) |
/// | the same, with room for headers in front | [`allocate_with_headroom`](Self::allocate_with_headroom) |
/// | a packet by itself, for a list of several | [`allocate_buffer`](Self::allocate_buffer) |
/// | a list without packets | [`allocate_list`](Self::allocate_list) |
/// | lists of someone else's packets, uncopied | [`Parent`](super::Parent) |
///
/// Source pages: `nf-nblapi-ndisallocatenetbufferlistpool`,
/// `nf-nblapi-ndisfreenetbufferlistpool`, `nf-nblapi-ndisallocatenetbufferpool`,
/// `nf-nblapi-ndisfreenetbufferpool`.
#[derive(Clone)]
#[doc(alias = "NdisAllocateNetBufferListPool")]
#[doc(alias = "NdisFreeNetBufferListPool")]
#[doc(alias = "NdisAllocateNetBufferPool")]
#[doc(alias = "NdisFreeNetBufferPool")]
pub struct NetBufferListPool {
    inner: Arc<Inner>,
}

/// # Invariants
///
/// POOL: `lists` and `buffers` are live pools on the handle of `live`, for
/// lists without packets and packets without memory (rule NBL-39); everything
/// that was allocated from them holds a share.
struct Inner {
    lists: NDIS_HANDLE,
    buffers: NDIS_HANDLE,
    side: Side,
    tag: Tag,
    /// Keeps the handle: goes last.
    live: Parent<Live>,
}

// SAFETY: the field.
unsafe impl Anchored for Inner {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

// SAFETY: the pool handles may be used by any thread.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: by POOL everything from the pool is freed, and it was made
        // in `try_new`.
        unsafe { ndis_sys::NdisFreeNetBufferPool(self.buffers) };
        // SAFETY: as above.
        unsafe { ndis_sys::NdisFreeNetBufferListPool(self.lists) };
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
        let mut parameters: NET_BUFFER_LIST_POOL_PARAMETERS = ndis_sys::zeroed();
        parameters.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        );
        parameters.ProtocolId = ndis_sys::NDIS_PROTOCOL_ID_DEFAULT as u8;
        parameters.PoolTag = tag.raw();
        // SAFETY: the owner's handle is valid while it is counted; the
        // parameters live for the call.
        let lists = unsafe { ndis_sys::NdisAllocateNetBufferListPool(owner.handle(), &parameters) };
        if lists.is_null() {
            return Err(Status::RESOURCES);
        }
        let mut parameters: NET_BUFFER_POOL_PARAMETERS = ndis_sys::zeroed();
        parameters.Header = crate::raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
        );
        parameters.PoolTag = tag.raw();
        // SAFETY: as above.
        let buffers =
            unsafe { ndis_sys::NdisAllocateNetBufferPool(owner.handle(), &raw mut parameters) };
        if buffers.is_null() {
            // SAFETY: made above, and nothing was allocated from it.
            unsafe { ndis_sys::NdisFreeNetBufferListPool(lists) };
            return Err(Status::RESOURCES);
        }
        let inner = Inner {
            lists,
            buffers,
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
    /// Source page: `nf-nblapi-ndisallocatenetbufferlist`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    #[doc(alias = "NdisAllocateNetBufferList")]
    pub fn allocate_list(&self) -> Result<NetBufferList, Status> {
        // SAFETY: by POOL a live pool.
        let list = unsafe { ndis_sys::NdisAllocateNetBufferList(self.inner.lists, 0, 0) };
        if list.is_null() {
            return Err(Status::RESOURCES);
        }
        let kind = || Kind::Own {
            last: ptr::null_mut(),
        };
        // SAFETY: allocated above, ours alone, and without packets.
        if let Some(list) = unsafe { self.adopt(list, kind) } {
            return Ok(list);
        }
        // SAFETY: allocated above, freed once.
        unsafe { ndis_sys::NdisFreeNetBufferList(list) };
        Err(Status::RESOURCES)
    }

    /// Allocates a packet that has room for `capacity` bytes behind `headroom`
    /// unused ones, and no data yet. All of them are zero.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: `nf-nblapi-ndisallocatenetbuffer`, `nf-mdlapi-ndisallocatemdl`.
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
        let data = Vec::<u8>::try_zeroed(size as usize, inner.tag)?;
        let start = data.base();
        let backing = buffer::Backing {
            mdl: ptr::null_mut(),
            data,
            pool: self.clone(),
        };
        let mut backing = Box::try_new(backing, Tag::NDIS)?;
        // SAFETY: the owner's handle is valid while the pool lives; the memory
        // is resident and lives in the backing until after the MDL is freed.
        let mdl =
            unsafe { ndis_sys::NdisAllocateMdl(inner.live.owner().handle(), start.cast(), size) };
        if mdl.is_null() {
            return Err(Status::RESOURCES);
        }
        // SAFETY: by POOL a live pool; the MDL is ours and describes at least
        // `offset` bytes (rule NBL-40).
        let buffer = unsafe { ndis_sys::NdisAllocateNetBuffer(inner.buffers, mdl, offset, 0) };
        if buffer.is_null() {
            // SAFETY: allocated above, in no buffer.
            unsafe { ndis_sys::NdisFreeMdl(mdl) };
            return Err(Status::RESOURCES);
        }
        backing.mdl = mdl;
        // SAFETY: the buffer is ours; the slot is for its allocator.
        unsafe { fields::store_buffer(buffer, inner.side, backing.leak().cast()) };
        // SAFETY: allocated and filled as PACKET demands.
        Ok(unsafe { NetBuffer::from_raw(buffer, inner.side) })
    }

    /// Gives a list from this pool its backing; `None` without memory, and the
    /// list is still the caller's then.
    ///
    /// # Safety
    ///
    /// The list is from this pool, ours alone, in no chain, and its packets
    /// are what `kind` will say. It is made when there is memory.
    pub(super) unsafe fn adopt(
        &self,
        list: *mut NET_BUFFER_LIST,
        kind: impl FnOnce() -> Kind,
    ) -> Option<NetBufferList> {
        let mut backing = Box::try_new(MaybeUninit::uninit(), Tag::NDIS).ok()?;
        backing.write(Backing {
            kind: kind(),
            pool: self.clone(),
        });
        let backing: *mut Backing = backing.leak().cast();
        let side = self.inner.side;
        // SAFETY: the list is ours; the slot is for its allocator.
        unsafe { fields::store(list, side, Slot::Backing, backing.cast()) };
        // SAFETY: as above.
        unsafe { fields::store(list, side, Slot::Vc, ptr::null_mut()) };
        // SAFETY: as OWN demands.
        Some(unsafe { NetBufferList::from_raw(list, side) })
    }

    /// A clone of a list, from this pool; null without memory.
    ///
    /// # Safety
    ///
    /// The list and all that belongs to it is valid, in this driver's hands,
    /// and not given back before the clone is freed (rule NBL-36).
    pub(super) unsafe fn clone_raw(&self, list: *mut NET_BUFFER_LIST) -> *mut NET_BUFFER_LIST {
        // SAFETY: by POOL live pools; the caller vouches for the list. Without
        // flags the clone has MDLs of its own.
        unsafe {
            ndis_sys::NdisAllocateCloneNetBufferList(list, self.inner.lists, self.inner.buffers, 0)
        }
    }

    /// A list with one packet over the data of another one, from this pool;
    /// null without memory.
    ///
    /// # Safety
    ///
    /// The packet and its MDLs are valid, in this driver's hands, hold what
    /// the packet says, and are not given back before the list is freed.
    pub(super) unsafe fn list_over(&self, packet: *mut NET_BUFFER) -> *mut NET_BUFFER_LIST {
        // SAFETY: the caller vouches for the packet.
        let length = unsafe { fields::data_length(packet) };
        let (mdl, offset) = if length == 0 {
            // Without data there need be no MDL.
            (ptr::null_mut(), 0)
        } else {
            // SAFETY: as above.
            let mdl = unsafe { fields::current_mdl(packet) };
            // SAFETY: as above.
            (mdl, unsafe { fields::current_mdl_offset(packet) })
        };
        // SAFETY: by POOL a live pool; the MDLs hold the data (rule NBL-40).
        let buffer = unsafe {
            ndis_sys::NdisAllocateNetBuffer(self.inner.buffers, mdl, offset, length as usize)
        };
        if buffer.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: by POOL a live pool.
        let list = unsafe { ndis_sys::NdisAllocateNetBufferList(self.inner.lists, 0, 0) };
        if list.is_null() {
            // SAFETY: allocated above, in no list.
            unsafe { ndis_sys::NdisFreeNetBuffer(buffer) };
            return list;
        }
        // SAFETY: both are ours alone.
        unsafe { fields::set_first_buffer(list, buffer) };
        list
    }

    /// Frees what [`list_over`](Self::list_over) made.
    ///
    /// # Safety
    ///
    /// The list is from there, ours alone, and used no more.
    pub(super) unsafe fn free_list_over(list: *mut NET_BUFFER_LIST) {
        // SAFETY: the caller vouches for the list.
        let buffer = unsafe { fields::first_buffer(list) };
        // SAFETY: as above.
        unsafe { fields::set_first_buffer(list, ptr::null_mut()) };
        if !buffer.is_null() {
            // SAFETY: of this driver's pool, and in no list now; its MDLs stay
            // with their owner.
            unsafe { ndis_sys::NdisFreeNetBuffer(buffer) };
        }
        // SAFETY: ours, and without a packet now (rule NBL-38).
        unsafe { ndis_sys::NdisFreeNetBufferList(list) };
    }
}

impl fmt::Debug for NetBufferListPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBufferListPool").finish_non_exhaustive()
    }
}
