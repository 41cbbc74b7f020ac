//! What a VC is called outside of NDIS: the string by which TAPI's applications know the call on
//! it.
//!
//! The pages say nothing of the string but that it comes in a `VAR_STRING` and goes back as a
//! `UNICODE_STRING`: how it is encoded is the reading `call_id_text`.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::readings::CallIdText;
use crate::sched::DISPATCH;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, UNICODE_STRING, VAR_STRING};

const GET_ID: Call = Call::new("NdisCoGetTapiCallId");
const FIND_BY_ID: Call = Call::new("NdisClGetProtocolVcContextFromTapiCallId");

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
            let number = s.take(call, vc.addr(), Kind::ClientVc)?;
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
        let units = usize::from(id.Length) / 2;
        let sound = !id.Buffer.is_null() && id.Length.is_multiple_of(2) && id.Length <= id.MaximumLength;
        let text: String = if sound {
            // SAFETY: the caller's string, of the length that it says.
            let units = unsafe { core::slice::from_raw_parts(id.Buffer, units) };
            String::from_utf16_lossy(units)
        } else {
            String::new()
        };
        let found = cx.with(|s| {
            s.check_dispatch(call, "IRQL-47", None);
            if !sound || text.is_empty() {
                let message = alloc::format!("{call} with no string");
                s.violate("VC-60", None, message);
                return None;
            }
            let mut vcs = s.world.vcs.iter();
            let found = vcs.find(|(number, vc)| vc.af.is_some() && id_of(**number) == text);
            // One whose client's side is gone is no client's any more.
            let found = found.filter(|(_, vc)| {
                matches!(s.handles.look(vc.client_raw), Lookup::Live(Kind::ClientVc, _))
            });
            found.map(|(_, vc)| vc.client_context)
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
