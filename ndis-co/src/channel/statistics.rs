//! [`Statistics`]: counters of what flows, which the driver counts and the layer shows.

use core::sync::atomic::{AtomicU64, Ordering};

/// What an adapter, or one VC, has sent and received since it is there.
///
/// The driver counts: only it knows what a packet is that has left, and what was lost. (The
/// layer counts none itself: a send of one packet costs hardly more than that.) Nobody needs to
/// wait for anybody: count on any processor, at any level, under any lock.
///
/// The layer answers the statistics' OIDs from here, with 64 bits (rules [OID-24], [OID-33]): of
/// the adapter from those of the adapter, of a VC from [those of the VC](super::Channel::statistics)
/// (rule [OID-23]). Neither is the sum of the other's: what flows on a VC is counted in both.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, channel::{Channel, SendLists, Statistics}, irql::UpToDispatch};
///
/// fn sent<V: Channel>(lists: SendLists<V>, adapter: &Statistics, irql: &mut UpToDispatch) {
///     let bytes: usize = lists.buffers().map(|packet| packet.len()).sum();
///     let frames = lists.buffers().count();
///     for counters in [lists.vc().statistics(), adapter] {
///         counters.sent(frames as u64, bytes as u64);
///     }
///     lists.complete(Status::SUCCESS, irql);
/// }
/// ```
///
/// [OID-23]: ndis_sys::rules#OID-23
/// [OID-24]: ndis_sys::rules#OID-24
/// [OID-33]: ndis_sys::rules#OID-33
#[derive(Debug, Default)]
#[doc(alias = "OID_GEN_STATISTICS")]
pub struct Statistics {
    frames_sent: AtomicU64,
    bytes_sent: AtomicU64,
    send_errors: AtomicU64,
    frames_received: AtomicU64,
    bytes_received: AtomicU64,
    receive_errors: AtomicU64,
    lost: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Statistics {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            frames_sent: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            send_errors: AtomicU64::new(0),
            frames_received: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            receive_errors: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// So many packets were sent, with so many bytes in all.
    #[doc(alias = "OID_GEN_CO_XMIT_PDUS_OK")]
    pub fn sent(&self, packets: u64, bytes: u64) {
        add(&self.frames_sent, packets);
        add(&self.bytes_sent, bytes);
    }

    /// So many packets could not be sent.
    #[doc(alias = "OID_GEN_CO_XMIT_PDUS_ERROR")]
    pub fn not_sent(&self, packets: u64) {
        add(&self.send_errors, packets);
    }

    /// So many packets were received, with so many bytes in all.
    #[doc(alias = "OID_GEN_CO_RCV_PDUS_OK")]
    pub fn received(&self, packets: u64, bytes: u64) {
        add(&self.frames_received, packets);
        add(&self.bytes_received, bytes);
    }

    /// So many packets were received with an error, and not indicated.
    #[doc(alias = "OID_GEN_CO_RCV_PDUS_ERROR")]
    pub fn received_wrong(&self, packets: u64) {
        add(&self.receive_errors, packets);
    }

    /// So many packets were received and lost, for want of memory.
    #[doc(alias = "OID_GEN_CO_RCV_PDUS_NO_BUFFER")]
    pub fn lost(&self, packets: u64) {
        add(&self.lost, packets);
    }

    /// Packets that were sent.
    #[must_use]
    pub fn packets_sent(&self) -> u64 {
        get(&self.frames_sent)
    }

    /// Bytes of the packets that were sent.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        get(&self.bytes_sent)
    }

    /// Packets that could not be sent.
    #[must_use]
    pub fn packets_not_sent(&self) -> u64 {
        get(&self.send_errors)
    }

    /// Packets that were received.
    #[must_use]
    pub fn packets_received(&self) -> u64 {
        get(&self.frames_received)
    }

    /// Bytes of the packets that were received.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        get(&self.bytes_received)
    }

    /// Packets that were received with an error.
    #[must_use]
    pub fn packets_received_wrong(&self) -> u64 {
        get(&self.receive_errors)
    }

    /// Packets that were received and lost.
    #[must_use]
    pub fn packets_lost(&self) -> u64 {
        get(&self.lost)
    }
}
