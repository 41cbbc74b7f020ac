//! [`NetBufferListPool`]: where this driver's own lists come from.

use super::{
    fields::{self, Side, Slot},
    list::{Backing, NetBufferList},
};
use crate::{
    Status,
    mem::{Anchored, Arc, Box, Parent, Tag, Vec},
    owner::{Live, Owner},
};
use core::{fmt, ptr};
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST_POOL_PARAMETERS};

/// A pool of lists with one buffer each.
///
/// A list keeps its pool alive, and the pool its owner: an adapter is not
/// halted and a binding not closed before every list has come home (rules
/// HALT-07, DV-17).
///
/// Source pages: `nf-nblapi-ndisallocatenetbufferlistpool`,
/// `nf-nblapi-ndisfreenetbufferlistpool`.
#[derive(Clone)]
#[doc(alias = "NdisAllocateNetBufferListPool")]
#[doc(alias = "NdisFreeNetBufferListPool")]
pub struct NetBufferListPool {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pool: NDIS_HANDLE,
    pub(super) side: Side,
    tag: Tag,
    live: Parent<Live>,
}

// SAFETY: the field.
unsafe impl Anchored for Inner {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

// SAFETY: the pool handle may be used by any thread.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: allocated in `try_new`; every list holds a share, so all of
        // them are freed.
        unsafe { ndis_sys::NdisFreeNetBufferListPool(self.pool) };
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
        parameters.fAllocateNetBuffer = 1;
        parameters.PoolTag = tag.raw();
        // SAFETY: the owner's handle is valid while it is counted; the
        // parameters live for the call.
        let pool = unsafe { ndis_sys::NdisAllocateNetBufferListPool(owner.handle(), &parameters) };
        if pool.is_null() {
            return Err(Status::RESOURCES);
        }
        Ok(Self {
            inner: Arc::try_new_anchored(
                Inner {
                    pool,
                    side,
                    tag,
                    live: Parent::new(live),
                },
                Tag::NDIS,
            )?,
        })
    }

    /// Allocates a list with room for `capacity` bytes and no data yet.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: `nf-nblapi-ndisallocatenetbufferandnetbufferlist`,
    /// `nf-mdlapi-ndisallocatemdl`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also for a capacity over 4 GB.
    #[doc(alias = "NdisAllocateNetBufferAndNetBufferList")]
    #[doc(alias = "NdisAllocateMdl")]
    pub fn allocate(&self, capacity: usize) -> Result<NetBufferList, Status> {
        let inner = &*self.inner;
        // An MDL describes at least one byte.
        let size = u32::try_from(capacity.max(1)).map_err(|_| Status::RESOURCES)?;
        let data = Vec::<u8>::try_zeroed(size as usize, inner.tag)?;
        let start = data.base();
        let backing = Box::try_new(
            Backing {
                _pool: self.clone(),
                data,
                mdl: ptr::null_mut(),
            },
            Tag::NDIS,
        )?;
        // SAFETY: the owner's handle is valid while the pool lives; the memory
        // is resident and lives in the backing until after the MDL is freed.
        let mdl =
            unsafe { ndis_sys::NdisAllocateMdl(inner.live.owner().handle(), start.cast(), size) };
        if mdl.is_null() {
            return Err(Status::RESOURCES);
        }
        // SAFETY: the pool was made with buffers; the MDL is ours.
        let list =
            unsafe { ndis_sys::NdisAllocateNetBufferAndNetBufferList(inner.pool, 0, 0, mdl, 0, 0) };
        if list.is_null() {
            // SAFETY: allocated above, in no list.
            unsafe { ndis_sys::NdisFreeMdl(mdl) };
            return Err(Status::RESOURCES);
        }
        let mut backing = backing;
        backing.mdl = mdl;
        // SAFETY: the list is ours; the slot is for its allocator.
        unsafe { fields::store(list, inner.side, Slot::Backing, backing.leak().cast()) };
        // SAFETY: as above.
        unsafe { fields::store(list, inner.side, Slot::Vc, ptr::null_mut()) };
        // SAFETY: allocated and filled as OWN demands.
        Ok(unsafe { NetBufferList::from_raw(list, inner.side) })
    }
}

impl fmt::Debug for NetBufferListPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBufferListPool").finish_non_exhaustive()
    }
}
