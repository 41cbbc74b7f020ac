//! [`NetBufferList`] and [`NetBufferLists`]: lists that this driver allocated.

use super::{
    Chain, ListView, Lists, NetBufferListPool,
    fields::{self, Side, Slot},
};
use crate::{
    Status,
    mem::{Box, Vec},
};
use core::fmt;
use ndis_sys::{MDL, NET_BUFFER_LIST};

/// What belongs to a list beside the C structures; its address is in the
/// list's [`Slot::Backing`].
pub(super) struct Backing {
    /// Keeps the pool alive.
    pub(super) _pool: NetBufferListPool,
    pub(super) data: Vec<u8>,
    pub(super) mdl: *mut MDL,
}

/// One list with one buffer, allocated by this driver and in its hands.
///
/// Dropping it gives everything back to the pool.
///
/// Source pages: `nf-nblapi-ndisfreenetbufferlist`, `nf-mdlapi-ndisfreemdl`.
///
/// # Invariants
///
/// OWN: `list` is a valid list from [`NetBufferListPool::allocate`], in no
/// chain, ours alone; its backing is in the slot of `side`.
#[doc(alias = "NdisFreeNetBufferList")]
#[doc(alias = "NdisFreeMdl")]
pub struct NetBufferList {
    list: *mut NET_BUFFER_LIST,
    side: Side,
}

// SAFETY: by OWN the list is this value's and moves with it.
unsafe impl Send for NetBufferList {}

impl NetBufferList {
    /// Takes over a list.
    ///
    /// # Safety
    ///
    /// As OWN says.
    #[must_use]
    pub unsafe fn from_raw(list: *mut NET_BUFFER_LIST, side: Side) -> Self {
        Self { list, side }
    }

    /// Gives the list away; it is to come back through
    /// [`NetBufferList::from_raw`].
    #[must_use]
    pub fn into_raw(self) -> *mut NET_BUFFER_LIST {
        core::mem::ManuallyDrop::new(self).list
    }

    fn backing_ptr(&self) -> *mut Backing {
        // SAFETY: by OWN the list is valid and ours.
        unsafe { fields::load(self.list, self.side, Slot::Backing).cast() }
    }

    /// How many bytes fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        // SAFETY: by OWN the slot holds the live backing.
        let backing = unsafe { &*self.backing_ptr() };
        backing.data.len()
    }

    /// The frame, to look at.
    #[must_use]
    pub fn view(&self) -> ListView<'_> {
        // SAFETY: by OWN nobody changes the list while `self` is borrowed.
        unsafe { ListView::from_raw(self.list) }
    }

    /// The number of data bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether there is no data byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes `frame` the data of the list.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when it does not fit; nothing changed then.
    pub fn set_data(&mut self, frame: &[u8]) -> Result<(), Status> {
        self.fill(frame.len(), |data| {
            data.copy_from_slice(frame);
            Ok(())
        })
    }

    /// Makes the data `len` bytes long and has `write` fill them.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_OVERFLOW`] when it does not fit, or what `write`
    /// returns; the length is zero then.
    pub fn fill(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        // SAFETY: by OWN the slot holds the live backing, ours alone.
        let backing = unsafe { &mut *self.backing_ptr() };
        let place = backing.data.get_mut(..len).ok_or(Status::BUFFER_OVERFLOW)?;
        let size = u32::try_from(len).map_err(|_| Status::BUFFER_OVERFLOW)?;
        let result = write(place);
        // SAFETY: by OWN the list is valid.
        let buffer = unsafe { fields::first_buffer(self.list) };
        let size = if result.is_ok() { size } else { 0 };
        // SAFETY: the list's one buffer; its MDL is at least `len` bytes long.
        unsafe { fields::set_data_length(buffer, size) };
        result
    }
}

impl NetBufferList {
    /// Shortens the data to `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are fewer.
    pub fn truncate(&mut self, len: usize) -> Result<(), Status> {
        let Ok(size) = u32::try_from(len) else {
            return Err(Status::INVALID_LENGTH);
        };
        if len > self.len() {
            return Err(Status::INVALID_LENGTH);
        }
        // SAFETY: by OWN the list is valid.
        let buffer = unsafe { fields::first_buffer(self.list) };
        // SAFETY: the list's one buffer, which had at least that much data.
        unsafe { fields::set_data_length(buffer, size) };
        Ok(())
    }
}

impl Drop for NetBufferList {
    fn drop(&mut self) {
        let backing = self.backing_ptr();
        // SAFETY: by OWN the list is valid, ours, and used no more.
        unsafe { ndis_sys::NdisFreeNetBufferList(self.list) };
        // SAFETY: by OWN the slot held the backing that `allocate` leaked.
        let backing = unsafe { Box::from_leaked(backing) };
        // SAFETY: the MDL of the list that is gone, freed once.
        unsafe { ndis_sys::NdisFreeMdl(backing.mdl) };
        // Only now the memory that the MDL described, and the pool's share.
        drop(backing);
    }
}

impl fmt::Debug for NetBufferList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBufferList")
            .field("len", &self.len())
            .finish()
    }
}

/// Any number of [`NetBufferList`]s in order, linked without memory of its
/// own.
///
/// # Invariants
///
/// OWN-ALL: every list of the chain is as OWN says, for `side`.
pub struct NetBufferLists {
    chain: Chain,
    side: Side,
}

impl NetBufferLists {
    /// Takes over a chain that comes back from NDIS.
    ///
    /// # Safety
    ///
    /// Every list is one of this driver's own, as OWN says.
    #[must_use]
    pub unsafe fn from_chain(chain: Chain, side: Side) -> Self {
        Self { chain, side }
    }

    /// Gives the lists away; they are to come back through
    /// [`NetBufferLists::from_chain`].
    #[must_use]
    pub fn into_chain(mut self) -> Chain {
        core::mem::take(&mut self.chain)
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// Which driver's lists these are.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Takes the first list.
    pub fn pop_front(&mut self) -> Option<NetBufferList> {
        let list = self.chain.pop_raw()?;
        // SAFETY: by OWN-ALL, and just unlinked.
        Some(unsafe { NetBufferList::from_raw(list, self.side) })
    }

    /// Appends a list.
    ///
    /// # Errors
    ///
    /// Gives the list back when it is for the other direction: receive lists
    /// are a miniport's, send lists a protocol's.
    pub fn push_back(&mut self, list: NetBufferList) -> Result<(), NetBufferList> {
        if list.side != self.side {
            return Err(list);
        }
        // SAFETY: by OWN the list is valid and handed over.
        unsafe { self.chain.push_raw(list.into_raw()) };
        Ok(())
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }
}

/// The lists one by one, by move.
#[derive(Debug)]
pub struct IntoIter(NetBufferLists);

impl Iterator for IntoIter {
    type Item = NetBufferList;
    fn next(&mut self) -> Option<NetBufferList> {
        self.0.pop_front()
    }
}

impl IntoIterator for NetBufferLists {
    type Item = NetBufferList;
    type IntoIter = IntoIter;
    fn into_iter(self) -> IntoIter {
        IntoIter(self)
    }
}

impl<'a> IntoIterator for &'a NetBufferLists {
    type Item = ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl From<NetBufferList> for NetBufferLists {
    fn from(list: NetBufferList) -> Self {
        let side = list.side;
        let mut chain = Chain::new();
        // SAFETY: by OWN the list is valid and handed over.
        unsafe { chain.push_raw(list.into_raw()) };
        Self { chain, side }
    }
}

impl Drop for NetBufferLists {
    fn drop(&mut self) {
        while self.pop_front().is_some() {}
    }
}

impl fmt::Debug for NetBufferLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
