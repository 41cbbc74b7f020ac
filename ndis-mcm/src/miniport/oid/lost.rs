//! [`LostRequests`]: OID requests whose tokens were dropped, until the work item completes them.
//!
//! A destructor knows neither its level nor whether a lock is held, and has no memory to
//! get. So the list runs through the requests themselves, by the two words that are their
//! target's.
//!
//! # Invariants
//!
//! LOST: a [`Mine`] was pended by this driver, is not completed, and nobody else uses it. In a
//! list the first of its words is the next one's address, or null, the second what was made of its
//! VC, with a reference, or null.

use crate::lock::StateLock;
use core::{ffi::c_void, ptr};
use ndis_co::raw::Token;
use ndis_sys::NDIS_OID_REQUEST;

/// The requests of one adapter.
pub(crate) struct LostRequests(StateLock<Lists>);

/// By the handler that they came through: the first of each list.
pub(crate) struct Lists {
    pub(super) plain: Option<Mine>,
    pub(super) co: Option<Mine>,
}

/// A request as LOST says.
pub(super) struct Mine(Token<NDIS_OID_REQUEST>);

/// One of them.
pub(super) struct Lost {
    pub(super) request: *mut NDIS_OID_REQUEST,
    pub(super) vc: *mut c_void,
    /// It came through `MiniportOidRequest`.
    pub(super) plain: bool,
}

impl Mine {
    /// The two words: of any alignment, for all that C says of them.
    fn words(&self) -> *mut [*mut c_void; 2] {
        // SAFETY: by LOST the request is there.
        unsafe { &raw mut (*self.0.0).MiniportReserved }.cast()
    }
}

impl LostRequests {
    pub(crate) const fn new() -> Self {
        Self(StateLock::new(Lists {
            plain: None,
            co: None,
        }))
    }

    /// Puts a request into a list, with what was made of its VC.
    ///
    /// # Safety
    ///
    /// As LOST says.
    pub(super) unsafe fn push(
        &self,
        list: fn(&mut Lists) -> &mut Option<Mine>,
        request: *mut NDIS_OID_REQUEST,
        vc: *mut c_void,
    ) {
        let one = Mine(Token(request));
        self.0.with(|lists| {
            let first = list(lists);
            let next = first.as_ref().map_or(ptr::null_mut(), |next| next.0.0);
            // SAFETY: by LOST the words are this driver's.
            unsafe { one.words().write_unaligned([next.cast(), vc]) };
            *first = Some(one);
        });
    }

    /// Takes a request out.
    pub(super) fn pop(&self) -> Option<Lost> {
        self.0.with(|lists| {
            let plain = lists.plain.is_some();
            let first = if plain {
                &mut lists.plain
            } else {
                &mut lists.co
            };
            let one = first.take()?;
            // SAFETY: by LOST `push` has written them.
            let [next, vc] = unsafe { one.words().read_unaligned() };
            *first = (!next.is_null()).then(|| Mine(Token(next.cast())));
            Some(Lost {
                request: one.0.0,
                vc,
                plain,
            })
        })
    }
}
