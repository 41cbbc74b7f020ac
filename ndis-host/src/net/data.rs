//! The bytes of a net buffer: finding them, and moving their start.

use super::table::{Chunk, Data, Retreat};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::rules;
use crate::state::State;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};

type AllocateMdl = unsafe extern "system" fn(*mut u32) -> *mut MDL;
type FreeMdl = unsafe extern "system" fn(*mut MDL);

impl State {
    /// Sets the current MDL and offset of a buffer from its data offset.
    pub(super) fn find_start(&mut self, address: usize) {
        let Some(buffer) = self.buffers.buffers.get(&address) else {
            return;
        };
        let mut data = buffer.data();
        let mut left = data.offset;
        let mut at = data.chain;
        while let Some(mdl) = self.buffers.mdls.get(&at.addr()) {
            if left < mdl.length() || mdl.next().is_null() {
                break;
            }
            left -= mdl.length();
            at = mdl.next();
        }
        data.current = at;
        data.current_offset = left;
        if let Some(buffer) = self.buffers.buffers.get(&address) {
            buffer.set_data(data);
        }
    }

    fn data_of(&mut self, call: &str, buffer: usize) -> Option<Data> {
        if let Some(record) = self.buffers.buffers.get(&buffer) {
            return Some(record.data());
        }
        let message = alloc::format!("{call}: {buffer:#x} is no net buffer of this host");
        self.violate(rules::MEMORY, None, message);
        None
    }

    /// Copies `length` bytes of `data` to `target`; false if they are not there.
    ///
    /// # Safety
    ///
    /// `target` has room for `length` bytes that nobody else uses, and the MDLs
    /// of the buffer describe live memory.
    unsafe fn copy_out(&self, data: Data, length: u32, target: *mut u8) -> bool {
        let mut at = data.current;
        let mut skip = data.current_offset;
        let mut done = 0u32;
        while done < length {
            let Some(mdl) = self.buffers.mdls.get(&at.addr()) else {
                return false;
            };
            let here = mdl.length().saturating_sub(skip).min(length - done);
            // SAFETY: `skip + here` is at most the length of the MDL, whose
            // memory is live by contract.
            let from = unsafe { mdl.start().add(skip as usize) };
            // SAFETY: `done + here` is at most `length`.
            let to = unsafe { target.add(done as usize) };
            // SAFETY: both ranges are valid; the target is the caller's own.
            unsafe { core::ptr::copy(from, to, here as usize) };
            done += here;
            skip = 0;
            at = mdl.next();
        }
        true
    }

    fn skip_bytes(&mut self, buffer: usize, by: u32) -> alloc::vec::Vec<usize> {
        let mut passed = alloc::vec::Vec::new();
        let Some(record) = self.buffers.buffers.get(&buffer) else {
            return passed;
        };
        let mut data = record.data();
        data.offset = data.offset.saturating_add(by);
        data.length = data.length.saturating_sub(by);
        record.set_data(data);
        self.find_start(buffer);
        let Some(record) = self.buffers.buffers.get(&buffer) else {
            return passed;
        };
        let now = record.data().current;
        let mut at = data.chain;
        while at.addr() != now.addr() {
            let Some(mdl) = self.buffers.mdls.get(&at.addr()) else {
                break;
            };
            passed.push(at.addr());
            at = mdl.next();
        }
        passed
    }
}

/// Moves the data start of one buffer back.
///
/// # Safety
///
/// `allocate` makes an MDL of at least the size asked for.
unsafe fn retreat(
    cx: &Cx,
    name: &str,
    buffer: usize,
    by: u32,
    back_fill: u32,
    allocate: Option<AllocateMdl>,
) -> i32 {
    let data = cx.with(|s| s.data_of(name, buffer));
    let Some(mut data) = data else {
        return n::NDIS_STATUS_INVALID_PARAMETER;
    };
    let Some(longer) = data.length.checked_add(by) else {
        return n::NDIS_STATUS_RESOURCES;
    };
    if data.offset >= by {
        data.offset -= by;
        data.length = longer;
        cx.with(|s| {
            if let Some(record) = s.buffers.buffers.get(&buffer) {
                record.set_data(data);
            }
            s.find_start(buffer);
        });
        return n::NDIS_STATUS_SUCCESS;
    }
    let missing = by - data.offset;
    let Some(mut size) = missing.checked_add(back_fill) else {
        return n::NDIS_STATUS_RESOURCES;
    };
    let made = match allocate {
        // SAFETY: the caller's own allocator, called as documented.
        Some(allocate) => Some(unsafe { allocate(&raw mut size) }).filter(|mdl| !mdl.is_null()),
        None => cx.with(|s| {
            if s.faults.allocation() {
                return None;
            }
            let chunk = Chunk::unwritten(size as usize)?;
            let start = chunk.start();
            s.make_mdl(start, size, Some(chunk))
        }),
    };
    let Some(made) = made else {
        return n::NDIS_STATUS_RESOURCES;
    };
    cx.with(|s| {
        let Some(mdl) = s.buffers.mdls.get_mut(&made.addr()) else {
            let message = alloc::format!(
                "{name}: NetAllocateMdl gives {:#x}, which is no MDL",
                made.addr()
            );
            s.violate("NBL-41", None, message);
            return n::NDIS_STATUS_FAILURE;
        };
        if mdl.length() < missing {
            let message = alloc::format!(
                "{name}: NetAllocateMdl gives {} bytes, and {size} were asked for",
                mdl.length()
            );
            s.violate("NBL-41", None, message);
            return n::NDIS_STATUS_FAILURE;
        }
        mdl.retreat = Some(match allocate {
            Some(_) => Retreat::Handler,
            None => Retreat::Ndis,
        });
        mdl.set_next(data.chain);
        let length = mdl.length();
        data.chain = made;
        data.offset = length.saturating_sub(missing);
        data.length = longer;
        if let Some(record) = s.buffers.buffers.get(&buffer) {
            record.set_data(data);
        }
        s.find_start(buffer);
        n::NDIS_STATUS_SUCCESS
    })
}

/// Moves the data start of one buffer forward.
///
/// # Safety
///
/// `free` frees an MDL that the caller's allocator made.
unsafe fn advance(cx: &Cx, name: &str, buffer: usize, by: u32, drop: bool, free: Option<FreeMdl>) {
    let Some(data) = cx.with(|s| s.data_of(name, buffer)) else {
        return;
    };
    if data.length < by {
        cx.with(|s| {
            let message = alloc::format!(
                "{name}: the start is moved by {by} bytes, and there are {}",
                data.length
            );
            s.violate("NBL-41", None, message);
        });
        return;
    }
    if drop && let Some(id) = cx.with(|s| s.clients_list_with(buffer)) {
        cx.with(|s| {
            let message =
                alloc::format!("{name}: the MDLs of {id}, which was received, are not to be freed");
            s.violate("NBL-42", Some(id), message);
        });
    }
    let passed = cx.with(|s| s.skip_bytes(buffer, by));
    if !drop {
        return;
    }
    for address in passed {
        let mdl = cx.with(|s| {
            let mdl = s.buffers.mdls.get(&address)?;
            let (pointer, next, length) = (mdl.pointer(), mdl.next(), mdl.length());
            // Only what a retreat put there.
            let by = mdl.retreat?;
            if (by == Retreat::Handler) != free.is_some() {
                let message = alloc::format!(
                    "{name}: MDL {} was allocated {}",
                    mdl.number,
                    if free.is_some() {
                        "by NDIS, and NetFreeMdl is to free it"
                    } else {
                        "by NetAllocateMdl, and no NetFreeMdl is given"
                    }
                );
                s.violate("NBL-41", None, message);
                return None;
            }
            let record = s.buffers.buffers.get(&buffer)?;
            let mut data = record.data();
            data.chain = next;
            data.offset = data.offset.saturating_sub(length);
            record.set_data(data);
            Some(pointer)
        });
        let Some(mdl) = mdl else {
            return;
        };
        match free {
            // SAFETY: the caller's own function, called as documented.
            Some(free) => unsafe { free(mdl) },
            None => cx.with(|s| {
                s.buffers.mdls.remove(&address);
            }),
        }
    }
}

/// The buffers of a list.
fn buffers_of(cx: &Cx, list: *mut NET_BUFFER_LIST) -> alloc::vec::Vec<usize> {
    cx.with(|s| s.packets(list.addr()))
}

exports! { EXPORTS {
    /// Finds the first bytes of a buffer in one piece.
    fn NdisGetDataBuffer(
        buffer: *mut NET_BUFFER,
        needed: u32,
        storage: *mut c_void,
        multiple: u32,
        offset: u32,
    ) -> *mut c_void {
        let cx = Cx::enter(Call::new("NdisGetDataBuffer").quiet(), &[]);
        cx.with(|s| {
            let Some(data) = s.data_of("NdisGetDataBuffer", buffer.addr()) else {
                return core::ptr::null_mut();
            };
            if data.length < needed || needed == 0 {
                return core::ptr::null_mut();
            }
            if let Some(mdl) = s.buffers.mdls.get(&data.current.addr())
                && mdl.length().saturating_sub(data.current_offset) >= needed
            {
                let start = mdl.start().wrapping_add(data.current_offset as usize);
                let multiple = multiple.max(1) as usize;
                if start.addr() % multiple == offset as usize % multiple {
                    return start.cast();
                }
            }
            if storage.is_null() {
                return core::ptr::null_mut();
            }
            // SAFETY: the caller's storage has room for what it needs, and its
            // MDLs describe live memory.
            if unsafe { s.copy_out(data, needed, storage.cast()) } {
                storage
            } else {
                core::ptr::null_mut()
            }
        })
    }

    /// Makes room before the data of a buffer.
    fn NdisRetreatNetBufferDataStart(
        buffer: *mut NET_BUFFER,
        by: u32,
        back_fill: u32,
        allocate: Option<AllocateMdl>,
    ) -> i32 {
        let name = "NdisRetreatNetBufferDataStart";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        // SAFETY: the caller's contract.
        unsafe { retreat(&cx, name, buffer.addr(), by, back_fill, allocate) }
    }

    /// Skips the first bytes of a buffer.
    fn NdisAdvanceNetBufferDataStart(
        buffer: *mut NET_BUFFER,
        by: u32,
        free_mdl: u8,
        free: Option<FreeMdl>,
    ) {
        let name = "NdisAdvanceNetBufferDataStart";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        // SAFETY: the caller's contract.
        unsafe { advance(&cx, name, buffer.addr(), by, free_mdl != 0, free) };
    }

    /// Makes room before the data of every buffer of a list.
    fn NdisRetreatNetBufferListDataStart(
        list: *mut NET_BUFFER_LIST,
        by: u32,
        back_fill: u32,
        allocate: Option<AllocateMdl>,
        free: Option<FreeMdl>,
    ) -> i32 {
        let name = "NdisRetreatNetBufferListDataStart";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        let all = buffers_of(&cx, list);
        for (index, buffer) in all.iter().enumerate() {
            // SAFETY: the caller's contract.
            let status = unsafe { retreat(&cx, name, *buffer, by, back_fill, allocate) };
            if status != n::NDIS_STATUS_SUCCESS {
                for done in &all[..index] {
                    // SAFETY: the caller's contract.
                    unsafe { advance(&cx, name, *done, by, true, free) };
                }
                return status;
            }
        }
        n::NDIS_STATUS_SUCCESS
    }

    /// Skips the first bytes of every buffer of a list.
    fn NdisAdvanceNetBufferListDataStart(
        list: *mut NET_BUFFER_LIST,
        by: u32,
        free_mdl: u8,
        free: Option<FreeMdl>,
    ) {
        let name = "NdisAdvanceNetBufferListDataStart";
        let cx = Cx::enter(Call::new(name).quiet(), &[]);
        for buffer in buffers_of(&cx, list) {
            // SAFETY: the caller's contract.
            unsafe { advance(&cx, name, buffer, by, free_mdl != 0, free) };
        }
    }
}}
