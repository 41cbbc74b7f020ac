//! A miniport call manager that is a switch.
//!
//! Clients register SAPs by number. A call to a number rings whoever
//! registered it: the caller is pended, and both ends are connected when the
//! callee accepts. The call is refused when nobody is there, when the callee
//! refuses, or when it rings for too long. Frames sent on one end arrive on
//! the other one, in receive buffers of the switch. Either end may hang up.
//!
//! The "network" between the ends is a queue that one work item empties (see
//! [`switch`]), so that nothing is delivered from within a request.
//!
//! # What it is asked
//!
//! The layer answers what every adapter is asked, from the attributes and the
//! counters. One OID is the switch's own, [`NUMBERS`].
//!
//! # What a client sends
//!
//! - address family [`FAMILY`] 1.0;
//! - SAP type [`ADDRESS_NUMBER`], four bytes: the number, little-endian;
//! - in the call manager's specific parameters of a call, type
//!   [`ADDRESS_NUMBER`], four bytes: the number that is called.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod line;
pub mod switch;

use line::Line;
use ndis_co::{
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    oid::Oid,
    params::CallParameters,
    power::PowerState,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, DeregisterSap,
    Initialize, Initialized, Load, MakeCall, Mcm, Miniport, New, OidRequest, OpenAf, RegisterSap,
    Sap, SendLists, ServiceKey, Status, Vc,
};
use switch::Switch;

/// The address family of the switch: a number outside Microsoft's range.
pub const FAMILY: Family = Family::new(0x4C6F_6F70);

/// The family in the version that the switch registers.
pub const ADDRESS_FAMILY: AddressFamily = AddressFamily::new(FAMILY, 1, 0);

/// The type of a SAP, and of a call's specific parameters: a number.
pub const ADDRESS_NUMBER: u32 = 1;

/// The longest frame that the switch carries, in bytes.
pub const MAX_FRAME: u32 = 16 * 1024;

/// An OID of the switch's own: how many numbers are registered, as a query.
pub const NUMBERS: Oid<u32> = Oid::new(0xFF4C_0001);

/// The driver. It keeps nothing itself: all is with its adapters.
#[derive(Debug)]
pub struct Loopback;

/// One adapter.
#[derive(Debug)]
pub struct Nic {
    switch: Switch,
}

impl Load for Loopback {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self)
    }
}

impl Miniport for Loopback {
    type Adapter = Nic;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let attributes = Attributes::wan()
            .max_frame(MAX_FRAME)
            .vendor_description(c"Loopback switch")
            .oids(const { &[NUMBERS.number()] });
        let init = init.attributes(&attributes, irql)?;
        let switch = Switch::try_new(init.scope())?;
        let mut init = init.adapter(Nic { switch })?;
        // The last step: clients may call from here on.
        init.register_address_family(ADDRESS_FAMILY, irql)?;
        Ok(init.finish())
    }

    fn pause(&self, nic: &Adapter<Self>, irql: &mut Passive) {
        nic.switch.pause(irql);
    }

    fn restart(&self, nic: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        nic.switch.restart(irql);
        Ok(())
    }

    fn set_power(&self, nic: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        nic.switch.set_power(state, irql);
    }

    fn oid_request<'r>(
        &self,
        nic: &Adapter<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.is(NUMBERS) {
            request.reply_to(NUMBERS, &nic.switch.count(irql))
        } else {
            request.not_supported()
        }
    }

    fn halt(&self, nic: &Adapter<Self>, irql: &mut Passive) {
        nic.switch.halt(irql);
    }
}

impl CallManager for Loopback {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = u32;
    type Vc = Line;

    fn open_af<'r>(
        &self,
        _nic: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.family() == ADDRESS_FAMILY {
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
        let address = request.address();
        let number = match number(address.sap_type(), address.bytes()) {
            Ok(number) => number,
            Err(status) => return request.refuse(status),
        };
        // Reserve first, so that an accepted SAP is always found.
        match af.base().switch.reserve(number, irql) {
            Ok(()) => {
                let (answer, sap) = request.accept(number);
                af.base().switch.publish(number, sap, irql);
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
        sap.base().switch.withdraw(**sap, irql);
        request.finish()
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<Line, Status> {
        Ok(Line::calling())
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let number = match dialled(request.parameters()) {
            Ok(number) => number,
            Err(status) => return request.refuse(status),
        };
        let nic = vc.base();
        let Some(sap) = nic.switch.find(number, irql) else {
            return request.refuse(Status::NO_ROUTE_TO_DESTINATION);
        };
        let (answer, caller) = request.pend();
        nic.switch.ring(sap, caller, irql);
        answer
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        vc.base().switch.connected(vc, irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        vc.base().switch.broken(vc, status, irql);
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let nic = call.vc().base().clone();
        nic.switch.connect(call, irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        vc.base().switch.broken(vc, status, irql);
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        vc.base().switch.hang_up(vc, request.data(), irql);
        request.finish(irql)
    }
}

impl Carry for Loopback {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        vc.base().switch.carry(lists, irql);
    }
}

/// A number of the switch's own format.
fn number(kind: u32, bytes: &[u8]) -> Result<u32, Status> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(bytes) if kind == ADDRESS_NUMBER => Ok(u32::from_le_bytes(bytes)),
        _ => Err(Status::INVALID_DATA),
    }
}

/// The number that a call is for.
fn dialled(parameters: Option<CallParameters<'_>>) -> Result<u32, Status> {
    let parameters = parameters.ok_or(Status::INVALID_DATA)?;
    let manager = parameters.call_manager().ok_or(Status::INVALID_DATA)?;
    let specific = manager.specific()?;
    number(specific.param_type, specific.bytes)
}

ndis_mcm::driver_entry!(Loopback);
