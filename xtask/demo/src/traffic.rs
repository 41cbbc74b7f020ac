//! The bytes that the demo carries, and the book in which both ends of a call enter what arrived.
//!
//! Every frame says which call it belongs to and which one of that call's it is; the rest of it
//! follows from these two, or is a piece of the file that is sent. So each end can compare every
//! frame with the one that is due, and which one that is the client says, not the frame. (The far
//! end reads one thing from the frame: the call's number, which only the near end knows. A frame
//! that got into another call is noticed by that call's near end.)

use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// What has arrived so far.
#[derive(Default)]
pub struct Ledger {
    sums: Mutex<Tally>,
}

/// The sums of a [`Ledger`].
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Calls that were placed.
    pub placed: u64,
    /// Calls that came up.
    pub begun: u64,
    /// Calls that are over, well or not.
    pub ended: u64,
    pub sent: u64,
    pub received: u64,
    pub echoed: u64,
    pub bytes: u64,
    pub mismatches: u64,
}

impl Ledger {
    fn sums(&self) -> MutexGuard<'_, Tally> {
        // A panic elsewhere leaves the sums as they were: they are still worth reporting.
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call has been placed.
    pub fn placed(&self) {
        self.sums().placed += 1;
    }

    /// A call has come up.
    pub fn begun(&self) {
        self.sums().begun += 1;
    }

    /// A call is over.
    pub fn ended(&self) {
        self.sums().ended += 1;
    }

    /// A frame has been sent from the near end.
    pub fn sent(&self) {
        self.sums().sent += 1;
    }

    /// `data` has arrived at the far end, as frame `index` of its call.
    pub fn received(&self, traffic: &Traffic, index: u32, data: &[u8]) {
        let due = data
            .first_chunk()
            .and_then(|call| traffic.frame(u32::from_le_bytes(*call), index));
        let mut sums = self.sums();
        sums.received += 1;
        sums.bytes += data.len() as u64;
        sums.mismatches += u64::from(due.as_deref() != Some(data));
    }

    /// `data` has come back to the near end, as echo `index` on call `call`.
    pub fn echoed(&self, traffic: &Traffic, call: u32, index: u32, data: &[u8]) {
        let due = traffic.frame(call, index);
        let mut sums = self.sums();
        sums.echoed += 1;
        sums.mismatches += u64::from(due.as_deref() != Some(data));
    }

    /// The sums so far.
    pub fn tally(&self) -> Tally {
        *self.sums()
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
                ledger.received(traffic, index, &frame);
                ledger.echoed(traffic, call, index, &frame);
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
        ledger.received(&traffic, 0, &changed);
        ledger.received(&traffic, 1, &frame(2));
        ledger.received(&traffic, 2, &frame(2));
        ledger.received(&traffic, 3, &[]);
        // The doubled frame is the one that was due at its second arrival.
        assert_eq!(ledger.tally().mismatches, 3);
        assert!(!ledger.complete(&traffic));
    }

    #[test]
    fn an_echo_on_the_wrong_call_is_noticed() {
        let traffic = Traffic::pattern(2, 1, 100, 7);
        let frame = |call| traffic.frame(call, 0).expect("it is one of them");
        let ledger = Ledger::default();
        for call in 0..2 {
            ledger.received(&traffic, 0, &frame(call));
            ledger.echoed(&traffic, call, 0, &frame(1 - call));
        }
        assert_eq!(ledger.tally().mismatches, 2);
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
