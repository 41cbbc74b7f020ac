//! The settings of a host, before there is one.

use super::Host;
use crate::core::Core;
use crate::log::EventMode;
use crate::platform::Lock;
use crate::readings::Readings;
use crate::state::Settings;

/// The settings of a [`Host`] that is about to be built.
pub struct Builder(Settings);

impl Builder {
    pub(super) fn new() -> Self {
        Self(Settings {
            seed: 1,
            processors: 4,
            preemption: (1, 8),
            raise: (1, 8),
            low_stack: (0, 1),
            readings: Readings::default(),
            events: EventMode::Last(10_000),
            patience: 300,
            watchdog: 60_000,
            limit: u64::MAX,
            last_words: None,
            asks_after_initialize: false,
            threads: false,
        })
    }

    /// The seed of the schedule; the same seed gives the same run.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// How many virtual processors there are (4).
    #[must_use]
    pub fn processors(mut self, processors: u8) -> Self {
        self.0.processors = processors.max(1);
        self
    }

    /// How often a task is preempted at a switch point: `times` in `of` (1, 8).
    #[must_use]
    pub fn preemption(mut self, times: u32, of: u32) -> Self {
        self.0.preemption = (times, of);
        self
    }

    /// How often a callback that may run at DISPATCH_LEVEL does so although its
    /// caller is at PASSIVE_LEVEL: `times` in `of` (1, 8).
    #[must_use]
    pub fn raise(mut self, times: u32, of: u32) -> Self {
        self.0.raise = (times, of);
        self
    }

    /// How often a driver that asks is told that little of its stack is left, or next
    /// to nothing, although it has more: `times` in `of` (never).
    ///
    /// A driver that leaves work to another stack then does so in places where it
    /// otherwise would only in a deep recursion. One that looks again there must find
    /// room in the end, so not always.
    #[must_use]
    pub fn low_stack(mut self, times: u32, of: u32) -> Self {
        self.0.low_stack = (times, of.max(times.saturating_add(1)));
        self
    }

    /// The answers to the open questions.
    #[must_use]
    pub fn readings(mut self, readings: Readings) -> Self {
        self.0.readings = readings;
        self
    }

    /// How much of the run is recorded (the last 10,000 events).
    #[must_use]
    pub fn events(mut self, events: EventMode) -> Self {
        self.0.events = events;
        self
    }

    /// Under Miri, which pays dearly for each event that is recorded, records none; elsewhere
    /// changes nothing.
    ///
    /// ```
    /// let host = ndis_host::Host::builder().no_events_under_miri().build();
    /// # assert!(host.finish().is_clean());
    /// ```
    #[must_use]
    pub fn no_events_under_miri(self) -> Self {
        if cfg!(miri) {
            self.events(EventMode::Off)
        } else {
            self
        }
    }

    /// How many real milliseconds a run in which nothing moves waits for a
    /// thread that the host did not start, before it says so (300).
    #[must_use]
    pub fn patience(mut self, milliseconds: u32) -> Self {
        self.0.patience = milliseconds;
        self
    }

    /// How many real milliseconds one task may keep the baton without a call of the host's
    /// or by it, before the run ends with the task's name and what it is in (60,000; 0 is
    /// no limit).
    ///
    /// A task that says nothing that long usually waits for something that the host
    /// cannot see: a [`std::sync::Mutex`] that another task held when it called NDIS
    /// (dropping the last reference to an object calls NDIS, too). No thread of the
    /// run goes on then, and without the watchdog nobody would be told why.
    #[must_use]
    pub fn watchdog(mut self, milliseconds: u32) -> Self {
        self.0.watchdog = milliseconds;
        self
    }

    /// How many times a task is handed the baton before the run is taken for one
    /// that never ends (without limit).
    #[must_use]
    pub fn limit(mut self, steps: u64) -> Self {
        self.0.limit = steps;
        self
    }

    /// What is called with the reason before the host panics because a run
    /// cannot go on; for embedders whose panics do not unwind. The host's
    /// [`report`](Host::report) and [`events`](Host::events) can be had there.
    #[must_use]
    pub fn last_words(mut self, last_words: fn(&str)) -> Self {
        self.0.last_words = Some(last_words);
        self
    }

    /// Whether NDIS asks each adapter, when it has been initialized, for what the
    /// documentation says it does ([OID-46]): the supported OIDs and the custom ones, its
    /// abilities to sleep, its statistics; and sets the name of the computer (no).
    ///
    /// [OID-46]: ndis_sys::rules#OID-46
    #[must_use]
    pub fn ask_after_initialize(mut self, asks: bool) -> Self {
        self.0.asks_after_initialize = asks;
        self
    }

    /// Whether each task is a thread of the system's own (no).
    ///
    /// Tasks are strands otherwise, stacks that one thread goes about on: that is many times as
    /// fast, and the run of a seed is the same. What a driver or a test keeps in a
    /// [`thread_local!`](std::thread_local) is then shared by all tasks of a host. (Under Miri,
    /// and on processors that the crate `corosensei` does not know, tasks are threads always.)
    #[must_use]
    pub fn threads(mut self, own: bool) -> Self {
        self.0.threads = own;
        self
    }

    #[cfg(test)]
    pub(crate) fn settings(self) -> Settings {
        self.0
    }

    /// Builds the host.
    pub fn build(self) -> Host {
        // Naming every export keeps the linker from leaving any out.
        let exports = crate::exported::exported().count();
        debug_assert!(exports > 0);
        #[cfg(feature = "std")]
        crate::platform::announce_panics(crate::core::current_seed);
        Host {
            core: Core::new(&self.0),
            control: Lock::new(()),
        }
    }
}
