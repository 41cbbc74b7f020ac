//! What a call manager tells all of its clients, or none: that its address has changed (OID-36),
//! and that it can signal, or cannot (OID-39).
//!
//! It is looked at when nothing is left to do: whoever is told of a change is told by then. Two
//! clients are compared, which have both had their families open since the younger one's open.
//!
//! Of an address both hear equally often from then on; the younger one may have been told once more,
//! for each is told right after its own open. Where one was told that, all are. Of the signaling
//! both have heard the same at last, and the older one has heard as often as the younger.

use super::names::name_of;
use crate::handle::{Kind, ObjectId};
use crate::model::af::{Af, AfPhase};
use crate::model::oid::{Asker, Door};
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;

/// What a client has not heard, by the rule.
type Missed = (u32, &'static str, String);

impl State {
    /// A call manager has asked a client.
    pub(super) fn note_announcement(&mut self, number: u32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        if record.door != Door::Client || !matches!(record.asker, Asker::Manager(_)) {
            return;
        }
        let (oid, seq) = (record.given.oid, self.log.seq());
        let Some(af) = record.subject.af.and_then(|af| self.world.afs.get_mut(&af)) else {
            return;
        };
        let told = &mut af.announced;
        match oid {
            n::OID_CO_ADDRESS_CHANGE => told.addresses.push(seq),
            n::OID_CO_SIGNALING_ENABLED => told.signaling.push((seq, true)),
            n::OID_CO_SIGNALING_DISABLED => told.signaling.push((seq, false)),
            _ => {}
        }
    }

    /// Clients that have heard less than others.
    pub(crate) fn check_announcements(&mut self) {
        let open = self.world.afs.iter();
        let mut open: Vec<(u64, u32, &Af)> = open
            .filter(|(_, af)| af.phase == AfPhase::Open && !af.ended && !af.notified)
            .map(|(number, af)| (af.opened_at, *number, af))
            .collect();
        open.sort_unstable_by_key(|(opened_at, number, _)| (*opened_at, *number));
        let mut found: Vec<Missed> = Vec::new();
        for (place, older) in open.iter().enumerate() {
            let younger = open[place + 1..].iter();
            for younger in younger.filter(|it| it.2.served_by == older.2.served_by) {
                found.extend(missed_address((older.1, older.2), (younger.1, younger.2)));
                found.extend(missed_signaling((older.1, older.2), (younger.1, younger.2)));
            }
        }
        found.sort_by_key(|(af, rule, _)| (*af, *rule));
        found.dedup_by_key(|(af, rule, _)| (*af, *rule));
        for (number, rule, message) in found {
            let Some(af) = self.world.afs.get_mut(&number) else {
                continue;
            };
            if af.missed.contains(&rule) {
                continue;
            }
            af.missed.push(rule);
            let (who, object) = (af.manager.clone(), ObjectId::new(Kind::ClientAf, number));
            self.violate_by(who, rule, Some(object), message);
        }
    }
}

/// Which of two clients was not told of an address.
fn missed_address(older: (u32, &Af), younger: (u32, &Af)) -> Option<Missed> {
    let since = younger.1.opened_at;
    let one = older.1.announced.addresses_since(since);
    let other = younger.1.announced.addresses.len();
    let never = older.1.announced.addresses.is_empty();
    let (which, less, more) = if one > other {
        (younger, other, one)
    } else if other > one + 1 || (never && other > 0) {
        (older, one, other)
    } else if other == 0 && !never {
        (younger, 0, older.1.announced.addresses.len())
    } else {
        return None;
    };
    let (object, name) = (
        ObjectId::new(Kind::ClientAf, which.0),
        name_of(n::OID_CO_ADDRESS_CHANGE),
    );
    let text = alloc::format!(
        "{object} was told {less} times by {name} that the address has changed, another client of \
         the call manager {more} times"
    );
    Some((which.0, "OID-36", text))
}

/// Which of two clients was not told what has become of the signaling.
fn missed_signaling(older: (u32, &Af), younger: (u32, &Af)) -> Option<Missed> {
    let (one, other) = (&older.1.announced, &younger.1.announced);
    let (which, text) = if one.signals() != other.signals() {
        let (which, signals) = if one.signals_since() < other.signals_since() {
            (older, other.signals())
        } else {
            (younger, one.signals())
        };
        let not = if signals { "" } else { "not " };
        let text = alloc::format!(
            "was not told what another client was told last: that the call manager can {not}signal"
        );
        (which, text)
    } else if one.signaling.len() < other.signaling.len() {
        let text = alloc::format!(
            "was told {} times of the signaling, a client that opened its family later {} times",
            one.signaling.len(),
            other.signaling.len()
        );
        (older, text)
    } else {
        return None;
    };
    let object = ObjectId::new(Kind::ClientAf, which.0);
    Some((which.0, "OID-39", alloc::format!("{object} {text}")))
}
