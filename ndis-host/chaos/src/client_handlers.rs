//! What NDIS asks of the random client, as [`crate::handlers`] has it for the call manager.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    client::Calls,
    driver::Driver,
    frame,
    lent::{self, Seen},
    manager::{ABOVE, FAMILIES},
    oids,
    told::{Line, Office, Told, up},
};
use ndis_co::{
    Answer, Status,
    client::{Af, AfOffer, Binding, Client, IncomingCall, OidRequest, OpenAf, Received, Sap, Vc},
    family::AddressFamily,
    indication::{StatusIndication, StatusKind},
    irql::{NoLock, Passive, UpToDispatch},
    nbl::NetBufferLists,
    oid::{Answered, ToAdapter, ToManager},
    params::CallParameters,
};
use std::sync::atomic::Ordering::SeqCst;

impl<K: Calls> Client for Driver<K> {
    type Af = Office;
    type Sap = Office;
    type Vc = Line;

    fn address_family(
        &self,
        binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        let x = K::client(&self.shared);
        if !FAMILIES.contains(&offer.family()) && !ABOVE.contains(&offer.family()) {
            x.world.found(format!("{:?} is offered", offer.family()));
        }
        x.mischief(irql.up_to_dispatch());
        let _ = x.bindings.put(binding.desk.place, binding.clone());
        if x.world
            .decide(&[(1, Act::OfferIgnore), (8, Act::OfferOpen)])
            == Act::OfferOpen
        {
            let parent = x.parent(|| Box::new(binding.clone()));
            let office = Office {
                told: Told::default(),
                context: x.context("client's AF", binding.desk.place, parent),
            };
            if let Err(status) = offer.open(office, irql) {
                x.world.failure("open", status);
            }
        }
        x.world.linger(irql);
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let x = K::client(&self.shared);
        up(&af.told.up);
        let place = af.binding().desk.place;
        if x.world.chance(3, 4) {
            x.world.did(Act::StashAf);
            let _ = x.afs.put(place, Af::clone(&af));
        }
        for _ in 0..x.world.below(3) {
            x.register(&af, irql.up_to_dispatch());
        }
        x.world.linger(irql);
        for _ in 0..x.world.below(3) {
            x.create(&af, irql.up_to_dispatch());
        }
        x.wait_for_end("af_opened", &af, irql);
        x.mischief(irql.up_to_dispatch());
        match x.world.decide(&[
            (12, Act::OpenedKeep),
            (1, Act::OpenedDrop),
            (1, Act::OpenedClose),
            (2, Act::OpenedStash),
        ]) {
            Act::OpenedDrop => drop(af),
            Act::OpenedClose => af.close(irql),
            Act::OpenedStash => {
                let _ = x.open.put(place, af);
            }
            _ => {
                let _ = x.afs.put(place, af.keep());
            }
        }
        x.world.linger(irql);
    }

    fn af_open_failed(
        &self,
        _binding: &Binding<Self>,
        _family: AddressFamily,
        status: Status,
        irql: &mut Passive,
    ) {
        let x = K::client(&self.shared);
        x.world.failure("the open", status);
        x.wait_for_any_end("af_open_failed", irql);
        x.mischief(irql.up_to_dispatch());
    }

    fn af_closing(&self, _af: &Af<Self>, irql: &mut UpToDispatch) {
        K::client(&self.shared).mischief(irql);
    }

    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        up(&af.told.over);
        K::client(&self.shared).mischief(irql);
    }

    fn sap_registered(&self, sap: &Sap<Self>, result: Result<(), Status>, irql: &mut UpToDispatch) {
        match result {
            Ok(()) => up(&sap.told.up),
            Err(status) => K::client(&self.shared)
                .world
                .failure("the registration", status),
        }
        K::client(&self.shared).mischief(irql);
    }

    fn sap_deregistered(&self, sap: &Sap<Self>, irql: &mut UpToDispatch) {
        up(&sap.told.over);
        K::client(&self.shared).mischief(irql);
    }

    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Line, Status> {
        let x = K::client(&self.shared);
        x.mischief(irql);
        let line = x.line(af);
        x.world.may_fail(Act::ClientVcErr)?;
        x.world.did(Act::ClientVcOk);
        Ok(line)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        up(&vc.told.deleted);
        if vc.is_connected() {
            K::client(&self.shared)
                .world
                .found("a VC is deleted while connected");
        }
        K::client(&self.shared).mischief(irql);
    }

    fn incoming_call<'r>(
        &self,
        sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::client(&self.shared);
        let world = &x.world;
        let seen = Seen::of(call.parameters());
        if world.chance(1, 3) {
            world.did(Act::StashSap);
            let _ = x.saps.put(call.vc().place, sap.clone());
        }
        x.mischief(irql);
        lent::still(world, Act::AgainRing, &seen, call.parameters());
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::RingPendRefuse),
                (1, Act::RingPendDrop),
                (2, Act::RingRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            Act::RingPendAccept
        } else {
            Act::RingAccept
        };
        world.did(act);
        let answer = match act {
            Act::RingRefuse => call.refuse(world.status()),
            Act::RingAccept => {
                let (answer, call) = call.accept();
                x.dispose(call, irql);
                answer
            }
            _ => {
                let binding = call.vc().af().binding();
                let (answer, token) = call.pend();
                let exchange = x.clone();
                x.later(&binding, irql, move |irql| {
                    exchange.answer(act, token, irql);
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let x = K::client(&self.shared);
        up(&vc.told.up);
        if vc.told.asked.load(SeqCst) > 0 {
            up(&vc.told.answered);
        }
        let seen = Seen::of(parameters);
        x.keep_vc(vc);
        if x.world.chance(x.world.temper.data, 16) {
            x.send(vc, irql);
        }
        if x.world.chance(1, 8) {
            x.hang_up(vc, irql);
        }
        x.mischief(irql);
        lent::still(&x.world, Act::AgainConnected, &seen, parameters);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        up(&vc.told.answered);
        K::client(&self.shared).world.failure("the call", status);
        K::client(&self.shared).mischief(irql);
    }

    fn incoming_close(&self, vc: &Vc<Self>, _status: Status, data: &[u8], irql: &mut UpToDispatch) {
        let x = K::client(&self.shared);
        if let Some(whole) = x.life.whole()
            && x.world.chance(1, 2)
        {
            whole.call_over(vc.context.number, irql);
        }
        let seen = data.to_vec();
        x.mischief(irql);
        lent::still_bytes(&x.world, Act::AgainEndData, &seen, data);
    }

    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        up(&vc.told.over);
        let x = K::client(&self.shared);
        if let Some(whole) = x.life.whole() {
            whole.call_closed(vc.context.number, irql);
        }
        x.mischief(irql);
    }

    fn oid_request<'r>(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::client(&self.shared);
        if let Some(vc) = vc {
            x.keep_vc(vc);
        }
        x.mischief(irql);
        let later = |job, irql: &mut _| x.later(&af.binding(), irql, job);
        let answer = oids::answer(&x.world, request, irql, oids::not_held, later);
        x.mischief(irql);
        answer
    }

    fn oid_completed(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        answered: Answered<ToManager>,
        irql: &mut UpToDispatch,
    ) {
        let x = K::client(&self.shared);
        oids::heard(&x.world, answered, |request| match vc {
            Some(vc) => vc.request(request, irql),
            None => af.request(request, irql),
        });
        x.mischief(irql);
    }

    fn vc_oid_completed(
        &self,
        vc: &Vc<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let x = K::client(&self.shared);
        oids::heard(&x.world, answered, |request| {
            vc.request_of_adapter(request, irql)
        });
        x.mischief(irql);
    }

    fn vc_status(&self, vc: &Vc<Self>, status: StatusIndication<'_>, irql: &mut UpToDispatch) {
        let x = K::client(&self.shared);
        let seen = status.bytes().to_vec();
        if let StatusKind::LinkParameters(line) = status.kind() {
            vc.told.shut.store(line.send_window == 0, SeqCst);
        }
        if x.world.dares(Act::IndicateStash, 3, 4) {
            let _ = x.vcs.put(vc.place, vc.clone());
        }
        x.mischief(irql);
        lent::still_bytes(&x.world, Act::AgainStatus, &seen, status.bytes());
    }

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        let x = K::client(&self.shared);
        let world = &x.world;
        let frames = frame::keys(world, "received", lists.iter());
        vc.end.arrived(world, "received", &frames);
        x.mischief(irql);
        world.did(Act::AgainReceived);
        let again = frame::keys(world, "received", lists.iter());
        if again != frames {
            world.found(format!("received {frames:?}, which has become {again:?}"));
        }
        if world.temper.pongs > 0 {
            return lists.give_back(irql);
        }
        match world.choose(&[
            (3, Act::ReceiveGiveBack),
            (2, Act::ReceiveDrop),
            (3, Act::ReceiveHold),
        ]) {
            Act::ReceiveDrop => {
                world.did(Act::ReceiveDrop);
                drop(lists);
            }
            Act::ReceiveHold => match lists.keep() {
                Ok(kept) => {
                    world.did(Act::ReceiveHold);
                    x.hold(vc.place, kept, irql);
                }
                Err(lists) => drop(lists),
            },
            _ => {
                world.did(Act::ReceiveGiveBack);
                lists.give_back(irql);
            }
        }
        x.mischief(irql);
    }

    fn send_complete(&self, vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let x = K::client(&self.shared);
        let world = &x.world;
        let (own, clones) = frame::come_home(world, "sent and back", lists, |key, status, fate| {
            let right = match fate {
                Some(fate) => status == fate,
                None => !status.is_success(),
            };
            if !right && !world.is_relayed(key) {
                world.found(format!("frame {key:?} comes back with {status}"));
            }
        });
        if let Some(clones) = clones {
            x.free(clones, irql);
        }
        if let Some(own) = own {
            if world.chance(1, 3) {
                let _ = x.home.put(vc.place, own);
            } else {
                world.did(Act::HomeDrop);
                x.free(own, irql);
            }
        }
        if world.pong() {
            x.send(vc, irql);
        }
        x.mischief(irql);
    }
}
