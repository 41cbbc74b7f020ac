//! What the layer asks a miniport call manager, from what the driver says of a WAN adapter.

use super::{
    Adapter, Answered, Call, Dial, Frames, HangUp, NewWan, Wan, WanMiniport, deadline, nic::Nic,
    oids, state::OnVc,
};
use crate::{
    AcceptedCall, Af, Answer, CallManager, Carry, CloseCall, DeregisterSap, Initialize,
    Initialized, Load, MakeCall, Mcm, Miniport, New, OidRequest, OpenAf, PowerSource, RegisterSap,
    Sap, SendLists, ServiceKey, Status, Vc, miniport::Counted,
};
use ndis_co::{
    channel::Channel,
    cm,
    family::Family,
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    oid::RequestId,
    params::CallParameters,
    power::PowerState,
    tapi::{Disconnect, LineSap},
};

impl<W: WanMiniport + Load> Load for Wan<W> {
    fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        W::load(key, irql).map(Self::new)
    }
}

impl<W: WanMiniport> Miniport for Wan<W> {
    type Adapter = Nic<W>;
    type Role = Mcm;

    const VERSION: (u8, u8) = W::VERSION;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        W::initialize(self, NewWan::new(init), irql)
    }

    fn initialized(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        W::initialized(self, adapter, irql);
    }

    fn pause(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        W::pause(self, adapter, irql);
    }

    fn restart(&self, adapter: &Adapter<W>, irql: &mut Passive) -> Result<(), Status> {
        W::restart(self, adapter, irql)
    }

    fn running(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        W::running(self, adapter, irql);
    }

    fn set_power(&self, adapter: &Adapter<W>, state: PowerState, irql: &mut UpToDispatch) {
        deadline::set_power(adapter, state, irql);
        W::set_power(self, adapter, state, irql);
    }

    fn oid_request<'r>(
        &self,
        adapter: &Adapter<W>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match oids::answer(adapter, None, request, irql) {
            Ok(answer) => answer,
            Err(request) => W::oid_request(self, adapter, request, irql),
        }
    }

    fn oid_cancelled(&self, adapter: &Adapter<W>, id: RequestId, irql: &mut UpToDispatch) {
        W::oid_cancelled(self, adapter, id, irql);
    }

    fn surprise_removed(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        W::surprise_removed(self, adapter, irql);
    }

    fn power_source(&self, adapter: &Adapter<W>, source: PowerSource, irql: &mut Passive) {
        W::power_source(self, adapter, source, irql);
    }

    fn shutdown(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        W::shutdown(self, adapter, irql);
    }

    /// Rule [TAPI-14]: what is dialled is refused, and each client hears that its call ends.
    ///
    /// [TAPI-14]: ndis_sys::rules#TAPI-14
    fn halting(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        adapter.end();
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            // An error: it ends already.
            let _ = call.hang_up(Disconnect::Unavailable, irql);
        }
    }

    fn halt(&self, adapter: &Adapter<W>, irql: &mut Passive) {
        adapter.forget(irql);
        W::halt(self, adapter, irql);
    }
}

impl<W: WanMiniport> CallManager for Wan<W> {
    type Base = Adapter<W>;
    type Af = ();
    type Sap = LineSap;
    type Vc = OnVc<W>;

    /// In whatever version: which one NDPROXY opens, no page says.
    fn open_af<'r>(
        &self,
        adapter: &Adapter<W>,
        request: OpenAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if adapter.ends() {
            request.refuse(Status::CLOSING)
        } else if request.family().family == Family::TAPI_PROXY {
            request.accept(())
        } else {
            request.refuse(Status::BAD_VERSION)
        }
    }

    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let what = LineSap::parse(request.address());
        let kept = what.and_then(|what| {
            af.base().reserve_sap(what, af.clone(), irql)?;
            Ok(what)
        });
        match kept {
            Ok(what) => {
                let (answer, sap) = request.accept(what);
                af.base().publish_sap(sap, irql);
                answer
            }
            Err(status) => request.refuse(status),
        }
    }

    fn deregister_sap<'r>(
        &self,
        sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        sap.base().withdraw_sap(sap, irql);
        request.finish()
    }

    /// Also for a VC on which no call is placed: one that belongs to another one's call.
    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<OnVc<W>, Status> {
        Ok(OnVc::new())
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        if let Some(call) = Call::on(vc, irql) {
            call.end();
        }
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match Dial::try_new(vc, request) {
            Ok(dial) => self.dial(dial, irql),
            Err(answer) => answer,
        }
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        if let Some(call) = Call::on(vc, irql) {
            call.tell(irql);
            self.connected(&call, irql);
        }
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        if let Some(call) = Call::on(vc, irql) {
            call.end();
            self.failed(&call, status, irql);
        }
    }

    fn incoming_call_accepted(
        &self,
        accepted: AcceptedCall<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        match Call::on(accepted.vc(), irql) {
            Some(call) => self.answered(Answered::new(accepted, call), irql),
            None => accepted.close(Disconnect::Unknown.into(), irql),
        }
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        if let Some(call) = Call::on(vc, irql) {
            call.end();
            self.refused(&call, status, irql);
        }
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match Call::on(vc, irql) {
            Some(call) => self.hang_up(&call, HangUp::new(call.clone(), request), irql),
            None => request.finish(irql),
        }
    }

    fn oid_request<'r>(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        request: cm::OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match oids::answer(af.base(), vc, request, irql) {
            Ok(answer) => answer,
            Err(request) => request.not_supported(),
        }
    }
}

impl<W: WanMiniport> Carry for Wan<W> {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let Some(call) = Call::on(vc, irql) else {
            lists.complete(Status::VC_NOT_ACTIVATED, irql);
            return;
        };
        call.tell(irql);
        let longest = vc.base().link.longest();
        let frames = Frames::new(call, lists);
        let frames = if frames.iter().all(|frame| frame.len() <= longest) {
            frames
        } else {
            frames.without_longer(longest, irql)
        };
        if frames.list_count() != 0 {
            let call = frames.call().clone();
            W::send(self, &call, frames, irql);
        }
    }

    fn returned(&self, adapter: &Adapter<W>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        W::returned(self, adapter, lists, irql);
    }

    fn vc_oid_request<'r>(
        &self,
        vc: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let request = match oids::answer(vc.base(), Some(vc), request, irql) {
            Ok(answer) => return answer,
            Err(request) => request,
        };
        match Call::on(vc, irql) {
            Some(call) => self.call_oid_request(&call, request, irql),
            // Nothing has flowed on it.
            None => Counted::OfVc(vc.statistics()).answer_alone(request),
        }
    }
}
