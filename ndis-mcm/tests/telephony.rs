//! Calls that carry TAPI's structures: a line for data, and a client in the place of NDPROXY.

use ndis_co::{
    Status,
    client::{self, Af as ClientAf, AfOffer, AsClient, Binding, Client, NewBinding, Protocol},
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    params::{CallFlags, CallParameters, FlowSpec},
    tapi::{self, CallParams, Disconnect, LineSap, MediaModes, Text},
};
use ndis_host::Host;
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, Load, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, ServiceKey,
    Vc,
};
use std::sync::{Arc, Mutex};

const TAPI_PROXY: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);

/// One line with one address, which reaches one number.
struct Line;

impl Load for Line {
    fn load(_: &ServiceKey<'_>, _: &mut Passive) -> Result<Self, Status> {
        Ok(Self)
    }
}

impl Miniport for Line {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan().max_frame(1500), irql)?;
        let mut init = init.adapter(())?;
        init.register_address_family(TAPI_PROXY, irql)?;
        Ok(init.finish())
    }
}

ndis_mcm::driver_entry!(Line);

/// What the network makes of a call.
fn dial(parameters: Option<CallParameters<'_>>) -> Result<(), Status> {
    let asked = tapi::MakeCall::from_parameters(parameters.ok_or(Status::INVALID_DATA)?)?;
    let params = asked.params.ok_or(Status::TAPI_INVALCALLPARAMS)?;
    if !params.media_mode.contains(MediaModes::DIGITALDATA) {
        return Err(Status::TAPI_INVALMEDIAMODE);
    }
    if !Text::guess(asked.destination).is("10.0.0.1") {
        return Err(Disconnect::BadAddress.into());
    }
    Ok(())
}

impl CallManager for Line {
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
        match LineSap::parse(request.address()) {
            Ok(sap) if sap.takes(0, 0, MediaModes::DIGITALDATA) => request.accept(()).0,
            Ok(_) => request.refuse(Status::INVALID_SAP),
            Err(status) => request.refuse(status),
        }
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
        let changed = dial(request.parameters()).and_then(|()| {
            let asked = request.parameters().ok_or(Status::INVALID_DATA)?;
            let asked = tapi::MakeCall::from_parameters(asked)?;
            // It goes out over the only address, with the frames of the adapter.
            let own = tapi::MakeCall {
                line: 0,
                address: 0,
                ..asked
            };
            own.to_parameters(tapi::flow(1_000_000, 1500), tapi::flow(500_000, 1500))
        });
        match changed {
            Ok(parameters) => request.accept_with(parameters, irql),
            Err(status) => request.refuse(status),
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.close(Status::FAILURE, irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}

impl Carry for Line {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }
}

/// Places calls as NDPROXY does, and notes what becomes of them.
#[derive(Clone, Default)]
struct Proxy(Arc<Notes>);

#[derive(Default)]
struct Notes {
    af: Mutex<Option<ClientAf<Proxy>>>,
    saps: Mutex<Vec<Result<(), Status>>>,
    /// The bandwidth both ways, and the frame size.
    connected: Mutex<Vec<[u32; 3]>>,
    failed: Mutex<Vec<Status>>,
}

impl Proxy {
    fn call(&self, destination: &[u8], media_mode: MediaModes) -> Result<(), Status> {
        // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
        let mut irql = unsafe { Passive::assume() };
        let af = self.0.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let call = tapi::MakeCall {
            line: tapi::ANY_LINE,
            address: tapi::ANY_ADDRESS,
            destination,
            params: Some(CallParams {
                media_mode,
                comment: b"hello\0",
                ..CallParams::default()
            }),
            ..tapi::MakeCall::default()
        };
        let nothing = FlowSpec::best_effort(FlowSpec::UNSPECIFIED);
        let parameters = call.to_parameters(nothing, nothing)?;
        let vc = af.create_vc((), &mut irql)?;
        let _ = vc.make_call(parameters, &mut irql).keep();
        Ok(())
    }
}

impl Protocol for Proxy {
    const NAME: &'static str = "PROXY";
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

impl Client for Proxy {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == TAPI_PROXY {
            offer.open((), irql).unwrap();
        }
    }

    fn af_opened(&self, af: client::OpenAf<Self>, irql: &mut Passive) {
        for line in [tapi::ANY_LINE, 7] {
            let (address, media_modes) = (tapi::ANY_ADDRESS, MediaModes::DIGITALDATA);
            let sap = LineSap {
                line,
                address,
                media_modes,
            };
            drop(
                af.register_sap((), sap.to_address().unwrap(), irql)
                    .unwrap(),
            );
        }
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn sap_registered(
        &self,
        _: &client::Sap<Self>,
        result: Result<(), Status>,
        _: &mut UpToDispatch,
    ) {
        self.0.saps.lock().unwrap().push(result);
    }

    fn call_connected(
        &self,
        vc: &client::Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let parameters = parameters.unwrap();
        assert!(parameters.flags().contains(CallFlags::CHANGED));
        let call = tapi::MakeCall::from_parameters(parameters).unwrap();
        assert_eq!((call.line, call.address), (0, 0));
        assert_eq!(call.params.unwrap().comment, b"hello\0");
        let flows = parameters.call_manager().unwrap();
        self.0.connected.lock().unwrap().push([
            flows.transmit().peak_bandwidth,
            flows.receive().peak_bandwidth,
            flows.receive().max_sdu_size,
        ]);
        vc.hang_up(&[], irql).unwrap();
    }

    fn call_failed(&self, _: &client::Vc<Self>, status: Status, _: &mut UpToDispatch) {
        self.0.failed.lock().unwrap().push(status);
    }

    fn receive(&self, _: &client::Vc<Self>, _: client::Received<'_, Self>, _: &mut UpToDispatch) {}
}

#[test]
fn calls_carry_what_tapi_wants_and_gets() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let host = Host::builder().seed(seed).build();
        // SAFETY: the entry point of a driver, which the host calls as Windows does.
        let line = unsafe { host.load("line", driver_entry) }.expect("the driver loads");
        let proxy = Proxy::default();
        let entry = client::Entry::new(proxy.clone());
        let loaded = host
            .load_with("proxy", |object, path| {
                // SAFETY: the host calls this as Windows calls a DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .expect("the client loads");
        let adapter = host.add_adapter(&line).expect("the adapter starts");

        let user = proxy.clone();
        host.spawn("user", move || {
            user.call(b"10.0.0.1\0", MediaModes::DIGITALDATA).unwrap();
            // In UTF-16, and without a terminator.
            let wide = b"1\x000\0.\x000\0.\x000\0.\x001\0";
            user.call(wide, MediaModes::DIGITALDATA).unwrap();
            user.call(b"nobody", MediaModes::DIGITALDATA).unwrap();
            user.call(b"10.0.0.1", MediaModes::G3FAX).unwrap();
        });
        host.run();

        let notes = &proxy.0;
        assert_eq!(
            *notes.connected.lock().unwrap(),
            [[1_000_000, 500_000, 1500]; 2]
        );
        let mut failed = std::mem::take(&mut *notes.failed.lock().unwrap());
        failed.sort();
        assert_eq!(
            failed,
            [Status::TAPI_INVALMEDIAMODE, Disconnect::BadAddress.into()]
        );
        let saps = notes.saps.lock().unwrap();
        assert_eq!(saps.len(), 2);
        assert!(saps.contains(&Ok(())) && saps.contains(&Err(Status::INVALID_SAP)));
        drop(saps);

        host.remove_adapter(&adapter);
        host.unload(&loaded);
        host.unload(&line);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}
