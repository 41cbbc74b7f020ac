//! [`Af`]: a client that has opened one of the adapter's address families.

mod children;
pub(super) mod held;

use super::{Base, CallManager, Key};
use crate::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    callback::Out,
    deferred::{Deferred, Node},
    family::AddressFamily,
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, Parent, Tag},
    once::Slot,
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use children::Children;
use core::{fmt, mem, ops, ptr};
use ndis_sys::NDIS_HANDLE;

/// # Invariants
///
/// CM-AF: `handle` is valid from the open request until the open is refused
/// or the close is completed. Once the open is accepted NDIS owns one reference as
/// the call manager's AF context, until the close and a requested close
/// notification have both completed (rules AF-26, AF-44). The handle is kept for as long
/// (rule AF-20).
#[doc(hidden)]
pub struct AfShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    pub(super) family: AddressFamily,
    handle: Opaque,
    state: SpinLock<State>,
    children: Children,
    context: Slot<M::Af>,
    pub(super) base: Parent<M::Base>,
}

impl<M: CallManager> Anchored for AfShared<M> {
    type Parent = M::Base;
    fn parent(&mut self) -> &mut Parent<M::Base> {
        &mut self.base
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

/// Whether NDIS knows of an accepted open (rule AF-51).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// It does, or there is nothing to know.
    Told,
    /// Its completion runs, or the callback that answers with success.
    Runs,
    /// The callback is about to return: NDIS knows a moment later.
    Returns,
}

/// What is to be done next.
enum Step {
    CompleteOpen(Status),
    CompleteClose,
    /// Ask the client for the close; at PASSIVE_LEVEL.
    Notify,
    /// There is something to do, on a stack with more room.
    Later,
}

struct State {
    phase: Phase,
    /// What the pended open is to be completed with.
    answer: Option<Status>,
    /// The driver has nothing against the close.
    finish: bool,
    /// The close was answered with pending.
    pended: bool,
    /// The client is to be asked for the close.
    notify: bool,
    /// The base goes away: a client that will not close is asked again.
    ending: bool,
    /// It was asked, and has not refused.
    notified: bool,
    /// It has just refused: it is asked again a little later.
    refused: bool,
    /// The notification is under way.
    notifying: bool,
    /// The call that asks for it runs: the handle is needed until it returns.
    calling: bool,
    /// How far NDIS is told of the open.
    telling: Telling,
}

/// A counted reference to an open address family; it derefs to the driver's
/// context.
///
/// ```
/// # use ndis_co::cm::{Af, CallManager};
/// # use ndis_host as _;
/// /// The line is gone: its clients are asked to leave, one by one.
/// fn line_gone<M: CallManager>(clients: &[Af<M>]) {
///     for client in clients {
///         client.notify_close();
///     }
/// }
/// ```
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

    /// The adapter or binding on which it was opened.
    #[must_use]
    pub fn base(&self) -> &M::Base {
        &self.shared.base
    }

    /// Asks the client to close the family, now or soon, for instance because the line is
    /// gone. Nothing happens when it is asked already, or is closing it.
    ///
    /// The client ends its calls and SAPs first, and closes the family then:
    /// [`CallManager::close_af`] is next. It may answer that it will not (rule [AF-43]); then
    /// the family stays open, and it can be asked again. When the adapter or the binding goes
    /// away, it is asked until it closes.
    ///
    /// At or below DISPATCH_LEVEL; a work item does it at PASSIVE_LEVEL.
    ///
    /// Source page: [`NdisCmNotifyCloseAddressFamily`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmnotifycloseaddressfamily).
    ///
    /// [AF-43]: ndis_sys::rules#AF-43
    #[doc(alias = "NdisCmNotifyCloseAddressFamily")]
    #[doc(alias = "NdisMCmNotifyCloseAddressFamily")]
    pub fn notify_close(&self) {
        if self.shared.want_notify() {
            AfShared::defer(&self.shared);
        }
    }
}

reference!(Af<M: CallManager> to AfShared, "family", "one: a client's, opened once");

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
///
/// ```
/// # use ndis_co::{Answer, Status, cm::{CallManager, OpenAf}, family::AddressFamily};
/// # use ndis_host as _;
/// fn open<'r, M: CallManager<Af = ()>>(
///     request: OpenAf<'r, M>,
///     served: AddressFamily,
/// ) -> Answer<'r> {
///     if request.family() == served {
///         request.accept(())
///     } else {
///         request.refuse(Status::INVALID_PARAMETER)
///     }
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct OpenAf<'r, M: CallManager> {
    af: Arc<AfShared<M>>,
    /// Where a synchronous success leaves the context.
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
}

impl<'r, M: CallManager> OpenAf<'r, M> {
    pub(crate) fn try_new(
        base: &M::Base,
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
            state: SpinLock::new(State {
                phase: Phase::Opening,
                answer: None,
                finish: false,
                pended: false,
                notify: false,
                ending: false,
                notified: false,
                refused: false,
                notifying: false,
                calling: false,
                telling: Telling::Told,
            }),
            children: Children::new(),
            context: Slot::new(),
            base: Parent::new(base.clone()),
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
    /// (rule [AF-21]).
    ///
    /// [AF-21]: ndis_sys::rules#AF-21
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        self.af.family
    }

    /// Lets the client in; `context` is what the driver keeps for it.
    pub fn accept(self, context: M::Af) -> Answer<'r> {
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
        self.af.state.locked(|state| state.phase = Phase::Refused);
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
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, PendingOpenAf}, irql::Passive};
/// # use ndis_host as _;
/// /// The line has come up, or has not: answers a client that waits.
/// fn line_answers<M: CallManager<Af = ()>>(client: PendingOpenAf<M>, up: bool, irql: &mut Passive) {
///     if up {
///         client.accept((), irql);
///     } else {
///         client.refuse(Status::FAILURE, irql);
///     }
/// }
/// ```
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
    /// Lets the client in (rules [AF-23], [AF-24]).
    ///
    /// Prefer PASSIVE_LEVEL: the client's callback is documented for it (rule
    /// [AF-48]).
    ///
    /// Source page: [`NdisMCmOpenAddressFamilyComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmopenaddressfamilycomplete).
    ///
    /// [AF-23]: ndis_sys::rules#AF-23
    /// [AF-24]: ndis_sys::rules#AF-24
    /// [AF-48]: ndis_sys::rules#AF-48
    #[doc(alias = "NdisCmOpenAddressFamilyComplete")]
    #[doc(alias = "NdisMCmOpenAddressFamilyComplete")]
    pub fn accept(self, context: M::Af, irql: &mut impl NoLock) {
        let af = self.af.disarm();
        let status = match AfShared::accept(&af, context) {
            Ok(_) => Status::SUCCESS,
            Err(failure) => failure,
        };
        AfShared::answer(&af, status);
        AfShared::advance(&af, irql.up_to_dispatch());
    }

    /// Turns the client away (rule [AF-25]).
    ///
    /// Source page: [`NdisMCmOpenAddressFamilyComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmopenaddressfamilycomplete).
    ///
    /// [AF-25]: ndis_sys::rules#AF-25
    #[doc(alias = "NdisCmOpenAddressFamilyComplete")]
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

impl<M: CallManager> AfShared<M> {
    /// The driver answers the close later.
    pub(super) fn pend_close(&self) {
        self.state.locked(|state| state.pended = true);
    }

    /// The driver has nothing against the pended close.
    pub(super) fn want_finish(&self) {
        self.state.locked(|state| state.finish = true);
    }

    pub(crate) fn driver(&self) -> &M {
        self.base.driver()
    }

    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// What resources are allocated on.
    pub(crate) fn scope(&self) -> &Scope {
        self.base.scope()
    }

    /// Takes the client in; gives the context for NDIS.
    fn accept(this: &Arc<Self>, context: M::Af) -> Result<NDIS_HANDLE, Status> {
        this.context.set(context);
        // Before the base has it in its list: nobody asks for the close until NDIS knows that
        // the family is open.
        this.state.locked(|state| state.telling = Telling::Runs);
        if let Err(failure) = this.base.families().add(this) {
            this.state.locked(|state| state.phase = Phase::Refused);
            return Err(failure);
        }
        this.state.locked(|state| {
            state.phase = Phase::Open;
            this.children.admit();
        });
        Ok(this.lent.lend(this))
    }

    /// The pended open is to be completed.
    fn answer(this: &Arc<Self>, status: Status) {
        this.state.locked(|state| {
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
        // below DISPATCH_LEVEL; with success, with the reference that the acceptance
        // gave to NDIS (CM-AF).
        unsafe { ndis_sys::NdisCmOpenAddressFamilyComplete(status.raw(), this.handle(), context) };
        Self::told_opened(this);
    }

    /// NDIS knows what came of the open: from here on the client can be asked to close.
    pub(crate) fn told_opened(this: &Arc<Self>) {
        let notify = this.state.locked(|state| {
            state.telling = Telling::Told;
            state.notifies()
        });
        if notify {
            Self::defer(this);
        }
    }

    /// The callback that has accepted the open is about to return.
    pub(crate) fn open_returns(this: &Arc<Self>) {
        let notify = this.state.locked(|state| {
            if state.telling == Telling::Runs {
                state.telling = Telling::Returns;
            }
            state.notify
        });
        if notify {
            Self::defer(this);
        }
    }

    /// One more SAP or VC beneath, unless the family is being closed.
    pub(crate) fn add_child(&self) -> Result<(), Status> {
        self.children.add()
    }

    /// One more that stands for what counts already.
    fn add_one_more_child(&self) {
        self.children.add_one_more();
    }

    /// One SAP or VC less; the last one may end the close.
    pub(crate) fn remove_child(this: &Arc<Self>, irql: &mut UpToDispatch) {
        if this.children.remove() {
            Self::advance(this, irql);
        }
    }

    /// As [`Self::remove_child`], where nothing may be called.
    pub(crate) fn remove_child_later(this: &Arc<Self>) {
        if this.children.remove() {
            Self::defer(this);
        }
    }

    /// The client asks for the close; `false` when it did already.
    pub(crate) fn begin_close(&self) -> bool {
        self.state.locked(|state| {
            let open = state.phase == Phase::Open;
            if open {
                state.phase = Phase::Closing;
                self.children.refuse();
            }
            open
        })
    }

    /// Does what the state asks for and allows.
    pub(super) fn advance(this: &Arc<Self>, _irql: &mut UpToDispatch) {
        let next = || {
            this.state
                .locked(|state| state.next(this.children.is_empty()))
        };
        while let Some(step) = next() {
            match step {
                Step::Later | Step::Notify => return Self::defer(this),
                Step::CompleteOpen(status) => Self::complete_open(this, status),
                Step::CompleteClose => {
                    // SAFETY: the close was pended and is completed once, with
                    // success (rule AF-37); the handle dies here (rule AF-38).
                    unsafe {
                        ndis_sys::NdisCmCloseAddressFamilyComplete(
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
            .locked(|state| state.phase == Phase::Closed && !state.notifying);
        let lent = if over { this.lent.end() } else { None };
        if lent.is_some() {
            drop(lent);
            if this.base.families().remove(this) {
                this.base.families_closed(Key::new());
            }
        }
    }

    /// The client is to be asked for the close; `true` when that is new.
    fn want_notify(&self) -> bool {
        self.state
            .locked(|state| !mem::replace(&mut state.notify, true))
    }

    /// The base goes away: the client is to be asked until it closes; `true` when that is new.
    pub(super) fn want_end(&self) -> bool {
        self.state.locked(|state| {
            state.notify = true;
            // What it has answered before counts no more.
            state.refused = false;
            !mem::replace(&mut state.ending, true)
        })
    }

    /// Asks the client to close, when it is to be asked and can be (rules AF-39, HALT-01,
    /// HALT-02).
    pub(super) fn notify_close(this: &Arc<Self>, irql: &mut Passive) {
        let (due, soon) = this.state.locked(|state| {
            let due = state.notifies();
            // Before the call: the client may close within it.
            state.notified |= due;
            state.notifying |= due;
            state.calling |= due;
            (due, state.notify && state.telling == Telling::Returns)
        });
        if soon {
            Self::defer(this);
        }
        if due {
            // SAFETY: PASSIVE_LEVEL; by CM-AF the handle is valid, for `calling`
            // holds a close up that crosses this.
            let status = unsafe { ndis_sys::NdisCmNotifyCloseAddressFamily(this.handle()) };
            let status = Status::from_raw(status);
            this.state.locked(|state| state.calling = false);
            if !status.is_pending() {
                // NDIS's failure is as good as a refusal of the client's.
                Self::notified(this);
            }
        }
        Self::advance(this, irql.up_to_dispatch());
    }

    /// The notification is finished (rule HALT-03), whatever the client has answered:
    /// only its close counts. Without one, it has refused (rule AF-43).
    pub(crate) fn notified(this: &Arc<Self>) {
        let again = this.state.locked(|state| {
            state.notifying = false;
            if state.phase == Phase::Open {
                state.notified = false;
                state.refused = true;
                state.notify = state.ending;
            }
            state.phase == Phase::Open && state.notify
        });
        if again {
            Self::defer_later(this);
        }
        Self::retire(this);
    }
}

impl State {
    /// Picks the next step and marks it as taken. `childless` says that nothing is beneath.
    fn next(&mut self, childless: bool) -> Option<Step> {
        let close = self.phase == Phase::Closing
            && self.finish
            && self.pended
            && childless
            && !self.calling;
        let notify = self.notifies();
        if self.answer.is_none() && !close && !notify {
            return None;
        }
        if stack::is_low() {
            return Some(Step::Later);
        }
        if let Some(status) = self.answer.take() {
            return Some(Step::CompleteOpen(status));
        }
        if notify {
            return Some(Step::Notify);
        }
        self.phase = Phase::Closed;
        Some(Step::CompleteClose)
    }

    /// Whether the client is to be asked for the close, and can be: NDIS knows that the
    /// family is open (rule AF-51), and the client has not asked for the close itself.
    fn notifies(&self) -> bool {
        // One call at a time: the client may have refused within one that has not returned,
        // which holds its close up by `calling`.
        self.notify
            && !self.notified
            && !self.refused
            && !self.calling
            && self.telling == Telling::Told
            && self.phase == Phase::Open
    }
}

impl<M: CallManager> Deferred for AfShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.base.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        let returns = this.state.locked(|state| {
            let returns = state.telling == Telling::Returns;
            if returns {
                state.telling = Telling::Told;
            }
            state.refused = false;
            returns
        });
        if returns {
            // The moment has not passed yet.
            Self::defer_later(&this);
        } else {
            Self::notify_close(&this, irql);
        }
    }
}
