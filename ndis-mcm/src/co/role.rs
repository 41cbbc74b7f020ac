//! The role [`CoMiniport`]: its table of handlers, and the lists that come back.

use super::{Vc, VcMiniport, handlers};
use crate::{
    carry,
    miniport::{
        Adapter, ConnectionOriented, Role,
        sealed::{self, Token},
    },
};
use ndis_co::{
    Status,
    channel::Held,
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    options::Options,
};

/// A connection-oriented miniport that is no call manager (rule [REG-12]), see
/// [`co`](crate::co). It can register no address family.
///
/// ```
/// # use ndis_mcm::{co::{ActivateVc, SendLists, Vc, VcMiniport}, prelude::*};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Miniport for Driver {
///     type Adapter = ();
///     type Role = CoMiniport;
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
/// // And `VcMiniport` and `Carry`.
/// # impl VcMiniport for Driver {
/// #     type VcContext = ();
/// #     fn create_vc(&self, _: &Adapter<Self>, _: &mut UpToDispatch) -> Result<(), Status> { Ok(()) }
/// #     fn activate_vc<'r>(&self, _: &Vc<Self>, request: ActivateVc<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
/// #         request.accept()
/// #     }
/// # }
/// # impl Carry for Driver {
/// #     type Vc = Vc<Self>;
/// #     fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
/// #         lists.complete(Status::SUCCESS, irql);
/// #     }
/// # }
/// ```
///
/// [REG-12]: ndis_sys::rules#REG-12
#[derive(Debug)]
pub enum CoMiniport {}

impl sealed::Sealed for CoMiniport {}
impl ConnectionOriented for CoMiniport {}

impl<M: VcMiniport> Role<M> for CoMiniport {
    type State = ();
    type OidVc = Held<Vc<M>>;
    const IS_CO: bool = true;

    fn new_state() -> Result<(), Status> {
        Ok(())
    }

    fn set_options(options: &mut Options<'_>) -> Status {
        options.install(handlers::characteristics::<M>())
    }

    fn close_families(_: &Adapter<M>, _: &mut Passive, _: Token) {}

    fn returned(adapter: &Adapter<M>, lists: NetBufferLists, irql: &mut UpToDispatch, _: Token) {
        // SAFETY: NDIS returns what this driver has indicated, on VCs of its `Carry::Vc`.
        unsafe { carry::returned::<M, Vc<M>>(adapter, lists, irql) };
    }
}
