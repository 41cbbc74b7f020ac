//! [`Offer`] and [`Answered`]: somebody calls this machine.

use super::{
    Adapter, Wan, WanMiniport,
    call::Call,
    error::OfferError,
    lines::Place,
    link::LinkParams,
    nic::Taken,
    state::{CallCore, Direction, OnVc},
};
use crate::{AcceptedCall, Active, CreatedVc, Sap, Status};
use core::fmt;
use ndis_co::{
    irql::NoLock,
    mem::Arc,
    params::CallParametersBuf,
    tapi::{
        self, ANY_ADDRESS, ANY_LINE, CallInfo, CallOrigin, CallReason, CallStates, Disconnect,
        IncomingCall, PartyIdFlags, TextBuf,
    },
};

/// A call that comes from the network, as the application hears of it.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::Offer;
///
/// // To whatever address of line 1 is free.
/// let call = Offer { line: 1, caller: "555-1234", ..Offer::default() };
/// # assert_eq!(call.called, "");
/// ```
///
/// Source page: [accepting-incoming-calls](https://learn.microsoft.com/windows-hardware/drivers/network/accepting-incoming-calls).
#[derive(Clone, Copy, Debug)]
#[doc(alias = "LINE_CALL_INFO")]
#[doc(alias = "CO_AF_TAPI_INCOMING_CALL_PARAMETERS")]
pub struct Offer<'a> {
    /// The number of the line that is called, or [`ANY_LINE`].
    pub line: u32,
    /// The number of the address on it, or [`ANY_ADDRESS`].
    pub address: u32,
    /// The number of who calls; empty when it is not known.
    pub caller: &'a str,
    /// The name of who calls; empty when it is not known.
    pub caller_name: &'a str,
    /// The number that was called; empty when it is not known.
    pub called: &'a str,
    /// What the link will be; [`Link::params`](super::Link::params) when that is not said.
    pub params: Option<LinkParams>,
}

impl Default for Offer<'_> {
    /// Of nobody, to whatever address is free.
    fn default() -> Self {
        Self {
            line: ANY_LINE,
            address: ANY_ADDRESS,
            caller: "",
            caller_name: "",
            called: "",
            params: None,
        }
    }
}

/// A string that may be missing: there is no memory for nothing.
struct Party {
    bytes: Option<TextBuf>,
}

impl Party {
    fn try_new(text: &str) -> Result<Self, Status> {
        let bytes = match text {
            "" => None,
            text => Some(TextBuf::utf16(text)?),
        };
        Ok(Self { bytes })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }

    fn flag(&self, flag: PartyIdFlags) -> PartyIdFlags {
        match self.bytes {
            Some(_) => flag,
            None => PartyIdFlags::empty(),
        }
    }
}

/// What is known of a party.
fn known(flags: PartyIdFlags) -> PartyIdFlags {
    if flags.is_empty() {
        PartyIdFlags::UNAVAIL
    } else {
        flags
    }
}

impl Offer<'_> {
    /// The call parameters of it (rule TAPI-11), twice: those of the activation, and those that
    /// the client sees.
    fn parameters<W: WanMiniport>(
        &self,
        adapter: &Adapter<W>,
        place: Place,
        params: LinkParams,
    ) -> Result<[CallParametersBuf; 2], Status> {
        let (caller, name) = (
            Party::try_new(self.caller)?,
            Party::try_new(self.caller_name)?,
        );
        let called = Party::try_new(self.called)?;
        let (media, bearer) = adapter.lines.modes(place.line);
        let info = CallInfo {
            line: place.line,
            address: place.address,
            bearer_mode: bearer,
            media_mode: media,
            rate: params.speeds.tapi_rate(),
            states: CallStates::OFFERING,
            origin: CallOrigin::INBOUND,
            reason: CallReason::DIRECT,
            trunk: u32::MAX,
            caller_flags: known(caller.flag(PartyIdFlags::ADDRESS) | name.flag(PartyIdFlags::NAME)),
            called_flags: known(called.flag(PartyIdFlags::ADDRESS)),
            connected_flags: PartyIdFlags::UNAVAIL,
            redirection_flags: PartyIdFlags::UNAVAIL,
            redirecting_flags: PartyIdFlags::UNAVAIL,
            caller: caller.bytes(),
            caller_name: name.bytes(),
            called: called.bytes(),
            ..CallInfo::default()
        };
        let largest = adapter.link.max_frame();
        let transmit = tapi::flow(params.speeds.transmit_bytes(), largest);
        let receive = tapi::flow(params.speeds.receive_bytes(), largest);
        let build = || IncomingCall { info }.to_parameters(transmit, receive);
        Ok([build()?, build()?])
    }
}

/// What a call is offered with.
struct Ready<W: WanMiniport> {
    taken: Taken<W>,
    sap: Sap<Wan<W>>,
    params: LinkParams,
    parameters: [CallParametersBuf; 2],
}

/// A VC to who takes calls there, activated.
fn open<'s, W: WanMiniport>(
    sap: &'s Sap<Wan<W>>,
    parameters: CallParametersBuf,
    irql: &mut impl NoLock,
) -> Result<CreatedVc<'s, Wan<W>, Active>, Status> {
    let vc = sap.create_vc(OnVc::new(), irql)?;
    vc.activate(parameters, irql).map_err(|failed| {
        failed.vc.delete(irql);
        failed.status
    })
}

impl<W: WanMiniport> crate::Adapter<Wan<W>> {
    /// A call has come from the network: offers it to the application that takes calls there.
    /// `context` is what the driver keeps for it.
    ///
    /// The answer comes as [`WanMiniport::answered`] or [`WanMiniport::refused`], possibly before
    /// this returns. When the caller gives up meanwhile, [hang up](Call::hang_up).
    ///
    /// Source page: [accepting-incoming-calls](https://learn.microsoft.com/windows-hardware/drivers/network/accepting-incoming-calls).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_SAP`] when no application takes calls there,
    /// [`Status::TAPI_CALLUNAVAIL`] when each address of it has a call, [`Status::CLOSING`] when
    /// the adapter or the application goes away, [`Status::RESOURCES`], what NDIS or the client
    /// answers. The context comes back.
    #[doc(alias = "NdisMCmDispatchIncomingCall")]
    #[doc(alias = "NdisMCmCreateVc")]
    pub fn offer(
        &self,
        offer: &Offer<'_>,
        context: W::Call,
        irql: &mut impl NoLock,
    ) -> Result<Call<W>, OfferError<W::Call>> {
        let ready = match self.prepare(offer, irql) {
            Ok(ready) => ready,
            Err(status) => return Err(OfferError { context, status }),
        };
        let Ready {
            taken,
            sap,
            params,
            parameters: [for_vc, for_client],
        } = ready;
        let vc = match open(&sap, for_vc, irql) {
            Ok(vc) if !self.ends() => vc,
            Ok(vc) => {
                vc.delete(irql);
                let status = Status::CLOSING;
                return Err(OfferError { context, status });
            }
            Err(status) => return Err(OfferError { context, status }),
        };
        let (place, link) = (taken.place(), self.of_all.get());
        // Last, so that nobody else can have it when anything fails.
        let made = CallCore::try_new(context, place, Direction::Incoming, params, link);
        let core = match made {
            Ok(core) => core,
            Err(context) => {
                vc.delete(irql);
                let status = Status::RESOURCES;
                return Err(OfferError { context, status });
            }
        };
        vc.begin(Arc::clone(&core));
        let call = Call::begin((*vc).clone(), core);
        taken.begin(call.clone());
        vc.dispatch_incoming_call(for_client, irql);
        call.offered(irql);
        if self.ends() {
            // The halt may have come by before there was anything to hang up.
            let _ = call.hang_up(Disconnect::Unavailable, irql);
        }
        Ok(call)
    }

    /// Finds who takes calls there, and says what they are told.
    fn prepare(&self, offer: &Offer<'_>, irql: &mut impl NoLock) -> Result<Ready<W>, Status> {
        let (taken, sap) = self.find(offer, irql)?;
        let params = offer.params.unwrap_or(self.link.params());
        let parameters = offer.parameters(self, taken.place(), params)?;
        Ok(Ready {
            taken,
            sap,
            params,
            parameters,
        })
    }

    /// A free address, and who takes calls on it.
    fn find(
        &self,
        offer: &Offer<'_>,
        irql: &mut impl NoLock,
    ) -> Result<(Taken<W>, Sap<Wan<W>>), Status> {
        let mut refusal = Status::INVALID_SAP;
        for place in self.lines.places(offer.line, offer.address) {
            let (media, _) = self.lines.modes(place.line);
            if let Some(sap) = self.sap(place, media, irql) {
                match Taken::try_new(self, place.line, place.address) {
                    Ok(taken) => return Ok((taken, sap)),
                    Err(status) => refusal = status,
                }
            }
        }
        Err(refusal)
    }
}

/// The application has answered a call: the token to connect it, or to take it back.
///
/// Dropping it takes the call back, with [`Status::FAILURE`].
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::UpToDispatch, tapi::Disconnect};
/// use ndis_mcm::wan::{Answered, WanMiniport};
///
/// fn answered<W: WanMiniport>(call: Answered<W>, still_there: bool, irql: &mut UpToDispatch) {
///     if still_there {
///         // `false` when the application has hung up meanwhile.
///         call.connect(irql);
///     } else {
///         call.take_back(Disconnect::NoAnswer, irql);
///     }
/// }
/// ```
#[must_use = "an answered call is connected or taken back"]
#[doc(alias = "lineAnswer")]
pub struct Answered<W: WanMiniport> {
    accepted: AcceptedCall<Wan<W>>,
    call: Call<W>,
}

impl<W: WanMiniport> Answered<W> {
    pub(super) fn new(accepted: AcceptedCall<Wan<W>>, call: Call<W>) -> Self {
        Self { accepted, call }
    }

    /// The call.
    #[must_use]
    pub fn call(&self) -> &Call<W> {
        &self.call
    }

    /// The call is up. [`WanMiniport::connected`] tells when data may flow, usually before this
    /// returns. `false` when the call is over already.
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    pub fn connect(self, irql: &mut impl NoLock) -> bool {
        self.accepted.connect(irql)
    }

    /// The caller is gone: the application is told, and [`WanMiniport::hang_up`] is next.
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn take_back(self, why: Disconnect, irql: &mut impl NoLock) {
        self.accepted.close(why.into(), irql);
    }
}

impl<W: WanMiniport> fmt::Debug for Answered<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answered").field(&self.call).finish()
    }
}
