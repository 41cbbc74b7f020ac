//! Each OID, at each door, with buffers of every length.

use super::{
    World, builder,
    modem::{ADDRESS, MAX_FRAME},
    proxy::passive,
};
use ndis_co::{
    Status,
    oid::{Answered, Oid, OutgoingRequest, QueryWith, ToAdapter, ToManager, number},
    tapi::{
        ANY_ADDRESS, AddressCaps, CallDiagnostics, CallOrigin, CallReason, CmCaps, Flat, LineCaps,
        Text,
    },
    wan::{Compression, CompressionInfo, CompressionKinds, Framing, Info, LinkInfo, Statistics},
};
use ndis_host::{OidAnswer, OidAsk, OwnRequests, Readings};
use ndis_sys as n;
use std::sync::{Arc, Mutex};

/// Where a request comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// `ProtocolCoOidRequest`, about the family.
    Manager,
    /// The same, about a VC.
    ManagerOfVc,
    /// `MiniportCoOidRequest` or `MiniportOidRequest`, as the reading says, by NDIS itself.
    Miniport,
    /// `MiniportCoOidRequest`, by a protocol, about the adapter.
    Adapter,
    /// The same, about a VC.
    AdapterOfVc,
}

const DOORS: [Door; 5] = [
    Door::Manager,
    Door::ManagerOfVc,
    Door::Miniport,
    Door::Adapter,
    Door::AdapterOfVc,
];

impl Door {
    /// Rule TAPI-08: a protocol asks what belongs to TAPI about a family.
    fn is_for_tapi(self) -> bool {
        !matches!(self, Self::Adapter | Self::AdapterOfVc)
    }
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    status: Status,
    bytes: Vec<u8>,
    needed: usize,
}

impl From<OidAnswer> for Came {
    fn from(answer: OidAnswer) -> Self {
        let written = answer.written as usize;
        Self {
            status: Status::from_raw(answer.status),
            bytes: answer.data[..written].to_vec(),
            needed: answer.needed as usize,
        }
    }
}

impl<A> From<Answered<A>> for Came {
    fn from(answered: Answered<A>) -> Self {
        Self {
            status: answered.status(),
            bytes: answered.bytes().to_vec(),
            needed: answered.needed().unwrap_or(0),
        }
    }
}

/// What is asked or given.
#[derive(Clone)]
enum Ask {
    /// With what is carried in, and so much room.
    Query(u32, Vec<u8>, usize),
    Set(u32, Vec<u8>),
}

impl Ask {
    fn of_host(&self) -> OidAsk {
        match self {
            Self::Query(oid, about, room) => OidAsk::query(*oid, *room).with(about),
            Self::Set(oid, data) => OidAsk::set(*oid, data.clone()),
        }
    }

    /// A protocol's; what it carries in is eight bytes at most.
    fn of_protocol<A>(&self) -> OutgoingRequest<A> {
        match self {
            Self::Query(oid, about, room) if !about.is_empty() && *room >= 700 => {
                let mut words = [0; 2];
                for (word, bytes) in words.iter_mut().zip(about.chunks_exact(4)) {
                    *word = u32::from_ne_bytes(bytes.try_into().unwrap());
                }
                let oid = Oid::<[u8; 700], QueryWith<[u32; 2]>, A>::new(*oid);
                OutgoingRequest::query_with(oid, &words).unwrap()
            }
            Self::Query(oid, _, room) => OutgoingRequest::query_bytes(*oid, *room).unwrap(),
            Self::Set(oid, data) => OutgoingRequest::set_bytes(*oid, data).unwrap(),
        }
    }
}

/// Makes a request by a door; about the call that was placed, where it is about a VC.
fn ask(world: &World, door: Door, what: &Ask) -> Came {
    if door == Door::Miniport {
        return world.host.ask(&world.adapter, what.of_host()).into();
    }
    let (came, what) = (Arc::new(Mutex::new(None)), what.clone());
    let slot = came.clone();
    world.user(move |proxy| {
        let irql = &mut passive();
        let af = || proxy.0.af.lock().unwrap().clone().unwrap();
        let answer = match door {
            Door::Manager => af()
                .request_and_wait(what.of_protocol::<ToManager>(), irql)
                .unwrap()
                .into(),
            Door::ManagerOfVc => proxy
                .placed()
                .request_and_wait(what.of_protocol::<ToManager>(), irql)
                .unwrap()
                .into(),
            Door::Adapter => af()
                .binding()
                .request_and_wait(what.of_protocol::<ToAdapter>(), irql)
                .unwrap()
                .into(),
            _ => proxy
                .placed()
                .request_of_adapter_and_wait(what.of_protocol::<ToAdapter>(), irql)
                .unwrap()
                .into(),
        };
        *slot.lock().unwrap() = Some(answer);
    });
    let came = came.lock().unwrap().take();
    came.expect("the request is answered")
}

fn query(world: &World, door: Door, oid: u32, about: &[u32], room: usize) -> Came {
    let about = about.iter().flat_map(|word| word.to_ne_bytes()).collect();
    ask(world, door, &Ask::Query(oid, about, room))
}

fn doors() -> Vec<Readings> {
    let own = |own_requests| Readings {
        own_requests,
        ..Readings::default()
    };
    OwnRequests::ALL.iter().copied().map(own).collect()
}

/// A call is up, to a mirror.
fn world(readings: Readings) -> World {
    let world = World::new(builder(1).readings(readings).build());
    enumerate(&world);
    world.call("mirror");
    world
}

/// In the order that clients keep to (rule TAPI-04); of lines that there are not, too.
fn enumerate(world: &World) {
    query(world, Door::Manager, number::CO_TAPI_CM_CAPS, &[], 12);
    for line in [0, 1, 2, 9, u32::MAX] {
        query(
            world,
            Door::Manager,
            number::CO_TAPI_LINE_CAPS,
            &[line],
            700,
        );
    }
}

/// Rules WAN-01, WAN-11, TAPI-02, TAPI-03: what each answers does not depend on the door.
#[test]
fn at_every_door() {
    for readings in doors() {
        let world = world(readings);
        for door in DOORS {
            let good = |oid, about: &[u32]| {
                let came = query(&world, door, oid, about, 700);
                assert_eq!(came.status, Status::SUCCESS, "{oid:#x} at {door:?}");
                came.bytes
            };
            for oid in [number::WAN_PERMANENT_ADDRESS, number::WAN_CURRENT_ADDRESS] {
                assert_eq!(good(oid, &[]), ADDRESS);
            }
            let subtype = good(number::WAN_MEDIUM_SUBTYPE, &[]);
            assert_eq!(subtype, n::NdisWanMediumSerial.to_ne_bytes());
            let info = Info::parse(&good(number::WAN_CO_GET_INFO, &[])).unwrap();
            assert_eq!((info.max_frame_size, info.max_send_window), (MAX_FRAME, 7));
            assert!(info.framing.contains(Framing::PPP), "WAN-02");
            let link = LinkInfo::parse(&good(number::WAN_CO_GET_LINK_INFO, &[])).unwrap();
            assert_eq!(link, LinkInfo::undetected(MAX_FRAME), "WAN-06");
            let bytes = good(number::WAN_CO_GET_STATS_INFO, &[]);
            assert_eq!(Statistics::parse(&bytes), Ok(Statistics::default()));
            if !door.is_for_tapi() {
                continue;
            }

            let caps = CmCaps::parse(&good(number::CO_TAPI_CM_CAPS, &[])).unwrap();
            assert_eq!((caps.lines, caps.per_line), (2, true));
            let bytes = good(number::CO_TAPI_LINE_CAPS, &[1]);
            let caps = LineCaps::parse(&bytes).unwrap();
            assert!(caps.per_address);
            assert_eq!((caps.line, caps.device.addresses), (1, 2));
            assert!(caps.device.text(caps.device.line_name).is("Other"));
            let classes = caps.device.text(caps.device.device_classes);
            assert!(classes.strings().any(|class| class.is("NDIS")));
            let bytes = good(number::CO_TAPI_ADDRESS_CAPS, &[1, 1]);
            let caps = AddressCaps::parse(&bytes).unwrap();
            assert_eq!((caps.line, caps.address), (1, 1));
            assert!(Text::guess(caps.caps.address).is("555-2"));
            assert_eq!(caps.caps.max_active_calls, 1);

            let why = good(number::CO_TAPI_GET_CALL_DIAGNOSTICS, &[]);
            let why = CallDiagnostics::parse(&why).unwrap();
            let (origin, reason) = if door == Door::ManagerOfVc {
                (CallOrigin::OUTBOUND, CallReason::DIRECT)
            } else {
                (CallOrigin::UNAVAIL, CallReason::UNAVAIL)
            };
            assert_eq!((why.origin, why.reason), (origin, reason));
        }
        world.end("every door");
    }
}

/// Rule OID-21: with too little room nothing is written, and how much it takes is said; with more
/// than that the answer is the same.
#[test]
fn rooms_of_every_size() {
    for readings in doors() {
        let world = world(readings);
        for (oid, full) in [
            (number::CO_TAPI_CM_CAPS, 12),
            (number::CO_TAPI_LINE_CAPS, 0),
            (number::CO_TAPI_ADDRESS_CAPS, 0),
            (number::CO_TAPI_GET_CALL_DIAGNOSTICS, 24),
            (number::WAN_PERMANENT_ADDRESS, 6),
            (number::WAN_CURRENT_ADDRESS, 6),
            (number::WAN_MEDIUM_SUBTYPE, 4),
            (number::WAN_CO_GET_INFO, 16),
            (number::WAN_CO_GET_LINK_INFO, 32),
            (number::WAN_CO_GET_STATS_INFO, 116),
        ] {
            let tapi = oid >= number::CO_TAPI_CM_CAPS;
            let third = if tapi {
                Door::ManagerOfVc
            } else {
                Door::AdapterOfVc
            };
            for door in [Door::Manager, Door::Miniport, third] {
                let whole = query(&world, door, oid, &[0, 0], 600);
                assert_eq!(whole.status, Status::SUCCESS, "{oid:#x}");
                let len = whole.bytes.len();
                assert!(full == 0 || full == len, "{oid:#x}: {len}");
                let step = if cfg!(miri) { 29 } else { 1 };
                for room in (0..=len + 3).step_by(step) {
                    let came = query(&world, door, oid, &[0, 0], room);
                    let what = format!("{oid:#x} in {room} at {door:?}");
                    // The page on the statistics has the first part of them only.
                    let part = oid == number::WAN_CO_GET_STATS_INFO && (56..len).contains(&room);
                    if part {
                        assert_eq!(came.status, Status::SUCCESS, "{what}");
                        assert_eq!(came.bytes, whole.bytes[..56], "{what}");
                    } else if room < len {
                        assert_eq!(came.status, Status::BUFFER_TOO_SHORT, "{what}");
                        assert_eq!((came.bytes.len(), came.needed), (0, len), "{what}");
                    } else {
                        assert_eq!(came.status, Status::SUCCESS, "{what}");
                        assert_eq!(came.bytes, whole.bytes, "{what}");
                    }
                }
            }
        }
        world.end("rooms");
    }
}

/// What is asked of no line or address, set where it is asked only, or not known.
#[test]
fn what_makes_no_sense() {
    for readings in doors() {
        let world = world(readings);
        for door in DOORS {
            let status = |oid, about: &[u32]| query(&world, door, oid, about, 700).status;
            if door.is_for_tapi() {
                assert!(status(number::CO_TAPI_CM_CAPS, &[]).is_success());
                let none = status(number::CO_TAPI_LINE_CAPS, &[2]);
                assert_eq!(none, Status::TAPI_NODEVICE);
                // Addresses of line 0 are alike, those of line 1 are not.
                let alike = status(number::CO_TAPI_ADDRESS_CAPS, &[0, ANY_ADDRESS]);
                assert_eq!(alike, Status::SUCCESS);
                for place in [[0, 2], [1, ANY_ADDRESS]] {
                    let none = status(number::CO_TAPI_ADDRESS_CAPS, &place);
                    assert_eq!(none, Status::TAPI_INVALADDRESSID);
                }
            }
            for oid in [number::WAN_CO_GET_COMP_INFO, 0xFF01_0001] {
                assert_eq!(status(oid, &[]), Status::NOT_SUPPORTED, "{oid:#x}");
            }
            for oid in [
                number::CO_TAPI_CM_CAPS,
                number::CO_TAPI_LINE_CAPS,
                number::CO_TAPI_GET_CALL_DIAGNOSTICS,
                number::WAN_PERMANENT_ADDRESS,
                number::WAN_MEDIUM_SUBTYPE,
                number::WAN_CO_GET_INFO,
                number::WAN_CO_GET_LINK_INFO,
                number::WAN_CO_GET_STATS_INFO,
                number::WAN_CO_SET_COMP_INFO,
            ] {
                if oid >= number::CO_TAPI_CM_CAPS && !door.is_for_tapi() {
                    continue;
                }
                let came = ask(&world, door, &Ask::Set(oid, vec![0; 128]));
                assert_eq!(came.status, Status::NOT_SUPPORTED, "{oid:#x} at {door:?}");
            }
            // What was set can be asked for: the layout is the same.
            assert!(status(number::WAN_CO_SET_LINK_INFO, &[]).is_success());
        }
        world.end("no sense");
    }
}

fn link(size: u32, send: Framing, receive: Framing) -> LinkInfo {
    LinkInfo {
        max_send_frame_size: size,
        max_receive_frame_size: size,
        send_framing: send,
        receive_framing: receive,
        ..LinkInfo::undetected(size)
    }
}

fn set(world: &World, door: Door, info: LinkInfo) -> Status {
    let mut bytes = vec![0; 32];
    info.write_to(&mut bytes).unwrap();
    ask(world, door, &Ask::Set(number::WAN_CO_SET_LINK_INFO, bytes)).status
}

fn get(world: &World, door: Door) -> LinkInfo {
    let came = query(world, door, number::WAN_CO_GET_LINK_INFO, &[], 32);
    LinkInfo::parse(&came.bytes).unwrap()
}

/// Rules WAN-05, WAN-06: what was not offered is refused, the rest is kept for the call, or for
/// all when it is about none.
#[test]
fn setting_links() {
    let ppp = Framing::PPP;
    for readings in doors() {
        let world = world(readings);
        let doors = [
            Door::ManagerOfVc,
            Door::AdapterOfVc,
            Door::Adapter,
            Door::Miniport,
        ];
        let told = || world.proxy.0.links.lock().unwrap().len();
        assert_eq!(told(), 1, "when the call was up");
        for (size, door) in (50..).zip(doors) {
            let compressed = ppp | Framing::COMPRESS_PROTOCOL;
            for (bad, why) in [
                (link(MAX_FRAME + 1, ppp, ppp), "too large"),
                (link(50, ppp | Framing::SLIP, ppp), "not offered"),
                (link(50, Framing::SLIP, ppp), "not together"),
            ] {
                assert_eq!(set(&world, door, bad), Status::INVALID_DATA, "{why}");
                assert!(told() <= 2, "{why}");
            }
            let short = Ask::Set(number::WAN_CO_SET_LINK_INFO, vec![0; 31]);
            let came = ask(&world, door, &short);
            assert_eq!((came.status, came.needed), (Status::INVALID_LENGTH, 32));

            let good = link(size, compressed, ppp);
            assert_eq!(set(&world, door, good), Status::SUCCESS);
            assert_eq!(world.modem.set.lock().unwrap().pop(), Some(good));
            assert_eq!(get(&world, Door::AdapterOfVc), good, "{door:?}");
            let of_all = matches!(door, Door::Adapter | Door::Miniport);
            assert_eq!(get(&world, Door::Manager) == good, of_all, "{door:?}");
            // NDISWAN is there: what it may not have heard it is told again, once.
            assert_eq!(told(), 2, "{door:?}");
            // Sizes may rise again.
            assert_eq!(
                set(&world, door, link(MAX_FRAME, ppp, ppp)),
                Status::SUCCESS
            );
        }
        // A call that begins now has what was set for all.
        world.call("mirror");
        assert_eq!(get(&world, Door::AdapterOfVc), link(MAX_FRAME, ppp, ppp));
        // Without framing it is detected, by what comes in.
        assert!(set(&world, Door::AdapterOfVc, LinkInfo::undetected(90)).is_success());
        assert_eq!(get(&world, Door::AdapterOfVc), LinkInfo::undetected(90));
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[0xFF, 3, 0, 0x21]]));
        assert_eq!(get(&world, Door::AdapterOfVc), link(90, ppp, ppp));
        // Another call, of which it hears twice as well.
        assert_eq!(told(), 4);
        world.end("links");
    }
}

/// Rule WAN-07: the counters of a call are its own, those of the adapter all; at every door, and
/// those of 64 bits as well.
#[test]
fn statistics() {
    for readings in doors() {
        let world = world(readings);
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[1; 30], &[2; 20]]));
        world.call("mirror");
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[3; 7]]));
        let co = readings.own_requests == OwnRequests::CoOidRequest;
        for door in DOORS {
            let (frames, bytes) = match door {
                Door::ManagerOfVc | Door::AdapterOfVc => (1, 7),
                _ => (3, 57),
            };
            let came = query(&world, door, number::WAN_CO_GET_STATS_INFO, &[], 200);
            let all = Statistics::parse_answer(&came.bytes).unwrap();
            let seen = [
                all.frames_sent,
                all.bytes_sent,
                all.frames_received,
                all.bytes_received,
            ];
            assert_eq!(seen, [frames, bytes, frames, bytes], "{door:?}, {co}");
            let none = [all.sent_uncompressed, all.received_compressed];
            assert_eq!(none, [0, 0], "WAN-07");
            if door == Door::Manager {
                // What is general is asked of the adapter.
                continue;
            }
            for (oid, counter) in [
                (number::GEN_CO_XMIT_PDUS_OK, frames),
                (number::GEN_CO_RCV_PDUS_OK, frames),
                (number::GEN_CO_XMIT_PDUS_ERROR, 0),
                (number::GEN_CO_RCV_PDUS_ERROR, 0),
                (number::GEN_CO_RCV_PDUS_NO_BUFFER, 0),
                (number::GEN_CO_BYTES_XMIT, bytes),
                (number::GEN_CO_BYTES_RCV, bytes),
            ] {
                let came = query(&world, door, oid, &[], 8);
                assert_eq!(came.bytes, u64::from(counter).to_ne_bytes(), "{oid:#x}");
            }
        }
        world.end("statistics");
    }
}

/// What the driver has declared is told, and what is chosen of it is the call's.
#[test]
fn compression() {
    let own = Compression {
        algorithm: Compression::PROPRIETARY,
        length: 4,
        ..Compression::default()
    };
    let can = CompressionInfo {
        send: own,
        receive: Compression {
            kinds: CompressionKinds::HISTORY_LESS,
            ..Compression::default()
        },
    };
    let notes = Arc::<super::modem::Notes>::default();
    *notes.compression.lock().unwrap() = Some(can);
    let world = World::of_modem(builder(1).build(), notes, &[super::ON_LINE_1]);
    enumerate(&world);
    world.call("mirror");
    let [get, set] = [number::WAN_CO_GET_COMP_INFO, number::WAN_CO_SET_COMP_INFO];
    let bytes = |info: &CompressionInfo| info.to_vec().unwrap().to_vec();
    let none = bytes(&CompressionInfo::default());
    for door in DOORS {
        assert_eq!(query(&world, door, get, &[], 104).bytes, bytes(&can));
        let short = query(&world, door, get, &[], 103);
        let needs = (Status::BUFFER_TOO_SHORT, 104);
        assert_eq!((short.status, short.needed), needs, "{door:?}");
        assert_eq!(query(&world, door, set, &[], 104).bytes, none);
    }
    let chosen = CompressionInfo {
        send: Compression {
            session_key: [7; 8],
            ..own
        },
        ..CompressionInfo::default()
    };
    for (info, status) in [
        (
            CompressionInfo {
                receive: own,
                ..chosen
            },
            Status::INVALID_DATA,
        ),
        (
            CompressionInfo {
                send: Compression {
                    kinds: CompressionKinds::COMPRESSION,
                    ..own
                },
                ..chosen
            },
            Status::INVALID_DATA,
        ),
        // More values than there is room for.
        (
            CompressionInfo {
                send: Compression { length: 37, ..own },
                ..chosen
            },
            Status::INVALID_DATA,
        ),
        (chosen, Status::SUCCESS),
    ] {
        let came = ask(&world, Door::AdapterOfVc, &Ask::Set(set, bytes(&info)));
        assert_eq!(came.status, status, "{info:?}");
    }
    let short = Ask::Set(set, vec![0; 103]);
    let came = ask(&world, Door::AdapterOfVc, &short);
    assert_eq!(came.status, Status::INVALID_LENGTH);
    // It is a link's.
    let all = ask(&world, Door::Adapter, &Ask::Set(set, bytes(&chosen)));
    assert_eq!(all.status, Status::NOT_SUPPORTED);
    let heard = world.modem.compressed.lock().unwrap().clone();
    assert_eq!(heard, [chosen]);
    assert_eq!(
        query(&world, Door::AdapterOfVc, set, &[], 104).bytes,
        bytes(&chosen)
    );
    let call = world.modem.calls.lock().unwrap()[0].upgrade().unwrap();
    assert_eq!(call.compression(), chosen);
    call.compressed(1000, 400);
    call.expanded(30, 90);
    let counted = call.statistics();
    assert_eq!(
        (counted.sent_uncompressed, counted.sent_compressed),
        (1000, 400)
    );
    let received = (counted.received_compressed, counted.received_uncompressed);
    assert_eq!(received, (30, 90));
    drop(call);
    let list = query(
        &world,
        Door::Miniport,
        number::GEN_CO_SUPPORTED_LIST,
        &[],
        1024,
    );
    for oid in [get, set] {
        let listed = |one: &[u8]| one == oid.to_le_bytes();
        assert!(list.bytes.chunks_exact(4).any(listed), "{oid:#x}");
    }
    world.end("compression");
}

/// A driver that has declared none does not know these OIDs.
#[test]
fn without_compression() {
    let world = world(Readings::default());
    for oid in [number::WAN_CO_GET_COMP_INFO, number::WAN_CO_SET_COMP_INFO] {
        let came = query(&world, Door::AdapterOfVc, oid, &[], 104);
        assert_eq!(came.status, Status::NOT_SUPPORTED);
    }
    world.end("no compression");
}

/// Rules INIT-30, WAN-11: what the adapter answers is in its list.
#[test]
fn the_list_of_oids() {
    let world = world(Readings::default());
    let list = query(
        &world,
        Door::Miniport,
        number::GEN_CO_SUPPORTED_LIST,
        &[],
        1024,
    );
    let list: Vec<u32> = list
        .bytes
        .chunks_exact(4)
        .map(|one| u32::from_le_bytes(one.try_into().unwrap()))
        .collect();
    assert!(list.is_sorted_by(|one, next| one < next));
    for oid in [
        number::WAN_PERMANENT_ADDRESS,
        number::WAN_CURRENT_ADDRESS,
        number::WAN_MEDIUM_SUBTYPE,
        number::WAN_CO_GET_INFO,
        number::WAN_CO_SET_LINK_INFO,
        number::WAN_CO_GET_LINK_INFO,
        number::WAN_CO_GET_STATS_INFO,
    ] {
        assert!(list.contains(&oid), "{oid:#x}");
    }
    world.end("the list");
}
