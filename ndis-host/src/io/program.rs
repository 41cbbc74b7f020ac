//! Programs in user mode: what a test opens, asks and closes.

use super::{cancel::cancel_file, file};
use crate::cx::Cx;
use crate::host::Host;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys::NTSTATUS;

/// A file that a program has opened on a control device.
///
/// [`Host::open`] makes one for a test's own thread. What runs as a task, by [`Host::spawn`], uses
/// the functions here: they run the driver's dispatch routines in that task.
///
/// ```
/// use ndis_host::{Host, OpenFile};
///
/// /// A program that asks the same again and again.
/// fn ask(host: &Host, code: u32) {
///     host.spawn("a program", move || {
///         let file = OpenFile::open(r"\\.\Lamp").expect("it is there");
///         for _ in 0..10 {
///             file.device_control(code, &[], 4).expect("it is answered");
///         }
///         file.close();
///     });
/// }
/// ```
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a file that is not closed keeps its driver from being unloaded"]
pub struct OpenFile {
    host: u32,
    number: u32,
}

/// What a program that says nothing else opens a device for.
const READ_AND_WRITE: u32 = 3;

impl OpenFile {
    /// Opens a device by its link, `\\.\Name`, or by its own name, for reading and writing.
    ///
    /// # Errors
    ///
    /// `STATUS_OBJECT_NAME_NOT_FOUND`, or what the driver answers.
    ///
    /// # Panics
    ///
    /// Outside of a task of a host's.
    pub fn open(path: &str) -> Result<Self, NTSTATUS> {
        Self::open_for(path, READ_AND_WRITE)
    }

    /// As [`open`](Self::open), for `FILE_READ_DATA` (1), `FILE_WRITE_DATA` (2), both or none.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn open_for(path: &str, access: u32) -> Result<Self, NTSTATUS> {
        let cx = Cx::of_task();
        Self::on(&cx, path, access)
    }

    fn on(cx: &Cx, path: &str, access: u32) -> Result<Self, NTSTATUS> {
        let number = file::open(cx, path, access)?;
        Ok(Self {
            host: cx.core.id,
            number,
        })
    }

    /// Sends a control code, with data, and room for the answer.
    ///
    /// The driver may answer later: the task waits. Time has to pass for that without an end
    /// ([`Host::run_for`]): when nothing is left to do in a [`Host::run`], the program goes, and what it
    /// waits for is cancelled.
    ///
    /// # Errors
    ///
    /// What the driver answers; `STATUS_ACCESS_DENIED` when the file was not opened for what the
    /// code asks.
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn device_control(
        &self,
        code: u32,
        input: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, NTSTATUS> {
        let cx = Cx::of_task();
        file::device_control(&cx, self.number, code, input, room)
    }

    /// Cancels what was asked of the file in other tasks and is under way. The driver decides when
    /// that is over, and how.
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn cancel(&self) {
        cancel_file(&Cx::of_task(), self.number);
    }

    /// Closes the file.
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn close(self) {
        self.close_handle();
    }

    /// As [`close`](Self::close), while another task of the program waits for what it has asked: the
    /// driver cleans the file up, and that is cancelled.
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn close_handle(&self) {
        file::close(&Cx::of_task(), self.number);
    }
}

impl Host {
    /// A program opens a device, see [`OpenFile::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open(&self, path: &str) -> Result<OpenFile, NTSTATUS> {
        self.open_for(path, READ_AND_WRITE)
    }

    /// A program opens a device, see [`OpenFile::open_for`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_for(&self, path: &str, access: u32) -> Result<OpenFile, NTSTATUS> {
        let path = String::from(path);
        self.step("a program opens a device", move |cx| {
            OpenFile::on(cx, &path, access)
        })
    }

    /// A program asks a device for something, see [`OpenFile::device_control`]. What the driver answers only
    /// after something else has been done is asked in a [task](Host::spawn).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn device_control(
        &self,
        file: &OpenFile,
        code: u32,
        input: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, NTSTATUS> {
        self.check(file.host);
        let (number, input) = (file.number, Vec::from(input));
        self.step("a program asks a device", move |cx| {
            file::device_control(cx, number, code, &input, room)
        })
    }

    /// A program cancels what it has asked, see [`OpenFile::cancel`].
    pub fn cancel_io(&self, file: &OpenFile) {
        self.check(file.host);
        let number = file.number;
        self.step("a program cancels", move |cx| cancel_file(cx, number));
    }

    /// A program closes a file.
    pub fn close(&self, file: OpenFile) {
        self.check(file.host);
        self.step("a program closes a file", move |cx| {
            file::close(cx, file.number);
        });
    }
}
