//! How objects end: what hung on them goes with them, their handles die, what was lent
//! is given back, and what should have come back before is reported.

use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::{Activity, CallPhase, Vc};
use crate::net::ListState;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;

impl State {
    /// Removes an address family and whatever is left on it.
    pub(crate) fn end_af(&mut self, number: u32) {
        self.end_requests_of_af(number);
        let vcs: Vec<u32> = self.world.vcs_of(number).map(|(vc, _)| vc).collect();
        for vc in vcs {
            self.end_vc(vc);
        }
        let saps: Vec<u32> = self.world.saps_of(number).map(|(sap, _)| sap).collect();
        for sap in saps {
            self.end_sap(sap);
        }
        if let Some(af) = self.world.afs.remove(&number) {
            self.handles.kill(af.client_raw);
            self.handles.kill(af.manager_raw);
        }
        self.histories.end(ObjectId::new(Kind::ClientAf, number));
    }

    /// What still hangs on an address family, as text.
    pub(crate) fn children(&self, af: u32, of_client: bool) -> String {
        let mut text = String::new();
        let mut add = |object: ObjectId, what: &str| {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&alloc::format!("{object} {what}"));
        };
        for (number, vc) in self.world.vcs_of(af) {
            let object = ObjectId::new(Kind::ClientVc, number);
            if of_client && vc.deleting {
                continue;
            }
            if vc.phase != CallPhase::None {
                add(object, "with a call");
            } else if !of_client || vc.by_client {
                let active = vc.activity != Activity::Inactive;
                add(object, if active { "active" } else { "not deleted" });
            }
        }
        for (number, sap) in self.world.saps_of(af) {
            if !(of_client && sap.leaving) {
                add(ObjectId::new(Kind::ClientSap, number), "registered");
            }
        }
        text
    }

    /// The close of an address family has succeeded.
    pub(crate) fn af_closed(&mut self, number: u32) {
        let object = ObjectId::new(Kind::ClientAf, number);
        let left = self.children(number, false);
        if !left.is_empty() {
            let who = self
                .world
                .afs
                .get(&number)
                .map_or_else(|| self.ndis.clone(), |af| af.manager.clone());
            let message = alloc::format!("the close of {object} is answered SUCCESS with {left}");
            self.violate_by(who, "AF-36", Some(object), message);
        }
        self.end_requests_of_af(number);
        let Some(af) = self.world.afs.get_mut(&number) else {
            return;
        };
        af.ended = true;
        let manager = af.manager_raw;
        let wait = af.notify.open();
        self.handles.kill(manager);
        if !wait {
            self.end_af(number);
        }
    }

    /// Removes a SAP.
    pub(crate) fn end_sap(&mut self, number: u32) {
        if let Some(sap) = self.world.saps.remove(&number) {
            self.handles.kill(sap.client_raw);
            self.handles.kill(sap.manager_raw);
            self.memory.give_back(sap.register.loan);
        }
        self.histories.end(ObjectId::new(Kind::ClientSap, number));
    }

    /// Removes a VC.
    pub(crate) fn end_vc(&mut self, number: u32) {
        self.check_never_completed(number);
        self.end_requests_of_vc(number);
        if let Some(vc) = self.world.vcs.remove(&number) {
            self.world.part(&vc);
            self.world.calls.leave(number);
            self.handles.kill(vc.client_raw);
            self.handles.kill(vc.manager_raw);
            if let Some(third) = &vc.miniport {
                self.handles.kill(third.raw);
            }
            let Vc {
                make,
                offer,
                activation,
                activation_loan,
                named,
                first_party,
                ..
            } = vc;
            if let Some(party) = first_party {
                self.end_party(party);
            }
            for copy in named.into_iter().flat_map(|named| named.copies) {
                self.memory.give_back(Some(copy));
            }
            for loan in [make.loan, offer.loan, activation.loan, activation_loan] {
                self.memory.give_back(loan);
            }
        }
        self.histories.end(ObjectId::new(Kind::ClientVc, number));
    }

    /// Reports lists that were sent on a VC which ends, and never came back.
    pub(crate) fn check_never_completed(&mut self, number: u32) {
        let Some(vc) = self.world.vcs.get(&number).filter(|vc| vc.sends > 0) else {
            return;
        };
        let who = self.world.carrier_of(vc);
        let who = who.map_or_else(|| self.ndis.clone(), |(_, who)| who);
        let mut lists: alloc::vec::Vec<ObjectId> = self
            .buffers
            .lists
            .values()
            .filter(|list| matches!(list.state, ListState::Sent { vc, .. } if vc == number))
            .map(crate::net::list_id)
            .collect();
        lists.sort_unstable();
        for list in lists {
            let message = alloc::format!(
                "{} is gone and {list}, which was sent on it, was never completed",
                ObjectId::new(Kind::ClientVc, number)
            );
            self.violate_by(who.clone(), "NBL-11", Some(list), message);
        }
    }

    /// Removes a party.
    pub(crate) fn end_party(&mut self, number: u32) {
        if let Some(party) = self.world.parties.remove(&number) {
            self.handles.kill(party.client_raw);
            self.handles.kill(party.manager_raw);
        }
        self.histories.end(ObjectId::new(Kind::ClientParty, number));
    }

    /// The binding is gone, and what a stand-alone call manager has registered on it.
    pub(crate) fn end_binding(&mut self, number: u32) {
        let alone = Manager::Alone { binding: number };
        let vcs = self.world.vcs.iter();
        let own: Vec<u32> = vcs
            .filter(|(_, vc)| vc.served_by == alone && vc.af.is_none())
            .map(|(vc, _)| *vc)
            .collect();
        for vc in own {
            self.end_vc(vc);
        }
        if let Some(binding) = self.world.bindings.remove(&number)
            && let Some(adapter) = self.world.adapters.get_mut(&binding.adapter)
        {
            adapter.families.retain(|family| family.manager != alone);
        }
        self.histories.end(ObjectId::new(Kind::Binding, number));
    }
}
