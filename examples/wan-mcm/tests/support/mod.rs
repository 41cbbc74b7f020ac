//! A host with NDPROXY and NDISWAN, the driver, and its adapters.

#![allow(dead_code)] // Each test program uses a part of it.

use ndis_co::{Status, wan::Statistics};
use ndis_host::{
    Adapter, AdapterSettings, Builder, Driver, EventMode, Host, McmDisplaces, Readings, Report,
};
use ndis_mcm::{Entry, wan::Wan};
use ndis_wan_models::{CallId, Settings, State, Windows};
use wan_mcm::NullModem;

/// How many seeds a test runs: fewer under Miri.
pub fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

#[track_caller]
pub fn clean(report: &Report) {
    assert!(report.is_clean(), "{report}");
}

pub fn builder(seed: u64, readings: Readings) -> Builder {
    assert_ne!(readings.mcm_displaces, McmDisplaces::TheDevice);
    let host = Host::builder().seed(seed).readings(readings);
    host.events(EventMode::Last(400)).no_events_under_miri()
}

/// Every reading but one: were no call manager allowed above an adapter with one of its own,
/// NDPROXY could not offer NDISWAN the calls of a WAN miniport, and nobody would carry any. That
/// there is such a thing as dialling shows that Windows does not do so.
pub fn readings() -> impl Iterator<Item = Readings> {
    Readings::all().filter(|readings| readings.mcm_displaces != McmDisplaces::TheDevice)
}

/// Loads the driver.
pub fn load(host: &Host) -> Driver {
    let entry = Entry::new(Wan::new(NullModem::new()));
    let loaded = host.load_with("wan-mcm", move |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    });
    loaded.unwrap()
}

/// Everything that a call needs: two adapters on the cable, as a rule.
pub struct World<'h> {
    pub host: &'h Host,
    pub windows: Windows<'h>,
    pub driver: Driver,
    pub adapters: Vec<Adapter>,
}

impl<'h> World<'h> {
    pub fn new(host: &'h Host) -> Self {
        Self::with(host, Settings::default())
    }

    pub fn with(host: &'h Host, settings: Settings) -> Self {
        Self::configured(
            host,
            settings,
            [AdapterSettings::new(), AdapterSettings::new()],
        )
    }

    /// With adapters of which the registry says this.
    pub fn configured(
        host: &'h Host,
        settings: Settings,
        adapters: impl IntoIterator<Item = AdapterSettings>,
    ) -> Self {
        let windows = Windows::load_with(host, settings).unwrap();
        let driver = load(host);
        let add = |settings| {
            host.set_adapter_settings("wan-mcm", settings);
            host.add_adapter(&driver).unwrap()
        };
        let adapters = adapters.into_iter().map(add).collect();
        host.run();
        Self {
            host,
            windows,
            driver,
            adapters,
        }
    }

    /// Has an adapter's line call a number, and lets that happen.
    pub fn dial(&self, adapter: u32, line: u32, number: &str) -> CallId {
        let call = self.windows.dial(adapter, line, number);
        self.host.run();
        call
    }

    /// Both ends of a call from the first line of the first adapter to that of the second.
    #[track_caller]
    pub fn connect(&self) -> [CallId; 2] {
        let near = self.dial(0, 0, "200");
        let far = self.windows.came_in(1).expect("nothing came in");
        for end in [near, far] {
            self.is_up(end);
        }
        [near, far]
    }

    #[track_caller]
    pub fn is_up(&self, call: CallId) {
        let view = self.windows.call(call).unwrap();
        assert_eq!(view.state, State::Connected, "{view:?}");
        assert_eq!(view.carried, Some(Ok(())), "{view:?}");
        assert!(view.is_up, "{view:?}");
    }

    /// Why a call is over.
    #[track_caller]
    pub fn ended(&self, call: CallId) -> Status {
        let view = self.windows.call(call).unwrap();
        view.ended()
            .unwrap_or_else(|| panic!("it goes on: {view:?}"))
    }

    /// Sends frames, one after the other: each is sent by a thread of its own.
    pub fn send(&self, call: CallId, frames: &[&[u8]]) {
        for frame in frames {
            self.windows.send(call, frame);
            self.host.run();
        }
    }

    pub fn received(&self, call: CallId) -> Vec<Vec<u8>> {
        let all = self.windows.received(call).into_iter();
        all.map(|frame| frame.payload).collect()
    }

    pub fn statistics(&self, call: CallId) -> Statistics {
        self.windows.ask_statistics(call);
        self.host.run();
        self.windows.statistics(call).unwrap().unwrap()
    }

    /// Of an ended call nothing is under way.
    #[track_caller]
    pub fn nothing_under_way(&self) {
        for view in self.windows.calls() {
            if let (Some(_), Some(link)) = (view.ended(), view.link) {
                assert_eq!(link.counts.under_way, 0, "{view:?}");
            }
        }
    }

    /// Takes everything down.
    #[track_caller]
    pub fn end(self) {
        self.host.run();
        self.nothing_under_way();
        for adapter in &self.adapters {
            self.host.remove_adapter(adapter);
        }
        self.unload();
    }

    /// Unloads the drivers, the adapters having gone.
    #[track_caller]
    pub fn unload(self) {
        self.nothing_under_way();
        self.windows.unload();
        self.host.unload(&self.driver);
    }
}
