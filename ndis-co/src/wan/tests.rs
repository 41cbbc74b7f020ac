//! The structures in full: round trips, truncations, and what the C forms say.

use super::*;
use crate::{Status, tapi::Flat};
use ndis_host as _;
use std::{format, vec, vec::Vec};

extern crate std;

type Read = fn(&[u8]) -> Option<Vec<u8>>;

fn bytes_of(it: &impl Flat) -> Vec<u8> {
    let mut room = vec![0; it.size()];
    assert_eq!(it.write_to(&mut room), Ok(room.len()));
    room
}

macro_rules! read {
    ($name:ident) => {
        |bytes| Some(bytes_of(&$name::parse(bytes).ok()?))
    };
}

/// Each structure, its size, and how it is read.
const ALL: [(&str, usize, Read); 7] = [
    ("info", 16, read!(Info)),
    ("link", 32, read!(LinkInfo)),
    ("compression", 104, read!(CompressionInfo)),
    ("statistics", 116, read!(Statistics)),
    ("link parameters", 12, read!(LinkParameters)),
    ("with an MTU", 20, read!(MtuLinkParameters)),
    ("fragment", 4, read!(Fragment)),
];

#[test]
fn any_bytes_are_read_and_written() {
    for (name, size, read) in ALL {
        for shift in 0..8 {
            let bytes: Vec<u8> = (0..size + 12).map(|it| (it as u8) | 0x81).collect();
            let own = &bytes[shift..shift + size];
            let mut expected = Vec::from(own);
            if name == "compression" {
                // A byte of padding in each half.
                (expected[13], expected[52 + 13]) = (0, 0);
            }
            if name == "info" {
                // PPP, always.
                expected[9] |= 1;
            }
            assert_eq!(read(own).as_ref(), Some(&expected), "{name} by {shift}");
            // What is behind does not matter.
            assert_eq!(
                read(&bytes[shift..]).as_ref(),
                Some(&expected),
                "{name} by {shift}"
            );
        }
        for len in (0..size).step_by(if cfg!(miri) { 15 } else { 1 }) {
            assert_eq!(
                read(&vec![0; len].into_boxed_slice()),
                None,
                "{name} of {len} bytes"
            );
        }
    }
}

#[test]
fn too_little_room_is_said() {
    let mut room = [7; 103];
    assert_eq!(
        CompressionInfo::default().write_to(&mut room),
        Err(Status::BUFFER_TOO_SHORT)
    );
    assert_eq!(
        Info::default().write_to(&mut room[..15]),
        Err(Status::BUFFER_TOO_SHORT)
    );
    assert_eq!(Fragment::default().write_to(&mut room), Ok(4));
    assert_eq!(room[4], 7);
}

#[test]
fn an_adapter_has_a_window_and_ppp() {
    let raw = Info::default().to_raw();
    assert_eq!((raw.MaxSendWindow, raw.FramingBits), (1, 0x100));
    let raw = Info {
        framing: Framing::TUNNEL,
        desired_accm: 5,
        ..Info::new(1400, 8)
    }
    .to_raw();
    assert_eq!((raw.MaxFrameSize, raw.MaxSendWindow), (1400, 8));
    assert_eq!((raw.FramingBits, raw.DesiredACCM), (0x730, 5));
    assert_eq!(Info::from_raw(&raw).framing, Framing::TUNNEL);
}

#[test]
fn a_link_is_set_to_what_goes() {
    let info = Info {
        framing: Framing::TUNNEL | Framing::SLIP,
        ..Info::new(1500, 8)
    };
    let reported = LinkInfo::undetected(1532);
    let asked = LinkInfo {
        send_framing: Framing::PPP | Framing::COMPRESS_PROTOCOL,
        receive_framing: Framing::PPP,
        ..LinkInfo::undetected(1532)
    };
    assert_eq!(asked.check(&info, &reported), Ok(()));
    assert_eq!(reported.check(&info, &reported), Ok(()));
    let set = asked.to_raw_set();
    assert_eq!((set.MaxSendFrameSize, set.SendFramingBits), (1532, 0x500));
    assert_eq!(LinkInfo::from_raw(&asked.to_raw()), asked);
    for wrong in [
        LinkInfo {
            max_send_frame_size: 1533,
            ..asked
        },
        LinkInfo {
            max_receive_frame_size: u32::MAX,
            ..asked
        },
        LinkInfo {
            send_framing: Framing::RAS,
            receive_framing: Framing::RAS,
            ..asked
        },
        LinkInfo {
            receive_framing: Framing::SLIP,
            ..asked
        },
    ] {
        assert_eq!(
            wrong.check(&info, &reported),
            Err(Status::INVALID_DATA),
            "{wrong:?}"
        );
    }
    // One direction detects.
    let detects = LinkInfo {
        receive_framing: Framing::empty(),
        ..asked
    };
    assert_eq!(detects.check(&info, &reported), Ok(()));
}

#[test]
fn counters_go_by_the_room() {
    let counters = Statistics {
        bytes_sent: 1,
        received_compressed: 2,
        tunnel_received: 3,
        tunnel_generic3: 4,
        ..Statistics::default()
    };
    for (room, len) in [(116, 116), (200, 116), (56, 56), (115, 56)] {
        let mut answer = vec![9; room];
        assert_eq!(counters.answer(&mut answer), Ok(len));
        assert!(answer[len..].iter().all(|it| *it == 9));
        let read = Statistics::parse_answer(&answer[..len]).unwrap();
        assert_eq!((read.bytes_sent, read.received_compressed), (1, 2));
        let tunnel = if len == 116 { (3, 4) } else { (0, 0) };
        assert_eq!((read.tunnel_received, read.tunnel_generic3), tunnel);
    }
    for room in (0..56).step_by(if cfg!(miri) { 11 } else { 1 }) {
        assert_eq!(
            counters.answer(&mut vec![0; room]),
            Err(Status::BUFFER_TOO_SHORT)
        );
        assert_eq!(Statistics::answer_size(room), 116);
        assert_eq!(
            Statistics::parse_answer(&vec![0; room]),
            Err(Status::INVALID_LENGTH)
        );
    }
    let raw = counters.to_raw();
    assert_eq!((raw.BytesSent, raw.TunnelGeneric3), (1, 4));
}

#[test]
fn indications_have_their_units() {
    let link = LinkParameters {
        transmit_speed: 1,
        receive_speed: 2,
        send_window: 3,
    };
    let raw = MtuLinkParameters::new(link, 1400).to_raw();
    assert_eq!(
        (raw.Version, raw.TransmitSpeed, raw.ReceiveSpeed),
        (1, 1, 2)
    );
    assert_eq!((raw.SendWindow, raw.MTU), (3, 1400));
    let damaged = Fragment {
        errors: FrameErrors::CRC | FrameErrors::ALIGNMENT,
    };
    assert_eq!(damaged.to_raw().Errors, 0x21);
}

/// A peer may say of its values that there are more than a structure has room for.
#[test]
fn no_more_values_count_than_there_are() {
    for (length, counted) in [(0, 0), (4, 4), (36, 36), (37, 36), (u16::MAX, 36)] {
        let said = Compression {
            algorithm: Compression::PROPRIETARY,
            length,
            values: [7; 36],
            ..Compression::default()
        };
        assert_eq!(said.counted(), vec![7; counted], "{length}");
        assert_eq!(said.is_whole(), usize::from(length) == counted);
    }
    assert!(
        Compression {
            length: 99,
            ..Compression::default()
        }
        .is_whole()
    );
}

/// A key is nothing for a debugger's output.
#[test]
fn no_key_is_shown() {
    let secret = Compression {
        session_key: [77; 8],
        values: [77; 36],
        ..Compression::default()
    };
    assert!(!format!("{secret:?}").contains("77"));
    let info = CompressionInfo {
        send: secret,
        ..CompressionInfo::default()
    };
    let bytes = bytes_of(&info);
    assert_eq!((bytes[0], bytes[12], bytes[64]), (77, 255, 255));
    assert_eq!(CompressionInfo::parse(&bytes), Ok(info));
}
