//! What must hold of a request when it sets out, of its answer, and in between.

use super::names::name_of;
use super::structure::{bytes, given, header_of, moved};
use crate::callback::Ptr;
use crate::characteristics::header_text;
use crate::handle::{Kind, ObjectId};
use crate::model::oid::{Asker, Door, Given, Promise};
use crate::state::State;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::NDIS_OID_REQUEST;

/// No more than this of what is to be set is remembered.
const REMEMBERED: usize = 4096;
/// The longest that Driver Verifier waits for a plain request, in units of 100 ns.
const LONGEST: u64 = 12 * 10_000_000;

/// The counters of a WAN link as the page has them; the header has more behind.
const COUNTERS: usize =
    core::mem::offset_of!(n::NDIS_WAN_CO_GET_STATS_INFO, BytesReceivedCompressed)
        + size_of::<u32>();

/// A breach: the rule, and what happened.
pub(super) type Breach = (&'static str, String);

impl State {
    /// Looks at what a driver asks with; None when it is not to be touched.
    pub(super) fn look_at(
        &mut self,
        call: &'static str,
        who: &Arc<str>,
        request: *mut NDIS_OID_REQUEST,
    ) -> Option<(Ptr<NDIS_OID_REQUEST>, Given)> {
        let breach = self.wrong_request(request);
        if let Some((rule, text)) = breach {
            self.violate_by(who.clone(), rule, None, alloc::format!("{call}: {text}"));
            return None;
        }
        let at = Ptr(request);
        let given = given(at);
        let (least, name) = (given.input.max(given.output), name_of(given.oid));
        let buffer = given.buffer.0.addr();
        let room = self.memory.room(buffer).filter(|_| buffer != 0);
        let breach: Option<Breach> = if !is_known(given.kind) {
            let text = alloc::format!("{name} with the request type {}", given.kind);
            Some(("OID-64", text))
        } else if given.buffer.0.is_null() && least > 0 {
            let text = alloc::format!("{name} with {least} bytes of information at NULL");
            Some(("OID-66", text))
        } else if let Some(room) = room.filter(|room| *room < least as usize) {
            let place = self.memory.place(buffer).unwrap_or_default();
            Some((
                "OID-66",
                alloc::format!(
                    "{name} with {least} bytes of information, whose pool block ends after \
                     {room} (it is at {place})"
                ),
            ))
        } else {
            None
        };
        if let Some((rule, text)) = breach {
            self.violate_by(who.clone(), rule, None, alloc::format!("{call}: {text}"));
            return None;
        }
        for (address, what) in [(request.addr(), "request"), (buffer, "information buffer")] {
            if self.memory.is_paged(address) {
                let place = self.memory.place(address).unwrap_or_default();
                let message =
                    alloc::format!("{call}: the {what} of {name} is paged memory: {place}");
                self.violate_by(who.clone(), "OID-03", None, message);
            }
        }
        Some((at, given))
    }

    /// What is wrong with the structure itself, so that it is not to be read.
    fn wrong_request(&self, request: *mut NDIS_OID_REQUEST) -> Option<Breach> {
        if request.is_null() {
            return Some(("OID-64", "the request is NULL".into()));
        }
        let least = n::NDIS_SIZEOF_OID_REQUEST_REVISION_1;
        let room = self.memory.room(request.addr());
        if let Some(room) = room.filter(|room| *room < least) {
            let text =
                alloc::format!("the request has {room} bytes of its pool block, not {least}");
            return Some(("OID-66", text));
        }
        let header = header_of(Ptr(request));
        let needed = match i32::from(header.Revision) {
            n::NDIS_OID_REQUEST_REVISION_1 => least,
            0 => usize::MAX,
            _ => n::NDIS_SIZEOF_OID_REQUEST_REVISION_2,
        };
        let kind = n::NDIS_OBJECT_TYPE_OID_REQUEST as u8;
        if header.Type != kind || usize::from(header.Size) < needed {
            let text = alloc::format!("the header of the request says {}", header_text(header));
            return Some(("OID-64", text));
        }
        None
    }

    /// What a driver may not ask, or not so. `of_peer`: it asks the driver at the other end
    /// of an address family.
    pub(super) fn check_asked(
        &mut self,
        call: &'static str,
        who: &Arc<str>,
        object: ObjectId,
        given: &Given,
        of_peer: bool,
    ) {
        let name = name_of(given.oid);
        let breach: Option<Breach> = match given.oid {
            n::OID_CO_GET_CALL_INFORMATION => {
                Some(("OID-42", alloc::format!("{name}, which is reserved")))
            }
            n::OID_CO_ADD_PVC | n::OID_CO_DELETE_PVC if !of_peer => {
                Some(("OID-41", alloc::format!("{name} without an address family")))
            }
            n::OID_CO_TAPI_CM_CAPS..=n::OID_CO_TAPI_DONT_REPORT_DIGITS if !of_peer => Some((
                "TAPI-08",
                alloc::format!("{name} without an address family"),
            )),
            // Power, patterns and offloads: no OIDs of connection-oriented NDIS.
            oid if matches!(oid >> 24, 0xFC | 0xFD) => Some((
                "OID-09",
                alloc::format!("{name}, which is for NdisOidRequest"),
            )),
            _ => None,
        };
        if let Some((rule, text)) = breach {
            let message = alloc::format!("{call} with {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
    }

    /// What an asker has put in, as far as it is the asker's own.
    pub(super) fn input_of(given: &Given) -> Vec<u8> {
        // SAFETY: the buffer is as long as its asker says (OID-66, which was looked at where it
        // is pool memory), and the request is about to set out.
        unsafe { bytes(given.buffer, given.input as usize) }
    }

    /// Remembers what is to be set by a request that pends.
    pub(super) fn keep_data(&mut self, number: u32) {
        if !self.is_there(number) {
            return;
        }
        let Some(record) = self.world.oids.get_mut(&number) else {
            return;
        };
        let given = record.given;
        if given.kind == n::NdisRequestSetInformation && record.asker != Asker::Ndis {
            let length = (given.input as usize).min(REMEMBERED);
            // SAFETY: the buffer is as long as its asker says (OID-66, which was looked at
            // where it is pool memory), and is still there.
            record.data = unsafe { bytes(given.buffer, length) };
        }
    }

    /// Whether the memory of a request is there: nobody has freed it.
    pub(super) fn is_there(&self, number: u32) -> bool {
        self.world.oids.get(&number).is_some_and(|record| {
            self.memory.holds(record.memory) && self.memory.holds(record.buffer)
        })
    }

    /// A request that may not pend.
    pub(super) fn check_pended(&mut self, number: u32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        let time = [
            n::OID_GEN_CO_GET_TIME_CAPS as u32,
            n::OID_GEN_CO_GET_NETCARD_TIME as u32,
        ];
        if record.door == Door::MiniportCo && time.contains(&record.given.oid) {
            let (name, object) = (name_of(record.given.oid), record.object(number));
            let message = alloc::format!("{} of {name} returned PENDING", record.door.handler());
            self.violate_by(record.to.who.clone(), "OID-27", Some(object), message);
        }
    }

    /// Checks the answer of whoever was asked.
    pub(super) fn check_answer(&mut self, call: &str, number: u32, status: i32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        let (who, object) = (record.to.who.clone(), record.object(number));
        let breaches = [
            self.late(number),
            self.untrue(number, status),
            self.not_for_this(number, status),
            self.unfit(number, status),
            self.short_of_addresses(number, status),
            self.taken_too_short(number, status),
            self.not_counted(number, status),
            self.unfit_for_wan(number, status),
            self.unfit_for_tapi(number, status),
        ];
        for (rule, text) in breaches.into_iter().flatten() {
            let message = alloc::format!("{call}: {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
        let removed = self.refused_after_removal(number, status);
        if let Some((rule, text)) = removed.or_else(|| self.unknown_though_listed(number, status)) {
            self.violate_by(who, rule, Some(object), text);
        }
        self.note_counted(number, status);
        self.note_links(number, status);
        self.note_duty(number, status);
        self.note_capabilities(number, status);
    }

    /// What an answer says, as far as it says that it was written.
    pub(super) fn answer_of(&self, number: u32) -> Option<Vec<u8>> {
        let record = self.world.oids.get(&number)?;
        let Given { kind, output, .. } = record.given;
        self.information_of(number, moved(record.at, kind).written.min(output))
    }

    /// So many bytes of the information buffer, no more than it has room for.
    pub(super) fn information_of(&self, number: u32, length: u32) -> Option<Vec<u8>> {
        let record = self.world.oids.get(&number)?;
        let Given {
            buffer,
            input,
            output,
            ..
        } = record.given;
        let length = length.min(input.max(output)) as usize;
        // SAFETY: the buffer is as long as its asker says (OID-66) and is still there.
        self.is_there(number)
            .then(|| unsafe { bytes(buffer, length) })
    }

    /// DV-09.
    fn late(&self, number: u32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let took = self.sched.now.saturating_sub(record.since);
        (record.door == Door::Miniport && took > LONGEST).then(|| {
            let name = name_of(record.given.oid);
            let seconds = took / 10_000_000;
            (
                "DV-09",
                alloc::format!("{name} has taken {seconds} seconds"),
            )
        })
    }

    /// OID-65, OID-21: counts that cannot be.
    fn untrue(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        if !self.memory.holds(record.memory) {
            return None;
        }
        let Given {
            kind,
            oid,
            input,
            output,
            ..
        } = record.given;
        let (name, answer) = (name_of(oid), crate::status::Name(status));
        let counts = moved(record.at, kind);
        if status == n::NDIS_STATUS_SUCCESS {
            let excess = [
                ("BytesWritten", counts.written, output),
                ("BytesRead", counts.read, input),
            ];
            let found = excess.into_iter().find(|(_, count, most)| count > most);
            return found.map(|(count, says, most)| {
                let text = alloc::format!(
                    "{name} is answered with {answer} and a {count} of {says}, of {most} bytes"
                );
                ("OID-65", text)
            });
        }
        let least = match status {
            n::NDIS_STATUS_BUFFER_TOO_SHORT => input.min(output),
            // It can be too long as well.
            n::NDIS_STATUS_INVALID_LENGTH if input == 0 && output == 0 => 0,
            _ => return None,
        };
        (counts.needed <= least).then(|| {
            let needed = counts.needed;
            let text = alloc::format!(
                "{name} with {least} bytes is answered with {answer} and a BytesNeeded of {needed}"
            );
            ("OID-21", text)
        })
    }

    /// STATUS-05, OID-22: a status that such a driver does not answer with.
    fn not_for_this(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let name = name_of(record.given.oid);
        let plain = matches!(record.asker, Asker::Protocol(_) | Asker::Ndis);
        match status {
            n::NDIS_STATUS_INDICATION_REQUIRED if !plain => {
                let text = alloc::format!(
                    "{name} is answered with INDICATION_REQUIRED, which its page does not allow"
                );
                Some(("STATUS-05", text))
            }
            n::NDIS_STATUS_INVALID_OID if !record.door.is_miniports() => {
                let text = alloc::format!(
                    "{name} is answered with INVALID_OID; a protocol says NOT_SUPPORTED"
                );
                Some(("OID-22", text))
            }
            _ => None,
        }
    }

    /// What an answer of success holds that its OID does not allow.
    fn unfit(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let Given { kind, oid, .. } = record.given;
        let query = matches!(
            kind,
            n::NdisRequestQueryInformation | n::NdisRequestQueryStatistics
        );
        if status != n::NDIS_STATUS_SUCCESS || !query || !record.door.is_miniports() {
            return None;
        }
        let data = self.answer_of(number)?;
        let name = name_of(oid);
        let number = |at: usize| word(&data, at);
        match oid as i32 {
            n::OID_WAN_CO_GET_STATS_INFO => {
                let sizes = [COUNTERS, size_of::<n::NDIS_WAN_CO_GET_STATS_INFO>()];
                (!sizes.contains(&data.len())).then(|| {
                    let length = data.len();
                    let text = alloc::format!(
                        "the answer to {name} is {length} bytes long, not {sizes:?}"
                    );
                    ("WAN-07", text)
                })
            }
            n::OID_GEN_CO_SUPPORTED_LIST => {
                let list: Vec<u32> = (0..data.len() / 4)
                    .filter_map(|at| number(at * 4))
                    .collect();
                (!list.is_sorted()).then(|| {
                    let text = alloc::format!("the answer to {name} is not in ascending order");
                    ("OID-28", text)
                })
            }
            n::OID_GEN_CO_VENDOR_ID => (data.len() != 4).then(|| {
                let length = data.len();
                let text = alloc::format!("the answer to {name} is {length} bytes long, not 4");
                ("OID-31", text)
            }),
            n::OID_GEN_CO_VENDOR_DRIVER_VERSION => (![2, 4].contains(&data.len())).then(|| {
                let length = data.len();
                let text =
                    alloc::format!("the answer to {name} is {length} bytes long, no two halves");
                ("OID-30", text)
            }),
            n::OID_GEN_CO_MAC_OPTIONS => {
                let reserved = number(0)? & n::NDIS_MAC_OPTION_RESERVED != 0;
                reserved.then(|| {
                    let text = alloc::format!("the answer to {name} has the bit that is NDIS's");
                    ("OID-32", text)
                })
            }
            // NDIS's own and NdisOidRequest's has another shape under the same number.
            n::OID_GEN_CO_LINK_SPEED
                if matches!(record.asker, Asker::Client(_) | Asker::Manager(_)) =>
            {
                (data.len() != 8).then(|| {
                    let length = data.len();
                    let text =
                        alloc::format!("the answer to {name} is {length} bytes long, no pair");
                    ("OID-29", text)
                })
            }
            n::OID_GEN_CO_SUPPORTED_GUIDS => {
                let flags = core::mem::offset_of!(n::NDIS_GUID, Flags);
                let kinds = (n::fNDIS_GUID_TO_OID | n::fNDIS_GUID_TO_STATUS) as u32;
                let entries = data.len() / size_of::<n::NDIS_GUID>();
                let bad = (0..entries).find(|entry| {
                    let flags = number(entry * size_of::<n::NDIS_GUID>() + flags);
                    flags.is_some_and(|flags| (flags & kinds).count_ones() != 1)
                })?;
                let text = alloc::format!(
                    "entry {bad} of the answer to {name} is neither of an OID nor of a status, \
                     or of both"
                );
                Some(("OID-34", text))
            }
            _ => None,
        }
    }

    /// HALT-13; DV-08 and OID-62 of what NDIS says about power.
    fn refused_after_removal(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        if !record.door.is_miniports() {
            return None;
        }
        let (name, answer) = (name_of(record.given.oid), crate::status::Name(status));
        let refused = status == n::NDIS_STATUS_NOT_ACCEPTED;
        if record.removed {
            let text = alloc::format!(
                "{name} is answered with {answer} after the notice that the device is gone"
            );
            return (!refused).then_some(("HALT-13", text));
        }
        let text = alloc::format!("{name} is answered with {answer}");
        let done = status == n::NDIS_STATUS_SUCCESS;
        match record.given.oid {
            n::OID_PNP_SET_POWER if !refused && !done => Some(("DV-08", text)),
            n::OID_PNP_QUERY_POWER if !done => Some(("OID-62", text)),
            _ => None,
        }
    }

    /// INIT-30.
    fn unknown_though_listed(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let power = [n::OID_PNP_SET_POWER, n::OID_PNP_QUERY_POWER];
        let oid = record.given.oid;
        if !record.door.is_miniports() || record.subject.vc.is_some() || power.contains(&oid) {
            return None;
        }
        let adapter = self.world.adapters.get(&record.subject.adapter)?;
        let unknown = [n::NDIS_STATUS_NOT_SUPPORTED, n::NDIS_STATUS_INVALID_OID];
        let query = record.given.kind == n::NdisRequestQueryInformation;
        let listed = adapter.oids.contains(&oid) && !record.removed;
        (listed && query && unknown.contains(&status)).then(|| {
            let (name, answer) = (name_of(oid), crate::status::Name(status));
            let text = alloc::format!(
                "{name} is in the list of supported OIDs and is answered with {answer}"
            );
            ("INIT-30", text)
        })
    }

    /// OID-38: a list of addresses has room for as many as there can be, each of one size.
    fn short_of_addresses(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let oid = record.given.oid;
        let lists = oid == n::OID_CO_GET_ADDRESSES && record.door == Door::Manager;
        if !lists || status != n::NDIS_STATUS_SUCCESS {
            return None;
        }
        let data = self.answer_of(number)?;
        let written = data.len();
        let word = |at: usize| word(&data, at).unwrap_or_default() as usize;
        let start = core::mem::offset_of!(n::CO_ADDRESS_LIST, AddressList);
        let (available, written_ones) = (word(0), word(4));
        let size = if written_ones > 0 { word(start) } else { 0 };
        let least = start.saturating_add(available.saturating_mul(size));
        let name = name_of(oid);
        let text = if written < start {
            alloc::format!("{name} is answered with {written} bytes")
        } else if written_ones > available {
            alloc::format!("{name} is answered with {written_ones} addresses of {available}")
        } else if written < least {
            alloc::format!(
                "{name} is answered with {written} bytes, without room for {available} addresses \
                 of {size} bytes"
            )
        } else {
            return None;
        };
        Some(("OID-38", text))
    }

    /// OID-60: success for what is to be set, with less than a value of it.
    fn taken_too_short(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let Given {
            kind, oid, input, ..
        } = record.given;
        let least = match oid as i32 {
            n::OID_GEN_CURRENT_PACKET_FILTER
            | n::OID_GEN_CURRENT_LOOKAHEAD
            | n::OID_GEN_NETWORK_LAYER_ADDRESSES => 4,
            n::OID_WAN_CO_SET_LINK_INFO => size_of::<n::NDIS_WAN_CO_SET_LINK_INFO>() as u32,
            _ => return None,
        };
        let taken = kind == n::NdisRequestSetInformation
            && record.door.is_miniports()
            && status == n::NDIS_STATUS_SUCCESS;
        (taken && input < least).then(|| {
            let name = name_of(oid);
            let text = alloc::format!(
                "{name} with {input} bytes, of {least}, is answered with NDIS_STATUS_SUCCESS"
            );
            ("OID-60", text)
        })
    }

    /// OID-23: what is known of the adapter is known of its VCs.
    fn not_counted(&self, number: u32, status: i32) -> Option<Breach> {
        let record = self.world.oids.get(&number)?;
        let adapter = self.world.adapters.get(&record.subject.adapter)?;
        let (oid, door) = (record.given.oid, record.door);
        let known = asks(&record.given)
            && door == Door::MiniportCo
            && adapter.counted.contains(&oid)
            && !record.removed;
        (known && record.subject.vc.is_some() && is_unknown(status)).then(|| {
            let (name, answer) = (name_of(oid), crate::status::Name(status));
            let text = alloc::format!(
                "{name} of a VC is answered with {answer}, and of all the adapter with a value"
            );
            ("OID-23", text)
        })
    }

    fn note_counted(&mut self, number: u32, status: i32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        let (oid, of_vc) = (record.given.oid, record.subject.vc.is_some());
        let counts = COUNTED.contains(&(oid as i32)) && record.door == Door::MiniportCo;
        if counts
            && asks(&record.given)
            && !of_vc
            && status == n::NDIS_STATUS_SUCCESS
            && let Some(adapter) = self.world.adapters.get_mut(&record.subject.adapter)
            && !adapter.counted.contains(&oid)
        {
            adapter.counted.push(oid);
        }
    }

    /// OID-03, OID-47: the asker has changed what it had put in.
    pub(super) fn check_untouched(&mut self, number: u32) {
        if !self.is_there(number) {
            return;
        }
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        if record.asker == Asker::Ndis {
            return;
        }
        let (who, object) = (record.from.who.clone(), record.object(number));
        let (before, now) = (record.given, given(record.at));
        let name = name_of(before.oid);
        if before != now {
            let message = alloc::format!("{name} is not the request that it was when it set out");
            self.violate_by(who, "OID-03", Some(object), message);
            return;
        }
        // SAFETY: so much of the buffer was copied when the request pended, and it is there.
        let data = unsafe { bytes(before.buffer, record.data.len()) };
        if data != record.data {
            let message =
                alloc::format!("what {name} is to set has changed since the request pended");
            self.violate_by(who, "OID-47", Some(object), message);
        }
    }

    /// What a driver has to do when it has answered a request so.
    fn note_duty(&mut self, number: u32, status: i32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        if status == n::NDIS_STATUS_INDICATION_REQUIRED && record.door.is_miniports() {
            self.world.promised.push(Promise {
                adapter: record.subject.adapter,
                id: record.given.id,
                source: record.given.source,
                binding: record.asker.binding(),
            });
        }
        let duty = match record.given.oid {
            n::OID_CO_ADDRESS_CHANGE => "OID-37",
            n::OID_CO_AF_CLOSE => "OID-40",
            _ => return,
        };
        if record.door != Door::Client || status != n::NDIS_STATUS_SUCCESS {
            return;
        }
        let af = record.subject.af;
        if let Some(af) = af.and_then(|af| self.world.afs.get_mut(&af))
            && !af.duties.contains(&duty)
        {
            af.duties.push(duty);
        }
    }

    /// A client asks for the addresses: that it must is done.
    pub(super) fn asks_for_addresses(&mut self, number: u32, oid: u32) {
        if oid == n::OID_CO_GET_ADDRESSES
            && let Some(af) = self.world.afs.get_mut(&number)
        {
            af.duties.retain(|duty| *duty != "OID-37");
        }
    }

    /// Duties that clients have not done when nothing is left to do.
    pub(crate) fn check_duties(&mut self) {
        self.check_announcements();
        let mut found = Vec::new();
        for (number, af) in &mut self.world.afs {
            if !af.closed_by_client {
                let duties = core::mem::take(&mut af.duties);
                found.extend(
                    duties
                        .into_iter()
                        .map(|duty| (*number, duty, af.client.clone())),
                );
            }
        }
        for (number, duty, who) in found {
            let object = ObjectId::new(Kind::ClientAf, number);
            let text = if duty == "OID-37" {
                "OID_CO_ADDRESS_CHANGE was accepted, and OID_CO_GET_ADDRESSES never followed"
            } else {
                "OID_CO_AF_CLOSE was accepted, and the family is open as before"
            };
            self.violate_by(who, duty, Some(object), text.into());
        }
    }
}

/// Whether it is a query: what may be set or done is another matter.
fn asks(given: &Given) -> bool {
    given.kind == n::NdisRequestQueryInformation
}

/// The statistics that there are of the adapter and of each VC.
const COUNTED: [i32; 5] = [
    n::OID_GEN_CO_XMIT_PDUS_OK,
    n::OID_GEN_CO_RCV_PDUS_OK,
    n::OID_GEN_CO_XMIT_PDUS_ERROR,
    n::OID_GEN_CO_RCV_PDUS_ERROR,
    n::OID_GEN_CO_RCV_PDUS_NO_BUFFER,
];

/// Whether an answer says that an OID is not known.
pub(super) fn is_unknown(status: i32) -> bool {
    matches!(
        status,
        n::NDIS_STATUS_NOT_SUPPORTED | n::NDIS_STATUS_NOT_RECOGNIZED | n::NDIS_STATUS_INVALID_OID
    )
}

/// A number of four bytes, if there are as many.
pub(super) fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn is_known(kind: i32) -> bool {
    matches!(
        kind,
        n::NdisRequestQueryInformation
            | n::NdisRequestSetInformation
            | n::NdisRequestQueryStatistics
            | n::NdisRequestMethod
    )
}
