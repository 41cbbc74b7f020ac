//! [`NetBuffer`]: one packet of this driver's own, and [`BufferMut`], through
//! which its data is written.

use super::{
    BufferView, NetBufferListPool,
    fields::{At, Backed, Hand, Lent, Side},
    mapping,
    pool::Space,
};
use crate::{
    Status,
    armed::{Alarm, Armed},
    mem::{Box, Tag, Vacant},
};
use core::{ffi::c_void, fmt, marker::PhantomData, mem::MaybeUninit, ops::Range, ptr, slice};
use ndis_sys::{MDL, NET_BUFFER};

/// What belongs to a packet beside the C structure.
///
/// The fields are in the order in which they go: the pool, which keeps the
/// adapter or binding alive, is the last.
pub(super) struct Backing {
    pub(super) space: Space,
    pub(super) _pool: NetBufferListPool,
}

/// One packet, allocated by this driver and in its hands, in no list.
///
/// [`NetBufferListPool::allocate_buffer`] makes it, and
/// [`NetBufferList::push_back`](super::NetBufferList::push_back) puts it into
/// a list. Dropping it gives everything back.
///
/// ```
/// # use ndis_co::{Status, nbl::{NetBufferList, NetBufferListPool}};
/// # use ndis_host as _;
/// /// Two packets in one list.
/// fn two(pool: &NetBufferListPool) -> Result<NetBufferList, Status> {
///     let mut list = pool.allocate_list()?;
///     for bytes in [b"one", b"two"] {
///         let mut packet = pool.allocate_buffer(0, bytes.len())?;
///         packet.set_data(bytes)?;
///         list.push_back(packet).map_err(|_| Status::FAILURE)?;
///     }
///     Ok(list)
/// }
/// ```
///
/// Source pages: [`NdisAllocateNetBuffer`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbuffer),
/// [`NdisFreeNetBuffer`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreenetbuffer).
///
/// # Invariants
///
/// PACKET: a buffer with this backing is one of `allocate_buffer`, over the MDL of the
/// backing's space. A marked one is that of a list of a pool with a size, made by NDIS in one piece with
/// it, and the mark is its own MDL, which describes nonpaged memory of NDIS's, at least as much as the
/// packet notes: that is the packet's data space and nobody else's, and goes with the list. This one is
/// in no list, and so not marked.
///
/// WRITTEN: the part of a marked packet's data space that the packet notes as written lies in it, and
/// each byte of that part has been written since NDIS has made the list. The other bytes have no value
/// that is ours, and none of them is shown as long as the data are where this module has put them: a
/// view believes what a driver that had the packet has made of its fields.
#[doc(alias = "NET_BUFFER")]
#[doc(alias = "NdisFreeNetBuffer")]
#[doc(alias = "NdisFreeMdl")]
pub struct NetBuffer {
    raw: Armed<Backed<NET_BUFFER, Backing>, Freed>,
}

impl NetBufferListPool {
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
        let space = headroom.checked_add(capacity).ok_or(Status::RESOURCES)?;
        // An MDL describes at least one byte.
        let size = u32::try_from(space.max(1)).map_err(|_| Status::RESOURCES)?;
        let offset = u32::try_from(headroom).map_err(|_| Status::RESOURCES)?;
        let backing = Vacant::try_new(Tag::NDIS)?;
        let space = self.space(size)?;
        let mdl = space.mdl().as_raw();
        // SAFETY: the MDL describes at least `offset` bytes (rule NBL-40), and stays in the
        // backing until after the buffer is freed.
        let buffer = unsafe { self.buffer_over(mdl, offset, 0) }?;
        let _pool = self.clone();
        let backing = backing.fill(Backing { space, _pool });
        Ok(NetBuffer::new(Backed::new(buffer, self.side(), backing)))
    }
}

impl NetBuffer {
    /// Wraps a new buffer.
    pub(super) fn new(raw: Backed<NET_BUFFER, Backing>) -> Self {
        let raw = Armed::new(raw);
        Self { raw }
    }

    /// Takes over a buffer.
    ///
    /// # Safety
    ///
    /// It came from [`into_hand`](Self::into_hand), for this side.
    pub(super) unsafe fn from_hand(buffer: Hand<NET_BUFFER>, side: Side) -> Self {
        // SAFETY: by the caller.
        Self::new(unsafe { Backed::from_hand(buffer, side) })
    }

    /// Gives the buffer away.
    pub(super) fn into_hand(self) -> Hand<NET_BUFFER> {
        self.raw.disarm().into_hand()
    }

    /// Which driver's packet this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.raw.side()
    }

    /// The packet, to look at.
    #[must_use]
    pub fn view(&self) -> BufferView<'_> {
        BufferView::new(self.raw.at())
    }

    /// The packet, to write.
    #[must_use]
    pub fn as_mut(&mut self) -> BufferMut<'_> {
        let raw = self.raw.lend();
        BufferMut { raw }
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

/// What becomes of a packet that is dropped.
enum Freed {}

impl Alarm<Backed<NET_BUFFER, Backing>> for Freed {
    fn lost(raw: Backed<NET_BUFFER, Backing>) {
        let (buffer, backing) = raw.into_parts();
        // SAFETY: by PACKET the buffer is this driver's, and in no list; it is used no more.
        unsafe { ndis_sys::NdisFreeNetBuffer(buffer.into_raw()) };
        // The backing goes out of its memory first: the pool keeps the adapter or binding,
        // and with it the module, until everything else is freed.
        drop(backing.map(Box::into_inner));
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
pub struct BufferMut<'a> {
    /// As PACKET says, but perhaps in a list, or marked.
    raw: Lent<'a, NET_BUFFER, Backing>,
}

impl BufferMut<'_> {
    /// The packet, to look at.
    #[must_use]
    pub fn view(&self) -> BufferView<'_> {
        BufferView::new(self.raw.at())
    }

    /// How large the data space is, in bytes, used or not.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        match self.mdl() {
            Some((_, size)) => size,
            None => 0,
        }
    }

    /// The MDL of the data space, and that one's size.
    #[inline]
    fn mdl(&self) -> Option<(At<'_, MDL>, usize)> {
        if let Some(mark) = self.raw.marked() {
            // SAFETY: by PACKET the list's own MDL, which is there as long as the list.
            let mdl = unsafe { At::from_raw(mark.cast::<MDL>()) }?;
            return Some((mdl, self.raw.at().space(self.raw.side())));
        }
        let space = &self.raw.backing()?.space;
        Some((space.mdl(), space.data().len()))
    }

    /// How many unused bytes there are in front of the data.
    #[must_use]
    #[doc(alias = "NET_BUFFER_DATA_OFFSET")]
    pub fn headroom(&self) -> usize {
        let offset = self.raw.at().data_offset() as usize;
        offset.min(self.capacity())
    }

    /// How many unused bytes there are behind the data.
    #[must_use]
    pub fn tailroom(&self) -> usize {
        let used = self.headroom().saturating_add(self.view().len());
        self.capacity().saturating_sub(used)
    }

    /// A part of the data space. Of a marked packet, what of it was not written yet is zero from here
    /// on.
    fn part(&mut self, part: &Range<usize>) -> Option<&mut [u8]> {
        let Some(mark) = self.raw.marked() else {
            let (_, backing) = self.raw.parts_mut()?;
            return backing.space.data_mut().get_mut(part.clone());
        };
        if part.is_empty() {
            return Some(&mut []);
        }
        self.clear_around(part)?;
        let bytes = self.marked_space(mark).get_mut(part.clone())?;
        // SAFETY: by WRITTEN each of them has a value.
        Some(unsafe { slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u8>(), bytes.len()) })
    }

    /// All of the data space of a packet with this mark; empty when it has none.
    #[inline]
    fn marked_space(&mut self, mark: *mut c_void) -> &mut [MaybeUninit<u8>] {
        let size = self.raw.at().space(self.raw.side());
        // SAFETY: by PACKET the list's own MDL, which is there as long as the list.
        let Some(mdl) = (unsafe { At::from_raw(mark.cast::<MDL>()) }) else {
            return &mut [];
        };
        let start = mapping::address(mdl).cast::<MaybeUninit<u8>>();
        if start.is_null() {
            return &mut [];
        }
        // SAFETY: by PACKET so many bytes of NDIS's memory, which are borrowed exclusively, as the
        // packet is.
        unsafe { slice::from_raw_parts_mut(start, size) }
    }

    /// Clears what of this part of a marked packet's data space is not written yet, and what is between
    /// it and what is, which is one part then. None if it is no part of it.
    #[inline(never)]
    fn clear_around(&mut self, part: &Range<usize>) -> Option<()> {
        let (at, side) = (self.raw.at(), self.raw.side());
        let written = at.written(side);
        if written.start <= part.start && part.end <= written.end {
            return Some(());
        }
        let whole = written.start.min(part.start)..written.end.max(part.end);
        let space = self.marked_space(self.raw.marked()?);
        if part.end > space.len() {
            return None;
        }
        for gap in [whole.start..written.start, written.end..whole.end] {
            space.get_mut(gap)?.fill(MaybeUninit::new(0));
        }
        self.raw.at().set_written(side, &whole);
        Some(())
    }

    /// Where in the data space the data is. Drivers below may have left the
    /// fields of a packet that came back otherwise than they found them.
    fn used(&self) -> Result<Range<usize>, Status> {
        let at = self.raw.at();
        let (mdl, size) = self.mdl().ok_or(Status::INVALID_DATA)?;
        let mdl = mdl.as_raw();
        let first = at.first_mdl().map(At::as_raw);
        let current = at.current_mdl().map(At::as_raw);
        let (offset, current_offset) = (at.data_offset(), at.current_mdl_offset());
        let start = offset as usize;
        let len = self.view().len();
        let end = start.saturating_add(len);
        // Where the current MDL is when there is no data is not said anywhere.
        let astray = len > 0 && (current != Some(mdl) || offset != current_offset);
        if first != Some(mdl) || astray || end > size {
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
        // Together they describe a part of the one MDL's memory (rule NBL-40).
        let mdl = self.mdl().ok_or(Status::INVALID_DATA)?.0.as_raw();
        let buffer = self.raw.hand_mut();
        // SAFETY: by PACKET the MDL goes after the buffer, or with it.
        unsafe { buffer.set_mdl(mdl) };
        buffer.at().set_data_offset(start);
        buffer.at().set_current_mdl_offset(start);
        buffer.at().set_data_length(len);
        Ok(())
    }

    /// Makes `bytes` the data. It starts where it started: the headroom stays.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when they do not fit behind the headroom;
    /// nothing changed then.
    #[inline]
    pub fn set_data(&mut self, bytes: &[u8]) -> Result<(), Status> {
        match self.raw.marked() {
            Some(mark) => self.set_marked(mark, bytes),
            None => self.fill(bytes.len(), |data| {
                super::copy_bytes(data, bytes);
                Ok(())
            }),
        }
    }

    /// As above, of a packet with this mark.
    #[inline]
    fn set_marked(&mut self, mark: *mut c_void, bytes: &[u8]) -> Result<(), Status> {
        let (at, side, mdl) = (self.raw.at(), self.raw.side(), mark.cast::<MDL>());
        let (start, space, written) = (at.data_offset(), at.space(side), at.written(side));
        let begin = start as usize;
        let length = u32::try_from(bytes.len()).map_err(|_| Status::BUFFER_OVERFLOW)?;
        let end = begin.checked_add(bytes.len());
        let end = end.filter(|end| *end <= space);
        let end = end.ok_or(Status::BUFFER_OVERFLOW)?;
        // Mostly the data start within what is written, or right behind.
        if begin < written.start || written.end < begin {
            let joined = self.clear_around(&(begin..begin));
            joined.ok_or(Status::BUFFER_OVERFLOW)?;
        }
        let place = self.marked_space(mark).get_mut(begin..end);
        super::copy_to_unwritten(place.ok_or(Status::BUFFER_OVERFLOW)?, bytes);
        let at = self.raw.at();
        if at.written(side).end < end {
            at.set_written_end(side, end);
        }
        let buffer = self.raw.hand_mut();
        // SAFETY: by PACKET the list's own MDL, which goes with it.
        unsafe { buffer.set_mdl(mdl) };
        buffer.at().set_current_mdl_offset(start);
        buffer.at().set_data_length(length);
        Ok(())
    }

    /// Makes the data `len` bytes long and has `write` fill them. It starts
    /// where it started: the headroom stays.
    ///
    /// `write` finds what was there: zeros at first. What has been written elsewhere is better
    /// [copied](Self::set_data), for which nothing is cleared.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when it does not fit behind the headroom, or
    /// what `write` returns; the length is zero then.
    #[inline]
    pub fn fill(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let start = self.headroom();
        let end = start.checked_add(len).ok_or(Status::BUFFER_OVERFLOW)?;
        let place = self.part(&(start..end));
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
        let data = self.part(&used);
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
    /// Source page: [`NdisRetreatNetBufferDataStart`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisretreatnetbufferdatastart).
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
        // SAFETY: by PACKET the buffer is this driver's; the unused data space
        // holds the bytes, so NDIS allocates nothing and no handler is needed
        // (rule NBL-41).
        let status = unsafe {
            ndis_sys::NdisRetreatNetBufferDataStart(self.raw.at().as_raw(), delta, 0, None)
        };
        Status::from_raw(status).result()?;
        let front = self.part(&(start..used.start));
        front.ok_or(Status::INVALID_DATA)
    }

    /// Moves the data's start `by` bytes towards the end: they become unused.
    ///
    /// Source page: [`NdisAdvanceNetBufferDataStart`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisadvancenetbufferdatastart).
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
        // SAFETY: by PACKET the buffer is this driver's and has the bytes; its
        // MDL stays (rule NBL-41).
        unsafe {
            ndis_sys::NdisAdvanceNetBufferDataStart(self.raw.at().as_raw(), delta, 0, None);
        }
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

/// The packets of a list, to write, see
/// [`NetBufferList::buffers_mut`](super::NetBufferList::buffers_mut).
///
/// ```
/// # use ndis_co::{Status, nbl::NetBufferList};
/// # use ndis_host as _;
/// /// Takes a header of four bytes off every packet.
/// fn strip(list: &mut NetBufferList) -> Result<(), Status> {
///     for mut packet in list.buffers_mut() {
///         packet.advance(4)?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Invariants
///
/// REST: the packets from `next` on are as PACKET says, for `side`, but in a list that is
/// borrowed exclusively for `'a`, and none of them was given out.
#[derive(Debug)]
pub struct BuffersMut<'a> {
    next: Option<Hand<NET_BUFFER>>,
    side: Side,
    _life: PhantomData<&'a mut NET_BUFFER>,
}

impl BuffersMut<'_> {
    /// # Safety
    ///
    /// As REST says.
    pub(super) unsafe fn new(next: Option<Hand<NET_BUFFER>>, side: Side) -> Self {
        let _life = PhantomData;
        Self { next, side, _life }
    }
}

impl<'a> Iterator for BuffersMut<'a> {
    type Item = BufferMut<'a>;

    fn next(&mut self) -> Option<BufferMut<'a>> {
        let buffer = self.next.take()?;
        let next = buffer.at().next().map_or(ptr::null_mut(), At::as_raw);
        // SAFETY: by REST, of which this is the next one.
        self.next = unsafe { Hand::from_raw(next) };
        // SAFETY: by REST.
        let raw = unsafe { Lent::from_hand(buffer, self.side) };
        Some(BufferMut { raw })
    }
}
