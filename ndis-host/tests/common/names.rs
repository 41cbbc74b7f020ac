//! What a raw driver does to learn what a VC is called.

use super::{SUCCESS, zeroed};
use ndis_sys as n;
use std::ptr::null_mut;

/// A `VAR_STRING` and room for its text.
#[repr(C)]
pub struct Room {
    pub head: n::VAR_STRING,
    pub text: [u16; 64],
}

impl Room {
    pub fn new(total: usize) -> Self {
        let mut room: Self = zeroed();
        room.head.ulTotalSize = total as u32;
        room
    }

    pub fn string(&mut self) -> n::UNICODE_STRING {
        let length = self.head.ulStringSize as u16;
        n::UNICODE_STRING {
            Length: length,
            MaximumLength: length,
            Buffer: self.text.as_mut_ptr(),
        }
    }
}

/// At DISPATCH_LEVEL, if it is to be.
pub fn at<R>(dispatch: bool, f: impl FnOnce() -> R) -> R {
    let mut lock: n::KSPIN_LOCK = 0;
    let mut irql = 0;
    if dispatch {
        // SAFETY: a lock of this function.
        irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
    }
    let result = f();
    if dispatch {
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(&raw mut lock, irql) };
    }
    result
}

pub fn get(vc: n::NDIS_HANDLE, room: &mut Room, dispatch: bool) -> i32 {
    let at_room: *mut Room = room;
    // SAFETY: handles may be anything; the room is as large as it says, or smaller where the
    // host refuses it.
    at(dispatch, || unsafe {
        n::NdisCoGetTapiCallId(vc, at_room.cast())
    })
}

/// The string by which TAPI's applications know the call.
pub fn call_id(vc: n::NDIS_HANDLE) -> Result<Room, i32> {
    let mut room = Room::new(size_of::<Room>());
    let status = get(vc, &mut room, true);
    if status == SUCCESS {
        Ok(room)
    } else {
        Err(status)
    }
}

/// The base name, as a counted string.
fn counted(units: &mut [u16]) -> n::UNICODE_STRING {
    let bytes = size_of_val(units) as u16;
    n::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_mut_ptr(),
    }
}

/// Names a VC, and does not ask what the name is.
pub fn name(vc: n::NDIS_HANDLE, base: Option<&str>, dispatch: bool) -> Result<(), i32> {
    let mut units: Vec<u16> = base.unwrap_or_default().encode_utf16().collect();
    let mut base = counted(&mut units);
    let base = &raw mut base;
    // SAFETY: handles may be anything; the string is as long as it says.
    let status = at(dispatch, || unsafe {
        n::NdisCoAssignInstanceName(vc, base, null_mut())
    });
    if status == SUCCESS {
        Ok(())
    } else {
        Err(status)
    }
}

/// Names a VC, and takes the memory with the name.
pub fn take_name(vc: n::NDIS_HANDLE, base: &str) -> Result<n::UNICODE_STRING, i32> {
    let mut units: Vec<u16> = base.encode_utf16().collect();
    let mut base = counted(&mut units);
    let mut out: n::UNICODE_STRING = zeroed();
    let (base, out_at) = (&raw mut base, &raw mut out);
    // SAFETY: a handle, a string as long as it says, and a variable of this function.
    let status = at(true, || unsafe {
        n::NdisCoAssignInstanceName(vc, base, out_at)
    });
    if status == SUCCESS {
        Ok(out)
    } else {
        Err(status)
    }
}

/// What a string says.
pub fn text(string: n::UNICODE_STRING) -> String {
    let units = usize::from(string.Length) / 2;
    // SAFETY: the caller's, and as long as it says.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(string.Buffer, units) })
}
