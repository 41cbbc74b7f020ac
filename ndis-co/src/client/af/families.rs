//! [`Families`]: the address families that a client has opened on one binding.

use super::{AfShared, Client, Phase, Vc, above::KeepsAbove};
use crate::{Status, irql::UpToDispatch, mem::Arc, members::Members, protocol::BindingShared};
use core::fmt;
use ndis_sys::NDIS_HANDLE;

/// A role in which a driver is a client.
#[doc(hidden)]
pub trait RunsClient<C: Client>: KeepsAbove<C> {
    fn families(binding: &BindingShared<C>) -> &Families<C>;
}

/// What a client's binding keeps.
pub struct Families<C: Client>(Members<AfShared<C>>);

impl<C: Client> Families<C> {
    /// None is open.
    pub(crate) const fn new() -> Self {
        Self(Members::new())
    }

    /// Takes an address family into the list, unless the binding goes away.
    pub(in crate::client) fn add(&self, af: &Arc<AfShared<C>>) -> Result<(), Status> {
        self.0.add(af)
    }

    /// An address family is gone.
    pub(in crate::client) fn remove(binding: &Arc<BindingShared<C>>, af: &Arc<AfShared<C>>) {
        if binding.families().0.remove(af) {
            BindingShared::part_closed(binding);
        }
    }

    /// The unbind has begun: no more families.
    pub(crate) fn closing(&self) {
        self.0.refuse();
    }

    /// Whether the unbind has begun.
    pub(in crate::client) fn is_closing(&self) -> bool {
        self.0.refuses()
    }

    /// The client's VC with this context, if there is one: it may be another's.
    pub(in crate::client) fn vc_of(&self, context: NDIS_HANDLE) -> Option<Vc<C>> {
        let shared = self.0.find_in(|af| af.vc_of(context))?;
        Some(Vc { shared })
    }

    /// Has every address family closed. The binding goes on to its end with the last.
    pub(crate) fn close(binding: &Arc<BindingShared<C>>, irql: &mut UpToDispatch) {
        let families = &binding.families().0;
        // One that is still opening looks at the binding itself once it is open.
        while let Some(af) = families.find(|af| af.phase() == Phase::Open) {
            AfShared::request_close(&af, irql);
        }
        if families.wait() {
            BindingShared::part_closed(binding);
        }
    }
}

impl<C: Client> BindingShared<C> {
    /// The families that the client has opened here.
    pub(crate) fn families(&self) -> &Families<C> {
        <C::Role as RunsClient<C>>::families(self)
    }
}

impl<C: Client> fmt::Debug for Families<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Families").finish_non_exhaustive()
    }
}
