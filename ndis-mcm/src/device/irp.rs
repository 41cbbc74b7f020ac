//! [`Irp`]: an I/O request that has come to a dispatch routine.
//!
//! # Invariants
//!
//! IRP: an [`Irp`] points to a request of the I/O manager's whose dispatch routine runs, and that
//! is not completed. It is the driver's meanwhile, with the stack location that it names; the file
//! object in there is null or lives longer, and its two contexts are the driver's (rules [DEV-09],
//! [DEV-12]). The values die before [`Irp::complete`] or with it.
//!
//! BUFFER: the memory at `SystemBuffer` of a buffered request belongs to that request: as much as
//! the greater one of the two lengths, and nobody else looks at it before the completion (rule
//! [DEV-17]).
//!
//! [DEV-09]: ndis_sys::rules#DEV-09
//! [DEV-12]: ndis_sys::rules#DEV-12
//! [DEV-17]: ndis_sys::rules#DEV-17

use core::{ffi::c_void, ptr::NonNull, slice};
use ndis_co::{
    Status,
    callback::{Argument, FromNdis},
    irql::Passive,
};
use ndis_sys::{IO_STACK_LOCATION, IRP, NTSTATUS};

/// A request as IRP says.
pub(super) struct Irp(NonNull<IRP>);

/// What a request for device control says of itself.
pub(super) struct Asked {
    pub(super) code: u32,
    pub(super) input: usize,
    pub(super) output: usize,
}

impl Argument<*mut IRP> for Irp {
    fn from_ndis(irp: FromNdis<*mut IRP, Self>) -> Option<Self> {
        // By ARGUMENT it is the request of the dispatch routine that runs.
        NonNull::new(irp.raw()).map(Self)
    }
}

impl Irp {
    /// The parameters for this driver (rule [DEV-09]).
    ///
    /// [DEV-09]: ndis_sys::rules#DEV-09
    fn location(&self) -> &IO_STACK_LOCATION {
        // SAFETY: by IRP the request is the driver's.
        let location = unsafe { ndis_sys::IoGetCurrentIrpStackLocation(self.0.as_ptr()) };
        // SAFETY: by IRP it is there, and nobody writes it meanwhile.
        unsafe { &*location }
    }

    /// Whether the request is about a file, and what is opened is the device itself, not a name
    /// beneath it.
    pub(super) fn opens_device(&self) -> bool {
        let file = self.location().FileObject;
        // SAFETY: by IRP null or a file object, whose name stays as it is during the open.
        unsafe { file.as_ref() }.is_some_and(|file| file.FileName.Length == 0)
    }

    /// Where the file object keeps the driver's context.
    fn context(&self) -> Option<NonNull<*mut c_void>> {
        let file = NonNull::new(self.location().FileObject)?;
        // SAFETY: by IRP the file object is there; only a place is computed.
        NonNull::new(unsafe { &raw mut (*file.as_ptr()).FsContext })
    }

    /// What was kept with the file, or null.
    pub(super) fn kept(&self) -> *mut c_void {
        self.context().map_or(core::ptr::null_mut(), |place| {
            // SAFETY: by IRP the context is the driver's, and it is written by the open only,
            // which was over before anything else came, and by the close, which is the last.
            unsafe { place.read() }
        })
    }

    /// Keeps a pointer with the file.
    pub(super) fn keep(&self, context: *mut c_void) {
        if let Some(place) = self.context() {
            // SAFETY: as for `kept`: this is the open or the close.
            unsafe { place.write(context) };
        }
    }

    /// What is asked of the device.
    pub(super) fn asked(&self) -> Asked {
        let parameters = &self.location().Parameters;
        // SAFETY: numbers, which any pattern is. In the routine for device control they are what
        // the I/O manager has put there.
        let control = unsafe { &parameters.DeviceIoControl };
        Asked {
            code: control.IoControlCode,
            input: control.InputBufferLength as usize,
            output: control.OutputBufferLength as usize,
        }
    }

    /// The data of a buffered request, with zeros behind the input (rule [DEV-18]).
    ///
    /// # Safety
    ///
    /// The request is one for device control with buffered data, `asked` is what it says, and the
    /// result is used before its dispatch routine returns, once.
    ///
    /// [DEV-18]: ndis_sys::rules#DEV-18
    pub(super) unsafe fn buffer<'r>(&self, asked: &Asked) -> &'r mut [u8] {
        // SAFETY: by IRP the request is there.
        let data = unsafe { &(*self.0.as_ptr()).AssociatedIrp };
        // SAFETY: by the caller this one is meant; a pointer is any pattern.
        let data = unsafe { data.SystemBuffer }.cast::<u8>();
        let len = asked.input.max(asked.output);
        let Some(data) = NonNull::new(data).filter(|_| asked.input <= len) else {
            return &mut [];
        };
        // SAFETY: by BUFFER; nobody has read these bytes, so whatever is there may go.
        unsafe { data.add(asked.input).write_bytes(0, len - asked.input) };
        // SAFETY: by BUFFER and the caller.
        unsafe { slice::from_raw_parts_mut(data.as_ptr(), len) }
    }

    /// How many bytes go back (rule [DEV-14]).
    ///
    /// [DEV-14]: ndis_sys::rules#DEV-14
    pub(super) fn set_information(&self, length: usize) {
        // SAFETY: by IRP the request is the driver's; only a place is computed.
        let place = unsafe { &raw mut (*self.0.as_ptr()).IoStatus.Information };
        // SAFETY: as above.
        unsafe { place.write(length as ndis_sys::ULONG_PTR) };
    }

    /// One more pointer to the same request, which dies before this one.
    pub(super) fn again(&self) -> Self {
        Self(self.0)
    }

    /// Completes the request (rules [DEV-10], [DEV-13]): the driver does not look at it any more.
    ///
    /// [DEV-10]: ndis_sys::rules#DEV-10
    /// [DEV-13]: ndis_sys::rules#DEV-13
    pub(super) fn complete(self, status: Status, irql: &mut Passive) {
        let _ = irql;
        // SAFETY: by IRP the request is the driver's; only a place is computed.
        let place = unsafe { &raw mut (*self.0.as_ptr()).IoStatus };
        // The status is the first member.
        let place = place.cast::<NTSTATUS>();
        // SAFETY: as above.
        unsafe { place.write(status.raw()) };
        // SAFETY: by IRP it is not completed; this value was the last one, and no lock is held.
        unsafe {
            ndis_sys::IoCompleteRequest(
                self.0.as_ptr(),
                ndis_sys::IO_NO_INCREMENT as ndis_sys::CCHAR,
            );
        };
    }
}
