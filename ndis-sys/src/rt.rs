//! What the linker of a driver image asks for although no source names it.
//!
//! The compiler writes calls of its own: `memcpy` where a value is moved, a
//! stack probe where a frame is large. In a program the C runtime answers
//! them; a driver has none, and the kernel exports the same functions. They
//! are declared here to be found, not to be called.
//!
//! With the feature `rt`, in builds for Windows that import from it. The
//! symbols that are defined here are assembly, so that the image does not
//! export them, and that the linker takes them only when nothing else has them.
//! (With link-time optimization a second definition is an error all the same:
//! a driver that brings its own turns `rt` off. The crate `wdk-sys` does bring
//! them, which the feature of that name knows.)

use core::ffi::{c_char, c_int, c_void};

#[cfg(not(target_arch = "x86"))]
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
#[expect(dead_code, reason = "the compiler calls them")]
unsafe extern "C" {
    fn memcpy(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
    fn memmove(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
    fn memset(to: *mut c_void, byte: c_int, size: usize) -> *mut c_void;
    fn memcmp(left: *const c_void, right: *const c_void, size: usize) -> c_int;
    fn strlen(text: *const c_char) -> usize;
    /// The stack probe.
    fn __chkstk();
}

// On x86 the compiler's symbol has one underscore more than the export, and
// the import library of a `raw-dylib` has the name as it is written here and
// takes one underscore off for the import.
#[cfg(target_arch = "x86")]
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn _memcpy(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
    fn _memmove(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
    fn _memset(to: *mut c_void, byte: c_int, size: usize) -> *mut c_void;
    fn _memcmp(left: *const c_void, right: *const c_void, size: usize) -> c_int;
    fn _strlen(text: *const c_char) -> usize;
    // Division and the like of 64-bit numbers. Only their names matter: they
    // take what is on the stack off it, as a stdcall does.
    fn __alldiv();
    fn __allmul();
    fn __allrem();
    fn __allshl();
    fn __allshr();
    fn __aulldiv();
    fn __aullrem();
    fn __aullshr();
    /// The stack probe.
    fn __chkstk();
}

// `_fltused` says that floating point is used, for a C runtime that prints it.
// `__CxxFrameHandler3` is the personality of functions in the prebuilt `core`.
// Nothing unwinds here; should the kernel look for a handler of an exception
// and come by, 1 is "continue the search".
// The crate `wdk-sys` brings both.
#[cfg(all(target_arch = "x86_64", not(feature = "wdk-sys")))]
core::arch::global_asm!(
    ".globl _fltused",
    ".set _fltused, 0x9875",
    ".globl __CxxFrameHandler3",
    ".text",
    "__CxxFrameHandler3:",
    "mov eax, 1",
    "ret",
);

#[cfg(all(target_arch = "aarch64", not(feature = "wdk-sys")))]
core::arch::global_asm!(
    ".globl _fltused",
    ".set _fltused, 0x9875",
    ".globl __CxxFrameHandler3",
    ".text",
    "__CxxFrameHandler3:",
    "mov w0, #1",
    "ret",
);

// C names have an underscore more on x86.
#[cfg(all(target_arch = "x86", not(feature = "wdk-sys")))]
core::arch::global_asm!(
    ".globl __fltused",
    ".set __fltused, 0x9875",
    ".globl ___CxxFrameHandler3",
    ".text",
    "___CxxFrameHandler3:",
    "mov eax, 1",
    "ret",
);
