//! From the value of a key to what NDIS tells a driver of it, and back.

use crate::ke::table::registry::{REG_BINARY, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, RegistryValue};
use crate::readings::ConfigurationText;
use alloc::vec::Vec;
use ndis_sys as n;

/// What a driver is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Integer(u32),
    /// Text or a list of texts, with the type that says which.
    Text(i32, Vec<u8>),
    Bytes(Vec<u8>),
}

impl Told {
    /// What a driver is told of a value that it asks for as `asked`; None for what NDIS has no
    /// type for.
    pub(super) fn of(
        value: &RegistryValue,
        asked: i32,
        reading: ConfigurationText,
    ) -> Option<Self> {
        let data = value.data();
        match value.kind() {
            n::REG_DWORD => {
                let number = data.try_into().ok().map(u32::from_ne_bytes);
                number.map(Self::Integer)
            }
            REG_SZ | REG_EXPAND_SZ => {
                let text = data.strip_suffix(&[0, 0]).unwrap_or(data);
                let number = match reading {
                    ConfigurationText::Converted => number(text, asked),
                    _ => None,
                };
                Some(match (number, reading) {
                    (Some(number), _) => Self::Integer(number),
                    (None, ConfigurationText::Terminated) => {
                        let text = text.iter().copied().chain([0, 0]).collect();
                        Self::Text(n::NdisParameterString, text)
                    }
                    (None, _) => Self::Text(n::NdisParameterString, text.to_vec()),
                })
            }
            REG_MULTI_SZ => Some(Self::Text(n::NdisParameterMultiString, data.to_vec())),
            REG_BINARY => Some(Self::Bytes(data.to_vec())),
            _ => None,
        }
    }

    /// What NDIS answers itself for a name, whatever the key has.
    pub(super) fn predefined(name: &str) -> Option<Self> {
        let processor = if cfg!(target_arch = "x86_64") {
            n::NdisProcessorAmd64
        } else if cfg!(target_arch = "aarch64") {
            n::NdisProcessorArm64
        } else {
            n::NdisProcessorX86
        };
        if name.eq_ignore_ascii_case("ProcessorType") {
            Some(Self::Integer(processor as u32))
        } else if name.eq_ignore_ascii_case("NdisVersion") {
            Some(Self::Integer(NDIS_VERSION))
        } else {
            None
        }
    }
}

/// 6.85, with the major version in the upper half.
const NDIS_VERSION: u32 = 0x0006_0055;

/// The number that a text is, when a driver asks for one.
fn number(text: &[u8], asked: i32) -> Option<u32> {
    let units = text
        .chunks_exact(2)
        .map(|unit| u16::from_ne_bytes([unit[0], unit[1]]));
    let text: alloc::string::String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    match asked {
        n::NdisParameterHexInteger => {
            let digits = text.strip_prefix("0x").unwrap_or(&text);
            u32::from_str_radix(digits, 16).ok()
        }
        n::NdisParameterInteger => text
            .parse()
            .ok()
            .or_else(|| text.parse::<i32>().ok().map(|number| number as u32)),
        _ => None,
    }
}

/// The bytes of an address: pairs of hexadecimal digits, with or without hyphens between them.
pub(super) fn address(value: &RegistryValue) -> Option<Vec<u8>> {
    if value.kind() != REG_SZ {
        return None;
    }
    let units = value.data().chunks_exact(2);
    let digits = units
        .map(|unit| u16::from_ne_bytes([unit[0], unit[1]]))
        .filter(|unit| ![0, u16::from(b'-')].contains(unit))
        .map(|unit| char::from_u32(unit.into())?.to_digit(16));
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let bytes = digits.chunks(2);
    let bytes: Vec<u8> = bytes
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8))
        .collect();
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
    }

    #[test]
    fn each_reading_tells_text_its_way() {
        let told = |value: &str, asked, reading| Told::of(&value.into(), asked, reading);
        let string = |bytes| Some(Told::Text(n::NdisParameterString, bytes));
        let (plain, hex) = (n::NdisParameterInteger, n::NdisParameterHexInteger);
        for asked in [plain, hex, n::NdisParameterString] {
            assert_eq!(
                told("10", asked, ConfigurationText::AsStored),
                string(text("10"))
            );
            let terminated = string(text("10\0"));
            assert_eq!(told("10", asked, ConfigurationText::Terminated), terminated);
        }
        let told = |value, asked| told(value, asked, ConfigurationText::Converted);
        assert_eq!(told("10", plain), Some(Told::Integer(10)));
        assert_eq!(told("10", hex), Some(Told::Integer(16)));
        assert_eq!(told("-1", plain), Some(Told::Integer(u32::MAX)));
        assert_eq!(told("ten", plain), string(text("ten")));
        assert_eq!(told("10", n::NdisParameterString), string(text("10")));
    }

    #[test]
    fn what_has_no_type_is_not_told() {
        let told = |kind, data: &[u8]| {
            let value = RegistryValue::new(kind, data);
            Told::of(&value, n::NdisParameterInteger, ConfigurationText::AsStored)
        };
        assert_eq!(told(REG_BINARY, &[1]), Some(Told::Bytes(alloc::vec![1])));
        assert_eq!(told(n::REG_DWORD, &[1, 0]), None);
        // REG_QWORD.
        assert_eq!(told(11, &[0; 8]), None);
    }

    #[test]
    fn an_address_is_pairs_of_digits() {
        let whole = Some(alloc::vec![2, 0, 0, 0xAB, 0xCD, 7]);
        assert_eq!(address(&"02-00-00-ab-CD-07".into()), whole);
        assert_eq!(address(&"020000ABCD07".into()), whole);
        assert_eq!(address(&"2".into()), Some(alloc::vec![2]));
        for none in ["", "--", "02:00", "none"] {
            assert_eq!(address(&none.into()), None, "{none}");
        }
        assert_eq!(address(&7.into()), None);
    }
}
