//! Looking at data that is in our hands for the moment.

use super::fields;
use crate::Status;
use core::{fmt, marker::PhantomData};
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

/// A list, borrowed.
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

    /// The buffers of the list; usually one is a frame.
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

    /// The number of data bytes in all buffers.
    #[must_use]
    pub fn len(self) -> usize {
        self.buffers()
            .fold(0, |sum, buffer| sum.saturating_add(buffer.len()))
    }

    /// Whether there is no data byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// What became of the list: meaningful once it was completed.
    #[doc(alias = "NET_BUFFER_LIST_STATUS")]
    pub fn status(self) -> Status {
        // SAFETY: by VIEW the list is valid.
        Status::from_raw(unsafe { fields::status(self.list) })
    }

    /// Copies the data of all buffers and tells how many bytes there were.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when `to` cannot hold all of it (nothing
    /// is promised of its content then), [`Status::RESOURCES`] when Windows
    /// cannot map the data.
    pub fn copy_to(self, to: &mut [u8]) -> Result<usize, Status> {
        let mut at = 0;
        for buffer in self.buffers() {
            let rest = to.get_mut(at..).ok_or(Status::BUFFER_TOO_SHORT)?;
            at = at.saturating_add(buffer.copy_to(rest)?);
        }
        Ok(at)
    }
}

impl fmt::Debug for ListView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListView")
            .field("len", &self.len())
            .finish()
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
}

impl<'a> Iterator for Lists<'a> {
    type Item = ListView<'a>;

    fn next(&mut self) -> Option<ListView<'a>> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: a non-null pointer of the chain is a valid list.
        let view = unsafe { ListView::from_raw(self.next) };
        // SAFETY: as above.
        self.next = unsafe { fields::next(self.next) };
        Some(view)
    }
}

/// The buffers of a list.
#[derive(Clone, Debug)]
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
        let view = BufferView {
            buffer: self.next,
            _life: PhantomData,
        };
        // SAFETY: by VIEW the list's buffers are valid.
        self.next = unsafe { fields::next_buffer(self.next) };
        Some(view)
    }
}

/// One buffer (a frame) of a list, borrowed under VIEW.
#[derive(Clone, Copy)]
#[doc(alias = "NET_BUFFER")]
pub struct BufferView<'a> {
    buffer: *mut NET_BUFFER,
    _life: PhantomData<&'a NET_BUFFER>,
}

impl<'a> BufferView<'a> {
    /// The number of data bytes.
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
        Segments {
            // SAFETY: by VIEW the buffer is valid.
            mdl: unsafe { fields::current_mdl(self.buffer) },
            // SAFETY: as above.
            skip: unsafe { fields::current_mdl_offset(self.buffer) as usize },
            left: self.len(),
            _life: PhantomData,
        }
    }

    /// Copies the data and tells how many bytes there were.
    ///
    /// Source page: `nf-nblapi-ndisgetdatabuffer`.
    ///
    /// # Errors
    ///
    /// As [`ListView::copy_to`].
    #[doc(alias = "NdisGetDataBuffer")]
    pub fn copy_to(self, to: &mut [u8]) -> Result<usize, Status> {
        let mut at = 0_usize;
        for segment in self.segments() {
            let segment = segment?;
            let end = at.saturating_add(segment.len());
            to.get_mut(at..end)
                .ok_or(Status::BUFFER_TOO_SHORT)?
                .copy_from_slice(segment);
            at = end;
        }
        Ok(at)
    }
}

impl fmt::Debug for BufferView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferView")
            .field("len", &self.len())
            .finish()
    }
}

/// The pieces of memory of a buffer, see [`BufferView::segments`].
///
/// An item is [`Status::RESOURCES`] when Windows cannot map a piece and
/// [`Status::INVALID_DATA`] when the MDLs hold less than the buffer claims;
/// the iteration ends there.
#[derive(Clone, Debug)]
#[doc(alias = "MDL")]
#[doc(alias = "MmGetSystemAddressForMdlSafe")]
pub struct Segments<'a> {
    mdl: *mut MDL,
    skip: usize,
    left: usize,
    _life: PhantomData<&'a [u8]>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<&'a [u8], Status>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            if self.mdl.is_null() {
                self.left = 0;
                return Some(Err(Status::INVALID_DATA));
            }
            let mdl = self.mdl;
            // SAFETY: by VIEW the buffer's MDLs are valid.
            let size = unsafe { (*mdl).ByteCount } as usize;
            // SAFETY: as above.
            self.mdl = unsafe { (*mdl).Next };
            let skip = self.skip.min(size);
            let len = self.left.min(size - skip);
            self.skip -= skip;
            if len == 0 {
                continue;
            }
            // SAFETY: as above; any level up to DISPATCH_LEVEL.
            let start = unsafe {
                ndis_sys::MmGetSystemAddressForMdlSafe(
                    mdl,
                    (ndis_sys::NormalPagePriority | ndis_sys::MdlMappingNoExecute) as u32,
                )
            };
            if start.is_null() {
                self.left = 0;
                return Some(Err(Status::RESOURCES));
            }
            self.left -= len;
            // SAFETY: the MDL maps `size` bytes from `start`.
            let start = unsafe { start.cast::<u8>().add(skip) };
            // SAFETY: as above, and by VIEW nobody changes them for 'a.
            return Some(Ok(unsafe { core::slice::from_raw_parts(start, len) }));
        }
        None
    }
}
