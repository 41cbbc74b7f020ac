//! A WAN miniport whose lines are joined by a null-modem cable: what Windows dials with, without a
//! network.
//!
//! All adapters of the driver are on one cable. Each line has a number, by which the lines of
//! every adapter call it, those of its own adapter among them. When an application answers there,
//! NDISWAN has a link at both ends, and what one end sends is handed up at the other one without
//! being copied. Either end may hang up.
//!
//! # What is declared
//!
//! An adapter has a few lines, each with a few addresses; a line takes as many calls at a time as
//! it has addresses, and is busy then. See [`Settings`].
//!
//! # The way of a call
//!
//! ```text
//! the caller's adapter                            the other adapter
//! dial: finds the number on the Wire, pends
//! work item ------------ Adapter::offer --------> the application rings
//!           <----------- Call::refuse ----------- refused
//!                                                 answered: Answered::connect
//! connected <----------- Call::connect ----------
//! ```
//!
//! Who hangs up, or goes away, tells the other end by `Call::hang_up`. Nobody answers for thirty
//! seconds: the caller hears so.
//!
//! # What it is asked
//!
//! The module `ndis_mcm::wan` answers what TAPI and NDISWAN ask, from what is declared and what was
//! counted. One OID is the driver's own: [`SPEED`]. Programs see the calls of an adapter by its
//! [control device](monitor).

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod calls;
pub mod leg;
pub mod monitor;
pub mod nic;
pub mod number;
mod pump;
pub mod settings;
mod wire;

use calls::Calls;
use leg::Leg;
use monitor::Monitor;
use ndis_co::{
    irql::{Passive, UpToDispatch},
    mem::Tag,
    oid::{Oid, QuerySet},
    tapi::Disconnect,
};
use ndis_mcm::{
    Answer, Initialized, Load, OidRequest, ServiceKey, Status,
    wan::{Adapter, Answered, Call, Dial, Frames, HangUp, NewWan, Wan, WanMiniport},
};
use nic::Nic;
use number::Prefix;
use settings::Settings;
use wire::Wire;

/// The tag of the driver's memory.
const TAG: Tag = Tag::new(*b"Null");

/// For how long a call rings, in milliseconds, before the caller hears that nobody answers.
const PATIENCE: u32 = 30_000;

/// An OID of the driver's own: the speed of an adapter's links, in bits a second. When it is set,
/// the links of all calls change, at both ends.
pub const SPEED: Oid<u32, QuerySet> = Oid::new(0xFF57_0001);

/// The driver: the cable.
#[derive(Debug)]
pub struct NullModem {
    wire: Wire,
}

impl NullModem {
    /// A driver without adapters.
    #[must_use]
    pub const fn new() -> Self {
        Self { wire: Wire::new() }
    }
}

impl Default for NullModem {
    fn default() -> Self {
        Self::new()
    }
}

impl Load for NullModem {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self::new())
    }
}

impl WanMiniport for NullModem {
    type Adapter = Nic;
    type Call = Leg;

    const OIDS: &'static [u32] = &[SPEED.number()];

    fn initialize<'i>(
        &self,
        init: NewWan<'i, Self>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let settings = Settings::read(&init.configuration(irql)?)?;
        let prefix = self.wire.reserve(&settings, irql)?;
        set_up(init, settings, prefix, irql).inspect_err(|_| self.wire.leave(prefix, irql))
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        adapter.all_calls().begin(adapter);
        self.wire.join(adapter, irql);
    }

    fn dial<'r>(&self, dial: Dial<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
        let Some(called) = self.wire.find(dial.number(), irql) else {
            return dial.refuse(Disconnect::BadAddress);
        };
        let leg = match Leg::try_new(None, dial.adapter().scope()) {
            Ok(leg) => leg,
            Err(_) => return dial.refuse(Disconnect::Congestion),
        };
        let (answer, dialing) = match dial.pend_for(leg, PATIENCE, irql) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        // The other end answers, by what it knows of this one.
        let call = dialing.keep();
        call.ring(&call, called, irql);
        answer
    }

    fn failed(&self, call: &Call<Self>, status: Status, irql: &mut UpToDispatch) {
        call.end(why(status), irql);
    }

    fn answered(&self, answered: Answered<Self>, irql: &mut UpToDispatch) {
        let call = answered.call().clone();
        let caller = call.far(irql);
        let Some(caller) = caller.filter(|caller| caller.stop_ringing(irql)) else {
            return answered.take_back(Disconnect::NoAnswer, irql);
        };
        // The other end may not know yet whom it has called.
        if caller.join(&call, irql).is_err() {
            answered.take_back(Disconnect::Congestion, irql);
            caller.refuse(Disconnect::Congestion, irql);
            return;
        }
        if !answered.connect(irql) {
            caller.refuse(Disconnect::Reject, irql);
            return;
        }
        let params = caller.adapter().params(call.adapter());
        if !caller.connect(params, irql) {
            // It ends already, or the adapter that calls goes.
            let _ = call.hang_up(Disconnect::Unavailable, irql);
        }
    }

    fn refused(&self, call: &Call<Self>, status: Status, irql: &mut UpToDispatch) {
        let why = Disconnect::from_status(status).unwrap_or(Disconnect::Reject);
        call.end(why, irql);
    }

    fn connected(&self, call: &Call<Self>, irql: &mut UpToDispatch) {
        if let Some(far) = call.far(irql) {
            // The speed may have changed since the call was offered.
            update(call, &far, irql);
            // What was sent from there can go on.
            far.wake();
        }
    }

    fn hang_up<'r>(
        &self,
        call: &Call<Self>,
        end: HangUp<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        call.end(Disconnect::Normal, irql);
        end.finish()
    }

    fn send(&self, call: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
        call.send(frames, irql);
    }

    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            call.give_back(Status::PAUSED, irql);
        }
    }

    fn running(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            if let Some(far) = call.far(irql) {
                // What has waited there for this end can go on.
                far.wake();
            }
        }
    }

    fn oid_request<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OidRequest<'r, Wan<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.is(SPEED) && request.kind().is_query() {
            return request.reply_to(SPEED, &adapter.speed());
        }
        match request.read(SPEED) {
            Ok((speed, request)) => match adapter.set_speed(speed) {
                Ok(()) => {
                    let mut calls = adapter.calls();
                    while let Some(call) = calls.next(irql) {
                        if let Some(far) = call.far(irql) {
                            update(&call, &far, irql);
                            update(&far, &call, irql);
                        }
                    }
                    request.accept(size_of_val(&speed))
                }
                Err(status) => request.refuse(status),
            },
            Err(answer) => answer,
        }
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        adapter.end_monitor(irql);
        self.wire.leave(adapter.prefix(), irql);
        adapter.all_calls().forget();
    }
}

/// Makes an adapter of these settings, whose numbers are kept for it.
fn set_up<'i>(
    init: NewWan<'i, NullModem>,
    settings: Settings,
    prefix: Prefix,
    irql: &mut Passive,
) -> Result<Initialized<'i>, Status> {
    let lines = nic::lines(&settings, prefix)?;
    let init = init.declare(nic::link(&settings), lines, irql)?;
    let calls = Calls::try_new()?;
    // Without it the adapter works as well.
    let monitor = Monitor::register(&init, prefix, calls.share(), irql).ok();
    let nic = Nic::new(settings, prefix, calls, monitor);
    init.finish(nic, irql)
}

/// Tells NDISWAN at one end when the link is not what it was.
fn update(call: &Call<NullModem>, far: &Call<NullModem>, irql: &mut UpToDispatch) {
    let params = call.adapter().params(far.adapter());
    if call.params() != params {
        // An error: it is over.
        let _ = call.set_params(params, irql);
    }
}

/// Why a call that was dialled has not come about, as the end that rang for it is told.
fn why(status: Status) -> Disconnect {
    Disconnect::from_status(status).unwrap_or(Disconnect::NoAnswer)
}

ndis_mcm::driver_entry!(Wan<NullModem>);
