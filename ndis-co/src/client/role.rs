//! [`AsClient`]: a protocol that is a client.

use super::{Client, Families, KeepsAbove, RunsClient, handlers};
use crate::{
    Status,
    callback::FromNdis,
    indication::StatusIndication,
    irql::{NoLock, Passive, UpToDispatch},
    nbl::Chain,
    options::Options,
    protocol::{Binding, BindingShared, Role, sealed},
};
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

/// A client: see [`Client`].
///
/// ```
/// # use ndis_co::prelude::*;
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Protocol for Driver {
///     const NAME: &'static str = "DRIVER";
///     type Binding = ();
///     type Role = AsClient;
///
///     fn bind(&self, _adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<(), Status> {
///         Ok(())
///     }
/// }
/// // And `Client`.
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/client.rs"));
/// # fn main() {}
/// ```
#[derive(Debug)]
pub enum AsClient {}

impl sealed::Sealed for AsClient {}

impl<C: Client> Role<C> for AsClient {
    type State = Families<C>;
    const PARTS: usize = 1;

    fn new_state() -> Families<C> {
        Families::new()
    }

    fn set_options(options: &mut Options<'_>) -> Status {
        options.install(handlers::client_handlers::<C>())
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
        handlers::offered(binding, family, irql);
    }

    unsafe fn receive(
        binding: FromNdis<NDIS_HANDLE, Binding<C>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller.
        unsafe { handlers::receive(binding, vc, lists, resources, irql) };
    }

    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
        // SAFETY: by the caller.
        unsafe { handlers::sent::<C>(vc, lists, irql) };
    }

    unsafe fn vc_status(
        _binding: &Binding<C>,
        vc: NDIS_HANDLE,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        // SAFETY: by the caller; a client has no other VCs.
        unsafe { handlers::vc_status::<C>(vc, status, irql) };
    }
}

impl<C: Client<Role = AsClient>> KeepsAbove<C> for AsClient {
    type Above = ();
}

impl<C: Client<Role = AsClient>> RunsClient<C> for AsClient {
    fn families(binding: &BindingShared<C>) -> &Families<C> {
        &binding.role
    }
}
