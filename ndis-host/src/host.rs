//! What a test or a demo holds in its hands: a host, its drivers and adapters.

mod builder;
mod life;

pub use builder::Builder;

use crate::core::Core;
use crate::cx::Cx;
use crate::ke::table::registry::RegistryValue;
use crate::loading::{Entry, all_left, enter_driver, unload};
use crate::log::Event;
use crate::model::driver::Unload;
use crate::oid::own::{self, OidAnswer, OidAsk};
use crate::platform::Lock;
use crate::pnp;
use crate::report::{Printed, Report};
use crate::sched::{Frame, Goal, Work};
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

/// The entry point of a driver, as its image exports it.
pub type EntryPoint =
    unsafe extern "system" fn(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> NTSTATUS;

/// An embedded NDIS with its drivers.
///
/// Every method that makes something happen returns when it has happened; what
/// it set in motion meanwhile goes on in the next such call, or in
/// [`run`](Host::run).
pub struct Host {
    core: Arc<Core>,
    control: Lock<()>,
}

/// A loaded driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Driver {
    host: u32,
    number: u32,
}

/// An adapter that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adapter {
    host: u32,
    number: u32,
}

impl Host {
    /// Settings for a new host.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs `body` as a task until it, and all of plug and play, is done.
    pub(crate) fn step<R: Send + 'static>(
        &self,
        name: &str,
        body: impl FnOnce(&Cx) -> R + Send + 'static,
    ) -> R {
        let _alone = self.control.lock();
        let slot = Arc::new(Lock::new(None));
        let result = slot.clone();
        let id = self.core.state.lock().queue_step(name, move |cx| {
            let value = body(cx);
            *slot.lock() = Some(value);
        });
        self.core.drive(Goal::Settled(id));
        let value = result.lock().take();
        match value {
            Some(value) => value,
            None => panic!("ndis-host: the step \"{name}\" ended without a result"),
        }
    }

    /// Loads a driver by its entry point and runs until it, and every binding
    /// that follows from it, is done.
    ///
    /// # Errors
    ///
    /// The status that the entry point failed with.
    ///
    /// # Safety
    ///
    /// `entry` is the entry point of a driver: it may be called once with a
    /// driver object and a registry path, as Windows does.
    pub unsafe fn load(&self, name: &str, entry: EntryPoint) -> Result<Driver, NTSTATUS> {
        self.load_with(name, move |object, path| {
            // SAFETY: the caller's contract.
            unsafe { entry(object, path) }
        })
    }

    /// As [`load`](Host::load), for a driver whose entry is a closure.
    ///
    /// # Errors
    ///
    /// The status that the entry failed with.
    pub fn load_with(
        &self,
        name: &str,
        entry: impl FnOnce(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> NTSTATUS + Send + 'static,
    ) -> Result<Driver, NTSTATUS> {
        self.enter(name, Box::new(entry), None)
    }

    /// As [`load`](Host::load), for an image that another loader brings in: `load`
    /// has it mapped and its entry point called, with a driver object of that
    /// loader's own; `unload` has its unload routine called.
    ///
    /// # Errors
    ///
    /// The status that `load` failed with.
    pub fn load_image(
        &self,
        name: &str,
        load: impl FnOnce() -> NTSTATUS + Send + 'static,
        unload: impl FnOnce() -> NTSTATUS + Send + 'static,
    ) -> Result<Driver, NTSTATUS> {
        self.enter(name, Box::new(|_, _| load()), Some(Box::new(unload)))
    }

    fn enter(&self, name: &str, entry: Entry, loader: Option<Unload>) -> Result<Driver, NTSTATUS> {
        let who: Arc<str> = name.into();
        let (number, status) = self.step("load", move |cx| enter_driver(cx, who, entry, loader));
        if status < 0 {
            return Err(status);
        }
        Ok(Driver {
            host: self.core.id,
            number,
        })
    }

    /// Looks at the state or changes it, between the steps.
    pub(crate) fn with_state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.core.state.lock())
    }

    pub(crate) fn number_of(&self, adapter: &Adapter) -> u32 {
        self.check(adapter.host);
        adapter.number
    }

    pub(crate) fn check(&self, host: u32) {
        assert!(
            host == self.core.id,
            "ndis-host: the driver or adapter is of another host"
        );
    }

    /// Starts one adapter of a miniport driver: initializes it, binds every
    /// protocol, restarts it.
    ///
    /// # Errors
    ///
    /// The status that `MiniportInitializeEx` failed with.
    pub fn add_adapter(&self, driver: &Driver) -> Result<Adapter, n::NDIS_STATUS> {
        self.check(driver.host);
        let miniport = self
            .miniport_of(driver)
            .ok_or(n::NDIS_STATUS_ADAPTER_NOT_FOUND)?;
        let number = self.step("add an adapter", move |cx| pnp::add_adapter(cx, miniport))?;
        Ok(Adapter {
            host: self.core.id,
            number,
        })
    }

    /// The driver's registration as a miniport driver, if it has made one.
    fn miniport_of(&self, driver: &Driver) -> Option<u32> {
        let state = self.core.state.lock();
        state.world.drivers.get(&driver.number)?.miniport
    }

    /// Pauses an adapter and the bindings on it.
    pub fn pause(&self, adapter: &Adapter) {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("pause", move |cx| {
            pnp::lock(cx);
            pnp::pause(cx, number, n::NDIS_PAUSE_NDIS_INTERNAL);
            pnp::unlock(cx);
        });
    }

    /// Restarts a paused adapter.
    ///
    /// # Errors
    ///
    /// The status that `MiniportRestart` failed with.
    pub fn restart(&self, adapter: &Adapter) -> Result<(), n::NDIS_STATUS> {
        self.check(adapter.host);
        let number = adapter.number;
        let status = self.step("restart", move |cx| {
            pnp::lock(cx);
            let status = pnp::restart(cx, number);
            pnp::unlock(cx);
            status
        });
        if status == n::NDIS_STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Takes an adapter to a device power state (`NdisDeviceStateD0` to `NdisDeviceStateD3`).
    ///
    /// Down: the protocols get `NetEventQueryPower`, the miniport `OID_PNP_QUERY_POWER`, the
    /// protocols `NetEventSetPower`; bindings and miniport are paused, and the miniport gets
    /// `OID_PNP_SET_POWER`. Up: the miniport gets `OID_PNP_SET_POWER`, miniport and bindings
    /// are restarted, and the protocols get `NetEventSetPower`.
    ///
    /// # Errors
    ///
    /// The status that the miniport answered `OID_PNP_SET_POWER` with, or `MiniportRestart`.
    pub fn set_power(
        &self,
        adapter: &Adapter,
        state: n::NDIS_DEVICE_POWER_STATE,
    ) -> Result<(), n::NDIS_STATUS> {
        self.check(adapter.host);
        let number = adapter.number;
        let status = self.step("set power", move |cx| pnp::set_power(cx, number, state));
        if status == n::NDIS_STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Asks an adapter's miniport for an OID, as NDIS does on its own behalf.
    ///
    /// # Errors
    ///
    /// The status that the miniport answered with.
    pub fn query(
        &self,
        adapter: &Adapter,
        oid: n::NDIS_OID,
        length: usize,
    ) -> Result<Vec<u8>, n::NDIS_STATUS> {
        self.check(adapter.host);
        let number = adapter.number;
        let query = OidAsk::query(oid, length);
        self.step("query", move |cx| own::ask_for_test(cx, number, query))
            .bytes()
    }

    /// Asks an adapter's miniport whatever NDIS can, and waits for the answer.
    ///
    /// ```
    /// use ndis_host::{Adapter, Host, OidAsk};
    /// use ndis_sys as n;
    ///
    /// /// The frames that were sent on a VC are counted in 64 bits.
    /// fn counts(host: &Host, adapter: &Adapter, vc: n::NDIS_HANDLE) {
    ///     let frames = OidAsk::statistics(n::OID_GEN_CO_XMIT_PDUS_OK as u32, 8).of_vc(vc);
    ///     let answer = host.ask(adapter, frames);
    ///     assert_eq!((answer.status, answer.written), (n::NDIS_STATUS_SUCCESS, 8));
    /// }
    /// ```
    pub fn ask(&self, adapter: &Adapter, what: OidAsk) -> OidAnswer {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("a request", move |cx| own::ask_for_test(cx, number, what))
    }

    /// Asks an adapter's miniport for every OID that each connection-oriented one answers;
    /// what it does not know breaks [OID-24].
    ///
    /// [OID-24]: ndis_sys::rules#OID-24
    pub fn ask_mandatory(&self, adapter: &Adapter) -> Vec<(n::NDIS_OID, OidAnswer)> {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("mandatory requests", move |cx| {
            own::ask_mandatory(cx, number)
        })
    }

    /// Hands an adapter's miniport an empty list without a VC, as NDIS does for a
    /// connectionless protocol; the status that it is completed with, None if the miniport
    /// has no handler for it or never completes it.
    pub fn send_without_vc(&self, adapter: &Adapter) -> Option<n::NDIS_STATUS> {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("a send without a VC", move |cx| {
            crate::miniport::send::send_bare(cx, number)
        })
    }

    /// Stops and removes an adapter: pause, unbind, halt.
    pub fn remove_adapter(&self, adapter: &Adapter) {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("remove an adapter", move |cx| {
            pnp::remove(cx, number, false)
        });
    }

    /// Takes an adapter away without warning.
    pub fn surprise_remove(&self, adapter: &Adapter) {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("surprise removal", move |cx| pnp::remove(cx, number, true));
    }

    /// Takes an adapter away without warning, and asks its miniport for an OID between the
    /// notice and the halt.
    pub fn surprise_remove_asking(&self, adapter: &Adapter, oid: n::NDIS_OID) {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("surprise removal", move |cx| {
            pnp::remove_asking(cx, number, true, Some(oid));
        });
    }

    /// Unloads a driver, after removing its adapters.
    pub fn unload(&self, driver: &Driver) {
        self.check(driver.host);
        let number = driver.number;
        self.step("unload", move |cx| unload(cx, number));
    }

    /// The whole life of some drivers: loads them in order, starts an adapter
    /// of each one that is a miniport's, lets everything happen, removes the
    /// adapters, and unloads the drivers in the opposite order.
    ///
    /// What has been loaded is unloaded even when something fails.
    ///
    /// # Errors
    ///
    /// What `load` failed with, or `MiniportInitializeEx`.
    pub fn whole_life(
        &self,
        loads: impl IntoIterator<Item = impl FnOnce(&Self) -> Result<Driver, NTSTATUS>>,
    ) -> Result<(), NTSTATUS> {
        self.whole_life_on(1, loads)
    }

    /// [`whole_life`](Self::whole_life), with so many adapters of each driver that is a
    /// miniport's: two are the ends of a link.
    ///
    /// # Errors
    ///
    /// As there. An adapter that cannot be started is the last one that is tried.
    pub fn whole_life_on(
        &self,
        adapters_of_each: u32,
        loads: impl IntoIterator<Item = impl FnOnce(&Self) -> Result<Driver, NTSTATUS>>,
    ) -> Result<(), NTSTATUS> {
        let mut drivers = Vec::new();
        let mut adapters = Vec::new();
        let mut outcome = Ok(());
        for load in loads {
            match load(self) {
                Ok(driver) => drivers.push(driver),
                Err(status) => {
                    outcome = Err(status);
                    break;
                }
            }
        }
        let miniports = drivers
            .iter()
            .filter(|driver| self.miniport_of(driver).is_some());
        for driver in miniports.flat_map(|driver| (0..adapters_of_each).map(move |_| driver)) {
            if outcome.is_err() {
                break;
            }
            match self.add_adapter(driver) {
                Ok(adapter) => adapters.push(adapter),
                Err(status) => outcome = Err(status),
            }
        }
        self.run();
        for adapter in &adapters {
            self.remove_adapter(adapter);
        }
        for driver in drivers.iter().rev() {
            self.unload(driver);
        }
        outcome
    }

    /// Starts a thread at PASSIVE_LEVEL that is no driver's.
    pub fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) {
        self.start(None, name.into(), name.into(), body);
    }

    /// Starts a thread at PASSIVE_LEVEL that runs code of a driver's: what it allocates is the
    /// driver's, and what it breaks the driver's fault.
    pub fn spawn_of(&self, driver: &Driver, name: &str, body: impl FnOnce() + Send + 'static) {
        self.check(driver.host);
        let who = {
            let state = self.core.state.lock();
            let driver = state.world.drivers.get(&driver.number);
            driver.map_or_else(|| name.into(), |driver| driver.name.clone())
        };
        self.start(Some(driver.number), name.into(), who, body);
    }

    fn start(
        &self,
        driver: Option<u32>,
        name: Arc<str>,
        who: Arc<str>,
        body: impl FnOnce() + Send + 'static,
    ) {
        self.core.state.lock().sched.queue(Work {
            id: 0,
            name,
            irql: 0,
            frame: Some(Frame {
                driver,
                who,
                name: "a thread",
                irql: 0,
                locks: 0,
                since: 0,
                about: None,
                call: None,
            }),
            system: false,
            plug_and_play: false,
            run: Box::new(body),
        });
    }

    /// Runs until nothing is left to do.
    ///
    /// # Panics
    ///
    /// When nothing can go on although somebody waits, and when a task panicked.
    pub fn run(&self) {
        let _alone = self.control.lock();
        self.core.drive(Goal::Idle);
        // Nothing is left to do, so what has not come will not come by itself.
        let mut state = self.core.state.lock();
        state.check_unanswered(None);
        state.check_cancelled();
        state.check_duties();
        state.note_unanswered();
    }

    /// Runs for some virtual milliseconds.
    pub fn run_for(&self, milliseconds: u64) {
        let _alone = self.control.lock();
        let until = self.core.state.lock().sched.now + milliseconds * 10_000;
        self.core.drive(Goal::Time(until));
    }

    /// Announces that a rule will be broken: that is counted, must happen, and
    /// is no failure.
    pub fn expect(&self, rule: &str) {
        let mut state = self.core.state.lock();
        *state.ledger.announced.entry(rule.to_string()).or_insert(0) += 1;
    }

    /// Makes the `nth` allocation from now on fail (1 is the next).
    pub fn fail_allocation(&self, nth: u64) {
        self.core.state.lock().faults.order_allocation(nth);
    }

    /// Makes the `nth` call of an NDIS function from now on fail.
    pub fn fail_call(&self, name: &str, nth: u64, status: n::NDIS_STATUS) {
        self.core.state.lock().faults.order_call(name, nth, status);
    }

    /// Sets the value `name` under the `Parameters` of a driver's registry key;
    /// `service` is the name that the driver is loaded by.
    ///
    /// ```
    /// # use ndis_host::{Host, RegistryValue};
    /// # let host = Host::builder().build();
    /// host.set_parameter("echo", "Calls", 3); // REG_DWORD
    /// host.set_parameter("echo", "Peer", "7 30 00"); // REG_SZ
    /// host.set_parameter("echo", "Key", RegistryValue::new(3, [1, 2])); // REG_BINARY
    /// ```
    pub fn set_parameter(&self, service: &str, name: &str, value: impl Into<RegistryValue>) {
        let value = value.into();
        self.core.state.lock().registry.set(service, name, value);
    }

    /// What drivers have printed for the debugger, in order.
    pub fn printed(&self) -> Vec<Printed> {
        self.core.state.lock().ledger.printed.clone()
    }

    /// The findings so far, and every object that exists now.
    pub fn report(&self) -> Report {
        let mut state = self.core.state.lock();
        let left = all_left(&state, None);
        state.report(left)
    }

    /// The recorded events.
    pub fn events(&self) -> Vec<Event> {
        let state = self.core.state.lock();
        state.log.events(|object| state.world.call_of(object))
    }

    /// Ends the host: reports what was found and what is left over.
    pub fn finish(self) -> Report {
        let mut state = self.core.state.lock();
        state.check_unanswered(None);
        state.check_cancelled();
        state.check_duties();
        state.check_requests_left();
        state.look_over_freed();
        let left = all_left(&state, None);
        state.report(left)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let (text, stuck) = {
            let mut state = self.core.state.lock();
            let unread = !state.ledger.reported;
            let report = state.report(Vec::new());
            let text = (unread
                && !(report.violations.is_empty() && report.not_simulated.is_empty()))
            .then(|| report.to_string());
            (text, !state.sched.tasks.is_empty())
        };
        self.core.dismiss();
        self.core.retire();
        if !stuck {
            // Suspended drivers may still look at their memory.
            self.core.state.lock().memory.clear();
        }
        #[cfg(feature = "std")]
        if std::thread::panicking() {
            return;
        }
        if let Some(text) = text {
            panic!("ndis-host: nobody asked for this report\n{text}");
        }
    }
}
