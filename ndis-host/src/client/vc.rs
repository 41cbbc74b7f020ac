//! VCs of protocols: clients make them for outgoing calls, stand-alone call managers for
//! incoming ones and for their own signalling.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::af::AfPhase;
use crate::model::manager::Manager;
use crate::model::vc::{Activity, Owners};
use crate::state::State;
use crate::vcs::{before, create, delete};
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CO_CREATE: Call = Call::new("NdisCoCreateVc").unlocked("VC-10");
const CO_DELETE: Call = Call::new("NdisCoDeleteVc").unlocked("VC-26");

impl State {
    /// Whose a VC of a protocol's making is to be; the error is a status.
    fn owners_of(&mut self, binding: usize, af: usize) -> Result<Owners, i32> {
        let call = CO_CREATE.name;
        if self.is_mcm_handle(binding) {
            self.wrong_set(call, "NdisMCmCreateVc", binding);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        let Some(binding) = self.take(call, binding, Kind::Binding) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        match self.handles.look(af) {
            Lookup::Null => self.owners_of_own(binding),
            Lookup::Live(Kind::CallManagerAf, af) => self.owners_of_incoming(binding, af),
            _ => self.owners_of_outgoing(binding, af),
        }
    }

    fn owners_of_outgoing(&mut self, binding: u32, af: usize) -> Result<Owners, i32> {
        let call = CO_CREATE.name;
        let Some(af) = self.take_client_af(call, af) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let Some(record) = self.world.afs.get(&af) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let object = ObjectId::new(Kind::ClientAf, af);
        if record.binding != binding {
            let message = alloc::format!("{call}: {object} is not of that binding");
            self.violate("VC-07", Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        if record.phase != AfPhase::Open {
            let message = alloc::format!("{call} on {object}, which is not open");
            self.violate("AF-13", Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        Ok(Owners {
            af: Some(af),
            served_by: record.served_by,
            adapter: record.adapter,
            by_client: true,
            lower: None,
        })
    }

    /// A stand-alone call manager makes one for the client that it calls.
    fn owners_of_incoming(&mut self, binding: u32, af: u32) -> Result<Owners, i32> {
        self.owners_for_client(CO_CREATE.name, af, Manager::Alone { binding })
    }

    /// A stand-alone call manager makes one for itself.
    fn owners_of_own(&mut self, binding: u32) -> Result<Owners, i32> {
        let call = CO_CREATE.name;
        let object = ObjectId::new(Kind::Binding, binding);
        let served_by = Manager::Alone { binding };
        if self.world.manager_handlers(served_by).is_none() {
            let message =
                alloc::format!("{call} without an address family, on {object} of no call manager");
            self.violate("VC-07", Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        let adapter = self.world.bindings.get(&binding).map(|b| b.adapter);
        let owners = Owners {
            af: None,
            served_by,
            adapter: adapter.ok_or(n::NDIS_STATUS_FAILURE)?,
            by_client: false,
            lower: None,
        };
        if !self.has_third(owners) {
            self.note(Some(object), "the miniport makes no VCs for call managers");
            return Err(n::NDIS_STATUS_FAILURE);
        }
        Ok(owners)
    }

    /// The VC that its creator deletes, and whether that waits for its deactivation.
    fn deleted_by_protocol(&mut self, raw: usize) -> Result<(u32, bool), i32> {
        let call = CO_DELETE.name;
        if self.is_mcm_handle(raw) {
            self.wrong_set(call, "NdisMCmDeleteVc", raw);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        let found = self.handles.look(raw);
        let of_client = !matches!(found, Lookup::Live(Kind::CallManagerVc, _));
        let kind = if of_client {
            Kind::ClientVc
        } else {
            Kind::CallManagerVc
        };
        let number = self.take(call, raw, kind).ok_or(n::NDIS_STATUS_FAILURE)?;
        let object = ObjectId::new(Kind::ClientVc, number);
        let by_client = self.world.vcs.get(&number).map(|vc| vc.by_client);
        if by_client != Some(of_client) {
            let maker = if of_client {
                "the call manager"
            } else {
                "the client"
            };
            let message = alloc::format!("{call} on {object}, which {maker} made");
            self.violate("VC-22", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        self.deletable(call, number)?;
        let Some(record) = self.world.vcs.get_mut(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let waits = record.activity != Activity::Inactive;
        if waits {
            // The call manager has completed the close and will deactivate.
            record.deleting = true;
            self.handles.kill(raw);
        }
        Ok((number, waits))
    }
}

exports! { EXPORTS {
    /// Makes a VC for a client's outgoing calls, or for a stand-alone call manager.
    fn NdisCoCreateVc(
        binding: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(CO_CREATE, &[binding, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let owners = cx.with(|s| {
            let owners = s.owners_of(binding.addr(), af.addr());
            s.joins(CO_CREATE.name, before(out), owners)
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

    /// Deletes a VC that the caller made.
    fn NdisCoDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let cx = Cx::enter(CO_DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let (number, waits) = match cx.with(|s| s.deleted_by_protocol(vc.addr())) {
            Ok(deleted) => deleted,
            Err(status) => return cx.done(status),
        };
        if waits {
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        cx.done(delete(&cx, number))
    }
}}
