//! [`CreatedVc`], [`Call`] and [`Vc`]: a virtual connection and the call on it.

use super::{
    Af, Client, Unsent,
    af::{AfShared, Phase},
    children::Child,
    state::{Origin, State, Step},
};
use crate::{
    Status,
    address::MAX_VARIABLE,
    armed::{Alarm, Armed},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag, Vec},
    nbl::{Chain, NetBufferLists, fields},
    owner::Owner,
    params::{CallParameters, CallParametersBuf},
    raw::Opaque,
    stack,
};
use core::{ffi::c_void, fmt, marker::PhantomData, ops, ptr, sync::atomic::AtomicUsize};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

/// # Invariants
///
/// VC: from creation until deletion NDIS owns one reference as the client's VC
/// context, and the address family's list has another one. `handle` is valid
/// from creation until deletion.
pub(super) struct VcShared<C: Client> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// Where it is in its family's list, which is locked by whoever asks.
    place: AtomicUsize,
    handle: Opaque,
    state: SpinLock<State>,
    context: C::Vc,
    pub(super) af: Parent<Arc<AfShared<C>>>,
}

impl<C: Client> Anchored for VcShared<C> {
    type Parent = Arc<AfShared<C>>;
    fn parent(&mut self) -> &mut Parent<Arc<AfShared<C>>> {
        &mut self.af
    }
}

/// A counted reference to a VC; it derefs to the driver's context.
///
/// The call manager may use one that it created for several calls in a row (rule [CALL-56]):
/// what is done here is done to the call that is on it now. What belongs to one call is
/// its owner, [`Call`], or its token.
///
/// [CALL-56]: ndis_sys::rules#CALL-56
pub struct Vc<C: Client> {
    pub(super) shared: Arc<VcShared<C>>,
}

/// A VC that this client created and has not yet used, owned: dropping it
/// deletes it (rules [VC-22], [VC-23]).
///
/// It cannot outlive the address family that it was made from.
///
/// [VC-22]: ndis_sys::rules#VC-22
/// [VC-23]: ndis_sys::rules#VC-23
#[must_use = "dropping a created VC deletes it"]
pub struct CreatedVc<'af, C: Client> {
    vc: Armed<Vc<C>, Delete<'af, C>>,
}

/// Deletes a VC whose owner, made from a borrowed family, is gone.
struct Delete<'af, C: Client>(PhantomData<&'af Af<C>>);

impl<C: Client> Alarm<Vc<C>> for Delete<'_, C> {
    fn lost(vc: Vc<C>) {
        vc.shared.state.locked(State::want_delete);
        VcShared::defer(&vc.shared);
    }
}

/// A call that this client placed or took, owned: dropping it hangs up.
///
/// While the call is being placed, the hang-up waits until that has succeeded
/// or failed. [`keep`](Self::keep) trades it for a reference, see the
/// [module](super).
#[must_use = "dropping a call hangs up"]
pub struct Call<'af, C: Client> {
    call: Armed<Numbered<C>, HangUp<'af, C>>,
}

/// Hangs up a call whose owner, made from a borrowed family, is gone.
struct HangUp<'af, C: Client>(PhantomData<&'af Af<C>>);

impl<C: Client> Alarm<Numbered<C>> for HangUp<'_, C> {
    fn lost(Numbered { vc, number }: Numbered<C>) {
        vc.shared.state.locked(|state| state.want_close_of(number));
        VcShared::defer(&vc.shared);
    }
}

/// One of the calls on a VC: the call manager may use one of its own for several in a row
/// (rule CALL-56), and what belongs to one does nothing to the next.
pub(super) struct Numbered<C: Client> {
    pub(super) vc: Vc<C>,
    pub(super) number: u32,
}

impl<'af, C: Client> CreatedVc<'af, C> {
    /// Places a call (rule [CALL-01]).
    ///
    /// The outcome comes as [`Client::call_connected`] or
    /// [`Client::call_failed`], possibly before this returns (rule [CALL-71]).
    /// The call fails with [`Status::CLOSING`] when the address family is
    /// being closed and has taken the VC with it.
    ///
    /// Source page: [`NdisClMakeCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclmakecall).
    ///
    /// [CALL-01]: ndis_sys::rules#CALL-01
    /// [CALL-71]: ndis_sys::rules#CALL-71
    #[doc(alias = "NdisClMakeCall")]
    pub fn make_call(self, parameters: CallParametersBuf, irql: &mut impl NoLock) -> Call<'af, C> {
        let vc = self.vc.disarm();
        let number = VcShared::make_call(&vc.shared, parameters, irql.up_to_dispatch());
        Call::new(vc, number)
    }

    /// Deletes the VC now rather than soon.
    ///
    /// Source page: [`NdisCoDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscodeletevc).
    #[doc(alias = "NdisCoDeleteVc")]
    pub fn delete(self, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        vc.shared.state.locked(State::want_delete);
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
    }
}

impl<C: Client> ops::Deref for CreatedVc<'_, C> {
    type Target = Vc<C>;
    fn deref(&self) -> &Vc<C> {
        &self.vc
    }
}

impl<C: Client> fmt::Debug for CreatedVc<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.vc.fmt(f)
    }
}

impl<C: Client> Call<'_, C> {
    pub(super) fn new(vc: Vc<C>, number: u32) -> Self {
        Self {
            call: Armed::new(Numbered { vc, number }),
        }
    }

    /// Hangs up, with data for the other side if the medium carries any.
    ///
    /// The close is requested when every sent list has come home (rule
    /// [CALL-42]); [`Client::call_closed`] tells when it is done.
    ///
    /// Source page: [`NdisClCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclclosecall).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`] when there is no memory for the data,
    /// [`Status::INVALID_LENGTH`] when it is longer than [`MAX_VARIABLE`] bytes; the call
    /// is hung up without it then.
    ///
    /// [CALL-42]: ndis_sys::rules#CALL-42
    #[doc(alias = "NdisClCloseCall")]
    pub fn close(self, data: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let Numbered { vc, number } = self.call.disarm();
        VcShared::hang_up(&vc.shared, number, data, irql.up_to_dispatch())
    }

    /// Trades the owner for a reference: from here on the call ends by
    /// [`Vc::hang_up`], by the other side, or with the address family.
    #[must_use]
    pub fn keep(self) -> Vc<C> {
        self.call.disarm().vc
    }
}

impl<C: Client> ops::Deref for Call<'_, C> {
    type Target = Vc<C>;
    fn deref(&self) -> &Vc<C> {
        &self.call.vc
    }
}

impl<C: Client> fmt::Debug for Call<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<C: Client> Vc<C> {
    /// The address family that the VC belongs to.
    #[must_use]
    pub fn af(&self) -> Af<C> {
        Af {
            shared: Arc::clone(&self.shared.af),
        }
    }

    /// Whether both are the same VC.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether a call is up and not about to be hung up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.state.locked(|state| state.can_send())
    }

    /// Sends data on the call, in order (rule [NBL-04]). The lists come back
    /// through [`Client::send_complete`].
    ///
    /// Source page: [`NdisCoSendNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscosendnetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the binding is
    /// paused, [`Status::CLOSING`] when no call is up (rules [CALL-05], [CALL-43],
    /// [NBL-07]), [`Status::INVALID_PARAMETER`] for a miniport's receive lists,
    /// and for a list without a packet.
    ///
    /// [CALL-05]: ndis_sys::rules#CALL-05
    /// [CALL-43]: ndis_sys::rules#CALL-43
    /// [NBL-04]: ndis_sys::rules#NBL-04
    /// [NBL-07]: ndis_sys::rules#NBL-07
    #[doc(alias = "NdisCoSendNetBufferLists")]
    pub fn send(&self, lists: NetBufferLists, irql: &mut impl NoLock) -> Result<(), Unsent> {
        VcShared::send(&self.shared, lists, irql.up_to_dispatch())
    }

    /// Hangs up the call that there is. Doing it twice, or after the other side did, is
    /// harmless (rules [CALL-69], [CALL-70]).
    ///
    /// Source page: [`NdisClCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclclosecall).
    ///
    /// # Errors
    ///
    /// As [`Call::close`].
    ///
    /// [CALL-69]: ndis_sys::rules#CALL-69
    /// [CALL-70]: ndis_sys::rules#CALL-70
    #[doc(alias = "NdisClCloseCall")]
    pub fn hang_up(&self, data: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let number = self.shared.state.locked(|state| state.number());
        VcShared::hang_up(&self.shared, number, data, irql.up_to_dispatch())
    }
}

/// The data in memory of our own.
fn copy(data: &[u8]) -> Result<Arc<Vec<u8>>, OutOfMemory> {
    Arc::try_new(Vec::try_from_slice(data, Tag::NDIS)?, Tag::NDIS)
}

impl<C: Client> Clone for Vc<C> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<C: Client> ops::Deref for Vc<C> {
    type Target = C::Vc;
    fn deref(&self) -> &C::Vc {
        &self.shared.context
    }
}

impl<C: Client> fmt::Debug for Vc<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vc")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

/// For the end of the address family.
impl<C: Client> Child for VcShared<C> {
    fn place(&self) -> &AtomicUsize {
        &self.place
    }

    fn mark_ending(&self) -> bool {
        self.state.locked(State::mark_ending)
    }

    /// A VC of the call manager's without a call is none of the family's business.
    fn holds(&self) -> bool {
        self.state.locked(|state| state.holds_af_open())
    }
}

impl<C: Client> VcShared<C> {
    fn try_new(
        af: &Arc<AfShared<C>>,
        origin: Origin,
        handle: NDIS_HANDLE,
        context: C::Vc,
    ) -> Result<Arc<Self>, Status> {
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            place: AtomicUsize::new(0),
            handle: Opaque::new(handle),
            state: SpinLock::new(State::new(origin)),
            context,
            af: Parent::new(af.clone()),
        };
        Ok(Arc::try_new_anchored(shared, Tag::NDIS)?)
    }

    /// Creates a VC for an outgoing call.
    pub(super) fn create<'af>(
        af: &Arc<AfShared<C>>,
        context: C::Vc,
        _irql: &mut UpToDispatch,
    ) -> Result<CreatedVc<'af, C>, Status> {
        if stack::is_low_for::<C::Vc>() {
            return Err(Status::RESOURCES);
        }
        let vc = Self::try_new(af, Origin::Client, ptr::null_mut(), context)?;
        af.add_vc(&vc)?;
        let context = vc.lent.lend(&vc);
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the family was open a moment ago and does not close while a
        // VC is in its list; the context lives until deletion (invariant VC);
        // the handle variable is null beforehand.
        let status = unsafe {
            ndis_sys::NdisCoCreateVc(af.binding.handle(), af.handle(), context, &mut handle)
        };
        if let Err(failure) = Status::from_raw(status).result() {
            vc.state.locked(State::deleted);
            Self::retire(&vc);
            return Err(failure);
        }
        vc.handle.set(handle);
        // Only now may the address family's teardown delete it.
        vc.state.locked(State::created);
        AfShared::advance_later(af);
        Ok(CreatedVc {
            vc: Armed::new(Vc { shared: vc }),
        })
    }

    /// The call manager creates a VC for an incoming call; gives the context for NDIS.
    pub(super) fn adopt(
        af: &Arc<AfShared<C>>,
        handle: NDIS_HANDLE,
        context: C::Vc,
    ) -> Result<NDIS_HANDLE, Status> {
        let vc = Self::try_new(af, Origin::CallManager, handle, context)?;
        vc.state.locked(State::created);
        af.add_vc(&vc)?;
        Ok(vc.lent.lend(&vc))
    }

    /// NDIS has done with the VC: its reference and the list's end.
    fn retire(this: &Arc<Self>) {
        drop(this.lent.end());
        AfShared::remove_vc(&this.af, this);
    }

    /// The call manager deletes its VC, or is told that it cannot yet.
    pub(super) fn delete_by_call_manager(
        this: &Arc<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        if !this.state.locked(State::try_delete) {
            // Not a negative code, but the one that the page has for this.
            return Err(Status::NOT_ACCEPTED);
        }
        this.af.client().vc_deleted(
            &Vc {
                shared: this.clone(),
            },
            irql,
        );
        Self::retire(this);
        Ok(())
    }

    /// Places the call, and gives its number.
    fn make_call(this: &Arc<Self>, parameters: CallParametersBuf, irql: &mut UpToDispatch) -> u32 {
        // The family's teardown may not have come to this VC yet.
        let closing = this.af.phase() != Phase::Open;
        let number = this.state.locked(|state| {
            state.dial(parameters, closing);
            state.number()
        });
        Self::advance(this, irql);
        number
    }

    /// Hangs up one of the calls on the VC, if there is still that one.
    fn hang_up(
        this: &Arc<Self>,
        number: u32,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let data = if data.is_empty() {
            Ok(None)
        } else if data.len() > MAX_VARIABLE as usize {
            Err(Status::INVALID_LENGTH)
        } else {
            copy(data).map_err(Status::from).map(Some)
        };
        let stored = data.as_ref().map(|_| ()).map_err(|failure| *failure);
        let data = data.ok().flatten();
        drop(this.state.locked(|state| state.hang_up(number, data)));
        Self::advance(this, irql);
        stored
    }

    /// The call was placed, or not.
    pub(super) fn make_call_completed(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        Self::dialled(this, status, parameters, irql);
        Self::advance(this, irql);
    }

    /// Tells the client what came of the call that it placed.
    fn dialled(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        // Ours belong to `kept` from here on: the callback may hang up, and the
        // VC be gone before it is done with looking.
        let kept = this
            .state
            .locked(|state| state.dialled(status.is_success()));
        let vc = Vc {
            shared: this.clone(),
        };
        if status.is_success() {
            // SAFETY: these are ours, which belong to `kept` on this stack, or
            // the call manager's own (rule CALL-17), which keeps them until its
            // completion of the call, NdisCmMakeCallComplete, has returned.
            // This runs within that.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            this.af.client().call_connected(&vc, view, irql);
        } else {
            this.af.client().call_failed(&vc, status.as_failure(), irql);
            // Only now, so that the callback still finds the VC.
            this.state.locked(State::want_delete);
        }
        drop(kept);
    }

    pub(super) fn send(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), Unsent> {
        let count = lists.len();
        if count == 0 {
            return Ok(());
        }
        if lists.side() != fields::Side::Protocol || !lists.chain().all_have_packets() {
            return Err(Unsent {
                lists,
                status: Status::INVALID_PARAMETER,
            });
        }
        if let Err(status) = this.af.binding.sends_out(count) {
            return Err(Unsent { lists, status });
        }
        // One more than the lists, for the call itself: the close is not
        // requested while it runs.
        if !this
            .state
            .locked(|state| state.busy(count.saturating_add(1)))
        {
            this.af.binding.sends_home(count);
            return Err(Unsent {
                lists,
                status: Status::CLOSING,
            });
        }
        let chain = lists.into_chain();
        let later = stack::is_low();
        match this.state.locked(|state| state.send(chain, later)) {
            Some(chain) => this.hand_over(chain),
            None => Self::defer(this),
        }
        Self::calm(this, 1, irql);
        Ok(())
    }

    /// Sends counted lists.
    fn hand_over(&self, mut chain: Chain) {
        let handle = self.handle();
        // The lists are ours until the call below (rule NBL-01).
        chain.for_each_raw(|list| fields::set_source_handle(list, handle));
        // SAFETY: the call is up and stays so for this call, which the caller
        // counted as busy; ownership of the lists goes to NDIS (rule NBL-02).
        // No flag: the level is unknown (rule NBL-08).
        unsafe { ndis_sys::NdisCoSendNetBufferLists(handle, chain.take_raw(), 0) };
    }

    /// Sends what was left to the work item; gives it back when the binding is
    /// paused (rule PAUSE-12) or the other side has hung up meanwhile.
    fn send_queued(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let Some(chain) = this.state.locked(State::next_queued) else {
            return;
        };
        let refused = if !this.af.binding.is_running() {
            Some(Status::PAUSED)
        } else if this.state.locked(|state| state.is_hung_up()) {
            Some(Status::CLOSING)
        } else {
            None
        };
        if let Some(status) = refused {
            chain.for_each_raw(|list| fields::set_status(list, status.raw()));
            // SAFETY: the chain of `send`, from this driver's pool for sends.
            let lists = unsafe { NetBufferLists::from_chain(chain, fields::Side::Protocol) };
            Self::sent(this, lists, irql);
        } else {
            this.hand_over(chain);
        }
        // What has queued up meanwhile has its turn after the work of others.
        if this.state.locked(State::queued_sent) {
            Self::defer(this);
        }
        Self::calm(this, 1, irql);
    }

    /// Sent lists come back.
    pub(super) fn sent(this: &Arc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let count = lists.len();
        let vc = Vc {
            shared: this.clone(),
        };
        this.af.client().send_complete(&vc, lists, irql);
        this.af.binding.sends_home(count);
        Self::calm(this, count, irql);
    }

    /// Gives back what [`State::busy`] took, and goes on with what waited.
    pub(super) fn calm(this: &Arc<Self>, count: usize, irql: &mut UpToDispatch) {
        if this.state.locked(|state| state.calm(count)) {
            Self::advance(this, irql);
        }
    }

    /// The handle for NDIS calls.
    fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    pub(super) fn state(&self) -> &SpinLock<State> {
        &self.state
    }

    /// Ends the call and, for the client's own VC, deletes it.
    pub(super) fn end(this: &Arc<Self>, irql: &mut UpToDispatch) {
        Self::advance(this, irql);
    }

    /// Does what the state asks for and allows.
    pub(super) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.locked(|state| state.next(stack::is_low)) {
            match step {
                Step::Later => return Self::defer(this),
                Step::TellUndialled => {
                    let vc = Vc {
                        shared: this.clone(),
                    };
                    this.af.client().call_failed(&vc, Status::CLOSING, irql);
                }
                Step::Dial { parameters } => {
                    // SAFETY: the VC exists, has no call, and is not deleted
                    // while one is being placed; the parameters stay with the
                    // state until the completion (rule CALL-02);
                    // point-to-point, so both party arguments are null (rule
                    // CALL-04).
                    let status = unsafe {
                        ndis_sys::NdisClMakeCall(
                            this.handle(),
                            parameters,
                            ptr::null_mut(),
                            ptr::null_mut(),
                        )
                    };
                    let status = Status::from_raw(status);
                    if !status.is_pending() {
                        Self::dialled(this, status, parameters, irql);
                    }
                }
                Step::Answer {
                    status,
                    parameters,
                    number,
                } => {
                    // SAFETY: the call was offered and pended, and is answered
                    // once (rule CALL-29), with the parameters it came with.
                    unsafe {
                        ndis_sys::NdisClIncomingCallComplete(
                            status.raw(),
                            this.handle(),
                            parameters,
                        );
                    }
                    if this.state.locked(|state| state.answer_told(number)) {
                        // A family that is being closed may have waited for this.
                        AfShared::advance_later(&this.af);
                    }
                }
                Step::Close => {
                    let data = this.state.locked(|state| state.close_data());
                    let (bytes, size) = match &data {
                        Some(data) => (data.base().cast::<c_void>(), data.len()),
                        None => (ptr::null_mut(), 0),
                    };
                    // SAFETY: a call is up, all sends are home (CALL-42), and
                    // this is its one close (CALL-70). The data belong to
                    // `data` until the call has returned, and to the VC until
                    // the completion (CALL-47); their size is zero when null.
                    let status = unsafe {
                        ndis_sys::NdisClCloseCall(
                            this.handle(),
                            ptr::null_mut(),
                            bytes,
                            size as u32,
                        )
                    };
                    let status = Status::from_raw(status);
                    if !status.is_pending() {
                        Self::close_completed(this, status, irql);
                    }
                }
                Step::Delete => {
                    // SAFETY: the client's own VC (VC-22) without a call
                    // (VC-23), deleted once.
                    let status = unsafe { ndis_sys::NdisCoDeleteVc(this.handle()) };
                    if Status::from_raw(status).is_success() {
                        this.state.locked(State::deleted);
                        this.af.client().vc_deleted(
                            &Vc {
                                shared: this.clone(),
                            },
                            irql,
                        );
                        Self::retire(this);
                    } else {
                        this.state.locked(State::delete_refused);
                        Self::defer_later(this);
                    }
                }
            }
        }
    }

    /// The callback of an offer returns with its answer. NDIS has it a moment
    /// later, so a family that waits for that goes on from the work item.
    pub(super) fn returns(this: &Arc<Self>, number: u32) {
        if this.state.locked(|state| state.returns(number)) {
            Self::defer(this);
        }
    }

    /// The close has completed.
    pub(super) fn close_completed(this: &Arc<Self>, status: Status, irql: &mut UpToDispatch) {
        // The data are no longer lent. A call manager that could not carry them
        // (rule CALL-48) is asked again without.
        drop(this.state.locked(State::take_close_data));
        if status.is_success() {
            if this.state.locked(State::closed) {
                this.af.client().call_closed(
                    &Vc {
                        shared: this.clone(),
                    },
                    irql,
                );
            }
            this.state.locked(State::closed_and_told);
            Self::advance(this, irql);
            AfShared::advance_later(&this.af);
        } else {
            this.state.locked(State::close_refused);
            Self::defer_later(this);
        }
    }
}

impl<C: Client> Deferred for VcShared<C> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn owner(&self) -> &Owner {
        self.af.binding.owner()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.state.locked(State::retry);
        if this.state.locked(State::has_returned) {
            AfShared::advance_later(&this.af);
        }
        if this.state.locked(State::waits_for_return) {
            Self::defer_later(&this);
        }
        Self::send_queued(&this, irql.up_to_dispatch());
        Self::advance(&this, irql.up_to_dispatch());
    }
}
