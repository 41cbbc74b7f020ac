//! [`Chain`]: a run of linked lists as one movable value, without an opinion
//! on who frees them.

use super::{
    fields::{At, Hand},
    view::Lists,
};
use crate::raw::Token;
use core::ptr;
use ndis_sys::NET_BUFFER_LIST;

/// A linked run of NBLs that is in this driver's hands.
///
/// The building block of the owning types; it does nothing on drop, so each
/// of them decides what becomes of a forgotten list.
///
/// # Invariants
///
/// CHAIN: from `first`, following the next pointers, there are exactly `count`
/// lists, and the last one is `last`.
#[derive(Debug)]
pub struct Chain {
    first: Option<Hand<NET_BUFFER_LIST>>,
    last: Token<NET_BUFFER_LIST>,
    count: usize,
}

impl Chain {
    /// No list at all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: None,
            last: Token::null(),
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
        // SAFETY: by the caller.
        let first = unsafe { Hand::from_raw(first) };
        let (mut last, mut count) = (ptr::null_mut(), 0_usize);
        let mut list = first.as_ref().map(Hand::at);
        while let Some(at) = list {
            last = at.as_raw();
            count = count.saturating_add(1);
            list = at.next();
        }
        Self {
            first,
            last: Token(last),
            count,
        }
    }

    /// Hands the chain over to C code; this value is empty afterwards.
    #[must_use]
    pub fn take_raw(&mut self) -> *mut NET_BUFFER_LIST {
        let first = core::mem::take(self).first;
        first.map_or(ptr::null_mut(), Hand::into_raw)
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

    /// Unlinks the first list.
    pub fn pop(&mut self) -> Option<Hand<NET_BUFFER_LIST>> {
        let mut list = self.first.take()?;
        self.first = list.take_next();
        self.count = self.count.saturating_sub(1);
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
            self.link(first, other.last.0, other.count);
        }
    }

    /// Links what begins with `first` behind the last list.
    fn link(&mut self, first: Hand<NET_BUFFER_LIST>, last: *mut NET_BUFFER_LIST, count: usize) {
        if self.first.is_none() {
            self.first = Some(first);
        } else {
            // SAFETY: by CHAIN the last list, which this chain owns and nobody else uses.
            let tail = unsafe { Hand::from_raw(self.last.0) };
            if let Some(mut tail) = tail {
                tail.set_next(Some(first));
            }
        }
        self.last = Token(last);
        self.count = self.count.saturating_add(count);
    }

    /// Splits off the lists behind the first `count`.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        let mut front = Self::new();
        while front.len() < count {
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

    /// Does something to each list.
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
