//! What becomes of a fault: an access to memory that is not there, an instruction that is none.
//!
//! Each thread of the host runs inside of a frame whose exception handler is ours. A driver's own
//! handlers, which are nearer to the fault, come first. What they do not take ends the run: the
//! host is told, in whose name the code ran is known there, and the faulting thread stays where it
//! is while another one writes the account.
//!
//! The handler is found by way of the unwind tables that every image for these machines has. (On
//! x86 there are none, and images are not made for it.)

use crate::account;
use crate::kernel;
use crate::route;
use alloc::string::String;
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, Ordering};
use ndis_host::platform;

type Routine = unsafe extern "system" fn(*mut c_void);

/// What an exception handler is told.
#[repr(C)]
struct Record {
    code: u32,
    flags: u32,
    next: *const Record,
    address: *const c_void,
    count: u32,
    information: [usize; 15],
}

/// The stack is unwound, not searched.
const UNWINDING: u32 = 0x66;
const CONTINUE_SEARCH: i32 = 1;
const ACCESS_VIOLATION: u32 = 0xC000_0005;
/// Codes with these bits are errors. Others, such as a text for a debugger, are handled by whoever
/// raises them.
const ERROR: u32 = 0xC000_0000;
const BREAKPOINT: u32 = 0x8000_0003;

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".text",
    ".globl ndis_image_guarded",
    ".seh_proc ndis_image_guarded",
    "ndis_image_guarded:",
    "sub rsp, 40",
    ".seh_stackalloc 40",
    ".seh_handler {handler}, @except",
    ".seh_endprologue",
    "call rdx",
    // The return address is inside of what is guarded.
    "nop",
    "add rsp, 40",
    "ret",
    ".seh_endproc",
    handler = sym handler,
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".text",
    ".globl ndis_image_guarded",
    ".seh_proc ndis_image_guarded",
    "ndis_image_guarded:",
    ".seh_handler {handler}, @except",
    "stp x29, x30, [sp, #-16]!",
    ".seh_save_fplr_x 16",
    "mov x29, sp",
    ".seh_set_fp",
    ".seh_endprologue",
    "blr x1",
    "nop",
    ".seh_startepilogue",
    "ldp x29, x30, [sp], #16",
    ".seh_save_fplr_x 16",
    ".seh_endepilogue",
    "ret",
    ".seh_endproc",
    handler = sym handler,
);

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
unsafe extern "system" {
    /// Calls the routine with the context, inside of a frame with our handler.
    fn ndis_image_guarded(context: *mut c_void, routine: Routine);
}

/// Calls `routine`; what faults in it and is handled by nobody ends the run.
///
/// # Safety
///
/// The contract of `routine` with this context.
pub unsafe fn guarded(context: *mut c_void, routine: Routine) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: the caller's contract.
    unsafe {
        ndis_image_guarded(context, routine);
    }
    #[cfg(target_arch = "x86")]
    // SAFETY: the caller's contract.
    unsafe {
        routine(context);
    }
}

/// The handler of the frame: a fault that no other one has taken.
#[cfg_attr(target_arch = "x86", allow(dead_code))]
unsafe extern "system" fn handler(
    record: *const Record,
    _frame: *mut c_void,
    _context: *mut c_void,
    _dispatcher: *mut c_void,
) -> i32 {
    // What follows may be what faults.
    static FAULTS: AtomicBool = AtomicBool::new(false);
    // SAFETY: the system's description of the exception, for the time of this call.
    let record = unsafe { &*record };
    let fault = record.code & ERROR == ERROR || record.code == BREAKPOINT;
    if record.flags & UNWINDING != 0 || !fault {
        return CONTINUE_SEARCH;
    }
    if FAULTS.swap(true, Ordering::AcqRel) {
        account::write_failure("ndis-host: a fault, and another one while it was told");
        kernel::stop();
    }
    let what = describe(record);
    kernel::print(&what);
    platform::fault(what)
}

fn describe(record: &Record) -> String {
    let place = route::place(record.address.addr());
    let [access, address, ..] = record.information;
    match (record.code, access) {
        (ACCESS_VIOLATION, 0) => alloc::format!("a read of {address:#x}, by {place}, which faults"),
        (ACCESS_VIOLATION, 1) => {
            alloc::format!("a write to {address:#x}, by {place}, which faults")
        }
        (ACCESS_VIOLATION, _) => alloc::format!("a jump to {address:#x}, which faults"),
        (code, _) => alloc::format!("exception {code:#010x} in {place}"),
    }
}
