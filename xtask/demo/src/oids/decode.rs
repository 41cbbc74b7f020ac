//! Answers as a person reads them: fields by their C names, numbers with their units.

use ndis_co::oid::number;

use super::{
    Row, flags,
    layout::{self, Field, Layout},
};

/// What an answer, or what was set, says: a line for each part.
pub fn decode(row: &Row, bytes: &[u8]) -> Vec<String> {
    match row.oid {
        number::GEN_CO_SUPPORTED_LIST => return numbers(bytes).map(oid).collect(),
        number::GEN_CO_VENDOR_DESCRIPTION => return vec![text(bytes)],
        number::CO_TAPI_LINE_CAPS => {
            let (head, caps) = bytes.split_at_checked(layout::OF_LINE).unwrap_or_default();
            return with(
                layout::LINE_CAPS,
                head,
                &[layout::LINE_DEV_CAPS, layout::LINE_DEV_CAPS_3],
                caps,
            );
        }
        number::CO_TAPI_ADDRESS_CAPS => {
            let (head, caps) = bytes
                .split_at_checked(layout::OF_ADDRESS)
                .unwrap_or_default();
            return with(
                layout::ADDRESS_CAPS,
                head,
                &[layout::LINE_ADDRESS_CAPS, layout::LINE_ADDRESS_CAPS_3],
                caps,
            );
        }
        number::CO_TAPI_GET_CALL_DIAGNOSTICS => return fields(layout::DIAGNOSTICS, bytes),
        _ => {}
    }
    if bytes.is_empty() {
        return vec!["success, without data".to_owned()];
    }
    match row.value {
        "NDIS_CO_LINK_SPEED" => fields(layout::LINK_SPEED, bytes),
        "NDIS_STATISTICS_INFO" => fields(layout::STATISTICS, bytes),
        "NDIS_WAN_CO_INFO" => fields(layout::WAN_INFO, bytes),
        "NDIS_WAN_CO_GET_LINK_INFO" | "NDIS_WAN_CO_SET_LINK_INFO" => {
            fields(layout::LINK_INFO, bytes)
        }
        "NDIS_WAN_CO_GET_STATS_INFO" => fields(layout::LINK_STATISTICS, bytes),
        "CO_TAPI_CM_CAPS" => fields(layout::CM_CAPS, bytes),
        "[u8; 4]" | "[u8; 6]" => {
            let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            vec![bytes.join("-")]
        }
        "u64" => vec![number_of(bytes).to_string()],
        value => numbers(bytes)
            .map(|number| one(row, value, number))
            .collect(),
    }
}

/// One number of a value's type.
fn one(row: &Row, value: &str, number: u32) -> String {
    if row.unit == "two numbers" {
        // The upper half of however many bytes there are.
        let half = if value == "u16" { 8 } else { 16 };
        return format!("{}.{}", number >> half, number & ((1 << half) - 1));
    }
    if row.unit.contains("flags") {
        return bits(row.unit, number);
    }
    match name(value, number) {
        Some(name) => format!("{name} ({number})"),
        None => number.to_string(),
    }
}

/// The name of a value of an enumeration.
fn name(value: &str, number: u32) -> Option<&'static str> {
    macro_rules! names {
        ($($type:literal: $($name:ident)+;)+) => {
            match value {
                $($type => {
                    $(if number as i32 == ndis_sys::$name {
                        return Some(stringify!($name));
                    })+
                    None
                })+
                _ => None,
            }
        };
    }
    names! {
        "NDIS_HARDWARE_STATUS": NdisHardwareStatusReady NdisHardwareStatusInitializing
            NdisHardwareStatusReset NdisHardwareStatusClosing NdisHardwareStatusNotReady;
        "NDIS_MEDIUM": NdisMedium802_3 NdisMediumWan NdisMediumAtm NdisMediumCoWan;
        "NDIS_MEDIA_STATE": NdisMediaStateConnected NdisMediaStateDisconnected;
        "NDIS_DEVICE_POWER_STATE": NdisDeviceStateD0 NdisDeviceStateD1 NdisDeviceStateD2
            NdisDeviceStateD3;
        "NDIS_WAN_MEDIUM_SUBTYPE": NdisWanMediumHub NdisWanMediumX_25 NdisWanMediumIsdn
            NdisWanMediumSerial NdisWanMediumFrameRelay NdisWanMediumAtm NdisWanMediumSonet
            NdisWanMediumSW56K NdisWanMediumPPTP NdisWanMediumL2TP NdisWanMediumIrda
            NdisWanMediumParallel NdisWanMediumPppoe NdisWanMediumSSTP NdisWanMediumAgileVPN
            NdisWanMediumGre;
    }
}

fn oid(number: u32) -> String {
    match Row::of(number) {
        Some(row) => format!("{number:#010x} {}", row.name),
        None => format!("{number:#010x}"),
    }
}

/// Little-endian, of at most eight bytes.
fn number_of(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Of four bytes each, or fewer in the end.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|bytes| number_of(bytes) as u32)
}

/// A text, with or without a terminator.
fn text(bytes: &[u8]) -> String {
    let wide = bytes.len() > 2 && bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    let bytes: Vec<u8> = bytes
        .iter()
        .copied()
        .step_by(1 + usize::from(wide))
        .collect();
    let text = String::from_utf8_lossy(&bytes);
    let coding = if wide { "UTF-16" } else { "ASCII" };
    format!("{:?}, {coding}", text.trim_end_matches('\0'))
}

/// A structure, then one whose offsets begin where it does itself.
fn with(first: Layout, head: &[u8], second: &[Layout], rest: &[u8]) -> Vec<String> {
    let mut all = fields(first, head);
    all.extend(fields(&second.concat(), rest));
    all
}

/// Fields that are not zero, each on a line, and those that are.
fn fields(layout: &[Field], bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut zeroes: Vec<&str> = Vec::new();
    let mut before = 0;
    for field in layout {
        // A shorter structure is that of an older page.
        let Some(data) = bytes.get(field.offset..field.offset + field.size) else {
            continue;
        };
        if data.iter().all(|byte| *byte == 0) {
            zeroes.push(field.name);
            before = 0;
            continue;
        }
        let number = number_of(data);
        lines.push(format!("{} {}", field.name, shown(field, data)));
        if let Some(part) = part(field, number, before, bytes) {
            lines.push(format!("  there: {}", text(part)));
        }
        before = number;
    }
    if !zeroes.is_empty() {
        lines.push(format!("0: {}", zeroes.join(", ")));
    }
    lines
}

/// The part of a structure that an offset leads to, with the size before it.
fn part<'a>(field: &Field, offset: u64, size: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let [offset, size] = [offset, size].map(|number| usize::try_from(number).ok());
    let (offset, size) = (offset?, size?);
    let is_one = field.name.ends_with("Offset") && size > 0;
    is_one
        .then(|| bytes.get(offset..offset.checked_add(size)?))
        .flatten()
}

/// Flags in hexadecimal, with their names as far as there are any.
fn bits(of: &str, number: u32) -> String {
    match flags::named(of, number) {
        Some(names) if !names.is_empty() => format!("{number:#x} ({names})"),
        _ => format!("{number:#x}"),
    }
}

fn shown(field: &Field, data: &[u8]) -> String {
    let number = number_of(data);
    match field.unit {
        "" => number.to_string(),
        "flags" => bits(field.name, number as u32),
        unit if unit.ends_with(" flags") => bits(unit, number as u32),
        "reserved" => format!("{number:#x} (reserved)"),
        "characters" => format!("{number:#010x} (bit n: byte n is escaped)"),
        "value" => match flags::value(field.name, number as u32) {
            Some(name) => format!("{name} ({number})"),
            None => number.to_string(),
        },
        "version" => format!("{}.{} ({number:#010x})", number >> 16, number & 0xFFFF),
        "GUID" => guid(data),
        "LINE_DIAL_PARAMS" => {
            let names = [
                "ulDialPause",
                "ulDialSpeed",
                "ulDigitDuration",
                "ulWaitForDialtone",
            ];
            let parts = names.iter().zip(numbers(data));
            let parts: Vec<_> = parts.map(|(name, ms)| format!("{name} {ms} ms")).collect();
            parts.join(", ")
        }
        "header" => format!(
            "type {:#x}, revision {}, {} bytes",
            number & 0xFF,
            number >> 8 & 0xFF,
            number >> 16
        ),
        unit => format!("{number} {unit}"),
    }
}

/// As GUIDs are written: the first three parts are numbers, the rest are bytes.
fn guid(data: &[u8]) -> String {
    let hex = |bytes: &[u8]| -> String {
        let bytes = bytes.iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    };
    let part = |from: usize, to: usize| data.get(from..to).unwrap_or_default();
    let number = |from, to| {
        let mut bytes = part(from, to).to_vec();
        bytes.reverse();
        hex(&bytes)
    };
    format!(
        "{{{}-{}-{}-{}-{}}}",
        number(0, 4),
        number(4, 6),
        number(6, 8),
        hex(part(8, 10)),
        hex(part(10, 16))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(oid: u32, bytes: &[u8]) -> Vec<String> {
        decode(Row::of(oid).expect("it is known"), bytes)
    }

    #[test]
    fn a_value_is_read_by_its_type() {
        assert_eq!(of(number::GEN_CO_DRIVER_VERSION, &[85, 6]), ["6.85"]);
        assert_eq!(
            of(number::GEN_CO_VENDOR_DRIVER_VERSION, &[2, 0, 1, 0]),
            ["1.2"]
        );
        assert_eq!(
            of(number::GEN_CO_MEDIA_IN_USE, &[12, 0, 0, 0]),
            ["NdisMediumCoWan (12)"]
        );
        assert_eq!(
            of(number::GEN_CO_BYTES_XMIT, &[0, 1, 0, 0, 0, 0, 0, 0]),
            ["256"]
        );
        assert_eq!(
            of(number::GEN_CO_VENDOR_ID, &[1, 2, 255, 0]),
            ["01-02-FF-00"]
        );
        assert_eq!(
            of(number::GEN_CO_VENDOR_DESCRIPTION, b"A wire\0"),
            ["\"A wire\", ASCII"]
        );
        let list = [1, 1, 1, 0, 0xFF, 0xFF, 0, 0];
        assert_eq!(
            of(number::GEN_CO_SUPPORTED_LIST, &list),
            ["0x00010101 GEN_CO_SUPPORTED_LIST", "0x0000ffff"]
        );
        assert_eq!(of(number::PNP_QUERY_POWER, &[]), ["success, without data"]);
    }

    #[test]
    fn a_structure_is_read_by_its_fields() {
        let mut info = [0; 16];
        info[..2].copy_from_slice(&1500_u16.to_le_bytes());
        info[4] = 16;
        info[9] = 1;
        assert_eq!(
            of(number::WAN_CO_GET_INFO, &info),
            [
                "MaxFrameSize 1500 bytes",
                "MaxSendWindow 16 packets",
                "FramingBits 0x100 (PPP)",
                "0: DesiredACCM",
            ]
        );
        // One that is too short has fewer.
        assert_eq!(
            of(number::WAN_CO_GET_INFO, &info[..6]),
            ["MaxFrameSize 1500 bytes"]
        );
    }

    #[test]
    fn what_an_offset_leads_to_is_told() {
        let size = layout::OF_LINE + layout::LINE_SIZE;
        let mut caps = vec![0; size];
        caps.extend([b'L', 0, b'1', 0, 0, 0]);
        let at = |name| {
            let mut fields = layout::LINE_DEV_CAPS.iter();
            let field = fields.find(|field| field.name == name).expect("it is one");
            layout::OF_LINE + field.offset
        };
        let offset = (size - layout::OF_LINE) as u32;
        caps[at("ulLineNameSize")] = 6;
        caps[at("ulLineNameOffset")..][..4].copy_from_slice(&offset.to_le_bytes());
        let lines = of(number::CO_TAPI_LINE_CAPS, &caps);
        assert!(
            lines.contains(&"  there: \"L1\", UTF-16".to_owned()),
            "{lines:?}"
        );
    }

    #[test]
    fn the_version_of_tapi_is_told() {
        let mut caps = [0; 12];
        caps[2] = 3;
        caps[4] = 2;
        caps[8] = 1;
        assert_eq!(
            of(number::CO_TAPI_CM_CAPS, &caps),
            [
                "ulCoTapiVersion 3.0 (0x00030000)",
                "ulNumLines 2 lines",
                "ulFlags 0x1 (PER_LINE_CAPS)",
            ]
        );
    }

    #[test]
    fn what_tapi_3_adds_is_told() {
        let mut caps = vec![0; layout::OF_LINE + layout::LINE_SIZE];
        let mut fields = layout::LINE_DEV_CAPS_3.iter();
        let guid = fields
            .find(|field| field.unit == "GUID")
            .expect("it is one");
        let from = layout::OF_LINE + guid.offset;
        for (place, byte) in caps[from..][..16].iter_mut().zip(1..) {
            *place = byte;
        }
        let lines = of(number::CO_TAPI_LINE_CAPS, &caps);
        let told = "PermanentLineGuid {04030201-0605-0807-090a-0b0c0d0e0f10}";
        assert!(lines.contains(&told.to_owned()), "{lines:?}");
    }
}
