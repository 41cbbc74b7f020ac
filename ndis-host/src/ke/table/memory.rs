//! Blocks of pool memory: those that drivers have, what of them is lent, and those that were
//! freed a moment ago.

use crate::callback::Ptr;
use crate::handle::{Kind, ObjectId};
use crate::model::request::Loan;
use crate::report::{ObjectLeft, tag_text};
use alloc::alloc::{alloc, dealloc};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;

/// Pool memory is aligned for anything.
const ALIGN: usize = 16;
/// So many freed addresses are remembered.
pub(in crate::ke) const FREED: usize = 8192;

/// What freed memory is filled with, and allocated memory before it is written.
/// As a count it is so large that [`KeBugCheckEx`](ndis_sys::KeBugCheckEx) is
/// what a driver's next use comes to, as a pointer it leads nowhere.
pub(in crate::ke) const DEAD: u8 = 0xDD;
pub(crate) const FRESH: u8 = 0xCD;
/// So many freed blocks, and bytes in them, are kept from being used again.
const KEPT_BLOCKS: usize = 256;
const KEPT_BYTES: usize = 256 * 1024;

/// A promise that memory stays until a request has ended.
pub(in crate::ke) struct Lent {
    pub(in crate::ke) id: u64,
    pub(in crate::ke) rule: &'static str,
    /// The rule, when another driver frees it than the one that allocated it.
    pub(in crate::ke) others: &'static str,
    pub(in crate::ke) what: String,
    pub(in crate::ke) object: Option<ObjectId>,
}

pub(in crate::ke) struct Block {
    pub(in crate::ke) start: Ptr<u8>,
    pub(in crate::ke) size: usize,
    pub(in crate::ke) tag: u32,
    pub(in crate::ke) number: u32,
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    /// The event of the run after which it was allocated, and the callback that did it.
    pub(in crate::ke) since: u64,
    pub(in crate::ke) within: &'static str,
    pub(in crate::ke) lent: Vec<Lent>,
    /// From the paged pool.
    pub(in crate::ke) paged: bool,
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(in crate::ke) blocks: BTreeMap<usize, Block>,
    pub(in crate::ke) freed: BTreeMap<usize, u32>,
    pub(in crate::ke) loans: u64,
    /// Freed blocks, oldest first.
    pub(in crate::ke) kept: VecDeque<Block>,
    pub(in crate::ke) kept_bytes: usize,
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
        self.lend_between(address, (rule, rule), object, what)
    }

    /// As [`lend`](Self::lend), with a rule for the driver that allocated the memory and
    /// one for all others.
    pub(crate) fn lend_between(
        &mut self,
        address: usize,
        (rule, others): (&'static str, &'static str),
        object: Option<ObjectId>,
        what: &str,
    ) -> Option<Loan> {
        self.loans += 1;
        let id = self.loans;
        let (start, block) = self.around(address)?;
        block.lent.push(Lent {
            id,
            rule,
            others,
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

    /// Whether what was lent is still there; what is no pool memory is taken to be.
    pub(crate) fn holds(&self, loan: Option<Loan>) -> bool {
        loan.is_none_or(|Loan(start, id)| {
            let block = self.blocks.get(&start);
            block.is_some_and(|block| block.lent.iter().any(|lent| lent.id == id))
        })
    }

    /// Whether `address` is in paged memory.
    pub(crate) fn is_paged(&self, address: usize) -> bool {
        let block = self.blocks.range(..=address).next_back();
        block.is_some_and(|(start, block)| address - start < block.size && block.paged)
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

    /// Keeps a freed block for a while.
    pub(in crate::ke) fn keep(&mut self, block: Block) {
        self.kept_bytes += block.size;
        self.kept.push_back(block);
    }

    /// A block that newer ones have taken the place of, for the caller to look at and release.
    pub(in crate::ke) fn displaced(&mut self) -> Option<Block> {
        let (blocks, bytes) = if cfg!(miri) {
            (0, 0)
        } else {
            (KEPT_BLOCKS, KEPT_BYTES)
        };
        if self.kept.len() <= blocks && self.kept_bytes <= bytes {
            return None;
        }
        let oldest = self.kept.pop_front()?;
        self.kept_bytes -= oldest.size;
        Some(oldest)
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

    pub(in crate::ke) fn fill(&self, pattern: u8) {
        // SAFETY: `start` is valid for `size` bytes until `release`, and the
        // block is in the host's hands: not yet or no longer the driver's.
        unsafe { self.start.0.write_bytes(pattern, self.size) };
    }

    /// The first byte that is not the pattern of freed memory.
    pub(in crate::ke) fn changed(&self) -> Option<(usize, u8)> {
        // SAFETY: as in `fill`, which has initialised every byte.
        let bytes = unsafe { core::slice::from_raw_parts(self.start.0, self.size) };
        // By pieces: nearly always there is none.
        let pattern = &[DEAD; 1024];
        let mut pieces = bytes.chunks(pattern.len());
        if pieces.all(|piece| piece == &pattern[..piece.len()]) {
            return None;
        }
        let changed = bytes.iter().position(|byte| *byte != DEAD)?;
        Some((changed, bytes[changed]))
    }
}

/// Memory for a block of this size; null when there is none.
pub(in crate::ke) fn reserve(size: usize) -> *mut u8 {
    let Some(layout) = layout(size) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the layout's size is at least 1.
    unsafe { alloc(layout) }
}

/// Gives the memory of a block that has left the table back.
pub(in crate::ke) fn release(block: &Block) {
    if let Some(layout) = layout(block.size) {
        // SAFETY: `start` came from `reserve` with this size, and
        // the block has just left the table, so it is freed once.
        unsafe { dealloc(block.start.0, layout) };
    }
}
