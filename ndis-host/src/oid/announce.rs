//! What a call manager tells all of its clients, or none: that its address has changed (OID-36),
//! and that it can signal, or cannot (OID-39).
//!
//! It tells each when its family is open, and all when something changes. So of two families that
//! are open the older one has been told as often as the younger, at least; which is looked at when
//! nothing is left to do.

use super::names::name_of;
use crate::handle::{Kind, ObjectId};
use crate::model::af::AfPhase;
use crate::model::announced::Announced;
use crate::model::oid::{Asker, Door};
use crate::state::State;
use alloc::vec::Vec;
use ndis_sys as n;

impl State {
    /// A call manager has asked a client.
    pub(super) fn note_announcement(&mut self, number: u32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        if record.door != Door::Client || !matches!(record.asker, Asker::Manager(_)) {
            return;
        }
        let oid = record.given.oid;
        let Some(af) = record.subject.af.and_then(|af| self.world.afs.get_mut(&af)) else {
            return;
        };
        match oid {
            n::OID_CO_ADDRESS_CHANGE => af.announced.address += 1,
            n::OID_CO_SIGNALING_ENABLED | n::OID_CO_SIGNALING_DISABLED => {
                af.announced.signaling += 1;
            }
            _ => {}
        }
    }

    /// Clients that have heard less than others.
    pub(crate) fn check_announcements(&mut self) {
        let open = self.world.afs.iter();
        let mut open: Vec<(u64, u32)> = open
            .filter(|(_, af)| af.phase == AfPhase::Open && !af.ended && !af.notified)
            .map(|(number, af)| (af.opened_at, *number))
            .collect();
        open.sort_unstable();
        let mut found = Vec::new();
        for (place, (_, older)) in open.iter().enumerate() {
            let Some(before) = self.world.afs.get(older) else {
                continue;
            };
            let younger = open[place + 1..]
                .iter()
                .filter_map(|(_, number)| self.world.afs.get(number));
            for after in younger.filter(|after| after.served_by == before.served_by) {
                let pairs = [
                    (
                        "OID-36",
                        n::OID_CO_ADDRESS_CHANGE,
                        before.announced.address,
                        after.announced.address,
                    ),
                    (
                        "OID-39",
                        n::OID_CO_SIGNALING_ENABLED,
                        before.announced.signaling,
                        after.announced.signaling,
                    ),
                ];
                for (rule, oid, less, more) in pairs {
                    if less < more {
                        found.push((*older, rule, oid, (less, more), before.manager.clone()));
                    }
                }
            }
        }
        found.dedup_by_key(|(af, rule, ..)| (*af, *rule));
        for (af, rule, oid, (less, more), who) in found {
            let object = ObjectId::new(Kind::ClientAf, af);
            let name = name_of(oid);
            let message = alloc::format!(
                "{object} was told {less} times by {name} or its like, a client that opened its \
                 family later {more} times"
            );
            self.violate_by(who, rule, Some(object), message);
            if let Some(af) = self.world.afs.get_mut(&af) {
                // Reported once.
                af.announced = Announced {
                    address: u32::MAX / 2,
                    signaling: u32::MAX / 2,
                };
            }
        }
    }
}
