//! VCs that are joined: the call that a driver has as a client is offered on, as a call manager,
//! to a client of its own, whose data then go straight to and from the driver that carries the
//! first one.
//!
//! That is how NDPROXY gives NDISWAN the calls of a WAN miniport. No page says how the two VCs
//! are tied; the variable for the new VC's handle is read and written, so what it holds is taken
//! for the VC that the new one shares (rule VC-70). A driver sees the same whatever NDIS makes of
//! it: it activates the upper VC as any other, and ends its call before the lower one's VC goes.

use super::AsBoth;
use crate::{
    Status,
    client::{self, Client, Lower},
    cm::{CallManager, CreatedVc, Gates, Inactive, Part, PartOf, Sap, StandaloneCallManager},
    irql::NoLock,
    lock::SpinLock,
    mem::Arc,
};
use core::{any::Any, fmt};

/// The VC that one of the driver's own is joined with, the lower one, until this is deleted.
pub struct Joined<P: Client> {
    lower: SpinLock<Option<Lower<P>>>,
}

impl<P: Client> Default for Joined<P> {
    fn default() -> Self {
        Self {
            lower: SpinLock::new(None),
        }
    }
}

impl<P: Client<Role = AsBoth> + StandaloneCallManager> Part for Joined<P> {
    fn is_quiet(&self) -> bool {
        true
    }

    fn open(&self, _gates: Gates) {}

    fn keep(&self, what: &mut dyn Any) {
        if let Some(held) = what.downcast_mut::<Option<Lower<P>>>() {
            self.lower.locked(|lower| core::mem::swap(lower, held));
        }
    }

    fn over(&self) {
        // Its drop may have the lower VC deleted: not under the lock.
        let lower = self.lower.locked(Option::take);
        drop(lower);
    }
}

impl<P: Client> fmt::Debug for Joined<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").finish_non_exhaustive()
    }
}

impl<P: Client<Role = AsBoth> + StandaloneCallManager> Sap<P> {
    /// Creates a VC for a call to this SAP that shares the data of `lower`, a VC of which this
    /// driver is the client; `context` is what the driver keeps for the new one.
    ///
    /// What the SAP's client sends goes straight to the driver that carries `lower`, and what
    /// that one indicates there comes straight to the SAP's client, once the call that is
    /// offered on the new VC is connected. As long as there is the new VC, this driver gets and
    /// sends no data on `lower`.
    ///
    /// Otherwise it is a VC as any other: [activate](CreatedVc::activate) it, offer the call,
    /// and delete it. `lower` is not deleted before the new VC is (rule [VC-71]): when the call
    /// on `lower` ends, end that on the new one
    /// ([`dispatch_incoming_close`](crate::cm::Vc::dispatch_incoming_close)). The other way
    /// round, hang up `lower` when the client of the new VC has closed its call. What is sent
    /// in between comes back with a failure.
    ///
    /// At or below DISPATCH_LEVEL. Source pages: [`NdisCoCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscocreatevc),
    /// [making outgoing calls](https://learn.microsoft.com/windows-hardware/drivers/network/making-outgoing-calls).
    ///
    /// # Errors
    ///
    /// As [`create_vc`](Self::create_vc); [`Status::INVALID_PARAMETER`] when `lower` is of
    /// another binding, [`Status::CLOSING`] when it is about to be deleted, and
    /// [`Status::INVALID_STATE`] when another VC shares it or its call is not up. The context
    /// is dropped then.
    ///
    /// ```
    /// # use ndis_co::{Status, client::{self, Client}, cm::{CallManager, Sap, StandaloneCallManager, Vc}, prelude::*};
    /// # use ndis_co::{irql::UpToDispatch, params::CallParametersBuf};
    /// # use ndis_host as _;
    /// /// A call is up beneath: offers it to the one that carries its frames.
    /// fn hand_up<P>(
    ///     call: &client::Vc<P>,
    ///     sap: &Sap<P>,
    ///     parameters: [CallParametersBuf; 2],
    ///     irql: &mut UpToDispatch,
    /// ) -> Result<Vc<P>, Status>
    /// where
    ///     P: Client<Role = AsBoth> + StandaloneCallManager + CallManager<Vc = client::WeakVc<P>>,
    /// {
    ///     let [link, offer] = parameters;
    ///     let vc = sap.create_vc_joined(call, call.downgrade()?, irql)?;
    ///     Ok(vc.activate(link, irql)?.dispatch_incoming_call(offer, irql))
    /// }
    /// ```
    ///
    /// [VC-71]: ndis_sys::rules#VC-71
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_vc_joined(
        &self,
        lower: &client::Vc<P>,
        context: <P as CallManager>::Vc,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'_, P, Inactive>, Status> {
        let (above, beneath) = (self.af(), lower.af());
        if !Arc::ptr_eq(&above.base().shared, &beneath.binding().shared) {
            return Err(Status::INVALID_PARAMETER);
        }
        let held = Lower::try_new(lower)?;
        let handle = held.handle();
        // Of this role, the part is a `Joined`; the compiler sees no more than that it is one.
        let (part, mut held) = (PartOf::<P>::default(), Some(held));
        part.keep(&mut held);
        if held.is_some() {
            return Err(Status::FAILURE);
        }
        // SAFETY: by LOWER the lower VC, a client's on the same binding, is shared by no other
        // and not deleted before the part lets go of it, which is when the new VC is over.
        unsafe { self.create_vc_over(handle, part, context, irql.up_to_dispatch()) }
    }
}
