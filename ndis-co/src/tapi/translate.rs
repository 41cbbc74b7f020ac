//! Translation between TAPI's terms and those of another address family: the data of
//! `OID_CO_TAPI_TRANSLATE_*`.
//!
//! A family that is not TAPI's own translates for its clients: what an application wants of a call
//! into call parameters, those of a call that comes in into what TAPI knows of it, and a line into
//! SAPs. A call manager of [`Family::TAPI_PROXY`] needs none of that (rule [TAPI-07]).
//!
//! The buffer of such a query holds the input and the place of the answer. `parse` reads the
//! input; `answer` writes into that place, within the same buffer.
//!
//! [`Family::TAPI_PROXY`]: crate::family::Family::TAPI_PROXY
//! [TAPI-07]: ndis_sys::rules#TAPI-07

use super::{
    Flat,
    bytes::{Descriptor, Field, aligned, put, range, word},
    call::{Direction, some_params},
    call_info::CallInfo,
    call_params::CallParams,
    flags::MediaModes,
    flat::cleared,
};
use crate::{Status, address::SapAddress};
use core::mem::offset_of;
use ndis_sys::{
    CO_SAP, CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, CO_TAPI_TRANSLATE_SAP,
    CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, NDIS_VAR_DATA_DESC,
};

/// What is behind a descriptor begins where any structure may.
const ALIGN: usize = size_of::<usize>();

/// How many bytes a descriptor at `at` leaves for an answer, all of them there.
fn answer_room(bytes: &[u8], at: usize, fixed: usize) -> Result<u16, Status> {
    let place: Descriptor = word(bytes, at)?;
    // Which of the two says how much room there is, the pages leave open.
    let room = place.len.max(place.room);
    if room != 0 {
        range(bytes, place.start(at, fixed)?, room.into())?;
    }
    Ok(room)
}

/// Writes what a descriptor at `at` has room for, and its length; tells where that ends.
fn put_answer(
    buffer: &mut [u8],
    at: usize,
    fixed: usize,
    len: usize,
    write: impl FnOnce(&mut [u8]) -> Result<usize, Status>,
) -> Result<usize, Status> {
    let place: Descriptor = word(buffer, at)?;
    let short = u16::try_from(len).map_err(|_| Status::INVALID_LENGTH)?;
    let room = answer_room(buffer, at, fixed)?;
    if short > room {
        return Err(Status::BUFFER_TOO_SHORT);
    }
    let start = place.start(at, fixed)?;
    let end = start.saturating_add(len);
    let own = buffer.get_mut(start..end).ok_or(Status::INVALID_DATA)?;
    write(own)?;
    // Whichever of the two has said how much room there is, no more is in use than that.
    Descriptor {
        len: short,
        room,
        ..place
    }
    .write(buffer, at);
    Ok(end)
}

/// Into call parameters: `CO_TAPI_TRANSLATE_TAPI_CALLPARAMS` (rules [TAPI-05], [TAPI-06]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, tapi::{Flat, TranslateCallParams}};
///
/// /// Answers in the buffer of the query; `parameters` are the bytes of a `CO_CALL_PARAMETERS`.
/// fn answer(buffer: &mut [u8], parameters: &[u8]) -> Result<usize, Status> {
///     let asked = TranslateCallParams::parse(buffer)?;
///     if asked.default_params {
///         // This device has no defaults.
///         return Err(Status::FAILURE);
///     }
///     TranslateCallParams::answer(buffer, parameters)
/// }
/// # let query = TranslateCallParams { destination: b"555", room: 8, ..Default::default() };
/// # let mut buffer = [0; 256];
/// # query.write_to(&mut buffer)?;
/// # assert_eq!(answer(&mut buffer, &[1; 9]), Err(Status::BUFFER_TOO_SHORT));
/// # answer(&mut buffer, b"all")?;
/// # assert_eq!(TranslateCallParams::parse_answer(&buffer), Ok(&b"all"[..]));
/// # Ok::<(), Status>(())
/// ```
///
/// Source page: [oid-co-tapi-translate-tapi-callparams](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-tapi-translate-tapi-callparams).
///
/// [TAPI-05]: ndis_sys::rules#TAPI-05
/// [TAPI-06]: ndis_sys::rules#TAPI-06
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_TRANSLATE_TAPI_CALLPARAMS")]
#[doc(alias = "OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS")]
pub struct TranslateCallParams<'a> {
    /// The number of the line.
    pub line: u32,
    /// The number of the address on it.
    pub address: u32,
    /// Whether the device's defaults are asked for, and `params` do not count. Without defaults
    /// the answer is [`Status::FAILURE`].
    pub default_params: bool,
    /// Whom to call.
    pub destination: &'a [u8],
    /// What the application wants of the call; with `default_params` neither read nor written.
    pub params: Option<CallParams<'a>>,
    /// How many bytes the answer may have, at most 65,535.
    pub room: u16,
}

const TO_NDIS: usize = size_of::<CO_TAPI_TRANSLATE_TAPI_CALLPARAMS>();
const TO_NDIS_LINE: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, ulLineID);
const TO_NDIS_ADDRESS: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, ulAddressID);
const TO_NDIS_FLAGS: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, ulFlags);
const TO_NDIS_DESTINATION: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, DestAddress);
const TO_NDIS_PARAMS: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, LineCallParams);
const TO_NDIS_ANSWER: usize = offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, NdisCallParams);

impl<'a> TranslateCallParams<'a> {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes; [`Status::INVALID_DATA`] when
    /// it is not about an outgoing call, or a descriptor leads elsewhere than behind the
    /// structure and within `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let room = answer_room(bytes, TO_NDIS_ANSWER, TO_NDIS)?;
        let flags: Direction = word(bytes, TO_NDIS_FLAGS)?;
        if !flags.contains(Direction::OUTGOING) {
            return Err(Status::INVALID_DATA);
        }
        let part = |at| word::<Descriptor>(bytes, at)?.data(at, TO_NDIS, bytes);
        let default_params = flags.contains(Direction::DEFAULT_PARAMS);
        let params = if default_params {
            None
        } else {
            some_params(part(TO_NDIS_PARAMS)?)?
        };
        Ok(Self {
            line: word(bytes, TO_NDIS_LINE)?,
            address: word(bytes, TO_NDIS_ADDRESS)?,
            default_params,
            destination: part(TO_NDIS_DESTINATION)?,
            params,
            room,
        })
    }

    /// Puts the bytes of a `CO_CALL_PARAMETERS` into the query's buffer, and tells how many bytes
    /// of that are in use then. Pointers among them are the writer's business.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when the place for it is too small, else as
    /// [`parse`](Self::parse).
    pub fn answer(buffer: &mut [u8], call_parameters: &[u8]) -> Result<usize, Status> {
        let len = call_parameters.len();
        put_answer(buffer, TO_NDIS_ANSWER, TO_NDIS, len, |own| {
            put(own, 0, call_parameters);
            Ok(len)
        })
    }

    /// Reads the bytes of an answer.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_answer(bytes: &'a [u8]) -> Result<&'a [u8], Status> {
        word::<Descriptor>(bytes, TO_NDIS_ANSWER)?.data(TO_NDIS_ANSWER, TO_NDIS, bytes)
    }

    /// The parameters that count.
    fn params(&self) -> Option<CallParams<'a>> {
        self.params.filter(|_| !self.default_params)
    }

    /// Where the parameters begin, and where the place for the answer.
    fn starts(&self) -> (usize, usize) {
        let params = aligned(TO_NDIS.saturating_add(self.destination.len()), ALIGN);
        let len = self.params().map_or(0, |params| params.size());
        (params, aligned(params.saturating_add(len), ALIGN))
    }
}

impl Flat for TranslateCallParams<'_> {
    fn size(&self) -> usize {
        self.starts().1.saturating_add(self.room.into())
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let (params_start, answer_start) = self.starts();
        let params_len = self.params().map_or(0, |params| params.size());
        let destination = Descriptor::to(TO_NDIS_DESTINATION, TO_NDIS, self.destination.len())?;
        let params = Descriptor::to(TO_NDIS_PARAMS, params_start, params_len)?;
        let answer = Descriptor::to(TO_NDIS_ANSWER, answer_start, self.room.into())?;
        let own = cleared(room, self.size())?;
        let mut flags = Direction::OUTGOING;
        flags.set(Direction::DEFAULT_PARAMS, self.default_params);
        self.line.write(own, TO_NDIS_LINE);
        self.address.write(own, TO_NDIS_ADDRESS);
        flags.write(own, TO_NDIS_FLAGS);
        destination.write(own, TO_NDIS_DESTINATION);
        params.write(own, TO_NDIS_PARAMS);
        answer.write(own, TO_NDIS_ANSWER);
        put(own, TO_NDIS, self.destination);
        if let (Some(params), Some(place)) = (self.params(), own.get_mut(params_start..)) {
            params.write_to(place)?;
        }
        Ok(self.size())
    }
}

/// Into what TAPI knows of a call: `CO_TAPI_TRANSLATE_NDIS_CALLPARAMS` (rule [TAPI-05]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, tapi::{CallInfo, CallOrigin, Flat, MediaModes, TranslateCallInfo}};
///
/// /// Answers in the buffer of the query.
/// fn answer(buffer: &mut [u8]) -> Result<usize, Status> {
///     let asked = TranslateCallInfo::parse(buffer)?;
///     if asked.call_parameters.is_empty() {
///         return Err(Status::INVALID_DATA);
///     }
///     let info = CallInfo {
///         origin: CallOrigin::INBOUND,
///         media_mode: MediaModes::DIGITALDATA,
///         rate: 64_000,
///         ..CallInfo::default()
///     };
///     TranslateCallInfo::answer(buffer, &info)
/// }
/// # let mut buffer = [0; 1024];
/// # TranslateCallInfo { call_parameters: &[1; 24], room: 600 }.write_to(&mut buffer)?;
/// # answer(&mut buffer)?;
/// # assert_eq!(TranslateCallInfo::parse_answer(&buffer)?.rate, 64_000);
/// # Ok::<(), Status>(())
/// ```
///
/// Source page: [oid-co-tapi-translate-ndis-callparams](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-tapi-translate-ndis-callparams).
///
/// [TAPI-05]: ndis_sys::rules#TAPI-05
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_TRANSLATE_NDIS_CALLPARAMS")]
#[doc(alias = "OID_CO_TAPI_TRANSLATE_NDIS_CALLPARAMS")]
pub struct TranslateCallInfo<'a> {
    /// The bytes of a `CO_CALL_PARAMETERS`: what its pointers point at is not looked at here.
    pub call_parameters: &'a [u8],
    /// How many bytes the answer may have, at most 65,535.
    pub room: u16,
}

const TO_TAPI: usize = size_of::<CO_TAPI_TRANSLATE_NDIS_CALLPARAMS>();
const TO_TAPI_FLAGS: usize = offset_of!(CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, ulFlags);
const TO_TAPI_PARAMS: usize = offset_of!(CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, NdisCallParams);
const TO_TAPI_ANSWER: usize = offset_of!(CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, LineCallInfo);

impl<'a> TranslateCallInfo<'a> {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes; [`Status::INVALID_DATA`] when
    /// it is not about an incoming call, or the descriptor leads elsewhere than behind the
    /// structure and within `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let room = answer_room(bytes, TO_TAPI_ANSWER, TO_TAPI)?;
        let flags: Direction = word(bytes, TO_TAPI_FLAGS)?;
        if !flags.contains(Direction::INCOMING) {
            return Err(Status::INVALID_DATA);
        }
        let parameters: Descriptor = word(bytes, TO_TAPI_PARAMS)?;
        Ok(Self {
            call_parameters: parameters.data(TO_TAPI_PARAMS, TO_TAPI, bytes)?,
            room,
        })
    }

    /// Puts the answer into the query's buffer, and tells how many bytes of that are in use then.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when the place for it is too small, else as
    /// [`parse`](Self::parse).
    pub fn answer(buffer: &mut [u8], info: &CallInfo<'_>) -> Result<usize, Status> {
        put_answer(buffer, TO_TAPI_ANSWER, TO_TAPI, info.size(), |own| {
            info.write_to(own)
        })
    }

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and as [`CallInfo::parse`].
    pub fn parse_answer(bytes: &'a [u8]) -> Result<CallInfo<'a>, Status> {
        let answer: Descriptor = word(bytes, TO_TAPI_ANSWER)?;
        CallInfo::parse(answer.data(TO_TAPI_ANSWER, TO_TAPI, bytes)?)
    }

    /// Where the place for the answer begins.
    fn answer_start(&self) -> usize {
        aligned(TO_TAPI.saturating_add(self.call_parameters.len()), ALIGN)
    }
}

impl Flat for TranslateCallInfo<'_> {
    fn size(&self) -> usize {
        self.answer_start().saturating_add(self.room.into())
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let parameters = Descriptor::to(TO_TAPI_PARAMS, TO_TAPI, self.call_parameters.len())?;
        let answer = Descriptor::to(TO_TAPI_ANSWER, self.answer_start(), self.room.into())?;
        let own = cleared(room, self.size())?;
        Direction::INCOMING.write(own, TO_TAPI_FLAGS);
        parameters.write(own, TO_TAPI_PARAMS);
        answer.write(own, TO_TAPI_ANSWER);
        put(own, TO_TAPI, self.call_parameters);
        Ok(self.size())
    }
}

/// Into SAPs: `CO_TAPI_TRANSLATE_SAP`.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{address::SapAddressBuf, tapi::{MediaModes, TranslateSap}};
///
/// # let _host = ndis_host::Host::builder().build();
/// let mut buffer = [0; 128];
/// let query = TranslateSap { line: 1, address: 0, media_modes: MediaModes::DIGITALDATA };
/// query.ask(&mut buffer)?;
///
/// // Who offers the family has one SAP for that.
/// let sap = SapAddressBuf::try_new(1, b"555-1234")?;
/// let len = TranslateSap::answer(&mut buffer, &[sap.view()])?;
///
/// let mut saps = TranslateSap::parse_answer(&buffer[..len])?;
/// assert_eq!(saps.next(), Some(Ok((1, &b"555-1234"[..]))));
/// assert_eq!(saps.next(), None);
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: `oid-co-tapi-translate-tapi-sap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_TRANSLATE_SAP")]
#[doc(alias = "OID_CO_TAPI_TRANSLATE_TAPI_SAP")]
pub struct TranslateSap {
    /// The number of the line.
    pub line: u32,
    /// The number of the address on it.
    pub address: u32,
    /// What calls may carry.
    pub media_modes: MediaModes,
}

const SAP_LINE: usize = offset_of!(CO_TAPI_TRANSLATE_SAP, ulLineID);
const SAP_ADDRESS: usize = offset_of!(CO_TAPI_TRANSLATE_SAP, ulAddressID);
const SAP_MODES: usize = offset_of!(CO_TAPI_TRANSLATE_SAP, ulMediaModes);
const SAP_COUNT: usize = offset_of!(CO_TAPI_TRANSLATE_SAP, NumberOfSaps);
const SAP_LIST: usize = offset_of!(CO_TAPI_TRANSLATE_SAP, NdisSapParams);
const DESCRIPTOR: usize = size_of::<NDIS_VAR_DATA_DESC>();

const SAP_TYPE: usize = offset_of!(CO_SAP, SapType);
const SAP_LEN: usize = offset_of!(CO_SAP, SapLength);
const SAP_BYTES: usize = offset_of!(CO_SAP, Sap);

/// The end of `count` descriptors; at least of the one that the structure has.
fn list_end(count: usize) -> usize {
    SAP_LIST.saturating_add(count.max(1).saturating_mul(DESCRIPTOR))
}

/// The bytes of a `CO_SAP`.
fn sap_len(sap: SapAddress<'_>) -> usize {
    SAP_BYTES.saturating_add(sap.bytes().len())
}

impl TranslateSap {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        Ok(Self {
            line: word(bytes, SAP_LINE)?,
            address: word(bytes, SAP_ADDRESS)?,
            media_modes: word(bytes, SAP_MODES)?,
        })
    }

    /// Makes `buffer` a query, the rest of it being room for the answer.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when it has less room than the structure.
    pub fn ask(self, buffer: &mut [u8]) -> Result<(), Status> {
        let len = buffer.len().max(list_end(1));
        let own = cleared(buffer, len)?;
        self.line.write(own, SAP_LINE);
        self.address.write(own, SAP_ADDRESS);
        self.media_modes.write(own, SAP_MODES);
        Ok(())
    }

    /// How many bytes an answer takes.
    #[must_use]
    pub fn answer_size(saps: &[SapAddress<'_>]) -> usize {
        saps.iter().fold(list_end(saps.len()), |end, sap| {
            aligned(end, ALIGN).saturating_add(sap_len(*sap))
        })
    }

    /// Puts the answer into the query's buffer and tells how many bytes are in use then.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when it takes more, see
    /// [`answer_size`](Self::answer_size); [`Status::INVALID_LENGTH`] when a SAP is longer than
    /// a descriptor can say.
    pub fn answer(buffer: &mut [u8], saps: &[SapAddress<'_>]) -> Result<usize, Status> {
        let asked = Self::parse(buffer)?;
        let size = Self::answer_size(saps);
        let own = cleared(buffer, size)?;
        asked.ask(own)?;
        let count = u32::try_from(saps.len()).map_err(|_| Status::INVALID_LENGTH)?;
        count.write(own, SAP_COUNT);
        let mut end = list_end(saps.len());
        for (index, sap) in saps.iter().enumerate() {
            let at = SAP_LIST.saturating_add(index.saturating_mul(DESCRIPTOR));
            let start = aligned(end, ALIGN);
            Descriptor::to(at, start, sap_len(*sap))?.write(own, at);
            if let Some(place) = own.get_mut(start..) {
                sap.sap_type().write(place, SAP_TYPE);
                let len = u32::try_from(sap.bytes().len()).unwrap_or(u32::MAX);
                len.write(place, SAP_LEN);
                put(place, SAP_BYTES, sap.bytes());
            }
            end = start.saturating_add(sap_len(*sap));
        }
        Ok(size)
    }

    /// The SAPs of an answer, each with its type number and bytes, to be made a
    /// [`SapAddressBuf`](crate::address::SapAddressBuf) of.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes, [`Status::INVALID_DATA`] when
    /// there are less descriptors than the answer says.
    pub fn parse_answer(bytes: &[u8]) -> Result<Saps<'_>, Status> {
        let count: u32 = word(bytes, SAP_COUNT)?;
        let len = (count as usize)
            .checked_mul(DESCRIPTOR)
            .ok_or(Status::INVALID_DATA)?;
        range(bytes, SAP_LIST, len)?;
        Ok(Saps {
            bytes,
            next: 0,
            count: count as usize,
        })
    }
}

/// The SAPs of an answer, see [`TranslateSap::parse_answer`].
///
/// An item is [`Status::INVALID_DATA`] when a SAP is not where the answer is, or longer than its
/// descriptor.
#[derive(Clone, Debug)]
pub struct Saps<'a> {
    bytes: &'a [u8],
    next: usize,
    count: usize,
}

impl<'a> Iterator for Saps<'a> {
    type Item = Result<(u32, &'a [u8]), Status>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.count {
            return None;
        }
        let at = SAP_LIST.saturating_add(self.next.saturating_mul(DESCRIPTOR));
        self.next = self.next.saturating_add(1);
        let sap = || -> Result<(u32, &'a [u8]), Status> {
            let sap =
                word::<Descriptor>(self.bytes, at)?.data(at, list_end(self.count), self.bytes)?;
            let len: u32 = word(sap, SAP_LEN)?;
            Ok((word(sap, SAP_TYPE)?, range(sap, SAP_BYTES, len as usize)?))
        };
        Some(sap().map_err(|_| Status::INVALID_DATA))
    }
}
