//! [`Nic`]: what is kept for one adapter.

use crate::{calls::Calls, monitor::Monitor, number::Prefix, settings::Settings};
use core::sync::atomic::{AtomicU32, Ordering};
use ndis_co::{Status, irql::Passive, lock::SpinLock};
use ndis_mcm::{
    device::Device,
    wan::{Line, Lines, Link, LinkParams, Speeds, Subtype},
};

/// One adapter.
#[derive(Debug)]
pub struct Nic {
    settings: Settings,
    prefix: Prefix,
    /// Bits a second.
    speed: AtomicU32,
    calls: Calls,
    /// The control device, until the halt.
    monitor: SpinLock<Option<Device<Monitor>>>,
}

impl Nic {
    pub(crate) fn new(
        settings: Settings,
        prefix: Prefix,
        calls: Calls,
        monitor: Option<Device<Monitor>>,
    ) -> Self {
        Self {
            settings,
            prefix,
            speed: AtomicU32::new(settings.speed),
            calls,
            monitor: SpinLock::new(monitor),
        }
    }

    /// What its lines' numbers begin with.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    pub(crate) fn all_calls(&self) -> &Calls {
        &self.calls
    }

    /// The adapter goes: takes its control device away.
    pub(crate) fn end_monitor(&self, irql: &mut Passive) {
        if let Some(monitor) = self.monitor.take() {
            monitor.deregister(irql);
        }
    }

    /// The speed of a link, in bits a second.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.speed.load(Ordering::Relaxed)
    }

    /// Another speed for all links, at most what the adapter was declared with.
    pub(crate) fn set_speed(&self, speed: u32) -> Result<(), Status> {
        if !(1..=self.settings.speed).contains(&speed) {
            return Err(Status::INVALID_DATA);
        }
        self.speed.store(speed, Ordering::Relaxed);
        Ok(())
    }

    /// What a call between this adapter and another one is like: the slower one counts.
    pub(crate) fn params(&self, far: &Self) -> LinkParams {
        let speed = self.speed().min(far.speed());
        LinkParams::new(Speeds::both(speed.into()), crate::settings::WINDOW)
    }
}

/// What NDISWAN is told of the links.
pub(crate) fn link(settings: &Settings) -> Link {
    Link::new(
        Subtype::SERIAL,
        crate::settings::MAX_FRAME,
        crate::settings::WINDOW,
    )
    .speeds(Speeds::both(settings.speed.into()))
    .address(settings.address)
    .vendor_description(c"Null-modem WAN adapter")
}

/// What TAPI is told of the lines: each address of one has its number.
pub(crate) fn lines(settings: &Settings, prefix: Prefix) -> Result<Lines, Status> {
    let mut lines = Lines::new();
    for index in 0..settings.lines {
        let number = prefix.line(index);
        let mut line = Line::new(number.as_str(), Speeds::both(settings.speed.into()))?;
        for _ in 0..settings.addresses {
            line = line.address(number.as_str())?;
        }
        lines.add(line)?;
    }
    Ok(lines)
}
