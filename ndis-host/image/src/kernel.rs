//! What this image asks of the kernel below it.

use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};
pub use ndis_sys::{
    DRIVER_OBJECT, HANDLE, LARGE_INTEGER, NTSTATUS, OBJECT_ATTRIBUTES, PVOID, UNICODE_STRING,
};

/// Where a call of the system says what came of it.
#[repr(C)]
pub struct IoStatus {
    pub status: usize,
    pub information: usize,
}

/// What a load-image routine is told.
#[repr(C)]
pub struct ImageInfo {
    pub properties: u32,
    pub base: *mut c_void,
    pub selector: u32,
    pub size: usize,
    pub section: u32,
}

impl ImageInfo {
    /// Whether it is an image of the kernel's, not one of a process.
    pub fn is_system(&self) -> bool {
        // The addressing mode takes the first eight bits.
        self.properties & 0x100 != 0
    }
}

/// A routine that is told of every image that has been mapped.
pub type LoadImageRoutine = unsafe extern "system" fn(*mut UNICODE_STRING, HANDLE, *mut ImageInfo);

type ThreadRoutine = unsafe extern "system" fn(*mut c_void);

// Functions that the host does not define itself.
#[cfg_attr(
    not(target_arch = "x86"),
    link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")
)]
#[cfg_attr(
    target_arch = "x86",
    link(
        name = "ntoskrnl.exe",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "system" {
    pub fn MmGetSystemRoutineAddress(name: *mut UNICODE_STRING) -> PVOID;
    pub fn PsSetLoadImageNotifyRoutine(routine: LoadImageRoutine) -> NTSTATUS;
    pub fn PsRemoveLoadImageNotifyRoutine(routine: LoadImageRoutine) -> NTSTATUS;
    pub fn PsGetCurrentThreadId() -> HANDLE;
    pub fn ZwLoadDriver(service: *mut UNICODE_STRING) -> NTSTATUS;
    pub fn ZwUnloadDriver(service: *mut UNICODE_STRING) -> NTSTATUS;
    pub fn ZwCreateEvent(
        event: *mut HANDLE,
        access: u32,
        attributes: *mut OBJECT_ATTRIBUTES,
        kind: i32,
        state: u8,
    ) -> NTSTATUS;
    pub fn ZwSetEvent(event: HANDLE, before: *mut i32) -> NTSTATUS;
    pub fn ZwWaitForSingleObject(
        object: HANDLE,
        alertable: u8,
        timeout: *mut LARGE_INTEGER,
    ) -> NTSTATUS;
    pub fn ZwCreateFile(
        file: *mut HANDLE,
        access: u32,
        attributes: *mut OBJECT_ATTRIBUTES,
        status: *mut IoStatus,
        allocation: *mut LARGE_INTEGER,
        file_attributes: u32,
        share: u32,
        disposition: u32,
        options: u32,
        extended: PVOID,
        extended_length: u32,
    ) -> NTSTATUS;
    pub fn ZwWriteFile(
        file: HANDLE,
        event: HANDLE,
        routine: PVOID,
        context: PVOID,
        status: *mut IoStatus,
        buffer: *const c_void,
        length: u32,
        offset: *mut LARGE_INTEGER,
        key: *mut u32,
    ) -> NTSTATUS;
    pub fn KeBugCheck(code: u32);
}

/// Functions whose names the host has as well, found at run time.
macro_rules! found {
    ($($name:ident: fn($($argument:ty),*) -> $result:ty;)+) => {
        /// Where each function is; 0 as long as that is not known.
        #[allow(non_upper_case_globals)]
        mod addresses {
            use super::AtomicUsize;
            $(pub static $name: AtomicUsize = AtomicUsize::new(0);)+
        }

        /// Finds the functions; call it before anything else of this crate.
        pub fn find() -> Result<(), NTSTATUS> {
            $(addresses::$name.store(address_of(stringify!($name))?, Ordering::Release);)+
            Ok(())
        }

        $(
            /// The kernel's function of this name; before `find` the system stops.
            #[allow(non_snake_case)]
            pub fn $name() -> unsafe extern "system" fn($($argument),*) -> $result {
                let address = addresses::$name.load(Ordering::Acquire);
                if address == 0 {
                    stop();
                }
                // SAFETY: not 0, so `find` has stored the address of the
                // kernel's function of this name, whose prototype this is.
                unsafe { core::mem::transmute::<usize, _>(address) }
            }
        )+
    };
}

found! {
    ExAllocatePoolWithTag: fn(i32, usize, u32) -> PVOID;
    ExFreePoolWithTag: fn(PVOID, u32) -> ();
    PsCreateSystemThread: fn(
        *mut HANDLE, u32, PVOID, HANDLE, PVOID, ThreadRoutine, PVOID
    ) -> NTSTATUS;
    ZwOpenKey: fn(*mut HANDLE, u32, *mut OBJECT_ATTRIBUTES) -> NTSTATUS;
    ZwQueryValueKey: fn(HANDLE, *mut UNICODE_STRING, i32, PVOID, u32, *mut u32) -> NTSTATUS;
    ZwClose: fn(HANDLE) -> NTSTATUS;
    vDbgPrintEx: fn(u32, u32, *const u8, PVOID) -> u32;
    ZwProtectVirtualMemory: fn(HANDLE, *mut PVOID, *mut usize, u32, *mut u32) -> NTSTATUS;
}

/// There is no such function.
const STATUS_PROCEDURE_NOT_FOUND: NTSTATUS = 0xC000_007A_u32 as i32;

/// The longest name of a function above, with its zero.
const LONGEST: usize = 32;

fn address_of(name: &str) -> Result<usize, NTSTATUS> {
    // On the stack: there is no heap yet.
    let mut wide = [0_u16; LONGEST];
    for (to, from) in wide.iter_mut().zip(name.bytes()) {
        *to = u16::from(from);
    }
    let mut string = UNICODE_STRING {
        Length: (name.len() * 2) as u16,
        MaximumLength: (LONGEST * 2) as u16,
        Buffer: wide.as_mut_ptr(),
    };
    // SAFETY: a counted string that lives for the call; PASSIVE_LEVEL.
    let address = unsafe { MmGetSystemRoutineAddress(&raw mut string) };
    if address.is_null() {
        Err(STATUS_PROCEDURE_NOT_FOUND)
    } else {
        Ok(address.addr())
    }
}

/// A counted string over `text`, which ends with a zero that is not counted.
pub fn counted(text: &mut [u16]) -> UNICODE_STRING {
    let bytes = (text.len() * 2).min(0xFFFE) as u16;
    UNICODE_STRING {
        Length: bytes.saturating_sub(2),
        MaximumLength: bytes,
        Buffer: text.as_mut_ptr(),
    }
}

/// The characters of a counted string; none when there is no string.
///
/// # Safety
///
/// `string` is null or points to a string of the kernel's, which stays as it is
/// for `'s`.
pub unsafe fn units<'s>(string: *const UNICODE_STRING) -> &'s [u16] {
    // SAFETY: null or a valid string, by the caller.
    match unsafe { string.as_ref() } {
        Some(string) if !string.Buffer.is_null() => {
            let len = usize::from(string.Length) / 2;
            // SAFETY: the string has so many characters, by the caller.
            unsafe { core::slice::from_raw_parts(string.Buffer, len) }
        }
        _ => &[],
    }
}

/// `text` in UTF-16 with a zero at its end.
pub fn wide(text: &str) -> alloc::vec::Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Attributes of an object of this name.
pub fn named(name: &mut UNICODE_STRING) -> OBJECT_ATTRIBUTES {
    let mut attributes: OBJECT_ATTRIBUTES = ndis_sys::zeroed();
    attributes.Length = size_of::<OBJECT_ATTRIBUTES>() as u32;
    attributes.ObjectName = name;
    attributes.Attributes = (ndis_sys::OBJ_CASE_INSENSITIVE | ndis_sys::OBJ_KERNEL_HANDLE) as u32;
    attributes
}

/// Closes a handle.
pub fn close(handle: HANDLE) {
    let close = ZwClose();
    // SAFETY: an open handle, whose owner ends with this.
    unsafe { close(handle) };
}

/// Prints a line for the debugger.
pub fn print(text: &str) {
    let line: alloc::vec::Vec<u8> = text
        .replace('%', "%%")
        .bytes()
        .filter(|byte| *byte != 0)
        .chain(*b"\n\0")
        .collect();
    let print = vDbgPrintEx();
    // SAFETY: the text ends with a zero and has no directive.
    unsafe {
        print(
            ndis_sys::DPFLTR_IHVNETWORK_ID,
            ndis_sys::DPFLTR_ERROR_LEVEL,
            line.as_ptr(),
            core::ptr::null_mut(),
        )
    };
}

/// Stops the system: "NDRH", the host's counterpart of the drivers' "NDRS".
pub fn stop() -> ! {
    // SAFETY: may be called at any level; does not return.
    unsafe { KeBugCheck(0x4E44_5248) };
    loop {
        core::hint::spin_loop();
    }
}
