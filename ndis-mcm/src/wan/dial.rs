//! [`Dial`] and [`Dialing`]: an application calls.

use super::{
    Adapter, Wan, WanMiniport,
    call::Call,
    deadline,
    link::LinkParams,
    nic::Taken,
    state::{CallCore, Direction, Waiting},
};
use crate::{Answer, MakeCall, Status, Vc};
use core::{fmt, ops};
use ndis_co::{
    armed::{Alarm, Armed},
    irql::{Irql, NoLock},
    mem::Arc,
    params::CallParametersBuf,
    tapi::{self, CallParams, Disconnect, Text},
};

/// The longest number that is dialled, in bytes.
const MAX_NUMBER: usize = 1024;

/// What is asked for, with a number that is not too long.
fn checked(asked: Result<tapi::MakeCall<'_>, Status>) -> Result<tapi::MakeCall<'_>, Status> {
    match asked {
        Ok(asked) if asked.destination.len() > MAX_NUMBER => Err(Status::TAPI_INVALADDRESS),
        asked => asked,
    }
}

/// What is asked for, with what the call became: address and flow (rules TAPI-09, TAPI-10).
fn answer<W: WanMiniport>(
    call: &Call<W>,
    asked: Result<tapi::MakeCall<'_>, Status>,
    params: LinkParams,
) -> Result<CallParametersBuf, Status> {
    let became = tapi::MakeCall {
        line: call.line(),
        address: call.address(),
        ..checked(asked)?
    };
    let largest = call.adapter().link.max_frame();
    became.to_parameters(
        tapi::flow(params.speeds.transmit_bytes(), largest),
        tapi::flow(params.speeds.receive_bytes(), largest),
    )
}

/// An application calls: the token of the request. An address is kept for the call.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::Disconnect;
/// use ndis_mcm::{Answer, wan::{Dial, Dialing, WanMiniport}};
///
/// /// Begins the call on the network, which answers later.
/// fn dial<'r, W: WanMiniport<Call = ()>>(
///     dial: Dial<'r, W>,
///     signal: impl FnOnce(Dialing<W>),
/// ) -> Answer<'r> {
///     if !dial.number().is("555-1234") {
///         return dial.refuse(Disconnect::BadAddress);
///     }
///     match dial.pend(()) {
///         Ok((answer, dialing)) => {
///             signal(dialing);
///             answer
///         }
///         Err(answer) => answer,
///     }
/// }
/// ```
///
/// Source page: [making-outgoing-calls](https://learn.microsoft.com/windows-hardware/drivers/network/making-outgoing-calls).
#[must_use = "a request must be answered"]
#[doc(alias = "lineMakeCall")]
#[doc(alias = "CO_AF_TAPI_MAKE_CALL_PARAMETERS")]
pub struct Dial<'r, W: WanMiniport> {
    request: MakeCall<'r, Wan<W>>,
    vc: Vc<Wan<W>>,
    taken: Taken<W>,
}

impl<'r, W: WanMiniport> Dial<'r, W> {
    pub(super) fn try_new(
        vc: &Vc<Wan<W>>,
        request: MakeCall<'r, Wan<W>>,
    ) -> Result<Self, Answer<'r>> {
        let taken = checked(request.telephony())
            .and_then(|asked| Taken::try_new(vc.base(), asked.line, asked.address));
        match taken {
            Ok(taken) => Ok(Self {
                request,
                vc: vc.clone(),
                taken,
            }),
            Err(status) => Err(request.refuse(status)),
        }
    }

    /// The adapter that is to call.
    #[must_use]
    pub fn adapter(&self) -> &Adapter<W> {
        self.taken.adapter()
    }

    /// The number of the line that is to call: the one that the application has chosen, or one
    /// that is free.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.taken.place().line
    }

    /// The number of the address on it.
    #[must_use]
    pub fn address(&self) -> u32 {
        self.taken.place().address
    }

    /// Whom to call, 1024 bytes at most. Its encoding is nowhere documented, and guessed.
    #[must_use]
    #[doc(alias = "DestAddress")]
    pub fn number(&self) -> Text<'_> {
        let asked = self.request.telephony();
        Text::guess(asked.map(|asked| asked.destination).unwrap_or_default())
    }

    /// What the application wants of the call; `None` when the device's defaults count.
    ///
    /// Who names nothing gets a call of interactive voice by TAPI's defaults: a call for data is
    /// not refused for that alone.
    #[must_use]
    #[doc(alias = "LINE_CALL_PARAMS")]
    pub fn params(&self) -> Option<CallParams<'_>> {
        self.request.telephony().ok()?.params
    }

    /// The network needs time: the second value tells what has become of the call. `context` is
    /// what the driver keeps for it.
    ///
    /// # Errors
    ///
    /// The answer, when there is no memory: the call is refused.
    pub fn pend(self, context: W::Call) -> Result<(Answer<'r>, Dialing<W>), Answer<'r>> {
        let params = self.adapter().link.params();
        let (request, call) = self.begin(context, params)?;
        let (answer, waits) = request.pend();
        let waiting = Waiting {
            waits,
            deadline: None,
            overtaken: 0,
        };
        call.core().dialing.set(Some(waiting));
        let dialing = Dialing(Armed::new(call));
        if dialing.adapter().ends() {
            // The halt may have come by before there was anything to refuse.
            drop(dialing.core().take_waiting());
        }
        Ok((answer, dialing))
    }

    /// As [`pend`](Self::pend), for so many milliseconds at most: when nobody has answered the call
    /// by then, the module refuses it. Its application sees that nobody answers
    /// ([`Disconnect::NoAnswer`]), the driver that the call has [failed](WanMiniport::failed).
    ///
    /// How long an application itself wants to wait, it may say in
    /// [`CallParams::no_answer_timeout`](ndis_co::tapi::CallParams::no_answer_timeout), in seconds.
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_co::irql::UpToDispatch;
    /// use ndis_mcm::{Answer, wan::{Dial, Dialing, WanMiniport}};
    ///
    /// /// Begins the call on the network, which has half a minute.
    /// fn dial<'r, W: WanMiniport<Call = ()>>(
    ///     dial: Dial<'r, W>,
    ///     signal: impl FnOnce(Dialing<W>),
    ///     irql: &mut UpToDispatch,
    /// ) -> Answer<'r> {
    ///     let wanted = dial.params().map_or(0, |params| params.no_answer_timeout);
    ///     let seconds = if wanted == 0 { 30 } else { wanted.min(300) };
    ///     match dial.pend_for((), seconds * 1000, irql) {
    ///         Ok((answer, dialing)) => {
    ///             signal(dialing);
    ///             answer
    ///         }
    ///         Err(answer) => answer,
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "ulNoAnswerTimeout")]
    pub fn pend_for(
        self,
        context: W::Call,
        milliseconds: u32,
        irql: &mut impl Irql,
    ) -> Result<(Answer<'r>, Dialing<W>), Answer<'r>> {
        let timer = match deadline::timer(self.adapter()) {
            Ok(timer) => timer,
            Err(status) => return Err(self.refuse_with(status)),
        };
        let (answer, dialing) = self.pend(context)?;
        // It may be answered already, by the halt.
        deadline::begin(&dialing, timer, milliseconds, irql);
        Ok((answer, dialing))
    }

    /// The call is up at once, with a link like this.
    pub fn connect(
        self,
        context: W::Call,
        params: LinkParams,
        irql: &mut impl NoLock,
    ) -> Answer<'r> {
        let (request, call) = match self.begin(context, params) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        match answer(&call, request.telephony(), params) {
            Ok(parameters) => {
                let answer = request.accept_with(parameters, irql);
                if call.adapter().ends() {
                    // The halt may have come by before there was anything to hang up.
                    let _ = call.hang_up(Disconnect::Unavailable, irql);
                }
                answer
            }
            Err(status) => {
                call.end();
                request.refuse(status)
            }
        }
    }

    fn begin(
        self,
        context: W::Call,
        params: LinkParams,
    ) -> Result<(MakeCall<'r, Wan<W>>, Call<W>), Answer<'r>> {
        let Self { request, vc, taken } = self;
        let place = taken.place();
        let link = taken.adapter().of_all.get();
        match CallCore::try_new(context, place, Direction::Outgoing, params, link) {
            Ok(core) => {
                vc.begin(Arc::clone(&core));
                let call = Call::begin(vc, core);
                taken.begin(call.clone());
                Ok((request, call))
            }
            Err(_) => Err(request.refuse(Status::RESOURCES)),
        }
    }

    /// The call cannot be: the application hears why.
    pub fn refuse(self, why: Disconnect) -> Answer<'r> {
        self.refuse_with(why.into())
    }

    /// As [`refuse`](Self::refuse), for another reason: one of the statuses of TAPI, such as
    /// [`Status::TAPI_INVALCALLPARAMS`].
    pub fn refuse_with(self, status: Status) -> Answer<'r> {
        // The address is free before who called knows.
        drop(self.taken);
        self.request.refuse(status)
    }
}

impl<W: WanMiniport> fmt::Debug for Dial<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial")
            .field("line", &self.line())
            .field("address", &self.address())
            .field("number", &self.number())
            .finish()
    }
}

/// A call that is on its way through the network: it derefs to the [`Call`].
///
/// Say what has become of it, in bounded time, or [state a time](Dial::pend_for) after which the
/// module does. Dropping it refuses the call, with [`Status::FAILURE`].
///
/// It holds the call. In what the driver keeps for that same call it would be a cycle, which nobody
/// breaks but who takes it out: [keep](Self::keep) the answer in the call instead.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::UpToDispatch, tapi::Disconnect};
/// use ndis_mcm::wan::{Dialing, LinkParams, Speeds, WanMiniport};
///
/// /// The other end has been rung, and has answered.
/// fn network_answers<W: WanMiniport>(dialing: Dialing<W>, busy: bool, irql: &mut UpToDispatch) {
///     if busy {
///         dialing.refuse(Disconnect::Busy, irql);
///     } else {
///         dialing.connect(LinkParams::new(Speeds::both(64_000), 4), irql);
///     }
/// }
/// ```
#[must_use = "a dropped call is refused"]
pub struct Dialing<W: WanMiniport>(Armed<Call<W>, GiveUp>);

/// Refuses a call that nobody says anything of.
struct GiveUp;

impl<W: WanMiniport> Alarm<Call<W>> for GiveUp {
    fn lost(call: Call<W>) {
        drop(call.core().take_waiting());
    }
}

impl<W: WanMiniport> Dialing<W> {
    /// The call is up, with a link like this. [`WanMiniport::connected`] tells when data may flow,
    /// usually before this returns. (When there is no memory to tell the client of the link,
    /// [`WanMiniport::failed`] does.)
    ///
    /// `false` when it is over already: the adapter goes, or the call was
    /// [hung up](Call::hang_up).
    pub fn connect(self, params: LinkParams, irql: &mut impl NoLock) -> bool {
        self.keep().connect(params, irql)
    }

    /// The call is not to be; the application hears why, and [`WanMiniport::failed`] comes before
    /// this returns.
    pub fn refuse(self, why: Disconnect, irql: &mut impl NoLock) {
        self.refuse_with(why.into(), irql);
    }

    /// As [`refuse`](Self::refuse), for another reason.
    pub fn refuse_with(self, status: Status, irql: &mut impl NoLock) {
        self.keep().refuse_with(status, irql);
    }

    /// The answer is given by the [`Call`] itself, from wherever the driver has it:
    /// [`Call::connect`], [`Call::refuse`]. Nothing but the halt, or the end of its
    /// [time](Call::answer_within), refuses a call that the driver forgets: until then its
    /// application waits, and its client cannot go.
    ///
    /// That is for drivers that find the call again by what they keep for it.
    pub fn keep(self) -> Call<W> {
        self.0.disarm()
    }
}

/// A call that is dialled, and whose answer was [kept](Dialing::keep).
impl<W: WanMiniport> Call<W> {
    /// As [`Dialing::connect`]: the call is up, with a link like this.
    ///
    /// `false` when it is not dialled any more: it was answered, or is over.
    pub fn connect(&self, params: LinkParams, irql: &mut impl NoLock) -> bool {
        let Some(waits) = self.core().take_waiting() else {
            return false;
        };
        self.core().set_params(params);
        match answer(self, waits.telephony(), params) {
            Ok(parameters) => waits.accept_with(parameters, irql),
            Err(status) => waits.refuse(status, irql),
        }
        true
    }

    /// As [`Dialing::refuse`]: the call is not to be. `false` when it is not dialled any more.
    pub fn refuse(&self, why: Disconnect, irql: &mut impl NoLock) -> bool {
        self.refuse_with(why.into(), irql)
    }

    /// As [`refuse`](Self::refuse), for another reason.
    pub fn refuse_with(&self, status: Status, irql: &mut impl NoLock) -> bool {
        let Some(waits) = self.core().take_waiting() else {
            return false;
        };
        waits.refuse(status, irql);
        true
    }
}

impl<W: WanMiniport> ops::Deref for Dialing<W> {
    type Target = Call<W>;
    fn deref(&self) -> &Call<W> {
        &self.0
    }
}

impl<W: WanMiniport> fmt::Debug for Dialing<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialing").field(&*self.0).finish()
    }
}
