//! The bytes that the demo carries, and the book in which both ends of a call enter what arrived.
//!
//! Every frame says which call it belongs to and which one of that call's it is; the rest of it
//! follows from these two, or is a piece of the file that is sent. So the far end can compare
//! each frame with what was meant to arrive, and nothing is trusted because it came in order.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Call and index, both little-endian 32-bit numbers.
const HEADER: usize = 8;

/// What is sent.
pub struct Traffic {
    calls: u32,
    frames: u32,
    /// The longest frame, its header included.
    longest: usize,
    seed: u64,
    /// The file that the first call carries in place of made-up bytes.
    file: Option<Vec<u8>>,
}

impl Traffic {
    /// `frames` made-up frames on each of `calls` calls.
    pub fn pattern(calls: u32, frames: u32, longest: usize, seed: u64) -> Self {
        let longest = longest.max(HEADER + 1);
        Self {
            calls,
            frames,
            longest,
            seed,
            file: None,
        }
    }

    /// As many frames as `file` needs on one call.
    pub fn file(file: Vec<u8>, longest: usize) -> Self {
        let longest = longest.max(HEADER + 1);
        let frames = file.len().div_ceil(longest - HEADER);
        Self {
            calls: 1,
            frames: u32::try_from(frames).unwrap_or(u32::MAX),
            longest,
            seed: 0,
            file: Some(file),
        }
    }

    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// How many frames each call carries.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// The frame `index` of `call`; `None` when there is no such frame.
    pub fn frame(&self, call: u32, index: u32) -> Option<Vec<u8>> {
        if call >= self.calls || index >= self.frames {
            return None;
        }
        let mut frame = Vec::with_capacity(self.longest);
        frame.extend(call.to_le_bytes());
        frame.extend(index.to_le_bytes());
        let room = self.longest - HEADER;
        match &self.file {
            Some(file) => frame.extend(file.iter().skip(index as usize * room).take(room)),
            None => {
                let mut random = Random(self.seed ^ (u64::from(call) << 32 | u64::from(index)));
                let length = random.next() as usize % room + 1;
                frame.extend(std::iter::repeat_with(|| random.next() as u8).take(length));
            }
        }
        Some(frame)
    }
}

/// The generator `splitmix64`: small, and good enough to tell frames apart.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Which end of the calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Where the frames are meant to go.
    Far,
    /// Where their echoes come back to.
    Near,
}

/// What has arrived so far.
#[derive(Default)]
pub struct Ledger {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    /// The next frame that is due, by end and call.
    due: BTreeMap<(End, u32), u32>,
    tally: Tally,
}

/// The sums of a [`Ledger`].
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Tally {
    pub sent: u64,
    pub received: u64,
    pub echoed: u64,
    pub bytes: u64,
    pub mismatches: u64,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere leaves the sums as they were: they are still worth reporting.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame has been sent from the near end.
    pub fn sent(&self) {
        self.entries().tally.sent += 1;
    }

    /// `data` has arrived at `end`: compares it with the frame that is due there.
    pub fn arrived(&self, traffic: &Traffic, end: End, data: &[u8]) {
        let mut entries = self.entries();
        match end {
            End::Far => {
                entries.tally.received += 1;
                entries.tally.bytes += data.len() as u64;
            }
            End::Near => entries.tally.echoed += 1,
        }
        let call = data
            .first_chunk::<4>()
            .map_or(u32::MAX, |b| u32::from_le_bytes(*b));
        let due = entries.due.entry((end, call)).or_default();
        let index = *due;
        *due += 1;
        if traffic.frame(call, index).as_deref() != Some(data) {
            entries.tally.mismatches += 1;
        }
    }

    /// The sums so far.
    pub fn tally(&self) -> Tally {
        self.entries().tally
    }

    /// Have all frames of all calls arrived, and their echoes?
    pub fn complete(&self, traffic: &Traffic) -> bool {
        let all = u64::from(traffic.calls) * u64::from(traffic.frames);
        let tally = self.tally();
        tally.received == all && tally.echoed == all && tally.mismatches == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(traffic: &Traffic, ledger: &Ledger) {
        for call in 0..traffic.calls() {
            for index in 0..traffic.frames() {
                let frame = traffic.frame(call, index).expect("it is one of them");
                ledger.sent();
                ledger.arrived(traffic, End::Far, &frame);
                ledger.arrived(traffic, End::Near, &frame);
            }
        }
    }

    #[test]
    fn frames_that_arrive_whole_are_complete() {
        let traffic = Traffic::pattern(3, 5, 1500, 7);
        let ledger = Ledger::default();
        assert!(!ledger.complete(&traffic));
        carry(&traffic, &ledger);
        assert!(ledger.complete(&traffic));
        assert_eq!(ledger.tally().sent, 15);
    }

    #[test]
    fn a_changed_a_lost_and_a_doubled_frame_are_noticed() {
        let traffic = Traffic::pattern(1, 3, 100, 7);
        let frame = |index| traffic.frame(0, index).expect("it is one of them");
        let mut changed = frame(0);
        *changed.last_mut().expect("not empty") ^= 1;
        let ledger = Ledger::default();
        ledger.arrived(&traffic, End::Far, &changed);
        ledger.arrived(&traffic, End::Far, &frame(2));
        ledger.arrived(&traffic, End::Far, &frame(2));
        ledger.arrived(&traffic, End::Far, &[]);
        // The doubled frame is the one that was due at its second arrival.
        assert_eq!(ledger.tally().mismatches, 3);
        assert!(!ledger.complete(&traffic));
    }

    #[test]
    fn a_file_is_cut_into_frames_that_make_it_up() {
        let file: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let traffic = Traffic::file(file.clone(), 1500);
        let joined: Vec<u8> = (0..traffic.frames())
            .flat_map(|index| {
                traffic
                    .frame(0, index)
                    .expect("it is one of them")
                    .split_off(HEADER)
            })
            .collect();
        assert!(joined == file);
        assert_eq!(traffic.frame(0, traffic.frames()), None);
    }
}
