//! OID requests between a call manager and its clients.

use super::{
    Af, Base, CallManager, Vc,
    af::{AfShared, held::Held},
    vc::VcShared,
};
use crate::{
    Answer, Status,
    answer::Request,
    irql::{AtPassive, NoLock, UpToDispatch},
    mem::Arc,
    oid::{self, Answered, AskError, Ear, Hold, OutgoingRequest, PeerDoor, ToClient, Trip},
    stack,
};
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

/// A client asks this call manager: the token of the request.
pub type OidRequest<'r, M> = oid::OidRequest<'r, PeerDoor<Held<M>>>;

/// The token of a request that was pended.
///
/// Source page: [`NdisCoOidRequestComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequestcomplete).
#[doc(alias = "NdisCoOidRequestComplete")]
#[doc(alias = "NdisMCmOidRequestComplete")]
pub type PendingOidRequest<M> = oid::PendingOidRequest<PeerDoor<Held<M>>>;

impl<M: CallManager> Af<M> {
    /// Asks the client, or tells it something, about the family (rules [OID-07], [OID-12]):
    /// that addresses have changed, for instance.
    ///
    /// The answer comes to [`CallManager::oid_completed`], possibly before this returns, and
    /// the request comes back with it. The close of the family is not completed before.
    /// Requests are not serialized: any number may be under way (rule [OID-19]).
    ///
    /// Source pages: [`NdisMCmOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmoidrequest),
    /// [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// Gives the request back with [`Status::CLOSING`] when the client is closing the family,
    /// [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [OID-07]: ndis_sys::rules#OID-07
    /// [OID-12]: ndis_sys::rules#OID-12
    /// [OID-19]: ndis_sys::rules#OID-19
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisMCmOidRequest")]
    pub fn request(
        &self,
        request: OutgoingRequest<ToClient>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToClient>> {
        let irql = irql.up_to_dispatch();
        ask(&self.shared, None, request, Ear::handler(), irql)
    }

    /// As [`request`](Self::request), and waits for the answer, which comes to no handler.
    ///
    /// PASSIVE_LEVEL, where nothing that the client needs for its answer waits for this
    /// thread.
    ///
    /// # Errors
    ///
    /// As there; [`Status::RESOURCES`] also when memory is short.
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisMCmOidRequest")]
    pub fn request_and_wait(
        &self,
        request: OutgoingRequest<ToClient>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToClient>, AskError<ToClient>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask(&self.shared, None, request, ear, irql)
        })
    }
}

impl<M: CallManager> Vc<M> {
    /// Asks the client about the VC, as [`Af::request`] does about the family. The VC is not
    /// deleted before the answer (rule [OID-68]); its call may end.
    ///
    /// Source pages: [`NdisMCmOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmoidrequest),
    /// [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// As there, also when the VC is about to be deleted.
    ///
    /// [OID-68]: ndis_sys::rules#OID-68
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisMCmOidRequest")]
    pub fn request(
        &self,
        request: OutgoingRequest<ToClient>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToClient>> {
        let (af, vc) = (&self.shared.af, Some(&self.shared));
        ask(af, vc, request, Ear::handler(), irql.up_to_dispatch())
    }

    /// As [`request`](Self::request), and waits as [`Af::request_and_wait`] does.
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisMCmOidRequest")]
    pub fn request_and_wait(
        &self,
        request: OutgoingRequest<ToClient>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToClient>, AskError<ToClient>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask(&self.shared.af, Some(&self.shared), request, ear, irql)
        })
    }
}

/// A request that a client is asked.
struct OfClient<M: CallManager> {
    ear: Ear<ToClient>,
    held: Held<M>,
}

impl<M: CallManager> Trip for OfClient<M> {
    type Asked = ToClient;

    fn over(self, answered: Answered<ToClient>, irql: &mut UpToDispatch) {
        let Self { ear, held } = self;
        if let Some(answered) = ear.hear(answered) {
            let (af, vc) = (held.af(), held.vc());
            CallManager::oid_completed(held.driver(), &af, vc.as_ref(), answered, irql);
        }
    }
}

fn ask<M: CallManager>(
    af: &Arc<AfShared<M>>,
    vc: Option<&Arc<VcShared<M>>>,
    request: OutgoingRequest<ToClient>,
    ear: Ear<ToClient>,
    irql: &mut UpToDispatch,
) -> Result<(), AskError<ToClient>> {
    let held = if stack::is_low() {
        Err(Status::RESOURCES)
    } else {
        Held::try_new(af, vc)
    };
    let (request, held) = AskError::unless(request, held)?;
    // The handles are good as long as the trip holds them.
    let (handle, vc) = (Hold::af(&held), Hold::vc(&held));
    oid::go(request, OfClient { ear, held }, irql, |request| {
        // SAFETY: the family is open and the VC there, and both stay so until the end, for the
        // trip holds them; they belong together (rule OID-67). Request and buffer are
        // resident, and nobody's but NDIS's until the end (rule OID-03).
        unsafe { af.base.oid_request(handle, vc, request) }
    });
    Ok(())
}

/// `ProtocolCoOidRequest`.
pub(super) fn on_oid_request<'r, M: CallManager>(
    shared: Arc<AfShared<M>>,
    vc: Option<Vc<M>>,
    _party: NDIS_HANDLE,
    oid: *mut NDIS_OID_REQUEST,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let held = Held::try_new(&shared, vc.as_ref().map(|vc| &vc.shared));
    // SAFETY: by CALLBACK it is the request of this call, which is NDIS's until the answer; it
    // came to the call manager whose family and VC are held.
    let oid = match unsafe { oid::come(oid, held, request) } {
        Ok(oid) => oid,
        Err(answer) => return answer,
    };
    let af = Af { shared };
    let driver = af.shared.driver();
    driver.oid_request(&af, vc.as_ref(), oid, irql)
}
