//! [`Chain`]: a run of linked lists as one movable value, without an opinion
//! on who frees them.

use super::{
    fields::{At, Hand},
    view::Lists,
};
use crate::raw::Token;
use core::{cell::Cell, ptr};
use ndis_sys::NET_BUFFER_LIST;

/// A linked run of NBLs that is in this driver's hands.
///
/// The building block of the owning types; it does nothing on drop, so each
/// of them decides what becomes of a forgotten list.
///
/// How many lists there are, and which is the last, is looked for when it is asked for: most that
/// come in go on without.
///
/// # Invariants
///
/// CHAIN: `first` starts a chain whose last list has a null next pointer. `last` is that list, or
/// null; `count` says how many there are, or [`UNKNOWN`]. An empty one has neither.
#[derive(Debug)]
pub struct Chain {
    first: Option<Hand<NET_BUFFER_LIST>>,
    last: Token<NET_BUFFER_LIST>,
    count: Cell<usize>,
}

/// Nobody has counted.
const UNKNOWN: usize = usize::MAX;

impl Chain {
    /// No list at all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: None,
            last: Token::null(),
            count: Cell::new(0),
        }
    }

    /// Takes over a null-terminated chain.
    ///
    /// # Safety
    ///
    /// `first` is null or starts a null-terminated chain of valid lists that
    /// the caller hands over.
    #[must_use]
    #[inline]
    pub unsafe fn from_raw(first: *mut NET_BUFFER_LIST) -> Self {
        // SAFETY: by the caller.
        let first = unsafe { Hand::from_raw(first) };
        Self {
            first,
            last: Token::null(),
            count: Cell::new(UNKNOWN),
        }
    }

    /// Hands the chain over to C code; this value is empty afterwards.
    #[must_use]
    #[inline]
    pub fn take_raw(&mut self) -> *mut NET_BUFFER_LIST {
        let first = core::mem::take(self).first;
        first.map_or(ptr::null_mut(), Hand::into_raw)
    }

    /// How many lists there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        let known = self.count.get();
        if known != UNKNOWN {
            return known;
        }
        let mut count = 0_usize;
        self.for_each_raw(|_| count = count.wrapping_add(1));
        self.count.set(count);
        count
    }

    /// Somebody has counted.
    #[inline]
    pub(crate) fn set_len(&self, count: usize) {
        debug_assert_eq!(self.views().count(), count);
        self.count.set(count);
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Unlinks the first list.
    pub fn pop(&mut self) -> Option<Hand<NET_BUFFER_LIST>> {
        let mut list = self.first.take()?;
        self.first = list.take_next();
        if self.first.is_none() {
            *self = Self::new();
        } else if self.count.get() != UNKNOWN {
            self.count.set(self.count.get().wrapping_sub(1));
        }
        Some(list)
    }

    /// Appends one list; what its next pointer says does not matter.
    pub fn push(&mut self, mut list: Hand<NET_BUFFER_LIST>) {
        list.set_next(None);
        let last = list.as_raw();
        self.link(list, last, 1);
    }

    /// Appends another chain, in order.
    pub fn append(&mut self, other: Self) {
        if let Some(first) = other.first {
            self.link(first, other.last.0, other.count.get());
        }
    }

    /// Links what begins with `first` behind the last list. What is not known of it is null, or
    /// [`UNKNOWN`].
    fn link(&mut self, first: Hand<NET_BUFFER_LIST>, last: *mut NET_BUFFER_LIST, count: usize) {
        if self.first.is_none() {
            self.first = Some(first);
            self.count.set(count);
        } else {
            let behind = self.find_last();
            // SAFETY: by CHAIN the last list, which this chain owns and nobody else uses.
            let tail = unsafe { Hand::from_raw(behind) };
            if let Some(mut tail) = tail {
                tail.set_next(Some(first));
            }
            let known = self.count.get() != UNKNOWN && count != UNKNOWN;
            let sum = self.count.get().wrapping_add(count);
            self.count.set(if known { sum } else { UNKNOWN });
        }
        self.last = Token(last);
    }

    /// The last list; null when there is none.
    fn find_last(&self) -> *mut NET_BUFFER_LIST {
        let mut last = self.last.0;
        if last.is_null() {
            self.for_each_raw(|list| last = list.as_raw());
        }
        last
    }

    /// Splits off the lists behind the first `count`.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        let mut front = Self::new();
        for _ in 0..count {
            let Some(list) = self.pop() else { break };
            front.push(list);
        }
        front
    }

    /// Looks at each list.
    #[must_use]
    pub fn views(&self) -> Lists<'_> {
        Lists::new(self.first.as_ref().map(Hand::at))
    }

    /// Whether every list carries at least one packet, so that it can be sent.
    #[must_use]
    pub fn all_have_packets(&self) -> bool {
        self.views().all(|list| list.buffers().next().is_some())
    }

    /// Whether every list carries exactly one packet, so that it can be
    /// indicated (rule [NBL-35]).
    ///
    /// [NBL-35]: ndis_sys::rules#NBL-35
    #[must_use]
    pub fn all_have_one_packet(&self) -> bool {
        self.views().all(|list| {
            let mut buffers = list.buffers();
            buffers.next().is_some() && buffers.next().is_none()
        })
    }

    /// Looks at the first list.
    #[inline]
    pub(crate) fn first(&self) -> Option<At<'_, NET_BUFFER_LIST>> {
        self.first.as_ref().map(Hand::at)
    }

    /// Does something to each list.
    #[inline]
    pub fn for_each_raw<'a>(&'a self, mut f: impl FnMut(At<'a, NET_BUFFER_LIST>)) {
        let mut list = self.first.as_ref().map(Hand::at);
        while let Some(at) = list {
            list = at.next();
            f(at);
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}
