//! What NDIS asks of the random call manager: every handler does one of the things that it may do,
//! and then looks again at what it was lent.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    driver::Driver,
    lent::{self, Seen},
    manager::{ABOVE, FAMILIES, Kind, Line, address, on_channel},
    oids,
    world::{Context, Reference},
};
use ndis_co::{
    Answer, Status,
    cm::{
        AcceptedCall, Af, CallManager, CloseAf, CloseCall, DeregisterSap, MakeCall, OidRequest,
        OpenAf, RegisterSap, Sap, Vc,
    },
    irql::UpToDispatch,
    oid::{Answered, ToClient},
    params::CallParameters,
};
use std::sync::atomic::Ordering::SeqCst;

/// How often one call's close is refused: a client tries a thousand times.
const REFUSALS: u32 = 2;

impl<K: Kind> CallManager for Driver<K> {
    type Base = K::Base;
    type Af = Context;
    type Sap = Context;
    type Vc = Line;

    fn open_af<'r>(
        &self,
        base: &K::Base,
        request: OpenAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        let world = &x.world;
        if !FAMILIES.contains(&request.family()) && !ABOVE.contains(&request.family()) {
            world.found(format!("{:?} is opened", request.family()));
        }
        x.mischief(irql);
        let context = |base: &K::Base| {
            let parent = world
                .dares(Act::StoreParent, 1, 3)
                .then(|| -> Reference { Box::new(base.clone()) });
            x.context("manager's AF", K::desk(base).place, parent)
        };
        let (refuse, pend) = (world.temper.refuse, world.temper.pend);
        let act = if world.chance(refuse, 64) {
            world.choose(&[
                (2, Act::OpenPendRefuse),
                (1, Act::OpenPendDrop),
                (2, Act::OpenRefuse),
            ])
        } else if world.chance(pend, 16) {
            Act::OpenPendAccept
        } else {
            Act::OpenAccept
        };
        world.did(act);
        let answer = match act {
            Act::OpenRefuse => request.refuse(world.status()),
            Act::OpenAccept => request.accept(context(base)),
            _ => {
                let (answer, token) = request.pend();
                let (context, world_of) = (context(base), world.clone());
                x.later(base, irql, move |irql| match act {
                    Act::OpenPendAccept => token.accept(context, irql),
                    Act::OpenPendRefuse => {
                        // The token holds the adapter.
                        drop(context);
                        token.refuse(world_of.status(), irql);
                    }
                    _ => {
                        drop(context);
                        drop(token);
                    }
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn close_af<'r>(
        &self,
        af: &Af<Self>,
        request: CloseAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        x.mischief(irql);
        let answer = if x.world.chance(x.world.temper.pend, 16) {
            let act = x.world.decide(&[
                (3, Act::CloseAfPendFinish),
                (1, Act::CloseAfPendDrop),
                (0, Act::CloseAfPendFinish),
            ]);
            let (answer, token) = request.pend();
            x.later(af.base(), irql, move |irql| {
                if act == Act::CloseAfPendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            x.world.did(Act::CloseAfFinish);
            request.finish()
        };
        x.mischief(irql);
        answer
    }

    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        let world = &x.world;
        address(world, "a SAP that is asked for", request.address());
        let base = af.base();
        let place = K::desk(base).place;
        let parent = world
            .dares(Act::StoreParent, 1, 3)
            .then(|| -> Reference { Box::new(af.clone()) });
        let context = x.context("manager's SAP", place, parent);
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::SapPendRefuse),
                (1, Act::SapPendDrop),
                (2, Act::SapRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            Act::SapPendAccept
        } else {
            Act::SapAccept
        };
        world.did(act);
        let answer = match act {
            Act::SapRefuse => request.refuse(world.status()),
            Act::SapAccept => {
                let (answer, sap) = request.accept(context);
                let _ = x.saps.put(place, sap);
                answer
            }
            _ => {
                let (answer, token) = request.pend();
                let exchange = x.clone();
                x.later(base, irql, move |irql| {
                    let world = &exchange.world;
                    address(world, "a SAP that waits", token.address());
                    match act {
                        Act::SapPendAccept => {
                            let sap = token.accept(context, irql);
                            let _ = exchange.saps.put(place, sap);
                        }
                        Act::SapPendRefuse => {
                            // The token holds the family, and so the adapter.
                            drop(context);
                            token.refuse(world.status(), irql);
                        }
                        _ => {
                            drop(context);
                            drop(token);
                        }
                    }
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        x.mischief(irql);
        address(&x.world, "a SAP that goes", sap.address());
        let answer = if x.world.chance(x.world.temper.pend, 16) {
            let act = x
                .world
                .decide(&[(1, Act::SapGonePendDrop), (3, Act::SapGonePendFinish)]);
            let (answer, token) = request.pend();
            x.later(sap.base(), irql, move |irql| {
                if act == Act::SapGonePendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            x.world.did(Act::SapGoneFinish);
            request.finish()
        };
        x.mischief(irql);
        answer
    }

    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Line, Status> {
        let x = K::manager(&self.shared);
        x.mischief(irql);
        if x.only_joins() {
            return Err(Status::NOT_SUPPORTED);
        }
        let line = x.line(K::desk(af.base()).place, || Box::new(af.clone()));
        x.world.may_fail(Act::ManagerVcErr)?;
        x.world.did(Act::ManagerVcOk);
        Ok(line)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        if vc.deleted.swap(true, SeqCst) {
            K::manager(&self.shared)
                .world
                .found("a VC is deleted twice");
        }
        if vc.is_connected() {
            K::manager(&self.shared)
                .world
                .found("a VC is deleted while connected");
        }
        if let Some(whole) = K::manager(&self.shared).life.whole() {
            whole.vc_deleted(vc.context.number);
        }
        K::manager(&self.shared).mischief(irql);
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        let world = &x.world;
        let seen = Seen::of(request.parameters());
        x.keep_vc(vc);
        x.mischief(irql);
        lent::still(world, Act::AgainMakeCall, &seen, request.parameters());
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::MakePendRefuse),
                (1, Act::MakePendDrop),
                (2, Act::MakeRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            world.choose(K::ACCEPTS[1])
        } else {
            world.choose(K::ACCEPTS[0])
        };
        world.did(act);
        let answer = match act {
            Act::MakeRefuse => request.refuse(world.status()),
            Act::MakeAccept => request.accept(irql),
            Act::MakeAcceptWith => match lent::parameters(world) {
                Ok(parameters) => request.accept_with(parameters, irql),
                Err(status) => request.refuse(status),
            },
            Act::MakeAcceptLink => match on_channel(world.number()) {
                Ok(link) => request.accept_with_link(link, irql),
                Err(status) => request.refuse(status),
            },
            Act::MakeJoin => {
                let (answer, token) = request.pend();
                K::join(x, token, irql);
                answer
            }
            _ => {
                let (answer, token) = request.pend();
                let exchange = x.clone();
                x.later(vc.base(), irql, move |irql| {
                    let world = &exchange.world;
                    lent::still(world, Act::AgainPended, &seen, token.parameters());
                    match act {
                        Act::MakePendAccept => token.accept(irql),
                        Act::MakePendAcceptWith => match lent::parameters(world) {
                            Ok(parameters) => token.accept_with(parameters, irql),
                            Err(status) => token.refuse(status, irql),
                        },
                        Act::MakePendAcceptLink => match on_channel(world.number()) {
                            Ok(link) => token.accept_with_link(link, irql),
                            Err(status) => token.refuse(status, irql),
                        },
                        Act::MakePendRefuse => token.refuse(world.status(), irql),
                        _ => drop(token),
                    }
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let x = K::manager(&self.shared);
        x.keep_vc(vc);
        K::is_up(x, vc, irql);
        x.mischief(irql);
    }

    fn call_failed(&self, _vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        K::manager(&self.shared).world.failure("the call", status);
        K::manager(&self.shared).mischief(irql);
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let x = K::manager(&self.shared);
        let seen = Seen::of(parameters);
        x.mischief(irql);
        if x.world.chance(x.world.temper.pend, 16) {
            x.world.did(Act::RingLater);
            let place = call.vc().place;
            x.hold(
                |x| &x.accepted,
                place,
                call,
                irql,
                |x, call, irql| {
                    x.settle(call, irql);
                },
            );
        } else {
            x.settle(call, irql);
        }
        x.mischief(irql);
        lent::still(&x.world, Act::AgainAccepted, &seen, parameters);
    }

    fn oid_request<'r>(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        if let Some(vc) = vc {
            x.keep_vc(vc);
        }
        x.mischief(irql);
        let later = |job, irql: &mut _| x.later(af.base(), irql, job);
        let answer = oids::answer(&x.world, request, irql, oids::not_held, later);
        x.mischief(irql);
        answer
    }

    fn oid_completed(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        answered: Answered<ToClient>,
        irql: &mut UpToDispatch,
    ) {
        let x = K::manager(&self.shared);
        oids::heard(&x.world, answered, |request| match vc {
            Some(vc) => vc.request(request, irql),
            None => af.request(request, irql),
        });
        x.mischief(irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        K::manager(&self.shared)
            .world
            .failure("the offered call", status);
        K::is_refused(K::manager(&self.shared), vc, irql);
        K::manager(&self.shared).mischief(irql);
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = K::manager(&self.shared);
        let world = &x.world;
        let data = request.data().to_vec();
        K::is_closed(x, vc, irql);
        x.mischief(irql);
        lent::still_bytes(world, Act::AgainCloseData, &data, request.data());
        let refusable = vc.refusals.load(SeqCst) < REFUSALS;
        let answer = if refusable && world.dares(Act::CloseRefuse, world.temper.refuse, 64) {
            vc.refusals.fetch_add(1, SeqCst);
            request.refuse(world.status())
        } else if world.chance(world.temper.pend, 16) {
            let act = world.decide(&[(1, Act::ClosePendDrop), (3, Act::ClosePendFinish)]);
            let (answer, token) = request.pend();
            x.later(vc.base(), irql, move |irql| {
                if act == Act::ClosePendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            world.did(Act::CloseFinish);
            request.finish(irql)
        };
        x.mischief(irql);
        answer
    }
}
