//! [`NetBufferList`]: a list that this driver allocated.

use super::{
    BufferMut, Buffers, BuffersMut, ListView, NetBuffer, NetBufferListPool,
    fields::{At, Backed, Hand, Side, Slot, load, mark, store},
    origin::Origin,
};
use crate::{
    Status,
    armed::{Alarm, Armed},
    irql::UpToDispatch,
    mem::{Box, Tag, Vacant},
    raw::Token,
};
use core::{fmt, ptr};
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

/// What belongs to a list beside the C structures.
pub(super) struct Backing {
    pub(super) kind: Kind,
    /// The pool, which keeps the adapter or binding alive, goes last.
    pub(super) pool: NetBufferListPool,
}

/// Whose packets are in a list, and so how it is freed.
pub(super) enum Kind {
    /// Packets of this driver, each as PACKET says.
    Own {
        /// The last one, null when there is none.
        last: Token<NET_BUFFER>,
    },
    /// What `NdisAllocateCloneNetBufferList` made of another list.
    Clone(Origin),
    /// One buffer of this driver's pool over the MDLs of another list.
    Packet(Origin),
}

/// One list, allocated by this driver and in its hands.
///
/// It carries packets, in order: [`NetBuffer`]s that this driver put into it;
/// or, when it is a [clone](super::Parent), those of another list, which can
/// only be looked at. Dropping it gives everything back to the pools.
///
/// ```
/// # use ndis_co::{Status, nbl::{NetBufferList, NetBufferListPool}};
/// # use ndis_host as _;
/// fn frame(pool: &NetBufferListPool, bytes: &[u8]) -> Result<NetBufferList, Status> {
///     let mut frame = pool.allocate(bytes.len())?;
///     frame.set_data(bytes)?;
///     Ok(frame)
/// }
/// ```
///
/// Source pages: [`NdisAllocateNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisallocatenetbufferlist),
/// [`NdisFreeNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreenetbufferlist),
/// [`NdisFreeCloneNetBufferList`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisfreeclonenetbufferlist).
///
/// # Invariants
///
/// OWN: a list with this backing is one of a [`NetBufferListPool`], and its packets are
/// what its `Kind` says. A marked one is of a pool with a size: NDIS has made it in one piece with its
/// packet, which stays in it and is marked, too, and the mark is a reference to the pool. This one is
/// in no chain.
#[doc(alias = "NET_BUFFER_LIST")]
#[doc(alias = "NdisFreeNetBufferList")]
pub struct NetBufferList {
    raw: Armed<Backed<NET_BUFFER_LIST, Backing>, Freed>,
}

impl NetBufferList {
    /// Wraps a new list, as OWN says.
    pub(super) fn new(raw: Backed<NET_BUFFER_LIST, Backing>) -> Self {
        let raw = Armed::new(raw);
        Self { raw }
    }

    /// Takes over a list.
    ///
    /// # Safety
    ///
    /// It came from [`into_raw`](Self::into_raw), for this side.
    #[must_use]
    pub unsafe fn from_raw(list: Hand<NET_BUFFER_LIST>, side: Side) -> Self {
        // SAFETY: by the caller.
        Self::new(unsafe { Backed::from_hand(list, side) })
    }

    /// Gives the list away; it is to come back through
    /// [`NetBufferList::from_raw`].
    #[must_use]
    pub fn into_raw(self) -> Hand<NET_BUFFER_LIST> {
        self.raw.disarm().into_hand()
    }

    /// Whether the packets are those of another list.
    #[must_use]
    pub fn is_clone(&self) -> bool {
        let backing = self.raw.backing();
        backing.is_some_and(|backing| !matches!(backing.kind, Kind::Own { .. }))
    }

    /// Whether the list and its packet are one piece of memory: it has that packet, and always will.
    /// So it is with what a [pool with a size](NetBufferListPool::for_sends_of_size) allocates.
    #[must_use]
    pub fn is_in_one_piece(&self) -> bool {
        self.raw.marked().is_some()
    }

    /// Whether packets may be put in and taken out.
    fn is_loose(&self) -> bool {
        !self.is_in_one_piece() && !self.is_clone()
    }

    /// Which driver's list this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.raw.side()
    }

    /// The list, to look at.
    #[must_use]
    pub fn view(&self) -> ListView<'_> {
        ListView::new(self.raw.at())
    }

    /// Whether it can go its way: with packets, or to be indicated with one (rule NBL-35).
    pub(super) fn is_fit(&self) -> bool {
        let mut buffers = self.buffers();
        let first = buffers.next().is_some();
        first && (self.side() == Side::Protocol || buffers.next().is_none())
    }

    /// What became of it: of one that was indicated, that it was. (The slot keeps the VC's context when
    /// the list is back: nobody follows it, and the next indication writes it anew.)
    fn outcome(&self) -> Status {
        let side = self.side();
        if side == Side::Miniport && !load(self.raw.at(), side, Slot::Vc).is_null() {
            return Status::SUCCESS;
        }
        self.view().status()
    }

    /// The packets, to look at.
    #[must_use]
    pub fn buffers(&self) -> Buffers<'_> {
        self.view().buffers()
    }

    /// The packets, to write; none of a clone.
    #[must_use]
    pub fn buffers_mut(&mut self) -> BuffersMut<'_> {
        let first = match self.is_clone() {
            true => None,
            false => self.raw.at().first_buffer(),
        };
        let first = first.map_or(ptr::null_mut(), At::as_raw);
        // SAFETY: by OWN null or a packet that belongs to the list, which is borrowed.
        let first = unsafe { Hand::from_raw(first) };
        // SAFETY: by OWN, and as above.
        unsafe { BuffersMut::new(first, self.side()) }
    }

    /// The one packet of the list, to write, as
    /// [`NetBufferListPool::allocate`] makes it; `None` when there are more or
    /// none, and for a clone.
    #[must_use]
    pub fn single_mut(&mut self) -> Option<BufferMut<'_>> {
        let mut buffers = self.buffers_mut();
        let first = buffers.next()?;
        match buffers.next() {
            None => Some(first),
            Some(_) => None,
        }
    }

    /// Makes `bytes` the data of the list's one packet, see
    /// [`BufferMut::set_data`].
    ///
    /// # Errors
    ///
    /// As there, and [`Status::INVALID_PARAMETER`] when the list has another
    /// number of packets, or is a clone.
    pub fn set_data(&mut self, bytes: &[u8]) -> Result<(), Status> {
        let mut packet = self.single_mut().ok_or(Status::INVALID_PARAMETER)?;
        packet.set_data(bytes)
    }

    /// Has `write` make the `len` bytes of the list's one packet, see
    /// [`BufferMut::fill`].
    ///
    /// # Errors
    ///
    /// As there, and [`Status::INVALID_PARAMETER`] when the list has another
    /// number of packets, or is a clone.
    pub fn fill(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let mut packet = self.single_mut().ok_or(Status::INVALID_PARAMETER)?;
        packet.fill(len, write)
    }

    /// Appends a packet.
    ///
    /// # Errors
    ///
    /// Gives the packet back when it is for the other direction, or the list
    /// is a clone or [in one piece](Self::is_in_one_piece).
    pub fn push_back(&mut self, packet: NetBuffer) -> Result<(), NetBuffer> {
        if packet.side() != self.side() {
            return Err(packet);
        }
        let Some((list, backing)) = self.raw.parts_mut() else {
            return Err(packet);
        };
        let Kind::Own { last } = &mut backing.kind else {
            return Err(packet);
        };
        let mut buffer = packet.into_hand();
        buffer.set_next(None);
        let behind = core::mem::replace(last, Token(buffer.as_raw()));
        // SAFETY: by OWN null or the last packet, which belongs to the list.
        match unsafe { Hand::from_raw(behind.0) } {
            None => list.set_first_buffer(Some(buffer)),
            Some(mut last) => last.set_next(Some(buffer)),
        }
        Ok(())
    }

    /// Takes the first packet out; `None` when there is none, or the list is a
    /// clone or [in one piece](Self::is_in_one_piece).
    pub fn pop_front(&mut self) -> Option<NetBuffer> {
        let side = self.side();
        let (list, backing) = self.raw.parts_mut()?;
        let Kind::Own { last } = &mut backing.kind else {
            return None;
        };
        let mut first = list.take_first_buffer()?;
        let next = first.take_next();
        if next.is_none() {
            *last = Token::null();
        }
        list.set_first_buffer(next);
        // SAFETY: by OWN a packet that `push_back` put in, for this side.
        Some(unsafe { NetBuffer::from_hand(first, side) })
    }

    /// Moves the packets of `other` behind those of this list; `other` is
    /// empty afterwards.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_PARAMETER`] when one of both is a clone or [in one
    /// piece](Self::is_in_one_piece), or they are for different directions; nothing changed then.
    pub fn append(&mut self, other: &mut Self) -> Result<(), Status> {
        if self.side() != other.side() || !self.is_loose() || !other.is_loose() {
            return Err(Status::INVALID_PARAMETER);
        }
        while let Some(packet) = other.pop_front() {
            // Both are as they were looked at above.
            self.push_back(packet)
                .map_err(|_| Status::INVALID_PARAMETER)?;
        }
        Ok(())
    }

    /// Moves the first `count` packets, or all when there are fewer, into a
    /// list of their own from `pool`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_PARAMETER`] for a clone, a list [in one piece](Self::is_in_one_piece), or a pool
    /// for the other direction; [`Status::RESOURCES`]. Nothing changed then.
    pub fn split_front(&mut self, count: usize, pool: &NetBufferListPool) -> Result<Self, Status> {
        if !self.is_loose() || pool.side() != self.side() {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut front = pool.allocate_list()?;
        for _ in 0..count {
            let Some(packet) = self.pop_front() else {
                break;
            };
            // Both are as they were looked at above.
            front
                .push_back(packet)
                .map_err(|_| Status::INVALID_PARAMETER)?;
        }
        Ok(front)
    }

    /// Frees the list; what a clone was made from is given back at once when
    /// the level is known.
    #[inline]
    pub(super) fn free(self, irql: Option<&mut UpToDispatch>) {
        let Some(mark) = self.raw.marked() else {
            return self.free_pieces(irql);
        };
        let list = self.raw.disarm().into_hand();
        // SAFETY: by OWN the reference of this list, which is no more.
        let pool = unsafe { NetBufferListPool::from_raw(mark) };
        // SAFETY: by OWN the list is ours, and goes with what is in one piece with it (rule NBL-38).
        unsafe { ndis_sys::NdisFreeNetBufferList(list.into_raw()) };
        drop(pool);
    }

    /// As above, of a list that is made of several.
    fn free_pieces(mut self, irql: Option<&mut UpToDispatch>) {
        while let Some(packet) = self.pop_front() {
            drop(packet);
        }
        let status = self.outcome();
        let (mut list, backing) = self.raw.disarm().into_parts();
        // Out of its memory first, see `Backing`.
        let Some(Backing { kind, pool }) = backing.map(Box::into_inner) else {
            return;
        };
        let origin = match kind {
            Kind::Clone(origin) => {
                // SAFETY: by OWN the list is ours and a clone, made without
                // flags (rule NBL-37).
                unsafe { ndis_sys::NdisFreeCloneNetBufferList(list.into_raw(), 0) };
                Some(origin)
            }
            own => {
                // A list with packets of its own has none left.
                if let Some(buffer) = list.take_first_buffer() {
                    // SAFETY: by OWN the one buffer is of this driver's pool,
                    // and in no list now; its MDLs stay the parent's.
                    unsafe { ndis_sys::NdisFreeNetBuffer(buffer.into_raw()) };
                }
                // SAFETY: by OWN the list is ours; it has no packet (rule NBL-38).
                unsafe { ndis_sys::NdisFreeNetBufferList(list.into_raw()) };
                match own {
                    Kind::Packet(origin) => Some(origin),
                    _ => None,
                }
            }
        };
        if let Some(origin) = origin {
            origin.release(status, irql);
        }
        drop(pool);
    }
}

impl NetBufferListPool {
    /// Allocates a list with one packet that has room for `capacity` bytes and
    /// no data yet.
    ///
    /// At or below DISPATCH_LEVEL. From a pool [with a size](Self::for_sends_of_size) that suffices
    /// the list is [in one piece](NetBufferList::is_in_one_piece).
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
        if let Some(list) = self.allocate_in_one_piece(headroom, capacity)? {
            return Ok(list);
        }
        let packet = self.allocate_buffer(headroom, capacity)?;
        let mut list = self.allocate_list()?;
        // Both are of this pool.
        list.push_back(packet)
            .map_err(|_| Status::INVALID_PARAMETER)?;
        Ok(list)
    }

    /// As [`allocate_with_headroom`](Self::allocate_with_headroom), of one piece of memory, if the
    /// pool has a size and that suffices.
    #[inline]
    fn allocate_in_one_piece(
        &self,
        headroom: usize,
        capacity: usize,
    ) -> Result<Option<NetBufferList>, Status> {
        let fits = headroom.checked_add(capacity);
        let Some(pool) = fits.and_then(|room| self.in_one_piece(room)) else {
            return Ok(None);
        };
        // SAFETY: a live pool, whose lists have a packet, an MDL and data (rule NBL-39).
        let list = unsafe { ndis_sys::NdisAllocateNetBufferList(pool, 0, 0) };
        // SAFETY: just allocated, or null.
        let list = unsafe { Hand::from_raw(list) }.ok_or(Status::RESOURCES)?;
        let side = self.side();
        let room = headroom.saturating_add(capacity);
        let Some((packet, mdl)) = one_piece(list.at(), room) else {
            // SAFETY: just allocated, and used no more (rule NBL-38).
            unsafe { ndis_sys::NdisFreeNetBufferList(list.into_raw()) };
            return Ok(None);
        };
        // Less than a size of 32 bits.
        let start = u32::try_from(headroom).unwrap_or(0);
        packet.set_data_offset(start);
        packet.set_current_mdl_offset(start);
        packet.set_data_length(0);
        packet.set_space(side, mdl.byte_count() as usize);
        packet.set_written(side, &(headroom..headroom));
        mark(packet, side, mdl.as_raw().cast());
        store(list.at(), side, Slot::Vc, ptr::null_mut());
        mark(list.at(), side, self.clone().into_raw());
        // SAFETY: by OWN, marked as it says.
        Ok(Some(unsafe { NetBufferList::from_raw(list, side) }))
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

/// The packet and the MDL of a list that NDIS has made in one piece, if there is one of each and it
/// has so much room. Where there is none, the list is no use: it is made of several pieces then.
fn one_piece(
    list: At<'_, NET_BUFFER_LIST>,
    room: usize,
) -> Option<(At<'_, NET_BUFFER>, At<'_, MDL>)> {
    let packet = list.first_buffer()?;
    let mdl = packet.first_mdl()?;
    let fits = room <= mdl.byte_count() as usize;
    (fits && packet.next().is_none()).then_some((packet, mdl))
}

/// What becomes of a list that is dropped.
enum Freed {}

impl Alarm<Backed<NET_BUFFER_LIST, Backing>> for Freed {
    fn lost(raw: Backed<NET_BUFFER_LIST, Backing>) {
        NetBufferList::new(raw).free(None);
    }
}

impl fmt::Debug for NetBufferList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.buffers()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{At, one_piece};
    use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

    /// What NDIS gives as a list in one piece is one only with a packet, one MDL's worth of room, and
    /// nothing behind: nobody writes where there is none.
    #[test]
    fn a_list_in_one_piece_has_all_that_it_needs() {
        let mut list: NET_BUFFER_LIST = ndis_sys::zeroed();
        let mut packets: [NET_BUFFER; 2] = [ndis_sys::zeroed(), ndis_sys::zeroed()];
        let mut mdl: MDL = ndis_sys::zeroed();
        mdl.ByteCount = 16;
        let (list, mdl) = (&raw mut list, &raw mut mdl);
        let packets: *mut NET_BUFFER = (&raw mut packets).cast();
        // SAFETY: the structures are there until the test ends, and used by it alone.
        let at = unsafe { At::from_raw(list) }.unwrap();
        // SAFETY: as above.
        let packet = unsafe { At::from_raw(packets) }.unwrap();
        let room = |room| one_piece(at, room).is_some();

        assert!(!room(0), "no packet");
        // SAFETY: as above.
        let first = unsafe { ndis_sys::NET_BUFFER_LIST_FIRST_NB(list) };
        // SAFETY: as above.
        unsafe { first.write(packets) };
        assert!(!room(0), "no MDL");
        // SAFETY: as above.
        let place = unsafe { ndis_sys::NET_BUFFER_FIRST_MDL(packets) };
        // SAFETY: as above.
        unsafe { place.write(mdl) };
        assert!(room(0) && room(16));
        assert!(!room(17), "less memory than the pool's size");
        let second = packets.wrapping_add(1);
        // SAFETY: as above.
        let next = unsafe { ndis_sys::NET_BUFFER_NEXT_NB(packet.as_raw()) };
        // SAFETY: as above.
        unsafe { next.write(second) };
        assert!(!room(0), "another packet");
    }
}
