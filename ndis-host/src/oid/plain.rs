//! The requests of protocols that are not of connection-oriented NDIS: the adapter's power,
//! its addresses, its link. At which of its handlers a connection-oriented miniport gets them
//! is the reading `own_requests`.

use super::{Tell, submit, tell};
use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::oid::{Asker, Door, Subject};
use crate::readings::OwnRequests;
use crate::sched::DISPATCH;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

const ASK: Call = Call::new("NdisOidRequest");
const COMPLETE: Call = Call::new("NdisMOidRequestComplete").unlocked("GEN-01");

const FAILURE: i32 = n::NDIS_STATUS_FAILURE;

impl State {
    /// Where a miniport gets a request that is no connection-oriented one.
    pub(super) fn plain_door(&self, adapter: u32) -> Door {
        let oriented = self.world.miniport_co(adapter).is_some();
        if oriented && self.readings.own_requests == OwnRequests::CoOidRequest {
            Door::MiniportCo
        } else {
            Door::Miniport
        }
    }

    /// A protocol asks; the request's number and whether it has to wait or, when it goes
    /// nowhere, a status.
    fn ask_plain(
        &mut self,
        binding: usize,
        request: *mut NDIS_OID_REQUEST,
    ) -> Result<(u32, bool), i32> {
        let call = ASK.name;
        let who = self.actor(call, &[self.handles.look(binding).object(), None, None]);
        let looked = self.look_at(call, &who, request).ok_or(FAILURE)?;
        self.check_again(call, &who, request)?;
        let binding = self.take(call, binding, Kind::Binding).ok_or(FAILURE)?;
        self.check_reset(call, &who, binding)?;
        let record = self.world.bindings.get(&binding).ok_or(FAILURE)?;
        let (adapter, context) = (record.adapter, record.context);
        self.check_halt(adapter)?;
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        let door = self.plain_door(adapter);
        let waits = door == Door::Miniport && (self.irql() >= DISPATCH || self.has_plain(adapter));
        let subject = Subject {
            adapter,
            ..Subject::default()
        };
        let contexts = [context, Context::NULL, Context::NULL];
        let asker = Asker::Protocol(binding);
        let number = self.new_oid(looked, door, asker, subject, contexts);
        let number = number.ok_or(FAILURE)?;
        if waits {
            if let Some(record) = self.world.oids.get_mut(&number) {
                record.queued = true;
            }
            self.next_plain(adapter);
        }
        Ok((number, waits))
    }

    /// A miniport completes a request of `MiniportOidRequest`.
    fn complete_plain(&mut self, adapter: usize, request: usize, status: i32) -> Option<Tell> {
        let call = COMPLETE.name;
        let given = self.take(call, adapter, Kind::Adapter)?;
        let object = ObjectId::new(Kind::Adapter, given);
        let Some(number) = self.oid_at(request) else {
            self.not_asked(call, "OID-58", object);
            return None;
        };
        let record = self.world.oids.get(&number)?;
        if record.door != Door::Miniport {
            self.wrong_door(call, number);
            return None;
        }
        if record.subject.adapter != given {
            self.not_asked(call, "OID-58", object);
            return None;
        }
        self.complete_oid(call, number, status)
    }
}

exports! { EXPORTS {
    /// A protocol asks the adapter.
    fn NdisOidRequest(binding: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST) -> i32 {
        let cx = Cx::enter(ASK, &[binding]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        match cx.with(|s| s.ask_plain(binding.addr(), request)) {
            Ok((number, waits)) => {
                cx.about(ObjectId::new(Kind::OidRequest, number));
                if waits {
                    return cx.done(n::NDIS_STATUS_PENDING);
                }
                cx.done(submit(&cx, number))
            }
            Err(status) => cx.done(status),
        }
    }

    /// Completes a request that `MiniportOidRequest` pended.
    fn NdisMOidRequestComplete(
        adapter: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
        status: i32,
    ) {
        let cx = Cx::enter(COMPLETE, &[adapter]);
        cx.done(status);
        let heard = cx.with(|s| s.complete_plain(adapter.addr(), request.addr(), status));
        tell(&cx, heard);
    }
}}
