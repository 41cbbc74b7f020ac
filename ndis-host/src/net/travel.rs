//! What must be true of a list when it changes hands: its packets can be read,
//! no clone of it is left behind, and it comes back as it went.

use super::table::{Buffer, Shape};
use crate::callback::Ptr;
use crate::handle::ObjectId;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys::MDL;

impl State {
    /// Shows each buffer of a list, as far as they are this host's; where the chain leads astray,
    /// if it does.
    fn each_packet(&self, list: usize, mut show: impl FnMut(usize, &Buffer)) -> Option<usize> {
        let list = self.buffers.lists.get(&list);
        let mut at = list.map_or(core::ptr::null_mut(), |list| list.first());
        let mut shown = 0;
        while !at.is_null() {
            let buffer = self.buffers.buffers.get(&at.addr());
            // More than there are: round and round.
            let Some(buffer) = buffer.filter(|_| shown < self.buffers.buffers.len()) else {
                return Some(at.addr());
            };
            show(at.addr(), buffer);
            shown += 1;
            at = buffer.next();
        }
        None
    }

    /// The buffers of a list, as far as they are this host's.
    pub(super) fn packets(&self, list: usize) -> Vec<usize> {
        let mut all = Vec::new();
        self.each_packet(list, |packet, _| all.push(packet));
        all
    }

    /// The bytes of the longest packet of a list.
    pub(crate) fn longest_packet(&self, list: usize) -> u32 {
        let mut longest = 0;
        self.each_packet(list, |_, packet| {
            longest = longest.max(packet.data().length)
        });
        longest
    }

    /// The bytes of the MDLs from `first` on, up to `end` if it comes; an error
    /// when something there is no MDL of this host, or was there before.
    fn space(&self, first: *mut MDL, end: *mut MDL) -> Result<u64, String> {
        let mut sum = 0u64;
        let mut steps = 0;
        let mut at = first;
        while !at.is_null() && at.addr() != end.addr() {
            let Some(mdl) = self.buffers.mdls.get(&at.addr()) else {
                return Err(alloc::format!(
                    "its MDLs lead to {:#x}, which is no MDL of this host",
                    at.addr()
                ));
            };
            steps += 1;
            if steps > self.buffers.mdls.len() {
                return Err("its MDLs lead back into themselves".into());
            }
            sum += u64::from(mdl.length());
            at = mdl.next();
        }
        if at.addr() != end.addr() {
            return Err(alloc::format!(
                "its current MDL {:#x} is none of its data space",
                end.addr()
            ));
        }
        Ok(sum)
    }

    /// What is wrong with the data of a buffer, if anything is.
    pub(super) fn flaw(&self, buffer: &Buffer) -> Option<String> {
        let data = buffer.data();
        let (offset, length) = (u64::from(data.offset), u64::from(data.length));
        let null = core::ptr::null_mut();
        let whole = match self.space(data.chain, null) {
            Ok(whole) => whole,
            Err(flaw) => return Some(flaw),
        };
        if offset + length > whole {
            return Some(alloc::format!(
                "its data offset {offset} and length {length} are more than the {whole} bytes of \
                 its MDLs"
            ));
        }
        if length == 0 {
            return None;
        }
        let before = match self.space(data.chain, data.current) {
            Ok(before) => before,
            Err(flaw) => return Some(flaw),
        };
        let here = u64::from(data.current_offset);
        let size = self
            .buffers
            .mdls
            .get(&data.current.addr())
            .map_or(0, |mdl| u64::from(mdl.length()));
        if here > size {
            return Some(alloc::format!(
                "its current offset {here} lies beyond the {size} bytes of its current MDL"
            ));
        }
        if before + here != offset {
            return Some(alloc::format!(
                "its current MDL and offset are byte {} of its data space, and its data offset is \
                 {offset}",
                before + here
            ));
        }
        None
    }

    /// Reports what is wrong with the packets of a list; false if anything is.
    pub(crate) fn check_packets(&mut self, call: &str, object: ObjectId, address: usize) -> bool {
        let Some(id) = self.buffers.lists.get(&address).map(|list| list.id()) else {
            return true;
        };
        let mut flaws = Vec::new();
        let astray = self.each_packet(address, |_, packet| flaws.extend(self.flaw(packet)));
        if let Some(astray) = astray {
            flaws.push(alloc::format!(
                "its net buffers lead to {astray:#x}, which is no net buffer of this host, or back \
                 into themselves"
            ));
        }
        for flaw in &flaws {
            let message = alloc::format!("{call} on {object}: {id}: {flaw}");
            self.violate("NBL-40", Some(id), message);
        }
        flaws.is_empty()
    }

    /// How many packets a list has.
    pub(crate) fn count_packets(&self, address: usize) -> usize {
        let mut count = 0;
        self.each_packet(address, |_, _| count += 1);
        count
    }

    /// Reports that a list is given away or freed while there are clones of it;
    /// false if there are.
    pub(super) fn childless(&mut self, call: &str, address: usize) -> bool {
        let Some(list) = self.buffers.lists.get(&address) else {
            return true;
        };
        let (id, clones, counted) = (list.id(), list.clones, list.child_count());
        if clones == 0 && counted == 0 {
            return true;
        }
        let message = if clones > 0 {
            alloc::format!("{call}: {clones} clones of {id} are not freed")
        } else {
            alloc::format!("{call}: the child count of {id} is {counted}")
        };
        self.violate("NBL-36", Some(id), message);
        false
    }

    /// A list is given away: notes how it looks.
    pub(crate) fn depart(&mut self, call: &str, address: usize) {
        self.childless(call, address);
        let shape = self.shape(address);
        if let Some(list) = self.buffers.lists.get_mut(&address) {
            list.departed = Some(shape);
        }
    }

    fn shape(&self, address: usize) -> Shape {
        let list = self.buffers.lists.get(&address);
        let mut shape = Shape {
            parent: Ptr(list.map_or(core::ptr::null_mut(), |list| list.parent())),
            first: None,
            others: Vec::new(),
        };
        self.each_packet(address, |packet, buffer| {
            let data = buffer.data();
            let packet = (packet, data.offset, data.length);
            if shape.first.is_none() {
                shape.first = Some(packet);
            } else {
                shape.others.push(packet);
            }
        });
        shape
    }

    /// A list is given back: compares.
    pub(crate) fn arrive(&mut self, call: &str, object: ObjectId, address: usize) {
        self.childless(call, address);
        let Some(list) = self.buffers.lists.get_mut(&address) else {
            return;
        };
        let (id, parent) = (list.id(), list.parent());
        let Some(then) = list.departed.take() else {
            return;
        };
        let mut before = then.first.iter().chain(&then.others);
        let (mut same_packets, mut same_data) = (true, true);
        self.each_packet(address, |packet, buffer| {
            let data = buffer.data();
            let was = before.next();
            same_packets &= was.is_some_and(|was| was.0 == packet);
            same_data &= was.is_some_and(|was| (was.1, was.2) == (data.offset, data.length));
        });
        same_packets &= before.next().is_none();
        if then.parent.0 != parent {
            if let Some(list) = self.buffers.lists.get(&address) {
                list.set_parent(then.parent.0);
            }
            let message =
                alloc::format!("{call} on {object}: the ParentNetBufferList of {id} was changed");
            self.violate("NBL-43", Some(id), message);
        }
        if !same_packets {
            let message =
                alloc::format!("{call} on {object}: the net buffers of {id} were changed");
            self.violate("NBL-13", Some(id), message);
        } else if !same_data {
            let message = alloc::format!(
                "{call} on {object}: the data of {id} starts or ends elsewhere than when it was \
                 given away"
            );
            self.violate("NBL-41", Some(id), message);
        }
    }

    /// The list that a client has and that a buffer is in.
    pub(super) fn clients_list_with(&self, buffer: usize) -> Option<ObjectId> {
        let theirs = self.buffers.lists.iter().filter(|(_, list)| {
            matches!(
                list.state,
                super::ListState::Indicated { .. } | super::ListState::Lent { .. }
            )
        });
        for (address, list) in theirs {
            if self.packets(*address).contains(&buffer) {
                return Some(list.id());
            }
        }
        None
    }
}
