//! MCMs make VCs for incoming calls and delete them.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::Owners;
use crate::state::State;
use crate::vcs::{create, delete};
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CREATE: Call = Call::new("NdisMCmCreateVc").unlocked("VC-10");
const DELETE: Call = Call::new("NdisMCmDeleteVc").unlocked("VC-26");

impl State {
    /// Whose a VC of an MCM's making is to be; the error is a status.
    fn owners_of_mcms(&mut self, adapter: usize, af: usize) -> Result<Owners, i32> {
        let call = CREATE.name;
        for raw in [adapter, af] {
            if self.is_alone_handle(raw) {
                self.wrong_set(call, "NdisCoCreateVc", raw);
                return Err(n::NDIS_STATUS_FAILURE);
            }
        }
        let adapter = self
            .take_adapter(call, adapter)
            .ok_or(n::NDIS_STATUS_FAILURE)?;
        let af = self
            .take(call, af, Kind::CallManagerAf)
            .ok_or(n::NDIS_STATUS_FAILURE)?;
        self.owners_for_client(call, af, Manager::Mcm { adapter })
    }

    /// Whose a VC is that a call manager makes for the client that it calls.
    pub(crate) fn owners_for_client(
        &mut self,
        call: &str,
        af: u32,
        manager: Manager,
    ) -> Result<Owners, i32> {
        let Some(record) = self.world.afs.get(&af) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if record.served_by != manager {
            let (rule, whose) = match manager {
                Manager::Mcm { .. } => ("VC-06", "adapter"),
                Manager::Alone { .. } => ("VC-07", "binding"),
            };
            let object = ObjectId::new(Kind::ClientAf, af);
            let message = alloc::format!("{call}: {object} is not of that {whose}");
            self.violate(rule, Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        if !record.is_usable() {
            // The client is closing it; the call manager could not know.
            return Err(n::NDIS_STATUS_FAILURE);
        }
        Ok(Owners {
            af: Some(af),
            served_by: manager,
            adapter: record.adapter,
            by_client: false,
            lower: None,
        })
    }

    /// The VC that an MCM deletes.
    fn deleted_by_mcm(&mut self, raw: usize) -> Result<u32, i32> {
        let call = DELETE.name;
        if self.is_alone_handle(raw) {
            self.wrong_set(call, "NdisCoDeleteVc", raw);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        let number = self
            .take(call, raw, Kind::CallManagerVc)
            .ok_or(n::NDIS_STATUS_FAILURE)?;
        let object = ObjectId::new(Kind::ClientVc, number);
        if self.world.vcs.get(&number).is_some_and(|vc| vc.by_client) {
            let message = alloc::format!("{call} on {object}, which the client made");
            self.violate("VC-22", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        self.deletable(call, number)?;
        Ok(number)
    }
}

exports! { EXPORTS {
    /// Makes a VC for an incoming call.
    fn NdisMCmCreateVc(
        adapter: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(CREATE, &[adapter, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let owners = cx.with(|s| {
            s.check_out(CREATE.name, out);
            s.owners_of_mcms(adapter.addr(), af.addr())
        });
        match owners.and_then(|owners| create(&cx, owners, Context(context))) {
            Ok(raw) => {
                // SAFETY: the caller's variable for the result.
                unsafe { out.write(handle(raw)) };
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Err(status) => cx.done(status),
        }
    }

    /// Deletes a VC that the MCM made.
    fn NdisMCmDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let cx = Cx::enter(DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        match cx.with(|s| s.deleted_by_mcm(vc.addr())) {
            Ok(number) => cx.done(delete(&cx, number)),
            Err(status) => cx.done(status),
        }
    }
}}
