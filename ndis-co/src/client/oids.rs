//! OID requests between a client and its call manager, and those that a client makes of the
//! adapter about a VC.

use super::{
    Af, Client, Vc,
    af::{
        AfShared,
        held::{Held, wanted_closed},
        vc::VcShared,
    },
};
use crate::{
    Answer, Status,
    answer::Request,
    irql::{AtPassive, NoLock, UpToDispatch},
    mem::Arc,
    oid::{
        self, Answered, AskError, Ear, Hold, OutgoingRequest, PeerDoor, ToAdapter, ToManager, Trip,
        known,
    },
    protocol::to_adapter,
    stack,
};
use core::ptr;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

/// A call manager asks this client: the token of the request.
pub type OidRequest<'r, C> = oid::OidRequest<'r, PeerDoor<Held<C>>>;

/// The token of a request that was pended.
///
/// Source page: [`NdisCoOidRequestComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequestcomplete).
#[doc(alias = "NdisCoOidRequestComplete")]
pub type PendingOidRequest<C> = oid::PendingOidRequest<PeerDoor<Held<C>>>;

impl<C: Client> Af<C> {
    /// Asks the call manager about the family (rules [OID-05], [OID-07]).
    ///
    /// The answer comes to [`Client::oid_completed`], possibly before this returns, and the
    /// request comes back with it. Requests are not serialized: any number may be under way
    /// (rule [OID-19]). A close of the family does not wait for the answer, which comes before
    /// it has completed; the unbind waits for both.
    ///
    /// Source page: [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// Gives the request back with [`Status::CLOSING`] when the family is being closed,
    /// [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [OID-05]: ndis_sys::rules#OID-05
    /// [OID-07]: ndis_sys::rules#OID-07
    /// [OID-19]: ndis_sys::rules#OID-19
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request(
        &self,
        request: OutgoingRequest<ToManager>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToManager>> {
        let irql = irql.up_to_dispatch();
        ask_manager(&self.shared, None, request, Ear::handler(), irql)
    }

    /// As [`request`](Self::request), and waits for the answer, which comes to no handler.
    ///
    /// PASSIVE_LEVEL, where nothing that the call manager needs for its answer waits for this
    /// thread.
    ///
    /// # Errors
    ///
    /// As there; [`Status::RESOURCES`] also when memory is short.
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request_and_wait(
        &self,
        request: OutgoingRequest<ToManager>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToManager>, AskError<ToManager>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask_manager(&self.shared, None, request, ear, irql)
        })
    }
}

impl<C: Client> Vc<C> {
    /// Asks the call manager about the VC, as [`Af::request`] does about the family. The VC is
    /// not deleted before the answer (rule [OID-68]); its call may end.
    ///
    /// Source page: [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// As there, also when the VC is about to be deleted.
    ///
    /// [OID-68]: ndis_sys::rules#OID-68
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request(
        &self,
        request: OutgoingRequest<ToManager>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToManager>> {
        let (af, vc) = (&self.shared.af, Some(&self.shared));
        ask_manager(af, vc, request, Ear::handler(), irql.up_to_dispatch())
    }

    /// As [`request`](Self::request), and waits as [`Af::request_and_wait`] does.
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request_and_wait(
        &self,
        request: OutgoingRequest<ToManager>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToManager>, AskError<ToManager>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask_manager(&self.shared.af, Some(&self.shared), request, ear, irql)
        })
    }

    /// Asks the adapter about this VC alone (rule [OID-07]): its counters, for instance. The
    /// answer comes to [`Client::vc_oid_completed`]; otherwise as
    /// [`Binding::request`](crate::client::Binding::request). The VC is not deleted before.
    ///
    /// Source page: [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// As there, and [`Status::CLOSING`] also when the VC or its family is about to end.
    ///
    /// [OID-07]: ndis_sys::rules#OID-07
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request_of_adapter(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToAdapter>> {
        ask_adapter(&self.shared, request, Ear::handler(), irql.up_to_dispatch())
    }

    /// As [`request_of_adapter`](Self::request_of_adapter), and waits for the answer, which
    /// comes to no handler. PASSIVE_LEVEL.
    ///
    /// # Errors
    ///
    /// As there; [`Status::RESOURCES`] also when memory is short.
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request_of_adapter_and_wait(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToAdapter>, AskError<ToAdapter>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask_adapter(&self.shared, request, ear, irql)
        })
    }
}

/// A request that the call manager is asked.
struct OfManager<C: Client> {
    ear: Ear<ToManager>,
    held: Held<C>,
}

impl<C: Client> Trip for OfManager<C> {
    type Asked = ToManager;

    fn over(self, answered: Answered<ToManager>, irql: &mut UpToDispatch) {
        let Self { ear, held } = self;
        if let Some(answered) = ear.hear(answered) {
            let (af, vc) = (held.af(), held.vc());
            Client::oid_completed(held.client(), &af, vc.as_ref(), answered, irql);
        }
    }
}

/// A request that the adapter is asked about a VC.
struct OfAdapter<C: Client> {
    ear: Ear<ToAdapter>,
    held: Held<C>,
}

impl<C: Client> Trip for OfAdapter<C> {
    type Asked = ToAdapter;

    fn over(self, answered: Answered<ToAdapter>, irql: &mut UpToDispatch) {
        let Self { ear, held } = self;
        if let (Some(answered), Some(vc)) = (ear.hear(answered), held.vc()) {
            held.client().vc_oid_completed(&vc, answered, irql);
        }
    }
}

fn ask_manager<C: Client>(
    af: &Arc<AfShared<C>>,
    vc: Option<&Arc<VcShared<C>>>,
    request: OutgoingRequest<ToManager>,
    ear: Ear<ToManager>,
    irql: &mut UpToDispatch,
) -> Result<(), AskError<ToManager>> {
    let held = if stack::is_low() {
        Err(Status::RESOURCES)
    } else {
        Held::to_ask(af, vc)
    };
    let (request, (call, held)) = AskError::unless(request, held)?;
    let (binding, handle, vc) = (af.binding.handle(), Hold::af(&call), Hold::vc(&held));
    oid::go(request, OfManager { ear, held }, irql, |request| {
        // SAFETY: the family is open, and stays so for this call, which `call` outlives; the
        // VC is there until the end, for the trip holds it. They belong together and to the
        // binding (rule OID-67). Request and buffer are resident, and nobody's but NDIS's
        // until the end (rule OID-03). `irql` says that the level will do (rule IRQL-32).
        unsafe { ndis_sys::NdisCoOidRequest(binding, handle, vc, ptr::null_mut(), request) }
    });
    drop(call);
    Ok(())
}

fn ask_adapter<C: Client>(
    vc: &Arc<VcShared<C>>,
    request: OutgoingRequest<ToAdapter>,
    ear: Ear<ToAdapter>,
    irql: &mut UpToDispatch,
) -> Result<(), AskError<ToAdapter>> {
    let request = to_adapter(&vc.af.binding, request)?;
    let held = Held::to_ask(&vc.af, Some(vc));
    let (request, (call, held)) = AskError::unless(request, held)?;
    let (binding, vc) = (vc.af.binding.handle(), Hold::vc(&held));
    oid::go(request, OfAdapter { ear, held }, irql, |request| {
        // SAFETY: as above; for the adapter there is neither family nor party (rule OID-06).
        unsafe {
            ndis_sys::NdisCoOidRequest(binding, ptr::null_mut(), vc, ptr::null_mut(), request)
        }
    });
    drop(call);
    Ok(())
}

/// `ProtocolCoOidRequest`.
pub(super) fn on_oid_request<'r, C: Client>(
    shared: Arc<AfShared<C>>,
    vc: Option<Arc<VcShared<C>>>,
    _party: NDIS_HANDLE,
    oid: *mut NDIS_OID_REQUEST,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let held = Held::asked(&shared, vc.as_ref());
    // SAFETY: by CALLBACK it is the request of this call, which is NDIS's until the answer; it
    // came to the client whose family and VC are held.
    let oid = match unsafe { oid::come(oid, held, request) } {
        Ok(oid) => oid,
        Err(answer) => return answer,
    };
    if oid.is(known::CO_AF_CLOSE) {
        // Completed before the close, with which the handle ends that it takes.
        let (answer, pending) = oid.pend();
        pending.accept(0, irql);
        wanted_closed(&shared, irql);
        return answer;
    }
    let (af, vc) = (Af { shared }, vc.map(|shared| Vc { shared }));
    let client = af.shared.client();
    client.oid_request(&af, vc.as_ref(), oid, irql)
}
