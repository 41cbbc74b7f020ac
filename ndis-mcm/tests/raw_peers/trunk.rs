//! A call manager of safe code, used by the raw client.

use super::*;
use crate::raw::{Client, Twist};
use ndis_co::{
    cm,
    family::{AddressFamily, Family},
    irql::UpToDispatch,
    nbl::NetBufferListPool,
    params::CallParameters,
};
use ndis_host::{Adapter as HostAdapter, Driver, Readings};
use ndis_mcm::*;
use std::sync::Arc;

/// What a test has its call manager do: it accepts and completes, unless said otherwise.
pub(crate) trait Switch: Send + Sync + 'static {
    fn make_call<'r>(
        &self,
        request: MakeCall<'r, Trunk<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>
    where
        Self: Sized,
    {
        request.accept(irql)
    }
    fn call_connected(&self, _vc: &Vc<Trunk<Self>>, _irql: &mut UpToDispatch)
    where
        Self: Sized,
    {
    }
    fn send(&self, lists: SendLists<Trunk<Self>>, irql: &mut UpToDispatch)
    where
        Self: Sized,
    {
        lists.complete(Status::SUCCESS, irql);
    }
    /// By the client, of its family.
    fn oid_request<'r>(
        &self,
        request: cm::OidRequest<'r, Trunk<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r>
    where
        Self: Sized,
    {
        request.not_supported()
    }
    /// By anybody, of the adapter.
    fn vc_oid_request<'r>(
        &self,
        request: OidRequest<'r, Trunk<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r>
    where
        Self: Sized,
    {
        request.not_supported()
    }
}

/// The driver.
pub(crate) struct Trunk<S: Switch>(Arc<S>);

impl<S: Switch> Miniport for Trunk<S> {
    type Adapter = NetBufferListPool;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pool = NetBufferListPool::for_receives(init.scope(), Tag::NDIS)?;
        let mut init = init.adapter(pool)?;
        init.register_address_family(AddressFamily::new(Family::L2TP, 1, 0), irql)?;
        Ok(init.finish())
    }
}

impl<S: Switch> CallManager for Trunk<S> {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(()).0
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.make_call(request, irql)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.connect(irql);
    }

    fn incoming_call_refused(&self, _: &Vc<Self>, _: Status, _: &mut UpToDispatch) {}

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        self.0.call_connected(vc, irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }

    fn oid_request<'r>(
        &self,
        _: &Af<Self>,
        _: Option<&Vc<Self>>,
        request: cm::OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.oid_request(request, irql)
    }
}

impl<S: Switch> Carry for Trunk<S> {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        self.0.send(lists, irql);
    }

    fn vc_oid_request<'r>(
        &self,
        _: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.vc_oid_request(request, irql)
    }
}

/// A host with both drivers.
pub(crate) struct World<S: Switch> {
    pub(crate) host: Host,
    pub(crate) switch: Arc<S>,
    pub(crate) client: Client,
    mcm: Driver,
    adapter: HostAdapter,
    /// Goes last.
    _alone: MutexGuard<'static, ()>,
}

impl<S: Switch> World<S> {
    pub(crate) fn new(seed: u64, switch: S) -> Self {
        Self::under(seed, crate::raw::plain(), switch)
    }

    pub(crate) fn under(seed: u64, readings: Readings, switch: S) -> Self {
        let alone = alone();
        let host = builder(seed).readings(readings).build();
        let switch = Arc::new(switch);
        let entry = Entry::new(Trunk(switch.clone()));
        // SAFETY: the host calls this once, as DriverEntry.
        let mcm = host.load_with("trunk", move |o, p| unsafe { entry.run(o, p) });
        let mcm = mcm.unwrap();
        let client = Client::load(&host, "raw", Twist::None, false);
        let adapter = host.add_adapter(&mcm).unwrap();
        host.run();
        Self {
            host,
            switch,
            client,
            mcm,
            adapter,
            _alone: alone,
        }
    }

    /// Has the client do something, on a thread of its own.
    pub(crate) fn client(&self, body: impl FnOnce(&Client) + Send + 'static) {
        let client = self.client.clone();
        self.host.spawn("client", move || body(&client));
    }

    /// Takes everything down, which must break no rule and leave nothing.
    #[track_caller]
    pub(crate) fn end_clean(self) {
        self.host.remove_adapter(&self.adapter);
        self.host.unload(&self.client.driver);
        self.host.unload(&self.mcm);
        drop(self.switch);
        let report = self.host.finish();
        assert!(report.is_clean(), "{report}");
    }
}
