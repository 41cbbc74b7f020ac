//! [`Settings`]: what an adapter is told to be, by the values in its registry key.
//!
//! | value | type | what it is | without it |
//! |---|---|---|---|
//! | `Lines` | a number from 1 to 100 | how many lines it has | 4 |
//! | `Addresses` | a number from 1 to 64 | how many calls a line takes at a time | 2 |
//! | `Speed` | a number | bits a second, both ways | 10,000,000 |
//! | `Prefix` | a text of up to 14 digits | what the numbers of its lines begin with | the first digit that is free |
//! | `NetworkAddress` | a text of 12 hexadecimal digits | its address | `020000000001` |
//!
//! Users see them on the page of advanced properties, by what the manifest says of them
//! (`package.metadata.ndis.miniport.params`).
//!
//! A value that makes no sense counts as none (rule CFG-11). A prefix that another adapter has
//! keeps the adapter from starting.

use crate::number::{MAX_LINES, Prefix};
use core::ops::RangeInclusive;
use ndis_co::configuration::AdapterConfiguration;
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
    /// The address of the adapter, which some protocols want to see.
    pub address: [u8; 6],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lines: 4,
            addresses: 2,
            speed: 10_000_000,
            prefix: None,
            address: [0x02, 0, 0, 0, 0, 1],
        }
    }
}

impl Settings {
    /// Those of an adapter.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    pub fn read(configuration: &AdapterConfiguration<'_>) -> Result<Self, Status> {
        let number = |name, bounds: RangeInclusive<u32>| {
            let number = sense(configuration.get_u32(name))?;
            Ok::<_, Status>(number.filter(|number| bounds.contains(number)))
        };
        let usual = Self::default();
        let prefix = sense(configuration.get_str("Prefix"))?;
        Ok(Self {
            lines: number("Lines", 1..=MAX_LINES)?.unwrap_or(usual.lines),
            addresses: number("Addresses", 1..=MAX_ADDRESSES)?.unwrap_or(usual.addresses),
            speed: number("Speed", 1..=u32::MAX)?.unwrap_or(usual.speed),
            prefix: prefix.and_then(|prefix| Prefix::new(prefix.chars()).ok()),
            address: sense(configuration.mac_address())?.unwrap_or(usual.address),
        })
    }
}

/// A value, if it is there and makes sense.
fn sense<T>(read: Result<Option<T>, Status>) -> Result<Option<T>, Status> {
    match read {
        Err(Status::INVALID_DATA) => Ok(None),
        read => read,
    }
}
