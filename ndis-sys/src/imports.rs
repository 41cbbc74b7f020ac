//! The few imports that the headers declare in no form that can be generated:
//! what one architecture has as an intrinsic or a fastcall. With
//! `generated/functions.rs` these are all that the crate imports.

use crate::*;

#[cfg(not(target_arch = "x86"))]
#[cfg_attr(
    all(windows, not(feature = "host")),
    link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    /// The IRQL that this processor runs at.
    pub fn KeGetCurrentIrql() -> KIRQL;
    /// Gives back a reference to an object of the object manager.
    pub fn ObfDereferenceObject(object: PVOID) -> LONG_PTR;
}

// On x86 the IRQL is the HAL's, and the spin locks with it.
#[cfg(target_arch = "x86")]
#[cfg_attr(
    all(windows, not(feature = "host")),
    link(
        name = "hal.dll",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "system" {
    /// The IRQL that this processor runs at.
    pub fn KeGetCurrentIrql() -> KIRQL;
}

#[cfg(target_arch = "x86")]
#[cfg_attr(
    all(windows, not(feature = "host")),
    link(
        name = "ntoskrnl.exe",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "fastcall" {
    /// Gives back a reference to an object of the object manager.
    pub fn ObfDereferenceObject(object: PVOID) -> LONG_PTR;
}

// `ndis.sys` still exports its spin locks; on x86 they are the way to the
// HAL's without a fastcall import.
#[cfg(target_arch = "x86")]
#[cfg_attr(
    all(windows, not(feature = "host")),
    link(
        name = "ndis.sys",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "system" {
    /// Takes the lock and raises the IRQL to DISPATCH_LEVEL.
    pub fn NdisAcquireSpinLock(lock: PNDIS_SPIN_LOCK);
    /// Releases the lock and restores the IRQL.
    pub fn NdisReleaseSpinLock(lock: PNDIS_SPIN_LOCK);
    /// Takes the lock at DISPATCH_LEVEL.
    pub fn NdisDprAcquireSpinLock(lock: PNDIS_SPIN_LOCK);
    /// Releases the lock at DISPATCH_LEVEL.
    pub fn NdisDprReleaseSpinLock(lock: PNDIS_SPIN_LOCK);
}
