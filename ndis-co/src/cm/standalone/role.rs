//! [`AsCallManager`]: a protocol that is a stand-alone call manager.

use super::{Families, Key, ManagerState, RunsManager, StandaloneCallManager, handlers, signaling};
use crate::{
    Status,
    callback::{Argument, FromNdis},
    indication::StatusIndication,
    irql::{Passive, UpToDispatch},
    nbl::Chain,
    options::Options,
    protocol::{Binding, BindingShared, Protocol, Role, sealed},
};
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

/// A stand-alone call manager: see [`cm`](crate::cm).
///
/// ```
/// # use ndis_co::{cm::StandaloneCallManager, prelude::*};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Protocol for Driver {
///     const NAME: &'static str = "DRIVER";
///     type Binding = ();
///     type Role = AsCallManager;
///
///     fn bind(&self, _adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<(), Status> {
///         Ok(())
///     }
/// }
/// // And `CallManager` and `StandaloneCallManager`.
/// # impl StandaloneCallManager for Driver { type Signaling = (); }
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/manager.rs"));
/// # fn main() {}
/// ```
#[derive(Debug)]
pub enum AsCallManager {}

impl sealed::Sealed for AsCallManager {}

impl<M: StandaloneCallManager<Role = Self>> Role<M> for AsCallManager {
    type State = ManagerState<M>;
    const PARTS: usize = 1;

    fn new_state() -> ManagerState<M> {
        ManagerState::new()
    }

    fn set_options(options: &mut Options<'_>) -> Status {
        options.install(handlers::standalone_handlers::<M>())
    }

    fn closing(_binding: &Binding<M>, _: sealed::Token) {}

    fn close(binding: &Binding<M>, irql: &mut Passive, _: sealed::Token) {
        Families::<M>::close(binding, irql, Key::new());
    }

    /// Only clients open families (rule [AF-07]).
    ///
    /// [AF-07]: ndis_sys::rules#AF-07
    fn offered(
        _binding: Binding<M>,
        _family: *mut CO_ADDRESS_FAMILY,
        _irql: &mut Passive,
        _: sealed::Token,
    ) {
    }

    unsafe fn receive(
        binding: FromNdis<NDIS_HANDLE, Binding<M>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller.
        let rest = unsafe { signaling::receive::<M>(vc, lists, resources, irql) };
        // The calls' data are their clients'; what comes nonetheless goes back.
        if let (Some(lists), false) = (rest, resources)
            && let Some(binding) = Binding::from_ndis(binding)
        {
            BindingShared::give_back(&binding.shared, lists);
        }
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller. Nothing is sent on other VCs.
        let _ = unsafe { signaling::sent::<M>(vc, lists, irql) };
    }

    /// What is indicated for a client's VC is the client's to hear.
    unsafe fn vc_status(
        _binding: &Binding<M>,
        _vc: NDIS_HANDLE,
        _status: StatusIndication<'_>,
        _irql: &mut UpToDispatch,
    ) {
    }
}

impl<M: Protocol<Role = Self>> RunsManager<M> for AsCallManager {
    type Part
        = ()
    where
        M: StandaloneCallManager;

    fn manager(binding: &BindingShared<M>) -> &ManagerState<M>
    where
        M: StandaloneCallManager,
    {
        &binding.role
    }
}
