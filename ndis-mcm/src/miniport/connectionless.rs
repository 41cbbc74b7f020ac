//! [`Connectionless`]: the role of an ordinary miniport.

use super::{Adapter, Miniport, Role, oid::door::NoVc, sealed};
use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    options::Options,
};

/// A miniport that is not connection-oriented. It can register no address
/// family.
///
/// ```
/// # use ndis_mcm::prelude::*;
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Miniport for Driver {
///     // What it keeps for an adapter.
///     type Adapter = ();
///     type Role = Connectionless;
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
/// ```
#[derive(Debug)]
pub enum Connectionless {}

impl sealed::Sealed for Connectionless {}

impl<M: Miniport> Role<M> for Connectionless {
    type State = ();
    type OidVc = NoVc;
    const IS_CO: bool = false;

    fn new_state() -> Result<(), Status> {
        Ok(())
    }

    fn set_options(_: &mut Options<'_>) -> Status {
        Status::SUCCESS
    }

    fn close_families(_: &Adapter<M>, _: &mut Passive, _: sealed::Token) {}

    fn returned(_: &Adapter<M>, lists: NetBufferLists, _: &mut UpToDispatch, _: sealed::Token) {
        drop(lists);
    }
}
