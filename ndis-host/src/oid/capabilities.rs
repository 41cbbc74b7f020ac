//! The order in which a client asks what a call manager of TAPI's can do: how many lines it has,
//! then what each can do, then what their addresses can (TAPI-04).
//!
//! The answer to each question says how often the next one is asked, so that one is asked too
//! early for which this answer is not there yet.

use super::checks::word;
use super::names::name_of;
use crate::handle::{Kind, ObjectId};
use crate::model::oid::{Asker, Door, Given};
use crate::state::State;
use alloc::sync::Arc;
use ndis_sys as n;

/// Where the flags are that say whether lines differ.
const FLAGS: usize = core::mem::offset_of!(n::CO_TAPI_CM_CAPS, ulFlags);

impl State {
    /// A client asks a call manager for something on this family.
    pub(super) fn check_asked_in_order(&mut self, who: &Arc<str>, af: u32, given: &Given) {
        if given.kind != n::NdisRequestQueryInformation {
            return;
        }
        let about_a_line = is_about_a_line(given.oid).then(|| Self::input_of(given));
        let line = about_a_line.and_then(|input| word(&input, 0));
        let Some(record) = self.world.afs.get_mut(&af) else {
            return;
        };
        let known = &mut record.capabilities;
        let missing = match given.oid {
            n::OID_CO_TAPI_LINE_CAPS if known.lines_differ.is_none() => {
                Some("there is an answer to OID_CO_TAPI_CM_CAPS")
            }
            n::OID_CO_TAPI_ADDRESS_CAPS if !known.has_line(line) => {
                Some("there is an answer to OID_CO_TAPI_LINE_CAPS for its line")
            }
            _ => None,
        };
        if let Some(what) = missing {
            let object = ObjectId::new(Kind::ClientAf, af);
            let name = name_of(given.oid);
            let message = alloc::format!("{name} was asked before {what}");
            self.violate_by(who.clone(), "TAPI-04", Some(object), message);
        } else if given.oid == n::OID_CO_TAPI_LINE_CAPS
            && let Some(line) = line
        {
            known.asked.insert(line);
        }
    }

    /// A call manager has answered, whatever: a failure answers nothing that is asked next.
    pub(super) fn note_capabilities(&mut self, request: u32, status: i32) {
        let Some(record) = self.world.oids.get(&request) else {
            return;
        };
        let (given, af) = (record.given, record.subject.af);
        let asks = record.door == Door::Manager && matches!(record.asker, Asker::Client(_));
        let caps = [n::OID_CO_TAPI_CM_CAPS, n::OID_CO_TAPI_LINE_CAPS];
        if !asks || !caps.contains(&given.oid) {
            return;
        }
        let Some(answer) = self.answer_of(request) else {
            return;
        };
        let known = status == n::NDIS_STATUS_SUCCESS;
        let flags = word(&answer, FLAGS);
        let Some(af) = af.and_then(|af| self.world.afs.get_mut(&af)) else {
            return;
        };
        if given.oid == n::OID_CO_TAPI_LINE_CAPS {
            af.capabilities.answers += 1;
        } else {
            let differ = n::CO_TAPI_FLAG_PER_LINE_CAPS as u32;
            let differ = known && flags.is_some_and(|flags| flags & differ != 0);
            af.capabilities.lines_differ = Some(differ);
        }
    }
}

fn is_about_a_line(oid: u32) -> bool {
    matches!(oid, n::OID_CO_TAPI_LINE_CAPS | n::OID_CO_TAPI_ADDRESS_CAPS)
}
