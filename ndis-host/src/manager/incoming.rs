//! Call managers offer calls that come in, connect them, and announce that the far end
//! has hung up.

use crate::client::call::answered;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Names;
use crate::model::request::Asked;
use crate::model::vc::{Activity, CallPhase};
use crate::readings::{CrossingClose, DispatchIncomingCallResult, IncomingActivation};
use crate::settle::Settled;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const DISPATCH_CALL: Call = Call::of_managers(Names(
    "NdisMCmDispatchIncomingCall",
    "NdisCmDispatchIncomingCall",
))
.unlocked("GEN-01");
const CONNECTED: Call = Call::of_managers(Names(
    "NdisMCmDispatchCallConnected",
    "NdisCmDispatchCallConnected",
))
.unlocked("GEN-01");
const DISPATCH_CLOSE: Call = Call::of_managers(Names(
    "NdisMCmDispatchIncomingCloseCall",
    "NdisCmDispatchIncomingCloseCall",
))
.unlocked("GEN-01");

exports! { EXPORTS {
    /// Offers an incoming call to a client.
    fn NdisCmDispatchIncomingCall(
        sap: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
    ) -> i32 {
        let cx = Cx::enter(DISPATCH_CALL, &[sap, vc]);
        let call = cx.name();
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let sap = s
                .take(call, sap.addr(), Kind::CallManagerSap)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let number = s
                .take(call, vc.addr(), Kind::CallManagerVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let (Some(record), Some(vc)) = (s.world.saps.get(&sap), s.world.vcs.get(&number)) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let (af, leaving, sap_context) = (record.af, record.leaving, record.client_context);
            let (by_client, phase, activity) = (vc.by_client, vc.phase, vc.activity);
            if vc.af != Some(af) {
                let message = alloc::format!(
                    "{call}: {} was registered by another client than the one of {object}",
                    ObjectId::new(Kind::ClientSap, sap)
                );
                s.violate("SAP-26", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if by_client {
                let message = alloc::format!("{call} on {object}, which the client made");
                s.violate("CALL-41", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if phase != CallPhase::None || vc.offer.open() {
                let message = alloc::format!(
                    "{call} on {object}, which has a call ({phase}) or an offer without an answer"
                );
                s.violate("VC-53", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let early = s.readings.incoming_activation == IncomingActivation::BeforeDispatch;
            if early && activity != Activity::Active && !s.shares_active(number) {
                let message = alloc::format!("{call} on {object}, which is not active ({activity})");
                s.violate("CALL-24", Some(object), message);
                return Err(n::NDIS_STATUS_VC_NOT_ACTIVATED);
            }
            if leaving || s.refuses_calls(af) {
                // The client is deregistering; the call manager may not know yet.
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let handler = s.world.client(af).and_then(|c| c.ClIncomingCallHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            // SAFETY: the call manager's parameters, as far as its memory goes.
            unsafe { s.check_call_parameters(call, "CALL-26", object, parameters) };
            // SAFETY: as above.
            unsafe { s.check_offer(call, (af, number), parameters) };
            let what = alloc::format!("the call on {object} is being offered with these parameters");
            let loan = s.memory.lend(parameters.addr(), "CALL-26", Some(object), &what);
            let Some(vc) = s.world.vcs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            vc.offer();
            let context = vc.client_context;
            let callback = s.to_client("ProtocolClIncomingCall", af, object);
            let question = s.question(callback, Asked::OfferCall(number), loan);
            Ok((number, sap_context, context, handler, question))
        });
        let (number, sap_context, context, handler, question) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        cx.about(ObjectId::new(Kind::ClientVc, number));
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own contexts; the parameters
            // are the call manager's and stay valid until the client has answered.
            unsafe { handler(sap_context.0, context.0, parameters) }
        });
        cx.with(|s| {
            let Some(vc) = s.world.vcs.get_mut(&number) else {
                return;
            };
            if let Settled::Now(status) = settled {
                vc.take_answer(status);
            } else if vc.withdrawn && vc.phase != CallPhase::Withdrawn {
                // Closed meanwhile.
                let loan = vc.offer.loan.take();
                s.memory.give_back(loan);
            }
        });
        match settled {
            Settled::Now(status) => {
                let by_callback = cx.with(|s| {
                    s.readings.dispatch_incoming_call_result
                        == DispatchIncomingCallResult::PendingThenCallback
                });
                if !by_callback {
                    cx.with(|s| s.refusal_known(number));
                    return cx.done(status);
                }
                answered(&cx, number, status, parameters);
                cx.done(n::NDIS_STATUS_PENDING)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Tells a client that the call it took is connected.
    fn NdisCmDispatchCallConnected(vc: NDIS_HANDLE) {
        let cx = Cx::enter(CONNECTED, &[vc]);
        let call = cx.name();
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::CallManagerVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let vc = s.world.vcs.get_mut(&number)?;
            let (af, context, activity) = (vc.af, vc.client_context, vc.activity);
            if vc.by_client {
                let message = alloc::format!("{call} on {object}, which the client made");
                s.violate("CALL-38", Some(object), message);
                return None;
            }
            if vc.phase == CallPhase::Closing || (vc.phase == CallPhase::None && vc.calls > 0) {
                // The client has closed the call that it took, which the call
                // manager may learn of only now.
                return None;
            }
            if vc.phase != CallPhase::Accepted || vc.incoming_close {
                let message = alloc::format!(
                    "{call} on {object}, which has no accepted call to connect ({})",
                    vc.phase
                );
                s.violate("CALL-37", Some(object), message);
                return None;
            }
            vc.connect();
            if activity != Activity::Active {
                let message = alloc::format!("{call} on {object}, which is not active ({activity})");
                s.violate("VC-31", Some(object), message);
            }
            let af = af?;
            let handler = s.world.client(af)?.ClCallConnectedHandler?;
            let callback = s.to_client("ProtocolClCallConnected", af, object);
            Some((context, handler, callback))
        });
        if let Some((context, handler, callback)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(context.0) };
            });
        }
    }

    /// Tells a client that the other end has hung up.
    fn NdisCmDispatchIncomingCloseCall(
        status: i32,
        vc: NDIS_HANDLE,
        buffer: *mut c_void,
        size: u32,
    ) {
        let cx = Cx::enter(DISPATCH_CLOSE, &[vc]);
        let call = cx.name();
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::CallManagerVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            s.check_data(call, object, buffer, size);
            if !s.final_status(call, status, object) {
                return None;
            }
            let vc = s.world.vcs.get_mut(&number)?;
            let (af, context, phase) = (vc.af, vc.client_context, vc.phase);
            let refused_at = vc.refused_at;
            if vc.incoming_close {
                let message = alloc::format!("{call} on {object} a second time for the same call");
                s.violate("CALL-61", Some(object), message);
                return None;
            }
            match phase {
                CallPhase::Up | CallPhase::Accepted | CallPhase::Connected => {
                    vc.hang_up();
                }
                CallPhase::Closing => {
                    // It crosses the client's own close.
                    vc.hang_up();
                    if s.readings.crossing_close == CrossingClose::Swallowed {
                        s.note(Some(object), "the close crosses the client's own and ends here");
                        return None;
                    }
                }
                CallPhase::Offered => vc.withdraw(),
                CallPhase::None if refused_at.is_some_and(|at| !s.knows_of_refusal(number, at)) => {
                    // The client has refused, which the call manager may learn of only now.
                    s.note(Some(object), "the withdrawal crosses the client's refusal");
                    s.world.vcs.get_mut(&number)?.withdraw();
                }
                CallPhase::None | CallPhase::Making | CallPhase::Withdrawn => {
                    let message =
                        alloc::format!("{call} on {object}, which has no call to end ({phase})");
                    s.violate("CALL-61", Some(object), message);
                    return None;
                }
            }
            let af = af?;
            let handler = s.world.client(af)?.ClIncomingCloseCallHandler?;
            let callback = s.to_client("ProtocolClIncomingCloseCall", af, object);
            Some((context, handler, callback, number))
        });
        if let Some((context, handler, callback, number)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context; the data is
                // the call manager's for the time of the call.
                unsafe { handler(status, context.0, buffer, size) };
            });
            cx.with(|s| {
                // Only now can every thread of the client know.
                let seq = s.log.seq();
                if let Some(vc) = s.world.vcs.get_mut(&number)
                    && vc.told_at == u64::MAX
                {
                    vc.told_at = seq;
                }
            });
            cx.with(|s| {
                let now = s.log.seq();
                if let Some(vc) = s.world.vcs.get_mut(&number)
                    && vc.told
                {
                    vc.heard_at = now;
                }
            });
        }
    }
}}
