//! Imports of a driver from the kernel that the host answers.
//!
//! The kernel tells of every image that it has mapped, after its imports were
//! resolved and before its entry point is called. In a driver of NDIS's, which
//! is one that imports from `ndis.sys`, each import from the kernel that the
//! host defines is set to the host's function.
//!
//! # Invariants
//!
//! IMAGE: what the kernel has mapped at `base` is a whole PE image, whose
//! headers and import directory stay where they are until it is unloaded.

use crate::kernel::{self, HANDLE, ImageInfo, NTSTATUS, PVOID, UNICODE_STRING};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};
use ndis_host::platform::Lock;

/// What the kernel keeps although the host has it: the registry is the system's.
const KEPT: [&str; 3] = ["ZwOpenKey", "ZwQueryValueKey", "ZwClose"];
/// The kernel's modules, as drivers name them.
const KERNEL: [&str; 2] = ["ntoskrnl.exe", "hal.dll"];

static ROUTED: Lock<Vec<(String, String)>> = Lock::new(Vec::new());

/// Image and function of each import that was routed so far.
pub fn routed() -> Vec<(String, String)> {
    ROUTED.lock().clone()
}

/// From now on images are looked at.
pub fn begin() -> Result<(), NTSTATUS> {
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
    // SAFETY: the kernel describes the image.
    let Some(info) = (unsafe { info.as_ref() }) else {
        return;
    };
    // SAFETY: null, or the kernel's string.
    let name = match unsafe { name.as_ref() } {
        Some(name) if !name.Buffer.is_null() => {
            let len = usize::from(name.Length) / 2;
            // SAFETY: the kernel's string has so many characters.
            let units = unsafe { core::slice::from_raw_parts(name.Buffer, len) };
            String::from_utf16_lossy(units)
        }
        _ => String::new(),
    };
    let file = name.rsplit('\\').next().unwrap_or_default();
    let image = Image {
        base: info.base.cast(),
        size: info.size,
    };
    let imports = image.imports().unwrap_or_default();
    if imports
        .iter()
        .any(|i| i.module.eq_ignore_ascii_case("ndis.sys"))
    {
        for import in imports {
            route(file, &import);
        }
    }
}

fn route(file: &str, import: &Import) {
    let kernel = KERNEL
        .iter()
        .any(|module| import.module.eq_ignore_ascii_case(module));
    if !kernel || KEPT.contains(&import.name.as_str()) {
        return;
    }
    let host = ndis_host::exported().find(|(name, _)| *name == import.name);
    if let Some((_, address)) = host
        && import.slot.set(address)
    {
        ROUTED.lock().push((file.to_string(), import.name.clone()));
    }
}

/// One entry of an import table.
struct Import {
    module: String,
    name: String,
    slot: Slot,
}

/// Where the address of an imported function stands.
struct Slot(*mut usize);

const PAGE_READWRITE: u32 = 4;

impl Slot {
    /// Sets it; false when the page cannot be made writable.
    fn set(&self, address: usize) -> bool {
        let protect = kernel::ZwProtectVirtualMemory();
        // The current process.
        let process: HANDLE = core::ptr::without_provenance_mut(usize::MAX);
        let mut start: PVOID = self.0.cast();
        let mut size = size_of::<usize>();
        let mut before = 0;
        // SAFETY: PASSIVE_LEVEL; the page lies in the image (IMAGE).
        let status =
            unsafe { protect(process, &mut start, &mut size, PAGE_READWRITE, &mut before) };
        if status < 0 {
            return false;
        }
        // SAFETY: an entry of the import table (IMAGE), just made writable; the
        // image's code does not run yet.
        unsafe { self.0.write(address) };
        // SAFETY: as above.
        unsafe { protect(process, &mut start, &mut size, before, &mut before) };
        true
    }
}

/// A mapped image.
struct Image {
    base: *mut u8,
    size: usize,
}

/// The number of bytes of an entry in the import directory.
const DESCRIPTOR: usize = 20;
/// Set in an entry that names no function but has its number.
const BY_ORDINAL: usize = 1 << (usize::BITS - 1);

impl Image {
    /// Reads a number at an offset into the image; None outside of it.
    fn read<T: Copy>(&self, at: usize) -> Option<T> {
        let end = at.checked_add(size_of::<T>())?;
        if end > self.size {
            return None;
        }
        let place = self.base.wrapping_add(at).cast::<T>();
        // SAFETY: inside the image (IMAGE); the callers read integers.
        Some(unsafe { place.read_unaligned() })
    }

    fn text(&self, at: usize) -> Option<String> {
        if at >= self.size {
            return None;
        }
        let place = self.base.wrapping_add(at).cast::<c_char>();
        // SAFETY: names in an import directory end with a zero (IMAGE).
        let text = unsafe { CStr::from_ptr(place) };
        Some(text.to_string_lossy().into_owned())
    }

    /// The named imports; None when the headers make no sense.
    fn imports(&self) -> Option<Vec<Import>> {
        let headers = self.read::<u32>(0x3C)? as usize;
        // The optional header, and in it the directories, which stand further
        // back in a 64-bit image.
        let optional = headers + 24;
        let directories = optional + if usize::BITS == 64 { 112 } else { 96 };
        let mut descriptor = self.read::<u32>(directories + 8)? as usize;
        let mut found = Vec::new();
        if descriptor == 0 {
            return Some(found);
        }
        loop {
            let names = self.read::<u32>(descriptor)? as usize;
            let module = self.read::<u32>(descriptor + 12)? as usize;
            let slots = self.read::<u32>(descriptor + 16)? as usize;
            if module == 0 || names == 0 {
                return Some(found);
            }
            let module = self.text(module)?;
            for index in 0.. {
                let offset = index * size_of::<usize>();
                let entry = self.read::<usize>(names + offset)?;
                if entry == 0 {
                    break;
                }
                if entry & BY_ORDINAL == 0 {
                    found.push(Import {
                        module: module.clone(),
                        // A hint of two bytes comes before the name.
                        name: self.text(entry + 2)?,
                        slot: Slot(self.base.wrapping_add(slots + offset).cast()),
                    });
                }
            }
            descriptor += DESCRIPTOR;
        }
    }
}
