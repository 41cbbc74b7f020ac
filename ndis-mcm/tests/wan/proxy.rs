//! A client in the place of NDPROXY, which also sends as NDISWAN does.

use ndis_co::{
    Answer, Status,
    client::{
        Af, AfOffer, AsClient, Binding, Client, IncomingCall, NewBinding, OpenAf,
        PendingIncomingCall, Protocol, Received, Sap, Vc,
    },
    family::{AddressFamily, Family},
    indication::{StatusIndication, StatusKind},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists, Side},
    params::{CallFlags, CallParameters, FlowSpec},
    tapi::{self, CallParams, LineSap, MediaModes, Text},
    wan::{FrameErrors, LinkParameters},
};
use std::sync::{Arc, Mutex};

const TAPI_PROXY: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);

/// What is done with a call that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ring {
    #[default]
    Accept,
    Refuse,
    /// It rings.
    Later,
}

/// What a call was told to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub line: u32,
    pub address: u32,
    pub transmit: u32,
    pub receive: u32,
    pub largest: u32,
    pub caller: String,
}

#[derive(Default)]
pub struct Notes {
    pub ring: Mutex<Ring>,
    pub saps: Mutex<Vec<LineSap>>,
    pub registered: Mutex<Vec<Result<(), Status>>>,
    pub af: Mutex<Option<Af<Proxy>>>,
    /// Calls that are up: those that were placed, those that came in.
    pub placed: Mutex<Vec<Vc<Proxy>>>,
    pub taken: Mutex<Vec<Vc<Proxy>>>,
    pub ringing: Mutex<Vec<PendingIncomingCall<Proxy>>>,
    pub told: Mutex<Vec<Told>>,
    pub failed: Mutex<Vec<Status>>,
    pub closing: Mutex<Vec<Status>>,
    /// What came with that.
    pub last_words: Mutex<Vec<Vec<u8>>>,
    pub closed: Mutex<u32>,
    /// The frames of each call, in order.
    pub heard: Mutex<Vec<Vec<u8>>>,
    pub completed: Mutex<Vec<Status>>,
    /// What was indicated of the links.
    pub links: Mutex<Vec<LinkParameters>>,
    pub fragments: Mutex<Vec<FrameErrors>>,
}

#[derive(Clone, Default)]
pub struct Proxy(pub Arc<Notes>);

/// A thread of the test.
pub fn passive() -> Passive {
    // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
    unsafe { Passive::assume() }
}

/// What is kept for a VC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Placed,
    Taken,
}

impl Proxy {
    /// Places a call to this number on any line.
    pub fn call(&self, number: &[u8]) {
        self.call_on(tapi::ANY_LINE, tapi::ANY_ADDRESS, number);
    }

    pub fn call_on(&self, line: u32, address: u32, number: &[u8]) {
        self.try_call(line, address, number).unwrap();
    }

    pub fn try_call(&self, line: u32, address: u32, number: &[u8]) -> Result<(), Status> {
        let call = tapi::MakeCall {
            line,
            address,
            destination: number,
            params: Some(CallParams {
                media_mode: MediaModes::DIGITALDATA,
                comment: b"hello\0",
                ..CallParams::default()
            }),
            ..tapi::MakeCall::default()
        };
        // Sizes that are wrong, as those of NDPROXY's are (rule TAPI-09).
        let wrong = FlowSpec::best_effort(7);
        let parameters = call.to_parameters(wrong, wrong)?;
        let irql = &mut passive();
        let af = self.0.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let vc = af.create_vc(End::Placed, irql)?;
        let _ = vc.make_call(parameters, irql).keep();
        Ok(())
    }

    /// Sends frames on a call, several in one list.
    pub fn send(&self, vc: &Vc<Self>, frames: &[&[u8]]) {
        assert!(self.try_send(vc, frames));
    }

    pub fn try_send(&self, vc: &Vc<Self>, frames: &[&[u8]]) -> bool {
        let irql = &mut passive();
        lists(vc, frames).is_ok_and(|lists| vc.send(lists, irql).is_ok())
    }

    pub fn placed(&self) -> Vc<Self> {
        self.0.placed.lock().unwrap().last().cloned().unwrap()
    }

    pub fn taken(&self) -> Vc<Self> {
        self.0.taken.lock().unwrap().last().cloned().unwrap()
    }

    fn up(&self, vc: &Vc<Self>) -> &Mutex<Vec<Vc<Self>>> {
        match **vc {
            End::Placed => &self.0.placed,
            End::Taken => &self.0.taken,
        }
    }

    fn forget(&self, vc: &Vc<Self>) {
        let mut all = self.up(vc).lock().unwrap();
        let gone = all
            .iter()
            .position(|one| one.is(vc))
            .map(|at| all.swap_remove(at));
        drop(all);
        drop(gone);
    }
}

/// Lists of frames, two in each.
fn lists(vc: &Vc<Proxy>, frames: &[&[u8]]) -> Result<NetBufferLists, Status> {
    let binding = vc.af().binding();
    let mut lists = NetBufferLists::new(Side::Protocol);
    for both in frames.chunks(2) {
        let mut list = binding.allocate_list()?;
        for frame in both {
            let mut packet = binding.allocate_buffer(0, frame.len())?;
            packet.set_data(frame)?;
            list.push_back(packet).unwrap();
        }
        lists.push_back(list).unwrap();
    }
    Ok(lists)
}

impl Protocol for Proxy {
    const NAME: &'static str = "PROXY";
    type Binding = NetBufferListPool;
    type Role = AsClient;

    fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<NetBufferListPool, Status> {
        NetBufferListPool::for_sends(new.scope(), Tag::NDIS)
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let ringing = std::mem::take(&mut *self.0.ringing.lock().unwrap());
        drop(ringing);
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }
}

impl Client for Proxy {
    type Af = ();
    type Sap = ();
    type Vc = End;

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == TAPI_PROXY {
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let saps = self.0.saps.lock().unwrap().clone();
        for sap in saps {
            // Without a stack nobody calls there.
            if let Ok(sap) = af.register_sap((), sap.to_address().unwrap(), irql) {
                let _ = sap.keep();
            }
        }
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn af_closing(&self, _: &Af<Self>, _: &mut UpToDispatch) {
        let ringing = std::mem::take(&mut *self.0.ringing.lock().unwrap());
        drop(ringing);
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }

    fn sap_registered(&self, _: &Sap<Self>, result: Result<(), Status>, _: &mut UpToDispatch) {
        self.0.registered.lock().unwrap().push(result);
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<End, Status> {
        Ok(End::Taken)
    }

    fn incoming_call<'r>(
        &self,
        _: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let parameters = call.parameters().unwrap();
        let offered = tapi::IncomingCall::from_parameters(parameters).unwrap();
        let info = &offered.info;
        assert_eq!(info.media_mode, MediaModes::DIGITALDATA);
        assert!(Text::guess(info.caller_name).is("Nobody"));
        assert!(Text::guess(info.called).is("555-0002"));
        self.tell(
            parameters,
            info.line,
            info.address,
            Text::guess(info.caller),
        );
        let ring = *self.0.ring.lock().unwrap();
        match ring {
            Ring::Accept => {
                let (answer, call) = call.accept();
                let _ = call.keep();
                answer
            }
            Ring::Refuse => call.refuse(Status::REQUEST_ABORTED),
            Ring::Later => {
                let (answer, pending) = call.pend();
                self.0.ringing.lock().unwrap().push(pending);
                answer
            }
        }
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        _: &mut UpToDispatch,
    ) {
        if **vc == End::Placed {
            let parameters = parameters.unwrap();
            assert!(parameters.flags().contains(CallFlags::CHANGED), "TAPI-10");
            let call = tapi::MakeCall::from_parameters(parameters).unwrap();
            assert_eq!(call.params.unwrap().comment, b"hello\0");
            self.tell(parameters, call.line, call.address, Text::guess(&[]));
        }
        self.up(vc).lock().unwrap().push(vc.clone());
    }

    fn call_failed(&self, _: &Vc<Self>, status: Status, _: &mut UpToDispatch) {
        self.0.failed.lock().unwrap().push(status);
    }

    fn incoming_close(&self, vc: &Vc<Self>, status: Status, data: &[u8], _: &mut UpToDispatch) {
        self.0.closing.lock().unwrap().push(status);
        self.0.last_words.lock().unwrap().push(data.to_vec());
        self.forget(vc);
    }

    fn call_closed(&self, vc: &Vc<Self>, _: &mut UpToDispatch) {
        *self.0.closed.lock().unwrap() += 1;
        self.forget(vc);
    }

    fn receive(&self, _: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        for frame in lists.buffers() {
            let mut copy = vec![0; frame.len()];
            frame.copy_to(&mut copy).unwrap();
            self.0.heard.lock().unwrap().push(copy);
        }
        lists.give_back(irql);
    }

    fn vc_status(&self, _: &Vc<Self>, status: StatusIndication<'_>, _: &mut UpToDispatch) {
        match status.kind() {
            StatusKind::LinkParameters(link) => self.0.links.lock().unwrap().push(link),
            StatusKind::Fragment(one) => self.0.fragments.lock().unwrap().push(one.errors),
            other => panic!("{other:?}"),
        }
    }

    fn send_complete(&self, _: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        for list in lists.iter() {
            self.0.completed.lock().unwrap().push(list.status());
        }
        lists.free(irql);
    }
}

impl Proxy {
    fn tell(&self, parameters: CallParameters<'_>, line: u32, address: u32, caller: Text<'_>) {
        let flows = parameters.call_manager().unwrap();
        self.0.told.lock().unwrap().push(Told {
            line,
            address,
            transmit: flows.transmit().peak_bandwidth,
            receive: flows.receive().peak_bandwidth,
            largest: flows.transmit().max_sdu_size,
            caller: caller.chars().collect(),
        });
        assert_eq!(
            flows.transmit().max_sdu_size,
            flows.receive().max_sdu_size,
            "rule TAPI-09"
        );
    }
}
