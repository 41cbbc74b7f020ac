//! Call managers that say odd things, and memory that runs out: the models tell, lose nothing, and
//! go on.

use crate::support;

use ndis_co::{
    Status,
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    oid::{known, number},
    params::CallParameters,
    tapi::{
        self, AddressCaps, CmCaps, Flat, IncomingCall, LineAddressCaps, LineCaps, LineDevCaps,
        LineSap,
    },
};
use ndis_host::{Host, Readings};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OidRequest, OpenAf, RegisterSap, Sap, SendLists, Vc,
    wan::Subtype,
};
use ndis_wan_models::{CallId, LineView, Settings, State, Windows};
use std::sync::{Arc, Mutex};
use support::*;

/// What a call manager does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    /// Nothing.
    Nothing,
    /// It does not say how many lines it has.
    NoCmCaps,
    /// It has more lines than there are.
    ManyLines,
    /// It says less of a line than there is to say.
    ShortLineCaps,
    /// It says sizes of a line that lead nowhere.
    WildLineCaps,
    /// It does not say what an address can do.
    NoAddressCaps,
    /// It takes no calls.
    NoSaps,
    /// It says nothing about links.
    NoLinks,
    /// It lets no link be set.
    NoSet,
    /// It accepts calls with parameters that are none of TAPI's.
    NoParameters,
    /// It offers a call as soon as there is a SAP, with parameters that are none of TAPI's.
    WrongOffer,
    /// It offers a call on a line that nobody has.
    OtherLine,
    /// It offers a call on another line than the SAP is for.
    OtherSap,
}

impl Odd {
    /// The rules that are broken by it.
    fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::NoLinks => &["WAN-01"],
            Self::WrongOffer => &["TAPI-11"],
            _ => &[],
        }
    }
}

/// A call manager with one line, which accepts every call, and whose frames go nowhere.
struct Manager {
    odd: Odd,
    /// With what the calls were refused that it offered.
    refused: Arc<Mutex<Vec<Status>>>,
}

impl Miniport for Manager {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan().tapi(true), irql)?;
        let mut init = init.adapter(())?;
        let family = AddressFamily::new(Family::TAPI_PROXY, 1, 0);
        init.register_address_family(family, irql)?;
        Ok(init.finish())
    }

    fn oid_request<'r>(
        &self,
        _: &Adapter<Self>,
        request: OidRequest<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.is(known::WAN_CO_GET_INFO) && self.odd != Odd::NoLinks {
            let info = ndis_co::wan::Info::new(1400, 4);
            return request.reply_to(known::WAN_CO_GET_INFO, &info.to_raw());
        }
        match request.oid() {
            number::WAN_PERMANENT_ADDRESS | number::WAN_CURRENT_ADDRESS => {
                request.reply(&[2, 0, 0, 0, 0, 1])
            }
            number::WAN_MEDIUM_SUBTYPE => request.reply_value(&Subtype::ISDN.number()),
            _ => request.not_supported(),
        }
    }
}

impl Manager {
    fn offer(&self, sap: &Sap<Self>, irql: &mut UpToDispatch) -> Result<(), Status> {
        let flow = tapi::flow(1000, 1400);
        let parameters = match self.odd {
            Odd::WrongOffer => tapi::MakeCall::default().to_parameters(flow, flow)?,
            _ => {
                let info = tapi::CallInfo {
                    line: 3,
                    media_mode: tapi::MediaModes::DIGITALDATA,
                    ..tapi::CallInfo::default()
                };
                IncomingCall { info }.to_parameters(flow, flow)?
            }
        };
        let active = IncomingCall::default().to_parameters(flow, flow)?;
        let vc = sap.create_vc((), irql)?;
        let vc = vc.activate(active, irql)?;
        vc.dispatch_incoming_call(parameters, irql);
        Ok(())
    }
}

impl CallManager for Manager {
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
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let known = LineSap::parse(request.address());
        if self.odd == Odd::NoSaps || known.is_err() {
            return request.refuse(Status::INVALID_SAP);
        }
        let (answer, sap) = request.accept(());
        if matches!(self.odd, Odd::WrongOffer | Odd::OtherLine | Odd::OtherSap) {
            self.offer(&sap, irql).unwrap();
        }
        answer
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
        if self.odd == Odd::NoParameters {
            let nothing = ndis_co::params::CallParametersBuf::builder()
                .build()
                .unwrap();
            return request.accept_with(nothing, irql);
        }
        // The sizes that NDPROXY has passed are no true ones (rule TAPI-09).
        let flow = tapi::flow(1000, 1400);
        let asked = request.telephony();
        match asked.and_then(|asked| asked.to_parameters(flow, flow)) {
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
        call.connect(irql);
    }

    fn incoming_call_refused(&self, _: &Vc<Self>, status: Status, _: &mut UpToDispatch) {
        self.refused.lock().unwrap().push(status);
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
        request: ndis_co::cm::OidRequest<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let odd = self.odd;
        let bytes = match request.oid() {
            number::CO_TAPI_CM_CAPS if odd != Odd::NoCmCaps => {
                let lines = if odd == Odd::ManyLines { u32::MAX } else { 1 };
                let per_line = odd == Odd::OtherSap;
                let caps = CmCaps::new(lines);
                CmCaps { per_line, ..caps }.to_vec()
            }
            number::CO_TAPI_LINE_CAPS => {
                let device = LineDevCaps::data(1, 1_000_000);
                let per_address = false;
                LineCaps {
                    line: 0,
                    per_address,
                    device,
                }
                .to_vec()
            }
            number::CO_TAPI_ADDRESS_CAPS if odd != Odd::NoAddressCaps => {
                let caps = LineAddressCaps::data(1);
                AddressCaps {
                    line: 0,
                    address: 0,
                    caps,
                }
                .to_vec()
            }
            _ => return request.not_supported(),
        };
        let mut bytes = bytes.unwrap();
        match odd {
            Odd::ShortLineCaps if bytes.len() > 200 => request.reply(&bytes[..100]),
            Odd::WildLineCaps if bytes.len() > 200 => {
                // How much of it is used.
                bytes[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
                request.reply(&bytes)
            }
            _ => request.reply(&bytes),
        }
    }
}

impl Carry for Manager {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }

    fn vc_oid_request<'r>(
        &self,
        _: &Vc<Self>,
        request: OidRequest<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.is(known::WAN_CO_GET_LINK_INFO) && self.odd != Odd::NoLinks {
            let link = ndis_co::wan::LinkInfo::undetected(1400);
            return request.reply_to(known::WAN_CO_GET_LINK_INFO, &link.to_raw());
        }
        if request.is(known::WAN_CO_SET_LINK_INFO) {
            return match request.read(known::WAN_CO_SET_LINK_INFO) {
                Ok((_, request)) if self.odd == Odd::NoSet => request.refuse(Status::INVALID_DATA),
                Ok((set, request)) => request.accept(size_of_val(&set)),
                Err(answer) => answer,
            };
        }
        request.not_supported()
    }
}

/// Has `then` look at what became of it.
fn with(odd: Odd, seed: u64, then: impl FnOnce(&Host, &Windows<'_>, &[Status])) {
    let host = Host::builder().seed(seed).build();
    for rule in odd.breaks() {
        host.expect(rule);
    }
    let windows = Windows::load(&host).unwrap();
    let refused = Arc::<Mutex<Vec<Status>>>::default();
    let manager = Manager {
        odd,
        refused: refused.clone(),
    };
    let entry = ndis_mcm::Entry::new(manager);
    let driver = host
        .load_with("manager", move |object, path| {
            // SAFETY: the host calls this once, as DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .unwrap();
    let adapter = host.add_adapter(&driver).unwrap();
    host.run();
    let refused = std::mem::take(&mut *refused.lock().unwrap());
    then(&host, &windows, &refused);
    host.remove_adapter(&adapter);
    windows.unload();
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{odd:?}, seed {seed}: {report}");
}

/// A call that comes about.
fn call(host: &Host, windows: &Windows<'_>) -> CallId {
    let call = windows.dial(0, 0, "1");
    host.run();
    assert_eq!(windows.call(call).unwrap().state, State::Connected);
    call
}

#[test]
fn lines_that_nobody_says_are_not_there() {
    for seed in seeds() {
        for (odd, status) in [
            (Odd::NoCmCaps, Status::NOT_SUPPORTED),
            (Odd::ShortLineCaps, Status::INVALID_LENGTH),
            (Odd::WildLineCaps, Status::INVALID_DATA),
            (Odd::NoAddressCaps, Status::NOT_SUPPORTED),
        ] {
            with(odd, seed, |host, windows, _| {
                assert_eq!(windows.failure(0), Some(status), "{odd:?}");
                assert!(windows.lines(0).is_empty());
                let call = windows.dial(0, 0, "1");
                host.run();
                let why = windows.call(call).unwrap().ended();
                assert_eq!(why, Some(Status::TAPI_NODEVICE), "{odd:?}");
            });
        }
    }
}

#[test]
fn nobody_has_so_many_lines() {
    with(Odd::ManyLines, 1, |host, windows, _| {
        assert_eq!(windows.lines(0).len(), 1024);
        call(host, windows);
    });
}

#[test]
fn a_line_that_takes_no_calls_can_call() {
    with(Odd::NoSaps, 1, |host, windows, _| {
        let refused = LineView::Refused(Status::INVALID_SAP);
        assert_eq!(windows.line(0, 0), refused);
        call(host, windows);
    });
}

/// The link stays as it was, and carries frames.
#[test]
fn links_that_cannot_be_set() {
    for (odd, reported, set) in [
        (Odd::NoLinks, false, Err(Status::NOT_SUPPORTED)),
        (Odd::NoSet, true, Err(Status::INVALID_DATA)),
        (Odd::Nothing, true, Ok(())),
    ] {
        with(odd, 1, |host, windows, _| {
            let call = call(host, windows);
            windows.send(call, b"anything");
            windows.ask_statistics(call);
            host.run();
            let view = windows.call(call).unwrap();
            let link = view.link.unwrap();
            assert!(view.is_up);
            assert_eq!(link.reported.is_ok(), reported, "{odd:?}");
            assert_eq!(link.set.map(drop), set, "{odd:?}");
            assert_eq!(link.window, if odd == Odd::NoLinks { 1 } else { 4 });
            assert_eq!(link.counts.sent, 1);
            assert_eq!(view.statistics, Some(Err(Status::NOT_SUPPORTED)));
        });
    }
}

/// What was asked for counts, when the call manager says nothing that can be read.
#[test]
fn parameters_that_are_none() {
    for seed in seeds() {
        with(Odd::NoParameters, seed, |host, windows, _| {
            let call = call(host, windows);
            assert!(windows.call(call).unwrap().is_up);
        });
    }
}

#[test]
fn odd_offers_are_refused() {
    for seed in seeds() {
        for (odd, status) in [
            (Odd::WrongOffer, Status::INVALID_DATA),
            (Odd::OtherLine, Status::TAPI_INVALMEDIAMODE),
            (Odd::OtherSap, Status::INVALID_DATA),
        ] {
            with(odd, seed, |_, windows, refused| {
                assert_eq!(refused, [status], "{odd:?}");
                assert!(windows.calls().is_empty());
            });
        }
    }
}

/// One allocation fails, whichever: calls may fail, and nothing is left behind.
#[test]
fn memory_runs_out() {
    let mut hurt = 0;
    for nth in 1..if cfg!(miri) { 2 } else { 260 } {
        let (config, settings) = (Config::default(), Settings::default());
        on(nth, Readings::default(), config, settings, |world| {
            world.host.fail_allocation(nth);
            let call = world.windows().dial(0, 0, "1");
            world.host.run();
            hurt += u32::from(!world.view(call).is_up);
            for call in world.windows().calls() {
                world.windows().send(call.id, b"anything");
            }
            world.host.run();
            world.windows().drop_call(call);
            world.host.run();
            assert!(world.view(call).ended().is_some(), "allocation {nth}");
        });
    }
    assert!(cfg!(miri) || hurt > 20, "{hurt}");
}
