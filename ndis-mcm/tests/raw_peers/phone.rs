//! A client of safe code, called by the raw call manager.

use super::*;
use crate::raw::{Mcm, Twist};
use ndis_co::{
    Answer, Status,
    address::SapAddressBuf,
    client::{
        Af, AfOffer, AsClient, Binding, Client, Entry, IncomingCall, NewBinding, OidRequest,
        OpenAf, Protocol, Received, Sap, Vc,
    },
    irql::UpToDispatch,
    params::CallParameters,
};
use ndis_host::{Adapter, Driver};
use std::sync::Arc;

/// What a test has its client do: it takes every call, unless said otherwise.
pub(crate) trait Calls: Send + Sync + 'static {
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Phone<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r>
    where
        Self: Sized,
    {
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }
    fn call_connected(&self, _vc: &Vc<Phone<Self>>, _irql: &mut UpToDispatch)
    where
        Self: Sized,
    {
    }
    fn incoming_close(&self, _vc: &Vc<Phone<Self>>, _irql: &mut UpToDispatch)
    where
        Self: Sized,
    {
    }
    fn oid_request<'r>(
        &self,
        request: OidRequest<'r, Phone<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r>
    where
        Self: Sized,
    {
        request.not_supported()
    }
}

/// The driver.
pub(crate) struct Phone<C: Calls>(Arc<Desk<C>>);

/// What the driver and the test both see.
pub(crate) struct Desk<C: Calls> {
    pub(crate) calls: C,
    pub(crate) af: Mutex<Option<Af<Phone<C>>>>,
}

impl<C: Calls> Protocol for Phone<C> {
    const NAME: &'static str = "Phone";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }
}

impl<C: Calls> Client for Phone<C> {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        offer.open((), irql).unwrap();
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let address = SapAddressBuf::try_new(1, b"7").unwrap();
        let _ = af.register_sap((), address, irql).unwrap().keep();
        *self.0.af.lock().unwrap() = Some(af.keep());
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.calls.incoming_call(call, irql)
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.0.calls.call_connected(vc, irql);
    }

    fn incoming_close(&self, vc: &Vc<Self>, _: Status, _: &[u8], irql: &mut UpToDispatch) {
        self.0.calls.incoming_close(vc, irql);
    }

    fn oid_request<'r>(
        &self,
        _: &Af<Self>,
        _: Option<&Vc<Self>>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.calls.oid_request(request, irql)
    }

    fn receive(&self, _: &Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
}

/// A host with both drivers, and a line of the call manager's to the client.
pub(crate) struct World<C: Calls> {
    pub(crate) host: Host,
    pub(crate) mcm: Arc<raw::mcm::Shared>,
    pub(crate) desk: Arc<Desk<C>>,
    drivers: [Driver; 2],
    adapter: Adapter,
    /// Goes last.
    _alone: MutexGuard<'static, ()>,
}

impl<C: Calls> World<C> {
    pub(crate) fn new(seed: u64, calls: C) -> Self {
        let world = Self::without_a_line(seed, Twist::None, calls);
        world.network(|mcm, _| mcm.open_line());
        world.host.run();
        world
    }

    /// The call manager may be one that refuses the family.
    pub(crate) fn without_a_line(seed: u64, twist: Twist, calls: C) -> Self {
        let alone = alone();
        let host = builder(seed).build();
        let mcm = Mcm::load(&host, twist);
        let desk = Arc::new(Desk {
            calls,
            af: Mutex::new(None),
        });
        let entry = Entry::new(Phone(desk.clone()));
        // SAFETY: the host calls this once, as DriverEntry.
        let client = host.load_with("phone", move |o, p| unsafe { entry.run(o, p) });
        let adapter = host.add_adapter(&mcm.driver).unwrap();
        host.run();
        Self {
            host,
            mcm: mcm.shared,
            desk,
            drivers: [client.unwrap(), mcm.driver],
            adapter,
            _alone: alone,
        }
    }

    /// Has the call manager do something, on a thread of its own.
    pub(crate) fn network(
        &self,
        body: impl FnOnce(&raw::mcm::Shared, &mut Passive) + Send + 'static,
    ) {
        let mcm = self.mcm.clone();
        thread(&self.host, "network", move |irql| body(&mcm, irql));
    }

    /// Runs `body` as code of the call manager, until nothing is left to do.
    pub(crate) fn by_manager(&self, body: impl FnOnce() + Send + 'static) {
        raw::oids::within(&self.host, &self.drivers[1], body);
    }

    /// Takes everything down, which must break no rule and leave nothing.
    #[track_caller]
    pub(crate) fn end_clean(self) {
        self.network(|mcm, _| mcm.close_line());
        self.host.run();
        self.host.remove_adapter(&self.adapter);
        for driver in &self.drivers {
            self.host.unload(driver);
        }
        drop(self.desk);
        let report = self.host.finish();
        assert!(report.is_clean(), "{report}");
    }
}
