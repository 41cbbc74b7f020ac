//! What a VC is called outside of NDIS: the string by which TAPI's applications know the call on
//! it, and the name under which those who manage the machine find it.
//!
//! The pages say nothing of the string but that it comes in a `VAR_STRING` and goes back as a
//! `UNICODE_STRING`: how it is encoded is the reading `call_id_text`.
//!
//! The name is what a driver proposes with a number behind it. Each caller that wants to see it
//! gets it in memory of its own, which is lent to it until the VC is deleted (VC-56).

use crate::callback::Ptr;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::Named;
use crate::readings::CallIdText;
use crate::rules;
use crate::sched::DISPATCH;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, UNICODE_STRING, VAR_STRING};

const GET_ID: Call = Call::new("NdisCoGetTapiCallId");
const NAME: Call = Call::new("NdisCoAssignInstanceName");
const FIND_BY_ID: Call = Call::new("NdisClGetProtocolVcContextFromTapiCallId");

/// The tag of the memory that a name is returned in.
const TAG: u32 = u32::from_le_bytes(*b"NDvn");

/// How the host calls a VC, of a number that no other has in a run.
fn id_of(vc: u32) -> String {
    alloc::format!("VC{vc:08X}")
}

impl State {
    /// Reports a call that is not made at DISPATCH_LEVEL exactly.
    fn check_dispatch(&mut self, call: &str, rule: &'static str, object: Option<ObjectId>) {
        if self.irql() < DISPATCH {
            let message = alloc::format!("{call} was called below DISPATCH_LEVEL");
            self.violate(rule, object, message);
        }
    }

    /// The VC of a handle of its client's or, on its own VC, of a stand-alone call manager's.
    /// A miniport call manager's handle breaks `mcm`; without such a rule it is let through.
    fn take_end(
        &mut self,
        call: &'static str,
        raw: usize,
        mcm: Option<&'static str>,
    ) -> Option<u32> {
        let Lookup::Live(Kind::CallManagerVc, number) = self.handles.look(raw) else {
            return self.take(call, raw, Kind::ClientVc);
        };
        let vc = self.world.vcs.get(&number);
        let alone = vc.is_some_and(|vc| matches!(vc.served_by, Manager::Alone { .. }));
        if let Some(rule) = mcm.filter(|_| !alone) {
            let object = ObjectId::new(Kind::CallManagerVc, number);
            let message = alloc::format!("{call} on {object}, which is a miniport call manager's");
            self.violate(rule, Some(object), message);
            return None;
        }
        Some(number)
    }

    /// The name of a VC, which it has from now on.
    fn name_vc(&mut self, call: &'static str, number: u32, base: &str) -> Option<String> {
        let vc = self.world.vcs.get(&number)?;
        if let Some(named) = &vc.named {
            return Some(named.name.clone());
        }
        let adapter = vc.adapter;
        let object = ObjectId::new(Kind::ClientVc, number);
        let of_adapter = |vc: &&crate::model::vc::Vc| vc.adapter == adapter;
        let vcs = self.world.vcs.values();
        let taken = vcs
            .filter(of_adapter)
            .any(|vc| vc.named.as_ref().is_some_and(|other| other.base == base));
        if taken {
            let message = alloc::format!(
                "{call} on {object} with the base name {base:?}, which another VC of the adapter has"
            );
            self.violate("VC-57", Some(object), message);
        }
        let named = Named {
            base: base.into(),
            name: alloc::format!("{base} {number}"),
            copies: Vec::new(),
        };
        let name = named.name.clone();
        self.world.vcs.get_mut(&number)?.named = Some(named);
        Some(name)
    }

    /// Memory of the caller's with a name in it, which it is not to free before the VC is
    /// deleted.
    fn lend_name(&mut self, call: &str, number: u32, name: &str) -> Option<(Ptr<u16>, usize)> {
        let units: Vec<u16> = name.encode_utf16().collect();
        let memory: *mut u16 = self.allocate(units.len() * 2, TAG, false).cast();
        if memory.is_null() {
            return None;
        }
        // SAFETY: allocated just now, with room for all of them.
        unsafe { memory.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
        let object = ObjectId::new(Kind::ClientVc, number);
        let what = alloc::format!("the name from {call}, until {object} is deleted");
        let loan = self
            .memory
            .lend(memory.addr(), "VC-56", Some(object), &what);
        let named = self.world.vcs.get_mut(&number)?.named.as_mut()?;
        named.copies.extend(loan);
        Some((Ptr(memory), units.len()))
    }

    /// The bytes of the string, as the reading has them.
    fn id_bytes(&self, vc: u32) -> (Vec<u8>, i32) {
        let text = id_of(vc);
        match self.readings.call_id_text {
            CallIdText::Unicode => {
                let bytes = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                (bytes, n::STRINGFORMAT_UNICODE)
            }
            CallIdText::Ascii => {
                let mut bytes = text.into_bytes();
                bytes.push(0);
                (bytes, n::STRINGFORMAT_ASCII)
            }
        }
    }
}

/// How many units a driver's counted string has; `None` when it is none, or empty.
fn units_of(string: &UNICODE_STRING) -> Option<usize> {
    let length = string.Length;
    let sound = !string.Buffer.is_null()
        && length > 0
        && length.is_multiple_of(2)
        && length <= string.MaximumLength;
    sound.then_some(usize::from(length) / 2)
}

/// A `VAR_STRING` and its text as they are in memory, without the text when the room is not
/// enough; and whether it is.
fn var_string(total: u32, text: &[u8], format: i32) -> (Vec<u8>, bool) {
    let head = size_of::<VAR_STRING>() as u32;
    let size = text.len() as u32;
    let needed = head + size;
    let fits = total >= needed;
    let members = if fits {
        [total, needed, needed, format as u32, size, head]
    } else {
        [total, needed, head, 0, 0, 0]
    };
    let mut bytes: Vec<u8> = members.into_iter().flat_map(u32::to_ne_bytes).collect();
    if fits {
        bytes.extend_from_slice(text);
    }
    (bytes, fits)
}

exports! { EXPORTS {
    /// Tells by what string TAPI's applications know the call on a VC.
    fn NdisCoGetTapiCallId(vc: NDIS_HANDLE, id: *mut VAR_STRING) -> i32 {
        let call = GET_ID.name;
        let cx = Cx::enter(GET_ID, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let object = s.handles.look(vc.addr()).object();
            s.check_dispatch(call, "IRQL-35", object);
            let number = s.take_end(call, vc.addr(), None)?;
            let least = size_of::<VAR_STRING>();
            let room = s.memory.room(id.addr());
            let short = room.is_some_and(|room| room < least);
            let total = if id.is_null() || short {
                0
            } else {
                // SAFETY: the caller's structure, which begins with its size.
                unsafe { id.cast::<u32>().read_unaligned() as usize }
            };
            if total < least || room.is_some_and(|room| room < total) {
                let message = alloc::format!(
                    "{call} on {}: the string declares {total} bytes, which are less than its \
                     header has, or more than there are",
                    ObjectId::new(Kind::ClientVc, number)
                );
                s.violate("VC-59", object, message);
                return None;
            }
            let (text, format) = s.id_bytes(number);
            Some(var_string(total as u32, &text, format))
        });
        let Some((bytes, fits)) = prepared else {
            return cx.done(n::NDIS_STATUS_INVALID_DATA);
        };
        // SAFETY: the caller's structure, of the size that it declares, which is not less.
        unsafe { id.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        cx.done(if fits {
            n::NDIS_STATUS_SUCCESS
        } else {
            n::NDIS_STATUS_BUFFER_TOO_SHORT
        })
    }

    /// Gives a VC a name for those who manage the machine.
    fn NdisCoAssignInstanceName(
        vc: NDIS_HANDLE,
        base: *mut UNICODE_STRING,
        out: *mut UNICODE_STRING,
    ) -> i32 {
        let call = NAME.name;
        let cx = Cx::enter(NAME, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let base = Some(base).filter(|base| !base.is_null()).and_then(|base| {
            // SAFETY: the caller's structure.
            let base = unsafe { base.read() };
            let units = units_of(&base)?;
            // SAFETY: the caller's string, of the length that it says.
            let units = unsafe { core::slice::from_raw_parts(base.Buffer, units) };
            Some(String::from_utf16_lossy(units))
        });
        let named = cx.with(|s| {
            let object = s.handles.look(vc.addr()).object();
            s.check_dispatch(call, "IRQL-34", object);
            let number = s
                .take_end(call, vc.addr(), Some("VC-55"))
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let Some(base) = base else {
                let message = alloc::format!("{call} with no base name");
                s.violate(rules::ARGUMENT, object, message);
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let had = s.world.vcs.get(&number).is_some_and(|vc| vc.named.is_some());
            let name = s.name_vc(call, number, &base).ok_or(n::NDIS_STATUS_FAILURE)?;
            if out.is_null() {
                return Ok(None);
            }
            let lent = s.lend_name(call, number, &name);
            if lent.is_none() && !had && let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.named = None;
            }
            lent.map(Some).ok_or(n::NDIS_STATUS_RESOURCES)
        });
        match named {
            Ok(lent) => {
                if let Some((memory, units)) = lent {
                    let bytes = (units * 2).min(usize::from(u16::MAX)) as u16;
                    let string = UNICODE_STRING {
                        Length: bytes,
                        MaximumLength: bytes,
                        Buffer: memory.0,
                    };
                    // SAFETY: the caller's variable for the result.
                    unsafe { out.write(string) };
                }
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Err(status) => cx.done(status),
        }
    }

    /// Finds the client's context of a VC by that string.
    fn NdisClGetProtocolVcContextFromTapiCallId(
        id: UNICODE_STRING,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = FIND_BY_ID.name;
        let cx = Cx::enter(FIND_BY_ID, &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let text = units_of(&id).map(|units| {
            // SAFETY: the caller's string, of the length that it says.
            let units = unsafe { core::slice::from_raw_parts(id.Buffer, units) };
            String::from_utf16_lossy(units)
        });
        let found = cx.with(|s| {
            s.check_dispatch(call, "IRQL-47", None);
            let Some(text) = text else {
                let message = alloc::format!("{call} with no string");
                s.violate("VC-60", None, message);
                return None;
            };
            let number = u32::from_str_radix(text.strip_prefix("VC")?, 16).ok()?;
            let found = s.world.vcs.get(&number);
            let found = found.filter(|vc| vc.af.is_some() && id_of(number) == text);
            // One whose client's side is gone is no client's any more.
            let found = found.filter(|vc| {
                matches!(s.handles.look(vc.client_raw), Lookup::Live(Kind::ClientVc, _))
            });
            found.map(|vc| vc.client_context)
        });
        match found {
            Some(context) if !out.is_null() => {
                // SAFETY: the caller's variable for the result.
                unsafe { out.write(context.0) };
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            _ => cx.done(n::NDIS_STATUS_FAILURE),
        }
    }
}}
