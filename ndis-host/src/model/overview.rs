//! What is open, owed or left over, in the words of the report.

use super::World;
use super::af::Af;
use super::request::Request;
use super::vc::CallPhase;
use crate::handle::{Kind, ObjectId};
use crate::history::Histories;
use crate::model::manager::Names;
use crate::report::ObjectLeft;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl World {
    /// Requests that are open, and data on its way, as text.
    pub(crate) fn owed(&self) -> String {
        let mut text = String::new();
        let mut add = |object: ObjectId, what: &str| {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&alloc::format!("{object} ({what})"));
        };
        // What a binding that goes still has: somebody holds it.
        let goes = |af: &Af| self.bindings.get(&af.binding).is_some_and(|b| b.unbinding);
        for (number, af) in &self.afs {
            if goes(af) && !af.closed_by_client {
                add(
                    ObjectId::new(Kind::ClientAf, *number),
                    "not closed, and its binding goes",
                );
            }
            for (request, what) in [
                (&af.open, "its open"),
                (&af.close, "its close"),
                (&af.notify, "the client's answer to the wish to close it"),
            ] {
                if request.open() {
                    add(ObjectId::new(Kind::ClientAf, *number), what);
                }
            }
        }
        for (number, sap) in &self.saps {
            if self.afs.get(&sap.af).is_some_and(goes) && !sap.leaving {
                add(
                    ObjectId::new(Kind::ClientSap, *number),
                    "registered, and its binding goes",
                );
            }
            for (request, what) in [
                (&sap.register, "its registration"),
                (&sap.deregister, "its deregistration"),
            ] {
                if request.open() {
                    add(ObjectId::new(Kind::ClientSap, *number), what);
                }
            }
        }
        for (number, record) in &self.oids {
            if record.is_open() {
                add(record.object(*number), record.completion.0);
            }
        }
        for (number, vc) in self.vcs.iter() {
            let mut what = alloc::format!("{}, {}", vc.activity, vc.phase);
            for (request, name) in [
                (&vc.make, "make-call"),
                (&vc.offer, "offer"),
                (&vc.close, "close"),
                (&vc.activation, "activation"),
                (&vc.deactivation, "deactivation"),
            ] {
                if request.open() {
                    what.push_str(&alloc::format!(", its {name} is not answered"));
                }
            }
            if vc.told && vc.phase != CallPhase::Closing {
                what.push_str(", the hang-up is not answered");
            }
            if vc.refusals > 0 {
                let times = vc.refusals;
                what.push_str(&alloc::format!(", its close was refused {times} times"));
            }
            if vc.sends > 0 {
                what.push_str(&alloc::format!(", {} sends not completed", vc.sends));
            }
            if vc.receives > 0 {
                what.push_str(&alloc::format!(", {} lists not returned", vc.receives));
            }
            add(ObjectId::new(Kind::ClientVc, *number), &what);
        }
        text
    }

    /// Requests whose handler has returned PENDING and which nobody has completed: the
    /// object, the completion that is missing, and who owes it.
    pub(crate) fn unanswered(&self) -> Vec<(ObjectId, &'static str, Arc<str>)> {
        let mut all = Vec::new();
        let mut look = |request: &Request, object, what, who: &Arc<str>| {
            if request.pended() {
                all.push((object, what, who.clone()));
            }
        };
        for (number, af) in &self.afs {
            let object = ObjectId::new(Kind::ClientAf, *number);
            let (client, manager, served_by) = (&af.client, &af.manager, af.served_by);
            look(
                &af.open,
                object,
                served_by.name(Names::OPEN_AF_COMPLETE),
                manager,
            );
            look(
                &af.close,
                object,
                served_by.name(Names::CLOSE_AF_COMPLETE),
                manager,
            );
            let notify = "NdisClNotifyCloseAddressFamilyComplete";
            look(&af.notify, object, notify, client);
        }
        for (number, sap) in &self.saps {
            let Some(af) = self.afs.get(&sap.af) else {
                continue;
            };
            let object = ObjectId::new(Kind::ClientSap, *number);
            let (manager, served_by) = (&af.manager, af.served_by);
            look(
                &sap.register,
                object,
                served_by.name(Names::REGISTER_SAP_COMPLETE),
                manager,
            );
            let deregister = served_by.name(Names::DEREGISTER_SAP_COMPLETE);
            look(&sap.deregister, object, deregister, manager);
        }
        for (number, vc) in self.vcs.iter() {
            let object = ObjectId::new(Kind::ClientVc, *number);
            if let Some(adapter) = self.adapters.get(&vc.adapter) {
                let (activate, deactivate) =
                    ("NdisMCoActivateVcComplete", "NdisMCoDeactivateVcComplete");
                look(&vc.activation, object, activate, &adapter.who);
                look(&vc.deactivation, object, deactivate, &adapter.who);
            }
            let Some(af) = vc.af.and_then(|af| self.afs.get(&af)) else {
                continue;
            };
            let served_by = af.served_by;
            look(
                &vc.make,
                object,
                served_by.name(Names::MAKE_CALL_COMPLETE),
                &af.manager,
            );
            look(
                &vc.close,
                object,
                served_by.name(Names::CLOSE_CALL_COMPLETE),
                &af.manager,
            );
            look(&vc.offer, object, "NdisClIncomingCallComplete", &af.client);
        }
        for (number, record) in &self.oids {
            let object = record.object(*number);
            look(&record.request, object, record.completion.0, &record.to.who);
        }
        all
    }

    /// The objects of `driver` (everybody's, for None) that are still there.
    pub(crate) fn left(&self, driver: Option<u32>, histories: &Histories) -> Vec<ObjectLeft> {
        let mut left = Vec::new();
        let mut add = |kind: Kind, number: u32, owner: &Arc<str>, by: u32, more: &str| {
            if driver.is_none_or(|d| d == by) {
                let object = ObjectId::new(kind, number);
                let origin = histories.first(object);
                let origin = origin.map_or_else(String::new, |past| {
                    alloc::format!(" (from {} at #{})", past.what, past.seq)
                });
                left.push(ObjectLeft {
                    kind: kind.name(),
                    name: alloc::format!("{object}{more}{origin}"),
                    tag: String::new(),
                    owner: owner.clone(),
                });
            }
        };
        for (number, it) in &self.miniports {
            add(Kind::MiniportDriver, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.protocols {
            add(Kind::ProtocolDriver, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.adapters {
            add(Kind::Adapter, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.bindings {
            add(Kind::Binding, *number, &it.who, it.driver, "");
        }
        for (number, it) in &self.afs {
            add(Kind::ClientAf, *number, &it.client, it.client_driver, "");
        }
        for (number, it) in &self.saps {
            if let Some(af) = self.afs.get(&it.af) {
                add(Kind::ClientSap, *number, &af.client, af.client_driver, "");
            }
        }
        for (number, it) in self.vcs.iter() {
            if let Some(af) = it.af.and_then(|af| self.afs.get(&af)) {
                let (owner, by) = if it.by_client {
                    (&af.client, af.client_driver)
                } else {
                    (&af.manager, af.manager_driver)
                };
                add(Kind::ClientVc, *number, owner, by, "");
            } else if let Some((by, owner)) = self.manager_driver(it.served_by) {
                add(Kind::ClientVc, *number, &owner, by, "");
            }
        }
        for (number, it) in &self.parties {
            let af = self.vcs.get(&it.vc).and_then(|vc| vc.af);
            if let Some(af) = af.and_then(|af| self.afs.get(&af)) {
                add(Kind::ClientParty, *number, &af.client, af.client_driver, "");
            }
        }
        left
    }
}
