//! What clients ask call managers about their lines, and what these say: the OIDs of the telephony
//! extensions.
//!
//! The order of the questions is `capabilities`'s subject (TAPI-04). What a client has
//! translated it says by flags (TAPI-05), and never of a family that is TAPI's own (TAPI-07).

use super::checks::{Breach, word};
use super::names::name_of;
use crate::handle::{Kind, ObjectId};
use crate::model::oid::{Door, Given};
use crate::state::State;
use alloc::sync::Arc;
use core::mem::offset_of;
use ndis_sys as n;
use ndis_sys::{
    CO_TAPI_CM_CAPS, CO_TAPI_LINE_CAPS, CO_TAPI_TRANSLATE_NDIS_CALLPARAMS,
    CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, LINE_DEV_CAPS, NDIS_VAR_DATA_DESC,
};

const OUTGOING: u32 = n::CO_TAPI_FLAG_OUTGOING_CALL as u32;
const INCOMING: u32 = n::CO_TAPI_FLAG_INCOMING_CALL as u32;

/// The place of a member of a line's capabilities in the answer about it.
macro_rules! of_line {
    ($member:ident) => {
        offset_of!(CO_TAPI_LINE_CAPS, LineDevCaps) + offset_of!(LINE_DEV_CAPS, $member)
    };
}

/// Whether what a descriptor at `at` stands for lies behind the `fixed` part of so many bytes.
fn lies_within(data: &[u8], at: usize, fixed: usize) -> Option<bool> {
    let length = data.get(at..at + 2)?.try_into().ok()?;
    let length = usize::from(u16::from_ne_bytes(length));
    let place = at + offset_of!(NDIS_VAR_DATA_DESC, Offset);
    let offset = data.get(place..place + size_of::<usize>())?;
    let start = at.checked_add(usize::from_ne_bytes(offset.try_into().ok()?));
    let end = start.and_then(|start| start.checked_add(length));
    let within = start.is_some_and(|start| start >= fixed);
    Some(length > 0 && within && end.is_some_and(|end| end <= data.len()))
}

impl State {
    /// What a client may not ask a call manager to translate, or not so.
    pub(super) fn check_translation_asked(
        &mut self,
        call: &str,
        who: &Arc<str>,
        af: u32,
        given: &Given,
    ) {
        let Some(record) = self.world.afs.get(&af) else {
            return;
        };
        let (name, oid) = (name_of(given.oid), given.oid);
        let mut breach = None;
        let wanted = match oid {
            n::OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS => Some((
                offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, ulFlags),
                OUTGOING,
            )),
            n::OID_CO_TAPI_TRANSLATE_NDIS_CALLPARAMS => Some((
                offset_of!(CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, ulFlags),
                INCOMING,
            )),
            n::OID_CO_TAPI_TRANSLATE_TAPI_SAP => Some((0, 0)),
            _ => None,
        };
        if let Some((at, flag)) = wanted {
            if record.family == n::CO_ADDRESS_FAMILY_TAPI_PROXY as i32 {
                let text = alloc::format!("{name}, of a family that speaks TAPI itself");
                breach = Some(("TAPI-07", text));
            } else if let Some(flags) = word(&Self::input_of(given), at)
                && flags & flag != flag
            {
                breach = Some(("TAPI-05", alloc::format!("{name} and the flags {flags:#x}")));
            }
        }
        if let Some((rule, text)) = breach {
            let object = ObjectId::new(Kind::ClientAf, af);
            let message = alloc::format!("{call} with {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
    }

    /// What a call manager says of its lines and calls that it must not.
    pub(super) fn unfit_for_tapi(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        if record.door != Door::Manager || status != n::NDIS_STATUS_SUCCESS {
            return None;
        }
        let (oid, output) = (record.given.oid, record.given.output);
        let name = name_of(oid);
        let say = |rule, text| Some((rule, alloc::format!("the answer to {name} {text}")));
        match oid {
            n::OID_CO_TAPI_CM_CAPS => {
                let data = self.answer_of(number)?;
                let version = word(&data, offset_of!(CO_TAPI_CM_CAPS, ulCoTapiVersion))?;
                let flags = word(&data, offset_of!(CO_TAPI_CM_CAPS, ulFlags))?;
                if version == 0 || flags & !(n::CO_TAPI_FLAG_PER_LINE_CAPS as u32) != 0 {
                    let text = alloc::format!("has the version {version:#x} and flags {flags:#x}");
                    return say("TAPI-02", text);
                }
                None
            }
            n::OID_CO_TAPI_LINE_CAPS => {
                let data = self.answer_of(number)?;
                let flags = word(&data, offset_of!(CO_TAPI_LINE_CAPS, ulFlags))?;
                let addresses = word(&data, of_line!(ulNumAddresses))?;
                let strange = flags & !(n::CO_TAPI_FLAG_PER_ADDRESS_CAPS as u32) != 0;
                if strange || (flags != 0 && addresses == 1) {
                    let text = alloc::format!("has flags {flags:#x} and {addresses} addresses");
                    return say("TAPI-03", text);
                }
                let modes = word(&data, of_line!(ulMediaModes))?;
                let digits = [
                    word(&data, of_line!(ulGenerateDigitModes))?,
                    word(&data, of_line!(ulMonitorDigitModes))?,
                ];
                let voice = modes & n::LINEMEDIAMODE_AUTOMATEDVOICE as u32 != 0;
                if voice && digits.contains(&0) {
                    let text = alloc::format!(
                        "streams voice, with the digit modes {:#x} and {:#x}",
                        digits[0],
                        digits[1]
                    );
                    return say("TAPI-15", text);
                }
                None
            }
            n::OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS | n::OID_CO_TAPI_TRANSLATE_NDIS_CALLPARAMS => {
                let (at, fixed) = if oid == n::OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS {
                    (
                        offset_of!(CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, NdisCallParams),
                        size_of::<CO_TAPI_TRANSLATE_TAPI_CALLPARAMS>(),
                    )
                } else {
                    (
                        offset_of!(CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, LineCallInfo),
                        size_of::<CO_TAPI_TRANSLATE_NDIS_CALLPARAMS>(),
                    )
                };
                let data = self.information_of(number, output)?;
                if lies_within(&data, at, fixed)? {
                    return None;
                }
                say("TAPI-06", "leads out of its buffer, or nowhere".into())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_descriptor_stands_for() {
        let descriptor = |length: u16, offset: usize| {
            let mut data = alloc::vec![0_u8; 64];
            data[8..10].copy_from_slice(&length.to_ne_bytes());
            let place = 8 + offset_of!(NDIS_VAR_DATA_DESC, Offset);
            data[place..place + size_of::<usize>()].copy_from_slice(&offset.to_ne_bytes());
            lies_within(&data, 8, 32)
        };
        assert_eq!(descriptor(8, 24), Some(true));
        assert_eq!(descriptor(32, 24), Some(true));
        assert_eq!(descriptor(33, 24), Some(false), "beyond the end");
        assert_eq!(descriptor(8, 23), Some(false), "within the fixed part");
        assert_eq!(descriptor(0, 24), Some(false), "nothing");
        assert_eq!(descriptor(8, usize::MAX), Some(false), "beyond all memory");
        assert_eq!(lies_within(&[0; 12], 8, 32), None);
    }
}
