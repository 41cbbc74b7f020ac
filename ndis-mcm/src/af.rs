//! [`Af`]: a client that has opened one of the adapter's address families.

use crate::{Adapter, CallManager, adapter::AdapterShared, lock::StateLock};
use core::{fmt, ops, ptr};
use ndis_co::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    callback::Out,
    deferred::{Deferred, Node},
    family::AddressFamily,
    irql::{NoLock, Passive, UpToDispatch},
    mem::{Anchored, Arc, Lent, Parent, Tag},
    once::Slot,
    owner::Owner,
    raw::Opaque,
    stack,
};
use ndis_sys::NDIS_HANDLE;

/// # Invariants
///
/// MCM-AF: `handle` is valid from the open request until the open is refused
/// or the close is completed. Once the open is accepted NDIS owns one reference as
/// the call manager's AF context, until the close and a requested close
/// notification have both completed (rule AF-44).
pub(crate) struct AfShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    family: AddressFamily,
    handle: Opaque,
    state: StateLock<State>,
    context: Slot<M::Af>,
    pub(crate) adapter: Parent<Arc<AdapterShared<M>>>,
}

impl<M: CallManager> Anchored for AfShared<M> {
    type Parent = Arc<AdapterShared<M>>;
    fn parent(&mut self) -> &mut Parent<Arc<AdapterShared<M>>> {
        &mut self.adapter
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The open request is not answered.
    Opening,
    Open,
    /// The client has asked for the close.
    Closing,
    Closed,
    Refused,
}

/// What is to be done next.
enum Step {
    CompleteOpen(Status),
    CompleteClose,
    /// There is something to do, on a stack with more room.
    Later,
}

struct State {
    phase: Phase,
    /// What the pended open is to be completed with.
    answer: Option<Status>,
    /// SAPs and VCs beneath.
    children: usize,
    /// The driver has nothing against the close.
    finish: bool,
    /// The close was answered with pending.
    pended: bool,
    /// The halt has picked this family for its close notification.
    notified: bool,
    /// The notification is under way.
    notifying: bool,
    /// The call that asks for it runs: the handle is needed until it returns.
    calling: bool,
    /// The completion of the open runs, or its callback that answers with success: NDIS
    /// may not know yet that the family is open (rule AF-51).
    completing: bool,
}

/// A counted reference to an open address family; it derefs to the driver's
/// context.
pub struct Af<M: CallManager> {
    /// Its context is set (the open was accepted).
    pub(crate) shared: Arc<AfShared<M>>,
}

impl<M: CallManager> Af<M> {
    /// The family and its version.
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        self.shared.family
    }

    /// The adapter on which it was opened.
    #[must_use]
    pub fn adapter(&self) -> Adapter<M> {
        Adapter {
            shared: Arc::clone(&self.shared.adapter),
        }
    }
}

impl<M: CallManager> Clone for Af<M> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<M: CallManager> ops::Deref for Af<M> {
    type Target = M::Af;
    fn deref(&self) -> &M::Af {
        // SAFETY: an `Af` is made once the context is set.
        unsafe { self.shared.context.get_unchecked() }
    }
}

impl<M: CallManager> fmt::Debug for Af<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Af")
            .field("family", &self.shared.family)
            .finish_non_exhaustive()
    }
}

/// A client opens an address family: the token of the request.
#[must_use = "a request must be answered"]
pub struct OpenAf<'r, M: CallManager> {
    af: Arc<AfShared<M>>,
    /// Where a synchronous success leaves the context.
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
}

impl<'r, M: CallManager> OpenAf<'r, M> {
    pub(crate) fn try_new(
        adapter: &Arc<AdapterShared<M>>,
        family: AddressFamily,
        handle: NDIS_HANDLE,
        out: Out<'r, NDIS_HANDLE>,
        request: Request<'r>,
    ) -> Result<Self, Answer<'r>> {
        let shared = AfShared {
            node: Node::new(),
            lent: Lent::new(),
            family,
            handle: Opaque::new(handle),
            state: StateLock::new(State {
                phase: Phase::Opening,
                answer: None,
                children: 0,
                finish: false,
                pended: false,
                notified: false,
                notifying: false,
                calling: false,
                completing: false,
            }),
            context: Slot::new(),
            adapter: Parent::new(adapter.clone()),
        };
        match Arc::try_new_anchored(shared, Tag::NDIS) {
            Ok(af) => Ok(Self { af, out, request }),
            Err(_) => Err(request.answer(Status::RESOURCES)),
        }
    }

    pub(crate) fn shared(&self) -> Arc<AfShared<M>> {
        self.af.clone()
    }

    /// What the client opens: check that it is a family this driver registered
    /// (rule AF-21).
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        self.af.family
    }

    /// Lets the client in; `context` is what the driver keeps for it.
    pub fn accept(self, context: M::Af) -> Answer<'r> {
        // Until the callback has returned NDIS does not know that the family is open.
        self.af.state.with(|state| state.completing = true);
        let status = match AfShared::accept(&self.af, context) {
            Ok(context) => {
                // Rule AF-19.
                self.out.set(context);
                Status::SUCCESS
            }
            Err(failure) => failure,
        };
        self.request.answer(status)
    }

    /// Turns the client away.
    pub fn refuse(self, status: Status) -> Answer<'r> {
        self.af.state.with(|state| state.phase = Phase::Refused);
        self.request.answer(status.as_failure())
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingOpenAf<M>) {
        let af = Armed::new(self.af);
        (self.request.answer(Status::PENDING), PendingOpenAf { af })
    }
}

impl<M: CallManager> fmt::Debug for OpenAf<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenAf").field(&self.af.family).finish()
    }
}

/// The token of a pended open. Dropping it refuses with [`Status::FAILURE`].
#[must_use = "dropping a pending request refuses it"]
pub struct PendingOpenAf<M: CallManager> {
    af: Armed<Arc<AfShared<M>>, Refuse>,
}

/// Refuses a pended open.
struct Refuse;

impl<M: CallManager> Alarm<Arc<AfShared<M>>> for Refuse {
    fn lost(af: Arc<AfShared<M>>) {
        AfShared::answer(&af, Status::FAILURE);
        AfShared::defer(&af);
    }
}

impl<M: CallManager> PendingOpenAf<M> {
    /// Lets the client in (rules AF-23, AF-24).
    ///
    /// Prefer PASSIVE_LEVEL: the client's callback is documented for it (rule
    /// AF-48).
    ///
    /// Source page: `nf-ndis-ndismcmopenaddressfamilycomplete`.
    #[doc(alias = "NdisMCmOpenAddressFamilyComplete")]
    pub fn accept(self, context: M::Af, irql: &mut impl NoLock) {
        let af = self.af.disarm();
        // Before the role knows of the family: it is not closed until it is open.
        af.state.with(|state| state.completing = true);
        let status = match AfShared::accept(&af, context) {
            Ok(_) => Status::SUCCESS,
            Err(failure) => failure,
        };
        AfShared::answer(&af, status);
        AfShared::advance(&af, irql.up_to_dispatch());
    }

    /// Turns the client away (rule AF-25).
    ///
    /// Source page: `nf-ndis-ndismcmopenaddressfamilycomplete`.
    #[doc(alias = "NdisMCmOpenAddressFamilyComplete")]
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        let af = self.af.disarm();
        AfShared::answer(&af, status.as_failure());
        AfShared::advance(&af, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingOpenAf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingOpenAf")
            .field(&self.af.family)
            .finish()
    }
}

/// A client closes its address family: the token of the request.
#[must_use = "a request must be answered"]
pub struct CloseAf<'r, M: CallManager> {
    af: Arc<AfShared<M>>,
    request: Request<'r>,
}

impl<'r, M: CallManager> CloseAf<'r, M> {
    pub(crate) fn new(af: Arc<AfShared<M>>, request: Request<'r>) -> Self {
        Self { af, request }
    }

    /// Lets the family go, at once or when its last child is gone (rule
    /// AF-36). A close always succeeds in the end (rule AF-37).
    pub fn finish(self) -> Answer<'r> {
        let done = self.af.state.with(|state| {
            state.finish = true;
            let done = state.children == 0 && !state.calling;
            state.pended = !done;
            if done {
                state.phase = Phase::Closed;
            }
            done
        });
        let status = if done {
            AfShared::retire(&self.af);
            Status::SUCCESS
        } else {
            Status::PENDING
        };
        self.request.answer(status)
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingCloseAf<M>) {
        self.af.state.with(|state| state.pended = true);
        let af = Armed::new(self.af);
        (self.request.answer(Status::PENDING), PendingCloseAf { af })
    }
}

impl<M: CallManager> fmt::Debug for CloseAf<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloseAf").field(&self.af.family).finish()
    }
}

/// The token of a pended close. Dropping it finishes the close.
#[must_use = "dropping a pending close finishes it"]
pub struct PendingCloseAf<M: CallManager> {
    af: Armed<Arc<AfShared<M>>, Finish>,
}

/// Finishes a pended close.
struct Finish;

impl<M: CallManager> Alarm<Arc<AfShared<M>>> for Finish {
    fn lost(af: Arc<AfShared<M>>) {
        af.state.with(|state| state.finish = true);
        AfShared::defer(&af);
    }
}

impl<M: CallManager> PendingCloseAf<M> {
    /// Lets the family go, at once or when its last child is gone.
    ///
    /// Source page: `nf-ndis-ndismcmcloseaddressfamilycomplete`.
    #[doc(alias = "NdisMCmCloseAddressFamilyComplete")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let af = self.af.disarm();
        af.state.with(|state| state.finish = true);
        AfShared::advance(&af, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingCloseAf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingCloseAf")
            .field(&self.af.family)
            .finish()
    }
}

impl<M: CallManager> AfShared<M> {
    pub(crate) fn driver(&self) -> &M {
        &self.adapter.driver.driver
    }

    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// Takes the client in; gives the context for NDIS.
    fn accept(this: &Arc<Self>, context: M::Af) -> Result<NDIS_HANDLE, Status> {
        this.context.set(context);
        if let Err(failure) = this.adapter.role.add(this) {
            this.state.with(|state| state.phase = Phase::Refused);
            return Err(failure);
        }
        this.state.with(|state| state.phase = Phase::Open);
        Ok(this.lent.lend(this))
    }

    /// The pended open is to be completed.
    fn answer(this: &Arc<Self>, status: Status) {
        this.state.with(|state| {
            state.answer = Some(status);
            if !status.is_success() {
                state.phase = Phase::Refused;
            }
        });
    }

    fn complete_open(this: &Arc<Self>, status: Status) {
        let context = if status.is_success() {
            Arc::as_raw(this)
        } else {
            ptr::null_mut()
        };
        // SAFETY: the open was pended and is completed once (rule AF-23), at or
        // below DISPATCH_LEVEL; with success, with the share that the acceptance
        // gave to NDIS (MCM-AF).
        unsafe { ndis_sys::NdisMCmOpenAddressFamilyComplete(status.raw(), this.handle(), context) };
        this.told_opened();
    }

    /// NDIS knows what came of the open.
    pub(crate) fn told_opened(&self) {
        self.state.with(|state| state.completing = false);
        self.adapter.role.look_again();
    }

    /// One more SAP or VC beneath, unless the family is being closed.
    pub(crate) fn add_child(&self) -> Result<(), Status> {
        self.state.with(|state| {
            if state.phase != Phase::Open {
                return Err(Status::CLOSING);
            }
            state.children = state.children.saturating_add(1);
            Ok(())
        })
    }

    /// One SAP or VC less; the last one may end the close.
    pub(crate) fn remove_child(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.state
            .with(|state| state.children = state.children.saturating_sub(1));
        Self::advance(this, irql);
    }

    /// As [`Self::remove_child`], where nothing may be called.
    pub(crate) fn remove_child_later(this: &Arc<Self>) {
        let last = this.state.with(|state| {
            state.children = state.children.saturating_sub(1);
            state.children == 0 && state.phase == Phase::Closing
        });
        if last {
            Self::defer(this);
        }
    }

    /// The client asks for the close; `false` when it did already.
    pub(crate) fn begin_close(&self) -> bool {
        self.state.with(|state| {
            let open = state.phase == Phase::Open;
            if open {
                state.phase = Phase::Closing;
            }
            open
        })
    }

    /// Does what the state asks for and allows.
    fn advance(this: &Arc<Self>, _irql: &mut UpToDispatch) {
        while let Some(step) = this.state.with(State::next) {
            match step {
                Step::Later => return Self::defer(this),
                Step::CompleteOpen(status) => Self::complete_open(this, status),
                Step::CompleteClose => {
                    // SAFETY: the close was pended and is completed once, with
                    // success (rule AF-37); the handle dies here (rule AF-38).
                    unsafe {
                        ndis_sys::NdisMCmCloseAddressFamilyComplete(
                            Status::SUCCESS.raw(),
                            this.handle(),
                        );
                    }
                    Self::retire(this);
                }
            }
        }
    }

    /// Gives the context back once the close and the notification are both
    /// through (rule AF-44): whichever comes second does it.
    fn retire(this: &Arc<Self>) {
        let over = this
            .state
            .with(|state| state.phase == Phase::Closed && !state.notifying);
        let lent = if over { this.lent.end() } else { None };
        if lent.is_some() {
            drop(lent);
            this.adapter.role.remove(this);
        }
    }

    /// The halt picks this family; `true` the first time.
    pub(crate) fn mark_notified(&self) -> bool {
        self.state.with(|state| {
            let open = !matches!(state.phase, Phase::Closed) && !state.completing;
            let first = open && !state.notified;
            state.notified |= open;
            // Before the call: the client may close within it.
            state.notifying |= first;
            state.calling |= first;
            first
        })
    }

    /// Asks the client to close (rules HALT-01, HALT-02).
    pub(crate) fn notify_close(this: &Arc<Self>, irql: &mut Passive) {
        // SAFETY: PASSIVE_LEVEL; by MCM-AF the handle is valid, for `calling`
        // holds a close up that crosses this.
        let status = unsafe { ndis_sys::NdisMCmNotifyCloseAddressFamily(this.handle()) };
        let status = Status::from_raw(status);
        this.state.with(|state| state.calling = false);
        if !status.is_pending() {
            Self::notified(this);
        }
        Self::advance(this, irql.up_to_dispatch());
    }

    /// The notification is finished (rule HALT-03), whatever the client has answered:
    /// only its close counts.
    pub(crate) fn notified(this: &Arc<Self>) {
        this.state.with(|state| state.notifying = false);
        Self::retire(this);
    }
}

impl State {
    /// Picks the next step and marks it as taken.
    fn next(&mut self) -> Option<Step> {
        let close = self.phase == Phase::Closing
            && self.finish
            && self.pended
            && self.children == 0
            && !self.calling;
        if self.answer.is_none() && !close {
            return None;
        }
        if stack::is_low() {
            return Some(Step::Later);
        }
        if let Some(status) = self.answer.take() {
            return Some(Step::CompleteOpen(status));
        }
        self.phase = Phase::Closed;
        Some(Step::CompleteClose)
    }
}

// SAFETY: the field.
unsafe impl<M: CallManager> Deferred for AfShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn owner(&self) -> &Owner {
        self.adapter.owner()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        Self::advance(&this, irql.up_to_dispatch());
    }
}
