//! [`MediumState`]: what an adapter has said of its link, and when it may say more.
//!
//! A change is not indicated while the device sleeps or the adapter is halted (rules STATUS-11,
//! HALT-12); what was said last is what who asks is told (rule STATUS-14).

use core::sync::atomic::{AtomicU8, Ordering};
use ndis_co::{
    Status,
    indication::{Connection, LinkState},
};
use ndis_sys::{NDIS_STATUS_MEDIA_CONNECT, NDIS_STATUS_MEDIA_DISCONNECT};

/// The medium is connected.
const CONNECTED: u8 = 1;
/// Nothing is said without power.
const ASLEEP: u8 = 2;
/// Nothing is said any more.
const HALTING: u8 = 4;

/// The state of an adapter's medium.
#[derive(Debug)]
pub(crate) struct MediumState(AtomicU8);

impl MediumState {
    pub(super) fn new(connected: bool) -> Self {
        Self(AtomicU8::new(if connected { CONNECTED } else { 0 }))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.0.load(Ordering::SeqCst) & CONNECTED != 0
    }

    pub(super) fn sleep(&self) {
        self.0.fetch_or(ASLEEP, Ordering::SeqCst);
    }

    pub(super) fn wake(&self) {
        self.0.fetch_and(!ASLEEP, Ordering::SeqCst);
    }

    pub(super) fn halt(&self) {
        self.0.fetch_or(HALTING, Ordering::SeqCst);
    }

    /// The driver is about to indicate a state of the medium; whether it may.
    pub(crate) fn changes(&self, code: Status, data: &[u8]) -> bool {
        let connected = match code.raw() {
            NDIS_STATUS_MEDIA_CONNECT => true,
            NDIS_STATUS_MEDIA_DISCONNECT => false,
            _ => LinkState::parse(data).is_ok_and(|it| it.connection == Connection::Connected),
        };
        let change = |word: u8| {
            let may = word & (ASLEEP | HALTING) == 0;
            may.then_some(if connected {
                word | CONNECTED
            } else {
                word & !CONNECTED
            })
        };
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, change)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn nothing_is_said_asleep_or_in_the_halt() {
        let medium = MediumState::new(true);
        let cut = Status::from_raw(NDIS_STATUS_MEDIA_DISCONNECT);
        medium.sleep();
        assert!(!medium.changes(cut, &[]));
        assert!(medium.is_connected());
        medium.wake();
        assert!(medium.changes(cut, &[]));
        assert!(!medium.is_connected());
        medium.halt();
        medium.wake();
        assert!(!medium.changes(Status::from_raw(NDIS_STATUS_MEDIA_CONNECT), &[]));
    }
}
