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
use ndis_sys::{CO_AF_TAPI_INCOMING_CALL_PARAMETERS, CO_AF_TAPI_SAP, CO_CALL_PARAMETERS, CO_SAP};

const CHANGED: u32 = n::CALL_PARAMETERS_CHANGED as u32;
const INCOMING: u32 = n::CO_TAPI_FLAG_INCOMING_CALL as u32;

/// What call parameters say of the quality of service, and whether they were changed.
struct Quality {
    changed: bool,
    /// To send and to receive, when there are any.
    flow: Option<[Flow; 2]>,
}

impl State {
    /// Whether a client's family is an MCM's for NDPROXY.
    fn is_proxys(&self, af: u32) -> bool {
        self.world.afs.get(&af).is_some_and(|af| {
            af.family == n::CO_ADDRESS_FAMILY_TAPI_PROXY as i32
                && matches!(af.served_by, Manager::Mcm { .. })
        })
    }

    /// Whether a structure is not cut off by the end of its pool block.
    fn has_room<T>(&self, at: *const T) -> bool {
        let room = self.memory.room(at.addr());
        room.is_none_or(|room| room >= size_of::<T>())
    }

    /// Reads what call parameters say of the quality of service.
    ///
    /// # Safety
    ///
    /// `parameters` is NULL or points to call parameters.
    unsafe fn quality(&self, parameters: *const CO_CALL_PARAMETERS) -> Quality {
        let mut quality = Quality {
            changed: false,
            flow: None,
        };
        if parameters.is_null() || !self.has_room(parameters) {
            return quality;
        }
        // SAFETY: the structure is there by contract.
        let all = unsafe { parameters.read_unaligned() };
        quality.changed = all.Flags & CHANGED != 0;
        let manager = all.CallMgrParameters.cast_const();
        if !manager.is_null() && self.has_room(manager) {
            // SAFETY: the parameters point to their parts.
            let manager = unsafe { manager.read_unaligned() };
            quality.flow = Some([manager.Transmit, manager.Receive].map(|flow| Flow {
                peak: flow.PeakBandwidth,
                sdu: flow.MaxSduSize,
            }));
        }
        quality
    }

    /// Keeps what NDPROXY has asked a call with.
    ///
    /// # Safety
    ///
    /// As for [`quality`](Self::quality).
    pub(crate) unsafe fn note_flow(&mut self, vc: u32, parameters: *const CO_CALL_PARAMETERS) {
        let af = self.world.vcs.get(&vc).and_then(|vc| vc.af);
        if !af.is_some_and(|af| self.is_proxys(af)) {
            return;
        }
        // SAFETY: by contract.
        let quality = unsafe { self.quality(parameters) };
        if let Some(vc) = self.world.vcs.get_mut(&vc) {
            vc.asked_flow = quality.flow;
        }
    }

    /// TAPI-09, TAPI-10: the quality of service of a call that NDPROXY has made, and that the MCM
    /// has accepted.
    ///
    /// # Safety
    ///
    /// As for [`quality`](Self::quality).
    pub(crate) unsafe fn check_placed(
        &mut self,
        call: &str,
        who: Arc<str>,
        vc: u32,
        parameters: *const CO_CALL_PARAMETERS,
    ) {
        let Some(record) = self.world.vcs.get(&vc) else {
            return;
        };
        let asked = record.asked_flow;
        if !record.af.is_some_and(|af| self.is_proxys(af)) {
            return;
        }
        // SAFETY: by contract.
        let quality = unsafe { self.quality(parameters) };
        let (rule, why) = match quality.flow {
            None => ("TAPI-10", "without CallMgrParameters"),
            Some(flow) if flow.iter().any(|flow| flow.peak == 0) => {
                ("TAPI-10", "without a PeakBandwidth both ways")
            }
            Some(_) if quality.changed => return,
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
    ///
    /// # Safety
    ///
    /// As for [`quality`](Self::quality).
    pub(crate) unsafe fn check_offer(
        &mut self,
        call: &str,
        (af, vc): (u32, u32),
        parameters: *const CO_CALL_PARAMETERS,
    ) {
        if !self.is_proxys(af) || parameters.is_null() {
            return;
        }
        // SAFETY: by contract.
        let quality = unsafe { self.quality(parameters) };
        // SAFETY: as above.
        let flags = unsafe { self.flags_of_offer(parameters) };
        let why: String = match (flags, quality.flow) {
            (None, _) => "without a CO_AF_TAPI_INCOMING_CALL_PARAMETERS".into(),
            (Some(INCOMING), Some(flow)) if flow.iter().all(|flow| flow.peak > 0) => return,
            (Some(INCOMING), _) => "without a PeakBandwidth both ways".into(),
            (Some(flags), _) => alloc::format!("with the flags {flags:#x}"),
        };
        let object = ObjectId::new(Kind::ClientVc, vc);
        let message = alloc::format!("{call}: a call is offered on {object} {why}");
        self.violate("TAPI-11", Some(object), message);
    }

    /// TAPI-12: the SAP of a client of an MCM's for NDPROXY.
    ///
    /// # Safety
    ///
    /// `sap` points to a SAP, as far as its memory goes.
    pub(crate) unsafe fn check_telephony_sap(&mut self, call: &str, af: u32, sap: *const CO_SAP) {
        if !self.is_proxys(af) || !self.has_room(sap) {
            return;
        }
        let place = sap.wrapping_byte_add(offset_of!(CO_SAP, SapType));
        // SAFETY: the beginning of a SAP is there.
        let kind = unsafe { place.cast::<u32>().read_unaligned() };
        let place = sap.wrapping_byte_add(offset_of!(CO_SAP, SapLength));
        // SAFETY: as above.
        let length = unsafe { place.cast::<u32>().read_unaligned() };
        if kind != n::AF_TAPI_SAP_TYPE as u32 || (length as usize) < size_of::<CO_AF_TAPI_SAP>() {
            let object = ObjectId::new(Kind::ClientAf, af);
            let message = alloc::format!(
                "{call} on {object} with a SAP of the type {kind:#x} and of {length} bytes, which is \
                 no CO_AF_TAPI_SAP"
            );
            self.violate("TAPI-12", Some(object), message);
        }
    }

    /// The flags of the incoming call that is the media's part of parameters, if it is one.
    ///
    /// # Safety
    ///
    /// `parameters` points to call parameters.
    unsafe fn flags_of_offer(&self, parameters: *const CO_CALL_PARAMETERS) -> Option<u32> {
        if !self.has_room(parameters) {
            return None;
        }
        // SAFETY: by contract.
        let media = unsafe { (*parameters).MediaParameters };
        let fixed = offset_of!(n::CO_MEDIA_PARAMETERS, MediaSpecific);
        let at = |offset: usize| media.wrapping_byte_add(fixed + offset).cast::<u32>();
        let flags = offset_of!(n::CO_SPECIFIC_PARAMETERS, Parameters)
            + offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
        let room = self.memory.room(media.addr());
        if media.is_null() || room.is_some_and(|room| room < fixed + flags + 4) {
            return None;
        }
        // SAFETY: the parameters point to their parts, each with its specific part's length.
        let length = unsafe { at(offset_of!(n::CO_SPECIFIC_PARAMETERS, Length)).read_unaligned() };
        if (length as usize) < size_of::<CO_AF_TAPI_INCOMING_CALL_PARAMETERS>() {
            return None;
        }
        // SAFETY: the specific part is as long as it says (CALL-26).
        Some(unsafe { at(flags).read_unaligned() })
    }
}
