//! Pool memory: who allocated it, whether it came back, and whether it was
//! still lent to somebody when it did.
//!
//! Freed memory is filled with a pattern and kept from being allocated again for
//! a while. A driver that reads it sees the pattern, and one that writes to it is
//! reported. (Under Miri it goes back at once: Miri sees the access itself.)

use crate::callback::Ptr;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::Kind;
use crate::ke::table::memory::{Block, DEAD, FREED, FRESH, release, reserve};
use crate::report::tag_text;
use crate::rules;
use crate::sched::DISPATCH;
use crate::state::State;
use alloc::vec::Vec;
use core::ffi::c_void;

impl State {
    /// Allocates memory that a driver will free.
    pub(crate) fn allocate(&mut self, size: usize, tag: u32, paged: bool) -> *mut c_void {
        self.allocate_with(size, tag, paged, FRESH)
    }

    /// The same, filled with `pattern`.
    fn allocate_with(&mut self, size: usize, tag: u32, paged: bool, pattern: u8) -> *mut c_void {
        if self.faults.allocation() {
            self.note(None, "an allocation of pool memory fails on purpose");
            return core::ptr::null_mut();
        }
        let start = reserve(size);
        if start.is_null() {
            return core::ptr::null_mut();
        }
        let number = self.number(Kind::Memory);
        // A lock that was here, in memory that the host did not give, is gone.
        let end = start.addr().saturating_add(size);
        self.locks.order.forget(start.addr()..end);
        self.memory.freed.remove(&start.addr());
        let block = Block {
            start: Ptr(start),
            size,
            tag,
            number,
            driver: self.driver(),
            who: self.who(),
            since: self.log.seq(),
            within: self.within(),
            lent: Vec::new(),
            paged,
        };
        // Under Miri what is not zeroed stays uninitialised, so that Miri sees a read.
        if pattern != FRESH || !cfg!(miri) {
            block.fill(pattern);
        }
        self.memory.blocks.insert(start.addr(), block);
        start.cast()
    }

    /// Frees memory of a driver, or says why not.
    pub(crate) fn free(&mut self, call: &str, address: usize, tag: Option<u32>) {
        if let Some(block) = self.memory.blocks.get(&address) {
            let memory = address..address.saturating_add(block.size);
            self.note_waits_in(&memory);
        }
        let Some(block) = self.memory.blocks.remove(&address) else {
            let message = match self.memory.freed.get(&address) {
                Some(number) => alloc::format!("{call}: memory {number} is freed a second time"),
                None => alloc::format!("{call}: {address:#x} was never allocated"),
            };
            self.violate(rules::MEMORY, None, message);
            return;
        };
        if let Some(tag) = tag
            && tag != 0
            && tag != block.tag
        {
            let message = alloc::format!(
                "{call}: memory {} was allocated with tag {} and is freed with tag {}",
                block.number,
                tag_text(block.tag),
                tag_text(tag)
            );
            self.violate(rules::MEMORY, None, message);
        }
        for lent in &block.lent {
            let message = alloc::format!(
                "{call} frees memory {}, which is still lent: {}",
                block.number,
                lent.what
            );
            let own = self.driver() == block.driver;
            let rule = if own { lent.rule } else { lent.others };
            self.violate(rule, lent.object, message);
        }
        let end = address.saturating_add(block.size);
        self.kernel_objects_end(call, &(address..end));
        self.locks.order.forget(address..end);
        if self.memory.freed.len() >= FREED {
            self.memory.freed.clear();
        }
        self.memory.freed.insert(address, block.number);
        block.fill(DEAD);
        self.memory.keep(block);
        while let Some(oldest) = self.memory.displaced() {
            self.let_go(&oldest);
        }
    }

    /// Releases a freed block, or reports who wrote to it.
    fn let_go(&mut self, block: &Block) {
        if !cfg!(miri)
            && let Some((at, byte)) = block.changed()
        {
            let message = alloc::format!(
                "memory {} (tag {}, {} bytes) of {} was written to after it was freed: \
                 byte {at} is {byte:#04x}",
                block.number,
                tag_text(block.tag),
                block.size,
                block.who
            );
            self.violate_by(block.who.clone(), rules::MEMORY, None, message);
        }
        release(block);
    }

    /// At the end of a host: whether freed memory that is still kept was written
    /// to.
    pub(crate) fn look_over_freed(&mut self) {
        self.memory.kept_bytes = 0;
        for block in core::mem::take(&mut self.memory.kept) {
            self.let_go(&block);
        }
    }
}

fn alloc_pool(name: &'static str, size: usize, tag: u32, paged: bool) -> *mut c_void {
    let cx = Cx::enter(Call::new(name).quiet(), &[]);
    if cx.fault.is_some() {
        return core::ptr::null_mut();
    }
    cx.with(|s| s.allocate(size, tag, paged))
}

/// The flags of `ExAllocatePool2`: what the memory is for, and how it is given.
mod flag {
    pub(super) const USE_QUOTA: u64 = 0x1;
    pub(super) const UNINITIALIZED: u64 = 0x2;
    pub(super) const CACHE_ALIGNED: u64 = 0x8;
    pub(super) const RAISE_ON_FAILURE: u64 = 0x20;
    pub(super) const NON_PAGED: u64 = 0x40;
    pub(super) const NON_PAGED_EXECUTE: u64 = 0x80;
    pub(super) const PAGED: u64 = 0x100;
    pub(super) const POOLS: u64 = NON_PAGED | NON_PAGED_EXECUTE | PAGED;
    pub(super) const KNOWN: u64 =
        POOLS | USE_QUOTA | UNINITIALIZED | CACHE_ALIGNED | RAISE_ON_FAILURE;
    /// Flags from here on may be unknown.
    pub(super) const OPTIONAL: u64 = !0xFFFF_FFFF;
}

impl State {
    /// Whether these are parameters of `ExAllocatePool2` that give memory.
    fn may_allocate(&mut self, flags: u64, size: usize, tag: u32) -> bool {
        let call = "ExAllocatePool2";
        let irql = self.irql();
        if flags & flag::PAGED != 0 && irql >= DISPATCH {
            let message = alloc::format!("{call} of paged memory at DISPATCH_LEVEL");
            self.violate("KE-11", None, message);
        }
        if size == 0 {
            self.violate("KE-13", None, alloc::format!("{call} of no bytes"));
        }
        let characters = tag.to_le_bytes();
        let used = characters
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        if used == 0
            || !characters[..used]
                .iter()
                .all(|byte| (0x20..=0x7E).contains(byte))
        {
            self.violate(
                "KE-12",
                None,
                alloc::format!("{call} with the tag {tag:#x}"),
            );
        }
        if flags & flag::RAISE_ON_FAILURE != 0 {
            let message = alloc::format!("{call} that raises an exception when it fails");
            self.violate(rules::NOT_SIMULATED, None, message);
        }
        let pools = (flags & flag::POOLS).count_ones();
        let valid = pools == 1 && flags & !(flag::KNOWN | flag::OPTIONAL) == 0;
        if !valid {
            let message = alloc::format!("{call} with the flags {flags:#x}");
            self.violate(rules::ARGUMENT, None, message);
        }
        valid && tag != 0
    }
}

fn free_pool(name: &'static str, address: *mut c_void, tag: Option<u32>) {
    // A switch point: what is not freed yet may be missed at an unload meanwhile.
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| s.free(name, address.addr(), tag));
}

exports! { EXPORTS {
    /// Allocates pool memory.
    fn ExAllocatePoolWithTag(pool: i32, size: usize, tag: u32) -> *mut c_void {
        // The lowest bit tells paged pools from others.
        let paged = pool & ndis_sys::PagedPool != 0;
        alloc_pool("ExAllocatePoolWithTag", size, tag, paged)
    }

    /// Allocates pool memory, zeroed unless the flags say otherwise.
    fn ExAllocatePool2(flags: u64, size: usize, tag: u32) -> *mut c_void {
        let name = "ExAllocatePool2";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        cx.with(|s| {
            if !s.may_allocate(flags, size, tag) || cx.fault.is_some() {
                return core::ptr::null_mut();
            }
            // To look at the flags takes as long as the allocation.
            s.sched.now += 1;
            let pattern = if flags & flag::UNINITIALIZED == 0 { 0 } else { FRESH };
            s.allocate_with(size, tag, flags & flag::PAGED != 0, pattern)
        })
    }

    /// Frees pool memory.
    fn ExFreePoolWithTag(address: *mut c_void, tag: u32) {
        free_pool("ExFreePoolWithTag", address, Some(tag));
    }

    /// Frees pool memory.
    fn ExFreePool(address: *mut c_void) {
        free_pool("ExFreePool", address, None);
    }

    /// Allocates pool memory on behalf of an NDIS handle.
    fn NdisAllocateMemoryWithTagPriority(
        _owner: *mut c_void,
        size: u32,
        tag: u32,
        _priority: i32,
    ) -> *mut c_void {
        alloc_pool("NdisAllocateMemoryWithTagPriority", size as usize, tag, false)
    }

    /// Allocates pool memory.
    fn NdisAllocateMemoryWithTag(address: *mut *mut c_void, size: u32, tag: u32) -> i32 {
        let start = alloc_pool("NdisAllocateMemoryWithTag", size as usize, tag, false);
        // SAFETY: the caller's variable for the result.
        unsafe { address.write(start) };
        if start.is_null() {
            ndis_sys::NDIS_STATUS_RESOURCES
        } else {
            ndis_sys::NDIS_STATUS_SUCCESS
        }
    }

    /// Frees what `NdisAllocateMemoryWithTag` allocated.
    fn NdisFreeMemoryWithTag(address: *mut c_void, tag: u32) {
        free_pool("NdisFreeMemoryWithTag", address, Some(tag));
    }

    /// Frees what `NdisAllocateMemoryWithTagPriority` allocated.
    fn NdisFreeMemoryWithTagPriority(_owner: *mut c_void, address: *mut c_void, tag: u32) {
        free_pool("NdisFreeMemoryWithTagPriority", address, Some(tag));
    }

    /// Frees what `NdisAllocateMemoryWithTagPriority` allocated.
    fn NdisFreeMemory(address: *mut c_void, _length: u32, _flags: u32) {
        free_pool("NdisFreeMemory", address, None);
    }
}}
