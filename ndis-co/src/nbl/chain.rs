//! [`Chain`]: a run of linked lists as one movable value, without an opinion
//! on who frees them.

use super::{fields, view::Lists};
use core::{marker::PhantomData, ptr};
use ndis_sys::NET_BUFFER_LIST;

/// A linked run of NBLs that is in this driver's hands.
///
/// The building block of the owning types; it does nothing on drop, so each
/// of them decides what becomes of a forgotten list.
///
/// # Invariants
///
/// CHAIN: from `first`, following the next pointers, there are exactly `count`
/// valid lists, the last one is `last` and its next pointer is null; nobody
/// else uses them.
#[derive(Debug)]
pub struct Chain {
    first: *mut NET_BUFFER_LIST,
    last: *mut NET_BUFFER_LIST,
    count: usize,
}

// SAFETY: by CHAIN the lists belong to this value and move with it.
unsafe impl Send for Chain {}

impl Chain {
    /// No list at all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
            count: 0,
        }
    }

    /// Takes over a null-terminated chain.
    ///
    /// # Safety
    ///
    /// `first` is null or starts a null-terminated chain of valid lists that
    /// the caller hands over.
    #[must_use]
    pub unsafe fn from_raw(first: *mut NET_BUFFER_LIST) -> Self {
        let mut chain = Self {
            first,
            last: ptr::null_mut(),
            count: 0,
        };
        let mut list = first;
        while !list.is_null() {
            chain.last = list;
            chain.count = chain.count.saturating_add(1);
            // SAFETY: a valid list of the chain.
            list = unsafe { fields::next(list) };
        }
        chain
    }

    /// Hands the chain over to C code; this value is empty afterwards.
    #[must_use]
    pub fn take_raw(&mut self) -> *mut NET_BUFFER_LIST {
        core::mem::take(self).first
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first list, still in the chain.
    #[must_use]
    pub fn first_raw(&self) -> *mut NET_BUFFER_LIST {
        self.first
    }

    /// Unlinks the first list.
    pub fn pop_raw(&mut self) -> Option<*mut NET_BUFFER_LIST> {
        if self.first.is_null() {
            return None;
        }
        let list = self.first;
        // SAFETY: by CHAIN `first` is valid and ours.
        self.first = unsafe { fields::next(list) };
        self.count = self.count.saturating_sub(1);
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { fields::set_next(list, ptr::null_mut()) };
        Some(list)
    }

    /// Appends one list.
    ///
    /// # Safety
    ///
    /// The list is valid and handed over; what its next pointer says does not
    /// matter.
    pub unsafe fn push_raw(&mut self, list: *mut NET_BUFFER_LIST) {
        // SAFETY: the caller hands the list over.
        unsafe { fields::set_next(list, ptr::null_mut()) };
        if self.last.is_null() {
            self.first = list;
        } else {
            // SAFETY: by CHAIN `last` is valid and ours.
            unsafe { fields::set_next(self.last, list) };
        }
        self.last = list;
        self.count = self.count.saturating_add(1);
    }

    /// Appends another chain, in order.
    pub fn append(&mut self, mut other: Self) {
        if other.is_empty() {
            return;
        }
        if self.last.is_null() {
            *self = other;
            return;
        }
        let (count, last) = (other.count, other.last);
        let first = other.take_raw();
        // SAFETY: by CHAIN `last` is valid and ours, and so is `other`.
        unsafe { fields::set_next(self.last, first) };
        self.last = last;
        self.count = self.count.saturating_add(count);
    }

    /// Splits off the lists behind the first `count`.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        let mut front = Self::new();
        while front.len() < count {
            let Some(list) = self.pop_raw() else { break };
            // SAFETY: just unlinked from our own chain.
            unsafe { front.push_raw(list) };
        }
        front
    }

    /// Looks at each list.
    #[must_use]
    pub fn views(&self) -> Lists<'_> {
        // SAFETY: by CHAIN the lists are valid and nobody else uses them; the
        // owner of this chain, who is borrowed with it, keeps them so.
        unsafe { Lists::new(self.first, PhantomData) }
    }

    /// Whether every list carries at least one packet, so that it can be sent.
    #[must_use]
    pub fn all_have_packets(&self) -> bool {
        self.views().all(|list| list.buffers().next().is_some())
    }

    /// Whether every list carries exactly one packet, so that it can be
    /// indicated (rule NBL-35).
    #[must_use]
    pub fn all_have_one_packet(&self) -> bool {
        self.views().all(|list| {
            let mut buffers = list.buffers();
            buffers.next().is_some() && buffers.next().is_none()
        })
    }

    /// Does something to each list.
    pub fn for_each_raw(&self, mut f: impl FnMut(*mut NET_BUFFER_LIST)) {
        let mut list = self.first;
        while !list.is_null() {
            // SAFETY: by CHAIN the list is valid; read before `f` has it.
            let next = unsafe { fields::next(list) };
            f(list);
            list = next;
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}
