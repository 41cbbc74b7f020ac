//! The last resort: stopping the system with a documented code.
//!
//! Nothing here is reached by a correct driver, nor by a misbehaving peer;
//! only a false claim to one of the crate's `unsafe` doors, or a driver's own
//! `panic!` in a build without unwinding, gets here.

use core::panic::Location;

/// Why the crate stops the system: the first parameter of the bug check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Reason {
    /// An `assume` function was called at a level above the claimed one. Only
    /// debug builds look, and not on x86 (see [`irql`](crate::irql)).
    WrongIrql = 1,
    /// A reference count was about to overflow.
    RefCountOverflow = 2,
    /// The driver panicked.
    Panic = 3,
}

/// The bug check code: "NDRS" (`0x4E445253`), not used by Windows itself.
pub const CODE: u32 = 0x4E44_5253;

/// Stops the system.
///
/// The parameters of the bug check are the [`Reason`], and for whom it may
/// concern where in the source that was: the address and the length of the
/// file's name (UTF-8, in the image), and the line.
///
/// Source page: [`KeBugCheckEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kebugcheckex).
#[doc(alias = "KeBugCheckEx")]
#[track_caller]
pub fn bug_check(reason: Reason) -> ! {
    bug_check_at(reason, Location::caller())
}

fn bug_check_at(reason: Reason, place: &Location<'_>) -> ! {
    let file = place.file();
    // SAFETY: KeBugCheckEx may be called at any level by any thread and does
    // not return.
    unsafe {
        ndis_sys::KeBugCheckEx(
            CODE,
            reason as _,
            file.as_ptr().addr() as _,
            file.len() as _,
            place.line() as _,
        )
    }
    // Off Windows the declaration may return in a test build of the host.
    #[allow(unreachable_code)]
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(feature = "panic-handler")]
ndis_sys::__in_an_image! {
    {
        /// Of the driver: nothing unwinds, the system stops.
        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            // A panic has a location, always, so far.
            match info.location() {
                Some(place) => bug_check_at(Reason::Panic, place),
                None => bug_check(Reason::Panic),
            }
        }
    } else {}
}
