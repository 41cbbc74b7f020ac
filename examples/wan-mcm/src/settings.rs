//! [`Settings`]: what an adapter is told to be.

use crate::number::{MAX_LINES, Prefix};
use ndis_mcm::Status;

/// The longest frame that a link carries, in bytes.
pub const MAX_FRAME: u32 = 1500;

/// How many frames of a call may be under way, which is also how many wait for an end that cannot
/// take them yet.
pub const WINDOW: u32 = 16;

/// The most addresses of one line.
pub const MAX_ADDRESSES: u32 = 64;

/// What an adapter is.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many lines it has.
    pub lines: u32,
    /// How many calls a line takes at a time: each has an address of its own.
    pub addresses: u32,
    /// The speed of a link, both ways, in bits a second.
    pub speed: u32,
    /// What the numbers of its lines begin with; `None` for the first digit that no other adapter
    /// has.
    pub prefix: Option<Prefix>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lines: 4,
            addresses: 2,
            speed: 10_000_000,
            prefix: None,
        }
    }
}

impl Settings {
    /// These, when an adapter can be so.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`].
    pub fn check(self) -> Result<Self, Status> {
        let lines = (1..=MAX_LINES).contains(&self.lines);
        let addresses = (1..=MAX_ADDRESSES).contains(&self.addresses);
        if lines && addresses && self.speed != 0 {
            Ok(self)
        } else {
            Err(Status::INVALID_DATA)
        }
    }
}
