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
    for (size, offset) in CallParams::SHAPE.pairs {
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

#[test]
fn parameters_of_calls_carry_them() {
    let _host = Host::builder().build();
    let (there, back) = (flow(1_000_000, 1500), flow(500_000, 1400));
    let mut built = make_call().to_parameters(there, back).unwrap();
    built.insert_flags(CallFlags::CHANGED);
    let view = built.view();
    assert_eq!(MakeCall::from_parameters(view), Ok(make_call()));
    assert_eq!(Call::from_parameters(view), Ok(Call::Outgoing(make_call())));
    assert_eq!(
        IncomingCall::from_parameters(view),
        Err(Status::INVALID_DATA)
    );
    let manager = view.call_manager().unwrap();
    assert_eq!(manager.transmit().peak_bandwidth, 1_000_000);
    assert_eq!(manager.receive().max_sdu_size, 1400);

    let incoming = IncomingCall { info: info() };
    let built = incoming.to_parameters(there, back).unwrap();
    assert_eq!(IncomingCall::from_parameters(built.view()), Ok(incoming));
    assert_eq!(
        Call::from_parameters(built.view()),
        Ok(Call::Incoming(incoming))
    );
    assert_eq!(
        MakeCall::from_parameters(built.view()),
        Err(Status::INVALID_DATA)
    );
    // SAFETY: all of it is within the length that is stated.
    let described = unsafe { IncomingCall::from_parameters_described(built.view()) };
    assert_eq!(described, Ok(incoming));

    // Neither way, and numbers that are not equal.
    let mut bytes = written(&incoming);
    let flags = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
    bytes[flags] = 0;
    assert_eq!(Call::parse(&bytes), Err(Status::INVALID_DATA));
    assert_eq!(IncomingCall::parse(&bytes), Ok(incoming));
    bytes[flags] = 3;
    assert_eq!(Call::parse(&bytes), Err(Status::INVALID_DATA));
    bytes[0] = 9;
    assert_eq!(IncomingCall::parse(&bytes), Err(Status::INVALID_DATA));

    // What a descriptor cannot say.
    let long = vec![1; 0x1_0000];
    let call = MakeCall {
        destination: &long,
        ..make_call()
    };
    assert_eq!(
        call.to_parameters(there, back).err(),
        Some(Status::INVALID_LENGTH)
    );
    let call = MakeCall {
        params: Some(CallParams {
            comment: &long,
            ..params()
        }),
        ..make_call()
    };
    assert_eq!(call.to_vec().err(), Some(Status::INVALID_LENGTH));
    let call = IncomingCall {
        info: CallInfo {
            comment: &long,
            ..info()
        },
    };
    assert_eq!(call.to_vec().err(), Some(Status::INVALID_LENGTH));
    // With defaults the parameters do not count.
    let call = MakeCall {
        default_params: true,
        ..make_call()
    };
    let bytes = written(&call);
    let read = MakeCall::parse(&bytes).map(|it| it.params);
    assert_eq!(read, Ok(None));
}

/// The other reading of the pages: the length is that of the fixed structure.
#[test]
fn parameters_may_lie_behind_the_length() {
    let bytes = written(&make_call());
    let specific = offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific);
    let start = specific + 8;
    let fixed = size_of::<CO_AF_TAPI_MAKE_CALL_PARAMETERS>();
    // Not a byte more than there is, as a sanitizer sees.
    let mut media = vec![0_u64; (start + bytes.len()).div_ceil(8)];
    let place = media.as_mut_ptr().cast::<u8>();
    for (at, byte) in bytes.iter().enumerate() {
        // SAFETY: the memory has so many bytes.
        unsafe { place.wrapping_add(start + at).write(*byte) };
    }
    let len_place = place.wrapping_add(specific + 4).cast::<u32>();
    // SAFETY: a word of the structure.
    unsafe { len_place.write(fixed as u32) };
    let raw = CO_CALL_PARAMETERS {
        Flags: 0,
        CallMgrParameters: core::ptr::null_mut(),
        MediaParameters: place.cast(),
    };
    // SAFETY: the structure and the media's part are valid.
    let view = unsafe { CallParameters::from_raw(&raw) }.unwrap();
    assert_eq!(MakeCall::from_parameters(view), Err(Status::INVALID_DATA));
    // SAFETY: what the descriptors say is there.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Ok(make_call()));

    // An offset that no structure has is not followed.
    let far = place.wrapping_add(
        start
            + offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, DestAddress)
            + size_of::<usize>().max(4),
    );
    // SAFETY: the offset of the descriptor.
    unsafe { far.cast::<usize>().write(0x1_0001) };
    // SAFETY: the other descriptor is as it was, and this one is beyond what is followed.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_DATA));
    // SAFETY: a word of the structure; now there is less than the fixed structure.
    unsafe { len_place.write(fixed as u32 - 1) };
    // SAFETY: as above.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_LENGTH));

    let none = CO_CALL_PARAMETERS {
        MediaParameters: core::ptr::null_mut(),
        ..raw
    };
    // SAFETY: valid, with null pointers only.
    let view = unsafe { CallParameters::from_raw(&none) }.unwrap();
    assert_eq!(MakeCall::from_parameters(view), Err(Status::INVALID_DATA));
    // SAFETY: there is no structure.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_DATA));
}

#[test]
fn saps_are_of_two_kinds() {
    let _host = Host::builder().build();
    let sap = LineSap {
        line: 1,
        address: ANY_ADDRESS,
        media_modes: MediaModes::DIGITALDATA,
    };
    let built = sap.to_address().unwrap();
    assert_eq!(
        (built.view().sap_type(), built.view().bytes().len()),
        (SAP_TYPE, 12)
    );
    assert_eq!(LineSap::parse(built.view()), Ok(sap));
    assert!(sap.takes(1, 9, MediaModes::DIGITALDATA));
    assert!(sap.takes(1, 9, MediaModes::UNKNOWN));
    assert!(!sap.takes(2, 9, MediaModes::DIGITALDATA));
    assert!(!sap.takes(1, 9, MediaModes::INTERACTIVEVOICE));
    assert!(
        LineSap {
            line: ANY_LINE,
            ..sap
        }
        .takes(7, 7, MediaModes::DIGITALDATA)
    );

    let class = ClassSap::address_of(NDIS_CLASS).unwrap();
    assert_eq!(
        (class.view().sap_type(), class.view().bytes()),
        (SAP_TYPE, &b"NDIS\0"[..])
    );
    assert!(ClassSap::parse(class.view()).unwrap().class.is("ndis"));
    assert_eq!(LineSap::parse(class.view()), Err(Status::INVALID_SAP));
    let wide = SapAddressBuf::try_new(SAP_TYPE, b"N\0D\0I\0S\0").unwrap();
    assert!(ClassSap::parse(wide.view()).unwrap().class.is(NDIS_CLASS));
    for (kind, bytes) in [(1, &b"NDIS"[..]), (SAP_TYPE, b""), (SAP_TYPE, b"\0\0")] {
        let other = SapAddressBuf::try_new(kind, bytes).unwrap();
        assert_eq!(ClassSap::parse(other.view()), Err(Status::INVALID_SAP));
    }
    assert_eq!(
        ClassSap::address_of("\u{e9}").err(),
        Some(Status::INVALID_DATA)
    );
}

#[test]
fn strings_are_read_whatever_they_are() {
    let _host = Host::builder().build();
    let text = |bytes| Text::new(StringFormat::UNICODE, bytes);
    // A pair, its halves apart, and an odd byte.
    assert!(text(&[0x3D, 0xD8, 0x00, 0xDE]).is("\u{1F600}"));
    assert!(text(&[0x00, 0xDE, 0x3D, 0xD8]).is("\u{FFFD}\u{FFFD}"));
    assert!(text(&[0x3D, 0xD8, 0x41, 0x00, 0x42]).is("\u{FFFD}A\u{FFFD}"));
    assert!(text(&[0x3D, 0xD8, 0, 0, 0x41, 0]).is("\u{FFFD}"));
    assert_eq!(text(b"A\0").ascii(), None);
    let byte = Text::guess(b"tea\xE9\0more");
    assert!(byte.is("tea\u{FFFD}"));
    assert_eq!((byte.ascii(), byte.format()), (None, StringFormat::ASCII));
    assert_eq!(Text::guess(b"NDIS\0").ascii(), Some("NDIS"));
    assert_eq!(
        format!("{:?} {}", Text::guess(b"a\"\n"), Text::guess(b"b")),
        "\"a\\\"\\n\" b"
    );
    assert!(Text::guess(b"").is("") && Text::guess(b"7\0").is("7"));

    let list = TextBuf::utf16_list(&["NDIS", "tapi/line"]).unwrap();
    let names: Vec<_> = text(&list).strings().map(|it| format!("{it}")).collect();
    assert_eq!(names, ["NDIS", "tapi/line"]);
    assert!(list.ends_with(&[0; 4]));
    let ascii = Text::new(StringFormat::ASCII, b"a\0bc");
    assert_eq!(ascii.strings().count(), 2);
    assert_eq!(text(b"\0\0").strings().count(), 0);
    assert_eq!(text(b"A").strings().count(), 1);
    let own = TextBuf::utf16("\u{1F600}").unwrap();
    assert_eq!(&*own, &[0x3D, 0xD8, 0x00, 0xDE, 0, 0]);
}

#[test]
fn translations_are_answered_in_place() {
    let _host = Host::builder().build();
    let query = TranslateCallParams {
        line: 1,
        address: 2,
        default_params: true,
        destination: b"555",
        params: None,
        room: 16,
    };
    let mut buffer = written(&query);
    assert_eq!(TranslateCallParams::parse(&buffer), Ok(query));
    let used = TranslateCallParams::answer(&mut buffer, b"parameters").unwrap();
    assert!(used <= buffer.len());
    assert_eq!(
        TranslateCallParams::parse_answer(&buffer),
        Ok(&b"parameters"[..])
    );
    assert_eq!(
        TranslateCallParams::answer(&mut buffer, &[0; 17]),
        Err(Status::BUFFER_TOO_SHORT)
    );

    let query = TranslateCallInfo {
        call_parameters: b"parameters",
        room: 600,
    };
    let mut buffer = written(&query);
    TranslateCallInfo::answer(&mut buffer, &info()).unwrap();
    assert_eq!(TranslateCallInfo::parse_answer(&buffer), Ok(info()));
    let small = TranslateCallInfo { room: 343, ..query };
    let mut buffer = written(&small);
    assert_eq!(
        TranslateCallInfo::answer(&mut buffer, &info()),
        Err(Status::BUFFER_TOO_SHORT)
    );

    let query = TranslateSap {
        line: 1,
        address: 2,
        media_modes: MediaModes::DIGITALDATA,
    };
    let saps = [
        SapAddressBuf::try_new(1, b"one").unwrap(),
        SapAddressBuf::try_new(2, b"").unwrap(),
    ];
    let views = [saps[0].view(), saps[1].view()];
    let size = TranslateSap::answer_size(&views);
    let mut buffer = vec![0; size];
    query.ask(&mut buffer).unwrap();
    assert_eq!(TranslateSap::parse(&buffer), Ok(query));
    assert_eq!(
        TranslateSap::answer(&mut buffer[..size - 1], &views),
        Err(Status::BUFFER_TOO_SHORT)
    );
    assert_eq!(TranslateSap::answer(&mut buffer, &views), Ok(size));
    let read: Vec<_> = TranslateSap::parse_answer(&buffer).unwrap().collect();
    assert_eq!(read, [Ok((1, &b"one"[..])), Ok((2, &b""[..]))]);
    // Every word of it may lie.
    for at in (0..size - 3).step_by(4) {
        for word in [0, 1, size as u32, 0xFFFF, u32::MAX] {
            let mut hostile = buffer.clone();
            hostile[at..at + 4].copy_from_slice(&word.to_ne_bytes());
            if let Ok(saps) = TranslateSap::parse_answer(&hostile) {
                assert!(saps.count() <= 2, "{at}: {word}");
            }
        }
    }
    for len in 0..size {
        if let Ok(saps) = TranslateSap::parse_answer(&buffer[..len]) {
            assert!(saps.into_iter().any(|it| it.is_err()), "{len}");
        }
    }
}

#[test]
fn ends_of_calls_are_statuses() {
    assert_eq!(Disconnect::ALL.len(), 12);
    for (index, reason) in Disconnect::ALL.iter().enumerate() {
        let status = Status::from(*reason);
        assert_eq!(status.raw(), (0xC001_2020_u32 as i32) + index as i32);
        assert_eq!(status, status.as_failure());
        assert_eq!(Disconnect::from_status(status), Some(*reason));
        assert_eq!(reason.mode().bits(), 1 << index);
    }
    assert_eq!(Disconnect::from_status(Status::SUCCESS), None);
}

#[test]
fn constants_are_those_of_version_3() {
    assert_eq!(CmCaps::new(2).to_raw().ulCoTapiVersion, 0x0003_0000);
    assert_eq!(Version::V1_3, Version(0x0001_0003));
    assert_eq!(SAP_TYPE, 0x8000);
    assert_eq!(
        flow(5, 6),
        FlowSpec {
            peak_bandwidth: 5,
            ..FlowSpec::best_effort(6)
        }
    );
    assert_eq!(MediaModes::VIDEO.bits(), 0x8000);
    assert_eq!(LineFeatures::MAKECALL.bits(), 8);
}
