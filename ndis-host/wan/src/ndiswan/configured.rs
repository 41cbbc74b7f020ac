//! [`Configured`]: what is above the driver that Windows loads.

use super::{Link, Port, Ppp, TAG, frame};
use core::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};
use ndis_co::{
    Load, ServiceKey, Status, debug_print,
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    wan::Framing,
};

/// The lengths of the payloads, in turn, in bytes.
const LENGTHS: [usize; 4] = [64, 1400, 9, 512];

/// The pause before a frame is sent again that did not come back, in milliseconds: those that are
/// sent before the other end is up are lost.
const PATIENCE: u32 = 100;

/// Sends frames over each call that this end has placed, one after the other, and compares what
/// comes back; sends everything back on calls that came in. Prints what came of it when the driver
/// is unloaded.
///
/// | value under `Parameters` | meaning | without it |
/// |---|---|---|
/// | `Frames` | how many frames each call carries; when all are back, it ends | 4 |
/// | `Short` | whether headers are as short as the adapter lets them be | 0 |
#[derive(Debug)]
pub struct Configured {
    frames: u32,
    short: bool,
    /// The calls that this end has placed.
    talks: SpinLock<Vec<Talk>>,
    links: AtomicU32,
    returned: AtomicU32,
    /// Bytes of payloads that were compared with what was sent.
    bytes: AtomicU32,
    mismatches: AtomicU32,
    echoed: AtomicU32,
}

/// What is sent on one call.
#[derive(Debug)]
struct Talk {
    link: Arc<Link<Configured>>,
    /// The frame that is to come back.
    index: u32,
    /// It was sent before the clock last ticked.
    late: bool,
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
            talks: SpinLock::new(Vec::new(TAG)),
            links: AtomicU32::new(0),
            returned: AtomicU32::new(0),
            bytes: AtomicU32::new(0),
            mismatches: AtomicU32::new(0),
            echoed: AtomicU32::new(0),
        })
    }

    /// Sends frame `index`; after the last one the call ends.
    fn say(&self, link: &Arc<Link<Self>>, index: u32, irql: &mut UpToDispatch) {
        if index >= self.frames {
            // It may be over already.
            let _ = link.hang_up(irql);
            return;
        }
        let sent = payload(link.number(), index)
            .and_then(|payload| Link::send(link, frame::IP, &payload, irql));
        if let Err(status) = sent {
            debug_print!("ndiswan: frame {index} was not sent: {status:?}");
        }
    }

    /// A frame has come back. One that came back before, because it was sent twice, is nothing.
    fn heard(
        &self,
        link: &Arc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let index = payload
            .get(4..)
            .and_then(<[u8]>::first_chunk)
            .map(|index| u32::from_le_bytes(*index));
        let due = self.talks.with(irql, |talks, _| {
            let talk = talks
                .iter_mut()
                .find(|talk| Arc::ptr_eq(&talk.link, link))?;
            if index.is_some_and(|index| index < talk.index) {
                return None;
            }
            let due = talk.index;
            talk.index = talk.index.saturating_add(1);
            talk.late = false;
            Some(due)
        });
        let Some(due) = due else { return };
        add(&self.returned);
        if let Ok(sent) = self::payload(link.number(), due) {
            self.bytes
                .fetch_add(payload.len() as u32, Ordering::Relaxed);
            if protocol != frame::IP || *sent != *payload {
                add(&self.mismatches);
            }
        }
        self.say(link, due.saturating_add(1), irql);
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
        if !link.view(irql).outgoing {
            return;
        }
        let talk = Talk {
            link: link.clone(),
            index: 0,
            late: false,
        };
        let noted = self
            .talks
            .with(irql, |talks, _| talks.try_push(talk).is_ok());
        if !noted {
            // Without memory nothing is said.
            let _ = link.hang_up(irql);
            return;
        }
        self.say(link, 0, irql);
        Port::wake_after(link.port(), PATIENCE);
    }

    fn work(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let (mut place, mut waits) = (0, false);
        loop {
            let next = self.talks.with(irql, |talks, _| {
                let talk = talks.get_mut(place)?;
                let mine = Arc::ptr_eq(talk.link.port(), port);
                let late = mine && core::mem::replace(&mut talk.late, true);
                Some((mine, late.then(|| (talk.link.clone(), talk.index))))
            });
            let Some((mine, again)) = next else { break };
            place = place.saturating_add(1);
            waits |= mine;
            if let Some((link, index)) = again {
                self.say(&link, index, irql.up_to_dispatch());
            }
        }
        if waits {
            Port::wake_after(port, PATIENCE);
        }
    }

    fn received(
        &self,
        link: &Arc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        irql: &mut UpToDispatch,
    ) {
        if link.view(irql).outgoing {
            self.heard(link, protocol, payload, irql);
        } else if Link::send(link, protocol, payload, irql).is_ok() {
            add(&self.echoed);
        }
    }

    fn down(&self, link: &Arc<Link<Self>>, irql: &mut UpToDispatch) {
        let over = self.talks.with(irql, |talks, _| {
            talks.take_first(|talk| Arc::ptr_eq(&talk.link, link))
        });
        drop(over);
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
            "{} links, {} frames back, {} bytes compared, {} mismatches, {} echoed",
            get(&self.links),
            get(&self.returned),
            get(&self.bytes),
            get(&self.mismatches),
            get(&self.echoed),
        )
    }
}

fn add(to: &AtomicU32) {
    to.fetch_add(1, Ordering::Relaxed);
}

/// The bytes of a frame: which link, which frame, then what follows from both.
fn payload(link: u32, index: u32) -> Result<Vec<u8>, Status> {
    let len = LENGTHS.get(index as usize % LENGTHS.len()).copied();
    let mut state = link.wrapping_mul(0x9E37_79B9) ^ index;
    let rest = core::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let bytes = link.to_le_bytes().into_iter().chain(index.to_le_bytes());
    let mut payload = Vec::new(TAG);
    payload.try_reserve(len.unwrap_or_default())?;
    for byte in bytes.chain(rest).take(len.unwrap_or_default()) {
        payload.try_push(byte)?;
    }
    Ok(payload)
}
