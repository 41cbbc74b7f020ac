//! [`Memory`]: where call parameters of one's own are: with their count, as long as they are as
//! short as most.

use crate::mem::Vec;
use core::sync::atomic::AtomicU32;
use ndis_sys::CO_CALL_PARAMETERS;

/// The structure at the front, then both halves, whose words are all of 32 bits.
pub(super) enum Memory {
    /// In the one allocation.
    Small(Small),
    /// In another one. (The pool aligns what it gives out for pointers.)
    Large(Vec<u32>),
}

/// Words that are at the place where C code finds them, and that it may write. The structure at
/// the front has pointers.
#[repr(align(8))]
pub(super) struct Small([AtomicU32; SMALL]);

/// Parameters of no more words, with their count, are one allocation: both flows, and some 40
/// bytes of what the family and the medium define.
pub(super) const SMALL: usize = 40;

impl Small {
    /// The first word.
    pub(super) fn first(&self) -> &AtomicU32 {
        let Self([first, ..]) = self;
        first
    }

    /// The words, as long as nobody has a pointer to them.
    pub(super) fn words(&mut self) -> &mut [u32; SMALL] {
        // SAFETY: an atomic word is like one that is not, and these are borrowed exclusively.
        unsafe { &mut *self.0.as_mut_ptr().cast() }
    }
}

impl Memory {
    /// Zeros.
    pub(super) const fn small() -> Self {
        Self::Small(Small([const { AtomicU32::new(0) }; SMALL]))
    }

    /// Where it begins. Later uses of the value leave the pointer usable.
    pub(super) fn base(&self) -> *mut CO_CALL_PARAMETERS {
        match self {
            Self::Small(Small(words)) => words.as_ptr().cast_mut().cast(),
            Self::Large(words) => words.base().cast(),
        }
    }
}
