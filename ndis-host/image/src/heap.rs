//! The host's own memory, from the kernel's pool.

use crate::kernel;
use core::alloc::{GlobalAlloc, Layout};

const TAG: u32 = u32::from_le_bytes(*b"NdHo");
/// Nonpaged, not executable.
const POOL: i32 = ndis_sys::NonPagedPoolNx;
/// Pool memory is aligned to two pointers.
const ALIGN: usize = 2 * size_of::<usize>();

struct Pool;

#[global_allocator]
static POOL_MEMORY: Pool = Pool;

// SAFETY: `alloc` gives memory of the size and alignment that it was asked for,
// or null, and `dealloc` gives it back; neither unwinds.
unsafe impl GlobalAlloc for Pool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            // Nothing in this image asks for it.
            return core::ptr::null_mut();
        }
        let allocate = kernel::ExAllocatePoolWithTag();
        // SAFETY: the layout's size is not 0, by the caller.
        unsafe { allocate(POOL, layout.size(), TAG) }.cast()
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        let free = kernel::ExFreePoolWithTag();
        // SAFETY: `memory` came from `alloc` with this tag, by the caller.
        unsafe { free(memory.cast(), TAG) };
    }
}
