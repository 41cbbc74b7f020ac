//! [`AdapterDoor`]: through which of the miniport's handlers a request came, of which adapter
//! and of which VC; and the way back.

use super::lost::{Lists, Lost};
use crate::miniport::{
    Miniport, Role,
    adapter::{Adapter, AdapterShared},
    reset,
};
use core::{ffi::c_void, fmt, ptr};
use ndis_co::{
    Status,
    channel::OfVc,
    irql::Passive,
    later::{self, Place, Work},
    mem::Arc,
    oid::{Door, ToAdapter},
    scope::Scope,
};
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};

/// The VC of a miniport that has none: there is no such value.
#[derive(Debug)]
pub enum NoVc {}

impl OfVc for NoVc {
    fn handle_to_complete(&self) -> NDIS_HANDLE {
        match *self {}
    }

    fn into_raw(self) -> *mut c_void {
        match self {}
    }

    unsafe fn from_raw(_: *mut c_void) -> Option<Self> {
        None
    }
}

/// How requests reach a miniport.
pub struct AdapterDoor<M: Miniport> {
    came: Came<<M::Role as Role<M>>::OidVc>,
    // Last: with it the adapter may go.
    adapter: Adapter<M>,
}

/// Through which handler.
enum Came<V> {
    /// `MiniportOidRequest`.
    Plain,
    /// `MiniportCoOidRequest`, about the adapter.
    Co,
    /// The same, about a VC.
    Of(V),
}

impl<M: Miniport> AdapterDoor<M> {
    /// `MiniportOidRequest`.
    pub(crate) fn plain(adapter: Adapter<M>) -> Self {
        let came = Came::Plain;
        Self { came, adapter }
    }

    /// `MiniportCoOidRequest`, about the adapter.
    pub(crate) fn co(adapter: Adapter<M>) -> Self {
        let came = Came::Co;
        Self { came, adapter }
    }

    /// `MiniportCoOidRequest`, about a VC.
    pub(crate) fn of_vc(adapter: Adapter<M>, vc: <M::Role as Role<M>>::OidVc) -> Self {
        let came = Came::Of(vc);
        Self { came, adapter }
    }

    pub(crate) fn adapter(&self) -> &Adapter<M> {
        &self.adapter
    }
}

// SAFETY: the adapter, whose halt waits for this reference, keeps its handle valid, and HELD
// that of the VC.
unsafe impl<M: Miniport> Door for AdapterDoor<M> {
    type Asked = ToAdapter;

    unsafe fn complete(&self, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        let adapter = self.adapter.shared.handle.get();
        let vc = match &self.came {
            Came::Plain => {
                // SAFETY: by the caller it was pended here, by MiniportOidRequest, and is
                // completed once (rule OID-58); the adapter's handle is valid.
                unsafe { ndis_sys::NdisMOidRequestComplete(adapter, request, status) };
                return;
            }
            Came::Co => ptr::null_mut(),
            Came::Of(vc) => vc.handle_to_complete(),
        };
        // SAFETY: by the caller it was pended here, by MiniportCoOidRequest, and is completed
        // once (rules DV-07 and OID-14), at or below DISPATCH_LEVEL as everything that has an
        // answer (rule IRQL-27); the handles are valid, that of the VC null when the request is
        // not about one (rule OID-18).
        unsafe { ndis_sys::NdisMCoOidRequestComplete(adapter, vc, request, status) };
    }

    /// The adapter's work item does it. The status is that of each lost request, and is written
    /// when it is completed.
    unsafe fn lost(self, request: *mut NDIS_OID_REQUEST, _status: NDIS_STATUS) {
        let Self { came, adapter } = self;
        let (list, vc): (fn(&mut Lists) -> &mut _, _) = match came {
            Came::Plain => (|lists| &mut lists.plain, ptr::null_mut()),
            Came::Co => (|lists| &mut lists.co, ptr::null_mut()),
            Came::Of(vc) => (|lists| &mut lists.co, vc.into_raw()),
        };
        // SAFETY: by the caller it is this driver's, pended and not completed.
        unsafe { adapter.shared.lost.push(list, request, vc) };
        later::leave(&adapter.shared, crate::key::key());
    }
}

impl<M: Miniport> AdapterShared<M> {
    /// The door of a request whose token was dropped.
    fn door_of(this: &Arc<Self>, one: &Lost) -> AdapterDoor<M> {
        let adapter = Adapter {
            shared: this.clone(),
        };
        if one.plain {
            return AdapterDoor::plain(adapter);
        }
        // SAFETY: it is null, or was put there by `lost` for this role, and is taken out once;
        // the request is not answered.
        let vc = unsafe { OfVc::from_raw(one.vc) };
        match vc {
            Some(vc) => AdapterDoor::of_vc(adapter, vc),
            None => AdapterDoor::co(adapter),
        }
    }
}

/// Requests whose tokens were dropped are refused, and so is a reset.
impl<M: Miniport> Work for AdapterShared<M> {
    fn place(&self) -> &Place<Self> {
        &self.place
    }

    fn scope(&self) -> &Scope {
        Self::scope(self)
    }

    fn run(this: Arc<Self>, _irql: &mut Passive) {
        reset::complete_lost(&this);
        while let Some(one) = this.lost.pop() {
            let door = Self::door_of(&this, &one);
            // SAFETY: it was pended at this door and its token is gone, so this is its one
            // completion; at PASSIVE_LEVEL, with no lock held.
            unsafe { door.complete(one.request, Status::FAILURE.raw()) };
        }
    }
}

impl<M: Miniport> fmt::Debug for AdapterDoor<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterDoor").finish_non_exhaustive()
    }
}
