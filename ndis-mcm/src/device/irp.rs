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
//! PENDED: a [`Pended`] is a request for device control that its dispatch routine has marked as pending
//! and that is not completed. There is one for each, and whoever has it in its slot's lock may look at
//! the request: it is taken out there by who completes it, be it with the cancel routine or as the
//! cancel routine (rule [DEV-28]).
//!
//! BUFFER: the memory at `SystemBuffer` of a request for device control with buffered data belongs
//! to that request: as much as the greater one of its two lengths, and nobody else looks at it
//! before the completion (rule [DEV-17]).
//!
//! [DEV-09]: ndis_sys::rules#DEV-09
//! [DEV-12]: ndis_sys::rules#DEV-12
//! [DEV-17]: ndis_sys::rules#DEV-17
//! [DEV-28]: ndis_sys::rules#DEV-28

use super::code::{ControlCode, Method};
use core::{
    ffi::c_void,
    ptr::NonNull,
    slice,
    sync::atomic::{AtomicU8, Ordering},
};
use ndis_co::{
    Answer, Status,
    answer::Request,
    callback::{Argument, FromNdis},
    irql::UpToDispatch,
    raw::Token,
};
use ndis_sys::{_FILE_OBJECT, DRIVER_CANCEL, IO_STACK_LOCATION, IRP, NTSTATUS};

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
    pub(super) data: Data,
}

/// The memory of a request for device control, as BUFFER says.
///
/// No slice: the token of the request is an argument of the driver's function, which may have it
/// answered, and so given back with its memory, before it returns. What an argument refers to has to
/// stay until then.
pub(super) struct Data {
    start: Token<u8>,
    len: usize,
}

impl Data {
    /// Lent as the token is, which its answer consumes.
    pub(super) fn bytes(&self) -> &[u8] {
        match NonNull::new(self.start.0) {
            // SAFETY: by BUFFER; whoever has this has the request, which is not completed meanwhile.
            Some(start) => unsafe { slice::from_raw_parts(start.as_ptr(), self.len) },
            None => &[],
        }
    }

    /// As [`bytes`](Self::bytes), to write.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match NonNull::new(self.start.0) {
            // SAFETY: as above; it is reached through this alone, which is borrowed exclusively.
            Some(start) => unsafe { slice::from_raw_parts_mut(start.as_ptr(), self.len) },
            None => &mut [],
        }
    }

    /// The front of it, for what goes back.
    fn front(self, len: usize) -> Self {
        let len = len.min(self.len);
        Self { len, ..self }
    }
}

/// The place of a member of what an `Irp` points to, or of what that leads to.
macro_rules! place {
    ($place:expr) => {
        // SAFETY: by IRP the structure is there; only a place is computed.
        unsafe { &raw mut $place }
    };
}

/// The place of the first word that is the driver's.
macro_rules! word {
    ($irp:expr) => {
        // SAFETY: by IRP or PENDED the request is there; only a place is computed.
        unsafe { ndis_sys::irp_driver_context($irp) }.cast::<*mut c_void>()
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
        let len = if data.is_null() { 0 } else { input.max(output) };
        let start = Token(data.cast());
        let mut data = Data { start, len };
        if let Some(rest) = data.bytes_mut().get_mut(input..) {
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
    pub(super) fn complete(self, status: Status, irql: &mut UpToDispatch) {
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

/// The program has too little room for the answer.
pub(super) const TOO_SMALL: Status = Status::from_raw(ndis_sys::STATUS_BUFFER_TOO_SMALL);

/// Puts an answer where it goes back from, if it has room there; its length.
pub(super) fn put(buffer: &mut [u8], data: &[u8]) -> Result<usize, Status> {
    let place = buffer.get_mut(..data.len()).ok_or(TOO_SMALL)?;
    for (to, from) in place.iter_mut().zip(data) {
        *to = *from;
    }
    Ok(data.len())
}

/// A request that is answered later, as PENDED says.
pub(super) struct Pended {
    irp: Token<IRP>,
    /// The memory of what goes back.
    data: Data,
}

impl<'r> Asked<'r> {
    /// How many bytes may go back. Less than was said when there is no memory, which the I/O manager sees
    /// to.
    pub(super) fn room(&self) -> usize {
        self.output.min(self.data.len)
    }

    /// The request is answered later (rule [DEV-30]).
    ///
    /// [DEV-30]: ndis_sys::rules#DEV-30
    pub(super) fn pend(self) -> (Answer<'r>, Pended) {
        let room = self.room();
        let data = self.data.front(room);
        let irp = self.irp.0.as_ptr();
        // SAFETY: by IRP the request is the driver's.
        unsafe { ndis_sys::IoMarkIrpPending(irp) };
        let irp = Token(irp);
        let pended = Pended { irp, data };
        (self.request.answer(Status::PENDING), pended)
    }
}

impl Pended {
    /// From here on the request can be cancelled: `routine` finds `context` there. Once, and while
    /// the slot of this is locked.
    pub(super) fn arm(&self, context: *mut c_void, routine: DRIVER_CANCEL) {
        let word = word!(self.irp.0);
        // SAFETY: by PENDED it is the driver's.
        unsafe { word.write(context) };
        // SAFETY: by PENDED; it was marked as pending (rule DEV-30).
        unsafe { ndis_sys::IoSetCancelRoutine(self.irp.0, Some(routine)) };
    }

    /// Takes the cancel routine away. If that is being called, it has the request.
    pub(super) fn disarm(&self) -> bool {
        // SAFETY: by PENDED, for whoever has locked the slot.
        unsafe { ndis_sys::IoSetCancelRoutine(self.irp.0, None) }.is_some()
    }

    /// Whether it was cancelled, maybe before it had a cancel routine.
    pub(super) fn is_cancelled(&self) -> bool {
        let place = place!((*self.irp.0).Cancel);
        // SAFETY: by PENDED the byte is there; the I/O manager may write it meanwhile.
        let cancel = unsafe { AtomicU8::from_ptr(place.cast()) };
        cancel.load(Ordering::SeqCst) != 0
    }

    /// The memory of what goes back.
    pub(super) fn data(&mut self) -> &mut [u8] {
        self.data.bytes_mut()
    }

    /// The request, for who completes it.
    pub(super) fn into_irp(self) -> Option<Irp> {
        NonNull::new(self.irp.0).map(Irp)
    }
}

impl Irp {
    /// The request of a cancel routine.
    ///
    /// # Safety
    ///
    /// The cancel routine was called with it, and nobody else has it.
    pub(super) unsafe fn of_cancel(irp: *mut IRP) -> Option<Self> {
        NonNull::new(irp).map(Self)
    }

    /// What [`Pended::arm`] has put there.
    pub(super) fn context(&self) -> *mut c_void {
        let word = word!(self.0.as_ptr());
        // SAFETY: by IRP it is the driver's; a pointer is any pattern.
        unsafe { word.read() }
    }

    /// Where a cancel routine has to go back to (rule [DEV-27]).
    ///
    /// [DEV-27]: ndis_sys::rules#DEV-27
    pub(super) fn cancel_irql(&self) -> ndis_sys::KIRQL {
        read!((*self.0.as_ptr()).CancelIrql)
    }
}
