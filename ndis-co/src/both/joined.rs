//! VCs that are joined: the call that a driver has as a client is offered on, as a call manager,
//! to a client of its own, whose data then go straight to and from the driver that carries the
//! first one.
//!
//! That is how NDPROXY gives NDISWAN the calls of a WAN miniport. No page says how the two VCs
//! are tied; the variable for the new VC's handle is read and written, so what it holds is taken
//! for the VC that the new one shares (rule VC-70). A driver sees the same whatever NDIS makes of
//! it: it activates the upper VC as any other.
//!
//! The upper VC holds the lower one, and so the lower one's family, and with that the adapter. A
//! driver that is about to offer the upper call when the lower one ends has nothing yet to hang up,
//! and could forget it. So each VC has the other: the lower one's call, however it ends, ends the
//! upper one (rule VC-74). Neither VC's lock is held when the other's is taken: that the lower call is
//! over is a step of its VC's, like the close.

use super::AsBoth;
use crate::{
    Status,
    client::{self, Above, Client, Lower},
    cm::{self, CallManager, CreatedVc, Gates, Inactive, Part, PartOf, Sap, StandaloneCallManager},
    irql::{NoLock, UpToDispatch},
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

/// The VC that is joined to a client's, above it, until it has been told of the end of the call there,
/// or is deleted.
pub struct Upper<P: CallManager>(SpinLock<Option<Told<P>>>);

/// Whom to tell, and of the end of which call: there may be another one on the VC by then, and
/// another VC that is for that.
struct Told<P: CallManager> {
    number: u32,
    vc: cm::Vc<P>,
}

impl<P: CallManager> Default for Upper<P> {
    fn default() -> Self {
        Self(SpinLock::new(None))
    }
}

impl<P: CallManager> Above for Upper<P> {
    fn keep(&self, what: Option<&mut dyn Any>) {
        let told = what.and_then(|what| what.downcast_mut::<Option<Told<P>>>()?.take());
        let before = self.0.locked(|kept| core::mem::replace(kept, told));
        // Not under the lock.
        drop(before);
    }

    fn end(&self, number: u32, status: Status, irql: &mut UpToDispatch) {
        let told = self
            .0
            .locked(|kept| kept.take_if(|told| told.number == number));
        if let Some(told) = told {
            told.vc.end_beneath(status, irql);
        }
    }
}

impl<P: CallManager> fmt::Debug for Upper<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upper").finish_non_exhaustive()
    }
}

impl<P: Client<Role = AsBoth> + StandaloneCallManager> Sap<P> {
    /// Creates a VC for a call to this SAP that shares the data of `lower`, a VC of which this
    /// driver is the client; `context` is what the driver keeps for the new one.
    ///
    /// What the SAP's client sends goes straight to the driver that carries `lower`, and what
    /// that one indicates there comes straight to the SAP's client, once the call that is
    /// offered on the new VC is connected. As long as there is the new VC, this driver gets no data
    /// on `lower`, and sends none: [`client::Vc::send`] fails.
    ///
    /// Otherwise it is a VC as any other: [activate](CreatedVc::activate) it, offer the call,
    /// and delete it. `lower` is not deleted before the new VC is (rule [VC-71]).
    ///
    /// The call on `lower` takes the one on the new VC with it (rule [VC-74]), whether the other
    /// side has hung up, this driver, or the end of the family of `lower`:
    ///
    /// - one that was offered is ended as by
    ///   [`dispatch_incoming_close`](crate::cm::Vc::dispatch_incoming_close), and
    ///   [`close_call`](CallManager::close_call) comes next, or the client's refusal when that was
    ///   first. The client hears [`Status::SUCCESS`] when this driver has hung up; what the other
    ///   side has said when that did, once [`incoming_close`](Client::incoming_close) of `lower` has
    ///   returned or this driver hangs up within it, whichever is first; and [`Status::CLOSING`] when
    ///   it was the family. It hears that before `lower` is closed. To say something else, or to send
    ///   data along, be first, before the hang-up: this driver's own word counts then;
    /// - one that was not offered yet does not come to the client. On a VC that is not activated,
    ///   [`activate`](CreatedVc::activate) fails with [`Status::CLOSING`]; a call that is offered
    ///   after that comes to [`call_failed`](CallManager::call_failed) with [`Status::CLOSING`], and
    ///   its VC is deleted. Use or drop what [is kept](CreatedVc::keep) of it in bounded time;
    /// - one that the client closes already goes on to its end.
    ///
    /// The other way round, hang up `lower` when the client of the new VC has closed its call or
    /// has refused it: it can also be handed up once more, when the new VC is deleted. What is sent
    /// on the new VC after the end of the call on `lower` comes back with a failure.
    ///
    /// At or below DISPATCH_LEVEL. Source pages: [`NdisCoCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscocreatevc),
    /// [making outgoing calls](https://learn.microsoft.com/windows-hardware/drivers/network/making-outgoing-calls).
    ///
    /// # Errors
    ///
    /// As [`create_vc`](Self::create_vc); [`Status::INVALID_PARAMETER`] when `lower` is of
    /// another binding, [`Status::CLOSING`] when it is about to be deleted, and
    /// [`Status::INVALID_STATE`] when another VC shares it, its call is not up, or not any
    /// more, or lists are out that this driver has sent on it. The context is dropped then.
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
    /// [VC-74]: ndis_sys::rules#VC-74
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
        let (handle, number) = (held.handle(), held.number());
        // Of this role, the part is a `Joined`; the compiler sees no more than that it is one.
        let (part, mut held) = (PartOf::<P>::default(), Some(held));
        part.keep(&mut held);
        if held.is_some() {
            return Err(Status::FAILURE);
        }
        // SAFETY: by LOWER the lower VC, a client's on the same binding, is shared by no other
        // and not deleted before the part lets go of it, which is when the new VC is over.
        let created = unsafe { self.create_vc_over(handle, part, context, irql.up_to_dispatch()) }?;
        let mut told = Some(Told {
            number,
            vc: Clone::clone(&*created),
        });
        Lower::joined(lower, &mut told, irql.up_to_dispatch());
        Ok(created)
    }
}
