//! [`Configured`]: what is above the driver that Windows loads.

use super::{Link, Ppp, TAG, frame};
use core::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};
use ndis_co::{
    Load, ServiceKey, Status, debug_print,
    irql::{Passive, UpToDispatch},
    mem::{Arc, Vec},
    wan::Framing,
};

/// The lengths of the payloads, in turn, in bytes.
const LENGTHS: [usize; 4] = [64, 1400, 9, 512];

/// Sends frames over each call that this end has placed, and compares what comes back; sends
/// everything back on calls that came in. Prints what came of it when the driver is unloaded.
///
/// | value under `Parameters` | meaning | without it |
/// |---|---|---|
/// | `Frames` | how many frames each call carries; when all are back, it ends | 4 |
/// | `Short` | whether headers are as short as the adapter lets them be | 0 |
#[derive(Debug)]
pub struct Configured {
    frames: u32,
    short: bool,
    links: AtomicU32,
    sent: AtomicU32,
    returned: AtomicU32,
    mismatches: AtomicU32,
    echoed: AtomicU32,
}

impl Configured {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// As [`ServiceKey::parameter`].
    pub fn read(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self {
            frames: key.parameter("Frames", irql)?.unwrap_or(4),
            short: key
                .parameter("Short", irql)?
                .is_some_and(|short| short != 0),
            links: AtomicU32::new(0),
            sent: AtomicU32::new(0),
            returned: AtomicU32::new(0),
            mismatches: AtomicU32::new(0),
            echoed: AtomicU32::new(0),
        })
    }

    /// Sends frame `index`; after the last one the call ends.
    fn next(&self, link: &Arc<Link<Self>>, index: u32, irql: &mut UpToDispatch) {
        if index >= self.frames {
            // It may be over already.
            let _ = link.hang_up(irql);
            return;
        }
        let sent = payload(link.view(irql).call, index)
            .and_then(|payload| Link::send(link, frame::IP, &payload, irql));
        match sent {
            Ok(()) => add(&self.sent),
            Err(status) => debug_print!("ndiswan: frame {index} was not sent: {status:?}"),
        }
    }
}

impl Load for super::Ndiswan {
    fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        Self::try_new(Configured::read(key, irql)?)
    }
}

impl Ppp for Configured {
    fn framing(&self) -> Framing {
        if self.short {
            Framing::COMPRESS_ADDRESS_CONTROL | Framing::COMPRESS_PROTOCOL
        } else {
            Framing::PPP
        }
    }

    fn up(&self, link: &Arc<Link<Self>>, irql: &mut UpToDispatch) {
        add(&self.links);
        if link.view(irql).outgoing {
            self.next(link, 0, irql);
        }
    }

    fn received(
        &self,
        link: &Arc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let view = link.view(irql);
        if !view.outgoing {
            if Link::send(link, protocol, payload, irql).is_ok() {
                add(&self.echoed);
            }
            return;
        }
        // One is under way at a time, so they come back in order.
        let index = view.counts.received.saturating_sub(1);
        add(&self.returned);
        let due = self::payload(view.call, index);
        if due.is_ok_and(|due| protocol != frame::IP || *due != *payload) {
            add(&self.mismatches);
        }
        self.next(link, index.saturating_add(1), irql);
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        debug_print!("ndiswan: {self}");
    }
}

impl fmt::Display for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |count: &AtomicU32| count.load(Ordering::Relaxed);
        write!(
            f,
            "{} links, {} frames sent, {} back, {} mismatches, {} echoed",
            get(&self.links),
            get(&self.sent),
            get(&self.returned),
            get(&self.mismatches),
            get(&self.echoed),
        )
    }
}

fn add(to: &AtomicU32) {
    to.fetch_add(1, Ordering::Relaxed);
}

/// The bytes of a frame: which call, which frame, then what follows from both.
fn payload(call: u32, index: u32) -> Result<Vec<u8>, Status> {
    let len = LENGTHS.get(index as usize % LENGTHS.len()).copied();
    let mut state = call.wrapping_mul(0x9E37_79B9) ^ index;
    let rest = core::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let bytes = call.to_le_bytes().into_iter().chain(index.to_le_bytes());
    let mut payload = Vec::new(TAG);
    payload.try_reserve(len.unwrap_or_default())?;
    for byte in bytes.chain(rest).take(len.unwrap_or_default()) {
        payload.try_push(byte)?;
    }
    Ok(payload)
}
