//! Flags by their names: those of the C constants, without the prefix that they share.

use std::fmt::Debug;

use ndis_co::{tapi, wan::Framing};

/// The names of the bits in a field, or in a value by its unit; `None` for one whose bits have no names
/// here.
pub fn named(field: &str, number: u32) -> Option<String> {
    macro_rules! sets {
        ($($($name:literal)|+ => $set:path;)+) => {
            match field {
                $($($name)|+ => text(<$set>::from_bits_retain(number)),)+
                "`NDIS_MAC_OPTION` flags" => mac_options(number),
                _ => return None,
            }
        };
    }
    let names = sets! {
        "FramingBits" | "SendFramingBits" | "RecvFramingBits" => Framing;
        "ulAddressModes" => tapi::AddressModes;
        "ulBearerModes" => tapi::BearerModes;
        "ulMediaModes" => tapi::MediaModes;
        "ulDevCapFlags" => tapi::DevCapFlags;
        "ulAnswerMode" => tapi::AnswerModes;
        "ulAddressSharing" => tapi::AddressSharing;
        "ulAddressStates" => tapi::AddressStates;
        "ulCallInfoStates" => tapi::CallInfoStates;
        "ulCallerIDFlags" | "ulCalledIDFlags" | "ulConnectedIDFlags" | "ulRedirectionIDFlags"
        | "ulRedirectingIDFlags" => tapi::PartyIdFlags;
        "ulCallStates" => tapi::CallStates;
        "ulDisconnectModes" => tapi::DisconnectModes;
        "ulAddrCapFlags" => tapi::AddressCapFlags;
        "ulCallFeatures" => tapi::CallFeatures;
        "ulOrigin" => tapi::CallOrigin;
        "ulReason" => tapi::CallReason;
    };
    Some(names)
}

/// What is in the parentheses.
fn text(set: impl Debug) -> String {
    let text = format!("{set:?}");
    let inside = text
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(&text).to_owned()
}

fn mac_options(number: u32) -> String {
    const NAMES: [(i32, &str); 4] = [
        (ndis_sys::NDIS_MAC_OPTION_NO_LOOPBACK, "NO_LOOPBACK"),
        (ndis_sys::NDIS_MAC_OPTION_FULL_DUPLEX, "FULL_DUPLEX"),
        (ndis_sys::NDIS_MAC_OPTION_8021P_PRIORITY, "8021P_PRIORITY"),
        (ndis_sys::NDIS_MAC_OPTION_8021Q_VLAN, "8021Q_VLAN"),
    ];
    let names = NAMES.iter().filter(|(bit, _)| number & *bit as u32 != 0);
    let names: Vec<&str> = names.map(|(_, name)| *name).collect();
    names.join(" | ")
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
        assert_eq!(options, "NO_LOOPBACK");
        assert_eq!(named("ulLineID", 1), None);
    }
}
