//! The host's records of lists, buffers and MDLs.

use crate::callback::Ptr;
use crate::handle::{Kind, ObjectId};
use crate::ke::table::memory::FRESH;
use crate::log::Origin;
use crate::report::{ObjectLeft, tag_text};
use alloc::alloc::{alloc, alloc_zeroed, dealloc};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::sync::atomic::{AtomicI16, Ordering};
use ndis_sys as n;
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

/// Memory that is freed with its record.
pub(crate) struct Chunk {
    start: Ptr<u8>,
    size: usize,
}

/// The layout of a chunk; none is too large.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size, 16).ok()
}

impl Chunk {
    pub(crate) fn new(size: usize) -> Option<Self> {
        let size = size.max(1);
        let layout = layout(size)?;
        // SAFETY: the size is at least 1.
        let start = unsafe { alloc_zeroed(layout) };
        (!start.is_null()).then_some(Self {
            start: Ptr(start),
            size,
        })
    }

    /// Memory that holds what was there before, as a pool's does. Miri knows that by itself.
    pub(crate) fn unwritten(size: usize) -> Option<Self> {
        let size = size.max(1);
        let layout = layout(size)?;
        // SAFETY: the size is at least 1.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            return None;
        }
        if !cfg!(miri) {
            // SAFETY: just allocated, so many bytes.
            unsafe { start.write_bytes(FRESH, size) };
        }
        let start = Ptr(start);
        Some(Self { start, size })
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start.0
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.size) {
            // SAFETY: allocated in `new` or `unwritten` with this layout, freed here only.
            unsafe { dealloc(self.start.0, layout) };
        }
    }
}

/// A pool of lists or of buffers.
pub(crate) struct Pool {
    pub(crate) raw: usize,
    pub(crate) lists: bool,
    pub(crate) tag: u32,
    pub(crate) with_buffer: bool,
    pub(crate) data: u32,
    pub(crate) context: u16,
    pub(crate) driver: Option<u32>,
    pub(crate) adapter: Option<u32>,
    pub(crate) who: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) out: u32,
}

/// Lists by the number of what they belong to, in its order. Mostly all belong to one.
#[derive(Default)]
pub(crate) struct Groups(Vec<(u32, Vec<usize>)>);

impl Groups {
    pub(crate) fn add(&mut self, number: u32, list: usize) {
        match self.0.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(place) => self.0[place].1.push(list),
            Err(place) => self.0.insert(place, (number, alloc::vec![list])),
        }
    }

    pub(crate) fn into_all(self) -> Vec<(u32, Vec<usize>)> {
        self.0
    }
}

/// Who has a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListState {
    /// The driver that allocated it.
    Owned,
    /// The miniport, until it completes the send.
    Sent {
        vc: u32,
        source: usize,
        /// The device was gone by then, and the miniport knew.
        gone: bool,
        /// It came on a VC that another shares and that is not active (any more).
        late: bool,
    },
    /// The client, until it returns the list.
    Indicated { vc: u32, binding: u32, adapter: u32 },
    /// The client, for the time of the callback.
    Lent { vc: u32 },
    /// The miniport, which got it without a VC.
    Bare { adapter: u32 },
}

impl ListState {
    /// Who has the list and since what, in words.
    pub(crate) fn describe(self) -> alloc::string::String {
        let vc = |vc| crate::handle::ObjectId::new(crate::handle::Kind::ClientVc, vc);
        match self {
            Self::Owned => "its owner has it".into(),
            Self::Sent { vc: number, .. } => {
                alloc::format!("sent on {} and not completed", vc(number))
            }
            Self::Indicated { vc: number, .. } => {
                alloc::format!("indicated on {} and not returned", vc(number))
            }
            Self::Bare { .. } => "sent without a VC and not completed".into(),
            Self::Lent { vc: number } => {
                alloc::format!(
                    "lent to the client of {} for the time of its callback",
                    vc(number)
                )
            }
        }
    }
}

pub(crate) struct List {
    pub(crate) number: u32,
    chunk: Chunk,
    pub(crate) pool: u32,
    pub(crate) state: ListState,
    /// The buffer that was allocated with it.
    pub(crate) buffer: Option<usize>,
    pub(crate) contexts: Vec<Chunk>,
    /// How many clones of it there are.
    pub(crate) clones: u32,
    /// What it is, if it is a clone.
    pub(crate) cloned: Option<Box<Cloned>>,
    /// Freed while there were clones: it goes with the last of them.
    pub(crate) doomed: bool,
    /// How it looked when it was given away.
    pub(crate) departed: Option<Shape>,
}

/// What belongs to a clone.
pub(crate) struct Cloned {
    /// Where its parent is, and which list that was.
    pub(crate) parent: (usize, u32),
    pub(crate) flags: u32,
    pub(crate) buffers: Vec<usize>,
    pub(crate) mdls: Vec<usize>,
}

/// What whoever is given a list leaves as it is.
pub(crate) struct Shape {
    pub(crate) parent: Ptr<NET_BUFFER_LIST>,
    /// The first buffer, with its data offset and length: mostly there is one.
    pub(crate) first: Option<(usize, u32, u32)>,
    pub(crate) others: Vec<(usize, u32, u32)>,
}

impl List {
    pub(crate) fn new(number: u32, pool: u32) -> Option<Self> {
        Some(Self {
            number,
            chunk: Chunk::new(size_of::<NET_BUFFER_LIST>())?,
            pool,
            state: ListState::Owned,
            buffer: None,
            contexts: Vec::new(),
            clones: 0,
            cloned: None,
            doomed: false,
            departed: None,
        })
    }

    pub(crate) fn id(&self) -> ObjectId {
        ObjectId::new(Kind::NetBufferList, self.number)
    }

    pub(crate) fn pointer(&self) -> *mut NET_BUFFER_LIST {
        self.chunk.start().cast()
    }

    pub(crate) fn next(&self) -> *mut NET_BUFFER_LIST {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).u.s.Next };
        // SAFETY: inside that memory; any bits are a pointer.
        unsafe { field.read() }
    }

    pub(crate) fn set_next(&self, next: *mut NET_BUFFER_LIST) {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw mut (*self.pointer()).u.s.Next };
        // SAFETY: inside that memory.
        unsafe { field.write(next) };
    }

    pub(crate) fn first(&self) -> *mut NET_BUFFER {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).u.s.FirstNetBuffer };
        // SAFETY: inside that memory; any bits are a pointer.
        unsafe { field.read() }
    }

    pub(crate) fn set_first(&self, first: *mut NET_BUFFER) {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw mut (*self.pointer()).u.s.FirstNetBuffer };
        // SAFETY: inside that memory.
        unsafe { field.write(first) };
    }

    pub(crate) fn parent(&self) -> *mut NET_BUFFER_LIST {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).ParentNetBufferList };
        // SAFETY: inside that memory; any bits are a pointer.
        unsafe { field.read() }
    }

    pub(crate) fn set_parent(&self, parent: *mut NET_BUFFER_LIST) {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw mut (*self.pointer()).ParentNetBufferList };
        // SAFETY: inside that memory.
        unsafe { field.write(parent) };
    }

    pub(crate) fn child_count(&self) -> i32 {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).ChildRefCount };
        // SAFETY: inside that memory; any bits are a number.
        unsafe { field.read() }
    }

    pub(crate) fn source(&self) -> usize {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).SourceHandle };
        // SAFETY: inside that memory; any bits are a pointer.
        unsafe { field.read() }.addr()
    }

    pub(crate) fn set_source(&self, raw: usize) {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw mut (*self.pointer()).SourceHandle };
        // SAFETY: inside that memory.
        unsafe { field.write(crate::callback::handle(raw)) };
    }

    pub(crate) fn status(&self) -> i32 {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw const (*self.pointer()).u2.Status };
        // SAFETY: inside that memory; any bits are a number.
        unsafe { field.read() }
    }

    pub(crate) fn set_status(&self, status: i32) {
        // SAFETY: the record owns the memory of the list.
        let field = unsafe { &raw mut (*self.pointer()).u2.Status };
        // SAFETY: inside that memory.
        unsafe { field.write(status) };
    }
}

pub(crate) struct Buffer {
    chunk: Chunk,
    pub(crate) pool: u32,
    /// The MDL that was allocated with it.
    pub(crate) mdl: Option<usize>,
    /// Belongs to a list and goes with it.
    pub(crate) of_list: bool,
}

/// The fields of a net buffer that describe its data.
#[derive(Clone, Copy)]
pub(crate) struct Data {
    pub(crate) current: *mut MDL,
    pub(crate) current_offset: u32,
    pub(crate) length: u32,
    pub(crate) chain: *mut MDL,
    pub(crate) offset: u32,
}

impl Data {
    pub(crate) const NONE: Self = Self {
        current: core::ptr::null_mut(),
        current_offset: 0,
        length: 0,
        chain: core::ptr::null_mut(),
        offset: 0,
    };
}

impl Buffer {
    pub(crate) fn new(pool: u32) -> Option<Self> {
        Some(Self {
            chunk: Chunk::new(size_of::<NET_BUFFER>())?,
            pool,
            mdl: None,
            of_list: false,
        })
    }

    pub(crate) fn pointer(&self) -> *mut NET_BUFFER {
        self.chunk.start().cast()
    }

    pub(crate) fn next(&self) -> *mut NET_BUFFER {
        // SAFETY: the record owns the memory of the buffer.
        let field = unsafe { &raw const (*self.pointer()).u.s.Next };
        // SAFETY: inside that memory; any bits are a pointer.
        unsafe { field.read() }
    }

    pub(crate) fn set_next(&self, next: *mut NET_BUFFER) {
        // SAFETY: the record owns the memory of the buffer.
        let field = unsafe { &raw mut (*self.pointer()).u.s.Next };
        // SAFETY: inside that memory.
        unsafe { field.write(next) };
    }

    fn fields(&self) -> *mut n::NET_BUFFER_u_s {
        // SAFETY: the record owns the memory of the buffer.
        unsafe { &raw mut (*self.pointer()).u.s }
    }

    pub(crate) fn data(&self) -> Data {
        // SAFETY: inside the record's memory; the pointers and numbers there
        // are any bits, and the length is the low half of its union.
        let fields = unsafe { self.fields().read() };
        // SAFETY: every bit pattern of the union is a length.
        let length = unsafe { fields.u.DataLength };
        Data {
            current: fields.CurrentMdl,
            current_offset: fields.CurrentMdlOffset,
            length,
            chain: fields.MdlChain,
            offset: fields.DataOffset,
        }
    }

    pub(crate) fn set_data(&self, data: Data) {
        // SAFETY: inside the record's memory.
        let mut fields = unsafe { self.fields().read() };
        fields.CurrentMdl = data.current;
        fields.CurrentMdlOffset = data.current_offset;
        fields.u = n::NET_BUFFER_u_s_u {
            stDataLength: data.length as n::SIZE_T,
        };
        fields.MdlChain = data.chain;
        fields.DataOffset = data.offset;
        // SAFETY: as above.
        unsafe { self.fields().write(fields) };
    }
}

pub(crate) struct Mdl {
    chunk: Chunk,
    /// Data that was allocated with it.
    pub(crate) data: Option<Chunk>,
    pub(crate) driver: Option<u32>,
    pub(crate) who: Arc<str>,
    pub(crate) origin: Origin,
    /// The task that maps it now.
    pub(crate) mapping: Option<crate::sched::TaskId>,
    /// Belongs to a buffer and goes with it.
    pub(crate) of_buffer: bool,
    pub(crate) number: u32,
    /// A retreat chained it in front of a buffer's data.
    pub(crate) retreat: Option<Retreat>,
}

/// Who made the MDL of a retreat, and so frees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retreat {
    Ndis,
    /// The driver's `NetAllocateMdl`.
    Handler,
}

impl Mdl {
    /// An MDL for `length` bytes at `start`.
    pub(crate) fn new(
        start: *mut u8,
        length: u32,
        owner: (Option<u32>, Arc<str>),
        origin: Origin,
    ) -> Option<Self> {
        let chunk = Chunk::new(size_of::<MDL>() + 4 * size_of::<usize>())?;
        let offset = start.addr() & 0xFFF;
        let mdl = MDL {
            Next: core::ptr::null_mut(),
            Size: size_of::<MDL>() as i16,
            MdlFlags: (n::MDL_MAPPED_TO_SYSTEM_VA
                | n::MDL_PAGES_LOCKED
                | n::MDL_SOURCE_IS_NONPAGED_POOL) as i16,
            Process: core::ptr::null_mut(),
            MappedSystemVa: start.cast(),
            StartVa: start.wrapping_sub(offset).cast(),
            ByteCount: length,
            ByteOffset: offset as u32,
        };
        // SAFETY: the chunk is large enough for an MDL and aligned for anything.
        unsafe { chunk.start().cast::<MDL>().write(mdl) };
        Some(Self {
            chunk,
            data: None,
            driver: owner.0,
            who: owner.1,
            origin,
            mapping: None,
            of_buffer: false,
            number: 0,
            retreat: None,
        })
    }

    pub(crate) fn pointer(&self) -> *mut MDL {
        self.chunk.start().cast()
    }

    /// Whether its pages have an address.
    pub(crate) fn is_mapped(&self) -> bool {
        let mapped = n::MDL_MAPPED_TO_SYSTEM_VA | n::MDL_SOURCE_IS_NONPAGED_POOL;
        // SAFETY: the record owns the memory of the MDL.
        let flags = unsafe { (*self.pointer()).MdlFlags };
        i32::from(flags) & mapped != 0
    }

    pub(crate) fn set_mapped(&self) {
        // SAFETY: the record owns the memory of the MDL.
        let flags = unsafe { &raw mut (*self.pointer()).MdlFlags };
        // SAFETY: as above. A driver may look at them at the same time.
        let flags = unsafe { AtomicI16::from_ptr(flags) };
        flags.fetch_or(n::MDL_MAPPED_TO_SYSTEM_VA as i16, Ordering::Release);
    }

    pub(crate) fn next(&self) -> *mut MDL {
        // SAFETY: the record owns the memory of the MDL.
        unsafe { (*self.pointer()).Next }
    }

    pub(crate) fn set_next(&self, next: *mut MDL) {
        // SAFETY: the record owns the memory of the MDL.
        unsafe { (*self.pointer()).Next = next };
    }

    pub(crate) fn length(&self) -> u32 {
        // SAFETY: the record owns the memory of the MDL.
        unsafe { (*self.pointer()).ByteCount }
    }

    /// Where its bytes are.
    pub(crate) fn start(&self) -> *mut u8 {
        // SAFETY: the record owns the memory of the MDL.
        unsafe { (*self.pointer()).MappedSystemVa }.cast()
    }
}

#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) pools: BTreeMap<u32, Pool>,
    /// Boxed, as the MDLs: a tree keeps nearly as many places free as it has entries.
    pub(crate) lists: BTreeMap<usize, Box<List>>,
    pub(crate) buffers: BTreeMap<usize, Buffer>,
    pub(crate) mdls: BTreeMap<usize, Box<Mdl>>,
    /// Where lists were that are freed now, until the memory is used again.
    pub(crate) freed: BTreeMap<usize, ObjectId>,
}

impl Buffers {
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        let mut left: Vec<ObjectLeft> = self
            .pools
            .iter()
            .filter(|(_, pool)| driver.is_none() || pool.driver == driver)
            .map(|(number, pool)| {
                let kind = if pool.lists {
                    Kind::NetBufferListPool
                } else {
                    Kind::NetBufferPool
                };
                ObjectLeft {
                    kind: kind.name(),
                    name: {
                        let pool_id = ObjectId::new(kind, *number);
                        alloc::format!("{pool_id} ({} out{})", pool.out, pool.origin)
                    },
                    tag: tag_text(pool.tag),
                    owner: pool.who.clone(),
                }
            })
            .collect();
        let mut mdls: Vec<&Mdl> = self
            .mdls
            .values()
            .map(|mdl| &**mdl)
            .filter(|mdl| !mdl.of_buffer && (driver.is_none() || mdl.driver == driver))
            .collect();
        mdls.sort_unstable_by_key(|mdl| mdl.number);
        left.extend(mdls.into_iter().map(|mdl| ObjectLeft {
            kind: Kind::Mdl.name(),
            name: alloc::format!("MDL {}{}", mdl.number, mdl.origin),
            tag: String::new(),
            owner: mdl.who.clone(),
        }));
        left
    }

    /// Takes the chain that starts at `first` apart, as far as it consists of lists
    /// of this host; the second value is where it leads astray, if it does.
    pub(crate) fn chain(&self, first: *mut NET_BUFFER_LIST) -> (Vec<usize>, Option<usize>) {
        /// A look at so many is sooner done than a set of them.
        const FEW: usize = 16;
        let mut lists: Vec<usize> = Vec::new();
        let mut seen = alloc::collections::BTreeSet::new();
        let mut at = first;
        while !at.is_null() {
            let Some(list) = self.lists.get(&at.addr()) else {
                return (lists, Some(at.addr()));
            };
            if lists.len() == FEW {
                seen.extend(lists.iter().copied());
            }
            let met = if lists.len() < FEW {
                lists.contains(&at.addr())
            } else {
                !seen.insert(at.addr())
            };
            if met {
                return (lists, Some(at.addr()));
            }
            lists.push(at.addr());
            at = list.next();
        }
        (lists, None)
    }

    /// Links `lists` to a chain and gives its head.
    pub(crate) fn link(&self, lists: &[usize]) -> *mut NET_BUFFER_LIST {
        let mut next = core::ptr::null_mut();
        for address in lists.iter().rev() {
            if let Some(list) = self.lists.get(address) {
                list.set_next(next);
                next = list.pointer();
            }
        }
        next
    }
}
