//! [`PeerDoor`]: the door between a client and its call manager, on the side of whoever is
//! asked.
//!
//! A pended request is completed with the handles of its family and its VC, though the
//! callback has given their contexts (rule [OID-15]). So the door [holds](Hold) both, which
//! keeps the handles good: neither the family is closed nor the VC deleted before the request
//! is answered. When the call that completes it begins, the VC is whoever has asked's: within its
//! completion handler it may delete it.
//!
//! A request whose token was dropped is completed by the scope's work item. No page keeps room
//! in a request for a protocol that is asked, so the place in the work item's list is in
//! memory of the door's own; without memory the request is refused.
//!
//! # Invariants
//!
//! PEER: the handles of what is held are good as long as it is held, that of a VC only until the
//! other end has heard of the answer, if it has been [told](Hold::tell). That of a family whose open
//! NDIS has not told yet is null, and that of one whose open has [failed](Hold::has_failed) stays so.
//!
//! [OID-15]: ndis_sys::rules#OID-15

use super::{
    incoming::{Door, OidRequest},
    typed::Asked,
};
use crate::{
    Answer, Status,
    answer::Request,
    deferred::{Deferred, Node},
    irql::Passive,
    lock::SpinLock,
    mem::{Anchored, Arc, OutOfMemory, Parent, Tag},
    raw::Token,
    scope::Scope,
};
use core::fmt;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};

/// What a request that came from the other end of a family holds.
///
/// # Safety
///
/// As PEER says.
#[doc(hidden)]
pub unsafe trait Hold: Clone + Send + Sync + 'static {
    /// Who is asked.
    type Asked: Asked;

    /// The handle of the family.
    fn af(&self) -> NDIS_HANDLE;

    /// Whether the open of the family has failed: NDIS has forgotten it, and there is no handle to
    /// complete anything with (rules [AF-14], [AF-15]). A call manager has its handle from the start.
    ///
    /// [AF-14]: ndis_sys::rules#AF-14
    /// [AF-15]: ndis_sys::rules#AF-15
    fn has_failed(&self) -> bool {
        false
    }

    /// The handle of the VC, or null when the request is of none.
    fn vc(&self) -> NDIS_HANDLE;

    /// The request is about to be completed: from the other end's completion on it may delete its VC.
    fn tell(&self);

    /// Whose work item completes what was dropped.
    fn scope(&self) -> &Scope;
}

/// The door of one request of a client's, or of a call manager's.
#[doc(hidden)]
pub struct PeerDoor<H: Hold>(Arc<Guest<H>>);

struct Guest<H: Hold> {
    node: Node<Self>,
    /// A request that is left to the work item, and its status.
    left: SpinLock<Option<(Token<NDIS_OID_REQUEST>, NDIS_STATUS)>>,
    held: Parent<H>,
}

impl<H: Hold> Anchored for Guest<H> {
    type Parent = H;
    fn parent(&mut self) -> &mut Parent<H> {
        &mut self.held
    }
}

impl<H: Hold> PeerDoor<H> {
    fn try_new(held: H) -> Result<Self, OutOfMemory> {
        let guest = Guest {
            node: Node::new(),
            left: SpinLock::new(None),
            held: Parent::new(held),
        };
        Arc::try_new_anchored(guest, Tag::NDIS).map(Self)
    }
}

/// A request has come from the other end: its token, if what it is about can be held.
///
/// # Safety
///
/// The request is that of the callback that `request` answers, and NDIS's until the answer; it came
/// to the driver whose family and VC are held.
pub(crate) unsafe fn come<'r, H: Hold>(
    oid: *mut NDIS_OID_REQUEST,
    held: Result<H, Status>,
    request: Request<'r>,
) -> Result<OidRequest<'r, PeerDoor<H>>, Answer<'r>> {
    match held.and_then(|held| PeerDoor::try_new(held).map_err(Status::from)) {
        // SAFETY: by the caller.
        Ok(door) => unsafe { OidRequest::new(oid, door, request) },
        Err(failure) => Err(request.answer(failure)),
    }
}

impl<H: Hold> Guest<H> {
    /// Completes a request, unless the handle for that is not there yet, or never will be.
    ///
    /// # Safety
    ///
    /// As of [`Door::complete`].
    unsafe fn complete(this: &Arc<Self>, request: Token<NDIS_OID_REQUEST>, status: NDIS_STATUS) {
        let af = this.held.af();
        if af.is_null() {
            if this.held.has_failed() {
                return;
            }
            // The open is just being completed.
            this.left.locked(|left| *left = Some((request, status)));
            return Self::defer_later(this);
        }
        this.held.tell();
        // SAFETY: by the caller, and by PEER the handles are good, for who has asked does not delete the
        // VC before it has heard (rule OID-68); no party, for calls are
        // point-to-point; at or below DISPATCH_LEVEL, as everything that has an answer (rule
        // IRQL-33). For a miniport call manager, too: its function is a macro for this one (rules
        // IRQL-22, OID-14, OID-17).
        unsafe {
            ndis_sys::NdisCoOidRequestComplete(
                af,
                this.held.vc(),
                core::ptr::null_mut(),
                request.0,
                status,
            );
        }
    }
}

impl<H: Hold> Deferred for Guest<H> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.held.scope()
    }

    fn run(this: Arc<Self>, _irql: &mut Passive) {
        if let Some((request, status)) = this.left.take() {
            // SAFETY: what was left is to be completed once, here; by the work item, which
            // holds no lock.
            unsafe { Self::complete(&this, request, status) };
        }
    }
}

// SAFETY: by PEER what is held is there until the door is gone, which the work item keeps as
// long as a request is left to it.
unsafe impl<H: Hold> Door for PeerDoor<H> {
    type Asked = H::Asked;

    unsafe fn complete(&self, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        // SAFETY: by the caller.
        unsafe { Guest::complete(&self.0, Token(request), status) };
    }

    unsafe fn lost(self, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        let left = Some((Token(request), status));
        self.0.left.locked(|slot| *slot = left);
        Guest::defer(&self.0);
    }
}

impl<H: Hold> fmt::Debug for PeerDoor<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerDoor").finish_non_exhaustive()
    }
}
