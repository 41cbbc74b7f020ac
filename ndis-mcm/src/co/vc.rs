//! [`Vc`]: a virtual connection of a miniport that is no call manager.

use super::{
    VcMiniport,
    state::{Begun, State, Step},
};
use crate::{Adapter, IndicateError, key::key, lock::StateLock};
use core::{ffi::c_void, fmt, ops};
use ndis_co::{
    Status,
    callback::{Argument, FromNdis},
    channel::{self, Channel, DataPath, Early},
    indication::{self, VcStatus},
    irql::{NoLock, Passive, UpToDispatch},
    key::Key,
    later::{self, Place, Work},
    mem::{Anchored, Arc, Lent, Parent, Tag},
    nbl::NetBufferLists,
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

/// # Invariants
///
/// CO-VC: from its creation to its deletion NDIS owns one reference as the miniport's VC
/// context, and `handle` is valid. NDIS deletes what is inactive and of which it waits for no
/// completion (rule VC-23), so none that it asks about itself (rules VC-29, OID-18); this refuses it
/// on top while a token of its activity is unanswered or a list out. So the handle is valid for each
/// completion, and as long as a list is out.
#[doc(hidden)]
pub struct VcShared<M: VcMiniport> {
    place: Place<Self>,
    /// The context.
    lent: Lent<Self>,
    handle: Opaque,
    state: StateLock<State>,
    path: DataPath,
    early: Early,
    context: M::VcContext,
    adapter: Parent<Adapter<M>>,
}

impl<M: VcMiniport> Anchored for VcShared<M> {
    type Parent = Adapter<M>;
    fn parent(&mut self) -> &mut Parent<Adapter<M>> {
        &mut self.adapter
    }
}

/// A counted reference to a VC that a call manager above has made; it derefs to the driver's
/// context.
///
/// The adapter is not halted before the last one is gone: let go of stored ones when the VC
/// is [deleted](VcMiniport::vc_deleted).
///
/// ```
/// # use ndis_mcm::{Status, co::{Vc, VcMiniport}};
/// # use ndis_co::{irql::UpToDispatch, nbl::NetBufferListPool};
/// # use ndis_host as _;
/// /// What has come from the link goes up.
/// fn arrived<M: VcMiniport<Adapter = NetBufferListPool>>(
///     vc: &Vc<M>,
///     bytes: &[u8],
///     irql: &mut UpToDispatch,
/// ) -> Result<(), Status> {
///     let mut frame = vc.adapter().allocate(bytes.len())?;
///     frame.set_data(bytes)?;
///     Ok(vc.indicate_receive(frame.into(), irql)?)
/// }
/// ```
pub struct Vc<M: VcMiniport> {
    pub(super) shared: Arc<VcShared<M>>,
}

/// A [`Vc`] that keeps nothing, see [`Weak`](ndis_co::reference::Weak).
pub type WeakVc<M> = ndis_co::reference::Weak<Vc<M>>;

impl<M: VcMiniport> Vc<M> {
    /// The adapter that it is on.
    #[must_use]
    pub fn adapter(&self) -> &Adapter<M> {
        &self.shared.adapter
    }

    /// Whether it is activated, and no deactivation was asked for since.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.shared.state.with(|state| state.is_active())
    }

    /// Indicates received data to whoever has the VC above. The lists come back through
    /// [`Carry::returned`](crate::Carry::returned) (rules [NBL-17] to [NBL-19]).
    ///
    /// What is indicated while NDIS is being told that the VC is active is kept until it
    /// knows, and goes up then.
    ///
    /// Source page: [`NdisMCoIndicateReceiveNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatereceivenetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the adapter is paused (rule
    /// [PAUSE-05]), [`Status::CLOSING`] when the VC is being deactivated (rule [VC-50]),
    /// [`Status::INVALID_STATE`] when it is not active, [`Status::INVALID_PARAMETER`] for
    /// lists that are not from a pool for receives, or carry another number of packets than
    /// one (rule [NBL-35]), [`Status::RESOURCES`] when the stack is nearly used up (see
    /// [`stack`]).
    ///
    /// [NBL-17]: ndis_sys::rules#NBL-17
    /// [NBL-19]: ndis_sys::rules#NBL-19
    /// [NBL-35]: ndis_sys::rules#NBL-35
    /// [PAUSE-05]: ndis_sys::rules#PAUSE-05
    /// [VC-50]: ndis_sys::rules#VC-50
    #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
    pub fn indicate_receive(
        &self,
        lists: NetBufferLists,
        irql: &mut impl NoLock,
    ) -> Result<(), IndicateError> {
        channel::indicate(self, lists, irql.up_to_dispatch())
    }

    /// Tells who shares this VC, a client and its call manager, of a change of its link: other
    /// parameters of it, or a damaged frame (rules [STATUS-02], [STATUS-12]).
    ///
    /// Their handlers run before this returns. At or below DISPATCH_LEVEL.
    ///
    /// ```
    /// # use ndis_mcm::{Status, co::{Vc, VcMiniport}};
    /// # use ndis_host as _;
    /// use ndis_co::{irql::NoLock, wan::{Fragment, FrameErrors}};
    ///
    /// /// A frame has come with a wrong checksum.
    /// fn damaged<M: VcMiniport>(vc: &Vc<M>, irql: &mut impl NoLock) -> Result<(), Status> {
    ///     let errors = FrameErrors::CRC;
    ///     vc.indicate(&Fragment { errors }, irql)
    /// }
    /// ```
    ///
    /// Source pages: [`NdisMCoIndicateStatusEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatestatusex),
    /// [indicating-condis-wan-miniport-driver-status](https://learn.microsoft.com/windows-hardware/drivers/network/indicating-condis-wan-miniport-driver-status).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the VC is being deactivated, [`Status::INVALID_STATE`] when it
    /// is not active, [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [STATUS-02]: ndis_sys::rules#STATUS-02
    /// [STATUS-12]: ndis_sys::rules#STATUS-12
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate(&self, status: &impl VcStatus, irql: &mut impl NoLock) -> Result<(), Status> {
        indication::encoded(status, |code, data| self.indicate_status(code, data, irql))
    }

    /// As [`indicate`](Self::indicate), of any status: `code` is one of the constants
    /// `NDIS_STATUS_XXX` that are not results, and `data` what belongs to it.
    ///
    /// # Errors
    ///
    /// As there; [`Status::INVALID_PARAMETER`] for the start and the end of a reset, which NDIS
    /// indicates itself (rule [STATUS-10]), for a state of the medium, which is the adapter's, for
    /// what only WAN miniports without connections indicate (rule [WAN-10]), and for a status
    /// of a VC without its structure (rule [STATUS-12]); [`Status::INVALID_LENGTH`] for data of more
    /// than 4 GB.
    ///
    /// [STATUS-10]: ndis_sys::rules#STATUS-10
    /// [STATUS-12]: ndis_sys::rules#STATUS-12
    /// [WAN-10]: ndis_sys::rules#WAN-10
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate_status(
        &self,
        code: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        channel::indicate_status(self, code, data, irql.up_to_dispatch())
    }
}

reference!(Vc<M: VcMiniport> to VcShared, "VC", "VC");

impl<M: VcMiniport> ops::Deref for Vc<M> {
    type Target = M::VcContext;
    fn deref(&self) -> &M::VcContext {
        &self.shared.context
    }
}

impl<M: VcMiniport> fmt::Debug for Vc<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vc")
            .field("active", &self.is_active())
            .finish_non_exhaustive()
    }
}

impl<M: VcMiniport> VcShared<M> {
    /// NDIS creates a VC; gives the context for it.
    pub(super) fn create(
        adapter: &Adapter<M>,
        handle: NDIS_HANDLE,
        irql: &mut UpToDispatch,
    ) -> Result<NDIS_HANDLE, Status> {
        if stack::is_low_for::<M::VcContext>() {
            return Err(Status::RESOURCES);
        }
        let context = adapter.driver().create_vc(adapter, irql)?;
        let shared = Self {
            place: Place::new(),
            lent: Lent::new(),
            handle: Opaque::new(handle),
            state: StateLock::new(State::default()),
            path: DataPath::default(),
            early: Early::default(),
            context,
            adapter: Parent::new(adapter.clone()),
        };
        let vc = Arc::try_new_anchored(shared, Tag::NDIS)?;
        Ok(vc.lent.lend(&vc))
    }

    /// NDIS deletes the VC, which is over; or does what it must not.
    pub(super) fn delete(vc: &Vc<M>, irql: &mut UpToDispatch) -> Status {
        let shared = &vc.shared;
        if !shared.state.with(|state| state.is_deletable(&shared.path)) {
            return Status::NOT_ACCEPTED;
        }
        shared.adapter.driver().vc_deleted(vc, irql);
        drop(shared.lent.end());
        Status::SUCCESS
    }

    /// An activation is asked for; whether it is a change of an active VC's parameters.
    pub(super) fn begin_activation(&self, parameters: *mut CO_CALL_PARAMETERS) -> Option<bool> {
        self.state.with(|state| state.begin_activation(parameters))
    }

    /// The parameters of the activation that is not answered.
    pub(super) fn parameters(&self) -> *mut CO_CALL_PARAMETERS {
        self.state.with(|state| state.parameters())
    }

    /// The handler has answered the activation at once, and returns.
    pub(super) fn answered(&self, status: Status) {
        self.state
            .with(|state| state.answered(status, &self.path, key()));
        // NDIS learns of it by the return, so nothing comes between: what is indicated from
        // here on finds the VC active.
        self.path.open_armed(key());
    }

    /// The pended activation is to be completed.
    pub(super) fn answer(&self, status: Status) {
        self.state.with(|state| state.answer(status));
    }

    /// A deactivation is asked for.
    pub(super) fn begin_deactivation(&self) -> Begun {
        self.state
            .with(|state| state.begin_deactivation(&self.path, &self.early, key()))
    }

    /// The driver has done its part of a deactivation; whether that is all.
    pub(super) fn finish_now(&self) -> bool {
        self.state.with(|state| state.finish_now(&self.path))
    }

    /// The driver pends the deactivation.
    pub(super) fn pend(&self) {
        self.state.with(State::pend);
    }

    /// The driver has done its part of the pended deactivation.
    pub(super) fn finish(&self) {
        self.state.with(State::finish);
    }

    /// Has the work item go on.
    pub(super) fn defer(this: &Arc<Self>) {
        later::leave(this, key());
    }

    /// Does what the state asks for and allows.
    pub(super) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        loop {
            let step = this
                .state
                .with(|state| state.next(&this.path, &this.early, key(), stack::is_low));
            match step {
                None => return,
                Some(Step::Later) => return Self::defer(this),
                Some(Step::Activated {
                    status,
                    parameters,
                    number,
                }) => {
                    // SAFETY: the activation was pended and is completed once (rule VC-43),
                    // and until then the handle is valid (CO-VC); the parameters are those
                    // that it came with, and the call manager's to keep valid (rule VC-35).
                    unsafe {
                        ndis_sys::NdisMCoActivateVcComplete(
                            status.raw(),
                            this.handle.get(),
                            parameters.0,
                        );
                    }
                    if let Some(number) = number {
                        Self::told(this, number, irql);
                    }
                }
                Some(Step::Deactivated) => {
                    // SAFETY: the deactivation was pended and is completed once (rule
                    // VC-51), with nothing under way (rule VC-49); until then the handle is
                    // valid (CO-VC).
                    unsafe {
                        ndis_sys::NdisMCoDeactivateVcComplete(
                            Status::SUCCESS.raw(),
                            this.handle.get(),
                        );
                    }
                }
            }
        }
    }

    /// NDIS knows that the VC is active: what was kept goes up, then everything.
    fn told(this: &Arc<Self>, number: u32, irql: &mut UpToDispatch) {
        let vc = Vc {
            shared: this.clone(),
        };
        loop {
            // Also when it is being deactivated: that waits for these.
            if channel::indicate_early(&vc, number, irql, key()) {
                continue;
            }
            let done = this
                .state
                .with(|state| state.told(number, &this.path, &this.early, key));
            if done {
                return;
            }
        }
    }
}

impl<M: VcMiniport> Work for VcShared<M> {
    fn place(&self) -> &Place<Self> {
        &self.place
    }

    fn scope(&self) -> &Scope {
        self.adapter.scope()
    }

    /// Dropped lists first, then whatever is due.
    fn run(this: Arc<Self>, irql: &mut Passive) {
        let irql = irql.up_to_dispatch();
        let vc = Vc { shared: this };
        channel::complete_dropped(&vc, irql, key());
        Self::advance(&vc.shared, irql);
    }
}

/// The VC's context, which is good until NDIS has deleted it.
impl<M: VcMiniport> Argument<*mut c_void> for Vc<M> {
    fn from_ndis(context: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: it is what NDIS is given of a VC.
        let shared = unsafe { context.object() }?;
        Some(Self { shared })
    }
}

// SAFETY: all of it is of the VC, whose path is private to it. By CO-VC the handle is valid
// until the deletion, and that waits until the path is quiet.
unsafe impl<M: VcMiniport> Channel for Vc<M> {
    fn path(&self, _: Key) -> &DataPath {
        &self.shared.path
    }

    fn early(&self, _: Key) -> Option<&Early> {
        Some(&self.shared.early)
    }

    fn handle(&self) -> NDIS_HANDLE {
        self.shared.handle.get()
    }

    fn adapter_handle(&self, _: Key) -> NDIS_HANDLE {
        self.shared.adapter.shared.handle.get()
    }

    fn count_out(&self, lists: usize, _: Key) -> bool {
        self.shared.adapter.shared.count_out(lists)
    }

    fn count_in(&self, lists: usize, _: Key) {
        self.shared.adapter.shared.count_in(lists);
    }

    fn is_gone(&self) -> bool {
        self.shared.adapter.is_removed()
    }

    /// NDIS deletes the VC, and this driver does not refuse it (rule [VC-29]): so nothing is counted.
    ///
    /// [VC-29]: ndis_sys::rules#VC-29
    fn ask(&self, _: Key) -> bool {
        true
    }

    fn tell(&self, _: Key) {}

    fn asked(&self, _told: bool, _: Key) -> bool {
        false
    }

    fn used(&self, _: Key) {}

    fn refusal(&self) -> Status {
        self.shared.state.with(|state| state.refusal())
    }

    fn go_on(&self, irql: &mut UpToDispatch) {
        VcShared::advance(&self.shared, irql);
    }

    fn defer(&self) {
        VcShared::defer(&self.shared);
    }
}
