//! The rest of what drivers ask the kernel: IRQL, time, driver object
//! extensions, the end of the world.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::ke::stack::{LITTLE, NEXT_TO_NOTHING, STACK, stack_left};
use crate::model::driver::Extension;
use crate::rules;
use crate::sched::EPOCH;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{DRIVER_OBJECT, LARGE_INTEGER};

exports! { EXPORTS {
    /// The IRQL of the caller.
    fn KeGetCurrentIrql() -> u8 {
        Cx::enter(Call::new("KeGetCurrentIrql").timeless(), &[]).irql()
    }

    /// Where the caller's stack begins and ends.
    fn IoGetStackLimits(low: *mut usize, high: *mut usize) {
        let cx = Cx::enter(Call::new("IoGetStackLimits").quiet(), &[]);
        let left = cx.with(|s| {
            let left = s.sched.current().map_or(STACK, stack_left);
            let (times, of) = s.low_stack;
            if !s.rng.chance(times, of) {
                return left;
            }
            left.min(if s.rng.chance(1, 2) { LITTLE } else { NEXT_TO_NOTHING })
        });
        // Where the caller's variable is, not one of this function: the caller compares with its own,
        // and only so is the answer the same in every build. (Under Miri no two variables are near.)
        let here = match (high.is_null(), low.is_null()) {
            (false, _) => high.addr(),
            (true, false) => low.addr(),
            (true, true) => return,
        };
        if !low.is_null() {
            // SAFETY: the caller's variable.
            unsafe { low.write_unaligned(here.saturating_sub(left)) };
        }
        if !high.is_null() {
            // SAFETY: the caller's variable.
            unsafe { high.write_unaligned(here.saturating_add(STACK - left)) };
        }
    }

    /// The virtual processor of the caller.
    fn KeGetCurrentProcessorNumberEx(number: *mut c_void) -> u32 {
        let cx = Cx::enter(Call::new("KeGetCurrentProcessorNumberEx").quiet(), &[]);
        let cpu = cx.with(|s| s.sched.current().and_then(|t| t.cpu).unwrap_or(0));
        if !number.is_null() {
            // SAFETY: the caller's PROCESSOR_NUMBER: a group, a number, a byte.
            unsafe { number.cast::<u32>().write_unaligned(u32::from(cpu) << 16) };
        }
        u32::from(cpu)
    }

    /// The time, in units of 100 ns since 1601.
    fn NdisGetCurrentSystemTime(time: *mut LARGE_INTEGER) {
        let cx = Cx::enter(Call::new("NdisGetCurrentSystemTime").quiet(), &[]);
        let now = cx.with(|s| s.sched.now);
        if !time.is_null() {
            // SAFETY: the caller's variable.
            unsafe { time.cast::<i64>().write_unaligned((EPOCH + now) as i64) };
        }
    }

    /// The time, in units of 100 ns since 1601.
    fn KeQuerySystemTimePrecise(time: *mut LARGE_INTEGER) {
        let cx = Cx::enter(Call::new("KeQuerySystemTimePrecise").quiet(), &[]);
        let now = cx.with(|s| s.sched.now);
        if !time.is_null() {
            // SAFETY: the caller's variable.
            unsafe { time.cast::<i64>().write_unaligned((EPOCH + now) as i64) };
        }
    }

    /// The time since the start, in units of 100 ns.
    fn KeQueryInterruptTime() -> u64 {
        Cx::enter(Call::new("KeQueryInterruptTime").quiet(), &[]).with(|s| s.sched.now)
    }

    /// How much a tick of the clock is, in units of 100 ns.
    fn KeQueryTimeIncrement() -> u32 {
        156_250
    }

    /// A counter of 10 MHz.
    fn KeQueryPerformanceCounter(frequency: *mut LARGE_INTEGER) -> LARGE_INTEGER {
        let cx = Cx::enter(Call::new("KeQueryPerformanceCounter").quiet(), &[]);
        if !frequency.is_null() {
            // SAFETY: the caller's variable.
            unsafe { frequency.cast::<i64>().write_unaligned(10_000_000) };
        }
        LARGE_INTEGER {
            QuadPart: cx.with(|s| s.sched.now) as i64,
        }
    }

    /// Memory that lives as long as the driver object.
    fn IoAllocateDriverObjectExtension(
        object: *mut DRIVER_OBJECT,
        id: *mut c_void,
        size: u32,
        extension: *mut *mut c_void,
    ) -> i32 {
        let cx = Cx::enter(Call::new("IoAllocateDriverObjectExtension"), &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let made = cx.with(|s| {
            let known = s
                .world
                .extensions
                .iter()
                .any(|e| e.object == object.addr() && e.id == id.addr());
            if known {
                return Err(n::STATUS_OBJECT_NAME_COLLISION);
            }
            if s.faults.allocation() {
                return Err(n::STATUS_INSUFFICIENT_RESOURCES);
            }
            let made = Extension::new(s.driver(), object.addr(), id.addr(), size)
                .ok_or(n::STATUS_INSUFFICIENT_RESOURCES)?;
            let start = made.start;
            s.world.extensions.push(made);
            Ok(start)
        });
        match made {
            Ok(start) => {
                // SAFETY: the caller's variable for the result.
                unsafe { extension.write(start.0.cast()) };
                cx.done(0)
            }
            Err(status) => cx.done(status),
        }
    }

    /// Finds what `IoAllocateDriverObjectExtension` made.
    fn IoGetDriverObjectExtension(object: *mut DRIVER_OBJECT, id: *mut c_void) -> *mut c_void {
        let cx = Cx::enter(Call::new("IoGetDriverObjectExtension").quiet(), &[]);
        cx.with(|s| {
            s.world
                .extensions
                .iter()
                .find(|e| e.object == object.addr() && e.id == id.addr())
                .map_or(core::ptr::null_mut(), |e| e.start.0.cast())
        })
    }

    /// Describes a string that ends with a zero.
    fn RtlInitUnicodeString(target: *mut ndis_sys::UNICODE_STRING, source: *const u16) {
        let mut length = 0usize;
        if !source.is_null() {
            // SAFETY: the caller's string, up to and including its zero.
            while unsafe { *source.wrapping_add(length) } != 0 {
                length += 1;
            }
        }
        let bytes = (length * 2) as u16;
        let string = ndis_sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: if source.is_null() { 0 } else { bytes + 2 },
            Buffer: source.cast_mut(),
        };
        // SAFETY: the caller's structure.
        unsafe { target.write(string) };
    }

    /// The driver has found its world inconsistent: the run ends here.
    fn KeBugCheckEx(code: u32, p1: usize, p2: usize, p3: usize, p4: usize) {
        let cx = Cx::enter(Call::new("KeBugCheckEx"), &[]);
        cx.core.die(
            rules::BUG_CHECK,
            alloc::format!("bug check {code:#010x} ({p1:#x}, {p2:#x}, {p3:#x}, {p4:#x})"),
        );
    }
}}
