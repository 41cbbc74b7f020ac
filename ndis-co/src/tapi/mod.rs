//! Telephony: the TAPI structures that calls, SAPs and queries of the families
//! [`Family::TAPI_PROXY`] and [`Family::TAPI`] carry.
//!
//! A WAN adapter's call manager offers the family TAPI_PROXY, and Windows' NDPROXY is its client
//! (rule [TAPI-01]). NDPROXY offers the family TAPI to whoever carries the data, such as NDISWAN.
//!
//! ```text
//! application --- TAPI --- NDPROXY ------- TAPI_PROXY ------- call manager of the WAN adapter
//!                             |                                   LineCaps, AddressCaps
//!                             |                                   LineSap, MakeCall, IncomingCall
//!                             +--- TAPI --- NDISWAN
//!                                             ClassSap, Call
//! ```
//!
//! | for | use | in C |
//! |---|---|---|
//! | how many lines there are | [`CmCaps`] | `OID_CO_TAPI_CM_CAPS` |
//! | what a line can do | [`LineCaps`], [`LineDevCaps`] | `OID_CO_TAPI_LINE_CAPS`, `LINE_DEV_CAPS` |
//! | what an address can do | [`AddressCaps`], [`LineAddressCaps`] | `OID_CO_TAPI_ADDRESS_CAPS`, `LINE_ADDRESS_CAPS` |
//! | where calls are taken | [`LineSap`]; of NDPROXY's clients [`ClassSap`] | `CO_AF_TAPI_SAP` |
//! | a call that is placed | [`MakeCall`], [`CallParams`] | `CO_AF_TAPI_MAKE_CALL_PARAMETERS`, `LINE_CALL_PARAMS` |
//! | a call that comes in | [`IncomingCall`], [`CallInfo`] | `CO_AF_TAPI_INCOMING_CALL_PARAMETERS`, `LINE_CALL_INFO` |
//! | what applications call it | [`CallId`] | `VAR_STRING` |
//! | its bandwidth | [`flow`] | `PeakBandwidth` |
//! | why it ended | [`Disconnect`], [`CallDiagnostics`] | `NDIS_STATUS_TAPI_DISCONNECTMODE_*` |
//! | families other than TAPI_PROXY | [`TranslateCallParams`], [`TranslateCallInfo`], [`TranslateSap`] | `OID_CO_TAPI_TRANSLATE_*` |
//!
//! Each structure is one type for both directions. Its `parse` reads what somebody else wrote:
//! it borrows the bytes, copies nothing but numbers, and refuses a length, size or offset that
//! leads out of them. [`Flat`] writes it: into room that somebody gives, an answer for example, or
//! into memory of its own. Rates are in bits a second where TAPI has them, and in bytes a second in
//! [`FlowSpec`](crate::params::FlowSpec).
//!
//! The layouts are those of TAPI 3.0 ([`Version::V3_0`]). What an older and shorter structure does
//! not have reads as zero.
//!
//! # What the documentation leaves open
//!
//! - Whether the length of the media's part of call parameters covers what is behind the fixed
//!   structure. Written, it does. Read, [`MakeCall::from_parameters`] wants it to, and the `unsafe`
//!   [`MakeCall::from_parameters_described`] does not. A call manager takes both, by
//!   [`cm::MakeCall::telephony`](crate::cm::MakeCall::telephony).
//! - How strings are encoded, and whether a terminator counts: [`Text::guess`].
//! - What answers a query with too little room: an error with the size that it takes
//!   ([`Flat::size`]), or success with the fixed part and that size in it
//!   ([`LineCaps::write_without_parts`]).
//! - Which capabilities a line for data must have: [`LineDevCaps::data`].
//!
//! [`Family::TAPI`]: crate::family::Family::TAPI
//! [`Family::TAPI_PROXY`]: crate::family::Family::TAPI_PROXY
//! [TAPI-01]: ndis_sys::rules#TAPI-01

mod address_caps;
pub(crate) mod bytes;
mod call;
mod call_id;
mod call_info;
mod call_params;
mod caps;
mod described;
mod dev_caps;
mod disconnect;
mod flags;
pub(crate) mod flat;
mod layout;
mod line;
mod sap;
#[cfg(test)]
mod tests;
mod text;
mod translate;

pub use address_caps::LineAddressCaps;
pub use call::{Call, Direction, IncomingCall, MakeCall, flow};
pub use call_id::CallId;
pub(crate) use call_id::Room;
pub use call_info::CallInfo;
pub use call_params::{CallParams, DialParams};
pub use caps::{AddressCaps, CallDiagnostics, CmCaps, LineCaps, Version};
pub(crate) use described::{check_placed, is_telephony};
pub use dev_caps::LineDevCaps;
pub use disconnect::Disconnect;
pub use flags::{
    AddressCapFlags, AddressFeatures, AddressModes, AddressSharing, AddressStates, AddressTypes,
    AnswerModes, BearerModes, CallFeatures, CallInfoStates, CallOrigin, CallParamFlags, CallReason,
    CallStates, DevCapFlags, DigitModes, DisconnectModes, LineFeatures, LineStates, MediaModes,
    PartyIdFlags,
};
pub use flat::Flat;
pub use line::Sizes;
pub use sap::{ANY_ADDRESS, ANY_LINE, ClassSap, LineSap, NDIS_CLASS, SAP_TYPE};
pub use text::{Chars, StringFormat, Strings, Text, TextBuf};
pub use translate::{Saps, TranslateCallInfo, TranslateCallParams, TranslateSap};
