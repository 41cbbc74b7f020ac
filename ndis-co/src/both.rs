//! [`AsBoth`]: a protocol that is a client and a stand-alone call manager.

mod joined;

#[doc(hidden)]
pub use joined::{Joined, Upper};

use crate::{
    Status,
    callback::FromNdis,
    client::{self, Client, Families, KeepsAbove, RunsClient},
    cm::{self, Key, ManagerState, RunsManager, StandaloneCallManager, standalone},
    indication::StatusIndication,
    irql::{NoLock, Passive, UpToDispatch},
    mark,
    nbl::Chain,
    options::Options,
    protocol::{Binding, BindingShared, Role, sealed},
};
use core::ptr;
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

/// A client and a stand-alone call manager in one, as NDPROXY is.
///
/// ```
/// # use ndis_co::{cm::StandaloneCallManager, prelude::*};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Protocol for Driver {
///     const NAME: &'static str = "DRIVER";
///     type Binding = ();
///     type Role = AsBoth;
///
///     fn bind(&self, _adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<(), Status> {
///         Ok(())
///     }
/// }
/// // And `Client`, `CallManager` and `StandaloneCallManager`.
/// # impl StandaloneCallManager for Driver { type Signaling = (); }
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/client.rs"));
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/manager.rs"));
/// # fn main() {}
/// ```
#[derive(Debug)]
pub enum AsBoth {}

impl sealed::Sealed for AsBoth {}

/// What a binding keeps in both roles.
#[doc(hidden)]
pub struct BothStates<P: Client + StandaloneCallManager> {
    client: Families<P>,
    manager: ManagerState<P>,
}

impl<P: Client<Role = Self> + StandaloneCallManager> Role<P> for AsBoth {
    type State = BothStates<P>;
    const PARTS: usize = 2;

    fn new_state() -> BothStates<P> {
        BothStates {
            client: Families::new(),
            manager: ManagerState::new(),
        }
    }

    fn set_options(options: &mut Options<'_>) -> Status {
        let status = options.install(client::handlers::client_handlers::<P>());
        if !status.is_success() {
            return status;
        }
        options.install(standalone::handlers::standalone_handlers::<P>())
    }

    fn closing(binding: &Binding<P>, _: sealed::Token) {
        binding.shared.families().closing();
    }

    fn close(binding: &Binding<P>, irql: &mut Passive, _: sealed::Token) {
        cm::Families::<P>::close(binding, irql, Key::new());
        Families::close(&binding.shared, irql.up_to_dispatch());
    }

    fn offered(
        binding: Binding<P>,
        family: *mut CO_ADDRESS_FAMILY,
        irql: &mut Passive,
        _: sealed::Token,
    ) {
        client::handlers::offered(binding, family, irql);
    }

    unsafe fn receive(
        binding: FromNdis<NDIS_HANDLE, Binding<P>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller.
        let rest = unsafe { standalone::signaling::receive::<P>(vc, lists, resources, irql) };
        if let Some(lists) = rest {
            // On the manager's other VCs no data come. If some do, they go back, as those of no VC.
            let vc = if mark::of(vc) == mark::NONE {
                vc
            } else {
                ptr::null_mut()
            };
            // SAFETY: by the caller; by its mark it is none of the call manager's.
            unsafe { client::handlers::receive(binding, vc, lists, resources, irql) };
        }
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller.
        let rest = unsafe { standalone::signaling::sent::<P>(vc, lists, irql) };
        // On the manager's other VCs nothing is sent.
        if let (Some(lists), mark::NONE) = (rest, mark::of(vc)) {
            // SAFETY: by the caller; by its mark it is none of the call manager's.
            unsafe { client::handlers::sent::<P>(vc, lists, irql) };
        }
    }

    unsafe fn vc_status(
        _binding: &Binding<P>,
        vc: NDIS_HANDLE,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        // What is indicated for a VC of the call manager's is its client's to hear.
        if mark::of(vc) == mark::NONE {
            // SAFETY: by the caller; by its mark it is none of the call manager's.
            unsafe { client::handlers::vc_status::<P>(vc, status, irql) };
        }
    }
}

impl<P: Client<Role = Self> + StandaloneCallManager> KeepsAbove<P> for AsBoth {
    type Above = Upper<P>;
}

impl<P: Client<Role = Self> + StandaloneCallManager> RunsClient<P> for AsBoth {
    fn families(binding: &BindingShared<P>) -> &Families<P> {
        &binding.role.client
    }
}

impl<P: Client<Role = Self>> RunsManager<P> for AsBoth {
    type Part
        = Joined<P>
    where
        P: StandaloneCallManager;

    fn manager(binding: &BindingShared<P>) -> &ManagerState<P>
    where
        P: StandaloneCallManager,
    {
        &binding.role.manager
    }
}
