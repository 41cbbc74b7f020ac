//! [`Received`], [`Kept`] and [`Unsent`]: data on its way in, and data that
//! could not go out.

use super::{Binding, Client};
use crate::{
    Status,
    irql::{NoLock, UpToDispatch},
    mem::Arc,
    nbl::{Chain, Lists, NetBufferLists, Original, Packets},
    protocol::BindingShared,
};
use core::{fmt, marker::PhantomData};

/// Received lists, for the time of the callback.
///
/// They belong to the miniport. Dropping this gives them back; what was
/// borrowed from it cannot outlive it. [`keep`](Self::keep) takes them along.
///
/// Source page: [`NdisReturnNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreturnnetbufferlists).
///
/// # Invariants
///
/// RECEIVED: the chain's lists are ours to read until they are returned, which
/// happens once; with `resources` they are not returned at all (rule [NBL-25]).
///
/// [NBL-25]: ndis_sys::rules#NBL-25
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

    /// Looks at each packet of each list, in order.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }

    /// Gives the lists back at once, which is the quick way; dropping them has
    /// a work item do it.
    ///
    /// Source page: [`NdisReturnNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreturnnetbufferlists).
    #[doc(alias = "NdisReturnNetBufferLists")]
    pub fn give_back(mut self, irql: &mut impl NoLock) {
        let _ = irql;
        if !self.resources {
            let lists = core::mem::take(&mut self.chain);
            BindingShared::give_back(&self.binding.shared, lists);
        }
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
            let lists = core::mem::take(&mut self.chain);
            BindingShared::give_back_later(&self.binding.shared, lists);
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
/// back.
///
/// Give them back before long, and without waiting for anything: a pause of
/// the adapter waits for them, and a removal begins with a pause.
///
/// To send them on without copying, make them the
/// [`Parent`](crate::nbl::Parent) of clones.
///
/// Source page: [`NdisReturnNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreturnnetbufferlists).
#[doc(alias = "NdisReturnNetBufferLists")]
pub struct Kept<C: Client> {
    chain: Chain,
    binding: Binding<C>,
}

impl<C: Client> Kept<C> {
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

    /// Takes the first `count` lists, or all when there are fewer.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        Self {
            chain: self.chain.split_front(count),
            binding: self.binding.clone(),
        }
    }

    /// Appends other lists of the same binding (rule [NBL-26]).
    ///
    /// # Errors
    ///
    /// Gives lists of another binding back.
    ///
    /// [NBL-26]: ndis_sys::rules#NBL-26
    pub fn append(&mut self, mut later: Self) -> Result<(), Self> {
        if !Arc::ptr_eq(&self.binding.shared, &later.binding.shared) {
            return Err(later);
        }
        self.chain.append(core::mem::take(&mut later.chain));
        Ok(())
    }

    /// Gives the lists back at once.
    ///
    /// Source page: [`NdisReturnNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreturnnetbufferlists).
    #[doc(alias = "NdisReturnNetBufferLists")]
    pub fn give_back(mut self, irql: &mut impl NoLock) {
        let _ = irql;
        let lists = core::mem::take(&mut self.chain);
        BindingShared::give_back(&self.binding.shared, lists);
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }

    /// Looks at each packet of each list, in order.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }
}

impl<C: Client> crate::nbl::clone::sealed::Sealed for Kept<C> {}

impl<C: Client> Original for Kept<C> {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn clones_gone(self, _status: Status, irql: Option<&mut UpToDispatch>) {
        match irql {
            Some(irql) => self.give_back(irql),
            None => drop(self),
        }
    }
}

impl<C: Client> Drop for Kept<C> {
    fn drop(&mut self) {
        let lists = core::mem::take(&mut self.chain);
        BindingShared::give_back_later(&self.binding.shared, lists);
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
