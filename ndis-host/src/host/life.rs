//! What else becomes of an adapter in its life, and of the system: resets, shutdown, errors.

use super::{Adapter, Host};
use crate::pnp;
use crate::report::ErrorEntry;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;

impl Host {
    /// Asks an adapter's driver whether its hardware hangs, as NDIS does every two seconds, and
    /// resets it if so; None when the driver has no handler for that. (The host asks only here: a
    /// run in which it did so by itself would never be over.)
    pub fn check_for_hang(&self, adapter: &Adapter) -> Option<bool> {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("check for hang", move |cx| {
            let hung = pnp::check_for_hang(cx, number)?;
            if hung {
                pnp::reset(cx, number);
            }
            Some(hung)
        })
    }

    /// Resets an adapter, and waits for the end: the status of its driver, None when that has no
    /// handler for it, or the adapter is being reset.
    pub fn reset(&self, adapter: &Adapter) -> Option<n::NDIS_STATUS> {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("reset", move |cx| pnp::reset(cx, number))
    }

    /// Has an adapter reset with the next run of the host, beside what else happens then: a pause
    /// may come meanwhile.
    pub fn begin_reset(&self, adapter: &Adapter) {
        self.check(adapter.host);
        let number = adapter.number;
        self.core.state.lock().queue_step("reset", move |cx| {
            pnp::reset(cx, number);
        });
    }

    /// Whether NDIS takes an adapter's medium for connected: by its attributes, and by what its
    /// driver has indicated since (rule [STATUS-14]).
    ///
    /// [STATUS-14]: ndis_sys::rules#STATUS-14
    pub fn is_connected(&self, adapter: &Adapter) -> bool {
        self.check(adapter.host);
        let state = self.core.state.lock();
        let record = state.world.adapters.get(&adapter.number);
        record.is_some_and(|record| record.connected)
    }

    /// The names of an adapter's VCs, under which those who manage the machine find them, in the
    /// order in which the VCs were made (rule [VC-58]).
    ///
    /// [VC-58]: ndis_sys::rules#VC-58
    pub fn instance_names(&self, adapter: &Adapter) -> Vec<String> {
        self.check(adapter.host);
        let state = self.core.state.lock();
        let vcs = state.world.vcs.values();
        vcs.filter(|vc| vc.adapter == adapter.number)
            .filter_map(|vc| Some(vc.named.as_ref()?.name.clone()))
            .collect()
    }

    /// Shuts the system down: each miniport is told, and no driver is called after that. What
    /// they have left is not looked at.
    pub fn shut_down(&self) {
        self.step("shut down", pnp::shut_down);
    }

    /// The system fails: the miniports that want to know are told at a high level, and no driver
    /// is called after that.
    pub fn bug_check(&self) {
        self.step("a system error", pnp::bug_check);
    }

    /// As [`bug_check`](Self::bug_check), by an error in the halt of an adapter.
    pub fn bug_check_in_halt(&self, adapter: &Adapter) {
        self.check(adapter.host);
        let number = adapter.number;
        self.step("a system error in a halt", move |cx| {
            pnp::fail_in_halt(cx, number);
        });
    }

    /// What miniports have written into the system's error log, in order.
    pub fn error_log(&self) -> Vec<ErrorEntry> {
        self.core.state.lock().ledger.errors.clone()
    }
}
