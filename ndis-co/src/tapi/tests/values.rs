//! SAPs, strings, translations and numbers.

use super::*;
use crate::tapi::bytes::{Descriptor, Field};

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

/// A query may state the room for its answer in either field of the descriptor. The answer is never
/// longer than what the descriptor says then.
#[test]
fn an_answer_is_no_longer_than_its_room() {
    let _host = Host::builder().build();
    let query = TranslateCallInfo {
        call_parameters: b"parameters",
        room: 600,
    };
    let at = offset_of!(ndis_sys::CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, LineCallInfo);
    for (len, room) in [(600, 600), (600, 0), (0, 600), (600, 1)] {
        let mut buffer = written(&query);
        let asked = Descriptor::read(&buffer, at).unwrap();
        Descriptor { len, room, ..asked }.write(&mut buffer, at);
        TranslateCallInfo::answer(&mut buffer, &info()).unwrap();
        assert_eq!(TranslateCallInfo::parse_answer(&buffer), Ok(info()));
        let answered = Descriptor::read(&buffer, at).unwrap();
        assert!(answered.len <= answered.room, "{answered:?}");
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
