//! [`NetBuffer`]: one packet of this driver's own, and [`BufferMut`], through
//! which its data is written.

use super::{
    BufferView, NetBufferListPool,
    fields::{self, Side},
};
use crate::{
    Status,
    mem::{Box, Vec},
};
use core::{fmt, marker::PhantomData, ops::Range};
use ndis_sys::{MDL, NET_BUFFER};

/// What belongs to a packet beside the C structure; its address is in the
/// buffer's slot.
///
/// The fields are in the order in which they go: the pool, which keeps the
/// adapter or binding alive, is the last.
pub(super) struct Backing {
    pub(super) mdl: *mut MDL,
    /// The data space: the MDL describes all of it.
    pub(super) data: Vec<u8>,
    pub(super) pool: NetBufferListPool,
}

/// One packet, allocated by this driver and in its hands, in no list.
///
/// [`NetBufferListPool::allocate_buffer`] makes it, and
/// [`NetBufferList::push_back`](super::NetBufferList::push_back) puts it into
/// a list. Dropping it gives everything back.
///
/// Source pages: `nf-nblapi-ndisallocatenetbuffer`, `nf-nblapi-ndisfreenetbuffer`.
///
/// # Invariants
///
/// PACKET: `buffer` is a valid buffer from `allocate_buffer`, in no list, ours
/// alone; its `Backing`, and nothing else, is in the slot of `side`. The
/// backing's MDL describes the backing's data.
#[doc(alias = "NET_BUFFER")]
#[doc(alias = "NdisFreeNetBuffer")]
#[doc(alias = "NdisFreeMdl")]
pub struct NetBuffer {
    buffer: *mut NET_BUFFER,
    side: Side,
}

// SAFETY: by PACKET the buffer and all that belongs to it move with this value.
unsafe impl Send for NetBuffer {}

impl NetBuffer {
    /// Takes over a buffer.
    ///
    /// # Safety
    ///
    /// As PACKET says.
    pub(super) unsafe fn from_raw(buffer: *mut NET_BUFFER, side: Side) -> Self {
        Self { buffer, side }
    }

    /// Gives the buffer away; it is to come back through `from_raw`.
    pub(super) fn into_raw(self) -> *mut NET_BUFFER {
        core::mem::ManuallyDrop::new(self).buffer
    }

    /// Which driver's packet this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// The packet, to look at.
    #[must_use]
    pub fn view(&self) -> BufferView<'_> {
        // SAFETY: by PACKET this value owns the buffer, and nobody changes it
        // while `self` is borrowed.
        unsafe { BufferView::from_raw(self.buffer) }
    }

    /// The packet, to write.
    #[must_use]
    pub fn as_mut(&mut self) -> BufferMut<'_> {
        // SAFETY: by PACKET this value owns the buffer, and it is borrowed
        // exclusively.
        unsafe { BufferMut::from_raw(self.buffer, self.side) }
    }

    /// Makes `bytes` the data, see [`BufferMut::set_data`].
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when they do not fit; nothing changed then.
    pub fn set_data(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.as_mut().set_data(bytes)
    }

    /// Has `write` make the data, see [`BufferMut::fill`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fill(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        self.as_mut().fill(len, write)
    }
}

impl Drop for NetBuffer {
    fn drop(&mut self) {
        // SAFETY: by PACKET the buffer is valid and ours.
        let backing = unsafe { fields::load_buffer(self.buffer, self.side) };
        // SAFETY: by PACKET the buffer is ours, in no list, and used no more.
        unsafe { ndis_sys::NdisFreeNetBuffer(self.buffer) };
        // SAFETY: by PACKET the slot held the backing that `allocate_buffer`
        // leaked.
        let backing = unsafe { Box::<Backing>::from_leaked(backing.cast()) };
        // Out of its memory first: the pool keeps the adapter or binding, and
        // with it the module, until everything else is freed.
        let Backing { mdl, data, pool } = Box::into_inner(backing);
        // SAFETY: the MDL of the buffer that is gone, freed once, before the
        // memory that it describes.
        unsafe { ndis_sys::NdisFreeMdl(mdl) };
        drop(data);
        drop(pool);
    }
}

impl fmt::Debug for NetBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBuffer")
            .field("len", &self.view().len())
            .finish()
    }
}

/// One packet of this driver's own, borrowed for writing.
///
/// Its memory is the *data space*, of which the data is the *used* part:
///
/// ```text
/// |<- headroom ->|<--- len --->|<- tailroom ->|
/// |    unused    |     used    |    unused    |
/// ```
///
/// [`retreat`](Self::retreat) moves the data's start into the headroom, to put
/// a header in front; [`advance`](Self::advance) moves it back, to take one
/// off. What is unused keeps its bytes.
///
/// # Invariants
///
/// WRITE: the buffer is as PACKET says, but perhaps in a list; whoever owns
/// the list or packet is borrowed exclusively for `'a`.
pub struct BufferMut<'a> {
    buffer: *mut NET_BUFFER,
    side: Side,
    _life: PhantomData<&'a mut NET_BUFFER>,
}

impl BufferMut<'_> {
    /// # Safety
    ///
    /// As WRITE says.
    pub(super) unsafe fn from_raw(buffer: *mut NET_BUFFER, side: Side) -> Self {
        Self {
            buffer,
            side,
            _life: PhantomData,
        }
    }

    fn backing(&self) -> &Backing {
        // SAFETY: by WRITE the buffer is valid and this driver's.
        let backing = unsafe { fields::load_buffer(self.buffer, self.side) };
        // SAFETY: by PACKET the slot holds the live backing, which the buffer
        // owns; nobody writes it while `self` is borrowed.
        unsafe { &*backing.cast::<Backing>() }
    }

    fn backing_mut(&mut self) -> &mut Backing {
        // SAFETY: by WRITE the buffer is valid and this driver's.
        let backing = unsafe { fields::load_buffer(self.buffer, self.side) };
        // SAFETY: by PACKET the slot holds the live backing, which the buffer
        // owns; `self` is borrowed exclusively.
        unsafe { &mut *backing.cast::<Backing>() }
    }

    /// The packet, to look at.
    #[must_use]
    pub fn view(&self) -> BufferView<'_> {
        // SAFETY: by WRITE the owner is borrowed, and nobody changes the
        // buffer while `self` is borrowed.
        unsafe { BufferView::from_raw(self.buffer) }
    }

    /// How large the data space is, in bytes, used or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.backing().data.len()
    }

    /// How many unused bytes there are in front of the data.
    #[must_use]
    #[doc(alias = "NET_BUFFER_DATA_OFFSET")]
    pub fn headroom(&self) -> usize {
        // SAFETY: by WRITE the buffer is valid.
        let offset = unsafe { fields::data_offset(self.buffer) } as usize;
        offset.min(self.capacity())
    }

    /// How many unused bytes there are behind the data.
    #[must_use]
    pub fn tailroom(&self) -> usize {
        let used = self.headroom().saturating_add(self.view().len());
        self.capacity().saturating_sub(used)
    }

    /// Where in the data space the data is. Drivers below may have left the
    /// fields of a packet that came back otherwise than they found them.
    fn used(&self) -> Result<Range<usize>, Status> {
        let (mdl, size) = (self.backing().mdl, self.capacity());
        // SAFETY: by WRITE the buffer is valid.
        let first = unsafe { fields::first_mdl(self.buffer) };
        // SAFETY: as above.
        let current = unsafe { fields::current_mdl(self.buffer) };
        // SAFETY: as above.
        let offset = unsafe { fields::data_offset(self.buffer) };
        // SAFETY: as above.
        let current_offset = unsafe { fields::current_mdl_offset(self.buffer) };
        let start = offset as usize;
        let len = self.view().len();
        let end = start.saturating_add(len);
        // Where the current MDL is when there is no data is not said anywhere.
        let astray = len > 0 && (current != mdl || offset != current_offset);
        if first != mdl || astray || end > size {
            return Err(Status::INVALID_DATA);
        }
        Ok(start..end)
    }

    /// Where the current MDL of a packet without data is, which [`Self::used`] does
    /// not ask: NDIS moves the data's start from there.
    fn settle(&mut self, used: &Range<usize>) -> Result<(), Status> {
        if used.is_empty() {
            self.set_used(used.start, 0)?;
        }
        Ok(())
    }

    /// Makes the used part of the data space `len` bytes from `start` on; both
    /// lie in it.
    fn set_used(&mut self, start: usize, len: usize) -> Result<(), Status> {
        let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) else {
            return Err(Status::INVALID_LENGTH);
        };
        let mdl = self.backing().mdl;
        // SAFETY: by WRITE the buffer is this driver's, and so are the fields
        // that follow; together they describe a part of the one MDL's memory
        // (rule NBL-40).
        unsafe { fields::set_first_mdl(self.buffer, mdl) };
        // SAFETY: as above.
        unsafe { fields::set_current_mdl(self.buffer, mdl) };
        // SAFETY: as above.
        unsafe { fields::set_data_offset(self.buffer, start) };
        // SAFETY: as above.
        unsafe { fields::set_current_mdl_offset(self.buffer, start) };
        // SAFETY: as above.
        unsafe { fields::set_data_length(self.buffer, len) };
        Ok(())
    }

    /// Makes `bytes` the data. It starts where it started: the headroom stays.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when they do not fit behind the headroom;
    /// nothing changed then.
    pub fn set_data(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.fill(bytes.len(), |data| {
            super::copy_bytes(data, bytes);
            Ok(())
        })
    }

    /// Makes the data `len` bytes long and has `write` fill them. It starts
    /// where it started: the headroom stays.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when it does not fit behind the headroom, or
    /// what `write` returns; the length is zero then.
    pub fn fill(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let start = self.headroom();
        let end = start.checked_add(len).ok_or(Status::BUFFER_OVERFLOW)?;
        let place = self.backing_mut().data.get_mut(start..end);
        let result = write(place.ok_or(Status::BUFFER_OVERFLOW)?);
        self.set_used(start, if result.is_ok() { len } else { 0 })?;
        result
    }

    /// The data, to be changed in place.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when a driver that had the packet returned it
    /// with other MDLs or lengths than it got it with: [`set_data`](Self::set_data)
    /// mends it.
    pub fn data_mut(&mut self) -> Result<&mut [u8], Status> {
        let used = self.used()?;
        let data = self.backing_mut().data.get_mut(used);
        data.ok_or(Status::INVALID_DATA)
    }

    /// Moves the data's start `by` bytes towards the front and shows these
    /// bytes, for a header.
    ///
    /// They hold what they held before (zeros at first). The room comes from
    /// the headroom alone: nothing is allocated. How much a driver needs is
    /// said when the packet is made, see
    /// [`NetBufferListPool::allocate_buffer`].
    ///
    /// Source page: `nf-nblapi-ndisretreatnetbufferdatastart`.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when there is less headroom, and as
    /// [`data_mut`](Self::data_mut). Nothing changed then.
    #[doc(alias = "NdisRetreatNetBufferDataStart")]
    pub fn retreat(&mut self, by: usize) -> Result<&mut [u8], Status> {
        let used = self.used()?;
        let start = used.start.checked_sub(by).ok_or(Status::BUFFER_OVERFLOW)?;
        let delta = u32::try_from(by).map_err(|_| Status::BUFFER_OVERFLOW)?;
        self.settle(&used)?;
        // SAFETY: by WRITE the buffer is this driver's; the unused data space
        // holds the bytes, so NDIS allocates nothing and no handler is needed
        // (rule NBL-41).
        let status =
            unsafe { ndis_sys::NdisRetreatNetBufferDataStart(self.buffer, delta, 0, None) };
        Status::from_raw(status).result()?;
        let front = self.backing_mut().data.get_mut(start..used.start);
        front.ok_or(Status::INVALID_DATA)
    }

    /// Moves the data's start `by` bytes towards the end: they become unused.
    ///
    /// Source page: `nf-nblapi-ndisadvancenetbufferdatastart`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there is less data, and as
    /// [`data_mut`](Self::data_mut). Nothing changed then.
    #[doc(alias = "NdisAdvanceNetBufferDataStart")]
    pub fn advance(&mut self, by: usize) -> Result<(), Status> {
        let used = self.used()?;
        let delta = u32::try_from(by).map_err(|_| Status::INVALID_LENGTH)?;
        if by > used.len() {
            return Err(Status::INVALID_LENGTH);
        }
        self.settle(&used)?;
        // SAFETY: by WRITE the buffer is this driver's and has the bytes; its
        // MDL stays (rule NBL-41).
        unsafe { ndis_sys::NdisAdvanceNetBufferDataStart(self.buffer, delta, 0, None) };
        Ok(())
    }

    /// Shortens the data to `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are fewer, and as
    /// [`data_mut`](Self::data_mut). Nothing changed then.
    pub fn truncate(&mut self, len: usize) -> Result<(), Status> {
        let used = self.used()?;
        if len > used.len() {
            return Err(Status::INVALID_LENGTH);
        }
        self.set_used(used.start, len)
    }
}

impl fmt::Debug for BufferMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferMut")
            .field("headroom", &self.headroom())
            .field("len", &self.view().len())
            .finish()
    }
}
