//! Pools, and what is allocated from them.

use super::table::Chunk;
use super::table::{Buffer, Data, List, ListState, Mdl, Pool, Retreat};
use crate::callback::handle;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::rules;
use crate::state::State;
use alloc::boxed::Box;
use ndis_sys::{
    MDL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_CONTEXT,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_POOL_PARAMETERS,
};

impl State {
    fn make_pool(&mut self, owner: usize, mut pool: Pool) -> Option<(usize, ObjectId)> {
        let (kind, call) = if pool.lists {
            (Kind::NetBufferListPool, "NdisAllocateNetBufferListPool")
        } else {
            (Kind::NetBufferPool, "NdisAllocateNetBufferPool")
        };
        if !self.allocates_on(call, owner, &[Kind::Binding], "NBL-61") || self.faults.allocation() {
            return None;
        }
        let number = self.number(kind);
        // Both kinds of pools share one table, told apart by an offset.
        let key = if pool.lists {
            number
        } else {
            number | BUFFER_POOL
        };
        pool.raw = self.handles.make(kind, key);
        pool.driver = self.driver();
        pool.adapter = self.adapter_of(owner);
        pool.who = self.who();
        let raw = pool.raw;
        self.buffers.pools.insert(key, pool);
        Some((raw, ObjectId::new(kind, key)))
    }

    fn free_pool(&mut self, call: &'static str, raw: usize, kind: Kind) {
        let Some(number) = self.take(call, raw, kind) else {
            return;
        };
        let object = ObjectId::new(kind, number);
        let out = self.buffers.pools.get(&number).map_or(0, |pool| pool.out);
        if out > 0 {
            let message = alloc::format!("{object} is freed while {out} of it are still in use");
            self.violate(rules::LEAK, Some(object), message);
        }
        if let Some(pool) = self.buffers.pools.remove(&number) {
            self.handles.kill(pool.raw);
        }
        self.histories.end(object);
    }

    pub(super) fn pool_out(&mut self, number: u32, by: i32) {
        if let Some(pool) = self.buffers.pools.get_mut(&number) {
            pool.out = pool.out.saturating_add_signed(by);
        }
    }

    pub(super) fn make_mdl(
        &mut self,
        start: *mut u8,
        length: u32,
        data: Option<Chunk>,
    ) -> Option<*mut MDL> {
        let owner = (self.driver(), self.who());
        let mut mdl = Mdl::new(start, length, owner, self.origin())?;
        mdl.number = self.number(Kind::Mdl);
        mdl.of_buffer = data.is_some();
        mdl.data = data;
        let pointer = mdl.pointer();
        self.buffers.mdls.insert(pointer.addr(), Box::new(mdl));
        Some(pointer)
    }

    fn make_buffer(&mut self, pool: u32, data: Data) -> Option<*mut NET_BUFFER> {
        let buffer = Buffer::new(pool)?;
        let pointer = buffer.pointer();
        buffer.set_data(data);
        self.buffers.buffers.insert(pointer.addr(), buffer);
        self.find_start(pointer.addr());
        Some(pointer)
    }

    /// A buffer for data in MDLs of the driver's, which must hold it.
    fn make_sound_buffer(
        &mut self,
        call: &str,
        pool: u32,
        mdl: *mut MDL,
        offset: u32,
        length: usize,
    ) -> Option<*mut NET_BUFFER> {
        let data = Data {
            current: mdl,
            current_offset: 0,
            length: u32::try_from(length).ok()?,
            chain: mdl,
            offset,
        };
        let buffer = self.make_buffer(pool, data)?;
        let record = self.buffers.buffers.get(&buffer.addr());
        if let Some(flaw) = record.and_then(|record| self.flaw(record)) {
            let message = alloc::format!("{call}: {flaw}");
            self.violate("NBL-40", None, message);
            self.buffers.buffers.remove(&buffer.addr());
            return None;
        }
        Some(buffer)
    }

    /// A buffer with `size` bytes of its own, all of them data.
    fn make_full_buffer(&mut self, pool: u32, size: u32) -> Option<*mut NET_BUFFER> {
        let chunk = Chunk::unwritten(size as usize)?;
        let start = chunk.start();
        let mdl = self.make_mdl(start, size, Some(chunk))?;
        let data = Data {
            current: mdl,
            current_offset: 0,
            length: size,
            chain: mdl,
            offset: 0,
        };
        let buffer = self.make_buffer(pool, data)?;
        if let Some(record) = self.buffers.buffers.get_mut(&buffer.addr()) {
            record.mdl = Some(mdl.addr());
        }
        Some(buffer)
    }

    fn drop_buffer(&mut self, call: &str, address: usize) {
        let Some(buffer) = self.buffers.buffers.remove(&address) else {
            return;
        };
        if let Some(mdl) = buffer.mdl {
            self.buffers.mdls.remove(&mdl);
        }
        // What a retreat put in front of the data, only an advance takes off.
        let mut at = buffer.data().chain;
        while let Some(mdl) = self.buffers.mdls.get(&at.addr())
            && mdl.retreat.is_some()
        {
            let message = alloc::format!(
                "{call}: MDL {} of a retreat is still in front of the data of {address:#x}",
                mdl.number
            );
            let (this, by_ndis) = (at.addr(), mdl.retreat == Some(Retreat::Ndis));
            at = mdl.next();
            if by_ndis {
                self.buffers.mdls.remove(&this);
            }
            self.violate("NBL-41", None, message);
        }
    }

    /// Frees a list and what was allocated with it.
    pub(super) fn remove_list(&mut self, address: usize) {
        let Some(record) = self.buffers.lists.remove(&address) else {
            return;
        };
        if let Some(buffer) = record.buffer {
            self.drop_buffer("NdisFreeNetBufferList", buffer);
        }
        self.pool_out(record.pool, -1);
        if self.buffers.freed.len() >= 4096 {
            self.buffers.freed.clear();
        }
        self.buffers.freed.insert(address, record.id());
        self.histories.end(record.id());
    }

    pub(crate) fn make_list(
        &mut self,
        pool: u32,
        context: u16,
        back_fill: u16,
        buffer: Option<*mut NET_BUFFER>,
    ) -> Option<(*mut NET_BUFFER_LIST, ObjectId)> {
        let number = self.number(Kind::NetBufferList);
        let mut list = List::new(number, pool)?;
        if context > 0 || back_fill > 0 {
            add_context(&mut list, context, back_fill)?;
        }
        if let Some(buffer) = buffer {
            list.set_first(buffer);
            list.buffer = Some(buffer.addr());
            if let Some(record) = self.buffers.buffers.get_mut(&buffer.addr()) {
                record.of_list = true;
            }
        }
        let raw = self.buffers.pools.get(&pool).map_or(0, |pool| pool.raw);
        let pointer = list.pointer();
        // SAFETY: the record owns the memory of the list.
        unsafe { (*pointer).NdisPoolHandle = handle(raw) };
        let object = list.id();
        self.buffers.freed.remove(&pointer.addr());
        self.buffers.lists.insert(pointer.addr(), Box::new(list));
        self.pool_out(pool, 1);
        Some((pointer, object))
    }

    /// The list at `address`, which must be one that its driver owns now.
    pub(super) fn owned_list(&mut self, call: &str, address: usize) -> bool {
        let Some(list) = self.buffers.lists.get(&address) else {
            let freed = self.buffers.freed.get(&address).copied();
            let message = match freed {
                Some(id) => alloc::format!("{call}: {id} is freed already"),
                None => alloc::format!("{call}: {address:#x} is no net buffer list of this host"),
            };
            self.violate(rules::MEMORY, freed, message);
            return false;
        };
        let object = list.id();
        if list.doomed {
            let message = alloc::format!("{call}: {object} is freed already");
            self.violate(rules::MEMORY, Some(object), message);
            return false;
        }
        let (rule, what) = match list.state {
            ListState::Owned => return true,
            ListState::Sent { vc, .. } => (
                "NBL-02",
                alloc::format!("being sent on VC {vc} and not completed"),
            ),
            ListState::Indicated { vc, .. } => (
                "NBL-19",
                alloc::format!("indicated on VC {vc} and not returned"),
            ),
            ListState::Bare { .. } => ("NBL-02", "being sent and not completed".into()),
            ListState::Lent { vc } => (
                "NBL-25",
                alloc::format!("lent on VC {vc} for the time of a callback"),
            ),
        };
        let message = alloc::format!("{call}: {object} is {what}");
        self.violate(rule, Some(object), message);
        false
    }
}

/// The number of no pool: NDIS's own, for clones.
pub(super) const NO_POOL: u32 = u32::MAX;

/// Pools of net buffers have this bit in their number.
const BUFFER_POOL: u32 = 1 << 31;

/// Gives `list` room for `size` bytes of context with `back_fill` bytes before.
fn add_context(list: &mut List, size: u16, back_fill: u16) -> Option<()> {
    let room = usize::from(size) + usize::from(back_fill);
    let chunk = Chunk::new(size_of::<NET_BUFFER_LIST_CONTEXT>() + room)?;
    let context: *mut NET_BUFFER_LIST_CONTEXT = chunk.start().cast();
    let pointer = list.pointer();
    // SAFETY: the record owns the memory of the list.
    let before = unsafe { (*pointer).Context };
    // SAFETY: the chunk has room for the structure and is aligned for it.
    unsafe { (*context).Next = before };
    // SAFETY: as above.
    unsafe { (*context).Size = room as u16 };
    // SAFETY: as above.
    unsafe { (*context).Offset = back_fill };
    // SAFETY: the record owns the memory of the list.
    unsafe { (*pointer).Context = context };
    list.contexts.push(chunk);
    Some(())
}

fn allocate_list(
    name: &'static str,
    pool: NDIS_HANDLE,
    context: u16,
    back_fill: u16,
    data: Option<(*mut MDL, u32, usize)>,
) -> *mut NET_BUFFER_LIST {
    let cx = Cx::enter(Call::new(name).quiet(), &[pool]);
    if cx.fault.is_some() {
        return core::ptr::null_mut();
    }
    cx.with(|s| {
        let number = s.take(name, pool.addr(), Kind::NetBufferListPool)?;
        if s.faults.allocation() {
            return None;
        }
        let (with_buffer, size, least) = s
            .buffers
            .pools
            .get(&number)
            .map(|pool| (pool.with_buffer, pool.data, pool.context))?;
        let buffer = match data {
            Some((mdl, offset, length)) => {
                if !with_buffer || size > 0 {
                    let message = alloc::format!(
                        "{name}: its pool was made {}",
                        if with_buffer {
                            "for data of its own"
                        } else {
                            "without net buffers"
                        }
                    );
                    s.violate(
                        "NBL-39",
                        Some(ObjectId::new(Kind::NetBufferListPool, number)),
                        message,
                    );
                    return None;
                }
                Some(s.make_sound_buffer(name, number, mdl, offset, length)?)
            }
            None if with_buffer && size > 0 => Some(s.make_full_buffer(number, size)?),
            None if with_buffer => Some(s.make_buffer(number, Data::NONE)?),
            None => None,
        };
        let room = context.max(if data.is_none() && context == 0 && back_fill == 0 {
            least
        } else {
            0
        });
        s.make_list(number, room, back_fill, buffer)
    })
    .map_or(core::ptr::null_mut(), |(list, _)| list)
}

fn allocate_buffer(
    name: &'static str,
    pool: NDIS_HANDLE,
    make: impl FnOnce(&mut State, u32) -> Option<*mut NET_BUFFER>,
) -> *mut NET_BUFFER {
    let cx = Cx::enter(Call::new(name).quiet(), &[pool]);
    if cx.fault.is_some() {
        return core::ptr::null_mut();
    }
    cx.with(|s| {
        let number = s.take(name, pool.addr(), Kind::NetBufferPool)?;
        if s.faults.allocation() {
            return None;
        }
        let buffer = make(s, number)?;
        s.pool_out(number, 1);
        Some(buffer)
    })
    .unwrap_or(core::ptr::null_mut())
}

exports! { EXPORTS {
    /// Makes a pool of net buffer lists.
    fn NdisAllocateNetBufferListPool(
        owner: NDIS_HANDLE,
        parameters: *const NET_BUFFER_LIST_POOL_PARAMETERS,
    ) -> NDIS_HANDLE {
        let cx = Cx::enter(Call::new("NdisAllocateNetBufferListPool"), &[owner]);
        if cx.fault.is_some() || parameters.is_null() {
            return core::ptr::null_mut();
        }
        // SAFETY: the caller's structure.
        let with_buffer = unsafe { (*parameters).fAllocateNetBuffer };
        // SAFETY: as above.
        let data = unsafe { (*parameters).DataSize };
        // SAFETY: as above.
        let context = unsafe { (*parameters).ContextSize };
        // SAFETY: as above.
        let tag = unsafe { (*parameters).PoolTag };
        let made = cx.with(|s| {
            let pool = Pool {
                raw: 0,
                lists: true,
                tag,
                with_buffer: with_buffer != 0,
                data,
                context,
                driver: None,
                adapter: None,
                who: s.ndis.clone(),
                origin: s.origin(),
                out: 0,
            };
            s.make_pool(owner.addr(), pool)
        });
        match made {
            Some((raw, object)) => {
                cx.about(object);
                handle(raw)
            }
            None => core::ptr::null_mut(),
        }
    }

    /// Ends a pool of net buffer lists.
    fn NdisFreeNetBufferListPool(pool: NDIS_HANDLE) {
        let cx = Cx::enter(Call::new("NdisFreeNetBufferListPool"), &[pool]);
        cx.with(|s| {
            s.free_pool("NdisFreeNetBufferListPool", pool.addr(), Kind::NetBufferListPool);
        });
    }

    /// Makes a pool of net buffers.
    fn NdisAllocateNetBufferPool(
        owner: NDIS_HANDLE,
        parameters: *const NET_BUFFER_POOL_PARAMETERS,
    ) -> NDIS_HANDLE {
        let cx = Cx::enter(Call::new("NdisAllocateNetBufferPool"), &[owner]);
        if cx.fault.is_some() || parameters.is_null() {
            return core::ptr::null_mut();
        }
        // SAFETY: the caller's structure.
        let data = unsafe { (*parameters).DataSize };
        // SAFETY: as above.
        let tag = unsafe { (*parameters).PoolTag };
        let made = cx.with(|s| {
            let pool = Pool {
                raw: 0,
                lists: false,
                tag,
                with_buffer: false,
                data,
                context: 0,
                driver: None,
                adapter: None,
                who: s.ndis.clone(),
                origin: s.origin(),
                out: 0,
            };
            s.make_pool(owner.addr(), pool)
        });
        match made {
            Some((raw, object)) => {
                cx.about(object);
                handle(raw)
            }
            None => core::ptr::null_mut(),
        }
    }

    /// Ends a pool of net buffers.
    fn NdisFreeNetBufferPool(pool: NDIS_HANDLE) {
        let cx = Cx::enter(Call::new("NdisFreeNetBufferPool"), &[pool]);
        cx.with(|s| s.free_pool("NdisFreeNetBufferPool", pool.addr(), Kind::NetBufferPool));
    }

    /// Allocates a list, with buffer, MDL and data if its pool says so.
    fn NdisAllocateNetBufferList(
        pool: NDIS_HANDLE,
        context: u16,
        back_fill: u16,
    ) -> *mut NET_BUFFER_LIST {
        allocate_list("NdisAllocateNetBufferList", pool, context, back_fill, None)
    }

    /// Allocates a list with one buffer for the data in a chain of MDLs.
    fn NdisAllocateNetBufferAndNetBufferList(
        pool: NDIS_HANDLE,
        context: u16,
        back_fill: u16,
        mdl: *mut MDL,
        offset: u32,
        length: usize,
    ) -> *mut NET_BUFFER_LIST {
        allocate_list(
            "NdisAllocateNetBufferAndNetBufferList",
            pool,
            context,
            back_fill,
            Some((mdl, offset, length)),
        )
    }

    /// Frees a list that its driver owns.
    fn NdisFreeNetBufferList(list: *mut NET_BUFFER_LIST) {
        let cx = Cx::enter(Call::new("NdisFreeNetBufferList").quiet(), &[]);
        cx.with(|s| {
            if !s.owned_list("NdisFreeNetBufferList", list.addr()) {
                return;
            }
            let childless = s.childless("NdisFreeNetBufferList", list.addr());
            let Some(record) = s.buffers.lists.get_mut(&list.addr()) else {
                return;
            };
            if record.cloned.is_some() {
                let id = record.id();
                let message = alloc::format!(
                    "NdisFreeNetBufferList: {id} is a clone; only NdisFreeCloneNetBufferList frees it"
                );
                s.violate("NBL-37", Some(id), message);
                return;
            }
            if !childless && record.clones > 0 {
                // Its clones show its data: it goes with the last of them.
                record.doomed = true;
                return;
            }
            s.remove_list(list.addr());
        });
    }

    /// Allocates a buffer for the data in a chain of MDLs.
    fn NdisAllocateNetBuffer(
        pool: NDIS_HANDLE,
        mdl: *mut MDL,
        offset: u32,
        length: usize,
    ) -> *mut NET_BUFFER {
        allocate_buffer("NdisAllocateNetBuffer", pool, |s, number| {
            if s.buffers.pools.get(&number)?.data > 0 {
                let message = "NdisAllocateNetBuffer: its pool was made for data of its own".into();
                s.violate("NBL-39", Some(ObjectId::new(Kind::NetBufferPool, number)), message);
                return None;
            }
            s.make_sound_buffer("NdisAllocateNetBuffer", number, mdl, offset, length)
        })
    }

    /// Allocates a buffer with an MDL and data of the size that the pool has.
    fn NdisAllocateNetBufferMdlAndData(pool: NDIS_HANDLE) -> *mut NET_BUFFER {
        allocate_buffer("NdisAllocateNetBufferMdlAndData", pool, |s, number| {
            let size = s.buffers.pools.get(&number)?.data;
            if size == 0 {
                let message =
                    "NdisAllocateNetBufferMdlAndData: its pool was made without data".into();
                s.violate("NBL-39", Some(ObjectId::new(Kind::NetBufferPool, number)), message);
                return None;
            }
            s.make_full_buffer(number, size)
        })
    }

    /// Frees a buffer.
    fn NdisFreeNetBuffer(buffer: *mut NET_BUFFER) {
        let cx = Cx::enter(Call::new("NdisFreeNetBuffer").quiet(), &[]);
        cx.with(|s| match s.buffers.buffers.get(&buffer.addr()) {
            Some(record) if !record.of_list => {
                let pool = record.pool;
                s.drop_buffer("NdisFreeNetBuffer", buffer.addr());
                s.pool_out(pool, -1);
            }
            found => {
                let message = alloc::format!(
                    "NdisFreeNetBuffer: {:#x} {}",
                    buffer.addr(),
                    if found.is_some() {
                        "was allocated with its list and goes with it"
                    } else {
                        "is no net buffer of this host"
                    }
                );
                s.violate(rules::MEMORY, None, message);
            }
        });
    }

    /// Makes room in a list's context area.
    fn NdisAllocateNetBufferListContext(
        list: *mut NET_BUFFER_LIST,
        size: u16,
        back_fill: u16,
        _tag: u32,
    ) -> i32 {
        let cx = Cx::enter(Call::new("NdisAllocateNetBufferListContext").quiet(), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        cx.with(|s| {
            if !s.buffers.lists.contains_key(&list.addr()) {
                s.owned_list("NdisAllocateNetBufferListContext", list.addr());
                return ndis_sys::NDIS_STATUS_FAILURE;
            }
            let failing = s.faults.allocation();
            let Some(record) = s.buffers.lists.get_mut(&list.addr()) else {
                return ndis_sys::NDIS_STATUS_FAILURE;
            };
            let pointer = record.pointer();
            // SAFETY: the record owns the memory of the list.
            let context = unsafe { (*pointer).Context };
            if !context.is_null() {
                // SAFETY: the contexts of a list are chunks of its record.
                let offset = unsafe { (*context).Offset };
                if offset >= size {
                    // SAFETY: as above.
                    unsafe { (*context).Offset = offset - size };
                    return ndis_sys::NDIS_STATUS_SUCCESS;
                }
            }
            if failing || add_context(record, size, back_fill).is_none() {
                return ndis_sys::NDIS_STATUS_RESOURCES;
            }
            ndis_sys::NDIS_STATUS_SUCCESS
        })
    }

    /// Gives room in a list's context area back.
    fn NdisFreeNetBufferListContext(list: *mut NET_BUFFER_LIST, size: u16) {
        let cx = Cx::enter(Call::new("NdisFreeNetBufferListContext").quiet(), &[]);
        cx.with(|s| {
            let Some(record) = s.buffers.lists.get_mut(&list.addr()) else {
                s.owned_list("NdisFreeNetBufferListContext", list.addr());
                return;
            };
            let pointer = record.pointer();
            // SAFETY: the record owns the memory of the list.
            let context = unsafe { (*pointer).Context };
            if context.is_null() {
                return;
            }
            // SAFETY: the contexts of a list are chunks of its record.
            let offset = unsafe { (*context).Offset }.saturating_add(size);
            // SAFETY: as above.
            let room = unsafe { (*context).Size };
            if offset >= room && record.contexts.len() > 1 {
                // SAFETY: as above.
                let next = unsafe { (*context).Next };
                // SAFETY: the record owns the memory of the list.
                unsafe { (*pointer).Context = next };
                record
                    .contexts
                    .retain(|chunk| chunk.start().addr() != context.addr());
            } else {
                // SAFETY: the contexts of a list are chunks of its record.
                unsafe { (*context).Offset = offset.min(room) };
            }
        });
    }

    /// Makes an MDL for memory of the driver.
    fn NdisAllocateMdl(owner: NDIS_HANDLE, start: *mut core::ffi::c_void, length: u32) -> *mut MDL {
        let cx = Cx::enter(Call::new("NdisAllocateMdl").quiet(), &[]);
        if cx.fault.is_some() {
            return core::ptr::null_mut();
        }
        cx.with(|s| {
            if !s.allocates_on("NdisAllocateMdl", owner.addr(), &[Kind::Binding], "NBL-61") || s.faults.allocation() {
                return None;
            }
            s.make_mdl(start.cast(), length, None)
        })
        .unwrap_or(core::ptr::null_mut())
    }

    /// The address of memory that an MDL of this host describes: it is mapped.
    fn MmMapLockedPagesSpecifyCache(
        mdl: *mut MDL,
        _mode: i8,
        _cache: i32,
        _address: *mut core::ffi::c_void,
        _bug_check: u32,
        _priority: u32,
    ) -> *mut core::ffi::c_void {
        let cx = Cx::enter(Call::new("MmMapLockedPagesSpecifyCache").quiet(), &[]);
        if cx.fault.is_some() {
            return core::ptr::null_mut();
        }
        let (task, key) = (cx.task, mdl.addr());
        let first = cx.with(|s| {
            let mdl = s.buffers.mdls.get_mut(&key)?;
            let (number, mapped) = (mdl.number, mdl.is_mapped());
            let other = mdl.mapping.is_some_and(|other| other != task);
            if !mapped && !other {
                mdl.mapping = Some(task);
            }
            if other {
                let message = alloc::format!(
                    "MDL {number} is being mapped by another thread, and two must not do it at once"
                );
                s.violate("KE-38", None, message);
            }
            Some(!mapped && !other)
        });
        // Another thread may come meanwhile.
        if first == Some(true) && cx.with(|s| s.preempts()) {
            cx.core.give_way(task);
        }
        cx.with(|s| {
            let mdl = s.buffers.mdls.get_mut(&key)?;
            if first == Some(true) {
                mdl.mapping = None;
                mdl.set_mapped();
            }
            Some(mdl.start())
        })
        .map_or(core::ptr::null_mut(), <*mut u8>::cast)
    }

    /// Ends an MDL.
    fn NdisFreeMdl(mdl: *mut MDL) {
        let cx = Cx::enter(Call::new("NdisFreeMdl").quiet(), &[]);
        cx.with(|s| {
            if s.buffers.mdls.remove(&mdl.addr()).is_none() {
                let message =
                    alloc::format!("NdisFreeMdl: {:#x} is no MDL of this host", mdl.addr());
                s.violate(rules::MEMORY, None, message);
            }
        });
    }
}}
