//! Flags by their names: those of the C constants, without the prefix that they share.

use std::fmt::Debug;

use ndis_co::{tapi, wan::Framing};

/// The names of the bits in a field, or in a value by its unit; `None` for one whose bits have no names
/// here. What has none is left as a number.
pub fn named(field: &str, number: u32) -> Option<String> {
    macro_rules! sets {
        ($($($name:literal)|+ => $set:path;)+) => {
            match field {
                $($($name)|+ => Some(text(<$set>::from_bits_retain(number))),)+
                _ => None,
            }
        };
    }
    let names = sets! {
        "FramingBits" | "SendFramingBits" | "RecvFramingBits" => Framing;
        "ulAddressModes" => tapi::AddressModes;
        "ulBearerModes" => tapi::BearerModes;
        "ulMediaModes" | "ulAvailableMediaModes" => tapi::MediaModes;
        "ulGenerateDigitModes" | "ulMonitorDigitModes" => tapi::DigitModes;
        "ulDevCapFlags" => tapi::DevCapFlags;
        "ulAnswerMode" => tapi::AnswerModes;
        "ulLineStates" => tapi::LineStates;
        "ulLineFeatures" => tapi::LineFeatures;
        "ulAddressTypes" => tapi::AddressTypes;
        "ulAddressSharing" => tapi::AddressSharing;
        "ulAddressStates" => tapi::AddressStates;
        "ulAddressFeatures" => tapi::AddressFeatures;
        "ulCallInfoStates" => tapi::CallInfoStates;
        "ulCallerIDFlags" | "ulCalledIDFlags" | "ulConnectedIDFlags" | "ulRedirectionIDFlags"
        | "ulRedirectingIDFlags" => tapi::PartyIdFlags;
        "ulCallStates" | "ulRemoveFromConfState" | "ulPredictiveAutoTransferStates"
            => tapi::CallStates;
        "ulDisconnectModes" => tapi::DisconnectModes;
        "ulAddrCapFlags" => tapi::AddressCapFlags;
        "ulCallFeatures" => tapi::CallFeatures;
        "ulOrigin" => tapi::CallOrigin;
        "ulReason" => tapi::CallReason;
    };
    names.or_else(|| constants(field).map(|(prefix, all)| joined(prefix, all, number)))
}

/// A constant: its bits, and its name.
type Constant = (u32, &'static str);

/// The constants for the bits of a field that no type of `ndis-co` has, and the prefix that they share.
fn constants(field: &str) -> Option<(&'static str, &'static [Constant])> {
    macro_rules! of {
        ($($field:literal: $prefix:ident = $($name:ident)+;)+) => {
            match field {
                $($field => Some((
                    stringify!($prefix),
                    &[$((ndis_sys::$name as u32, stringify!($name))),+],
                )),)+
                // TAPI 3.0's, which ndis-sys has not.
                "ulCallFeatures2" => Some(("", &[
                    (1, "NOHOLDCONFERENCE"), (2, "ONESTEPTRANSFER"), (4, "COMPLCAMPON"),
                    (8, "COMPLCALLBACK"), (0x10, "COMPLINTRUDE"), (0x20, "COMPLMESSAGE"),
                    (0x40, "TRANSFERNORM"), (0x80, "TRANSFERCONF"), (0x100, "PARKDIRECT"),
                    (0x200, "PARKNONDIRECT"),
                ])),
                "ulConnectedModes" => Some(("", &[
                    (1, "ACTIVE"), (2, "INACTIVE"), (4, "ACTIVEHELD"), (8, "INACTIVEHELD"),
                    (0x10, "CONFIRMED"),
                ])),
                "ulOfferingModes" => Some(("", &[(1, "ACTIVE"), (2, "INACTIVE")])),
                "ulAvailableTracking" => Some(("", &[
                    (1, "PROVIDERLEVEL"), (2, "ALLCALLS"),
                ])),
                _ => None,
            }
        };
    }
    of! {
        "manager's flags": CO_TAPI_FLAG_ = CO_TAPI_FLAG_PER_LINE_CAPS;
        "line's flags": CO_TAPI_FLAG_ = CO_TAPI_FLAG_PER_ADDRESS_CAPS;
        "SupportedStatistics": NDIS_STATISTICS_FLAGS_VALID_ = NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT;
        "ulGenerateToneModes": LINETONEMODE_ = LINETONEMODE_CUSTOM LINETONEMODE_RINGBACK LINETONEMODE_BUSY LINETONEMODE_BEEP LINETONEMODE_BILLING;
        "ulDialToneModes": LINEDIALTONEMODE_ = LINEDIALTONEMODE_NORMAL LINEDIALTONEMODE_SPECIAL LINEDIALTONEMODE_INTERNAL LINEDIALTONEMODE_EXTERNAL LINEDIALTONEMODE_UNKNOWN LINEDIALTONEMODE_UNAVAIL;
        "ulBusyModes": LINEBUSYMODE_ = LINEBUSYMODE_STATION LINEBUSYMODE_TRUNK LINEBUSYMODE_UNKNOWN LINEBUSYMODE_UNAVAIL;
        "ulSpecialInfo": LINESPECIALINFO_ = LINESPECIALINFO_NOCIRCUIT LINESPECIALINFO_CUSTIRREG LINESPECIALINFO_REORDER LINESPECIALINFO_UNKNOWN LINESPECIALINFO_UNAVAIL;
        "ulTransferModes": LINETRANSFERMODE_ = LINETRANSFERMODE_TRANSFER LINETRANSFERMODE_CONFERENCE;
        "ulParkModes": LINEPARKMODE_ = LINEPARKMODE_DIRECTED LINEPARKMODE_NONDIRECTED;
        "ulForwardModes": LINEFORWARDMODE_ = LINEFORWARDMODE_UNCOND LINEFORWARDMODE_UNCONDINTERNAL LINEFORWARDMODE_UNCONDEXTERNAL LINEFORWARDMODE_UNCONDSPECIFIC LINEFORWARDMODE_BUSY LINEFORWARDMODE_BUSYINTERNAL LINEFORWARDMODE_BUSYEXTERNAL LINEFORWARDMODE_BUSYSPECIFIC LINEFORWARDMODE_NOANSW LINEFORWARDMODE_NOANSWINTERNAL LINEFORWARDMODE_NOANSWEXTERNAL LINEFORWARDMODE_NOANSWSPECIFIC LINEFORWARDMODE_BUSYNA LINEFORWARDMODE_BUSYNAINTERNAL LINEFORWARDMODE_BUSYNAEXTERNAL LINEFORWARDMODE_BUSYNASPECIFIC;
        "ulCallCompletionConds": LINECALLCOMPLCOND_ = LINECALLCOMPLCOND_BUSY LINECALLCOMPLCOND_NOANSWER;
        "ulCallCompletionModes": LINECALLCOMPLMODE_ = LINECALLCOMPLMODE_CAMPON LINECALLCOMPLMODE_CALLBACK LINECALLCOMPLMODE_INTRUDE LINECALLCOMPLMODE_MESSAGE;
        "ulSettableDevStatus": LINEDEVSTATUSFLAGS_ = LINEDEVSTATUSFLAGS_CONNECTED LINEDEVSTATUSFLAGS_MSGWAIT LINEDEVSTATUSFLAGS_INSERVICE LINEDEVSTATUSFLAGS_LOCKED;
        "`NDIS_MAC_OPTION` flags": NDIS_MAC_OPTION_ = NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA NDIS_MAC_OPTION_RECEIVE_SERIALIZED NDIS_MAC_OPTION_TRANSFERS_NOT_PEND NDIS_MAC_OPTION_NO_LOOPBACK NDIS_MAC_OPTION_FULL_DUPLEX NDIS_MAC_OPTION_EOTX_INDICATION NDIS_MAC_OPTION_8021P_PRIORITY NDIS_MAC_OPTION_SUPPORTS_MAC_ADDRESS_OVERWRITE NDIS_MAC_OPTION_RECEIVE_AT_DPC NDIS_MAC_OPTION_8021Q_VLAN NDIS_MAC_OPTION_RESERVED;
        "`NDIS_PACKET_TYPE` flags": NDIS_PACKET_TYPE_ = NDIS_PACKET_TYPE_DIRECTED NDIS_PACKET_TYPE_MULTICAST NDIS_PACKET_TYPE_ALL_MULTICAST NDIS_PACKET_TYPE_BROADCAST NDIS_PACKET_TYPE_SOURCE_ROUTING NDIS_PACKET_TYPE_PROMISCUOUS NDIS_PACKET_TYPE_SMT NDIS_PACKET_TYPE_ALL_LOCAL NDIS_PACKET_TYPE_GROUP NDIS_PACKET_TYPE_ALL_FUNCTIONAL NDIS_PACKET_TYPE_FUNCTIONAL NDIS_PACKET_TYPE_MAC_FRAME NDIS_PACKET_TYPE_NO_LOCAL;
        "`NDIS_PROT_OPTION` flags": NDIS_PROT_OPTION_ = NDIS_PROT_OPTION_ESTIMATED_LENGTH NDIS_PROT_OPTION_NO_LOOPBACK NDIS_PROT_OPTION_NO_RSVD_ON_RCVPKT NDIS_PROT_OPTION_SEND_RESTRICTED;
        "`NDIS_PNP_WAKE_UP` flags": NDIS_PNP_WAKE_UP_ = NDIS_PNP_WAKE_UP_MAGIC_PACKET NDIS_PNP_WAKE_UP_PATTERN_MATCH NDIS_PNP_WAKE_UP_LINK_CHANGE;
    }
}

/// The names of the bits that are set, and the bits without one.
fn joined(prefix: &str, all: &[Constant], number: u32) -> String {
    let mut rest = number;
    let mut names = Vec::new();
    for (bit, name) in all {
        if number & bit != 0 {
            names.push(name.strip_prefix(prefix).unwrap_or(name).to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    names.join(" | ")
}

/// The name of a value that is none of flags.
pub fn value(field: &str, number: u32) -> Option<&'static str> {
    Some(match (field, number) {
        ("ulStringFormat", 1) => "ASCII",
        ("ulStringFormat", 2) => "DBCS",
        ("ulStringFormat", 3) => "UNICODE",
        ("ulStringFormat", 4) => "BINARY",
        ("ulRemoveFromConfCaps", 1) => "NONE",
        ("ulRemoveFromConfCaps", 2) => "LAST",
        ("ulRemoveFromConfCaps", 3) => "ANY",
        _ => return None,
    })
}

/// What is in the parentheses.
fn text(set: impl Debug) -> String {
    let text = format!("{set:?}");
    let inside = text
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_their_names() {
        assert_eq!(named("ulMediaModes", 0x100).unwrap(), "DIGITALDATA");
        assert_eq!(
            named("ulAddressModes", 3).unwrap(),
            "ADDRESSID | DIALABLEADDR"
        );
        assert_eq!(named("SendFramingBits", 0x100).unwrap(), "PPP");
        let options = named("`NDIS_MAC_OPTION` flags", 0x28).unwrap();
        assert_eq!(options, "NO_LOOPBACK | EOTX_INDICATION");
        let statistics = named("SupportedStatistics", 0x0040_0001).unwrap();
        assert_eq!(statistics, "DIRECTED_FRAMES_RCV | 0x400000");
        assert_eq!(named("line's flags", 1).unwrap(), "PER_ADDRESS_CAPS");
        assert_eq!(value("ulStringFormat", 3), Some("UNICODE"));
        assert_eq!(named("ulLineID", 1), None);
    }
}
