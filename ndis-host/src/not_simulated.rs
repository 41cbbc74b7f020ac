//! What this host does not simulate yet: parties beyond the one that comes with
//! a call, and changes of the quality of service. Each of these functions says so in the
//! report and fails; none does nothing in silence.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::manager::{Manager, Names};
use crate::rules;
use crate::state::State;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

impl State {
    /// Whether this is a handle that only an MCM can have.
    pub(crate) fn is_mcm_handle(&self, raw: usize) -> bool {
        use Kind::{Adapter, CallManagerAf, CallManagerParty, CallManagerSap, CallManagerVc};
        let Lookup::Live(kind, number) = self.handles.look(raw) else {
            return false;
        };
        matches!(
            kind,
            Adapter | CallManagerAf | CallManagerSap | CallManagerVc | CallManagerParty
        ) && matches!(
            self.world.manager_of(ObjectId::new(kind, number)),
            Some(Manager::Mcm { .. })
        )
    }

    /// Whether this is a handle that only a stand-alone call manager can have.
    pub(crate) fn is_alone_handle(&self, raw: usize) -> bool {
        use Kind::{CallManagerAf, CallManagerParty, CallManagerSap, CallManagerVc};
        let Lookup::Live(kind, number) = self.handles.look(raw) else {
            return false;
        };
        kind == Kind::Binding
            || matches!(
                kind,
                CallManagerAf | CallManagerSap | CallManagerVc | CallManagerParty
            ) && matches!(
                self.world.manager_of(ObjectId::new(kind, number)),
                Some(Manager::Alone { .. })
            )
    }

    /// Reports a call manager that calls what the other kind calls (or, of an MCM's, what
    /// clients call, too).
    pub(crate) fn wrong_set(&mut self, name: &str, own: &str, raw: usize) {
        let found = self.handles.look(raw);
        let whose = if name.starts_with("NdisM") {
            "a protocol's"
        } else {
            "an MCM's"
        };
        let message =
            alloc::format!("{name} with {found}, which is {whose}; its function is {own}");
        self.violate("VC-04", found.object(), message);
    }
}

fn not_simulated(name: &'static str, handles: &[NDIS_HANDLE]) -> i32 {
    fail(Call::new(name), handles)
}

fn not_simulated_of_managers(names: Names, handles: &[NDIS_HANDLE]) -> i32 {
    fail(Call::of_managers(names), handles)
}

fn fail(call: Call, handles: &[NDIS_HANDLE]) -> i32 {
    let cx = Cx::enter(call, handles);
    if let Some(status) = cx.fault {
        return cx.done(status);
    }
    cx.with(|s| {
        let object = handles
            .first()
            .and_then(|handle| s.handles.look(handle.addr()).object());
        let message = alloc::format!("{} is not simulated yet and fails", cx.name());
        s.violate(rules::NOT_SIMULATED, object, message);
    });
    cx.done(n::NDIS_STATUS_NOT_SUPPORTED)
}

exports! { EXPORTS {
    /// Adds a party to a call.
    fn NdisClAddParty(
        vc: NDIS_HANDLE,
        _context: NDIS_HANDLE,
        _parameters: *mut c_void,
        _out: *mut NDIS_HANDLE,
    ) -> i32 {
        not_simulated("NdisClAddParty", &[vc])
    }

    /// Drops a party from a call.
    fn NdisClDropParty(party: NDIS_HANDLE, _buffer: *mut c_void, _size: u32) -> i32 {
        not_simulated("NdisClDropParty", &[party])
    }

    /// Changes the parameters of a call.
    fn NdisClModifyCallQoS(vc: NDIS_HANDLE, _parameters: *mut c_void) -> i32 {
        not_simulated("NdisClModifyCallQoS", &[vc])
    }

    /// Completes an added party.
    fn NdisCmAddPartyComplete(
        _status: i32,
        party: NDIS_HANDLE,
        _context: NDIS_HANDLE,
        _parameters: *mut c_void,
    ) {
        not_simulated_of_managers(Names("NdisMCmAddPartyComplete", "NdisCmAddPartyComplete"), &[party]);
    }

    /// Completes a dropped party.
    fn NdisCmDropPartyComplete(_status: i32, party: NDIS_HANDLE) {
        not_simulated_of_managers(Names("NdisMCmDropPartyComplete", "NdisCmDropPartyComplete"), &[party]);
    }

    /// Completes changed parameters.
    fn NdisCmModifyCallQoSComplete(_status: i32, vc: NDIS_HANDLE, _parameters: *mut c_void) {
        not_simulated_of_managers(Names("NdisMCmModifyCallQoSComplete", "NdisCmModifyCallQoSComplete"), &[vc]);
    }

    /// Announces changed parameters.
    fn NdisCmDispatchIncomingCallQoSChange(vc: NDIS_HANDLE, _parameters: *mut c_void) {
        not_simulated_of_managers(Names("NdisMCmDispatchIncomingCallQoSChange", "NdisCmDispatchIncomingCallQoSChange"), &[vc]);
    }

    /// Announces the end of a party.
    fn NdisCmDispatchIncomingDropParty(
        _status: i32,
        party: NDIS_HANDLE,
        _buffer: *mut c_void,
        _size: u32,
    ) {
        not_simulated_of_managers(Names("NdisMCmDispatchIncomingDropParty", "NdisCmDispatchIncomingDropParty"), &[party]);
    }
}}
