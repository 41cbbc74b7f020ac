//! Pool memory: who allocated it, whether it came back, and whether it was
//! still lent to somebody when it did.
//!
//! Freed memory is filled with a pattern and kept from being allocated again for
//! a while. A driver that reads it sees the pattern, and one that writes to it is
//! reported. (Under Miri it goes back at once: Miri sees the access itself.)

use crate::callback::Ptr;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::request::Loan;
use crate::report::{ObjectLeft, tag_text};
use crate::rules;
use crate::sched::DISPATCH;
use crate::state::State;
use alloc::alloc::{alloc, dealloc};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ffi::c_void;

/// Pool memory is aligned for anything.
const ALIGN: usize = 16;
/// So many freed addresses are remembered.
const FREED: usize = 8192;

/// What freed memory is filled with, and allocated memory before it is written.
/// As a count it is so large that [`KeBugCheckEx`](ndis_sys::KeBugCheckEx) is
/// what a driver's next use comes to, as a pointer it leads nowhere.
const DEAD: u8 = 0xDD;
const FRESH: u8 = 0xCD;
/// So many freed blocks, and bytes in them, are kept from being used again.
const KEPT_BLOCKS: usize = 256;
const KEPT_BYTES: usize = 256 * 1024;

/// A promise that memory stays until a request has ended.
struct Lent {
    id: u64,
    rule: &'static str,
    what: String,
    object: Option<ObjectId>,
}

pub(crate) struct Block {
    start: Ptr<u8>,
    size: usize,
    tag: u32,
    number: u32,
    driver: Option<u32>,
    who: Arc<str>,
    /// The event of the run after which it was allocated, and the callback that did it.
    since: u64,
    within: &'static str,
    lent: Vec<Lent>,
}

#[derive(Default)]
pub(crate) struct Memory {
    blocks: BTreeMap<usize, Block>,
    freed: BTreeMap<usize, u32>,
    loans: u64,
    /// Freed blocks, oldest first.
    kept: VecDeque<Block>,
    kept_bytes: usize,
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), ALIGN).ok()
}

impl Memory {
    /// The block that `address` lies in.
    fn around(&mut self, address: usize) -> Option<(usize, &mut Block)> {
        let (start, block) = self.blocks.range_mut(..=address).next_back()?;
        (address < start + block.size.max(1)).then_some((*start, block))
    }

    /// How much of its block is behind `address`; None when that is no pool memory.
    pub(crate) fn room(&self, address: usize) -> Option<usize> {
        let (start, block) = self.blocks.range(..=address).next_back()?;
        block
            .size
            .checked_sub(address - start)
            .filter(|room| *room > 0)
    }

    /// The block around `address`.
    pub(crate) fn extent(&self, address: usize) -> Option<core::ops::Range<usize>> {
        let (start, block) = self.blocks.range(..=address).next_back()?;
        let extent = *start..start + block.size;
        extent.contains(&address).then_some(extent)
    }

    /// Whether `address` is in pool memory of another driver than this one.
    pub(crate) fn is_others(&self, address: usize, driver: Option<u32>) -> bool {
        let block = self.blocks.range(..=address).next_back();
        block.is_some_and(|(start, block)| address - start < block.size && block.driver != driver)
    }

    /// Where in pool memory `address` lies, in words that are the same in every run.
    pub(crate) fn place(&self, address: usize) -> Option<String> {
        let (start, block) = self.blocks.range(..=address).next_back()?;
        let offset = address - start;
        (offset < block.size).then(|| {
            let mut text = alloc::format!("byte {offset} of memory {}", block.number);
            let tag = tag_text(block.tag);
            if !tag.is_empty() {
                text.push_str(&alloc::format!(" (tag {tag})"));
            }
            text.push_str(&alloc::format!(" of {}{}", block.who, block.origin()));
            text
        })
    }

    /// Notes that a driver must keep the memory at `address` for a while; None
    /// when it is no pool memory, where nothing can be checked.
    pub(crate) fn lend(
        &mut self,
        address: usize,
        rule: &'static str,
        object: Option<ObjectId>,
        what: &str,
    ) -> Option<Loan> {
        self.loans += 1;
        let id = self.loans;
        let (start, block) = self.around(address)?;
        block.lent.push(Lent {
            id,
            rule,
            what: what.into(),
            object,
        });
        Some(Loan(start, id))
    }

    pub(crate) fn give_back(&mut self, loan: Option<Loan>) {
        if let Some(Loan(start, id)) = loan
            && let Some(block) = self.blocks.get_mut(&start)
        {
            block.lent.retain(|lent| lent.id != id);
        }
    }

    /// What `driver` has not freed; everybody's, for None.
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        let mut blocks: Vec<&Block> = self
            .blocks
            .values()
            .filter(|block| driver.is_none() || block.driver == driver)
            .collect();
        blocks.sort_unstable_by_key(|block| block.number);
        blocks
            .into_iter()
            .map(|block| ObjectLeft {
                kind: Kind::Memory.name(),
                name: alloc::format!(
                    "memory {} ({} bytes{})",
                    block.number,
                    block.size,
                    block.origin()
                ),
                tag: tag_text(block.tag),
                owner: block.who.clone(),
            })
            .collect()
    }

    /// Frees every block, at the end of the host.
    pub(crate) fn clear(&mut self) {
        for (_, block) in core::mem::take(&mut self.blocks) {
            release(&block);
        }
        for block in core::mem::take(&mut self.kept) {
            release(&block);
        }
        self.kept_bytes = 0;
    }

    /// Keeps a freed block for a while; gives back those that it takes the place
    /// of, for the caller to look at and release.
    fn keep(&mut self, block: Block) -> Vec<Block> {
        self.kept_bytes += block.size;
        self.kept.push_back(block);
        let (blocks, bytes) = if cfg!(miri) {
            (0, 0)
        } else {
            (KEPT_BLOCKS, KEPT_BYTES)
        };
        let mut out = Vec::new();
        while self.kept.len() > blocks || self.kept_bytes > bytes {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.kept_bytes -= oldest.size;
            out.push(oldest);
        }
        out
    }
}

impl Block {
    /// Where it was allocated, as text.
    fn origin(&self) -> String {
        if self.within.is_empty() {
            return String::new();
        }
        alloc::format!(", allocated in {} at #{}", self.within, self.since)
    }

    fn fill(&self, pattern: u8) {
        // SAFETY: `start` is valid for `size` bytes until `release`, and the
        // block is in the host's hands: not yet or no longer the driver's.
        unsafe { self.start.0.write_bytes(pattern, self.size) };
    }

    /// The first byte that is not the pattern of freed memory.
    fn changed(&self) -> Option<(usize, u8)> {
        // SAFETY: as in `fill`, which has initialised every byte.
        let bytes = unsafe { core::slice::from_raw_parts(self.start.0, self.size) };
        let changed = bytes.iter().position(|byte| *byte != DEAD)?;
        Some((changed, bytes[changed]))
    }
}

fn release(block: &Block) {
    if let Some(layout) = layout(block.size) {
        // SAFETY: `start` came from `alloc` with the layout of this size, and
        // the block has just left the table, so it is freed once.
        unsafe { dealloc(block.start.0, layout) };
    }
}

impl State {
    /// Allocates memory that a driver will free.
    pub(crate) fn allocate(&mut self, size: usize, tag: u32) -> *mut c_void {
        if self.faults.allocation() {
            self.note(None, "an allocation of pool memory fails on purpose");
            return core::ptr::null_mut();
        }
        let Some(layout) = layout(size) else {
            return core::ptr::null_mut();
        };
        // SAFETY: the layout's size is at least 1.
        let start = unsafe { alloc(layout) };
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
        };
        // Under Miri it stays uninitialised, so that Miri sees a read.
        if !cfg!(miri) {
            block.fill(FRESH);
        }
        self.memory.blocks.insert(start.addr(), block);
        start.cast()
    }

    /// Frees memory of a driver, or says why not.
    pub(crate) fn free(&mut self, call: &str, address: usize, tag: Option<u32>) {
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
            self.violate(lent.rule, lent.object, message);
        }
        let end = address.saturating_add(block.size);
        self.kernel_objects_end(call, &(address..end));
        self.locks.order.forget(address..end);
        if self.memory.freed.len() >= FREED {
            self.memory.freed.clear();
        }
        self.memory.freed.insert(address, block.number);
        block.fill(DEAD);
        for block in self.memory.keep(block) {
            self.let_go(&block);
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

fn alloc_pool(name: &'static str, size: usize, tag: u32) -> *mut c_void {
    let cx = Cx::enter(Call::new(name).quiet(), &[]);
    if cx.fault.is_some() {
        return core::ptr::null_mut();
    }
    cx.with(|s| s.allocate(size, tag))
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
    fn ExAllocatePoolWithTag(_pool: i32, size: usize, tag: u32) -> *mut c_void {
        alloc_pool("ExAllocatePoolWithTag", size, tag)
    }

    /// Allocates pool memory, zeroed unless the flags say otherwise.
    fn ExAllocatePool2(flags: u64, size: usize, tag: u32) -> *mut c_void {
        let name = "ExAllocatePool2";
        {
            let cx = Cx::enter(Call::new(name).quiet(), &[]);
            if !cx.with(|s| s.may_allocate(flags, size, tag)) {
                return core::ptr::null_mut();
            }
        }
        let memory = alloc_pool(name, size, tag);
        if !memory.is_null() && flags & flag::UNINITIALIZED == 0 {
            // SAFETY: allocated just now, with this size.
            unsafe { memory.cast::<u8>().write_bytes(0, size) };
        }
        memory
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
        alloc_pool("NdisAllocateMemoryWithTagPriority", size as usize, tag)
    }

    /// Allocates pool memory.
    fn NdisAllocateMemoryWithTag(address: *mut *mut c_void, size: u32, tag: u32) -> i32 {
        let start = alloc_pool("NdisAllocateMemoryWithTag", size as usize, tag);
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
