//! Adapters: a miniport's, from initialize to halt, and what NDIS asks of them itself.

use crate::callback::{Context, Ptr};
use crate::model::manager::Manager;
use crate::model::request::{Loan, Request};
use crate::model::reset::HeldAtReset;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::{CO_ADDRESS_FAMILY, NdisDeviceStateD0};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AdapterPhase {
    Initializing,
    Paused,
    Restarting,
    Running,
    Pausing,
    Halting,
}

/// The host's copy of a family, for drivers to look at: whoever shows it keeps it.
pub(crate) struct Shown(Ptr<CO_ADDRESS_FAMILY>);

impl Shown {
    pub(crate) fn new(copy: CO_ADDRESS_FAMILY) -> Arc<Self> {
        Arc::new(Self(Ptr(Box::into_raw(Box::new(copy)))))
    }

    pub(crate) fn pointer(&self) -> Ptr<CO_ADDRESS_FAMILY> {
        self.0
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // SAFETY: made by `new`; nobody shows it any more.
        drop(unsafe { Box::from_raw(self.0.0) });
    }
}

/// An address family that a call manager offers on an adapter.
pub(crate) struct Family {
    /// Which one: as it was registered, whatever a driver does to what it is shown.
    pub(crate) key: (i32, u32, u32),
    pub(crate) copy: Arc<Shown>,
    /// The driver's own structure.
    pub(crate) original: Ptr<CO_ADDRESS_FAMILY>,
    /// Who offers it.
    pub(crate) manager: Manager,
    /// Clients are told: what a stand-alone call manager registers waits for the end of
    /// its bind.
    pub(crate) offered: bool,
    /// The bindings whose protocols are being told.
    pub(crate) shown_to: Vec<u32>,
    /// The driver keeps its structure until the adapter or the binding goes.
    pub(crate) loan: Option<Loan>,
}

impl Family {
    /// A family that a call manager has registered.
    pub(crate) fn new(
        copy: CO_ADDRESS_FAMILY,
        original: Ptr<CO_ADDRESS_FAMILY>,
        manager: Manager,
    ) -> Self {
        Self {
            key: Self::key(&copy),
            copy: Shown::new(copy),
            original,
            manager,
            offered: matches!(manager, Manager::Mcm { .. }),
            shown_to: Vec::new(),
            loan: None,
        }
    }

    /// What drivers are shown.
    pub(crate) fn pointer(&self, copies: bool) -> Ptr<CO_ADDRESS_FAMILY> {
        if copies {
            self.copy.pointer()
        } else {
            self.original
        }
    }

    pub(crate) fn key(family: &CO_ADDRESS_FAMILY) -> (i32, u32, u32) {
        (
            family.AddressFamily as i32,
            family.MajorVersion,
            family.MinorVersion,
        )
    }
}

/// An adapter.
pub(crate) struct Adapter {
    pub(crate) raw: usize,
    pub(crate) miniport: u32,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) context: Option<Context>,
    pub(crate) phase: AdapterPhase,
    pub(crate) general: bool,
    /// The driver says that it is no connection-oriented one, as it can be others (REG-40).
    pub(crate) connectionless: bool,
    pub(crate) media: i32,
    pub(crate) families: Vec<Family>,
    pub(crate) pause: Request,
    pub(crate) restart: Request,
    pub(crate) reset: Request,
    /// It is being reset.
    pub(crate) resetting: bool,
    /// What the driver held when that began.
    pub(crate) held_at_reset: HeldAtReset,
    /// The reset has lost what NDIS sets.
    pub(crate) addressing_lost: bool,
    /// It is to be called when the system has failed.
    pub(crate) wants_bug_checks: bool,
    /// Whether the medium is connected: by the attributes, and then by what was indicated.
    pub(crate) connected: bool,
    /// When its halt has begun.
    halting_since: u64,
    /// Its halt is over.
    pub(crate) halted: bool,
    /// The driver has been told that the device is gone: the notice has returned.
    pub(crate) removal_told: bool,
    /// Calls that indicate received data and have not returned.
    pub(crate) indicating: u32,
    /// The device's power state.
    pub(crate) power: i32,
    /// Since when it has no power, until it is told that it has again.
    pub(crate) asleep_since: Option<u64>,
    /// The OIDs that the driver says it supports.
    pub(crate) oids: Vec<u32>,
    /// The statistics that it has told of all the adapter (OID-23).
    pub(crate) counted: Vec<u32>,
    /// What it has said of its links.
    pub(crate) links: Option<Links>,
}

/// What a WAN miniport can do on each link.
#[derive(Clone, Copy)]
pub(crate) struct Links {
    /// The largest frame, in bytes.
    pub(crate) frame: u32,
    /// How frames may look.
    pub(crate) framing: u32,
}

impl Adapter {
    /// An adapter that is about to be initialized.
    pub(crate) fn new(
        raw: usize,
        miniport: u32,
        driver: u32,
        who: Arc<str>,
        name: Arc<str>,
    ) -> Self {
        Self {
            raw,
            miniport,
            driver,
            who,
            name,
            context: None,
            phase: AdapterPhase::Initializing,
            general: false,
            connectionless: false,
            media: 0,
            families: Vec::new(),
            pause: Request::default(),
            restart: Request::default(),
            reset: Request::default(),
            resetting: false,
            held_at_reset: HeldAtReset::default(),
            addressing_lost: false,
            wants_bug_checks: false,
            connected: false,
            halting_since: 0,
            halted: false,
            removal_told: false,
            indicating: 0,
            power: NdisDeviceStateD0,
            asleep_since: None,
            oids: Vec::new(),
            counted: Vec::new(),
            links: None,
        }
    }

    /// The adapter goes on to its next phase.
    pub(crate) fn enter(&mut self, next: AdapterPhase) {
        use AdapterPhase::{Halting, Initializing, Paused, Pausing, Restarting, Running};
        debug_assert!(
            matches!(
                (self.phase, next),
                (Initializing | Restarting | Pausing, Paused)
                    | (Paused, Restarting | Halting)
                    | (Restarting, Running)
                    | (Running, Pausing)
            ),
            "{:?} to {next:?}",
            self.phase
        );
        self.phase = next;
    }

    /// The halt begins, at this moment.
    pub(crate) fn halt(&mut self, moment: u64) {
        self.enter(AdapterPhase::Halting);
        self.halting_since = moment;
    }

    /// Whether a call that was made at this moment was made in the halt.
    pub(crate) fn halts_at(&self, moment: u64) -> bool {
        self.phase == AdapterPhase::Halting && moment > self.halting_since
    }

    /// Whether a call that was made at this moment was made without power.
    pub(crate) fn sleeps_at(&self, moment: u64) -> bool {
        self.asleep_since.is_some_and(|since| moment > since)
    }
}
