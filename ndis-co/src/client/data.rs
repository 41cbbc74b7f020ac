//! [`Received`], [`Kept`] and [`Unsent`]: data on its way in, and data that
//! could not go out.

use super::{Binding, Client};
use crate::{
    Status,
    nbl::{Chain, Lists, NetBufferLists},
};
use core::{fmt, marker::PhantomData};

/// Received lists, for the time of the callback.
///
/// They belong to the miniport. Dropping this gives them back; what was
/// borrowed from it cannot outlive it. [`keep`](Self::keep) takes them along.
///
/// Source page: `nf-ndis-ndisreturnnetbufferlists`.
///
/// # Invariants
///
/// RECEIVED: the chain's lists are ours to read until they are returned, which
/// happens once; with `resources` they are not returned at all (rule NBL-25).
#[doc(alias = "NdisReturnNetBufferLists")]
pub struct Received<'a, C: Client> {
    chain: Chain,
    resources: bool,
    binding: Binding<C>,
    _callback: PhantomData<&'a ()>,
}

impl<C: Client> Received<'_, C> {
    /// # Safety
    ///
    /// As RECEIVED says, for the time of the callback.
    pub(super) unsafe fn new(chain: Chain, resources: bool, binding: Binding<C>) -> Self {
        Self {
            chain,
            resources,
            binding,
            _callback: PhantomData,
        }
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }

    /// Takes the lists along beyond the callback.
    ///
    /// # Errors
    ///
    /// Gives them back when the miniport needs its lists at once
    /// (`NDIS_RECEIVE_FLAGS_RESOURCES`): copy the data instead.
    #[doc(alias = "NDIS_RECEIVE_FLAGS_RESOURCES")]
    pub fn keep(mut self) -> Result<Kept<C>, Self> {
        if self.resources {
            return Err(self);
        }
        let chain = core::mem::take(&mut self.chain);
        Ok(Kept {
            chain,
            binding: self.binding.clone(),
        })
    }
}

impl<C: Client> Drop for Received<'_, C> {
    fn drop(&mut self) {
        if !self.resources {
            give_back(&mut self.chain, &self.binding);
        }
    }
}

impl<'a, C: Client> IntoIterator for &'a Received<'_, C> {
    type Item = crate::nbl::ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<C: Client> fmt::Debug for Received<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Received lists that the client keeps for a while; dropping them gives them
/// back. The binding is not closed before that.
///
/// Source page: `nf-ndis-ndisreturnnetbufferlists`.
#[doc(alias = "NdisReturnNetBufferLists")]
pub struct Kept<C: Client> {
    chain: Chain,
    binding: Binding<C>,
}

impl<C: Client> Kept<C> {
    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }
}

impl<C: Client> Drop for Kept<C> {
    fn drop(&mut self) {
        give_back(&mut self.chain, &self.binding);
    }
}

impl<'a, C: Client> IntoIterator for &'a Kept<C> {
    type Item = crate::nbl::ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<C: Client> fmt::Debug for Kept<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Returns lists to their miniport (rule NBL-26).
fn give_back<C: Client>(chain: &mut Chain, binding: &Binding<C>) {
    if chain.is_empty() {
        return;
    }
    let lists = chain.take_raw();
    // SAFETY: the lists came in on this binding, are returned once, and are
    // not used afterwards; no flag, since the level is unknown.
    unsafe { ndis_sys::NdisReturnNetBufferLists(binding.shared.handle(), lists, 0) };
}

/// Lists that could not be sent, and why.
#[derive(Debug)]
pub struct Unsent {
    /// The lists, back in the driver's hands.
    pub lists: NetBufferLists,
    /// Why they were not sent.
    pub status: Status,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lists not sent: {}", self.lists.len(), self.status)
    }
}

impl core::error::Error for Unsent {}

impl From<Unsent> for Status {
    fn from(unsent: Unsent) -> Self {
        unsent.status
    }
}
