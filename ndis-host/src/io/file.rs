//! Files: opened, asked, closed.

use super::request::{Answered, Asks, send};
use super::table::{Body, File};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{_FILE_OBJECT, UNICODE_STRING};

/// The routine that opens a device.
pub(super) const CREATE: &str = "DispatchCreate";

/// A request without data.
fn bare(major: i32, name: &'static str) -> Asks {
    Asks {
        major,
        name,
        control: None,
    }
}

impl State {
    /// A file on the device of this name, and what the name says beyond that.
    fn new_file(&mut self, path: &str, access: u32) -> Option<(u32, u32, String)> {
        let (device, rest) = self.io.named(path)?;
        let rest = String::from(rest);
        let record = self.io.devices.get_mut(&device)?;
        record.opening += 1;
        let mut body: _FILE_OBJECT = n::zeroed();
        body.Type = 5;
        body.Size = size_of::<_FILE_OBJECT>() as i16;
        body.DeviceObject = record.body.get();
        let number = self.number(Kind::File);
        let file = File {
            device,
            body: Body::new(body),
            access,
            opened: false,
            closing: false,
            origin: self.origin(),
        };
        self.io.files.insert(number, file);
        Some((device, number, rest))
    }

    fn end_file(&mut self, number: u32) {
        if let Some(file) = self.io.files.remove(&number) {
            self.histories.end(ObjectId::new(Kind::File, number));
            self.release_device(file.device);
        }
    }
}

/// Opens a device, or a name beneath it, with an access.
pub(super) fn open(cx: &Cx, path: &str, access: u32) -> Result<u32, i32> {
    let made = cx.with(|s| s.new_file(path, access));
    let Some((device, number, rest)) = made else {
        return Err(n::STATUS_OBJECT_NAME_NOT_FOUND);
    };
    let mut units: Vec<u16> = rest.encode_utf16().collect();
    let length = (units.len() * 2) as u16;
    let name = UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: units.as_mut_ptr(),
    };
    name_file(cx, number, name);
    let answer = send(cx, number, &bare(n::IRP_MJ_CREATE, CREATE));
    let none = UNICODE_STRING {
        Length: 0,
        MaximumLength: 0,
        Buffer: core::ptr::null_mut(),
    };
    name_file(cx, number, none);
    let opened = n::NT_SUCCESS(answer.status);
    cx.with(|s| {
        if let Some(device) = s.io.devices.get_mut(&device) {
            device.opening -= 1;
        }
        if opened {
            if let Some(file) = s.io.files.get_mut(&number) {
                file.opened = true;
            }
            s.release_device(device);
        } else {
            s.end_file(number);
        }
    });
    if opened {
        Ok(number)
    } else {
        Err(answer.status)
    }
}

/// What is opened beneath the device's name.
fn name_file(cx: &Cx, number: u32, name: UNICODE_STRING) {
    cx.with(|s| {
        if let Some(file) = s.io.files.get_mut(&number) {
            file.body.with(|file| file.FileName = name);
        }
    });
}

/// Asks a file's device for something.
pub(super) fn device_control(
    cx: &Cx,
    file: u32,
    code: u32,
    input: &[u8],
    room: usize,
) -> Result<Vec<u8>, i32> {
    let access = cx.with(|s| {
        let file = s.io.files.get(&file)?;
        (!file.closing).then_some(file.access)
    });
    let Some(access) = access else {
        return Err(n::STATUS_INVALID_HANDLE);
    };
    // What the code asks for is written as what a file is opened for.
    let wanted = (code >> 14) & 3;
    if access & wanted != wanted {
        return Err(n::STATUS_ACCESS_DENIED);
    }
    let asks = Asks {
        major: n::IRP_MJ_DEVICE_CONTROL,
        name: "DispatchDeviceControl",
        control: Some((code, input.to_vec(), room)),
    };
    let Answered { status, data } = send(cx, file, &asks);
    if n::NT_SUCCESS(status) {
        Ok(data)
    } else {
        Err(status)
    }
}

/// Closes a file's last handle; waits for what was asked before.
pub(super) fn close(cx: &Cx, file: u32) {
    let first = cx.with(|s| {
        let record = s.io.files.get_mut(&file)?;
        let first = !core::mem::replace(&mut record.closing, true);
        first.then_some(record.device)
    });
    let Some(device) = first else {
        return;
    };
    let has_cleanup = cx.with(|s| {
        let device = s.io.devices.get(&device);
        let slot = device.and_then(|d| d.routines.0.get(n::IRP_MJ_CLEANUP as usize).copied());
        slot.flatten().is_some()
    });
    if has_cleanup {
        let cleanup = bare(n::IRP_MJ_CLEANUP, "DispatchCleanup");
        send(cx, file, &cleanup);
        super::cancel::check_cleanup(cx, file);
    }
    let (who, object) = cx.with(|s| (s.who(), ObjectId::new(Kind::File, file)));
    let what = "the requests of a file that is closed";
    cx.wait_until("DEV-10", &who, Some(object), what, move |s| {
        !s.io.requests.values().any(|request| request.file == file)
    });
    send(cx, file, &bare(n::IRP_MJ_CLOSE, "DispatchClose"));
    cx.with(|s| s.end_file(file));
}

/// Closes the files that programs have open on a driver's devices, or are about to open: it is not
/// unloaded before.
pub(crate) fn close_all_of(cx: &Cx, driver: u32) {
    let who = cx.with(|s| s.who());
    let what = "the end of the driver's files";
    while cx.with(|s| s.io.has_files(driver)) {
        if let Some(file) = cx.with(|s| s.io.open_file_of(driver)) {
            close(cx, file);
        }
        cx.wait_until("", &who, None, what, move |s| {
            !s.io.has_files(driver) || s.io.open_file_of(driver).is_some()
        });
    }
}
