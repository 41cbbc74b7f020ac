//! The role [`CoMiniport`]: its table of handlers, and the lists that come back.

use super::{Vc, VcMiniport, handlers};
use crate::{
    carry,
    miniport::{
        Adapter, Role,
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
/// [REG-12]: ndis_sys::rules#REG-12
#[derive(Debug)]
pub enum CoMiniport {}

impl sealed::Sealed for CoMiniport {}

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
