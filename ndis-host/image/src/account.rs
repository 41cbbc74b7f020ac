//! The account of a run, as a file of JSON: `cargo xtask wine` reads it.

use crate::kernel::{self, HANDLE, IoStatus, LARGE_INTEGER};
use alloc::string::String;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use ndis_host::platform::Lock;
use ndis_host::{Printed, Report};
use serde::Serialize;

/// What is written.
#[derive(Serialize)]
pub struct Account<'a> {
    /// Why the run ended early, if it did.
    pub failure: Option<&'a str>,
    pub report: Option<&'a Report>,
    pub printed: &'a [Printed],
    /// The event log, a line an event.
    pub events: &'a [String],
    /// The imports that were routed to the host: image, function.
    pub routed: &'a [(String, String)],
    /// Functions that stay the kernel's although the host has them.
    pub kept: &'a [&'a str],
}

/// The file.
static PATH: Lock<String> = Lock::new(String::new());

/// An account has been written: the first one is the one that counts.
static WRITTEN: AtomicBool = AtomicBool::new(false);

/// A run begins, whose account goes there. (Wine starts an image whose entry point has failed again
/// as it is.)
pub fn begin(path: &str) {
    *PATH.lock() = path.into();
    WRITTEN.store(false, Ordering::Release);
}

/// The image itself has failed: all that can be said is why.
pub fn write_failure(message: &str) {
    write(&Account {
        failure: Some(message),
        report: None,
        printed: &[],
        events: &[],
        routed: &[],
        kept: &[],
    });
}

const GENERIC_WRITE: u32 = 0x4000_0000;
const SYNCHRONIZE: u32 = 0x10_0000;
const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;
const FILE_OVERWRITE_IF: u32 = 5;
const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
const FILE_NON_DIRECTORY_FILE: u32 = 0x40;

/// Writes the account over what was there, once.
pub fn write(account: &Account<'_>) {
    if WRITTEN.swap(true, Ordering::AcqRel) {
        return;
    }
    let Ok(mut text) = serde_json::to_vec(account) else {
        kernel::print("ndis-host: the account cannot be put into JSON");
        return;
    };
    // The only end of a line: who waits for the account sees by it that it is whole.
    text.push(b'\n');
    let path = PATH.lock().clone();
    let mut wide: Vec<u16> = kernel::wide(&path);
    let mut name = kernel::counted(&mut wide);
    let mut attributes = kernel::named(&mut name);
    let mut io = IoStatus {
        status: 0,
        information: 0,
    };
    let mut file: HANDLE = ptr::null_mut();
    // SAFETY: PASSIVE_LEVEL; the structures live for the call.
    let status = unsafe {
        kernel::ZwCreateFile(
            &mut file,
            GENERIC_WRITE | SYNCHRONIZE,
            &mut attributes,
            &mut io,
            ptr::null_mut(),
            FILE_ATTRIBUTE_NORMAL,
            0,
            FILE_OVERWRITE_IF,
            FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE,
            ptr::null_mut(),
            0,
        )
    };
    if status < 0 {
        kernel::print(&alloc::format!(
            "ndis-host: cannot write {path}: {status:#010x}"
        ));
        return;
    }
    let mut offset = LARGE_INTEGER { QuadPart: 0 };
    // SAFETY: an open file, PASSIVE_LEVEL; the text lives for the call, which
    // is synchronous.
    let status = unsafe {
        kernel::ZwWriteFile(
            file,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut io,
            text.as_ptr().cast(),
            text.len() as u32,
            &mut offset,
            ptr::null_mut(),
        )
    };
    if status < 0 || io.information != text.len() {
        kernel::print(&alloc::format!(
            "ndis-host: {path}: {} of {} bytes written: {status:#010x}",
            io.information,
            text.len()
        ));
    }
    kernel::close(file);
}
