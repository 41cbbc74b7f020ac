//! Frames that say what they are: whose, and which one; their bytes follow from
//! that. A frame is a packet, and a list carries one or several.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    world::{Key, World, look},
};
use ndis_co::{
    Status,
    nbl::{
        BufferView, ListView, NetBuffer, NetBufferList, NetBufferListPool, NetBufferLists,
        Original, Parent, Side,
    },
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread::{self, ThreadId},
};

/// The bytes before the pattern: a mark, the sender's end, the number.
const HEAD: usize = 12;
const MARK: [u8; 4] = *b"ndis";
/// Room for any frame.
const ROOM: usize = HEAD + 32;

/// The bytes of a frame.
fn bytes_of((origin, number): Key) -> Vec<u8> {
    let mut state = origin.wrapping_mul(0x9E37_79B9) ^ number;
    let len = HEAD + (state.wrapping_mul(2_654_435_761) >> 27) as usize;
    let mut bytes = Vec::with_capacity(len);
    bytes.extend(MARK);
    bytes.extend(origin.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    while bytes.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes
}

/// Which frame this is, if it is whole, however one looks at it.
fn read(packet: BufferView<'_>) -> Result<Key, String> {
    let mut bytes = vec![0; packet.len()];
    match packet.copy_to(&mut bytes) {
        Ok(len) if len == bytes.len() => {}
        other => return Err(format!("a packet of {} bytes gives {other:?}", bytes.len())),
    }
    let mut storage = [0; HEAD];
    let Ok([_, _, _, _, o0, o1, o2, o3, n0, n1, n2, n3]) =
        packet.data_buffer(0, HEAD, &mut storage)
    else {
        return Err(format!("a packet of {} bytes has no head", bytes.len()));
    };
    let key = (
        u32::from_le_bytes([*o0, *o1, *o2, *o3]),
        u32::from_le_bytes([*n0, *n1, *n2, *n3]),
    );
    let mut tail = vec![0; bytes.len() - HEAD];
    let tailed = packet.copy_range_to(HEAD, &mut tail);
    if bytes == bytes_of(key) && tailed.is_ok() && tail == bytes[HEAD..] {
        Ok(key)
    } else {
        Err(format!("a packet with the wrong bytes {bytes:?}"))
    }
}

/// Which frames these are, each with the status of its list; what is wrong with
/// them is noted.
pub(crate) fn keys<'a>(
    world: &World,
    place: &str,
    lists: impl Iterator<Item = ListView<'a>>,
) -> Vec<(Key, Status)> {
    let mut all = Vec::new();
    for list in lists {
        for packet in list.buffers() {
            match read(packet) {
                Ok(key) => all.push((key, list.status())),
                Err(wrong) => world.found(format!("{place}: {wrong}")),
            }
        }
    }
    all
}

/// Lists of one's own are back: their frames are home. What is no clone is given
/// back, to be used again; the clones are to be freed.
pub(crate) fn come_home(
    world: &World,
    place: &str,
    lists: NetBufferLists,
    mut each: impl FnMut(Key, Status, Option<Status>),
) -> (Option<NetBufferLists>, Option<NetBufferLists>) {
    let (mut own, mut clones) = (None, None);
    for list in lists {
        let clone = list.is_clone();
        for (key, status) in keys(world, place, std::iter::once(list.view())) {
            if clone {
                if !world.clone_home(key) {
                    world.found(format!("{place}: a clone of {key:?} was not out"));
                }
            } else {
                match world.frame_home(key) {
                    None => world.found(format!("{place}: frame {key:?} was not out")),
                    Some(fate) => each(key, status, fate),
                }
            }
        }
        push(world, if clone { &mut clones } else { &mut own }, list);
    }
    (own, clones)
}

/// Appends a list to lists of the same side, which there may not be any of yet.
fn push(world: &World, lists: &mut Option<NetBufferLists>, list: NetBufferList) {
    match lists {
        None => *lists = Some(list.into()),
        Some(lists) => {
            if lists.push_back(list).is_err() {
                world.found("a list of the same side is refused");
            }
        }
    }
}

/// One end of a call, as far as data goes.
pub(crate) struct End {
    number: u32,
    next: AtomicU32,
    /// The thread that is sending: two at a time would have no order.
    sending: Mutex<Option<ThreadId>>,
    /// The end that frames come from, and the last frame's number; several where VCs are joined.
    peer: Mutex<BTreeMap<u32, u32>>,
}

impl End {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            next: AtomicU32::new(1),
            sending: Mutex::new(None),
            peer: Mutex::default(),
        }
    }

    /// Frames have arrived, in this order. (Those that were sent on have none.)
    pub(crate) fn arrived(&self, world: &World, place: &str, frames: &[(Key, Status)]) {
        for (key, _) in frames {
            if world.is_relayed(*key) {
                continue;
            }
            let (origin, number) = *key;
            let (before, other) = {
                let mut peer = look(&self.peer);
                let before = peer.insert(origin, number);
                let other = peer.iter().find(|(from, _)| **from != origin);
                (before, other.map(|(from, last)| (*from, *last)))
            };
            let wrong = before
                .filter(|last| *last >= number)
                .map(|last| (origin, last));
            if let Some((from, last)) = wrong.or(other.filter(|_| !world.joins())) {
                world.found(format!(
                    "{place}: frame {number} of end {origin} arrives after frame {last} of end {from}"
                ));
            }
        }
    }

    /// Runs `send` as the one that sends from here, unless another thread does.
    fn alone(&self, send: impl FnOnce() -> bool) -> bool {
        let me = thread::current().id();
        let before = {
            let mut sending = look(&self.sending);
            if sending.is_some_and(|other| other != me) {
                return false;
            }
            sending.replace(me)
        };
        let sent = send();
        *look(&self.sending) = before;
        sent
    }

    fn key(&self) -> Key {
        (self.number, self.next.fetch_add(1, SeqCst))
    }

    /// Makes `count` frames and has `send` take them, unless somebody else is
    /// sending from this end; what `send` gives back is freed.
    pub(crate) fn send(
        &self,
        world: &World,
        pool: &NetBufferListPool,
        count: u32,
        send: impl FnOnce(NetBufferLists) -> Result<(), NetBufferLists>,
    ) -> bool {
        self.alone(|| {
            let Some((lists, keys)) = self.make(world, pool, count) else {
                return false;
            };
            out(world, lists, &keys, send)
        })
    }

    /// As [`send`](Self::send), with lists that are at hand: their frames are made
    /// anew.
    pub(crate) fn send_again(
        &self,
        world: &World,
        lists: NetBufferLists,
        send: impl FnOnce(NetBufferLists) -> Result<(), NetBufferLists>,
    ) -> bool {
        self.alone(|| {
            let mut filled = None;
            let mut keys = Vec::new();
            for mut list in lists {
                for mut packet in list.buffers_mut() {
                    let key = self.key();
                    if packet.set_data(&bytes_of(key)).is_err() {
                        world.found("a frame does not fit where another one was");
                    }
                    keys.push(key);
                }
                push(world, &mut filled, list);
            }
            let Some(lists) = filled else { return false };
            out(world, lists, &keys, send)
        })
    }

    fn make(
        &self,
        world: &World,
        pool: &NetBufferListPool,
        count: u32,
    ) -> Option<(NetBufferLists, Vec<Key>)> {
        let mut lists = None;
        let mut keys = Vec::new();
        for _ in 0..count.max(1) {
            // What is indicated carries one packet a list.
            let packets = if pool.side() == Side::Protocol && world.chance(1, 2) {
                1 + world.below(3)
            } else {
                1
            };
            let Some(list) = self.list(world, pool, packets, &mut keys) else {
                continue;
            };
            push(world, &mut lists, list);
        }
        Some((lists?, keys))
    }

    /// A list of so many packets, made in one way or another.
    fn list(
        &self,
        world: &World,
        pool: &NetBufferListPool,
        packets: u32,
        keys: &mut Vec<Key>,
    ) -> Option<NetBufferList> {
        if packets == 1 && world.chance(1, 2) {
            let mut list = pool.allocate(ROOM).ok()?;
            let key = self.key();
            if list.set_data(&bytes_of(key)).is_err() {
                world.found("a frame does not fit");
            }
            keys.push(key);
            return Some(list);
        }
        let mut list = pool.allocate_list().ok()?;
        for _ in 0..packets {
            let key = self.key();
            let Some(packet) = packet(world, pool, &bytes_of(key)) else {
                continue;
            };
            keys.push(key);
            if list.push_back(packet).is_err() {
                world.found("a packet of the same pool is refused");
            }
        }
        // Apart and together again.
        if world.dares(Act::PacketSplit, 1, 6)
            && let Ok(mut front) = list.split_front(world.below(3) as usize, pool)
        {
            if front.append(&mut list).is_err() {
                world.found("packets of the same pool cannot be joined");
            }
            list = front;
        }
        if world.dares(Act::PacketPop, 1, 12)
            && let Some(packet) = list.pop_front()
        {
            // The first becomes the last.
            if list.push_back(packet).is_err() {
                world.found("a packet of the same list is refused");
            }
            let at = keys.len() - list.buffers().count().min(keys.len());
            keys[at..].rotate_left(1);
            // Out of order, which nobody is to complain of.
            world.relayed(&keys[at..]);
        }
        // Without memory for any packet there is no list.
        (list.buffers().count() > 0).then_some(list)
    }
}

/// A packet with these bytes, with room for headers or not.
fn packet(world: &World, pool: &NetBufferListPool, bytes: &[u8]) -> Option<NetBuffer> {
    let headroom = world.among(&[0, 0, 4, 40]);
    let mut packet = pool.allocate_buffer(headroom, ROOM).ok()?;
    if packet.set_data(bytes).is_err() {
        world.found("a frame does not fit");
    }
    let mut writable = packet.as_mut();
    if world.dares(Act::PacketHeader, 1, 4) {
        match writable.retreat(4) {
            Ok(front) if headroom >= 4 => {
                front.fill(0xEE);
                if writable.view().len() != bytes.len() + 4 || writable.advance(4).is_err() {
                    world.found("a header cannot be taken off again");
                }
            }
            Err(_) if headroom < 4 => {}
            other => world.found(format!("{headroom} bytes of headroom give {other:?}")),
        }
    }
    if world.dares(Act::PacketWrite, 1, 4) {
        match writable.data_mut() {
            Ok(data) if data == bytes => {
                data.fill(0);
                data.copy_from_slice(bytes);
            }
            other => world.found(format!("the packet's own bytes are {other:?}")),
        }
    }
    Some(packet)
}

/// Has `send` take lists with these frames; what it gives back is whole, and
/// freed.
fn out(
    world: &World,
    lists: NetBufferLists,
    keys: &[Key],
    send: impl FnOnce(NetBufferLists) -> Result<(), NetBufferLists>,
) -> bool {
    for key in keys {
        world.frame_out(*key);
    }
    let Err(lists) = send(lists) else {
        return true;
    };
    same(world, &lists, keys);
    for key in keys {
        world.frame_home(*key);
    }
    false
}

fn same(world: &World, lists: &NetBufferLists, keys: &[Key]) {
    let back: Vec<_> = self::keys(world, "given back", lists.iter())
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    if back != keys {
        world.found(format!(
            "{keys:?} were not sent, and {back:?} are given back"
        ));
    }
}

/// Sends lists on without copying them: clones of them go out by `send`. Gives the
/// parent back, or the lists, when there can be none.
pub(crate) fn relay<O: Original>(
    world: &World,
    original: O,
    pool: &NetBufferListPool,
    send: impl FnOnce(NetBufferLists) -> Result<(), NetBufferLists>,
) -> Result<Parent<O>, O> {
    let parent = match Parent::try_new(original) {
        Ok(parent) => parent,
        Err(refused) => return Err(refused.original),
    };
    let keys: Vec<Key> = keys(world, "a parent", parent.iter())
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    world.relayed(&keys);
    let clones = if pool.side() == Side::Miniport {
        parent.allocate_packet_clones(pool)
    } else {
        parent.allocate_clones(pool)
    };
    match clones {
        Ok(clones) => {
            for key in &keys {
                world.clone_out(*key);
            }
            if let Err(clones) = send(clones) {
                same(world, &clones, &keys);
                for key in &keys {
                    world.clone_home(*key);
                }
            }
        }
        Err(status) => world.failure("the clones", status),
    }
    let again: Vec<Key> = self::keys(world, "a parent", parent.iter())
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    if again != keys {
        world.found(format!("a parent of {keys:?} has become one of {again:?}"));
    }
    Ok(parent)
}
