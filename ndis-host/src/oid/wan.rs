//! What a WAN miniport says of its links, and takes: the OIDs that NDISWAN asks.
//!
//! It answers all of them (WAN-01, WAN-11). What it has said of its links (WAN-02) is kept with the
//! adapter, for what it says and takes later must go with that (WAN-05, WAN-06, and WAN-03 where
//! sends are completed).

use super::checks::{Breach, is_unknown, word};
use super::names::name_of;
use crate::model::adapter::Links;
use crate::model::oid::OidRequest;
use crate::state::State;
use ndis_sys as n;

/// The bits that say how a frame is told from others.
const KINDS: u32 = (n::RAS_FRAMING
    | n::ARAP_FRAMING
    | n::PPP_FRAMING
    | n::SLIP_FRAMING
    | n::RFC_1356_FRAMING
    | n::RFC_1483_FRAMING
    | n::RFC_1490_FRAMING) as u32;
const PPP: u32 = n::PPP_FRAMING as u32;

/// Whether both directions can go together: either detects its framing, or they have one in common.
fn go_together(send: u32, receive: u32) -> bool {
    let (send, receive) = (send & KINDS, receive & KINDS);
    send == 0 || receive == 0 || send & receive != 0
}

impl State {
    /// The request with this number, where a WAN miniport has answered it.
    fn asked_of_wan(&self, number: u32) -> Option<&OidRequest> {
        let record = self.world.oids.get(&number)?;
        let adapter = self.world.adapters.get(&record.subject.adapter)?;
        let of_wan = adapter.media == n::NdisMediumCoWan && record.door.is_miniports();
        (of_wan && !record.removed).then_some(record)
    }

    /// What an answer of a WAN miniport's says that it must not.
    pub(super) fn unfit_for_wan(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.asked_of_wan(number)?;
        let (oid, of_vc) = (record.given.oid as i32, record.subject.vc.is_some());
        let name = name_of(record.given.oid);
        if is_unknown(status) {
            let query = record.given.kind == n::NdisRequestQueryInformation;
            let rule = match oid {
                n::OID_WAN_CO_GET_INFO if query && !of_vc => "WAN-01",
                n::OID_WAN_CO_GET_LINK_INFO if query && of_vc => "WAN-01",
                n::OID_WAN_CO_SET_LINK_INFO if !query && of_vc => "WAN-01",
                n::OID_WAN_PERMANENT_ADDRESS
                | n::OID_WAN_CURRENT_ADDRESS
                | n::OID_WAN_MEDIUM_SUBTYPE
                    if query && !of_vc =>
                {
                    "WAN-11"
                }
                _ => return None,
            };
            let answer = crate::status::Name(status);
            let text =
                alloc::format!("{name}, which a WAN miniport supports, is answered with {answer}");
            return Some((rule, text));
        }
        if status != n::NDIS_STATUS_SUCCESS {
            return None;
        }
        let links = self.world.adapters.get(&record.subject.adapter)?.links;
        match oid {
            n::OID_WAN_CO_GET_INFO => {
                let data = self.answer_of(number)?;
                let (window, framing) = (word(&data, 4)?, word(&data, 8)?);
                (window == 0 || framing & PPP == 0).then(|| {
                    let text = alloc::format!(
                        "the answer to {name} has a MaxSendWindow of {window} and framing \
                         {framing:#x}"
                    );
                    ("WAN-02", text)
                })
            }
            n::OID_WAN_CO_GET_LINK_INFO => {
                let (data, links) = (self.answer_of(number)?, links?);
                let framing = word(&data, 8)? | word(&data, 12)?;
                let strange = framing & !(links.framing | PPP);
                (strange != 0).then(|| {
                    let text = alloc::format!(
                        "the answer to {name} has framing {strange:#x}, which the adapter does not \
                         claim to detect"
                    );
                    ("WAN-06", text)
                })
            }
            n::OID_WAN_CO_SET_LINK_INFO => {
                let (data, links) = (self.information_of(number, record.given.input)?, links?);
                let (send, receive) = (word(&data, 8)?, word(&data, 12)?);
                let size = word(&data, 0)?.max(word(&data, 4)?);
                let strange = (send | receive) & !(links.framing | PPP) != 0;
                let wrong = size > links.frame || strange || !go_together(send, receive);
                wrong.then(|| {
                    let text = alloc::format!(
                        "{name} with frames of {size} bytes and framing {send:#x} and \
                         {receive:#x} is answered with success, of {} bytes and framing {:#x}",
                        links.frame,
                        links.framing
                    );
                    ("WAN-05", text)
                })
            }
            n::OID_WAN_CO_GET_STATS_INFO => {
                let (data, whole) = (
                    self.answer_of(number)?,
                    size_of::<n::NDIS_WAN_CO_GET_STATS_INFO>(),
                );
                // With less room an asker knows the documented part of it.
                let room = record.given.output as usize >= whole;
                (room && data.len() != whole).then(|| {
                    let length = data.len();
                    let text =
                        alloc::format!("the answer to {name} is {length} bytes long, not {whole}");
                    ("WAN-07", text)
                })
            }
            _ => None,
        }
    }

    /// Keeps what a WAN miniport has said of its links.
    pub(super) fn note_links(&mut self, number: u32, status: i32) {
        let Some(record) = self.asked_of_wan(number) else {
            return;
        };
        let (oid, adapter) = (record.given.oid as i32, record.subject.adapter);
        if oid != n::OID_WAN_CO_GET_INFO || status != n::NDIS_STATUS_SUCCESS {
            return;
        }
        let data = self.answer_of(number).unwrap_or_default();
        if let (Some(frame), Some(framing)) = (word(&data, 0), word(&data, 8))
            && let Some(adapter) = self.world.adapters.get_mut(&adapter)
        {
            adapter.links = Some(Links { frame, framing });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_that_go_together() {
        let slip = n::SLIP_FRAMING as u32;
        assert!(go_together(0, PPP) && go_together(slip, 0));
        assert!(go_together(PPP | slip, slip) && !go_together(PPP, slip));
        // What is compressed is no kind of framing.
        assert!(go_together(PPP, n::PPP_COMPRESS_ADDRESS_CONTROL as u32));
    }
}
