//! [`MakeCall`] and [`IncomingCall`]: the TAPI structures in the media's part of call parameters.

use super::{
    Flat,
    bytes::{Descriptor, Field, aligned, put, word},
    call_info::CallInfo,
    call_params::CallParams,
    flat::cleared,
};
use crate::{
    Status,
    params::{CallParameters, CallParametersBuf, FlowSpec, Specific},
};
use core::mem::offset_of;
use ndis_sys::{CO_AF_TAPI_INCOMING_CALL_PARAMETERS, CO_AF_TAPI_MAKE_CALL_PARAMETERS};

bitflags::bitflags! {
    /// Which way a call goes, and whether it has parameters.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Direction: u32 {
        /// An application calls.
        #[doc(alias = "CO_TAPI_FLAG_OUTGOING_CALL")]
        const OUTGOING = ndis_sys::CO_TAPI_FLAG_OUTGOING_CALL as u32;
        /// An application is called.
        #[doc(alias = "CO_TAPI_FLAG_INCOMING_CALL")]
        const INCOMING = ndis_sys::CO_TAPI_FLAG_INCOMING_CALL as u32;
        /// The defaults of the device count, and not the parameters.
        #[doc(alias = "CO_TAPI_FLAG_USE_DEFAULT_CALLPARAMS")]
        const DEFAULT_PARAMS = ndis_sys::CO_TAPI_FLAG_USE_DEFAULT_CALLPARAMS as u32;
        /// Other bits stay visible.
        const _ = !0;
    }
}

impl Field for Direction {
    const SIZE: usize = u32::SIZE;

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        u32::read(bytes, at).map(Self::from_bits_retain)
    }

    fn write(self, room: &mut [u8], at: usize) {
        self.bits().write(room, at);
    }
}

/// Best effort at so many bytes a second at most, with frames of at most so many bytes: what a
/// call manager says of either direction of a call (rule [TAPI-10]). The frame size that came with
/// a call is wrong (rule [TAPI-09]).
///
/// [TAPI-09]: ndis_sys::rules#TAPI-09
/// [TAPI-10]: ndis_sys::rules#TAPI-10
#[must_use]
#[doc(alias = "PeakBandwidth")]
#[doc(alias = "MaxSduSize")]
pub const fn flow(peak_bandwidth: u32, max_sdu_size: u32) -> FlowSpec {
    FlowSpec {
        peak_bandwidth,
        ..FlowSpec::best_effort(max_sdu_size)
    }
}

/// What an application asks for when it calls: `CO_AF_TAPI_MAKE_CALL_PARAMETERS` (rule
/// [TAPI-09]).
///
/// NDPROXY hands it to a call manager of [`Family::TAPI_PROXY`], and when the call is up to the
/// client that carries it, NDISWAN.
///
/// ```
/// use ndis_co::{Status, cm::{CallManager, PendingMakeCall}, irql::NoLock, tapi::{self, MakeCall}};
/// # use ndis_host as _;
///
/// // The network has connected the call at 1,000,000 bytes a second, with frames of 1500 bytes.
/// fn connected<M: CallManager>(
///     call: PendingMakeCall<M>,
///     asked: &MakeCall<'_>,
///     irql: &mut impl NoLock,
/// ) {
///     let flow = tapi::flow(1_000_000, 1500);
///     match asked.to_parameters(flow, flow) {
///         // Says that parameters have changed.
///         Ok(parameters) => call.accept_with(parameters, irql),
///         Err(status) => call.refuse(status, irql),
///     }
/// }
/// ```
///
/// Source pages: [making-outgoing-calls](https://learn.microsoft.com/windows-hardware/drivers/network/making-outgoing-calls), [specifying-parameters-for-an-outgoing-call](https://learn.microsoft.com/windows-hardware/drivers/network/specifying-parameters-for-an-outgoing-call).
///
/// [`Family::TAPI_PROXY`]: crate::family::Family::TAPI_PROXY
/// [TAPI-09]: ndis_sys::rules#TAPI-09
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_AF_TAPI_MAKE_CALL_PARAMETERS")]
pub struct MakeCall<'a> {
    /// The number of the line.
    #[doc(alias = "ulLineID")]
    pub line: u32,
    /// The number of the address on the line.
    #[doc(alias = "ulAddressID")]
    pub address: u32,
    /// Whether the defaults of the device count instead of `params`.
    #[doc(alias = "CO_TAPI_FLAG_USE_DEFAULT_CALLPARAMS")]
    pub default_params: bool,
    /// Whom to call, at most 65,535 bytes: an array of characters, whose encoding and terminator
    /// are nowhere documented. Read it with [`Text::guess`](super::Text::guess).
    #[doc(alias = "DestAddress")]
    pub destination: &'a [u8],
    /// What the application wants of the call; with `default_params` neither read nor written.
    #[doc(alias = "LineCallParams")]
    pub params: Option<CallParams<'a>>,
}

pub(super) const MAKE: usize = size_of::<CO_AF_TAPI_MAKE_CALL_PARAMETERS>();
const MAKE_LINE: usize = offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, ulLineID);
const MAKE_ADDRESS: usize = offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, ulAddressID);
pub(super) const MAKE_FLAGS: usize = offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, ulFlags);
pub(super) const DESTINATION: usize = offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, DestAddress);
pub(super) const PARAMS: usize = offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, LineCallParams);

/// What is behind a descriptor begins where any structure may.
const ALIGN: usize = size_of::<usize>();

/// The parameters that a descriptor stands for, if it does for any.
pub(super) fn some_params(bytes: &[u8]) -> Result<Option<CallParams<'_>>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let params = CallParams::parse(bytes);
    params.map(Some).map_err(|_| Status::INVALID_DATA)
}

/// How the data that a descriptor stands for is found: from the bytes, the place of the
/// descriptor, and the size of the fixed part.
pub(super) trait Find<'a> {
    fn data(&self, at: usize, fixed: usize) -> Result<&'a [u8], Status>;
}

/// The flags of a call, which are not those of one in the `other` direction.
fn direction(bytes: &[u8], at: usize, other: Direction) -> Result<Direction, Status> {
    let flags: Direction = word(bytes, at)?;
    if flags & (Direction::OUTGOING | Direction::INCOMING) == other {
        return Err(Status::INVALID_DATA);
    }
    Ok(flags)
}

/// In the same piece of memory.
struct Inside<'a>(&'a [u8]);

impl<'a> Find<'a> for Inside<'a> {
    fn data(&self, at: usize, fixed: usize) -> Result<&'a [u8], Status> {
        word::<Descriptor>(self.0, at)?.data(at, fixed, self.0)
    }
}

impl<'a> MakeCall<'a> {
    /// Reads the structure.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes; [`Status::INVALID_DATA`] when
    /// it is that of an incoming call, a descriptor leads elsewhere than behind the structure and
    /// within `bytes`, or the parameters are none, see [`CallParams::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        Self::find(bytes, &Inside(bytes))
    }

    /// Looks at a structure with nothing behind it, as [`parse`](Self::parse) does: its descriptors
    /// may stand for nothing. Every client's image has this, so it is less than that.
    pub(super) fn check_alone(bytes: &'a [u8; MAKE]) -> Result<(), Status> {
        let flags = direction(bytes, MAKE_FLAGS, Direction::INCOMING)?;
        if !flags.contains(Direction::DEFAULT_PARAMS) {
            Inside(bytes).data(PARAMS, MAKE)?;
        }
        Inside(bytes).data(DESTINATION, MAKE).map(drop)
    }

    pub(super) fn find(bytes: &'a [u8], behind: &impl Find<'a>) -> Result<Self, Status> {
        // There is all of the structure.
        word::<Descriptor>(bytes, PARAMS)?;
        let flags = direction(bytes, MAKE_FLAGS, Direction::INCOMING)?;
        let default_params = flags.contains(Direction::DEFAULT_PARAMS);
        let params = if default_params {
            None
        } else {
            some_params(behind.data(PARAMS, MAKE)?)?
        };
        Ok(Self {
            line: word(bytes, MAKE_LINE)?,
            address: word(bytes, MAKE_ADDRESS)?,
            default_params,
            destination: behind.data(DESTINATION, MAKE)?,
            params,
        })
    }

    /// Reads the structure in the media's part of call parameters. The length that is stated
    /// there counts: what a descriptor finds behind it is refused.
    ///
    /// Whether that length covers what is behind the fixed part, the pages leave open: see
    /// [`from_parameters_described`](Self::from_parameters_described).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is no media's part, else as [`parse`](Self::parse).
    pub fn from_parameters(parameters: CallParameters<'a>) -> Result<Self, Status> {
        Self::parse(media(parameters)?)
    }

    /// Call parameters with this structure in the media's part, and with what is said of the
    /// traffic both ways.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when a part is longer than a descriptor can say,
    /// [`Status::RESOURCES`].
    pub fn to_parameters(
        &self,
        transmit: FlowSpec,
        receive: FlowSpec,
    ) -> Result<CallParametersBuf, Status> {
        build(self, transmit, receive)
    }

    /// Where the parameters begin.
    fn params_start(&self) -> usize {
        aligned(MAKE.saturating_add(self.destination.len()), ALIGN)
    }

    /// The parameters that count.
    fn params(&self) -> Option<CallParams<'a>> {
        self.params.filter(|_| !self.default_params)
    }
}

impl Flat for MakeCall<'_> {
    fn size(&self) -> usize {
        let params = self.params().map_or(0, |params| params.size());
        self.params_start().saturating_add(params)
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let start = self.params_start();
        let params_len = self.params().map_or(0, |params| params.size());
        let destination = Descriptor::to(DESTINATION, MAKE, self.destination.len())?;
        let params = Descriptor::to(PARAMS, start, params_len)?;
        let own = cleared(room, self.size())?;
        let mut flags = Direction::OUTGOING;
        flags.set(Direction::DEFAULT_PARAMS, self.default_params);
        self.line.write(own, MAKE_LINE);
        self.address.write(own, MAKE_ADDRESS);
        flags.write(own, MAKE_FLAGS);
        destination.write(own, DESTINATION);
        params.write(own, PARAMS);
        put(own, MAKE, self.destination);
        if let (Some(params), Some(place)) = (self.params(), own.get_mut(start..)) {
            params.write_to(place)?;
        }
        Ok(self.size())
    }
}

/// What a call manager says of a call that comes in: `CO_AF_TAPI_INCOMING_CALL_PARAMETERS`
/// (rule [TAPI-11]).
///
/// ```
/// use ndis_co::{Status, params::CallParametersBuf, tapi::{self, CallInfo, IncomingCall}};
///
/// fn offer(caller: &[u8]) -> Result<CallParametersBuf, Status> {
///     let info = CallInfo {
///         bearer_mode: tapi::BearerModes::DATA,
///         media_mode: tapi::MediaModes::DIGITALDATA,
///         rate: 8_000_000,
///         origin: tapi::CallOrigin::INBOUND,
///         caller_flags: tapi::PartyIdFlags::ADDRESS,
///         caller,
///         ..CallInfo::default()
///     };
///     let flow = tapi::flow(1_000_000, 1500);
///     IncomingCall { info }.to_parameters(flow, flow)
/// }
/// # let _host = ndis_host::Host::builder().build();
/// # let built = offer(b"555-1234\0").unwrap();
/// # let seen = IncomingCall::from_parameters(built.view()).unwrap();
/// # assert!(tapi::Text::guess(seen.info.caller).is("555-1234"));
/// ```
///
/// Source pages: [accepting-incoming-calls](https://learn.microsoft.com/windows-hardware/drivers/network/accepting-incoming-calls), [specifying-parameters-for-an-incoming-call](https://learn.microsoft.com/windows-hardware/drivers/network/specifying-parameters-for-an-incoming-call).
///
/// [TAPI-11]: ndis_sys::rules#TAPI-11
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_AF_TAPI_INCOMING_CALL_PARAMETERS")]
pub struct IncomingCall<'a> {
    /// What is known of the call. The numbers of its line and address are those of the
    /// structure around it, too: both must be equal.
    #[doc(alias = "LineCallInfo")]
    pub info: CallInfo<'a>,
}

const INCOMING: usize = size_of::<CO_AF_TAPI_INCOMING_CALL_PARAMETERS>();
const INCOMING_LINE: usize = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulLineID);
const INCOMING_ADDRESS: usize = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulAddressID);
const INCOMING_FLAGS: usize = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
const CALL_INFO: usize = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, LineCallInfo);

impl<'a> IncomingCall<'a> {
    /// Reads the structure.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes; [`Status::INVALID_DATA`] when
    /// it is that of an outgoing call, the descriptor leads elsewhere than behind the structure
    /// and within `bytes`, the numbers of line or address are not equal, or the information is
    /// none, see [`CallInfo::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        Self::find(bytes, &Inside(bytes))
    }

    pub(super) fn find(bytes: &'a [u8], behind: &impl Find<'a>) -> Result<Self, Status> {
        // There is all of the structure.
        word::<Descriptor>(bytes, CALL_INFO)?;
        direction(bytes, INCOMING_FLAGS, Direction::OUTGOING)?;
        let info = behind.data(CALL_INFO, INCOMING)?;
        let info = CallInfo::parse(info).map_err(|_| Status::INVALID_DATA)?;
        let (line, address): (u32, u32) =
            (word(bytes, INCOMING_LINE)?, word(bytes, INCOMING_ADDRESS)?);
        if (line, address) != (info.line, info.address) {
            return Err(Status::INVALID_DATA);
        }
        Ok(Self { info })
    }

    /// Reads the structure in the media's part of call parameters, as
    /// [`MakeCall::from_parameters`] does.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is no media's part, else as [`parse`](Self::parse).
    pub fn from_parameters(parameters: CallParameters<'a>) -> Result<Self, Status> {
        Self::parse(media(parameters)?)
    }

    /// Call parameters with this structure in the media's part, and with what is said of the
    /// traffic both ways.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when it is longer than a descriptor can say,
    /// [`Status::RESOURCES`].
    pub fn to_parameters(
        &self,
        transmit: FlowSpec,
        receive: FlowSpec,
    ) -> Result<CallParametersBuf, Status> {
        build(self, transmit, receive)
    }
}

impl Flat for IncomingCall<'_> {
    fn size(&self) -> usize {
        INCOMING.saturating_add(self.info.size())
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let len = self.info.size();
        let info = Descriptor::to(CALL_INFO, INCOMING, len)?;
        let own = cleared(room, self.size())?;
        self.info.line.write(own, INCOMING_LINE);
        self.info.address.write(own, INCOMING_ADDRESS);
        Direction::INCOMING.write(own, INCOMING_FLAGS);
        info.write(own, CALL_INFO);
        if let Some(place) = own.get_mut(INCOMING..) {
            self.info.write_to(place)?;
        }
        Ok(self.size())
    }
}

/// A call of either direction: what a client of the family [`Family::TAPI`] is offered, such as
/// NDISWAN, to whom a call that an application made comes in too.
///
/// [`Family::TAPI`]: crate::family::Family::TAPI
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, params::CallParameters, tapi::Call};
///
/// /// The line of a call, whichever way it goes.
/// fn line(parameters: CallParameters<'_>) -> Result<u32, Status> {
///     match Call::from_parameters(parameters)? {
///         Call::Outgoing(call) => Ok(call.line),
///         Call::Incoming(call) => Ok(call.info.line),
///     }
/// }
/// # use ndis_co::tapi::{self, MakeCall};
/// # let _host = ndis_host::Host::builder().build();
/// # let (call, flow) = (MakeCall { line: 2, ..MakeCall::default() }, tapi::flow(8000, 1500));
/// # assert_eq!(line(call.to_parameters(flow, flow)?.view()), Ok(2));
/// # Ok::<(), Status>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// An application has called.
    Outgoing(MakeCall<'a>),
    /// An application has been called.
    Incoming(IncomingCall<'a>),
}

impl<'a> Call<'a> {
    /// Reads whichever structure it is, by its flags.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when the flags say neither or both, else as
    /// [`MakeCall::parse`] and [`IncomingCall::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        // Both structures have them at the same place.
        let flags: Direction = word(bytes, MAKE_FLAGS)?;
        match flags & (Direction::OUTGOING | Direction::INCOMING) {
            Direction::OUTGOING => MakeCall::parse(bytes).map(Self::Outgoing),
            Direction::INCOMING => IncomingCall::parse(bytes).map(Self::Incoming),
            _ => Err(Status::INVALID_DATA),
        }
    }

    /// Reads it in the media's part of call parameters, as [`MakeCall::from_parameters`] does.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is no media's part, else as [`parse`](Self::parse).
    pub fn from_parameters(parameters: CallParameters<'a>) -> Result<Self, Status> {
        Self::parse(media(parameters)?)
    }
}

const _: () = assert!(MAKE_FLAGS == INCOMING_FLAGS);

/// The bytes of the media's part.
pub(super) fn media(parameters: CallParameters<'_>) -> Result<&[u8], Status> {
    let media = parameters.media().ok_or(Status::INVALID_DATA)?;
    Ok(media.specific()?.bytes)
}

/// Call parameters with a structure in the media's part. What the type number of TAPI's
/// parameters is, no page says: it is zero here, and looked at nowhere.
fn build(
    structure: &impl Flat,
    transmit: FlowSpec,
    receive: FlowSpec,
) -> Result<CallParametersBuf, Status> {
    let bytes = structure.to_vec()?;
    CallParametersBuf::builder()
        .transmit(transmit)
        .receive(receive)
        .media_specific(Specific {
            param_type: 0,
            bytes: &bytes,
        })
        .build()
}
