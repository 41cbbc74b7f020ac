//! [`Backed`]: a C structure that this driver allocated, with what belongs to it beside
//! its fields.

use super::fields::{At, Backs, Hand, Side};
use crate::mem::{Box, Tag};
use core::{marker::PhantomData, ptr::NonNull};

/// A structure with its backing.
///
/// # Invariants
///
/// BACKED: the word of the structure's allocator for `side` holds a leaked [`Box`] of a
/// `B`, which goes with this value, and comes back with the structure when that was given
/// away: no other driver uses the word.
pub(super) struct Backed<S: Backs, B> {
    hand: Hand<S>,
    side: Side,
    _backing: PhantomData<Box<B>>,
}

impl<S: Backs, B> Backed<S, B> {
    /// Gives a structure its backing.
    pub(super) fn new(hand: Hand<S>, side: Side, backing: Box<B>) -> Self {
        S::store(hand.at(), side, backing.leak().as_ptr().cast());
        let _backing = PhantomData;
        Self {
            hand,
            side,
            _backing,
        }
    }

    /// Takes over a structure that has one.
    ///
    /// # Safety
    ///
    /// It came from [`into_hand`](Self::into_hand) of this very type, for this side.
    pub(super) unsafe fn from_hand(hand: Hand<S>, side: Side) -> Self {
        let _backing = PhantomData;
        Self {
            hand,
            side,
            _backing,
        }
    }

    /// Gives the structure away, backing and all.
    pub(super) fn into_hand(self) -> Hand<S> {
        self.hand
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn at(&self) -> At<'_, S> {
        self.hand.at()
    }

    fn place(&self) -> *mut B {
        S::load(self.at(), self.side).cast()
    }

    /// The backing, to look at.
    pub(super) fn backing(&self) -> &B {
        // SAFETY: by BACKED it is there, and nobody writes it while `self` is borrowed.
        unsafe { &*self.place() }
    }

    /// Both, to change.
    pub(super) fn parts_mut(&mut self) -> (&mut Hand<S>, &mut B) {
        // SAFETY: by BACKED it is there, no part of the structure, and `self` is borrowed
        // exclusively.
        let backing = unsafe { &mut *self.place() };
        (&mut self.hand, backing)
    }

    /// Takes both apart. (There is always a backing.)
    pub(super) fn into_parts(self) -> (Hand<S>, Option<Box<B>>) {
        // SAFETY: by BACKED the leaked box, taken back here only.
        let backing =
            NonNull::new(self.place()).map(|place| unsafe { Box::from_leaked(place, Tag::NDIS) });
        (self.hand, backing)
    }
}
