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
    /// Gives a request back to the I/O manager. `IoCompleteRequest` is a macro of this.
    pub fn IofCompleteRequest(irp: PIRP, boost: CCHAR);
    /// Gives back a reference to an object of the object manager.
    pub fn ObfDereferenceObject(object: PVOID) -> LONG_PTR;
    /// Lowers the IRQL to what it was.
    #[cfg(target_arch = "x86_64")]
    pub fn KeLowerIrql(irql: KIRQL);
    /// Raises the IRQL to DISPATCH_LEVEL and answers what it was.
    #[cfg(target_arch = "x86_64")]
    pub fn KeRaiseIrqlToDpcLevel() -> KIRQL;
}

// What drivers use of ntoskrnl.exe that no header of the network interface
// names: the debugger's output, the current thread, the lock of cancellations, and the registry.
#[cfg_attr(
    all(windows, not(feature = "host"), not(target_arch = "x86")),
    link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")
)]
#[cfg_attr(
    all(windows, not(feature = "host"), target_arch = "x86"),
    link(
        name = "ntoskrnl.exe",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "system" {
    /// `DbgPrintEx` with its arguments as a list, which may be null when the
    /// format has no directive.
    pub fn vDbgPrintEx(component: ULONG, level: ULONG, format: PCSTR, arguments: PVOID) -> ULONG;
    /// The object of the thread that runs, to be compared.
    pub fn PsGetCurrentThread() -> PVOID;
    /// Gives back the lock that the I/O manager has taken before it called a cancel routine.
    pub fn IoReleaseCancelSpinLock(irql: KIRQL);
    /// Opens a key of the registry.
    pub fn ZwOpenKey(key: PHANDLE, access: ULONG, attributes: POBJECT_ATTRIBUTES) -> NTSTATUS;
    /// Reads a value of a key.
    pub fn ZwQueryValueKey(
        key: HANDLE,
        name: PUNICODE_STRING,
        class: i32,
        information: PVOID,
        length: ULONG,
        result_length: PULONG,
    ) -> NTSTATUS;
}

// A function of any number of values can be defined by nobody but C, so that it cannot be called
// where NDIS is a Rust crate either. With one value the calling conventions of all kernels of
// Windows put the arguments of this form where the function looks for them.
#[allow(clashing_extern_declarations)]
#[cfg_attr(
    all(windows, not(feature = "host"), not(target_arch = "x86")),
    link(name = "ndis.sys", kind = "raw-dylib", modifiers = "+verbatim")
)]
#[cfg_attr(
    all(windows, not(feature = "host"), target_arch = "x86"),
    link(
        name = "ndis.sys",
        kind = "raw-dylib",
        modifiers = "+verbatim",
        import_name_type = "undecorated"
    )
)]
unsafe extern "C" {
    /// `NdisWriteErrorLogEntry` with one value, for which `values` is 1.
    #[link_name = "NdisWriteErrorLogEntry"]
    pub fn NdisWriteErrorLogEntryOfOne(
        adapter: NDIS_HANDLE,
        code: NDIS_ERROR_CODE,
        values: ULONG,
        value: ULONG,
    );
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
    /// Lowers the IRQL to what it was.
    pub fn KeLowerIrql(irql: KIRQL);
    /// Raises the IRQL to DISPATCH_LEVEL and answers what it was.
    pub fn KeRaiseIrqlToDpcLevel() -> KIRQL;
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
unsafe extern "system" {
    /// Adds under the lock and answers the old value.
    pub fn ExInterlockedAddUlong(addend: PULONG, increment: ULONG, lock: PKSPIN_LOCK) -> ULONG;
    /// Inserts at the head; answers the old head, or null.
    pub fn ExInterlockedInsertHeadList(
        list: PLIST_ENTRY,
        entry: PLIST_ENTRY,
        lock: PKSPIN_LOCK,
    ) -> PLIST_ENTRY;
    /// Inserts at the tail; answers the old tail, or null.
    pub fn ExInterlockedInsertTailList(
        list: PLIST_ENTRY,
        entry: PLIST_ENTRY,
        lock: PKSPIN_LOCK,
    ) -> PLIST_ENTRY;
    /// Removes the head and answers it, or null.
    pub fn ExInterlockedRemoveHeadList(list: PLIST_ENTRY, lock: PKSPIN_LOCK) -> PLIST_ENTRY;
    /// Pops from a singly linked list; answers null if it is empty.
    pub fn ExInterlockedPopEntryList(
        list: PSINGLE_LIST_ENTRY,
        lock: PKSPIN_LOCK,
    ) -> PSINGLE_LIST_ENTRY;
    /// Pushes onto a singly linked list; answers the old head, or null.
    pub fn ExInterlockedPushEntryList(
        list: PSINGLE_LIST_ENTRY,
        entry: PSINGLE_LIST_ENTRY,
        lock: PKSPIN_LOCK,
    ) -> PSINGLE_LIST_ENTRY;
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
    /// Pushes onto a sequenced list; answers the old head, or null.
    pub fn InterlockedPushEntrySList(list: PSLIST_HEADER, entry: PSLIST_ENTRY) -> PSLIST_ENTRY;
    /// Pops from a sequenced list; answers null if it is empty.
    pub fn InterlockedPopEntrySList(list: PSLIST_HEADER) -> PSLIST_ENTRY;
    /// Empties a sequenced list; answers its first entry, or null.
    pub fn ExInterlockedFlushSList(list: PSLIST_HEADER) -> PSLIST_ENTRY;
    /// Gives a request back to the I/O manager. `IoCompleteRequest` is a macro of this.
    pub fn IofCompleteRequest(irp: PIRP, boost: CCHAR);
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
