//! [`Mcm`]: the role of a miniport call manager, and the adapter as what it stands on.

mod handlers;

use crate::{
    carry::{self, Carry},
    key::key,
    miniport::{Adapter, ConnectionOriented, Miniport, RegistersFamilies, Role, sealed},
};
use ndis_co::{
    Status,
    channel::{self, DataPath, Held},
    cm::{self, Base, CallManager, Carrier, Families, Key, Vc},
    event::Event,
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::NetBufferLists,
    options::Options,
    scope::Scope,
};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};

/// A driver that is a miniport call manager: [`Miniport`], [`CallManager`] and [`Carry`] in
/// one (rule [REG-06]). Implemented for every driver that is all three.
///
/// ```
/// # use ndis_mcm::{Adapter, MiniportCallManager};
/// # use ndis_host as _;
/// /// How many of a driver's adapters carry data.
/// fn running<M: MiniportCallManager>(adapters: &[Adapter<M>]) -> usize {
///     adapters.iter().filter(|adapter| adapter.is_running()).count()
/// }
/// ```
///
/// [REG-06]: ndis_sys::rules#REG-06
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no miniport call manager",
    label = "it lacks `CallManager` or `Carry`, or their `Base` or `Vc` is another one",
    note = "rule REG-06: such a driver implements `Miniport` with `type Role = Mcm`, `CallManager` with \
            `type Base = Adapter<Self>`, and `Carry` with `type Vc = Vc<Self>`"
)]
pub trait MiniportCallManager:
    Miniport<Role = Mcm> + CallManager<Base = Adapter<Self>> + Carry<Vc = Vc<Self>>
{
}

impl<M> MiniportCallManager for M where
    M: Miniport<Role = Mcm> + CallManager<Base = Adapter<M>> + Carry<Vc = Vc<M>>
{
}

/// A miniport call manager: connection-oriented miniport and call manager in
/// one driver (rule [REG-06]).
///
/// ```
/// # use ndis_mcm::prelude::*;
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Miniport for Driver {
///     // What it keeps for an adapter.
///     type Adapter = ();
///     type Role = Mcm;
///
///     fn initialize<'i>(
///         &self,
///         init: Initialize<'i, Self, New>,
///         irql: &mut Passive,
///     ) -> Result<Initialized<'i>, Status> {
///         let init = init.attributes(&Attributes::wan(), irql)?;
///         Ok(init.adapter(())?.finish())
///     }
/// }
/// // And `CallManager` and `Carry`.
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/manager.rs"));
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/carry.rs"));
/// # fn main() {}
/// ```
///
/// [REG-06]: ndis_sys::rules#REG-06
#[derive(Debug)]
pub enum Mcm {}

impl sealed::Sealed for Mcm {}
impl RegistersFamilies for Mcm {}
impl ConnectionOriented for Mcm {}

impl<M: MiniportCallManager> Role<M> for Mcm {
    type State = McmState<M>;
    type OidVc = Held<Vc<M>>;
    const IS_CO: bool = true;

    fn new_state() -> Result<Self::State, Status> {
        McmState::try_new()
    }

    fn set_options(options: &mut Options<'_>) -> Status {
        let status = options.install(handlers::miniport_co_characteristics::<M>());
        if !status.is_success() {
            return status;
        }
        options.install(cm::call_manager_handlers::<M>())
    }

    fn close_families(adapter: &Adapter<M>, irql: &mut Passive, _: sealed::Token) {
        McmState::close_families(adapter, irql);
    }

    fn returned(
        adapter: &Adapter<M>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
        _: sealed::Token,
    ) {
        // SAFETY: NDIS returns what this driver has indicated, on VCs of this type.
        unsafe { carry::returned::<M, Vc<M>>(adapter, lists, irql) };
    }
}

/// What an MCM keeps for one adapter.
#[doc(hidden)]
pub struct McmState<M: CallManager> {
    families: Families<M>,
    /// Set when all are closed.
    closed: Event,
}

impl<M: MiniportCallManager> McmState<M> {
    pub(crate) fn try_new() -> Result<Self, Status> {
        Ok(Self {
            families: Families::new(),
            closed: Event::try_new(Tag::NDIS)?,
        })
    }

    /// Has every client close its family, and waits for that (rules HALT-01 to HALT-04).
    pub(crate) fn close_families(adapter: &Adapter<M>, irql: &mut Passive) {
        // This is the halt, which comes once.
        Families::<M>::close(adapter, irql, key());
        adapter.shared.role.closed.wait(irql);
    }
}

// SAFETY: an adapter of an MCM calls the functions that are for one. A reference keeps the
// driver's part, and with it the driver, the scope and the families.
unsafe impl<M: MiniportCallManager> Base<M> for Adapter<M> {
    type Part = DataPath;

    fn driver(&self) -> &M {
        self.shared.driver.driver()
    }

    fn scope(&self) -> &Scope {
        self.shared.scope()
    }

    fn families(&self) -> &Families<M> {
        &self.shared.role.families
    }

    fn families_closed(&self, _: Key) {
        self.shared.role.closed.set();
    }

    fn complete_dropped(vc: &Vc<M>, irql: &mut UpToDispatch) {
        channel::complete_dropped(vc, irql, key());
    }

    unsafe fn create_vc(
        &self,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        vc: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-03, VC-05, VC-08), with this adapter's handle.
        unsafe { ndis_sys::NdisMCmCreateVc(self.shared.handle.get(), af, context, vc) }
    }

    unsafe fn delete_vc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-22, VC-23).
        unsafe { ndis_sys::NdisMCmDeleteVc(vc) }
    }

    unsafe fn activate_vc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rule VC-35).
        unsafe { ndis_sys::NdisMCmActivateVc(vc, parameters) }
    }

    unsafe fn deactivate_vc(vc: NDIS_HANDLE) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules VC-44, VC-48, VC-49).
        unsafe { ndis_sys::NdisMCmDeactivateVc(vc) }
    }

    unsafe fn oid_request(
        &self,
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        // SAFETY: the caller's contract (rules IRQL-21, OID-03, OID-12).
        unsafe { ndis_sys::NdisMCmOidRequest(af, vc, core::ptr::null_mut(), request) }
    }
}

// SAFETY: a pause of the adapter waits for what is counted out.
unsafe impl<M: MiniportCallManager> Carrier<M> for Adapter<M> {
    fn count_out(&self, lists: usize, _: Key) -> bool {
        self.shared.count_out(lists)
    }

    fn count_in(&self, lists: usize, _: Key) {
        self.shared.count_in(lists);
    }

    fn is_gone(&self) -> bool {
        self.is_removed()
    }

    fn handle(&self, _: Key) -> NDIS_HANDLE {
        self.shared.handle.get()
    }
}
