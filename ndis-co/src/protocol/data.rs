//! [`Received`], [`Kept`] and [`SendError`]: data on its way in, and data that
//! could not go out.

use super::{Binding, BindingShared, Protocol};
use crate::{
    Status,
    armed::{Alarm, Armed},
    irql::{NoLock, UpToDispatch},
    mem::Arc,
    nbl::{
        Chain, Lists, NetBufferLists, Original, Packets,
        fields::{self, Side},
    },
};
use core::fmt;
use ndis_sys::NDIS_HANDLE;

/// Received lists, for the time of the callback.
///
/// They belong to the miniport. Dropping this gives them back; what was
/// borrowed from it cannot outlive it. [`keep`](Self::keep) takes them along.
///
/// ```
/// # use ndis_co::{client::{Client, Received}, irql::UpToDispatch};
/// # use ndis_host as _;
/// /// How many bytes came in.
/// fn measure<C: Client>(lists: Received<'_, C>, irql: &mut UpToDispatch) -> usize {
///     let total = lists.buffers().map(|packet| packet.len()).sum();
///     lists.give_back(irql);
///     total
/// }
/// ```
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
pub struct Received<'a, P: Protocol> {
    came: Armed<Came<'a, P>, Lost>,
}

/// What was received, and on which binding.
struct Came<'a, P: Protocol> {
    chain: Chain,
    resources: bool,
    binding: &'a Arc<BindingShared<P>>,
}

/// What becomes of received lists that are dropped.
enum Lost {}

impl<'a, P: Protocol> Received<'a, P> {
    /// # Safety
    ///
    /// As RECEIVED says, for the time of the callback.
    #[inline]
    pub(crate) unsafe fn new(
        chain: Chain,
        resources: bool,
        binding: &'a Arc<BindingShared<P>>,
    ) -> Self {
        let came = Came {
            chain,
            resources,
            binding,
        };
        let came = Armed::new(came);
        Self { came }
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.came.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.came.chain.is_empty()
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.came.chain.views()
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
    #[inline]
    pub fn give_back(self, irql: &mut impl NoLock) {
        let _ = irql;
        let came = self.came.disarm();
        if !came.resources {
            BindingShared::give_back(came.binding, came.chain);
        }
    }

    /// Takes the lists along beyond the callback.
    ///
    /// # Errors
    ///
    /// Gives them back when the miniport needs its lists at once
    /// (`NDIS_RECEIVE_FLAGS_RESOURCES`): copy the data instead.
    #[doc(alias = "NDIS_RECEIVE_FLAGS_RESOURCES")]
    pub fn keep(self) -> Result<Kept<P>, Self> {
        if self.came.resources {
            return Err(self);
        }
        let Came { chain, binding, .. } = self.came.disarm();
        let shared = Arc::clone(binding);
        Ok(Kept {
            chain,
            binding: Binding { shared },
        })
    }
}

impl<'a, P: Protocol> Alarm<Came<'a, P>> for Lost {
    fn lost(came: Came<'a, P>) {
        if !came.resources {
            BindingShared::give_back_later(came.binding, came.chain);
        }
    }
}

impl<'a, P: Protocol> IntoIterator for &'a Received<'_, P> {
    type Item = crate::nbl::ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<P: Protocol> fmt::Debug for Received<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Received lists that the driver keeps for a while; dropping them gives them
/// back.
///
/// Give them back before long, and without waiting for anything: a pause of
/// the adapter waits for them, and a removal begins with a pause.
///
/// To send them on without copying, make them the
/// [`Parent`](crate::nbl::Parent) of clones.
///
/// ```
/// # use ndis_co::{client::{Client, Kept, Received}, irql::UpToDispatch, lock::SpinLock};
/// # use ndis_host as _;
/// type Waiting<C> = SpinLock<Option<Kept<C>>>;
///
/// /// Looked at later; what cannot be kept is given back, as it is dropped.
/// fn keep<C: Client>(lists: Received<'_, C>, waiting: &Waiting<C>) {
///     if let Ok(kept) = lists.keep() {
///         waiting.set(Some(kept));
///     }
/// }
///
/// fn done<C: Client>(waiting: &Waiting<C>, irql: &mut UpToDispatch) {
///     if let Some(kept) = waiting.take() {
///         kept.give_back(irql);
///     }
/// }
/// ```
///
/// Source page: [`NdisReturnNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreturnnetbufferlists).
#[doc(alias = "NdisReturnNetBufferLists")]
pub struct Kept<P: Protocol> {
    chain: Chain,
    binding: Binding<P>,
}

impl<P: Protocol> Kept<P> {
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

impl<P: Protocol> crate::nbl::clone::sealed::Sealed for Kept<P> {}

impl<P: Protocol> Original for Kept<P> {
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

impl<P: Protocol> Drop for Kept<P> {
    fn drop(&mut self) {
        let lists = core::mem::take(&mut self.chain);
        BindingShared::give_back_later(&self.binding.shared, lists);
    }
}

impl<'a, P: Protocol> IntoIterator for &'a Kept<P> {
    type Item = crate::nbl::ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<P: Protocol> fmt::Debug for Kept<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Whether lists may be sent: they are from this driver's pool for that, and none is empty.
#[inline]
pub(crate) fn is_sendable(lists: &NetBufferLists) -> bool {
    lists.side() == Side::Protocol && lists.is_fit()
}

/// The lists, if they may be sent.
#[cold]
pub(crate) fn sendable(lists: NetBufferLists) -> Result<NetBufferLists, SendError> {
    if is_sendable(&lists) {
        return Ok(lists);
    }
    let status = Status::INVALID_PARAMETER;
    Err(SendError { lists, status })
}

/// Sends lists on a VC.
///
/// # Safety
///
/// The VC is active, and stays so for this call; the lists are [`sendable`], and come back to
/// whoever counts them.
#[inline]
pub(crate) unsafe fn send(vc: NDIS_HANDLE, mut chain: Chain) {
    // The lists are ours until the call below (rule NBL-01).
    chain.for_each_raw(|list| fields::set_source_handle(list, vc));
    // SAFETY: by the caller; ownership of the lists goes to NDIS (rule NBL-02). No flag: the
    // level is unknown (rule NBL-08).
    unsafe { ndis_sys::NdisCoSendNetBufferLists(vc, chain.take_raw(), 0) };
}

/// Lists that could not be sent, and why.
///
/// ```
/// # use ndis_co::{Status, client::{Client, Vc}, irql::UpToDispatch, nbl::NetBufferLists};
/// # use ndis_host as _;
/// /// What cannot go out now comes back, to be sent when the binding runs again.
/// fn send<C: Client>(
///     vc: &Vc<C>,
///     lists: NetBufferLists,
///     irql: &mut UpToDispatch,
/// ) -> Option<NetBufferLists> {
///     let unsent = vc.send(lists, irql).err()?;
///     (unsent.status == Status::PAUSED).then_some(unsent.lists)
/// }
/// ```
#[derive(Debug)]
pub struct SendError {
    /// The lists, back in the driver's hands.
    pub lists: NetBufferLists,
    /// Why they were not sent.
    pub status: Status,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lists not sent: {}", self.lists.len(), self.status)
    }
}

impl core::error::Error for SendError {}

impl From<SendError> for Status {
    fn from(unsent: SendError) -> Self {
        unsent.status
    }
}
