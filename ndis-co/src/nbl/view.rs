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

use super::{fields, mapping};
use crate::Status;
use core::{fmt, marker::PhantomData, ptr};
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

/// A list, borrowed.
///
/// A list carries any number of packets, each a `NET_BUFFER`: look at them
/// with [`buffers`](Self::buffers), or by a `for` loop over the view itself.
/// Nothing here puts the data of several packets together.
///
/// # Invariants
///
/// VIEW: the list is valid and its structure and data are not changed for
/// `'a`, but for the mapping of an MDL; so a view stays on its thread.
#[derive(Clone, Copy)]
#[doc(alias = "NET_BUFFER_LIST")]
pub struct ListView<'a> {
    list: *mut NET_BUFFER_LIST,
    _life: PhantomData<&'a NET_BUFFER_LIST>,
}

impl<'a> ListView<'a> {
    /// Wraps a list.
    ///
    /// # Safety
    ///
    /// The list is valid, and neither it nor its data is changed for `'a`.
    #[must_use]
    pub unsafe fn from_raw(list: *mut NET_BUFFER_LIST) -> Self {
        Self {
            list,
            _life: PhantomData,
        }
    }

    /// The packets of the list, in order.
    #[must_use]
    #[doc(alias = "NET_BUFFER_LIST_FIRST_NB")]
    pub fn buffers(self) -> Buffers<'a> {
        // SAFETY: by VIEW the list is valid.
        let next = unsafe { fields::first_buffer(self.list) };
        Buffers {
            next,
            _life: PhantomData,
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
        // SAFETY: by VIEW the list is valid.
        Status::from_raw(unsafe { fields::status(self.list) })
    }

    pub(super) fn as_raw(self) -> *mut NET_BUFFER_LIST {
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
    next: *mut NET_BUFFER_LIST,
    _life: PhantomData<&'a NET_BUFFER_LIST>,
}

impl<'a> Lists<'a> {
    /// # Safety
    ///
    /// From `first` on there is a null-terminated chain as VIEW demands.
    pub(super) unsafe fn new(
        first: *mut NET_BUFFER_LIST,
        life: PhantomData<&'a NET_BUFFER_LIST>,
    ) -> Self {
        Self {
            next: first,
            _life: life,
        }
    }

    /// The packets of all lists, in order, one by one.
    #[must_use]
    pub fn buffers(self) -> Packets<'a> {
        Packets {
            lists: self,
            buffers: Buffers {
                next: ptr::null_mut(),
                _life: PhantomData,
            },
        }
    }
}

impl<'a> Iterator for Lists<'a> {
    type Item = ListView<'a>;

    fn next(&mut self) -> Option<ListView<'a>> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: a non-null pointer of the chain is a valid list, whose owner
        // is the one of the chain that `Lists::new` was promised.
        let view = unsafe { ListView::from_raw(self.next) };
        // SAFETY: as above.
        self.next = unsafe { fields::next(self.next) };
        Some(view)
    }
}

/// The packets of a list, see [`ListView::buffers`].
#[derive(Clone, Debug)]
#[doc(alias = "NET_BUFFER_NEXT_NB")]
pub struct Buffers<'a> {
    next: *mut NET_BUFFER,
    _life: PhantomData<&'a NET_BUFFER>,
}

impl<'a> Iterator for Buffers<'a> {
    type Item = BufferView<'a>;

    fn next(&mut self) -> Option<BufferView<'a>> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: by VIEW the list's buffers are valid; they belong to the
        // list's owner.
        let view = unsafe { BufferView::from_raw(self.next) };
        // SAFETY: as above.
        self.next = unsafe { fields::next_buffer(self.next) };
        Some(view)
    }
}

/// The packets of several lists, see [`Lists::buffers`].
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
#[derive(Clone, Copy)]
#[doc(alias = "NET_BUFFER")]
pub struct BufferView<'a> {
    buffer: *mut NET_BUFFER,
    _life: PhantomData<&'a NET_BUFFER>,
}

impl<'a> BufferView<'a> {
    /// Wraps a packet.
    ///
    /// # Safety
    ///
    /// The buffer and its MDLs are valid, each MDL's memory is as long as it
    /// says, and none of it is changed for `'a`, but for the mapping of an MDL.
    #[must_use]
    pub unsafe fn from_raw(buffer: *mut NET_BUFFER) -> Self {
        Self {
            buffer,
            _life: PhantomData,
        }
    }

    /// The number of data bytes, as the packet says.
    #[must_use]
    #[doc(alias = "NET_BUFFER_DATA_LENGTH")]
    pub fn len(self) -> usize {
        // SAFETY: by VIEW the buffer is valid.
        unsafe { fields::data_length(self.buffer) as usize }
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
        // SAFETY: by VIEW the buffer is valid.
        let mdl = unsafe { fields::current_mdl(self.buffer) };
        // SAFETY: as above.
        let offset = unsafe { fields::current_mdl_offset(self.buffer) } as usize;
        let size = if mdl.is_null() {
            0
        } else {
            // SAFETY: by VIEW the buffer's MDLs are valid.
            unsafe { (*mdl).ByteCount as usize }
        };
        Segments {
            // An offset beyond its MDL leads nowhere.
            mdl: if offset > size { ptr::null_mut() } else { mdl },
            skip: offset.saturating_add(start),
            left: self.len().saturating_sub(start),
            circle: Circle::NONE,
            _life: PhantomData,
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
        // SAFETY: by VIEW the buffer is valid.
        let mut mdl = unsafe { fields::first_mdl(self.buffer) };
        // SAFETY: as above.
        let mut left = unsafe { fields::data_offset(self.buffer) } as usize;
        // SAFETY: as above.
        let current = unsafe { fields::current_mdl(self.buffer) };
        // SAFETY: as above.
        let here = unsafe { fields::current_mdl_offset(self.buffer) } as usize;
        let empty = self.is_empty();
        let mut circle = Circle::NONE;
        while !mdl.is_null() {
            // SAFETY: by VIEW the buffer's MDLs are valid.
            let size = unsafe { (*mdl).ByteCount } as usize;
            // Where the current MDL of a packet without data is does not matter.
            let start = empty || (mdl == current && left == here);
            if left <= size && start {
                return Ok(());
            }
            if left < size || (size == 0 && circle.closes_at(mdl)) {
                return Err(Status::INVALID_DATA);
            }
            left = left.saturating_sub(size);
            // SAFETY: as above.
            mdl = unsafe { (*mdl).Next };
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
    /// What `NdisGetDataBuffer` does (rule NBL-45), for any place of the packet,
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
    /// Source page: `nf-nblapi-ndisgetdatabuffer`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when the packet ends before that,
    /// [`Status::BUFFER_TOO_SHORT`] when the bytes are apart and `storage` is
    /// shorter than they are, else as [`copy_to`](Self::copy_to).
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

    pub(super) fn as_raw(self) -> *mut NET_BUFFER {
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
#[derive(Clone, Debug)]
#[doc(alias = "MDL")]
#[doc(alias = "MmGetSystemAddressForMdlSafe")]
pub struct Segments<'a> {
    mdl: *mut MDL,
    skip: usize,
    left: usize,
    circle: Circle,
    _life: PhantomData<&'a [u8]>,
}

impl Segments<'_> {
    /// The next MDL with data, where in it the data starts, and how much there
    /// is: never none. Maps nothing.
    fn step(&mut self) -> Option<Result<(*mut MDL, usize, usize), Status>> {
        while self.left > 0 {
            let mdl = self.mdl;
            if mdl.is_null() {
                return Some(Err(self.fail(Status::INVALID_DATA)));
            }
            // SAFETY: by VIEW the buffer's MDLs are valid.
            let size = unsafe { (*mdl).ByteCount } as usize;
            if size > isize::MAX as usize || (size == 0 && self.circle.closes_at(mdl)) {
                return Some(Err(self.fail(Status::INVALID_DATA)));
            }
            // SAFETY: as above.
            self.mdl = unsafe { (*mdl).Next };
            let skip = self.skip.min(size);
            let len = self.left.min(size.saturating_sub(skip));
            self.skip = self.skip.saturating_sub(skip);
            if size > 0 {
                self.circle = Circle::NONE;
            }
            if len > 0 {
                self.left = self.left.saturating_sub(len);
                return Some(Ok((mdl, skip, len)));
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
        let (mdl, skip, len) = match self.step()? {
            Ok(found) => found,
            Err(status) => return Some(Err(status)),
        };
        // SAFETY: by VIEW the MDL is valid; any level up to DISPATCH_LEVEL.
        let start = unsafe { mapping::address(mdl) };
        if start.is_null() {
            return Some(Err(self.fail(Status::RESOURCES)));
        }
        // SAFETY: the MDL maps `ByteCount` bytes from `start`, and by `step`
        // `skip + len` is at most that.
        let start = unsafe { start.cast::<u8>().add(skip) };
        // SAFETY: as above, no longer than `isize::MAX`; by VIEW the owner of
        // the list leaves the memory as it is for 'a.
        Some(Ok(unsafe { core::slice::from_raw_parts(start, len) }))
    }
}
