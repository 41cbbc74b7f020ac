//! Imports of a driver from the kernel that the host answers.
//!
//! The kernel tells of every image that it has mapped, after its imports were
//! resolved and before its entry point is called. In a driver of NDIS's, which
//! is one that imports from `ndis.sys`, each import from the kernel that the
//! host defines is set to the host's function. One that the host lacks stays the
//! kernel's if it only computes; else it is set to a function that refuses it.
//!
//! This is for loaders that run drivers in a process, as Wine does: the import
//! table is made writable as memory of the process.

use crate::image::{Image, Import};
use crate::kernel::{self, HANDLE, ImageInfo, NTSTATUS, PVOID, UNICODE_STRING};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ndis_host::{Refusal, platform::Lock};

/// What the kernel keeps although the host has it: the registry is the system's.
pub const KEPT: [&str; 2] = ["ZwOpenKey", "ZwQueryValueKey"];
/// The kernel's modules, as drivers name them.
const KERNEL: [&str; 2] = ["ntoskrnl.exe", "hal.dll"];

static ROUTED: Lock<Vec<(String, String)>> = Lock::new(Vec::new());
/// The first thing that went wrong.
static UNROUTED: Lock<Option<String>> = Lock::new(None);

/// The headers of an image take less.
const HEADERS: usize = 0x1000;

unsafe extern "C" {
    /// Where this image is; the linker knows.
    static __ImageBase: u8;
}

/// This image.
fn own() -> Option<Mapped> {
    let base = &raw const __ImageBase;
    // SAFETY: the headers of this image, which nobody writes.
    let image = unsafe { Image::new(base.cast_mut(), HEADERS) };
    Some(Mapped {
        file: "ndis.sys".to_string(),
        base: base.addr(),
        size: image.whole_size()?,
    })
}

/// An image in memory.
struct Mapped {
    file: String,
    base: usize,
    size: usize,
}

/// This image, and the drivers' that have been mapped; of one that has gone the place may be another one's, later in the list.
static MAPPED: Lock<Vec<Mapped>> = Lock::new(Vec::new());

/// Where an address of code is, in words.
pub fn place(address: usize) -> String {
    let mapped = MAPPED.lock();
    let inside = |image: &&Mapped| (image.base..image.base + image.size).contains(&address);
    match mapped.iter().rev().find(inside) {
        Some(image) => alloc::format!("{}+{:#x}", image.file, address - image.base),
        None => alloc::format!("code at {address:#x}, in no image known here"),
    }
}

/// Image and function of each import that was routed so far.
pub fn routed() -> Vec<(String, String)> {
    ROUTED.lock().clone()
}

/// What could not be routed, if anything: a driver's calls went past the host.
pub fn unrouted() -> Option<String> {
    UNROUTED.lock().clone()
}

fn fail(text: String) {
    UNROUTED.lock().get_or_insert(text);
}

/// From now on images are looked at.
pub fn begin() -> Result<(), NTSTATUS> {
    MAPPED.lock().extend(own());
    // SAFETY: the routine stays until `end`; PASSIVE_LEVEL.
    let status = unsafe { kernel::PsSetLoadImageNotifyRoutine(mapped) };
    if status < 0 { Err(status) } else { Ok(()) }
}

/// No longer.
pub fn end() {
    // SAFETY: the routine that `begin` has set; PASSIVE_LEVEL.
    unsafe { kernel::PsRemoveLoadImageNotifyRoutine(mapped) };
}

/// An image has been mapped.
unsafe extern "system" fn mapped(
    name: *mut UNICODE_STRING,
    _process: HANDLE,
    info: *mut ImageInfo,
) {
    // SAFETY: null, or the kernel's description of the image.
    let Some(info) = (unsafe { info.as_ref() }) else {
        return;
    };
    if !info.is_system() {
        return;
    }
    // SAFETY: null, or the kernel's string, for the time of this call.
    let name = String::from_utf16_lossy(unsafe { kernel::units(name) });
    let file = name.rsplit('\\').next().unwrap_or_default();
    // SAFETY: the kernel has just mapped an image of this size there, and its
    // code does not run yet.
    let image = unsafe { Image::new(info.base.cast(), info.size) };
    MAPPED.lock().push(Mapped {
        file: file.to_string(),
        base: info.base.addr(),
        size: info.size,
    });
    let Some(imports) = image.imports() else {
        fail(alloc::format!("the imports of {file} cannot be read"));
        return;
    };
    let of = |import: &Import, modules: &[&str]| {
        modules
            .iter()
            .any(|module| import.module.eq_ignore_ascii_case(module))
    };
    if imports.iter().any(|import| of(import, &["ndis.sys"])) {
        for import in imports.iter().filter(|import| of(import, &KERNEL)) {
            route(file, import);
        }
    }
}

fn route(file: &str, import: &Import) {
    if KEPT.contains(&import.name.as_str()) {
        return;
    }
    let host = ndis_host::exported().find(|(name, _)| *name == import.name);
    let address = match host {
        None => return refuse(file, import),
        Some(("ZwClose", _)) => (close as *const ()).addr(),
        Some((_, address)) => address,
    };
    if set(import, address) {
        ROUTED.lock().push((file.to_string(), import.name.clone()));
    } else {
        fail(alloc::format!("{} of {file} cannot be routed", import.name));
    }
}

/// What the host lacks.
fn refuse(file: &str, import: &Import) {
    let address = match ndis_host::refusal(&import.name) {
        _ if import.name == "MmGetSystemRoutineAddress" => (find as *const ()).addr(),
        Refusal::Harmless => return,
        Refusal::Refused(address) => address,
        Refusal::TooMany => {
            fail(alloc::format!(
                "{} of {file} cannot be refused",
                import.name
            ));
            return;
        }
    };
    if !set(import, address) {
        fail(alloc::format!("{} of {file} cannot be routed", import.name));
    }
}

/// `MmGetSystemRoutineAddress` for drivers: the address that an import of this name has.
unsafe extern "system" fn find(name: *mut UNICODE_STRING) -> PVOID {
    // SAFETY: the driver's string, for the time of this call.
    let text = String::from_utf16_lossy(unsafe { kernel::units(name) });
    let kept = KEPT.contains(&text.as_str());
    let host = ndis_host::exported().find(|(own, _)| *own == text && !kept);
    let address = match (host, ndis_host::refusal(&text)) {
        (Some(("ZwClose", _)), _) => (close as *const ()).addr(),
        (Some((_, address)), _) | (None, Refusal::Refused(address)) => address,
        // SAFETY: as above; PASSIVE_LEVEL, by the driver's contract.
        (None, _) => return unsafe { kernel::MmGetSystemRoutineAddress(name) },
    };
    core::ptr::with_exposed_provenance_mut(address)
}

/// `ZwClose` for drivers: threads are the host's, keys the kernel's.
unsafe extern "system" fn close(handle: HANDLE) -> NTSTATUS {
    unsafe extern "system" {
        /// The host's.
        fn ZwClose(handle: HANDLE) -> NTSTATUS;
    }
    if ndis_host::is_handle(handle.addr()) {
        // SAFETY: the host looks at a handle before it believes it.
        return unsafe { ZwClose(handle) };
    }
    let close = kernel::ZwClose();
    // SAFETY: the driver's handle, by its contract with the kernel.
    unsafe { close(handle) }
}

const PAGE_READWRITE: u32 = 4;

/// Sets an entry of an import table; false when its page cannot be written.
fn set(import: &Import, address: usize) -> bool {
    let protect = kernel::ZwProtectVirtualMemory();
    // The current process.
    let process: HANDLE = core::ptr::without_provenance_mut(usize::MAX);
    let mut start: PVOID = import.slot.cast();
    let mut size = size_of::<usize>();
    let mut before = 0;
    // SAFETY: PASSIVE_LEVEL; the page is the image's, whose code does not run
    // yet (`Image::imports` gives entries inside of the image only).
    let status = unsafe { protect(process, &mut start, &mut size, PAGE_READWRITE, &mut before) };
    if status < 0 {
        return false;
    }
    // SAFETY: as above, and just made writable.
    unsafe { import.slot.write_unaligned(address) };
    // SAFETY: as above.
    unsafe { protect(process, &mut start, &mut size, before, &mut before) };
    true
}
