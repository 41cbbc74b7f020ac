//! A device's registers, in memory and (on x86 and x64) behind I/O ports.

use crate::*;

/// Makes a read and a write of a register in memory.
macro_rules! registers {
    ($($read:ident $write:ident $ty:ty;)*) => {
        $(
            /// Reads a register of the device into `data`.
            ///
            /// # Safety
            /// `register` is a mapped register of that width; `data` may be
            /// written.
            #[inline]
            pub unsafe fn $read(register: *mut $ty, data: *mut $ty) {
                // SAFETY: the caller's promise.
                let value = unsafe { register.read_volatile() };
                // SAFETY: the caller's promise.
                unsafe { data.write(value) }
            }

            /// Writes a register of the device; what was written before is
            /// there before.
            ///
            /// # Safety
            /// `register` is a mapped register of that width.
            #[inline]
            pub unsafe fn $write(register: *mut $ty, data: $ty) {
                core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
                // SAFETY: the caller's promise.
                unsafe { register.write_volatile(data) }
            }
        )*
    };
}

registers! {
    NdisReadRegisterUchar NdisWriteRegisterUchar UCHAR;
    NdisReadRegisterUshort NdisWriteRegisterUshort USHORT;
    NdisReadRegisterUlong NdisWriteRegisterUlong ULONG;
}

/// Makes the four accesses to an I/O port. Without an operating system that
/// allows them (a host in user mode, say) they fault.
macro_rules! ports {
    ($($read:ident $write:ident $read_many:ident $write_many:ident $ty:ty, $register:tt;)*) => {
        $(
            /// Reads the port into `data`.
            ///
            /// # Safety
            /// The port is the device's; `data` may be written.
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            #[inline]
            pub unsafe fn $read(port: ULONG_PTR, data: *mut $ty) {
                let value: $ty;
                // SAFETY: the caller says that the port may be read.
                unsafe {
                    core::arch::asm!(
                        concat!("in ", $register, ", dx"),
                        in("dx") port as u16,
                        out($register) value,
                        options(nomem, nostack, preserves_flags),
                    );
                }
                // SAFETY: the caller's promise.
                unsafe { data.write(value) }
            }

            /// Writes `data` to the port.
            ///
            /// # Safety
            /// The port is the device's.
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            #[inline]
            pub unsafe fn $write(port: ULONG_PTR, data: $ty) {
                // SAFETY: the caller says that the port may be written.
                unsafe {
                    core::arch::asm!(
                        concat!("out dx, ", $register),
                        in("dx") port as u16,
                        in($register) data,
                        options(nostack, preserves_flags),
                    );
                }
            }

            /// Reads the port `length` times into the buffer.
            ///
            /// # Safety
            /// The port is the device's; the buffer may be written.
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            #[inline]
            pub unsafe fn $read_many(port: ULONG_PTR, buffer: *mut $ty, length: ULONG) {
                for n in 0..length as usize {
                    // SAFETY: the buffer holds `length` items.
                    let at = unsafe { buffer.add(n) };
                    // SAFETY: the caller's promise.
                    unsafe { $read(port, at) }
                }
            }

            /// Writes `length` items of the buffer to the port.
            ///
            /// # Safety
            /// The port is the device's; the buffer may be read.
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            #[inline]
            pub unsafe fn $write_many(port: ULONG_PTR, buffer: *const $ty, length: ULONG) {
                for n in 0..length as usize {
                    // SAFETY: the buffer holds `length` items.
                    let at = unsafe { buffer.add(n) };
                    // SAFETY: as above.
                    let value = unsafe { at.read() };
                    // SAFETY: the caller's promise.
                    unsafe { $write(port, value) }
                }
            }
        )*
    };
}

ports! {
    NdisRawReadPortUchar NdisRawWritePortUchar NdisRawReadPortBufferUchar NdisRawWritePortBufferUchar UCHAR, "al";
    NdisRawReadPortUshort NdisRawWritePortUshort NdisRawReadPortBufferUshort NdisRawWritePortBufferUshort USHORT, "ax";
    NdisRawReadPortUlong NdisRawWritePortUlong NdisRawReadPortBufferUlong NdisRawWritePortBufferUlong ULONG, "eax";
}
