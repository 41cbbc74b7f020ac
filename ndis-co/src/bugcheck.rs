//! The last resort: stopping the system with a documented code.
//!
//! Nothing here is reached by a correct driver, nor by a misbehaving peer;
//! only a false claim to one of the crate's `unsafe` doors, or a driver's own
//! `panic!` in a build without unwinding, gets here.

/// Why the crate stops the system: the first parameter of the bug check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Reason {
    /// An `assume` function was called at a level above the claimed one.
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
/// Source page: `nf-wdm-kebugcheckex`.
#[doc(alias = "KeBugCheckEx")]
pub fn bug_check(reason: Reason) -> ! {
    // SAFETY: KeBugCheckEx may be called at any level by any thread and does
    // not return.
    unsafe { ndis_sys::KeBugCheckEx(CODE, reason as _, 0, 0, 0) }
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
        fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
            bug_check(Reason::Panic)
        }
    } else {}
}
