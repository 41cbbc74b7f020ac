//! The kernel's part: memory, locks, work items, and what a driver asks while it is loaded.

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc},
    ptr::null_mut,
};

use ndis_sys::{
    BOOLEAN, KIRQL, LARGE_INTEGER, LONG, NDIS_HANDLE, NDIS_IO_WORKITEM_ROUTINE,
    NDIS_TIMER_CHARACTERISTICS, NTSTATUS, PDEVICE_OBJECT, PDRIVER_OBJECT, PHANDLE, PIO_WORKITEM,
    PIO_WORKITEM_ROUTINE_EX, PKSPIN_LOCK, PNDIS_EVENT, PNDIS_HANDLE, PNDIS_TIMER_CHARACTERISTICS,
    PNDIS_TIMER_FUNCTION, POBJECT_ATTRIBUTES, POOL_TYPE, PULONG_PTR, PVOID, SIZE_T, UINT, ULONG,
    ULONG_PTR, ULONG64, WORK_QUEUE_TYPE,
};

use crate::{SUCCESS, export, never_called, refuse, world};

/// What lies before a block of the pool: its size, and room that keeps the block aligned.
const HEAD: usize = 16;

/// What waits: a work item, what it runs, and with what; or a timer.
pub(crate) enum Work {
    Ndis(NDIS_HANDLE, NDIS_IO_WORKITEM_ROUTINE, PVOID),
    Io(PIO_WORKITEM, PIO_WORKITEM_ROUTINE_EX, PVOID),
    Timer(PNDIS_TIMER_FUNCTION, PVOID),
}

impl Work {
    pub(crate) unsafe fn run(self) {
        match self {
            Self::Ndis(item, routine, context) => routine.unwrap()(context, item),
            Self::Io(item, routine, context) => {
                // The item may be freed while it runs.
                let device = *item.cast::<PVOID>();
                routine.unwrap()(device, context, item);
            }
            Self::Timer(routine, context) => {
                routine.unwrap()(null_mut(), context, null_mut(), null_mut());
            }
        }
    }
}

unsafe fn block(size: usize) -> Layout {
    Layout::from_size_align_unchecked(size + HEAD, HEAD)
}

unsafe fn begin(block: *mut u8, size: usize) -> PVOID {
    let counts = &raw mut (*world()).counts;
    (*counts).allocations += 1;
    (*counts).live += size as u64;
    block.cast::<usize>().write(size);
    block.add(HEAD).cast()
}

export! {
    ExAllocatePool2(_flags: ULONG64, size: SIZE_T, _tag: ULONG) -> PVOID {
        begin(alloc_zeroed(block(size as usize)), size as usize)
    }
    ExAllocatePoolWithTag(_pool: POOL_TYPE, size: SIZE_T, _tag: ULONG) -> PVOID {
        begin(alloc(block(size as usize)), size as usize)
    }
    ExFreePoolWithTag(memory: PVOID, _tag: ULONG) {
        let start = memory.cast::<u8>().sub(HEAD);
        let size = start.cast::<usize>().read();
        (*world()).counts.live -= size as u64;
        dealloc(start, block(size));
    }
    KeAcquireSpinLockRaiseToDpc(lock: PKSPIN_LOCK) -> KIRQL {
        (*world()).counts.locks += 1;
        if *lock != 0 {
            refuse("a second processor to wait for a lock with");
        }
        *lock = 1;
        0
    }
    KeReleaseSpinLock(lock: PKSPIN_LOCK, _irql: KIRQL) {
        *lock = 0;
    }
    KeGetCurrentIrql() -> KIRQL {
        0
    }
    KeFlushQueuedDpcs() {}
    PsGetCurrentThread() -> PVOID {
        std::ptr::without_provenance_mut(0x10)
    }
    IoGetStackLimits(low: PULONG_PTR, high: PULONG_PTR) {
        // Around where this is: there is always room.
        let here = (&raw const low).addr();
        *low = (here - 0x4000) as _;
        *high = (here + 0x2000) as _;
    }
    KeBugCheckEx(code: ULONG, _a: ULONG_PTR, _b: ULONG_PTR, _c: ULONG_PTR, _d: ULONG_PTR) {
        refuse(&format!("a bug check to go on after: {code:#x}"))
    }
    NdisMSleep(_microseconds: ULONG) {}
    NdisInitializeEvent(_event: PNDIS_EVENT) {}
    NdisSetEvent(_event: PNDIS_EVENT) {}
    NdisResetEvent(_event: PNDIS_EVENT) {}
    NdisWaitEvent(_event: PNDIS_EVENT, _milliseconds: UINT) -> BOOLEAN {
        1
    }
    NdisAllocateIoWorkItem(_object: NDIS_HANDLE) -> NDIS_HANDLE {
        Box::into_raw(Box::new(0_u64)).cast()
    }
    NdisFreeIoWorkItem(item: NDIS_HANDLE) {
        drop(Box::from_raw(item.cast::<u64>()));
    }
    NdisQueueIoWorkItem(item: NDIS_HANDLE, routine: NDIS_IO_WORKITEM_ROUTINE, context: PVOID) {
        (*world()).queue.push(Work::Ndis(item, routine, context));
    }
    IoAllocateWorkItem(device: PDEVICE_OBJECT) -> PIO_WORKITEM {
        // What it is allocated on is what its routine is given.
        Box::into_raw(Box::new(device)).cast()
    }
    IoFreeWorkItem(item: PIO_WORKITEM) {
        drop(Box::from_raw(item.cast::<PDEVICE_OBJECT>()));
    }
    IoQueueWorkItemEx(item: PIO_WORKITEM, routine: PIO_WORKITEM_ROUTINE_EX, _queue: WORK_QUEUE_TYPE, context: PVOID) {
        (*world()).queue.push(Work::Io(item, routine, context));
    }
    NdisAllocateTimerObject(_object: NDIS_HANDLE, timer: PNDIS_TIMER_CHARACTERISTICS, handle: PNDIS_HANDLE) -> NTSTATUS {
        *handle = Box::into_raw(Box::new(timer.read())).cast();
        SUCCESS
    }
    NdisFreeTimerObject(timer: NDIS_HANDLE) {
        drop(Box::from_raw(timer.cast::<NDIS_TIMER_CHARACTERISTICS>()));
    }
    NdisSetTimerObject(timer: NDIS_HANDLE, _due: LARGE_INTEGER, _period: LONG, context: PVOID) -> BOOLEAN {
        // Whenever it is due, that is when the round is over.
        let its = &*timer.cast::<NDIS_TIMER_CHARACTERISTICS>();
        let context = if context.is_null() { its.FunctionContext } else { context };
        (*world()).queue.push(Work::Timer(its.TimerFunction, context));
        0
    }
    NdisCancelTimerObject(_timer: NDIS_HANDLE) -> BOOLEAN {
        refuse("a timer to be cancelled")
    }
    ZwOpenKey(_key: PHANDLE, _access: ULONG, _attributes: POBJECT_ATTRIBUTES) -> NTSTATUS {
        -1
    }
    IoGetDriverObjectExtension(_object: PDRIVER_OBJECT, key: PVOID) -> PVOID {
        let all = &(*world()).extensions;
        all.iter().find(|(its, _)| *its == key).map_or(null_mut(), |(_, memory)| memory.cast())
    }
    IoAllocateDriverObjectExtension(_object: PDRIVER_OBJECT, key: PVOID, size: ULONG, memory: *mut PVOID) -> NTSTATUS {
        if size as usize > size_of::<PVOID>() {
            refuse("room for more than a pointer in a driver object");
        }
        let place = Box::into_raw(Box::new(null_mut()));
        (*world()).extensions.push((key, place));
        *memory = place.cast();
        SUCCESS
    }
}

never_called! {
    NdisFreeMemory
    ZwQueryValueKey
    ZwClose
    vDbgPrintEx
    MmMapLockedPagesSpecifyCache
}
