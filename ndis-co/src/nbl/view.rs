//! Looking at data that is in our hands for the moment: lists, their packets,
//! and the memory of a packet.
//!
//! The structures come from other drivers, so nothing that they say is
//! believed where it can be checked: a length that the MDLs do not hold, an
//! offset beyond its MDL, a missing or an empty MDL and a circle of empty MDLs
//! each give an error and are never followed. What C gives no means to check
//! is believed: that a pointer leads to a structure, that an MDL's memory is
//! as long as its `ByteCount` says, and that chains of lists and of buffers
//! end.
//!
//! Views write nothing: data starts, MDL chains and parent pointers of others
//! stay as they are (rules NBL-42, NBL-43).

use super::{fields::At, mapping};
use crate::Status;
use core::{fmt, ptr};
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

/// A list, borrowed.
///
/// A list carries any number of packets, each a `NET_BUFFER`: look at them
/// with [`buffers`](Self::buffers), or by a `for` loop over the view itself.
/// Nothing here puts the data of several packets together.
///
/// ```
/// # use ndis_co::nbl::ListView;
/// # use ndis_host as _;
/// /// How many packets a list has, and how many bytes.
/// fn measure(list: ListView<'_>) -> (usize, usize) {
///     (list.buffers().count(), list.total_len())
/// }
/// ```
///
/// # Invariants
///
/// VIEW: the data of the list is not changed for `'a`.
#[derive(Clone, Copy)]
#[doc(alias = "NET_BUFFER_LIST")]
pub struct ListView<'a> {
    list: At<'a, NET_BUFFER_LIST>,
}

impl<'a> ListView<'a> {
    /// Wraps a list, whose data is not changed for `'a`.
    #[must_use]
    pub(super) fn new(list: At<'a, NET_BUFFER_LIST>) -> Self {
        Self { list }
    }

    /// Wraps a list.
    ///
    /// # Safety
    ///
    /// The list is valid, and neither it nor its data is changed for `'a`, but for the
    /// mapping of an MDL.
    #[must_use]
    pub unsafe fn from_raw(list: *mut NET_BUFFER_LIST) -> Option<Self> {
        // SAFETY: by the caller.
        unsafe { At::from_raw(list) }.map(Self::new)
    }

    /// The packets of the list, in order.
    #[must_use]
    #[doc(alias = "NET_BUFFER_LIST_FIRST_NB")]
    pub fn buffers(self) -> Buffers<'a> {
        Buffers {
            next: self.list.first_buffer(),
        }
    }

    /// The number of data bytes of all packets together, for accounts: how
    /// long a packet is, says [`BufferView::len`].
    #[must_use]
    pub fn total_len(self) -> usize {
        self.buffers()
            .fold(0, |sum, buffer| sum.saturating_add(buffer.len()))
    }

    /// What became of the list: meaningful once it was completed.
    #[doc(alias = "NET_BUFFER_LIST_STATUS")]
    pub fn status(self) -> Status {
        Status::from_raw(self.list.status())
    }

    pub(super) fn at(self) -> At<'a, NET_BUFFER_LIST> {
        self.list
    }
}

impl<'a> IntoIterator for ListView<'a> {
    type Item = BufferView<'a>;
    type IntoIter = Buffers<'a>;
    fn into_iter(self) -> Buffers<'a> {
        self.buffers()
    }
}

impl fmt::Debug for ListView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.buffers()).finish()
    }
}

/// The lists of a chain, see [`Chain::views`](super::Chain::views).
#[derive(Clone, Debug)]
pub struct Lists<'a> {
    next: Option<At<'a, NET_BUFFER_LIST>>,
}

impl<'a> Lists<'a> {
    /// From `first` on, under VIEW.
    pub(super) fn new(first: Option<At<'a, NET_BUFFER_LIST>>) -> Self {
        Self { next: first }
    }

    /// The packets of all lists, in order, one by one.
    #[must_use]
    pub fn buffers(self) -> Packets<'a> {
        Packets {
            lists: self,
            buffers: Buffers { next: None },
        }
    }
}

impl<'a> Iterator for Lists<'a> {
    type Item = ListView<'a>;

    fn next(&mut self) -> Option<ListView<'a>> {
        let list = self.next?;
        self.next = list.next();
        Some(ListView::new(list))
    }
}

/// The packets of a list, see [`ListView::buffers`].
#[derive(Clone, Debug)]
#[doc(alias = "NET_BUFFER_NEXT_NB")]
pub struct Buffers<'a> {
    next: Option<At<'a, NET_BUFFER>>,
}

impl<'a> Iterator for Buffers<'a> {
    type Item = BufferView<'a>;

    fn next(&mut self) -> Option<BufferView<'a>> {
        let buffer = self.next?;
        self.next = buffer.next();
        Some(BufferView::new(buffer))
    }
}

/// The packets of several lists, see [`Lists::buffers`].
///
/// ```
/// # use ndis_co::nbl::NetBufferLists;
/// # use ndis_host as _;
/// /// The longest packet of all lists, in bytes.
/// fn longest(lists: &NetBufferLists) -> Option<usize> {
///     lists.buffers().map(|packet| packet.len()).max()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    lists: Lists<'a>,
    buffers: Buffers<'a>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = BufferView<'a>;

    fn next(&mut self) -> Option<BufferView<'a>> {
        loop {
            if let Some(buffer) = self.buffers.next() {
                return Some(buffer);
            }
            self.buffers = self.lists.next()?.buffers();
        }
    }
}

/// One packet of a list, borrowed under VIEW.
///
/// | to | use |
/// |---|---|
/// | read a header in place, wherever it lies | [`data_buffer`](Self::data_buffer) |
/// | copy a part out | [`copy_range_to`](Self::copy_range_to) |
/// | copy all of it out | [`copy_to`](Self::copy_to) |
/// | walk over the pieces without copying | [`segments`](Self::segments) |
///
/// ```
/// # use ndis_co::{Status, nbl::BufferView};
/// # use ndis_host as _;
/// /// The type in a packet's header, wherever it is in memory.
/// fn ethertype(packet: BufferView<'_>) -> Result<u16, Status> {
///     let mut bytes = [0; 2];
///     packet.copy_range_to(12, &mut bytes)?;
///     Ok(u16::from_be_bytes(bytes))
/// }
/// ```
#[derive(Clone, Copy)]
#[doc(alias = "NET_BUFFER")]
pub struct BufferView<'a> {
    buffer: At<'a, NET_BUFFER>,
}

impl<'a> BufferView<'a> {
    /// Wraps a packet, whose data is not changed for `'a`.
    pub(super) fn new(buffer: At<'a, NET_BUFFER>) -> Self {
        Self { buffer }
    }

    /// The number of data bytes, as the packet says.
    #[must_use]
    #[doc(alias = "NET_BUFFER_DATA_LENGTH")]
    pub fn len(self) -> usize {
        self.buffer.data_length() as usize
    }

    /// Whether there is no data byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The pieces of memory that hold the data, in order.
    #[must_use]
    #[doc(alias = "NET_BUFFER_CURRENT_MDL")]
    pub fn segments(self) -> Segments<'a> {
        self.segments_from(0)
    }

    /// The pieces behind the first `start` bytes, which are not mapped.
    fn segments_from(self, start: usize) -> Segments<'a> {
        let offset = self.buffer.current_mdl_offset() as usize;
        let mdl = self.buffer.current_mdl();
        Segments {
            // An offset beyond its MDL leads nowhere.
            mdl: mdl.filter(|mdl| offset <= mdl.byte_count() as usize),
            skip: offset.saturating_add(start),
            left: self.len().saturating_sub(start),
            circle: Circle::NONE,
        }
    }

    /// Whether the MDLs hold as much data as the packet says.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when not. (Reading says so, too: this is for
    /// drivers that hand a packet on, to a device for example.)
    pub fn check(self) -> Result<(), Status> {
        let mut segments = self.segments();
        while let Some(step) = segments.step() {
            step?;
        }
        Ok(())
    }

    /// Whether the data starts where both of its places say: so many bytes behind the
    /// first MDL's start, and in the current MDL. NDIS follows both when it makes a
    /// clone (rule NBL-40); reading looks at the second one only.
    pub(super) fn check_start(self) -> Result<(), Status> {
        let mut next = self.buffer.first_mdl();
        let mut left = self.buffer.data_offset() as usize;
        let current = self.buffer.current_mdl().map(At::as_raw);
        let here = self.buffer.current_mdl_offset() as usize;
        let empty = self.is_empty();
        let mut circle = Circle::NONE;
        while let Some(mdl) = next {
            let size = mdl.byte_count() as usize;
            // Where the current MDL of a packet without data is does not matter.
            let start = empty || (current == Some(mdl.as_raw()) && left == here);
            if left <= size && start {
                return Ok(());
            }
            if left < size || (size == 0 && circle.closes_at(mdl.as_raw())) {
                return Err(Status::INVALID_DATA);
            }
            left = left.saturating_sub(size);
            next = mdl.next();
        }
        if empty && left == 0 {
            Ok(())
        } else {
            Err(Status::INVALID_DATA)
        }
    }

    /// Copies the data and tells how many bytes there were.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when `to` cannot hold all of it,
    /// [`Status::INVALID_DATA`] when the MDLs hold less than the packet says,
    /// [`Status::RESOURCES`] when Windows cannot map the data. Nothing is
    /// promised of the content of `to` then.
    pub fn copy_to(self, to: &mut [u8]) -> Result<usize, Status> {
        let len = self.len();
        let to = to.get_mut(..len).ok_or(Status::BUFFER_TOO_SHORT)?;
        self.copy_range_to(0, to)?;
        Ok(len)
    }

    /// Copies the bytes from `start` on out, as many as `to` is long.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when the packet ends before that, else as
    /// [`copy_to`](Self::copy_to).
    pub fn copy_range_to(self, start: usize, to: &mut [u8]) -> Result<(), Status> {
        let end = start.checked_add(to.len()).ok_or(Status::INVALID_LENGTH)?;
        if end > self.len() {
            return Err(Status::INVALID_LENGTH);
        }
        if let Some(part) = self.part(start, to.len()) {
            super::copy_bytes(to, part.memory().ok_or(Status::RESOURCES)?);
            return Ok(());
        }
        self.gather(start, to)
    }

    /// The `len` bytes from `start` on, if there are any and the MDL in which the data starts has all
    /// of them, as it mostly has.
    #[inline]
    fn part(self, start: usize, len: usize) -> Option<Part<'a>> {
        let mdl = self.buffer.current_mdl()?;
        let offset = self.buffer.current_mdl_offset() as usize;
        let start = offset.checked_add(start)?;
        let end = start.checked_add(len)?;
        let inside = len > 0 && end <= mdl.byte_count() as usize;
        inside.then_some(Part { mdl, start, len })
    }

    /// As [`copy_range_to`](Self::copy_range_to), piece by piece.
    fn gather(self, start: usize, to: &mut [u8]) -> Result<(), Status> {
        let mut rest = to;
        let mut segments = self.segments_from(start);
        while !rest.is_empty() {
            // The length was looked at, so there is another one, or an error.
            let segment = segments.next().ok_or(Status::INVALID_DATA)??;
            let len = segment.len().min(rest.len());
            let (Some(from), Some((head, tail))) =
                (segment.get(..len), rest.split_at_mut_checked(len))
            else {
                return Err(Status::INVALID_DATA);
            };
            super::copy_bytes(head, from);
            rest = tail;
        }
        Ok(())
    }

    /// The `needed` bytes from `start` on in one piece: where they lie when
    /// they lie together, or copied into `storage` when they do not.
    ///
    /// What `NdisGetDataBuffer` does (rule [NBL-45]), for any place of the packet,
    /// without alignment, and with the MDLs checked.
    ///
    /// ```
    /// # use ndis_co::{Status, nbl::BufferView};
    /// fn kind(packet: BufferView<'_>) -> Result<u16, Status> {
    ///     let mut storage = [0; 14];
    ///     match packet.data_buffer(0, 14, &mut storage)? {
    ///         [.., high, low] => Ok(u16::from_be_bytes([*high, *low])),
    ///         _ => Err(Status::INVALID_LENGTH),
    ///     }
    /// }
    /// # use ndis_host as _;
    /// ```
    ///
    /// Source page: [`NdisGetDataBuffer`](https://learn.microsoft.com/windows-hardware/drivers/ddi/nblapi/nf-nblapi-ndisgetdatabuffer).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when the packet ends before that,
    /// [`Status::BUFFER_TOO_SHORT`] when the bytes are apart and `storage` is
    /// shorter than they are, else as [`copy_to`](Self::copy_to).
    ///
    /// [NBL-45]: ndis_sys::rules#NBL-45
    #[doc(alias = "NdisGetDataBuffer")]
    pub fn data_buffer<'s>(
        self,
        start: usize,
        needed: usize,
        storage: &'s mut [u8],
    ) -> Result<&'s [u8], Status>
    where
        'a: 's,
    {
        let end = start.checked_add(needed).ok_or(Status::INVALID_LENGTH)?;
        if end > self.len() {
            return Err(Status::INVALID_LENGTH);
        }
        if needed == 0 {
            return Ok(&[]);
        }
        let first = self
            .segments_from(start)
            .next()
            .ok_or(Status::INVALID_DATA)??;
        if let Some(together) = first.get(..needed) {
            return Ok(together);
        }
        let storage = storage.get_mut(..needed).ok_or(Status::BUFFER_TOO_SHORT)?;
        self.copy_range_to(start, storage)?;
        Ok(storage)
    }

    pub(super) fn at(self) -> At<'a, NET_BUFFER> {
        self.buffer
    }
}

impl fmt::Debug for BufferView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferView")
            .field("len", &self.len())
            .finish()
    }
}

/// Notices that empty MDLs lead back to one of themselves (Brent's way: one is
/// remembered, each time for twice as long).
#[derive(Clone, Debug)]
struct Circle {
    remembered: *mut MDL,
    steps: u32,
    limit: u32,
}

impl Circle {
    const NONE: Self = Self {
        remembered: ptr::null_mut(),
        steps: 0,
        limit: 1,
    };

    /// Another empty MDL; `true` when it was seen before.
    fn closes_at(&mut self, mdl: *mut MDL) -> bool {
        if mdl == self.remembered {
            return true;
        }
        self.steps = self.steps.saturating_add(1);
        if self.steps >= self.limit {
            self.remembered = mdl;
            self.steps = 0;
            self.limit = self.limit.saturating_mul(2);
        }
        false
    }
}

/// The pieces of memory of a packet, see [`BufferView::segments`].
///
/// No piece is empty. An item is [`Status::RESOURCES`] when Windows cannot map
/// a piece and [`Status::INVALID_DATA`] when the MDLs hold less than the packet
/// says, its offset lies beyond its MDL, or empty MDLs go in a circle; the
/// iteration ends there. (A circle in which there is data is read round and
/// round until the packet's length is reached, as its MDLs say.)
///
/// ```
/// # use ndis_co::{Status, nbl::BufferView};
/// # use ndis_host as _;
/// /// A checksum without a copy: piece by piece.
/// fn sum(packet: BufferView<'_>) -> Result<u32, Status> {
///     let mut sum = 0_u32;
///     for piece in packet.segments() {
///         sum = piece?.iter().fold(sum, |sum, byte| sum.wrapping_add(u32::from(*byte)));
///     }
///     Ok(sum)
/// }
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "MDL")]
#[doc(alias = "MmGetSystemAddressForMdlSafe")]
pub struct Segments<'a> {
    mdl: Option<At<'a, MDL>>,
    skip: usize,
    left: usize,
    circle: Circle,
}

/// A part of an MDL's memory.
struct Part<'a> {
    mdl: At<'a, MDL>,
    start: usize,
    /// `start + len` is at most the MDL's size, which no `isize` is too small for.
    len: usize,
}

impl<'a> Part<'a> {
    /// Where it is; `None` when Windows cannot map it.
    #[inline]
    fn memory(self) -> Option<&'a [u8]> {
        let memory = mapping::address(self.mdl);
        if memory.is_null() {
            return None;
        }
        let start = memory.cast::<u8>().wrapping_add(self.start);
        // SAFETY: by AT the MDL maps as many bytes as it says, and the part is among them;
        // by VIEW they stay as they are for 'a.
        Some(unsafe { core::slice::from_raw_parts(start, self.len) })
    }
}

impl<'a> Segments<'a> {
    /// The next MDL with data, and where in it the data is: never none. Maps nothing.
    #[inline]
    fn step(&mut self) -> Option<Result<Part<'a>, Status>> {
        while self.left > 0 {
            let Some(mdl) = self.mdl else {
                return Some(Err(self.fail(Status::INVALID_DATA)));
            };
            let size = mdl.byte_count() as usize;
            if size > isize::MAX as usize || (size == 0 && self.circle.closes_at(mdl.as_raw())) {
                return Some(Err(self.fail(Status::INVALID_DATA)));
            }
            self.mdl = mdl.next();
            let start = self.skip.min(size);
            let len = self.left.min(size.saturating_sub(start));
            self.skip = self.skip.saturating_sub(start);
            if size > 0 {
                self.circle = Circle::NONE;
            }
            if len > 0 {
                self.left = self.left.saturating_sub(len);
                return Some(Ok(Part { mdl, start, len }));
            }
        }
        None
    }

    /// Ends the iteration.
    fn fail(&mut self, status: Status) -> Status {
        self.left = 0;
        status
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<&'a [u8], Status>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = match self.step()? {
            Ok(part) => part,
            Err(status) => return Some(Err(status)),
        };
        match part.memory() {
            Some(memory) => Some(Ok(memory)),
            None => Some(Err(self.fail(Status::RESOURCES))),
        }
    }
}
