//! Calls of `CO_ADDRESS_FAMILY_TAPI_PROXY`, the family of NDPROXY's: what its clients and its call
//! managers put into a SAP, into an offer, and into the parameters of a call that is accepted.
//!
//! Only what an MCM offers is looked at: NDPROXY itself is one's client.

use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::Flow;
use crate::state::State;
use alloc::string::String;
use alloc::sync::Arc;
use core::mem::offset_of;
use ndis_sys as n;
use ndis_sys::{CO_AF_TAPI_INCOMING_CALL_PARAMETERS, CO_AF_TAPI_SAP, CO_CALL_PARAMETERS};

const CHANGED: u32 = n::CALL_PARAMETERS_CHANGED as u32;
const INCOMING: u32 = n::CO_TAPI_FLAG_INCOMING_CALL as u32;

/// What call parameters say to NDPROXY.
#[derive(Default)]
pub(crate) struct Seen {
    /// That they were changed.
    changed: bool,
    /// The quality of service, to send and to receive.
    flow: Option<[Flow; 2]>,
    /// The flags of the incoming call that is the media's part, if it is one.
    incoming: Option<u32>,
}

impl State {
    /// Whether a client's family is an MCM's for NDPROXY.
    pub(crate) fn is_for_ndproxy(&self, af: u32) -> bool {
        self.world.afs.get(&af).is_some_and(|af| {
            af.family == n::CO_ADDRESS_FAMILY_TAPI_PROXY as i32
                && matches!(af.served_by, Manager::Mcm { .. })
        })
    }

    /// Whether so many bytes are not cut off by the end of a pool block.
    pub(crate) fn has_room(&self, at: usize, length: usize) -> bool {
        let room = self.memory.room(at);
        at != 0 && room.is_none_or(|room| room >= length)
    }

    /// Reads the parameters of a call on a VC of NDPROXY's, as far as their memory goes; those of
    /// others are not looked at.
    ///
    /// # Safety
    ///
    /// `parameters` is NULL or points to call parameters.
    pub(crate) unsafe fn seen(&self, vc: u32, parameters: *const CO_CALL_PARAMETERS) -> Seen {
        let mut seen = Seen::default();
        let af = self.world.vcs.get(&vc).and_then(|vc| vc.af);
        if !af.is_some_and(|af| self.is_for_ndproxy(af))
            || !self.has_room(parameters.addr(), size_of::<CO_CALL_PARAMETERS>())
        {
            return seen;
        }
        // SAFETY: the structure is there by contract.
        let all = unsafe { parameters.read_unaligned() };
        seen.changed = all.Flags & CHANGED != 0;
        let manager = all.CallMgrParameters;
        let whole = size_of::<n::CO_CALL_MANAGER_PARAMETERS>();
        if self.has_room(manager.addr(), whole) {
            // SAFETY: the parameters point to their parts.
            let manager = unsafe { manager.read_unaligned() };
            seen.flow = Some([manager.Transmit, manager.Receive].map(|flow| Flow {
                peak: flow.PeakBandwidth,
                sdu: flow.MaxSduSize,
            }));
        }
        let specific = offset_of!(n::CO_MEDIA_PARAMETERS, MediaSpecific);
        let length = specific + offset_of!(n::CO_SPECIFIC_PARAMETERS, Length);
        let flags = specific
            + offset_of!(n::CO_SPECIFIC_PARAMETERS, Parameters)
            + offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
        let word = |at| all.MediaParameters.wrapping_byte_add(at).cast::<u32>();
        if self.has_room(all.MediaParameters.addr(), flags + size_of::<u32>()) {
            // SAFETY: as above, each part with the length of its specific one.
            let length = unsafe { word(length).read_unaligned() } as usize;
            if length >= size_of::<CO_AF_TAPI_INCOMING_CALL_PARAMETERS>() {
                // SAFETY: the specific part is as long as it says (CALL-26).
                seen.incoming = Some(unsafe { word(flags).read_unaligned() });
            }
        }
        seen
    }

    /// Keeps what NDPROXY asks a call with.
    pub(crate) fn note_flow(&mut self, vc: u32, asked: &Seen) {
        let af = self.world.vcs.get(&vc).and_then(|vc| vc.af);
        if af.is_some_and(|af| self.is_for_ndproxy(af))
            && let Some(vc) = self.world.vcs.get_mut(&vc)
        {
            vc.asked_flow = asked.flow;
        }
    }

    /// TAPI-09, TAPI-10: the quality of service of a call that NDPROXY has made, and that the MCM
    /// has accepted.
    pub(crate) fn check_placed(&mut self, call: &str, who: Arc<str>, vc: u32, accepted: &Seen) {
        let Some(record) = self.world.vcs.get(&vc) else {
            return;
        };
        let asked = record.asked_flow;
        if !record.af.is_some_and(|af| self.is_for_ndproxy(af)) {
            return;
        }
        let (rule, why) = match accepted.flow {
            None => ("TAPI-10", "without CallMgrParameters"),
            Some(flow) if flow.iter().any(|flow| flow.peak == 0) => {
                ("TAPI-10", "without a PeakBandwidth both ways")
            }
            Some(_) if accepted.changed => return,
            Some(flow) if asked != Some(flow) => (
                "TAPI-10",
                "with parameters that were changed, and no flag that says so",
            ),
            Some(_) => ("TAPI-09", "with the sizes of SDUs that NDPROXY has passed"),
        };
        let object = ObjectId::new(Kind::ClientVc, vc);
        let message = alloc::format!("{call}: the call on {object} is accepted {why}");
        self.violate_by(who, rule, Some(object), message);
    }

    /// TAPI-11: what an MCM offers NDPROXY.
    pub(crate) fn check_offer(&mut self, call: &str, (af, vc): (u32, u32), offered: &Seen) {
        if !self.is_for_ndproxy(af) {
            return;
        }
        let why: String = match (offered.incoming, offered.flow) {
            (None, _) => "without a CO_AF_TAPI_INCOMING_CALL_PARAMETERS".into(),
            (Some(INCOMING), Some(flow)) if flow.iter().all(|flow| flow.peak > 0) => return,
            (Some(INCOMING), _) => "without a PeakBandwidth both ways".into(),
            (Some(flags), _) => alloc::format!("with the flags {flags:#x}"),
        };
        let object = ObjectId::new(Kind::ClientVc, vc);
        let message = alloc::format!("{call}: a call is offered on {object} {why}");
        self.violate("TAPI-11", Some(object), message);
    }

    /// TAPI-12: the type of a SAP of NDPROXY's on an MCM, and the length of its address.
    pub(crate) fn check_telephony_sap(&mut self, call: &str, af: u32, [kind, length]: [u32; 2]) {
        let right =
            kind == n::AF_TAPI_SAP_TYPE as u32 && length as usize >= size_of::<CO_AF_TAPI_SAP>();
        if self.is_for_ndproxy(af) && !right {
            let object = ObjectId::new(Kind::ClientAf, af);
            let message = alloc::format!(
                "{call} on {object} with a SAP of the type {kind:#x} and of {length} bytes, which is \
                 no CO_AF_TAPI_SAP"
            );
            self.violate("TAPI-12", Some(object), message);
        }
    }
}
