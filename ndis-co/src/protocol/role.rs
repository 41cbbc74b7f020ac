//! [`Role`]: what a protocol is on its bindings.

use super::{Binding, BindingShared, Protocol, driver::set_handlers};
use crate::{
    Status,
    client::{self, Client, Families},
    cm::{self, Key, ManagerState, StandaloneCallManager, signaling},
    irql::{NoLock, Passive, UpToDispatch},
    nbl::Chain,
};
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

/// What a protocol is on its bindings. Implemented by [`AsClient`], [`AsCallManager`] and
/// [`AsBoth`] only.
#[diagnostic::on_unimplemented(
    message = "`{P}` cannot be bound in the role `{Self}`",
    note = "rules REG-07 and REG-08: a protocol with `type Role = AsClient` implements `Client`, \
            one with `AsCallManager` implements `CallManager`, one with `AsBoth` both"
)]
pub trait Role<P: Protocol>: sealed::Sealed {
    /// What the role keeps for one binding.
    #[doc(hidden)]
    type State: Send + Sync + 'static;

    /// How many parts end each by itself when the binding does.
    #[doc(hidden)]
    const PARTS: usize;

    #[doc(hidden)]
    fn new_state() -> Self::State;

    /// Installs the role's handlers.
    ///
    /// # Safety
    ///
    /// Called in the options callback, with its handle (rules REG-04, REG-05).
    #[doc(hidden)]
    unsafe fn set_options(driver: NDIS_HANDLE) -> Status;

    /// The unbind has begun: nothing new.
    #[doc(hidden)]
    fn closing(binding: &Binding<P>, _: sealed::Token);

    /// Has everything on the binding end. Each part says when it has, possibly before this
    /// returns.
    #[doc(hidden)]
    fn close(binding: &Binding<P>, irql: &mut Passive, _: sealed::Token);

    /// A call manager offers a family.
    #[doc(hidden)]
    fn offered(
        binding: Binding<P>,
        family: *mut CO_ADDRESS_FAMILY,
        irql: &mut Passive,
        _: sealed::Token,
    );

    /// Lists have arrived on a VC. `resources`: they are NDIS's again when this returns.
    ///
    /// # Safety
    ///
    /// As CALLBACK says of `vc`, and the lists are NDIS's, handed over.
    #[doc(hidden)]
    unsafe fn receive(
        binding: Option<Binding<P>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    );

    /// Lists that were sent on a VC come back.
    ///
    /// # Safety
    ///
    /// As CALLBACK says of `vc`, and the lists are the driver's own.
    #[doc(hidden)]
    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch);
}

/// A role in which a driver is a client.
#[doc(hidden)]
pub trait RunsClient<C: Client>: sealed::Sealed {
    fn families(binding: &BindingShared<C>) -> &Families<C>;
}

/// A role in which a driver is a call manager.
#[doc(hidden)]
pub trait RunsManager<M: Protocol>: sealed::Sealed {
    fn manager(binding: &BindingShared<M>) -> &ManagerState<M>
    where
        M: StandaloneCallManager;
}

pub(super) mod sealed {
    pub trait Sealed {}

    /// Keeps the hidden methods of a role to this crate: nobody else can name or make one.
    #[derive(Debug)]
    pub struct Token(pub(crate) ());

    impl Sealed for super::AsClient {}
    impl Sealed for super::AsCallManager {}
    impl Sealed for super::AsBoth {}
}

/// A client: see [`Client`].
#[derive(Debug)]
pub enum AsClient {}

impl<C: Client> Role<C> for AsClient {
    type State = Families<C>;
    const PARTS: usize = 1;

    fn new_state() -> Families<C> {
        Families::new()
    }

    unsafe fn set_options(driver: NDIS_HANDLE) -> Status {
        // SAFETY: by the caller.
        unsafe { set_handlers(driver, &mut client::handlers::client_handlers::<C>()) }
    }

    fn closing(binding: &Binding<C>, _: sealed::Token) {
        binding.shared.families().closing();
    }

    fn close(binding: &Binding<C>, irql: &mut Passive, _: sealed::Token) {
        Families::close(&binding.shared, irql.up_to_dispatch());
    }

    fn offered(
        binding: Binding<C>,
        family: *mut CO_ADDRESS_FAMILY,
        irql: &mut Passive,
        _: sealed::Token,
    ) {
        client::handlers::offered(binding, family, irql);
    }

    unsafe fn receive(
        binding: Option<Binding<C>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller.
        unsafe { client::handlers::receive(binding, vc, lists, resources, irql) };
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller.
        unsafe { client::handlers::sent::<C>(vc, lists, irql) };
    }
}

impl<C: Client<Role = AsClient>> RunsClient<C> for AsClient {
    fn families(binding: &BindingShared<C>) -> &Families<C> {
        &binding.role
    }
}

/// A stand-alone call manager: see [`cm`].
#[derive(Debug)]
pub enum AsCallManager {}

impl<M: StandaloneCallManager<Role = Self>> Role<M> for AsCallManager {
    type State = ManagerState<M>;
    const PARTS: usize = 1;

    fn new_state() -> ManagerState<M> {
        ManagerState::new()
    }

    unsafe fn set_options(driver: NDIS_HANDLE) -> Status {
        // SAFETY: by the caller.
        unsafe { set_handlers(driver, &mut cm::standalone_handlers::<M>()) }
    }

    fn closing(_binding: &Binding<M>, _: sealed::Token) {}

    fn close(binding: &Binding<M>, irql: &mut Passive, _: sealed::Token) {
        cm::Families::<M>::close(binding, irql, Key::new());
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
        binding: Option<Binding<M>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller a context of a VC of this driver's.
        if let Some(vc) = unsafe { signaling::from_context(vc) } {
            // SAFETY: by the caller.
            unsafe { signaling::receive::<M>(&vc, lists, resources, irql) };
        } else if let (Some(binding), false) = (binding, resources) {
            // The calls' data are their clients'; what comes nonetheless goes back.
            BindingShared::give_back(&binding.shared, lists);
        }
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller a context of a VC of this driver's.
        if let Some(vc) = unsafe { signaling::from_context(vc) } {
            // SAFETY: by the caller.
            unsafe { signaling::sent::<M>(&vc, lists, irql) };
        }
    }
}

impl<M: Protocol<Role = Self>> RunsManager<M> for AsCallManager {
    fn manager(binding: &BindingShared<M>) -> &ManagerState<M>
    where
        M: StandaloneCallManager,
    {
        &binding.role
    }
}

/// A client and a stand-alone call manager in one, as NDPROXY is.
#[derive(Debug)]
pub enum AsBoth {}

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

    unsafe fn set_options(driver: NDIS_HANDLE) -> Status {
        // SAFETY: by the caller.
        let status = unsafe { set_handlers(driver, &mut client::handlers::client_handlers::<P>()) };
        if !status.is_success() {
            return status;
        }
        // SAFETY: by the caller.
        unsafe { set_handlers(driver, &mut cm::standalone_handlers::<P>()) }
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
        binding: Option<Binding<P>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller a context of a VC of this driver's.
        if let Some(vc) = unsafe { signaling::from_context(vc) } {
            // SAFETY: by the caller.
            unsafe { signaling::receive::<P>(&vc, lists, resources, irql) };
        } else {
            // SAFETY: by the caller. On the manager's other VCs no data come.
            unsafe { client::handlers::receive(binding, vc, lists, resources, irql) };
        }
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller a context of a VC of this driver's.
        if let Some(vc) = unsafe { signaling::from_context(vc) } {
            // SAFETY: by the caller.
            unsafe { signaling::sent::<P>(&vc, lists, irql) };
        } else {
            // SAFETY: by the caller. On the manager's other VCs nothing is sent.
            unsafe { client::handlers::sent::<P>(vc, lists, irql) };
        }
    }
}

impl<P: Client<Role = Self> + StandaloneCallManager> RunsClient<P> for AsBoth {
    fn families(binding: &BindingShared<P>) -> &Families<P> {
        &binding.role.client
    }
}

impl<P: Client<Role = Self>> RunsManager<P> for AsBoth {
    fn manager(binding: &BindingShared<P>) -> &ManagerState<P>
    where
        P: StandaloneCallManager,
    {
        &binding.role.manager
    }
}
