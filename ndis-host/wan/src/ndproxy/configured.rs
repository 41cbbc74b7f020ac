//! [`Configured`]: the application of the driver that Windows loads.

use super::{CallState, Port, TAG, Tapi};
use core::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};
use ndis_co::{
    Load, ServiceKey, Status, debug_print,
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    tapi::{CallId, MediaModes, NDIS_CLASS},
};

/// So often a call is placed in vain, for each that is wanted.
const ATTEMPTS: u32 = 50;

/// The pause before a call is placed again, in milliseconds.
const PAUSE: u32 = 100;

/// Does what the driver's registry key says, and prints what came of it when the driver is
/// unloaded.
///
/// | value under `Parameters` | meaning | without it |
/// |---|---|---|
/// | `Dial` | calls this number, in decimal digits | calls nobody |
/// | `Calls` | how many calls, all at once | 1 |
/// | `Adapter` | through which adapter: they are counted as they are bound, from 0 | 0 |
/// | `Line` | the line that is opened on each adapter | 0 |
/// | `Answer` | whether calls that come in are answered; else they are turned away | 1 |
///
/// A call that fails is placed again a little later. One that is up ends when NDISWAN, or the
/// other end, ends it.
#[derive(Debug)]
pub struct Configured {
    dial: Option<u32>,
    calls: u32,
    adapter: u32,
    line: u32,
    answer: bool,
    /// Calls that are to be placed.
    due: AtomicU32,
    /// Those that are being placed.
    placed: SpinLock<Vec<u32>>,
    attempts: AtomicU32,
    connected: AtomicU32,
    taken: AtomicU32,
}

impl Configured {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// As [`ServiceKey::parameter`].
    pub fn read(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        let calls = key.parameter("Calls", irql)?.unwrap_or(1);
        let dial = key.parameter("Dial", irql)?;
        Ok(Self {
            dial,
            calls,
            adapter: key.parameter("Adapter", irql)?.unwrap_or(0),
            line: key.parameter("Line", irql)?.unwrap_or(0),
            answer: key.parameter("Answer", irql)? != Some(0),
            due: AtomicU32::new(if dial.is_some() { calls } else { 0 }),
            placed: SpinLock::new(Vec::new(TAG)),
            attempts: AtomicU32::new(0),
            connected: AtomicU32::new(0),
            taken: AtomicU32::new(0),
        })
    }

    /// Places the calls that are due.
    fn place(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let Some(dial) = self.dial.filter(|_| port.number() == self.adapter) else {
            return;
        };
        for _ in 0..self.due.swap(0, Ordering::Relaxed) {
            let number = port.desk().number();
            let noted = self
                .placed
                .with(irql, |placed, _| placed.try_push(number).is_ok());
            if !noted {
                continue;
            }
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let to = Digits::of(dial);
            if let Err(status) = Port::dial(port, number, self.line, to.text(), irql) {
                self.failed(port, number, status, irql.up_to_dispatch());
            }
        }
    }

    /// A call is up or over; whether it was being placed.
    fn was_placed(&self, number: u32, irql: &mut UpToDispatch) -> bool {
        self.placed.with(irql, |placed, _| {
            placed.take_first(|other| *other == number).is_some()
        })
    }

    /// A call has failed that was being placed, if it was.
    fn failed(&self, port: &Arc<Port<Self>>, number: u32, status: Status, irql: &mut UpToDispatch) {
        if !self.was_placed(number, irql) {
            return;
        }
        if self.attempts.load(Ordering::Relaxed) < ATTEMPTS.saturating_mul(self.calls) {
            self.due.fetch_add(1, Ordering::Relaxed);
            Port::wake_after(port, PAUSE);
        } else {
            debug_print!("ndproxy: a call failed: {status:?}");
        }
    }
}

impl Load for super::Ndproxy {
    fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        Self::try_new(Configured::read(key, irql)?)
    }
}

impl Tapi for Configured {
    fn opened(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        // Without its line an adapter is not used.
        let _ = Port::open_line(port, self.line, Some(MediaModes::DIGITALDATA), irql);
        self.place(port, irql);
    }

    fn work(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        self.place(port, irql);
    }

    fn call(
        &self,
        port: &Arc<Port<Self>>,
        call: u32,
        state: CallState<'_>,
        irql: &mut UpToDispatch,
    ) {
        match state {
            CallState::Dialing => {}
            CallState::Offering { .. } => {
                // It may be over already.
                let _ = if self.answer {
                    port.answer(call, irql)
                } else {
                    port.reject(call, irql)
                };
            }
            CallState::Connected => {
                let count = if self.was_placed(call, irql) {
                    &self.connected
                } else {
                    &self.taken
                };
                count.fetch_add(1, Ordering::Relaxed);
                if let Err(status) = Port::get_id(port, call, NDIS_CLASS, irql) {
                    self.got_id(port, call, Err(status), irql);
                }
            }
            CallState::Disconnected(reason) => self.failed(port, call, reason, irql),
        }
    }

    /// NDISWAN needs nobody to tell it: its own settings say what it sends.
    fn got_id(
        &self,
        port: &Arc<Port<Self>>,
        call: u32,
        result: Result<&CallId, Status>,
        irql: &mut UpToDispatch,
    ) {
        if let Err(status) = result {
            debug_print!("ndproxy: nobody carries call {call}: {status:?}");
            // It may be over already.
            let _ = port.drop_call(call, irql);
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        debug_print!("ndproxy: {self}");
    }
}

impl fmt::Display for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = if self.dial.is_some() { self.calls } else { 0 };
        let [connected, taken] =
            [&self.connected, &self.taken].map(|count| count.load(Ordering::Relaxed));
        write!(f, "{connected} of {wanted} calls connected, {taken} taken")
    }
}

/// A number in decimal digits, with a terminator.
struct Digits {
    bytes: [u8; 11],
    start: usize,
}

impl Digits {
    fn of(mut number: u32) -> Self {
        let (mut bytes, mut start) = ([0; 11], 10);
        for place in bytes.iter_mut().take(10).rev() {
            *place = b'0' + (number % 10) as u8;
            start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { bytes, start }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_dialled_in_decimal() {
        for (number, text) in [
            (0, &b"0\0"[..]),
            (7, b"7\0"),
            (120, b"120\0"),
            (u32::MAX, b"4294967295\0"),
        ] {
            assert_eq!(Digits::of(number).text(), text);
        }
    }
}
