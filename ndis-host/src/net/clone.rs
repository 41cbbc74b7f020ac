//! Clones: lists that show the data of another list, their parent.

use super::pool::NO_POOL;
use super::table::{Buffer, Cloned, Data, Mdl};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::Kind;
use crate::rules;
use crate::state::State;
use alloc::boxed::Box;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{MDL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST};

const ALLOCATE: &str = "NdisAllocateCloneNetBufferList";
const FREE: &str = "NdisFreeCloneNetBufferList";

impl State {
    /// MDLs of the clone's own for the data of a buffer.
    fn clone_mdls(&mut self, data: Data, made: &mut Vec<usize>) -> Option<*mut MDL> {
        let owner = (self.driver(), self.who());
        let (mut first, mut last) = (core::ptr::null_mut::<MDL>(), None::<usize>);
        let (mut at, mut skip, mut left) = (data.current, data.current_offset, data.length);
        while left > 0 {
            let (start, length, next) = {
                let mdl = self.buffers.mdls.get(&at.addr())?;
                (mdl.start(), mdl.length(), mdl.next())
            };
            let skipped = skip.min(length);
            let here = (length - skipped).min(left);
            skip -= skipped;
            left -= here;
            at = next;
            if here == 0 {
                continue;
            }
            let mut mdl = Mdl::new(
                start.wrapping_add(skipped as usize),
                here,
                (owner.0, owner.1.clone()),
                self.origin(),
            )?;
            mdl.number = self.number(Kind::Mdl);
            mdl.of_buffer = true;
            let pointer = mdl.pointer();
            self.buffers.mdls.insert(pointer.addr(), Box::new(mdl));
            made.push(pointer.addr());
            match last.and_then(|last| self.buffers.mdls.get(&last)) {
                Some(last) => last.set_next(pointer),
                None => first = pointer,
            }
            last = Some(pointer.addr());
        }
        Some(first)
    }

    fn clone_packet(
        &mut self,
        packet: usize,
        pool: u32,
        original_mdls: bool,
        cloned: &mut Cloned,
    ) -> Option<*mut NET_BUFFER> {
        let data = self.buffers.buffers.get(&packet)?.data();
        let mut buffer = Buffer::new(pool)?;
        buffer.of_list = true;
        let (chain, offset) = if original_mdls {
            (data.current, data.current_offset)
        } else {
            (self.clone_mdls(data, &mut cloned.mdls)?, 0)
        };
        buffer.set_data(Data {
            current: chain,
            current_offset: offset,
            length: data.length,
            chain,
            offset,
        });
        let pointer = buffer.pointer();
        self.buffers.buffers.insert(pointer.addr(), buffer);
        cloned.buffers.push(pointer.addr());
        self.pool_out(pool, 1);
        Some(pointer)
    }

    /// Frees what belongs to a clone.
    fn drop_cloned(&mut self, cloned: &Cloned) {
        for address in &cloned.buffers {
            if let Some(buffer) = self.buffers.buffers.remove(address) {
                self.pool_out(buffer.pool, -1);
            }
        }
        for address in &cloned.mdls {
            self.buffers.mdls.remove(address);
        }
    }

    fn make_clone(
        &mut self,
        original: usize,
        lists: u32,
        buffers: u32,
        flags: u32,
    ) -> Option<*mut NET_BUFFER_LIST> {
        let parent = self.buffers.lists.get(&original)?.number;
        let mut cloned = Cloned {
            parent: (original, parent),
            flags,
            buffers: Vec::new(),
            mdls: Vec::new(),
        };
        let original_mdls = flags & n::NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS as u32 != 0;
        let (mut first, mut last) = (core::ptr::null_mut(), None::<usize>);
        for packet in self.packets(original) {
            let made = self.clone_packet(packet, buffers, original_mdls, &mut cloned);
            let Some(made) = made else {
                self.drop_cloned(&cloned);
                return None;
            };
            match last.and_then(|last| self.buffers.buffers.get(&last)) {
                Some(last) => last.set_next(made),
                None => first = made,
            }
            last = Some(made.addr());
        }
        let Some((clone, _)) = self.make_list(lists, 0, 0, None) else {
            self.drop_cloned(&cloned);
            return None;
        };
        if let Some(list) = self.buffers.lists.get_mut(&clone.addr()) {
            list.set_first(first);
            list.cloned = Some(Box::new(cloned));
        }
        if let Some(list) = self.buffers.lists.get_mut(&original) {
            list.clones += 1;
        }
        Some(clone)
    }
}

/// The number of an optional pool.
fn pool(s: &mut State, raw: NDIS_HANDLE, kind: Kind) -> Option<u32> {
    if raw.is_null() {
        return Some(NO_POOL);
    }
    s.take(ALLOCATE, raw.addr(), kind)
}

exports! { EXPORTS {
    /// Makes a list that shows the data of another one.
    fn NdisAllocateCloneNetBufferList(
        original: *mut NET_BUFFER_LIST,
        lists: NDIS_HANDLE,
        buffers: NDIS_HANDLE,
        flags: u32,
    ) -> *mut NET_BUFFER_LIST {
        let cx = Cx::enter(Call::new(ALLOCATE).quiet(), &[]);
        if cx.fault.is_some() {
            return core::ptr::null_mut();
        }
        cx.with(|s| {
            let Some(object) = s.buffers.lists.get(&original.addr()).map(|list| super::list_id(list)) else {
                s.owned_list(ALLOCATE, original.addr());
                return None;
            };
            let lists = pool(s, lists, Kind::NetBufferListPool)?;
            let buffers = pool(s, buffers, Kind::NetBufferPool)?;
            if s.faults.allocation() || !s.check_packets(ALLOCATE, object, original.addr()) {
                return None;
            }
            s.make_clone(original.addr(), lists, buffers, flags)
        })
        .unwrap_or(core::ptr::null_mut())
    }

    /// Frees a clone.
    fn NdisFreeCloneNetBufferList(clone: *mut NET_BUFFER_LIST, flags: u32) {
        let cx = Cx::enter(Call::new(FREE).quiet(), &[]);
        cx.with(|s| {
            let address = clone.addr();
            if !s.owned_list(FREE, address) || !s.childless(FREE, address) {
                return;
            }
            let Some(list) = s.buffers.lists.get_mut(&address) else {
                return;
            };
            let id = list.id();
            let Some(cloned) = list.cloned.take() else {
                let message = alloc::format!("{FREE}: {id} is no clone");
                s.violate("NBL-37", Some(id), message);
                return;
            };
            if cloned.flags != flags {
                let message = alloc::format!(
                    "{FREE}: {id} was made with flags {:#x}, not {flags:#x}",
                    cloned.flags
                );
                s.violate("NBL-37", Some(id), message);
            }
            s.drop_cloned(&cloned);
            s.remove_list(address);
            let (parent, number) = cloned.parent;
            let doomed = s.buffers.lists.get_mut(&parent).is_some_and(|list| {
                if list.number == number {
                    list.clones = list.clones.saturating_sub(1);
                }
                list.number == number && list.doomed && list.clones == 0
            });
            if doomed {
                s.remove_list(parent);
            }
        });
    }

    /// Finds the current MDL and offset of a buffer from its data offset.
    fn NdisAdjustNetBufferCurrentMdl(buffer: *mut NET_BUFFER) {
        let name = "NdisAdjustNetBufferCurrentMdl";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        cx.with(|s| {
            if s.buffers.buffers.contains_key(&buffer.addr()) {
                s.find_start(buffer.addr());
                return;
            }
            let message =
                alloc::format!("{name}: {:#x} is no net buffer of this host", buffer.addr());
            s.violate(rules::MEMORY, None, message);
        });
    }
}}
