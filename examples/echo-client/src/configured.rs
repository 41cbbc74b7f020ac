//! [`Configured`]: the application of the driver that Windows loads.

use crate::{Application, At, Dial, Redial};
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};
use ndis_co::{ServiceKey, Status, debug_print, irql::Passive, nbl::BufferView};

/// The number that is listened on when the registry names none: the port of
/// the echo protocol.
const ECHO: u32 = 7;

/// So often a call is placed while nobody has the number.
const ATTEMPTS: u32 = 50;

/// The lengths of the frames, in turn, in bytes.
const LENGTHS: [usize; 4] = [64, 1500, 9, 512];

/// Does what the driver's registry key says, and prints what came of it when
/// the driver is unloaded.
///
/// | value under `Parameters` | meaning | without it |
/// |---|---|---|
/// | `Listen` | takes calls on this number; 0 takes none | 7 |
/// | `Dial` | places calls to this number, once | places none |
/// | `Calls` | how many, all at once | 1 |
/// | `Frames` | how many frames each call carries | 4 |
#[derive(Debug)]
pub struct Configured {
    listen: Option<u32>,
    dial: Option<u32>,
    calls: u32,
    frames: u32,
    /// The calls were placed, through the adapter that came first.
    placed: AtomicBool,
    tally: Tally,
}

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    attempts: AtomicU32,
    completed: AtomicU32,
    sent: AtomicU32,
    echoed: AtomicU32,
    /// Bytes of echoes that were compared.
    bytes: AtomicU32,
    mismatches: AtomicU32,
    /// Frames of calls that were taken.
    taken: AtomicU32,
}

impl Configured {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// As [`ServiceKey::parameter`].
    pub fn read(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        let listen = key.parameter("Listen", irql)?.unwrap_or(ECHO);
        Ok(Self {
            listen: (listen != 0).then_some(listen),
            dial: key.parameter("Dial", irql)?,
            calls: key.parameter("Calls", irql)?.unwrap_or(1),
            frames: key.parameter("Frames", irql)?.unwrap_or(4),
            placed: AtomicBool::new(false),
            tally: Tally::default(),
        })
    }
}

impl Application for Configured {
    fn number(&self) -> Option<u32> {
        self.listen
    }

    fn opened(&self, desk: &impl Dial, irql: &mut Passive) {
        let Some(number) = self.dial else { return };
        if self.placed.swap(true, Ordering::Relaxed) {
            return;
        }
        for call in 0..self.calls {
            if let Err(status) = desk.dial(call, number, irql) {
                self.ended(call, Err(status));
            }
        }
    }

    fn redial(&self, _call: u32, status: Status) -> Option<Redial> {
        // Whoever has the number may not have registered it yet.
        let again = status == Status::NO_ROUTE_TO_DESTINATION
            && add(&self.tally.attempts, 1) < ATTEMPTS.saturating_mul(self.calls);
        let number = self.dial.filter(|_| again)?;
        Some(Redial { number, after: 100 })
    }

    fn frame(&self, call: u32, index: u32, to: &mut [u8]) -> Option<usize> {
        if index >= self.frames {
            return None;
        }
        let len = length(index);
        for (byte, made) in to.get_mut(..len)?.iter_mut().zip(pattern(call, index)) {
            *byte = made;
        }
        add(&self.tally.sent, 1);
        Some(len)
    }

    fn arrived(&self, at: At, frame: BufferView<'_>) {
        match at {
            At::Far { .. } => {
                add(&self.tally.taken, 1);
            }
            At::Near { call, index } => {
                add(&self.tally.echoed, 1);
                add(&self.tally.bytes, frame.len() as u32);
                let due = is_due(call, index, frame.len(), bytes(frame));
                add(&self.tally.mismatches, u32::from(!due));
            }
        }
    }

    fn ended(&self, call: u32, result: Result<(), Status>) {
        match result {
            Ok(()) => {
                add(&self.tally.completed, 1);
            }
            // The table of names is more than all the rest of this file in the image.
            Err(status) if cfg!(debug_assertions) => {
                debug_print!("echo-client: call {call} failed: {status:?}");
            }
            Err(status) => debug_print!("echo-client: call {call} failed: {status:#010x}"),
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        debug_print!("echo-client: {self}");
    }
}

impl fmt::Display for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |count: &AtomicU32| count.load(Ordering::Relaxed);
        let tally = &self.tally;
        let placed = if self.dial.is_some() { self.calls } else { 0 };
        write!(
            f,
            "{} of {placed} calls, {} frames sent, {} echoed, {} bytes compared, {} mismatches, \
             {} frames taken",
            get(&tally.completed),
            get(&tally.sent),
            get(&tally.echoed),
            get(&tally.bytes),
            get(&tally.mismatches),
            get(&tally.taken),
        )
    }
}

/// Adds, and tells what was there before.
fn add(to: &AtomicU32, number: u32) -> u32 {
    to.fetch_add(number, Ordering::Relaxed)
}

/// The length of frame `index`.
fn length(index: u32) -> usize {
    LENGTHS
        .get(index as usize % LENGTHS.len())
        .copied()
        .unwrap_or_default()
}

/// The bytes of a frame: which call, which frame, then what follows from both.
fn pattern(call: u32, index: u32) -> impl Iterator<Item = u8> {
    let mut state = call.wrapping_mul(0x9E37_79B9) ^ index;
    let rest = core::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    call.to_le_bytes()
        .into_iter()
        .chain(index.to_le_bytes())
        .chain(rest)
}

/// Whether a frame of `len` bytes is frame `index` of call `call`, byte for
/// byte.
fn is_due(call: u32, index: u32, len: usize, bytes: impl Iterator<Item = u8>) -> bool {
    len == length(index) && bytes.eq(pattern(call, index).take(len))
}

/// The bytes of a frame; fewer than its length when they cannot be mapped.
fn bytes(frame: BufferView<'_>) -> impl Iterator<Item = u8> {
    frame
        .segments()
        .map_while(Result::ok)
        .flat_map(|segment| segment.iter().copied())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    /// Frame `index` of call `call`, as it is sent.
    fn sent(call: u32, index: u32) -> Vec<u8> {
        pattern(call, index).take(length(index)).collect()
    }

    /// Whether `frame` passes where frame 2 of call 1 is due.
    fn passes(frame: &[u8]) -> bool {
        is_due(1, 2, frame.len(), frame.iter().copied())
    }

    #[test]
    fn only_the_frame_that_is_due_passes() {
        assert!(passes(&sent(1, 2)));
        assert!(!passes(&sent(1, 1)), "it was here before");
        assert!(!passes(&sent(1, 3)), "its predecessor is missing");
        assert!(!passes(&sent(1, 6)), "it is only as long");
        assert!(!passes(&sent(2, 2)), "it is another call's");
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let whole = sent(1, 2);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(!passes(&changed), "byte {at}");
            // As long as it should be, but not to be read to its end.
            assert!(!is_due(1, 2, whole.len(), whole.iter().copied().take(at)));
        }
        assert!(!passes(&whole[..whole.len() - 1]));
    }
}
