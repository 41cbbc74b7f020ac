//! Counters, lists and lookaside lists that several processors share.

use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use crate::*;

/// Adds one and answers the sum.
///
/// # Safety
/// `addend` points to a counter that is only changed atomically.
#[inline]
pub unsafe fn NdisInterlockedIncrement(addend: PLONG) -> LONG {
    // SAFETY: the caller's promise.
    let counter = unsafe { AtomicI32::from_ptr(addend) };
    counter.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
}

/// Takes one away and answers the difference.
///
/// # Safety
/// `addend` points to a counter that is only changed atomically.
#[inline]
pub unsafe fn NdisInterlockedDecrement(addend: PLONG) -> LONG {
    // SAFETY: the caller's promise.
    let counter = unsafe { AtomicI32::from_ptr(addend) };
    counter.fetch_sub(1, Ordering::SeqCst).wrapping_sub(1)
}

/// Adds to a statistics counter of 64 bits.
///
/// # Safety
/// `addend` points to an aligned counter that is only changed atomically.
#[inline]
pub unsafe fn NdisInterlockedAddLargeStatistic(addend: PLARGE_INTEGER, increment: ULONG) {
    // SAFETY: the caller's promise.
    let counter = unsafe { AtomicU64::from_ptr(addend.cast()) };
    counter.fetch_add(u64::from(increment), Ordering::Relaxed);
}

/// `locked! { /// doc; NdisX = ExX(args) -> Result; ... }`: the lock comes last.
macro_rules! locked {
    ($($(#[$doc:meta])* $name:ident = $target:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// The list and the entry are valid and only used under `lock`,
            /// which is a prepared spin lock that is used for nothing else.
            #[inline]
            pub unsafe fn $name($($arg: $ty,)* lock: PNDIS_SPIN_LOCK) -> $ret {
                // SAFETY: the caller passes a lock; only a place is computed.
                let lock = unsafe { &raw mut (*lock).SpinLock };
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target($($arg,)* lock) }
            }
        )*
    };
}

locked! {
    /// Adds under the lock and answers the old value.
    NdisInterlockedAddUlong = ExInterlockedAddUlong(addend: PULONG, increment: ULONG) -> ULONG;
    /// Inserts at the head; answers the old head, or null.
    NdisInterlockedInsertHeadList = ExInterlockedInsertHeadList(list: PLIST_ENTRY, entry: PLIST_ENTRY) -> PLIST_ENTRY;
    /// Inserts at the tail; answers the old tail, or null.
    NdisInterlockedInsertTailList = ExInterlockedInsertTailList(list: PLIST_ENTRY, entry: PLIST_ENTRY) -> PLIST_ENTRY;
    /// Removes the head and answers it, or null.
    NdisInterlockedRemoveHeadList = ExInterlockedRemoveHeadList(list: PLIST_ENTRY) -> PLIST_ENTRY;
    /// Pushes onto a singly linked list; answers the old head, or null.
    NdisInterlockedPushEntryList = ExInterlockedPushEntryList(list: PSINGLE_LIST_ENTRY, entry: PSINGLE_LIST_ENTRY) -> PSINGLE_LIST_ENTRY;
    /// Pops from a singly linked list; answers null if it is empty.
    NdisInterlockedPopEntryList = ExInterlockedPopEntryList(list: PSINGLE_LIST_ENTRY) -> PSINGLE_LIST_ENTRY;
}

/// Prepares an empty doubly linked list.
///
/// # Safety
/// `head` points to memory for a list head that nobody uses now.
#[inline]
pub const unsafe fn NdisInitializeListHead(head: PLIST_ENTRY) {
    let empty = LIST_ENTRY {
        Flink: head,
        Blink: head,
    };
    // SAFETY: the caller's promise.
    unsafe { head.write(empty) }
}

/// Prepares an empty sequenced list.
///
/// # Safety
/// `head` points to memory for a list head that nobody uses now.
#[inline]
pub unsafe fn NdisInitializeSListHead(head: PSLIST_HEADER) {
    // SAFETY: the caller's promise; all zero is an empty list.
    unsafe { head.write(zeroed()) }
}

/// How many entries the sequenced list has, modulo 65536.
///
/// # Safety
/// `head` points to a prepared list.
#[inline]
pub unsafe fn NdisQueryDepthSList(head: PSLIST_HEADER) -> USHORT {
    #[cfg(not(target_arch = "x86"))]
    let depth = head.cast::<USHORT>();
    // SAFETY: the caller passes a list; only a place is computed.
    #[cfg(target_arch = "x86")]
    let depth = unsafe { level!(head, s | __bindgen_anon_1.Depth) };
    // SAFETY: the caller passes a list; other processors may be changing it.
    unsafe { depth.read_volatile() }
}

/// Pushes onto a sequenced list; answers the old head, or null. The lock is
/// not used: it is there for the oldest of Windows' versions.
///
/// # Safety
/// The list is prepared; the entry is aligned as one, valid, and in no list.
#[inline]
pub unsafe fn NdisInterlockedPushEntrySList(
    head: PSLIST_HEADER,
    entry: PSLIST_ENTRY,
    _lock: PNDIS_SPIN_LOCK,
) -> PSLIST_ENTRY {
    // SAFETY: the caller's promise is the callee's.
    #[cfg(not(target_arch = "x86"))]
    let old = unsafe { ExpInterlockedPushEntrySList(head, entry) };
    // SAFETY: the caller's promise is the callee's.
    #[cfg(target_arch = "x86")]
    let old = unsafe { InterlockedPushEntrySList(head, entry) };
    old
}

/// Pops from a sequenced list; answers null if it is empty.
///
/// # Safety
/// The list is prepared, and its entries are valid memory as long as any
/// processor may be popping.
#[inline]
pub unsafe fn NdisInterlockedPopEntrySList(
    head: PSLIST_HEADER,
    _lock: PNDIS_SPIN_LOCK,
) -> PSLIST_ENTRY {
    // SAFETY: the caller's promise is the callee's.
    #[cfg(not(target_arch = "x86"))]
    let entry = unsafe { ExpInterlockedPopEntrySList(head) };
    // SAFETY: the caller's promise is the callee's.
    #[cfg(target_arch = "x86")]
    let entry = unsafe { InterlockedPopEntrySList(head) };
    entry
}

/// Empties a sequenced list; answers its first entry, or null.
///
/// # Safety
/// The list is prepared.
#[inline]
pub unsafe fn NdisInterlockedFlushSList(head: PSLIST_HEADER) -> PSLIST_ENTRY {
    // SAFETY: the caller's promise is the callee's.
    #[cfg(not(target_arch = "x86"))]
    let entry = unsafe { ExpInterlockedFlushSList(head) };
    // SAFETY: the caller's promise is the callee's.
    #[cfg(target_arch = "x86")]
    let entry = unsafe { ExInterlockedFlushSList(head) };
    entry
}

/// Prepares a lookaside list of nonpaged memory, which is not executable.
///
/// # Safety
/// `list` points to aligned memory for one that nobody uses now, and that
/// stays until [`NdisDeleteNPagedLookasideList`]; the functions are null or
/// allocate and free entries.
#[inline]
pub unsafe fn NdisInitializeNPagedLookasideList(
    list: PNPAGED_LOOKASIDE_LIST,
    allocate: PALLOCATE_FUNCTION,
    free: PFREE_FUNCTION,
    flags: ULONG,
    size: SIZE_T,
    tag: ULONG,
    depth: USHORT,
) {
    // SAFETY: may be called at any time.
    let version = unsafe { NdisGetVersion() };
    let mut flags = flags;
    if version >= NDIS_RUNTIME_VERSION_630 as UINT {
        flags |= POOL_NX_ALLOCATION as ULONG;
    }
    // SAFETY: the caller's promise is the callee's.
    unsafe { ExInitializeNPagedLookasideList(list, allocate, free, flags, size, tag, depth) }
}

/// Frees what a lookaside list holds, and ends it.
///
/// # Safety
/// The list is prepared, and nobody uses it any more.
#[inline]
pub unsafe fn NdisDeleteNPagedLookasideList(list: PNPAGED_LOOKASIDE_LIST) {
    // SAFETY: the caller's promise is the callee's.
    unsafe { ExDeleteNPagedLookasideList(list) }
}

/// Takes an entry from a lookaside list, or allocates one; null if it cannot.
///
/// # Safety
/// The list is prepared, at an IRQL of at most DISPATCH_LEVEL.
#[inline]
pub unsafe fn NdisAllocateFromNPagedLookasideList(list: PNPAGED_LOOKASIDE_LIST) -> PVOID {
    let list = list.cast::<GENERAL_LOOKASIDE>();
    // SAFETY: the caller passes a list; only a place is computed.
    let counter = unsafe { &raw mut (*list).TotalAllocates };
    // SAFETY: the counter is part of the list.
    unsafe { bump(counter) }
    let head = list.cast::<SLIST_HEADER>();
    // SAFETY: the list of entries is the structure's first member.
    let entry = unsafe { NdisInterlockedPopEntrySList(head, core::ptr::null_mut()) };
    if !entry.is_null() {
        return entry.cast();
    }
    // SAFETY: the caller passes a list; only a place is computed.
    let counter = unsafe { level!(list, u2 | __bindgen_anon_2.AllocateMisses) };
    // SAFETY: the counter is part of the list.
    unsafe { bump(counter) }
    // SAFETY: the caller passes a list; only a place is computed.
    let allocate = unsafe { level!(list, u4 | __bindgen_anon_4.Allocate) };
    // SAFETY: a prepared list has a function of this type there.
    let Some(allocate) = (unsafe { allocate.cast::<PALLOCATE_FUNCTION>().read() }) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the caller passes a prepared list.
    let ty = unsafe { (*list).Type };
    // SAFETY: the caller passes a prepared list.
    let size = unsafe { (*list).Size };
    // SAFETY: the caller passes a prepared list.
    let tag = unsafe { (*list).Tag };
    // SAFETY: these are the arguments that the list was prepared for.
    unsafe { allocate(ty, size as SIZE_T, tag) }
}

/// Puts an entry back, or frees it if there are enough.
///
/// # Safety
/// The entry came from this list and nobody uses it any more; the IRQL is at
/// most DISPATCH_LEVEL.
#[inline]
pub unsafe fn NdisFreeToNPagedLookasideList(list: PNPAGED_LOOKASIDE_LIST, entry: PVOID) {
    let list = list.cast::<GENERAL_LOOKASIDE>();
    // SAFETY: the caller passes a list; only a place is computed.
    let counter = unsafe { &raw mut (*list).TotalFrees };
    // SAFETY: the counter is part of the list.
    unsafe { bump(counter) }
    let head = list.cast::<SLIST_HEADER>();
    // SAFETY: the list of entries is the structure's first member.
    let depth = unsafe { NdisQueryDepthSList(head) };
    // SAFETY: the caller passes a prepared list.
    if depth < unsafe { (*list).Depth } {
        // SAFETY: the entry is free memory of the list's size and alignment.
        unsafe { NdisInterlockedPushEntrySList(head, entry.cast(), core::ptr::null_mut()) };
        return;
    }
    // SAFETY: the caller passes a list; only a place is computed.
    let counter = unsafe { level!(list, u3 | __bindgen_anon_3.FreeMisses) };
    // SAFETY: the counter is part of the list.
    unsafe { bump(counter) }
    // SAFETY: the caller passes a list; only a place is computed.
    let free = unsafe { level!(list, u5 | __bindgen_anon_5.Free) };
    // SAFETY: a prepared list has a function of this type there.
    if let Some(free) = unsafe { free.cast::<PFREE_FUNCTION>().read() } {
        // SAFETY: the entry came from the list's own allocation.
        unsafe { free(entry) }
    }
}

/// Counts a statistic up. Other processors do so at the same time and a count
/// may get lost; as an atomic it is no race, and in C it is none to care for.
///
/// # Safety
/// `counter` points to one.
#[inline]
unsafe fn bump(counter: PULONG) {
    // SAFETY: the caller's promise.
    let counter = unsafe { AtomicU32::from_ptr(counter) };
    let old = counter.load(Ordering::Relaxed);
    counter.store(old.wrapping_add(1), Ordering::Relaxed);
}
