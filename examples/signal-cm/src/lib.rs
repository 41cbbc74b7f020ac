//! A stand-alone call manager that signals over a link.
//!
//! It is bound to adapters of a connection-oriented miniport that sets up no calls: each
//! carries data on channels, and what is sent on a channel of one arrives on the same channel
//! of another one. Clients register numbers. A call to a number goes over the link to the call
//! manager at the other end, which offers it to whoever has the number there; when that one
//! accepts, both ends are connected, and the clients' data flow on a channel of the call's own,
//! without passing through here. Either end may hang up.
//!
//! The two ends speak on channel 0, over a [signaling VC](ndis_co::cm::SignalingVc):
//!
//! ```text
//! caller's end                              callee's end
//!      │ ───── SETUP channel, number ─────────> │  offers the call
//!      │ <──── CONNECT ──────────────────────── │  accepted
//!      │ <═════ data, on that channel ════════> │
//!      │ ───── RELEASE status ────────────────> │  either end, at any time
//!      │ <──── RELEASED ─────────────────────── │
//! ```
//!
//! # What a client sends
//!
//! - address family [`FAMILY`] 1.0;
//! - SAP type [`ADDRESS_NUMBER`], four bytes: the number, little-endian;
//! - in the call manager's specific parameters of a call, type [`ADDRESS_NUMBER`], four bytes:
//!   the number that is called.
//!
//! # What the miniport gets
//!
//! In the media's specific parameters of an activation, type [`MEDIA_CHANNEL`], four bytes: the
//! channel, little-endian.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod call;
mod calls;
mod link;
mod message;
mod numbers;
mod port;
mod pump;

pub use call::Line;
pub use port::Port;

use core::sync::atomic::{AtomicU16, Ordering};
use message::Message;
use ndis_co::{
    Answer, Load, ServiceKey, Status,
    cm::{
        AcceptedCall, Af, AsCallManager, CallManager, CloseCall, DeregisterSap, MakeCall, OpenAf,
        RegisterSap, Sap, SignalingVc, StandaloneCallManager, Vc,
    },
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    params::{CallParameters, CallParametersBuf, FlowSpec, Specific},
    protocol::{Binding, NewBinding, OpenedBinding, Protocol, Received},
};

/// The tag of the driver's memory.
pub(crate) const TAG: Tag = Tag::new(*b"Sign");

/// The address family: a number outside Microsoft's range.
pub const FAMILY: Family = Family::new(0x4C6F_6F70);

/// The family in the version that is registered.
pub const ADDRESS_FAMILY: AddressFamily = AddressFamily::new(FAMILY, 1, 0);

/// The type of a SAP, and of a call's specific parameters: a number.
pub const ADDRESS_NUMBER: u32 = 1;

/// The type of the media's specific parameters: a channel.
pub const MEDIA_CHANNEL: u32 = 0;

/// The channel on which the call managers speak.
pub const SIGNALING_CHANNEL: u32 = 0;

/// The longest frame that a callee is told to expect, in bytes.
pub const MAX_FRAME: u32 = 16 * 1024;

/// The driver.
#[derive(Debug)]
pub struct SignalCm {
    /// How many bindings there have been. Both ends of a link are bindings of this driver, so
    /// that this tells them apart; between two machines it would take something of theirs.
    bindings: AtomicU16,
}

impl SignalCm {
    /// The driver before its first binding.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bindings: AtomicU16::new(0),
        }
    }
}

impl Default for SignalCm {
    fn default() -> Self {
        Self::new()
    }
}

impl Load for SignalCm {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self::new())
    }
}

impl Protocol for SignalCm {
    const NAME: &'static str = "SIGNALCM";
    type Binding = Port;
    type Role = AsCallManager;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Port, Status> {
        let number = self.bindings.fetch_add(1, Ordering::Relaxed);
        Port::try_new(number, adapter.scope())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        let way = on_channel(SIGNALING_CHANNEL)
            .and_then(|parameters| binding.create_signaling_vc((), parameters, irql));
        // Without a way there is nobody to call, and no family; without a family the way is
        // of no use, and goes with the binding.
        if way.is_ok() {
            let _ = binding.register_address_family(ADDRESS_FAMILY, irql);
        }
    }

    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        binding.restarted(irql);
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        binding.close(irql);
    }
}

impl StandaloneCallManager for SignalCm {
    type Signaling = ();

    fn signaling_activated(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        vc.binding().opened(vc, irql);
    }

    fn signaling_failed(&self, vc: &SignalingVc<Self>, _status: Status, irql: &mut UpToDispatch) {
        vc.binding().broken(irql);
    }

    fn signaling_receive(
        &self,
        vc: &SignalingVc<Self>,
        lists: Received<'_, Self>,
        irql: &mut UpToDispatch,
    ) {
        for frame in lists.buffers() {
            let mut bytes = [0; message::LEN];
            let copied = frame.copy_to(&mut bytes);
            let message = copied
                .ok()
                .and_then(|len| Message::decode(bytes.get(..len)?));
            if let Some(message) = message {
                vc.binding().arrived(message, irql);
            }
        }
        lists.give_back(irql);
    }

    fn signaling_closed(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        vc.binding().shut(irql);
    }
}

impl CallManager for SignalCm {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = u32;
    type Vc = Line;

    fn open_af<'r>(
        &self,
        _binding: &Binding<Self>,
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
        match af.base().reserve(number, irql) {
            Ok(()) => {
                let (answer, sap) = request.accept(number);
                af.base().publish(number, sap, irql);
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
        sap.base().withdraw(**sap, irql);
        request.finish()
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<Line, Status> {
        Ok(Line::new(0))
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let port = vc.base();
        let reference = dialled(request.parameters()).and_then(|number| port.dial(number, irql));
        match reference {
            Ok(reference) => {
                vc.begin(reference);
                let (answer, caller) = request.pend();
                port.place(reference, caller, irql);
                answer
            }
            Err(status) => request.refuse(status),
        }
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        vc.base().connected(vc, irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        vc.base().over(vc, status, irql);
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let binding = call.vc().base().clone();
        binding.accepted(call, irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        vc.base().over(vc, status, irql);
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        vc.base().hang_up(vc, request, irql)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        vc.base().over(vc, Status::FAILURE, irql);
    }
}

/// A number of a client's, in the family's own format.
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

/// What the miniport is told of a VC.
pub(crate) fn on_channel(channel: u32) -> Result<CallParametersBuf, Status> {
    let media = Specific {
        param_type: MEDIA_CHANNEL,
        bytes: &channel.to_le_bytes(),
    };
    CallParametersBuf::builder().media_specific(media).build()
}

/// What a client is told of a call that comes in.
pub(crate) fn offer(number: u32) -> Result<CallParametersBuf, Status> {
    let flow = FlowSpec::best_effort(MAX_FRAME);
    CallParametersBuf::builder()
        .transmit(flow)
        .receive(flow)
        .call_manager_specific(Specific {
            param_type: ADDRESS_NUMBER,
            bytes: &number.to_le_bytes(),
        })
        .build()
}

ndis_co::driver_entry!(SignalCm);

#[cfg(test)]
mod tests {
    /// Runs what allocates memory, for which there must be a kernel.
    pub(crate) fn on_host(body: impl FnOnce() + Send + 'static) {
        let host = ndis_host::Host::builder().build();
        host.spawn("test", body);
        host.run();
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}
