//! `ndis.sys`, from `ndis-host`: driver images run against it under a loader
//! that we did not write.
//!
//! In a test, driver and host are one program, joined by its linker. Here each
//! is an image of its own, and the loader of Windows drivers (Wine's, for one)
//! maps it, relocates it, resolves its imports and calls its entry point. So
//! this shows what a test cannot: that the images are right.
//!
//! Its service key says what to do, see `settings.rs`; a system thread does
//! it (`run.rs`) and leaves an account in a file (`account.rs`).
//!
//! # What a driver gets from whom
//!
//! A driver imports NDIS's functions from `ndis.sys`, which is this image, and
//! the kernel's from `ntoskrnl.exe`, which is the loader's own. The host's
//! scheduler must see spin locks, waits and memory as well, or one driver's
//! wait would stop all of them. So, as Windows' own Driver Verifier does, the
//! host changes the driver's import table when the image has been mapped and
//! before its entry point runs (`route.rs`): what the host defines is called
//! there, all else in the kernel.
//!
//! # What this image gets from whom
//!
//! It defines functions of the kernel's names, and so cannot import them: the
//! linker knows one function of a name. It asks for the kernel's at run time
//! (`kernel.rs`).

#![cfg(windows)]
#![no_std]

extern crate alloc;

mod account;
mod guard;
mod heap;
mod image;
mod kernel;
mod platform;
mod route;
mod run;
mod settings;

use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use kernel::{DRIVER_OBJECT, HANDLE, NTSTATUS, UNICODE_STRING};

/// The thread that runs the drivers; `unload` waits for it.
static THREAD: AtomicPtr<core::ffi::c_void> = AtomicPtr::new(core::ptr::null_mut());

/// The entry point of the image.
///
/// # Safety
///
/// Called once, by the loader, at PASSIVE_LEVEL, with this image's own driver
/// object and registry path.
#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    object: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
) -> NTSTATUS {
    if let Err(status) = kernel::find() {
        return status;
    }
    ndis_host::platform::install(&platform::Kernel);
    // SAFETY: the registry path of DriverEntry.
    let settings = match unsafe { settings::Settings::read(path) } {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    if let Err(status) = route::begin() {
        return status;
    }
    match platform::start(alloc::boxed::Box::new(move || run::run(&settings))) {
        Ok(thread) => THREAD.store(thread, Ordering::Release),
        Err(status) => {
            route::end();
            return status;
        }
    }
    // SAFETY: this image's own driver object.
    unsafe { (*object).DriverUnload = Some(unload) };
    0
}

/// The image goes when the drivers have gone.
unsafe extern "system" fn unload(_object: *mut DRIVER_OBJECT) {
    let thread: HANDLE = THREAD.swap(core::ptr::null_mut(), Ordering::AcqRel);
    if !thread.is_null() {
        platform::join(thread);
    }
    route::end();
}

/// The host has found no way on, and `run::last_words` has said why; or it is
/// itself wrong.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use alloc::string::ToString;
    // What follows allocates, and may be what panics.
    static PANICS: AtomicBool = AtomicBool::new(false);
    if !PANICS.swap(true, Ordering::AcqRel) {
        let message = info.to_string();
        kernel::print(&message);
        account::write_failure(&message);
    }
    kernel::stop()
}
