//! [`Irp`]: an I/O request that has come to a dispatch routine, and [`Asked`]: what one for device
//! control brings.
//!
//! # Invariants
//!
//! IRP: an [`Irp`] points to a request of the I/O manager's whose dispatch routine runs, and that
//! is not completed. It is the driver's meanwhile, with the stack location that it names; the file
//! object in there is null or lives longer, and its contexts are the driver's (rules [DEV-09],
//! [DEV-12]): the open writes one before anything else comes for the file, and the close after
//! everything else. An `Irp` dies before [`Irp::complete`] or with it: the one in an [`Asked`] is
//! gone when the answer is there, which the routine completes the request with.
//!
//! BUFFER: the memory at `SystemBuffer` of a request for device control with buffered data belongs
//! to that request: as much as the greater one of its two lengths, and nobody else looks at it
//! before the completion (rule [DEV-17]).
//!
//! [DEV-09]: ndis_sys::rules#DEV-09
//! [DEV-12]: ndis_sys::rules#DEV-12
//! [DEV-17]: ndis_sys::rules#DEV-17

use super::code::{ControlCode, Method};
use core::{ffi::c_void, ptr::NonNull, slice};
use ndis_co::{
    Answer, Status,
    answer::Request,
    callback::{Argument, FromNdis},
    irql::Passive,
};
use ndis_sys::{_FILE_OBJECT, IO_STACK_LOCATION, IRP, NTSTATUS};

/// A request as IRP says.
pub(super) struct Irp(NonNull<IRP>);

/// A request for device control with buffered data, and the right to answer it.
pub(super) struct Asked<'r> {
    request: Request<'r>,
    irp: Irp,
    pub(super) code: ControlCode,
    /// The first bytes of the data, which are the program's.
    pub(super) input: usize,
    /// As many bytes there is room for.
    pub(super) output: usize,
    pub(super) data: &'r mut [u8],
}

/// The place of a member of what an `Irp` points to, or of what that leads to.
macro_rules! place {
    ($place:expr) => {
        // SAFETY: by IRP the structure is there; only a place is computed.
        unsafe { &raw mut $place }
    };
}

/// A member's value.
macro_rules! read {
    ($place:expr) => {{
        let place = place!($place);
        // SAFETY: by IRP it is there, and nobody writes it meanwhile. Numbers and pointers are any
        // pattern.
        unsafe { place.read() }
    }};
}

/// Changes a member.
macro_rules! write {
    ($place:expr, $value:expr) => {{
        let (place, value) = (place!($place), $value);
        // SAFETY: by IRP it is the driver's.
        unsafe { place.write(value) }
    }};
}

impl Argument<*mut IRP> for Irp {
    fn from_ndis(irp: FromNdis<*mut IRP, Self>) -> Option<Self> {
        // By ARGUMENT it is the request of the dispatch routine that runs.
        NonNull::new(irp.raw()).map(Self)
    }
}

impl Irp {
    /// The parameters for this driver.
    fn location(&self) -> *mut IO_STACK_LOCATION {
        // SAFETY: by IRP the request is the driver's.
        unsafe { ndis_sys::IoGetCurrentIrpStackLocation(self.0.as_ptr()) }
    }

    fn file(&self) -> Option<NonNull<_FILE_OBJECT>> {
        NonNull::new(read!((*self.location()).FileObject))
    }

    /// Whether what is opened is the device itself, not a name beneath it.
    pub(super) fn opens_device(&self) -> bool {
        self.file()
            .is_some_and(|file| read!((*file.as_ptr()).FileName.Length) == 0)
    }

    /// What was kept with the file, or null.
    pub(super) fn kept(&self) -> *mut c_void {
        self.file().map_or(core::ptr::null_mut(), |file| {
            read!((*file.as_ptr()).FsContext)
        })
    }

    /// Keeps a pointer with the file that is opened or closed.
    pub(super) fn keep(&self, context: *mut c_void) {
        if let Some(file) = self.file() {
            write!((*file.as_ptr()).FsContext, context);
        }
    }

    /// What a program asks of the device. Data that are not buffered are refused, and zeros are
    /// behind the input (rule [DEV-18]).
    ///
    /// [DEV-18]: ndis_sys::rules#DEV-18
    pub(super) fn asked<'r>(&self, request: Request<'r>) -> Result<Asked<'r>, Answer<'r>> {
        let location = self.location();
        let control = place!((*location).Parameters.DeviceIoControl);
        let code = ControlCode::from_raw(read!((*control).IoControlCode));
        let major = read!((*location).MajorFunction);
        if i32::from(major) != ndis_sys::IRP_MJ_DEVICE_CONTROL || code.method() != Method::Buffered
        {
            return Err(request.answer(Status::INVALID_DEVICE_REQUEST));
        }
        let input = read!((*control).InputBufferLength) as usize;
        let output = read!((*control).OutputBufferLength) as usize;
        let data = read!((*self.0.as_ptr()).AssociatedIrp.SystemBuffer);
        let data = match NonNull::new(data.cast::<u8>()) {
            // SAFETY: by BUFFER. It is reached by this slice alone, for the time of the request:
            // there is one `Request`, which stays with it.
            Some(data) => unsafe { slice::from_raw_parts_mut(data.as_ptr(), input.max(output)) },
            None => &mut [],
        };
        if let Some(rest) = data.get_mut(input..) {
            rest.fill(0);
        }
        Ok(Asked {
            request,
            irp: Self(self.0),
            code,
            input,
            output,
            data,
        })
    }

    /// How many bytes go back (rule [DEV-14]).
    ///
    /// [DEV-14]: ndis_sys::rules#DEV-14
    pub(super) fn set_information(&self, length: usize) {
        // An `usize` here, a `u64` in `wdk-sys`.
        write!((*self.0.as_ptr()).IoStatus.Information, length as _);
    }

    /// Completes the request (rules [DEV-10], [DEV-13]): the driver does not look at it any more.
    ///
    /// [DEV-10]: ndis_sys::rules#DEV-10
    /// [DEV-13]: ndis_sys::rules#DEV-13
    pub(super) fn complete(self, status: Status, irql: &mut Passive) {
        let _ = irql;
        // The status is the first member of its block.
        let block = place!((*self.0.as_ptr()).IoStatus).cast::<NTSTATUS>();
        // SAFETY: by IRP it is the driver's.
        unsafe { block.write(status.raw()) };
        let boost = ndis_sys::IO_NO_INCREMENT as ndis_sys::CCHAR;
        // SAFETY: by IRP it is not completed; this value was the last one, and by the proof no
        // lock is held.
        unsafe { ndis_sys::IoCompleteRequest(self.0.as_ptr(), boost) };
    }
}

impl<'r> Asked<'r> {
    /// Answers: with so many bytes of the data, or a failure.
    pub(super) fn answer(self, result: Result<usize, Status>) -> Answer<'r> {
        let status = match result {
            Ok(length) => {
                self.irp.set_information(length);
                Status::SUCCESS
            }
            Err(failure) => failure.as_failure(),
        };
        self.request.answer(status)
    }
}
