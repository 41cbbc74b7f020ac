//! What a VC is called outside of NDIS: [`InstanceName`], for those who manage the machine, and the
//! string of TAPI's.
//!
//! NDIS makes it of what the driver proposes, and gives it in memory that is the driver's: who
//! has asked for a name frees it when the VC is deleted, and not before (rule [VC-56]). So a VC
//! keeps what NDIS gave, in a `Slot`, and the driver gets a copy.
//!
//! # Invariants
//!
//! NAMED: a `Named` is the string that NDIS has returned with success for the VC whose `Slot`
//! has it. Its buffer belongs to this driver from then on, and nobody but the slot knows
//! of it. The slot lies in the VC, whose memory is freed when NDIS has deleted it or begins to.
//!
//! [VC-56]: ndis_sys::rules#VC-56

use crate::{
    Status,
    mem::{Tag, Vec},
    raw::Opaque,
    tapi::{CallId, Room},
    wide::{Name, Utf16},
};
use core::{fmt, marker::PhantomData, ops, ptr, slice};
use ndis_sys::{NDIS_HANDLE, UNICODE_STRING};

/// The name that NDIS has given a VC: what a driver proposed with a number behind it, in UTF-16.
/// It derefs to its units.
///
/// A driver's name for it is better unlike those of other VCs (rule [VC-57]), and the memory that it
/// comes in is not the driver's business (rule [VC-56]).
///
/// It stays the VC's until the VC is deleted (rule [VC-58]). NDIS does not know VCs by it: it is
/// for the tools that ask, with WMI, about one VC among those of the adapter.
///
/// ```
/// # use ndis_co::{Status, client::{Client, Vc}};
/// # use ndis_host as _;
/// fn publish<C: Client>(call: &Vc<C>) -> Result<(), Status> {
///     let name = call.assign_instance_name("Call to the archive")?;
///     ndis_co::debug_print!("the call is {name}");
///     Ok(())
/// }
/// ```
///
/// [VC-56]: ndis_sys::rules#VC-56
/// [VC-57]: ndis_sys::rules#VC-57
/// [VC-58]: ndis_sys::rules#VC-58
#[derive(Debug)]
pub struct InstanceName(Vec<u16>);

impl ops::Deref for InstanceName {
    type Target = [u16];
    fn deref(&self) -> &[u16] {
        &self.0
    }
}

impl PartialEq for InstanceName {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for InstanceName {}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Utf16::new(&self.0).fmt(f)
    }
}

/// The handle of a VC that is not deleted as long as this is there.
///
/// # Invariants
///
/// LIVE: the handle is good, and the level is DISPATCH_LEVEL.
pub(crate) struct LiveVc<'l> {
    handle: NDIS_HANDLE,
    _lock: PhantomData<&'l ()>,
}

impl LiveVc<'_> {
    /// # Safety
    ///
    /// The handle is a client's or a stand-alone call manager's of a VC (rule VC-55), and for the
    /// life of the value the VC does not begin to be deleted, and a spin lock is held.
    pub(crate) unsafe fn new(handle: NDIS_HANDLE) -> Self {
        let _lock = PhantomData;
        Self { handle, _lock }
    }

    /// The string by which TAPI's applications know its call.
    pub(crate) fn tapi_call_id(&self) -> Result<CallId, Status> {
        let mut room = Room::new();
        // SAFETY: by LIVE (rule IRQL-35); NDIS calls nobody. The room is this function's, and as
        // large as it says (rule VC-59).
        let status = unsafe { ndis_sys::NdisCoGetTapiCallId(self.handle, room.as_mut_ptr()) };
        Status::from_raw(status).result()?;
        CallId::parse(&room)
    }
}

/// What NDIS gave, see NAMED.
struct Named {
    buffer: Opaque,
    /// In bytes.
    length: u16,
    /// The same, with the room behind it.
    maximum: u16,
}

impl Named {
    /// What NDIS has returned, if it is a string. By the caller as NAMED says.
    fn new(string: UNICODE_STRING) -> Option<Self> {
        (!string.Buffer.is_null()).then(|| Self {
            buffer: Opaque::new(string.Buffer.cast()),
            length: string.Length,
            maximum: string.MaximumLength,
        })
    }

    fn units(&self) -> &[u16] {
        // SAFETY: by NAMED the buffer is a string of NDIS's of this length in bytes, which stays
        // and does not change as long as the value is there.
        unsafe { slice::from_raw_parts(self.buffer.get().cast(), usize::from(self.length / 2)) }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let string = UNICODE_STRING {
            Length: self.length,
            MaximumLength: self.maximum,
            Buffer: self.buffer.get().cast(),
        };
        // SAFETY: by NAMED it is this driver's, and given back once; the VC is deleted (rule
        // VC-56). At or below DISPATCH_LEVEL, which `NdisFreeMemory`, that this is a name of, is
        // fine with (rule IRQL-166).
        unsafe { ndis_sys::NdisFreeString(string) };
    }
}

/// Where a VC keeps its name: in its state, under the lock of that.
pub(crate) struct Slot(Option<Named>);

impl Slot {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// The name, from NDIS if it is not known yet: it asks once, for each answer is memory.
    ///
    /// # Errors
    ///
    /// What NDIS says; [`Status::INVALID_DATA`] when it says nothing; [`Status::RESOURCES`].
    ///
    /// This is the slot of `vc`.
    pub(crate) fn assign(
        &mut self,
        vc: &LiveVc<'_>,
        base: Name<'_>,
    ) -> Result<InstanceName, Status> {
        base.counted(|base| self.assign_counted(vc, base))
    }

    fn assign_counted(
        &mut self,
        vc: &LiveVc<'_>,
        mut base: UNICODE_STRING,
    ) -> Result<InstanceName, Status> {
        if base.Length == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        if self.0.is_none() {
            let mut string = UNICODE_STRING {
                Length: 0,
                MaximumLength: 0,
                Buffer: ptr::null_mut(),
            };
            // SAFETY: by LIVE (rule IRQL-34); NDIS calls nobody. The base name is a text of
            // the driver's, and the variable this function's.
            let status = unsafe {
                ndis_sys::NdisCoAssignInstanceName(vc.handle, &raw mut base, &raw mut string)
            };
            Status::from_raw(status).result()?;
            self.0 = Named::new(string);
        }
        let named = self.0.as_ref().ok_or(Status::INVALID_DATA)?;
        Ok(InstanceName(Vec::try_from_slice(named.units(), Tag::NDIS)?))
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
