//! [`Counters`]: what has flowed over one call.

use core::sync::atomic::{AtomicU64, Ordering};
use ndis_co::wan::{FrameErrors, Statistics};

/// The counters of one call, with 64 bits; NDISWAN takes the low half of each (rule WAN-07).
#[derive(Debug, Default)]
pub(super) struct Counters {
    frames_sent: AtomicU64,
    bytes_sent: AtomicU64,
    not_sent: AtomicU64,
    frames_received: AtomicU64,
    bytes_received: AtomicU64,
    /// Frames that came, and could not be taken.
    lost: AtomicU64,
    /// Frames that came with any other error.
    wrong: AtomicU64,
    buffer: AtomicU64,
    crc: AtomicU64,
    framing: AtomicU64,
    overrun: AtomicU64,
    timeout: AtomicU64,
    alignment: AtomicU64,
    /// Of a compression: what went into it and what came out, and the same of what was received.
    compression: [AtomicU64; 4],
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The low half: these counters wrap.
fn low(counter: &AtomicU64) -> u32 {
    let [low @ .., _, _, _, _] = get(counter).to_le_bytes();
    u32::from_le_bytes(low)
}

impl Counters {
    pub(super) fn sent(&self, frames: u64, bytes: u64) {
        add(&self.frames_sent, frames);
        add(&self.bytes_sent, bytes);
    }

    pub(super) fn not_sent(&self, frames: u64) {
        add(&self.not_sent, frames);
    }

    pub(super) fn received(&self, frames: u64, bytes: u64) {
        add(&self.frames_received, frames);
        add(&self.bytes_received, bytes);
    }

    /// Received, and there was no buffer for it.
    pub(super) fn lost(&self, frames: u64) {
        add(&self.lost, frames);
        add(&self.buffer, frames);
    }

    /// A frame was received with these errors: each is counted, and the frame once. Whether it is
    /// one that was [lost](Self::lost).
    pub(super) fn damaged(&self, errors: FrameErrors) -> bool {
        let lost = errors == FrameErrors::BUFFER_OVERRUN;
        add(if lost { &self.lost } else { &self.wrong }, 1);
        for (error, counter) in [
            (FrameErrors::CRC, &self.crc),
            (FrameErrors::FRAMING, &self.framing),
            (FrameErrors::HARDWARE_OVERRUN, &self.overrun),
            (FrameErrors::BUFFER_OVERRUN, &self.buffer),
            (FrameErrors::TIMEOUT, &self.timeout),
            (FrameErrors::ALIGNMENT, &self.alignment),
        ] {
            if errors.contains(error) {
                add(counter, 1);
            }
        }
        lost
    }

    pub(super) fn compressed(&self, bytes: u64, to: u64) {
        let [from, into, ..] = &self.compression;
        add(from, bytes);
        add(into, to);
    }

    pub(super) fn expanded(&self, bytes: u64, to: u64) {
        let [.., from, into] = &self.compression;
        add(from, bytes);
        add(into, to);
    }

    pub(super) fn frames_sent(&self) -> u64 {
        get(&self.frames_sent)
    }

    pub(super) fn bytes_sent(&self) -> u64 {
        get(&self.bytes_sent)
    }

    pub(super) fn frames_not_sent(&self) -> u64 {
        get(&self.not_sent)
    }

    pub(super) fn frames_received(&self) -> u64 {
        get(&self.frames_received)
    }

    pub(super) fn bytes_received(&self) -> u64 {
        get(&self.bytes_received)
    }

    pub(super) fn frames_lost(&self) -> u64 {
        get(&self.lost)
    }

    /// Frames that were received with an error.
    pub(super) fn frames_damaged(&self) -> u64 {
        get(&self.wrong)
    }

    /// As NDISWAN has them. Those of a tunnel are not counted.
    pub(super) fn statistics(&self) -> Statistics {
        let [uncompressed, compressed, received, expanded] = &self.compression;
        Statistics {
            sent_uncompressed: low(uncompressed),
            sent_compressed: low(compressed),
            received_compressed: low(received),
            received_uncompressed: low(expanded),
            bytes_sent: low(&self.bytes_sent),
            bytes_received: low(&self.bytes_received),
            frames_sent: low(&self.frames_sent),
            frames_received: low(&self.frames_received),
            crc_errors: low(&self.crc),
            timeout_errors: low(&self.timeout),
            alignment_errors: low(&self.alignment),
            overrun_errors: low(&self.overrun),
            framing_errors: low(&self.framing),
            buffer_overrun_errors: low(&self.buffer),
            ..Statistics::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    /// The counters of 32 bits wrap, those of 64 do not.
    #[test]
    fn the_low_half_wraps() {
        let all = Counters::default();
        all.sent(1, u64::from(u32::MAX));
        all.sent(1, 3);
        assert_eq!(all.statistics().bytes_sent, 2);
        assert_eq!(all.bytes_sent(), u64::from(u32::MAX) + 3);
        assert_eq!(all.statistics().frames_sent, 2);
    }

    /// A frame may have several errors, and counts once: as lost when nothing else was wrong.
    #[test]
    fn each_error_is_counted() {
        let all = Counters::default();
        assert!(!all.damaged(FrameErrors::CRC | FrameErrors::TIMEOUT));
        assert!(!all.damaged(FrameErrors::CRC | FrameErrors::BUFFER_OVERRUN));
        assert!(!all.damaged(FrameErrors::empty()));
        assert!(all.damaged(FrameErrors::BUFFER_OVERRUN));
        all.lost(2);
        let seen = all.statistics();
        assert_eq!((seen.crc_errors, seen.timeout_errors), (2, 1));
        assert_eq!((seen.buffer_overrun_errors, seen.framing_errors), (4, 0));
        assert_eq!((all.frames_lost(), all.frames_damaged()), (3, 3));
    }
}
