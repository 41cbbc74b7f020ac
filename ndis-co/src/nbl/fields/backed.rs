//! [`Backed`]: a C structure that this driver allocated, with what belongs to it beside
//! its fields.

use super::{At, Hand, Side};
use crate::mem::{Box, Tag};
use core::{ffi::c_void, marker::PhantomData, ptr::NonNull};
use ndis_sys::{NET_BUFFER, NET_BUFFER_LIST};

/// A structure with a word in which its allocator keeps what belongs to it.
pub(in crate::nbl) trait Backs: Sized {
    /// What is in the word.
    fn load(at: At<'_, Self>, side: Side) -> *mut c_void;
    /// Puts something there.
    fn store(at: At<'_, Self>, side: Side, value: *mut c_void);
}

macro_rules! backs {
    ($($owner:ident)*) => {$(
        impl Backs for $owner {
            fn load(at: At<'_, Self>, side: Side) -> *mut c_void {
                match side {
                    Side::Miniport => at.miniport_0(),
                    Side::Protocol => at.protocol_0(),
                }
            }

            fn store(at: At<'_, Self>, side: Side, value: *mut c_void) {
                match side {
                    Side::Miniport => at.set_miniport_0(value),
                    Side::Protocol => at.set_protocol_0(value),
                }
            }
        }
    )*};
}
backs!(NET_BUFFER_LIST NET_BUFFER);

/// A structure with its backing.
///
/// One that NDIS has allocated in one piece with all that it needs has no `B`, but a pointer of its
/// owner's, the mark.
///
/// # Invariants
///
/// BACKED: the word of the structure's allocator for `side` holds a leaked [`Box`] of a
/// `B`, which goes with this value, or a mark with [`MARKED`] set. It comes back with the structure when
/// that was given away: no other driver uses the word.
pub(in crate::nbl) struct Backed<S: Backs, B> {
    hand: Hand<S>,
    side: Side,
    _backing: PhantomData<Box<B>>,
}

/// Set in a mark, and in no pointer to a `B` or of an owner's: neither is at an odd address.
const MARKED: usize = 1;

/// Puts a mark into a structure that is to have one.
pub(in crate::nbl) fn mark<S: Backs>(at: At<'_, S>, side: Side, pointer: *mut c_void) {
    S::store(at, side, pointer.map_addr(|address| address | MARKED));
}

impl<S: Backs, B> Backed<S, B> {
    /// Gives a structure its backing.
    pub(in crate::nbl) fn new(hand: Hand<S>, side: Side, backing: Box<B>) -> Self {
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
    pub(in crate::nbl) unsafe fn from_hand(hand: Hand<S>, side: Side) -> Self {
        let _backing = PhantomData;
        Self {
            hand,
            side,
            _backing,
        }
    }

    /// Gives the structure away, backing and all.
    pub(in crate::nbl) fn into_hand(self) -> Hand<S> {
        self.hand
    }

    pub(in crate::nbl) fn side(&self) -> Side {
        self.side
    }

    pub(in crate::nbl) fn at(&self) -> At<'_, S> {
        self.hand.at()
    }

    /// The mark, if it has one.
    #[inline]
    pub(in crate::nbl) fn marked(&self) -> Option<*mut c_void> {
        let word = S::load(self.at(), self.side);
        (word.addr() & MARKED != 0).then(|| word.map_addr(|address| address & !MARKED))
    }

    /// The backing's place, unless there is a mark.
    fn place(&self) -> Option<NonNull<B>> {
        let word = S::load(self.at(), self.side);
        NonNull::new(word.cast()).filter(|_| word.addr() & MARKED == 0)
    }

    /// The backing, to look at; none of what is marked.
    pub(in crate::nbl) fn backing(&self) -> Option<&B> {
        // SAFETY: by BACKED it is there, and nobody writes it while `self` is borrowed.
        self.place().map(|place| unsafe { &*place.as_ptr() })
    }

    /// Both, to change, as [`backing`](Self::backing).
    pub(in crate::nbl) fn parts_mut(&mut self) -> Option<(&mut Hand<S>, &mut B)> {
        let place = self.place()?;
        // SAFETY: by BACKED it is there, no part of the structure, and `self` is borrowed
        // exclusively.
        let backing = unsafe { &mut *place.as_ptr() };
        Some((&mut self.hand, backing))
    }

    /// The structure, to change.
    pub(in crate::nbl) fn hand_mut(&mut self) -> &mut Hand<S> {
        &mut self.hand
    }

    /// Takes both apart.
    pub(in crate::nbl) fn into_parts(self) -> (Hand<S>, Option<Box<B>>) {
        // SAFETY: by BACKED the leaked box, taken back here only.
        let backing = self
            .place()
            .map(|place| unsafe { Box::from_leaked(place, Tag::NDIS) });
        (self.hand, backing)
    }

    /// Lends it.
    pub(in crate::nbl) fn lend(&mut self) -> Lent<'_, S, B> {
        let hand = Hand(self.hand.0);
        let (side, _backing) = (self.side, PhantomData);
        Lent {
            backed: Self {
                hand,
                side,
                _backing,
            },
            _life: PhantomData,
        }
    }
}

/// A [`Backed`], borrowed exclusively: what is within is never moved out.
pub(in crate::nbl) struct Lent<'a, S: Backs, B> {
    backed: Backed<S, B>,
    _life: PhantomData<&'a mut Backed<S, B>>,
}

impl<S: Backs, B> Lent<'_, S, B> {
    /// # Safety
    ///
    /// As [`Backed::from_hand`], but that the structure stays its owner's, who is borrowed
    /// exclusively.
    pub(in crate::nbl) unsafe fn from_hand(hand: Hand<S>, side: Side) -> Self {
        // SAFETY: by the caller, for as long as the borrow.
        let backed = unsafe { Backed::from_hand(hand, side) };
        let _life = PhantomData;
        Self { backed, _life }
    }

    pub(in crate::nbl) fn at(&self) -> At<'_, S> {
        self.backed.at()
    }

    #[inline]
    pub(in crate::nbl) fn side(&self) -> Side {
        self.backed.side()
    }

    #[inline]
    pub(in crate::nbl) fn marked(&self) -> Option<*mut c_void> {
        self.backed.marked()
    }

    pub(in crate::nbl) fn backing(&self) -> Option<&B> {
        self.backed.backing()
    }

    pub(in crate::nbl) fn parts_mut(&mut self) -> Option<(&mut Hand<S>, &mut B)> {
        self.backed.parts_mut()
    }

    pub(in crate::nbl) fn hand_mut(&mut self) -> &mut Hand<S> {
        self.backed.hand_mut()
    }
}
