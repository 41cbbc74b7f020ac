//! Data through an MCM: [`SendLists`] from the client, and indications to it.

use crate::{Adapter, CallManager, Vc, vc::VcShared};
use core::{fmt, ptr};
use ndis_co::{
    Status,
    deferred::Deferred,
    irql::{NoLock, UpToDispatch},
    mem::Arc,
    nbl::{
        Chain, ListView, Lists, NetBufferLists, Original, Packets,
        fields::{self, Side, Slot},
    },
    stack,
};

/// Lists that a client sends on one VC, held by the driver until it completes
/// them.
///
/// Complete them before long: a pause of the client's binding waits for them,
/// and comes before [`Miniport::pause`](crate::Miniport::pause).
///
/// They can only be completed on the VC they came on (rule NBL-11). Dropping
/// them completes them with [`Status::FAILURE`].
///
/// A list carries any number of packets: [`buffers`](Self::buffers) goes over
/// them one by one. What is indicated for them carries one packet a list. To
/// hand them on without copying, make them the
/// [`Parent`](ndis_co::nbl::Parent) of clones.
///
/// # Invariants
///
/// SENDS: the chain's lists arrived on `vc` and are not completed; they count
/// as busy there and as out on the adapter.
pub struct SendLists<M: CallManager> {
    vc: Vc<M>,
    chain: Chain,
}

impl<M: CallManager> SendLists<M> {
    /// # Safety
    ///
    /// As SENDS says.
    pub(crate) unsafe fn new(vc: Vc<M>, chain: Chain) -> Self {
        Self { vc, chain }
    }

    /// The VC they came on.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
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

    /// Looks at each list, in the order in which they are to be sent.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }

    /// Looks at each packet of each list, in the order in which they are to be
    /// sent.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }

    /// Takes the first `count` lists.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        Self {
            vc: self.vc.clone(),
            chain: self.chain.split_front(count),
        }
    }

    /// Appends later lists of the same VC (rules NBL-10, NBL-13).
    ///
    /// # Errors
    ///
    /// Gives lists of another VC back.
    pub fn append(&mut self, mut later: Self) -> Result<(), Self> {
        if !self.vc.is(&later.vc) {
            return Err(later);
        }
        self.chain.append(core::mem::take(&mut later.chain));
        Ok(())
    }

    /// Gives the lists back to the client, each with `status` (rules NBL-11,
    /// NBL-12).
    ///
    /// Source page: `nf-ndis-ndismcosendnetbufferlistscomplete`.
    #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
    pub fn complete(mut self, status: Status, irql: &mut impl NoLock) {
        let chain = core::mem::take(&mut self.chain);
        mark(&chain, status);
        let vc = &self.vc.shared;
        // The client may send more within the completion, and so on.
        if stack::is_low() {
            complete_later(vc, chain);
        } else {
            complete(vc, chain, irql.up_to_dispatch());
        }
    }
}

impl<M: CallManager> SendLists<M> {
    /// Has the work item complete the lists.
    fn complete_later(&mut self, status: Status) {
        if self.chain.is_empty() {
            return;
        }
        let chain = core::mem::take(&mut self.chain);
        mark(&chain, status);
        complete_later(&self.vc.shared, chain);
    }
}

impl<M: CallManager> Drop for SendLists<M> {
    fn drop(&mut self) {
        self.complete_later(Status::FAILURE);
    }
}

impl<M: CallManager> Original for SendLists<M> {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn clones_gone(mut self, status: Status, irql: Option<&mut UpToDispatch>) {
        match irql {
            Some(irql) => self.complete(status, irql),
            None => self.complete_later(status),
        }
    }
}

/// Leaves marked lists to the work item.
fn complete_later<M: CallManager>(vc: &Arc<VcShared<M>>, chain: Chain) {
    vc.dropped.with(|dropped| dropped.append(chain));
    VcShared::defer(vc);
}

impl<'a, M: CallManager> IntoIterator for &'a SendLists<M> {
    type Item = ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<M: CallManager> fmt::Debug for SendLists<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Writes the result into each list.
fn mark(chain: &Chain, status: Status) {
    write(chain, status.as_final());
}

/// As [`mark`], whatever the status.
pub(crate) fn write(chain: &Chain, status: Status) {
    chain.for_each_raw(|list| fields::set_status(list, status.raw()));
}

/// Completes marked lists on their VC.
pub(crate) fn complete<M: CallManager>(
    vc: &Arc<VcShared<M>>,
    mut chain: Chain,
    irql: &mut UpToDispatch,
) {
    let count = chain.len();
    if count == 0 {
        return;
    }
    // SAFETY: by SENDS the lists came on this VC and are completed once; busy
    // keeps the handle valid. No flag: the level is unknown.
    unsafe { ndis_sys::NdisMCoSendNetBufferListsComplete(vc.handle(), chain.take_raw(), 0) };
    vc.af.adapter.home(count);
    VcShared::calm(vc, count, irql);
}

/// `MiniportCoSendNetBufferLists`: takes every list it is given (rule NBL-09).
pub(crate) fn send<M: CallManager>(vc: &Arc<VcShared<M>>, chain: Chain, irql: &mut UpToDispatch) {
    let count = chain.len();
    let adapter = &vc.af.adapter;
    let running = adapter.out(count);
    let removed = adapter.is_removed();
    let connected = vc.state.with(|state| state.sends_in(count));
    if running && connected && !removed {
        let vc = Vc { shared: vc.clone() };
        // SAFETY: just arrived on this VC and counted.
        let lists = unsafe { SendLists::new(vc.clone(), chain) };
        vc.shared.af.driver().send(&vc, lists, irql);
        return;
    }
    // While paused everything goes straight back (rule PAUSE-04), and so it does when
    // the device is gone (rule HALT-13).
    let status = match (removed, running) {
        (true, _) => Status::NOT_ACCEPTED,
        (false, true) => Status::CLOSING,
        (false, false) => Status::PAUSED,
    };
    write(&chain, status);
    complete(vc, chain, irql);
}

/// Lists that could not be indicated, and why.
#[derive(Debug)]
pub struct NotIndicated {
    /// The lists, back in the driver's hands.
    pub lists: NetBufferLists,
    /// Why.
    pub status: Status,
}

impl From<NotIndicated> for Status {
    fn from(refused: NotIndicated) -> Self {
        refused.status
    }
}

impl<M: CallManager> Vc<M> {
    /// Indicates received data to the client. The lists come home through
    /// [`CallManager::returned`] (rules NBL-17 to NBL-19).
    ///
    /// Source page: `nf-ndis-ndismcoindicatereceivenetbufferlists`.
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the adapter is
    /// paused (rule PAUSE-05), [`Status::CLOSING`] when there is no call any more
    /// (rules CALL-63, NBL-34), [`Status::INVALID_STATE`] when the client does not
    /// know yet that its call is up, of which [`CallManager::call_connected`]
    /// tells, [`Status::INVALID_PARAMETER`] for lists that
    /// are not from a pool for receives, or carry another number of packets
    /// than one (rule NBL-35), [`Status::RESOURCES`] when the stack is nearly
    /// used up (see [`ndis_co::stack`]).
    #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
    pub fn indicate_receive(
        &self,
        lists: NetBufferLists,
        irql: &mut impl NoLock,
    ) -> Result<(), NotIndicated> {
        let count = lists.len();
        if count == 0 {
            return Ok(());
        }
        let single = lists.chain().all_have_one_packet();
        let (Ok(number), Side::Miniport, true) = (u32::try_from(count), lists.side(), single)
        else {
            return Err(NotIndicated {
                lists,
                status: Status::INVALID_PARAMETER,
            });
        };
        // The client may answer within the indication, and so on. (One of these
        // crates leaves that to its work item long before.)
        if stack::remaining() < stack::VERY_LOW {
            return Err(NotIndicated {
                lists,
                status: Status::RESOURCES,
            });
        }
        // One more than the lists, for the call itself: neither the pause nor the
        // close of the call is over while it runs.
        let busy = count.saturating_add(1);
        let adapter = &self.shared.af.adapter;
        if !adapter.out(busy) {
            adapter.home(busy);
            return Err(NotIndicated {
                lists,
                status: Status::PAUSED,
            });
        }
        if let Err(status) = self.shared.state.with(|state| state.indicate(busy)) {
            adapter.home(busy);
            return Err(NotIndicated { lists, status });
        }
        let handle = self.shared.handle();
        let mut chain = lists.into_chain();
        chain.for_each_raw(|list| {
            fields::set_source_handle(list, handle);
            // What a clone was made from learns of it.
            fields::set_status(list, Status::SUCCESS.raw());
            let reference = Arc::into_raw(self.shared.clone());
            fields::store(list, Side::Miniport, Slot::Vc, reference);
        });
        // SAFETY: a call is connected, and busy keeps the handle valid;
        // ownership goes to NDIS until the lists come home (rule NBL-19); the
        // count is the chain's (rule NBL-18). No flag: the level is unknown.
        unsafe {
            ndis_sys::NdisMCoIndicateReceiveNetBufferLists(handle, chain.take_raw(), number, 0);
        }
        adapter.home(1);
        VcShared::calm(&self.shared, 1, irql.up_to_dispatch());
        Ok(())
    }
}

/// Indicated lists come home: counts them on their VCs and hands them over.
pub(crate) fn returned<M: CallManager>(
    adapter: &Adapter<M>,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) {
    let count = lists.len();
    let chain = lists.into_chain();
    chain.for_each_raw(|list| {
        let reference = fields::load(list, Side::Miniport, Slot::Vc);
        fields::store(list, Side::Miniport, Slot::Vc, ptr::null_mut());
        // SAFETY: the reference that `indicate_receive` left there.
        if let Some(vc) = unsafe { Arc::<VcShared<M>>::from_raw(reference) } {
            VcShared::calm(&vc, 1, irql);
        }
    });
    // SAFETY: the very lists that came home.
    let lists = unsafe { NetBufferLists::from_chain(chain, Side::Miniport) };
    adapter.driver().returned(adapter, lists, irql);
    adapter.shared.home(count);
}
