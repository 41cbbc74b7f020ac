//! Frames that say what they are: whose, which one, and how long; the rest of
//! each follows from that.
#![forbid(unsafe_code)]

use crate::world::{World, look};
use ndis_co::{
    Status,
    nbl::{ListView, NetBufferListPool, NetBufferLists},
};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

/// The bytes before the pattern: a mark, the sender's end, the number.
const HEAD: usize = 12;
const MARK: [u8; 4] = *b"ndis";

/// Frame `number` of the end `origin`.
fn frame(origin: u32, number: u32) -> Vec<u8> {
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

/// Which frame this is, if it is whole.
fn read(view: ListView<'_>) -> Result<(u32, u32), String> {
    let mut bytes = vec![0; view.len()];
    match view.copy_to(&mut bytes) {
        Ok(len) if len == bytes.len() => {}
        other => return Err(format!("a frame of {} bytes gives {other:?}", bytes.len())),
    }
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let (Some(origin), Some(number)) = (word(4), word(8)) else {
        return Err(format!("a frame of {} bytes", bytes.len()));
    };
    if bytes == frame(origin, number) {
        Ok((origin, number))
    } else {
        Err(format!("a frame with the wrong bytes {bytes:?}"))
    }
}

/// Which frames these are; what is wrong with them is noted.
pub(crate) fn keys<'a>(
    world: &World,
    place: &str,
    lists: impl Iterator<Item = ListView<'a>>,
) -> Vec<((u32, u32), Status)> {
    let mut all = Vec::new();
    for view in lists {
        match read(view) {
            Ok(key) => all.push((key, view.status())),
            Err(wrong) => world.found(format!("{place}: {wrong}")),
        }
    }
    all
}

/// One end of a call, as far as data goes.
pub(crate) struct End {
    number: u32,
    next: AtomicU32,
    /// Somebody is sending: two at a time would have no order.
    sending: AtomicBool,
    /// The end that frames come from, and the last frame's number.
    peer: Mutex<Option<(u32, u32)>>,
}

impl End {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            next: AtomicU32::new(1),
            sending: AtomicBool::new(false),
            peer: Mutex::new(None),
        }
    }

    /// Frames have arrived, in this order.
    pub(crate) fn arrived(&self, world: &World, place: &str, frames: &[((u32, u32), Status)]) {
        for ((origin, number), _) in frames {
            let before = {
                let mut peer = look(&self.peer);
                peer.replace((*origin, *number))
            };
            if let Some((from, last)) = before
                && (from != *origin || last >= *number)
            {
                world.found(format!(
                    "{place}: frame {number} of end {origin} arrives after frame {last} of end {from}"
                ));
            }
        }
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
        if self.sending.swap(true, SeqCst) {
            return false;
        }
        let sent = self
            .make(world, pool, count)
            .is_some_and(|(lists, keys)| match send(lists) {
                Ok(()) => true,
                Err(lists) => {
                    self.not_sent(world, &lists, &keys);
                    false
                }
            });
        self.sending.store(false, SeqCst);
        sent
    }

    /// As [`send`](Self::send), with lists that are at hand: their frames are made
    /// anew.
    pub(crate) fn send_again(
        &self,
        world: &World,
        lists: NetBufferLists,
        send: impl FnOnce(NetBufferLists) -> Result<(), NetBufferLists>,
    ) -> bool {
        if self.sending.swap(true, SeqCst) {
            return false;
        }
        let mut filled: Option<NetBufferLists> = None;
        let mut keys = Vec::new();
        for mut list in lists {
            let number = self.next.fetch_add(1, SeqCst);
            let bytes = frame(self.number, number);
            if list.set_data(&bytes).is_err() {
                continue;
            }
            keys.push((self.number, number));
            match &mut filled {
                None => filled = Some(list.into()),
                Some(filled) => {
                    if filled.push_back(list).is_err() {
                        world.found("a list of the same pool is refused");
                    }
                }
            }
        }
        for key in &keys {
            world.frame_out(*key);
        }
        let sent = filled.is_some_and(|lists| match send(lists) {
            Ok(()) => true,
            Err(lists) => {
                self.not_sent(world, &lists, &keys);
                false
            }
        });
        self.sending.store(false, SeqCst);
        sent
    }

    fn not_sent(&self, world: &World, lists: &NetBufferLists, keys: &[(u32, u32)]) {
        let back: Vec<_> = self::keys(world, "given back", lists.iter())
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        if back != keys {
            world.found(format!(
                "{keys:?} were not sent, and {back:?} are given back"
            ));
        }
        for key in keys {
            world.frame_home(*key);
        }
    }

    fn make(
        &self,
        world: &World,
        pool: &NetBufferListPool,
        count: u32,
    ) -> Option<(NetBufferLists, Vec<(u32, u32)>)> {
        let mut lists: Option<NetBufferLists> = None;
        let mut keys = Vec::new();
        for _ in 0..count.max(1) {
            let number = self.next.fetch_add(1, SeqCst);
            let bytes = frame(self.number, number);
            // Room for any other frame, too: the list may be used again.
            let Ok(mut list) = pool.allocate(HEAD + 32) else {
                continue;
            };
            if list.set_data(&bytes).is_err() {
                world.found("a frame does not fit");
                continue;
            }
            keys.push((self.number, number));
            match &mut lists {
                None => lists = Some(list.into()),
                Some(lists) => {
                    if lists.push_back(list).is_err() {
                        world.found("a list of the same pool is refused");
                    }
                }
            }
        }
        for key in &keys {
            world.frame_out(*key);
        }
        Some((lists?, keys))
    }
}
