//! The structures in full: round trips, truncations, and whatever a word may say.

use super::{line::Shape, *};
use crate::{
    Status,
    address::SapAddressBuf,
    params::{CallFlags, CallParameters, FlowSpec},
};
use ndis_host::Host;
use ndis_sys::{
    CO_AF_TAPI_INCOMING_CALL_PARAMETERS, CO_AF_TAPI_MAKE_CALL_PARAMETERS, CO_CALL_PARAMETERS,
    CO_MEDIA_PARAMETERS, CO_TAPI_LINE_CAPS, LINE_CALL_PARAMS,
};
use std::{format, mem::offset_of, vec, vec::Vec};

extern crate std;

mod calls;
mod values;

fn params() -> CallParams<'static> {
    CallParams {
        bearer_mode: BearerModes::DATA,
        min_rate: 64_000,
        max_rate: 128_000,
        media_mode: MediaModes::DIGITALDATA,
        flags: CallParamFlags::IDLE,
        address_mode: AddressModes::ADDRESSID,
        address: 3,
        dial: DialParams {
            pause: 1,
            speed: 2,
            digit: 3,
            wait_for_tone: 4,
        },
        predictive_states: CallStates::CONNECTED,
        no_answer_timeout: 30,
        address_type: AddressTypes::IPADDRESS,
        orig_address: b"1",
        displayable_address: b"22",
        called_party: b"333",
        comment: b"4444",
        user_user_info: b"55555",
        high_level_comp: b"6",
        low_level_comp: b"7",
        dev_specific: b"8",
        target_address: b"9",
        sending_flow: b"a",
        receiving_flow: b"b",
        device_class: b"c",
        device_config: b"d",
        call_data: b"e",
        calling_party: b"ff",
    }
}

fn info() -> CallInfo<'static> {
    CallInfo {
        line: 1,
        address: 2,
        bearer_mode: BearerModes::RESTRICTEDDATA,
        rate: 64_000,
        media_mode: MediaModes::VIDEO,
        origin: CallOrigin::INBOUND,
        reason: CallReason::DIRECT,
        trunk: u32::MAX,
        caller_flags: PartyIdFlags::ADDRESS | PartyIdFlags::NAME,
        caller_type: AddressTypes::PHONENUMBER,
        redirecting_type: AddressTypes::EMAILNAME,
        caller: b"5\x005\x005\x00\0\0",
        caller_name: b"A\0n\0n\0\0\0",
        redirecting_name: b"x",
        dev_specific: &[1, 2, 3, 4, 5, 6, 7],
        receiving_flow: b"flow",
        ..CallInfo::default()
    }
}

fn device() -> LineDevCaps<'static> {
    LineDevCaps {
        permanent_line: 77,
        permanent_guid: *b"0123456789abcdef",
        protocol_guid: *b"fedcba9876543210",
        tracking: 9,
        line_name: b"L\0\0\0",
        provider_info: b"P\0\0\0",
        dev_specific: &[9; 5],
        device_classes: b"N\0D\0I\0S\0\0\0\0\0",
        ..LineDevCaps::data(2, 1_000_000)
    }
}

fn address() -> LineAddressCaps<'static> {
    LineAddressCaps {
        line: 1,
        max_call_data: 5,
        address: b"5\x005\0\0\0",
        device_classes: b"N\0D\0I\0S\0\0\0\0\0",
        treatments: b"t",
        ..LineAddressCaps::data(2)
    }
}

fn make_call() -> MakeCall<'static> {
    MakeCall {
        line: 1,
        address: 2,
        default_params: false,
        destination: b"10.0.0.1\0",
        params: Some(params()),
    }
}

/// The bytes of a structure, without any kernel's memory.
fn written(it: &impl Flat) -> Vec<u8> {
    let mut room = vec![0; it.size()];
    assert_eq!(
        it.write_to(&mut room),
        Ok(room.len()),
        "what is there can be written"
    );
    room
}

/// What a structure is read as, whole, to be compared.
type Read = fn(&[u8]) -> Option<Vec<u8>>;

/// Reads, and writes again.
macro_rules! read {
    ($name:ident) => {
        |bytes| {
            let read = $name::parse(bytes).ok()?;
            assert!(cfg!(miri) || !format!("{read:?}").is_empty());
            Some(written(&read))
        }
    };
}

fn samples() -> Vec<(&'static str, Read, Vec<u8>)> {
    let line = LineCaps {
        line: 1,
        per_address: true,
        device: device(),
    };
    let caps = AddressCaps {
        line: 1,
        address: 2,
        caps: address(),
    };
    let diagnostics = CallDiagnostics {
        origin: CallOrigin::OUTBOUND,
        reason: CallReason::UNKNOWN,
        info: b"the cable",
    };
    let to_ndis = TranslateCallParams {
        line: 1,
        address: 2,
        default_params: false,
        destination: b"555",
        params: Some(params()),
        room: 90,
    };
    let to_tapi = TranslateCallInfo {
        call_parameters: b"some bytes",
        room: 500,
    };
    vec![
        ("params", read!(CallParams), written(&params())),
        ("info", read!(CallInfo), written(&info())),
        ("device", read!(LineDevCaps), written(&device())),
        ("address", read!(LineAddressCaps), written(&address())),
        ("line caps", read!(LineCaps), written(&line)),
        ("address caps", read!(AddressCaps), written(&caps)),
        (
            "cm caps",
            read!(CmCaps),
            written(&CmCaps {
                per_line: true,
                ..CmCaps::new(3)
            }),
        ),
        ("diagnostics", read!(CallDiagnostics), written(&diagnostics)),
        ("make call", read!(MakeCall), written(&make_call())),
        (
            "incoming",
            read!(IncomingCall),
            written(&IncomingCall { info: info() }),
        ),
        ("to NDIS", read!(TranslateCallParams), written(&to_ndis)),
        ("to TAPI", read!(TranslateCallInfo), written(&to_tapi)),
    ]
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(CallParams::parse(&written(&params())), Ok(params()));
    assert_eq!(CallInfo::parse(&written(&info())), Ok(info()));
    assert_eq!(LineDevCaps::parse(&written(&device())), Ok(device()));
    assert_eq!(LineAddressCaps::parse(&written(&address())), Ok(address()));
    assert_eq!(MakeCall::parse(&written(&make_call())), Ok(make_call()));
    for (name, read, bytes) in samples() {
        assert_eq!(read(&bytes).as_ref(), Some(&bytes), "{name}");
    }
}

#[test]
fn it_is_read_from_any_place() {
    for (name, read, bytes) in samples() {
        for shift in if cfg!(miri) { 3..4 } else { 1..8 } {
            let mut moved = vec![0xEE; shift];
            moved.extend(&bytes);
            assert_eq!(
                read(&moved[shift..]).as_ref(),
                Some(&bytes),
                "{name} by {shift}"
            );
        }
    }
}

/// Nothing but the padding at the end may be missing.
#[test]
fn what_is_cut_off_is_no_structure() {
    for (name, read, bytes) in samples() {
        let step = if cfg!(miri) { 37 } else { 1 };
        for len in (0..bytes.len()).step_by(step) {
            let cut = Vec::from(&bytes[..len]).into_boxed_slice();
            if let Some(again) = read(&cut) {
                assert!(len + 8 > bytes.len(), "{name} of {len} bytes");
                assert_eq!(again, bytes, "{name} of {len} bytes");
            }
        }
    }
}

/// Whatever one word of a structure says, it is refused or means something that can be written
/// and reads the same again.
#[test]
fn a_word_that_lies_leads_nowhere() {
    for (name, read, bytes) in samples() {
        let len = bytes.len() as u32;
        let words = [
            0,
            1,
            3,
            len - 1,
            len,
            0xFFFF,
            i32::MAX as u32,
            u32::MAX - 3,
            len + 1,
            u32::MAX,
        ];
        // The interpreter is slow.
        let (step, words) = if cfg!(miri) {
            (100, &words[8..])
        } else {
            (4, &words[..])
        };
        for at in (0..bytes.len().saturating_sub(3)).step_by(step) {
            for word in words {
                let mut hostile = bytes.clone();
                hostile[at..at + 4].copy_from_slice(&word.to_ne_bytes());
                let hostile = hostile.into_boxed_slice();
                if let Some(again) = read(&hostile) {
                    assert_eq!(
                        read(&again).as_ref(),
                        Some(&again),
                        "{name} at {at}: {word:#x}"
                    );
                }
            }
        }
    }
}

/// Two words, a size and an offset for example.
#[test]
fn neither_do_two_words() {
    let bytes = written(&params());
    let step = if cfg!(miri) { 4 } else { 1 };
    for (size, offset) in CallParams::SHAPE.pairs.iter().step_by(step) {
        for (long, far) in [
            (u32::MAX, u32::MAX),
            (u32::MAX, 4),
            (2, u32::MAX),
            (1, 0),
            (1, 111),
            (bytes.len() as u32, 112),
            (1, bytes.len() as u32),
        ] {
            let mut hostile = bytes.clone();
            hostile[*size..][..4].copy_from_slice(&long.to_ne_bytes());
            hostile[*offset..][..4].copy_from_slice(&far.to_ne_bytes());
            assert_eq!(
                CallParams::parse(&hostile),
                Err(Status::INVALID_DATA),
                "{long} at {far}"
            );
        }
    }
}

/// Each byte of the fixed part belongs to one field.
#[test]
fn no_field_is_missing() {
    fn check(name: &str, shape: &Shape, places: &[(usize, usize)]) {
        let mut owners = vec![0; shape.fixed];
        let sizes = if shape.sized { 12 } else { 4 };
        let pairs = shape
            .pairs
            .iter()
            .flat_map(|(size, offset)| [(*size, 4), (*offset, 4)]);
        for (at, len) in pairs.chain([(0, sizes)]).chain(places.iter().copied()) {
            owners[at..at + len].iter_mut().for_each(|it| *it += 1);
        }
        assert!(owners.iter().all(|it| *it == 1), "{name}: {owners:?}");
        assert!(shape.pairs.is_sorted(), "{name}");
        assert!(
            shape.pairs.iter().all(|(size, offset)| size + 4 == *offset),
            "{name}"
        );
    }
    check("params", &CallParams::SHAPE, CallParams::PLACES);
    check("info", &CallInfo::SHAPE, CallInfo::PLACES);
    check("device", &LineDevCaps::SHAPE, LineDevCaps::PLACES);
    check("address", &LineAddressCaps::SHAPE, LineAddressCaps::PLACES);
}

/// As a C driver sees them.
#[test]
fn the_c_structures_read_the_same() {
    let bytes = written(&make_call());
    // SAFETY: words of any value, and there are enough bytes.
    let raw: CO_AF_TAPI_MAKE_CALL_PARAMETERS = unsafe {
        bytes
            .as_ptr()
            .cast::<CO_AF_TAPI_MAKE_CALL_PARAMETERS>()
            .read_unaligned()
    };
    assert_eq!((raw.ulLineID, raw.ulAddressID, raw.ulFlags), (1, 2, 1));
    let destination =
        offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, DestAddress) + raw.DestAddress.Offset;
    assert_eq!(
        &bytes[destination..][..raw.DestAddress.Length.into()],
        b"10.0.0.1\0"
    );
    assert_eq!(raw.DestAddress.MaximumLength, raw.DestAddress.Length);
    let place =
        offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, LineCallParams) + raw.LineCallParams.Offset;
    assert_eq!(place % size_of::<usize>(), 0);
    let inner = &bytes[place..][..raw.LineCallParams.Length.into()];
    // SAFETY: as above.
    let line: LINE_CALL_PARAMS =
        unsafe { inner.as_ptr().cast::<LINE_CALL_PARAMS>().read_unaligned() };
    assert_eq!(line.ulTotalSize as usize, inner.len());
    assert_eq!(
        (line.ulBearerMode, line.ulMinRate, line.ulMaxRate),
        (8, 64_000, 128_000)
    );
    assert_eq!(line.DialParams.ulWaitForDialtone, 4);
    assert_eq!(
        &inner[line.ulCommentOffset as usize..][..line.ulCommentSize as usize],
        b"4444"
    );

    let mut room = [0xEE; 600];
    let line = LineCaps {
        line: 5,
        per_address: true,
        device: device(),
    };
    let len = line.write_to(&mut room).unwrap();
    assert_eq!(len, line.size());
    assert!(
        room[len..].iter().all(|it| *it == 0xEE),
        "nothing behind is written"
    );
    // SAFETY: as above.
    let raw: CO_TAPI_LINE_CAPS =
        unsafe { room.as_ptr().cast::<CO_TAPI_LINE_CAPS>().read_unaligned() };
    assert_eq!((raw.ulLineID, raw.ulFlags), (5, 1));
    let caps = raw.LineDevCaps;
    assert_eq!(caps.ulTotalSize as usize, room.len() - 8);
    assert_eq!([caps.ulNeededSize, caps.ulUsedSize], [len as u32 - 8; 2]);
    assert_eq!(
        (caps.ulStringFormat, caps.ulBearerModes, caps.ulMediaModes),
        (3, 8, 0x100)
    );
    assert_eq!((caps.ulNumAddresses, caps.ulPermanentLineID), (2, 77));
}

#[test]
fn an_older_structure_is_shorter() {
    // Version 1.3, and one part.
    let mut old = vec![0; 112 + 6];
    for (at, word) in [(0, 118_u32), (4, 8), (12, 9600), (72, 6), (76, 112)] {
        old[at..][..4].copy_from_slice(&word.to_ne_bytes());
    }
    old[112..].copy_from_slice(b"people");
    assert_eq!(offset_of!(LINE_CALL_PARAMS, ulCommentSize), 72);
    let read = CallParams::parse(&old).unwrap();
    let expected = CallParams {
        bearer_mode: BearerModes::DATA,
        max_rate: 9600,
        comment: b"people",
        ..CallParams::default()
    };
    assert_eq!(read, expected);
    // And none.
    old.truncate(112);
    old[0..4].copy_from_slice(&112_u32.to_ne_bytes());
    old[72..80].fill(0);
    assert_eq!(CallParams::parse(&old).unwrap().max_rate, 9600);
}

#[test]
fn too_little_room_is_said() {
    let line = LineCaps {
        line: 1,
        per_address: false,
        device: device(),
    };
    let address = AddressCaps {
        line: 1,
        address: 2,
        caps: address(),
    };
    let mut room = vec![0; line.size() - 1];
    assert_eq!(line.write_to(&mut room), Err(Status::BUFFER_TOO_SHORT));
    // The other way: the fixed part, which says what all of it takes.
    let len = line.write_without_parts(&mut room).unwrap();
    let sizes = LineDevCaps::sizes(&room[8..]).unwrap();
    assert_eq!(sizes.total as usize, room.len() - 8);
    assert_eq!(sizes.needed as usize, line.size() - 8);
    assert_eq!((sizes.used, len), (292, 300));
    let read = LineCaps::parse(&room[..len]).unwrap();
    let (numbers, parts) = (read.device.permanent_guid, read.device.line_name);
    assert_eq!((numbers, parts), (device().permanent_guid, &[][..]));
    let len = address.write_without_parts(&mut room).unwrap();
    assert_eq!(len, 240);
    assert!(
        AddressCaps::parse(&room[..len])
            .unwrap()
            .caps
            .address
            .is_empty()
    );
    for len in [0, 8, 299] {
        assert_eq!(
            line.write_without_parts(&mut room[..len]),
            Err(Status::BUFFER_TOO_SHORT)
        );
        assert_eq!(
            line.write_to(&mut room[..len]),
            Err(Status::BUFFER_TOO_SHORT)
        );
    }
    for (name, _, bytes) in samples() {
        assert!(!bytes.is_empty(), "{name}");
    }
}

#[test]
fn a_query_says_which_line() {
    let mut buffer = vec![7; 400];
    LineCaps::ask(3, &mut buffer).unwrap();
    assert_eq!(LineCaps::asked(&buffer), Ok(3));
    assert_eq!(LineDevCaps::sizes(&buffer[8..]).unwrap().total, 392);
    AddressCaps::ask(3, 4, &mut buffer).unwrap();
    assert_eq!(AddressCaps::asked(&buffer), Ok((3, 4)));
    assert_eq!(LineAddressCaps::sizes(&buffer[12..]).unwrap().total, 388);
    assert_eq!(
        AddressCaps::asked(&buffer[..7]),
        Err(Status::INVALID_LENGTH)
    );
    assert_eq!(LineCaps::asked(&[]), Err(Status::INVALID_LENGTH));
    assert_eq!(
        LineCaps::ask(3, &mut buffer[..11]),
        Err(Status::BUFFER_TOO_SHORT)
    );
}
