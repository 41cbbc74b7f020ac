//! [`OpenAf`] and [`Af`]: an address family that the client has opened.

pub(in crate::client) mod above;
mod children;
mod families;
pub(super) mod held;
mod offer;
pub(super) mod sap;
pub(super) mod vc;

pub use families::{Families, RunsClient};
pub use offer::AfOffer;
pub use sap::{RegisteredSap, Sap};
pub use vc::{Call, CreatedVc, Vc, WeakVc};

use super::{Binding, Client};
use crate::{
    Status,
    address::SapAddressBuf,
    armed::{Alarm, Armed},
    deferred::{Deferred, Node},
    family::AddressFamily,
    irql::{NoLock, Passive, UpToDispatch},
    kernel::{RawWorkItem, Routine},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, Parent},
    protocol::BindingShared,
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use children::Children;
use core::{
    fmt, ops,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_sys::NDIS_HANDLE;
use sap::SapShared;
use vc::VcShared;

/// # Invariants
///
/// AF: from the open request until the close has completed (or the open has
/// failed), NDIS owns one reference as the client's AF context, and the
/// binding's list has another one. `handle` is valid while the phase is `Open`,
/// `Closing` or `CloseIssued`: it is kept of an open that has succeeded only (rule AF-14).
///
/// TELLER: the work item is queued once, by the completion of a pended open, and
/// freed with this.
#[doc(hidden)]
pub struct AfShared<C: Client> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    family: AddressFamily,
    handle: Opaque,
    /// Where NDIS writes the handle; read only when the open did not pend.
    slot: Opaque,
    state: SpinLock<State<C>>,
    /// It is open no more: set under the lock, before anything beneath it is looked at.
    leaving: AtomicBool,
    /// Tells the driver of a pended open that has completed. The driver may wait
    /// then, so this is no work for the item that all deferred ends share, nor
    /// for the thread of the call manager that completes it.
    teller: SpinLock<Option<RawWorkItem>>,
    context: C::Af,
    pub(super) binding: Parent<Arc<BindingShared<C>>>,
}

impl<C: Client> Anchored for AfShared<C> {
    type Parent = Arc<BindingShared<C>>;
    fn parent(&mut self) -> &mut Parent<Arc<BindingShared<C>>> {
        &mut self.binding
    }
}

/// Where an address family is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// The open request is under way, or the client is just being told of its
    /// result.
    Opening,
    Open,
    /// To be closed; children end first.
    Closing,
    /// The close request is under way.
    CloseIssued,
    Closed,
}

/// What the call manager's request to close the family has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notify {
    None,
    /// Its callback runs and will give the answer.
    InCallback,
    /// It was answered with pending.
    Pended,
}

struct State<C: Client> {
    phase: Phase,
    /// The driver is just being told that it is open: nobody but itself closes it
    /// meanwhile.
    telling: bool,
    notify: Notify,
    /// The call manager wants it closed, by an OID.
    unwanted: bool,
    /// OID requests of it that are not over.
    requests: usize,
    /// The call manager has refused the close: the next try waits a little.
    back_off: bool,
    /// What came of a pended open, for the teller.
    outcome: Status,
    vcs: Children<VcShared<C>>,
    saps: Children<SapShared<C>>,
}

/// What is to be done next on the way to the close.
enum Step<C: Client> {
    EndVc(Arc<VcShared<C>>),
    EndSap(Arc<SapShared<C>>),
    Close,
    /// There is something to do, on a stack with more room.
    Later,
}

/// A counted reference to an address family; it derefs to the driver's
/// context.
///
/// ```
/// # use ndis_co::{Status, client::{Af, Client, Vc}, irql::Passive, params::CallParametersBuf};
/// # use ndis_host as _;
/// /// With a reference that is kept, from wherever there is one.
/// fn call<C: Client<Vc = ()>>(
///     af: &Af<C>,
///     parameters: CallParametersBuf,
///     irql: &mut Passive,
/// ) -> Result<Vc<C>, Status> {
///     // `Status::CLOSING` when the family is about to go.
///     let vc = af.create_vc((), irql)?;
///     Ok(vc.make_call(parameters, irql).keep())
/// }
/// ```
pub struct Af<C: Client> {
    pub(super) shared: Arc<AfShared<C>>,
}

/// An open address family, owned: dropping it closes it.
///
/// What is made from it borrows it. [`keep`](Self::keep) trades it for a
/// reference that can be stored, see the [module](crate::client).
///
/// ```
/// # use ndis_co::{Status, address::SapAddressBuf, client::{Client, OpenAf, Sap}, irql::Passive};
/// # use ndis_host as _;
/// /// Listens at an address, for as long as the family is open.
/// fn listen<C: Client<Sap = ()>>(
///     af: &OpenAf<C>,
///     address: &[u8],
///     irql: &mut Passive,
/// ) -> Result<Sap<C>, Status> {
///     let address = SapAddressBuf::try_new(1, address)?;
///     Ok(af.register_sap((), address, irql)?.keep())
/// }
/// ```
#[must_use = "dropping an open address family closes it"]
pub struct OpenAf<C: Client> {
    af: Armed<Af<C>, Close>,
}

/// Closes a family whose owner is gone.
struct Close;

impl<C: Client> Alarm<Af<C>> for Close {
    fn lost(af: Af<C>) {
        af.shared.want_close();
        AfShared::advance_later(&af.shared);
    }
}

impl<C: Client> OpenAf<C> {
    /// Registers a SAP: calls to `address` come to this client.
    ///
    /// The call manager's answer comes as [`Client::sap_registered`], possibly
    /// before this returns. Dropping the result deregisters the SAP.
    ///
    /// Source page: [`NdisClRegisterSap`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclregistersap).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or [`Status::CLOSING`] when the family is being
    /// closed.
    #[doc(alias = "NdisClRegisterSap")]
    pub fn register_sap(
        &self,
        context: C::Sap,
        address: SapAddressBuf,
        irql: &mut impl NoLock,
    ) -> Result<RegisteredSap<'_, C>, Status> {
        SapShared::register(&self.af.shared, context, address, irql.up_to_dispatch())
    }

    /// Creates a VC for one outgoing call (rule [VC-01]).
    ///
    /// Source page: [`NdisCoCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscocreatevc).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], [`Status::CLOSING`], or the call manager's
    /// refusal.
    ///
    /// [VC-01]: ndis_sys::rules#VC-01
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_vc(
        &self,
        context: C::Vc,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'_, C>, Status> {
        VcShared::create(&self.af.shared, context, irql.up_to_dispatch())
    }

    /// Closes the family; [`Client::af_closed`] tells when it is done.
    ///
    /// Kept children end first, in the documented order (rule [AF-29]);
    /// borrowed ones cannot exist any more.
    ///
    /// Source page: [`NdisClCloseAddressFamily`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclcloseaddressfamily).
    ///
    /// [AF-29]: ndis_sys::rules#AF-29
    #[doc(alias = "NdisClCloseAddressFamily")]
    pub fn close(self, irql: &mut impl NoLock) {
        self.af.disarm().close(irql);
    }

    /// Trades the owner for a reference: from here on the family is closed by
    /// [`Af::close`], by the call manager, or with the binding.
    #[must_use]
    pub fn keep(self) -> Af<C> {
        self.af.disarm()
    }
}

impl<C: Client> ops::Deref for OpenAf<C> {
    type Target = Af<C>;
    fn deref(&self) -> &Af<C> {
        &self.af
    }
}

impl<C: Client> fmt::Debug for OpenAf<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.af.fmt(f)
    }
}

impl<C: Client> Af<C> {
    /// The family and its version.
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        self.shared.family
    }

    /// The binding on which the family was opened.
    #[must_use]
    pub fn binding(&self) -> Binding<C> {
        self.shared.binding()
    }

    /// As [`OpenAf::register_sap`], checked at run time.
    ///
    /// Source page: [`NdisClRegisterSap`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclregistersap).
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisClRegisterSap")]
    pub fn register_sap(
        &self,
        context: C::Sap,
        address: SapAddressBuf,
        irql: &mut impl NoLock,
    ) -> Result<RegisteredSap<'static, C>, Status> {
        SapShared::register(&self.shared, context, address, irql.up_to_dispatch())
    }

    /// As [`OpenAf::create_vc`], checked at run time. It is for a call that this client places: for
    /// one that comes in, the call manager makes a VC (rule [SAP-13]).
    ///
    /// Source page: [`NdisCoCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscocreatevc).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// [SAP-13]: ndis_sys::rules#SAP-13
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_vc(
        &self,
        context: C::Vc,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'static, C>, Status> {
        VcShared::create(&self.shared, context, irql.up_to_dispatch())
    }

    /// Closes the family with everything beneath it. Closing twice is
    /// harmless (rule [AF-31]).
    ///
    /// Source page: [`NdisClCloseAddressFamily`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclcloseaddressfamily).
    ///
    /// [AF-31]: ndis_sys::rules#AF-31
    #[doc(alias = "NdisClCloseAddressFamily")]
    pub fn close(&self, irql: &mut impl NoLock) {
        self.shared.want_close();
        AfShared::advance(&self.shared, irql.up_to_dispatch());
    }
}

reference!(Af<C: Client> to AfShared, "family", "one, opened once");

impl<C: Client> ops::Deref for Af<C> {
    type Target = C::Af;
    fn deref(&self) -> &C::Af {
        &self.shared.context
    }
}

impl<C: Client> fmt::Debug for Af<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Af")
            .field("family", &self.shared.family)
            .field("phase", &self.shared.phase())
            .finish_non_exhaustive()
    }
}

impl<C: Client> AfShared<C> {
    pub(super) fn phase(&self) -> Phase {
        self.state.locked(|state| state.phase)
    }

    pub(super) fn binding(&self) -> Binding<C> {
        Binding {
            shared: Arc::clone(&self.binding),
        }
    }

    pub(super) fn client(&self) -> &C {
        self.binding.driver.driver()
    }

    /// The handle for NDIS calls, while the family is open for them.
    pub(super) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// Takes a VC into the list, unless the family is being closed.
    pub(super) fn add_vc(&self, vc: &Arc<VcShared<C>>) -> Result<(), Status> {
        self.state.locked(|state| match state.phase {
            Phase::Open => state.vcs.try_push(vc).map_err(Status::from),
            _ => Err(Status::CLOSING),
        })
    }

    /// Takes a SAP into the list, unless the family is being closed.
    pub(super) fn add_sap(&self, sap: &Arc<SapShared<C>>) -> Result<(), Status> {
        self.state.locked(|state| match state.phase {
            Phase::Open => state.saps.try_push(sap).map_err(Status::from),
            _ => Err(Status::CLOSING),
        })
    }

    /// A VC is gone.
    pub(super) fn remove_vc(this: &Arc<Self>, vc: &Arc<VcShared<C>>) {
        let gone = this.state.locked(|state| state.vcs.take(vc));
        drop(gone);
        Self::advance_later(this);
    }

    /// A SAP is gone.
    pub(super) fn remove_sap(this: &Arc<Self>, sap: &Arc<SapShared<C>>) {
        let gone = this.state.locked(|state| state.saps.take(sap));
        drop(gone);
        Self::advance_later(this);
    }

    /// Has [`Self::advance`] run soon, if there is anything to advance to.
    ///
    /// Without the lock: what has changed before, of a VC for instance, has changed under a lock
    /// under which the family looks for it after it has said that it leaves. So it finds it
    /// changed, or has said so by now.
    pub(super) fn advance_later(this: &Arc<Self>) {
        if this.leaves_open() {
            Self::defer(this);
        }
    }

    /// Whether the family, which was open, is so no more.
    pub(super) fn leaves_open(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Marks the family for closing; `true` for the first to do so.
    fn mark_closing(&self) -> bool {
        self.state.locked(|state| {
            let first = state.phase == Phase::Open;
            if first {
                state.phase = Phase::Closing;
                self.leaving.store(true, Ordering::Release);
            }
            first
        })
    }

    /// The driver itself wants it closed: it may wait for that, also while it is told
    /// that the family is open.
    fn want_close(&self) {
        self.mark_closing();
        self.state.locked(|state| state.telling = false);
    }

    pub(super) fn request_close(this: &Arc<Self>, irql: &mut UpToDispatch) {
        if this.mark_closing() {
            Self::advance(this, irql);
        }
    }

    /// Does what can be done towards the close: calls first, then SAPs, then
    /// the family itself (rules AF-29, AF-39).
    pub(super) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.locked(State::next) {
            match step {
                Step::Later => return Self::defer(this),
                Step::EndVc(shared) => VcShared::end(&Vc { shared }, irql),
                Step::EndSap(sap) => SapShared::end(&sap, irql),
                Step::Close => {
                    // SAFETY: by AF the handle is valid; it dies with this
                    // call (rule AF-30), which is made once (rule AF-31).
                    let status = unsafe { ndis_sys::NdisClCloseAddressFamily(this.handle()) };
                    let status = Status::from_raw(status);
                    // What is answered at once is completed here (rule AF-33).
                    if !status.is_pending() {
                        close_completed(this, status, irql);
                    }
                }
            }
        }
    }
}

impl<C: Client> State<C> {
    /// Picks the next step and marks it as taken.
    fn next(&mut self) -> Option<Step<C>> {
        let held = self.telling || self.back_off || self.requests > 0;
        if self.phase != Phase::Closing || held {
            return None;
        }
        if stack::is_low() {
            return Some(Step::Later);
        }
        if let Some(vc) = self.vcs.ask_next() {
            return Some(Step::EndVc(vc));
        }
        if self.vcs.hold() {
            return None;
        }
        if let Some(sap) = self.saps.ask_next() {
            return Some(Step::EndSap(sap));
        }
        if self.saps.hold() {
            return None;
        }
        self.phase = Phase::CloseIssued;
        Some(Step::Close)
    }
}

impl<C: Client> Deferred for AfShared<C> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.binding.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.state.locked(|state| state.back_off = false);
        Self::advance(&this, irql.up_to_dispatch());
    }
}

/// The open has completed, at PASSIVE_LEVEL.
fn open_completed<C: Client>(
    af: &Arc<AfShared<C>>,
    handle: NDIS_HANDLE,
    status: Status,
    irql: &mut Passive,
) {
    if status.is_success() {
        af.handle.set(handle);
    }
    tell_opened(af, status, irql);
}

/// Tells the client what came of the open.
fn tell_opened<C: Client>(af: &Arc<AfShared<C>>, status: Status, irql: &mut Passive) {
    let client = af.client();
    if status.is_success() {
        af.state.locked(|state| {
            state.phase = Phase::Open;
            state.telling = true;
        });
        let owner = OpenAf {
            af: Armed::new(Af { shared: af.clone() }),
        };
        client.af_opened(owner, irql);
        let asked = af.state.locked(|state| {
            state.telling = false;
            state.unwanted || state.notify != Notify::None
        });
        if asked || af.binding.families().is_closing() {
            // The unbind looked for open families before this one was.
            af.mark_closing();
        }
        // It may have been closed meanwhile.
        AfShared::advance(af, irql.up_to_dispatch());
    } else {
        af.state.locked(|state| state.phase = Phase::Closed);
        client.af_open_failed(&af.binding(), af.family, status.as_failure(), irql);
        retire(af);
    }
}

/// NDIS has done with the address family: its reference and the list's end.
fn retire<C: Client>(af: &Arc<AfShared<C>>) {
    drop(af.lent.end());
    Families::remove(&af.binding, af);
}

/// The close has completed.
pub(super) fn close_completed<C: Client>(
    af: &Arc<AfShared<C>>,
    status: Status,
    irql: &mut UpToDispatch,
) {
    if !status.is_success() {
        // The call manager refused, and the family is still open (AF-34).
        af.state.locked(|state| {
            state.phase = Phase::Closing;
            state.back_off = true;
        });
        AfShared::defer_later(af);
        return;
    }
    let (pended, saps) = af.state.locked(|state| {
        state.phase = Phase::Closed;
        let pended = core::mem::replace(&mut state.notify, Notify::None) == Notify::Pended;
        (pended, core::mem::replace(&mut state.saps, Children::new()))
    });
    for sap in saps.iter() {
        SapShared::af_closed(sap);
    }
    drop(saps);
    af.client().af_closed(&Af { shared: af.clone() }, irql);
    if pended {
        // SAFETY: the one call for which the closed handle is still good
        // (rule AF-42), made once (rule AF-41).
        unsafe {
            ndis_sys::NdisClNotifyCloseAddressFamilyComplete(af.handle(), Status::SUCCESS.raw());
        }
    }
    retire(af);
}

/// The pended open has completed.
///
/// The page says PASSIVE_LEVEL, yet a call manager may complete the open at a raised
/// level (rule AF-48), or on a work item of its own on which nobody may wait: whose
/// thread this is cannot be known.
pub(super) fn opened_later<C: Client>(af: &Arc<AfShared<C>>, handle: NDIS_HANDLE, status: Status) {
    if status.is_success() {
        af.handle.set(handle);
    }
    af.state.locked(|state| state.outcome = status);
    if let Some(teller) = af.teller.take() {
        teller.bind(af.clone()).queue();
    }
}

/// What the teller runs.
impl<C: Client> Routine for AfShared<C> {
    fn run(af: Arc<Self>, _item: RawWorkItem, irql: &mut Passive) {
        let outcome = af.state.locked(|state| state.outcome);
        tell_opened(&af, outcome, irql);
    }
}

/// The call manager asks for the close; what to answer. Never blocks (rule AF-32).
pub(super) fn asked_to_close<C: Client>(af: &Arc<AfShared<C>>, irql: &mut UpToDispatch) -> Status {
    af.state.locked(|state| state.notify = Notify::InCallback);
    af.client().af_closing(&Af { shared: af.clone() }, irql);
    AfShared::request_close(af, irql);
    // Pending unless all is already done (rule AF-40).
    let pending = af.state.locked(|state| {
        let pending = state.phase != Phase::Closed;
        state.notify = if pending {
            Notify::Pended
        } else {
            Notify::None
        };
        pending
    });
    if pending {
        Status::PENDING
    } else {
        Status::SUCCESS
    }
}
