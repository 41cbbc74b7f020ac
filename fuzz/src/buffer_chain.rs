//! Chains of `NET_BUFFER_LIST`s as other drivers may hand them over: any number
//! of lists, of packets in each, and of MDLs in those; see [`packet`](crate::packet).

use crate::{
    input::Input,
    memory::Exact,
    packet::{Built, Packet, number},
    show::show,
};
use ndis_co::{
    Status,
    nbl::{BufferView, Chain, ListView, fields::Hand},
};
use ndis_host::Host;
use ndis_sys::{NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_DATA};
use std::{collections::VecDeque, mem::offset_of, ptr::null_mut};

/// So much is copied at a time.
const MUCH: usize = 4096;

/// A list in memory and what it was built from.
struct List {
    memory: Exact,
    _packets: Vec<Built>,
    status: i32,
    shapes: Vec<Packet>,
}

impl List {
    fn read(input: &mut Input<'_>) -> Self {
        let status = input.word() as i32;
        let shapes: Vec<Packet> = (0..input.below(4)).map(|_| Packet::read(input)).collect();
        let mut packets: Vec<Built> = shapes.iter().map(Built::new).collect();
        let mut next: *mut NET_BUFFER = null_mut();
        for packet in packets.iter_mut().rev() {
            packet.set_next(next);
            next = packet.pointer();
        }
        let mut memory = Exact::new(size_of::<NET_BUFFER_LIST>());
        memory.put::<*mut u8>(offset_of!(NET_BUFFER_LIST_DATA, Next), null_mut());
        memory.put(offset_of!(NET_BUFFER_LIST_DATA, FirstNetBuffer), next);
        memory.put(offset_of!(NET_BUFFER_LIST, u2), status);
        Self {
            memory,
            _packets: packets,
            status,
            shapes,
        }
    }

    fn pointer(&self) -> *mut NET_BUFFER_LIST {
        self.memory.pointer()
    }
}

/// Reads one input as a chain of lists, looks at it in every way, and takes it
/// apart.
///
/// # Panics
///
/// When a view says something else than what was written, or a list is lost.
pub fn run(data: &[u8]) {
    let host = Host::builder().build();
    let mut input = Input::new(data);
    let lists: Vec<List> = (0..input.below(4))
        .map(|_| List::read(&mut input))
        .collect();
    let mut chain = Chain::new();
    for list in &lists {
        // SAFETY: a valid list that nothing else uses, alive until the end.
        let list = unsafe { Hand::from_raw(list.pointer()) };
        chain.push(list.expect("it is not null"));
    }
    assert_eq!(chain.views().count(), lists.len());
    for (view, list) in chain.views().zip(&lists) {
        look_at_list(view, list, &mut input);
    }
    let mut packets = chain.views().buffers();
    for packet in lists.iter().flat_map(|list| &list.shapes) {
        let length = packet.length as usize;
        assert_eq!(packets.next().map(BufferView::len), Some(length));
    }
    assert!(packets.next().is_none());
    show(&packets, 1024);
    let counts = || lists.iter().map(|list| list.shapes.len());
    assert_eq!(chain.all_have_packets(), counts().all(|count| count > 0));
    assert_eq!(
        chain.all_have_one_packet(),
        counts().all(|count| count == 1)
    );
    show(&chain, 1024);
    take_apart(chain, &lists, &mut input);
    drop(lists);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

fn look_at_list(view: ListView<'_>, list: &List, input: &mut Input<'_>) {
    assert_eq!(view.status(), Status::from_raw(list.status));
    assert_eq!(view.buffers().count(), list.shapes.len());
    let claimed: usize = list
        .shapes
        .iter()
        .map(|packet| packet.length as usize)
        .sum();
    assert_eq!(view.total_len(), claimed);
    show(&view, 1024);
    show(&view.buffers(), 1024);
    for (buffer, packet) in view.into_iter().zip(&list.shapes) {
        look_at_packet(buffer, packet);
        for _ in 0..3 {
            let start = number(input, packet.length / 2) as usize;
            let needed = number(input, packet.length.saturating_sub(start as u32)) as usize;
            look_at_part(buffer, packet, start, needed);
        }
        look_at_part(buffer, packet, usize::MAX, 1);
        look_at_part(buffer, packet, 1, usize::MAX);
    }
}

fn look_at_packet(view: BufferView<'_>, packet: &Packet) {
    let length = packet.length as usize;
    assert_eq!((view.len(), view.is_empty()), (length, length == 0));
    show(&view, 1024);
    let (pieces, failure) = packet.all();
    let mut segments = view.segments();
    for piece in &pieces {
        assert_eq!(segments.next(), Some(Ok(&piece[..])));
    }
    show(&segments, 1024);
    if let Some(status) = failure {
        assert_eq!(segments.next(), Some(Err(status)));
    }
    // It has ended and stays so.
    assert!(segments.next().is_none());
    assert!(segments.clone().next().is_none());
    let there = packet.is_there();
    assert_eq!(view.check().is_ok(), there);
    assert_eq!(view.check().err(), (!there).then_some(Status::INVALID_DATA));

    // Into too little room, into enough, and into more.
    let short = pieces.iter().map(Vec::len).sum::<usize>().min(length);
    for room in [short.saturating_sub(1), short, short + 3] {
        let mut memory = Exact::new(room);
        let copied = view.copy_to(memory.bytes_mut());
        if room < length {
            assert_eq!(copied, Err(Status::BUFFER_TOO_SHORT));
        } else if let Some(status) = failure {
            assert_eq!(copied, Err(status));
        } else {
            assert_eq!(copied, Ok(length));
            assert!(memory.bytes_mut()[..length] == pieces.concat());
        }
    }
}

/// Reads `needed` bytes from `start` on, copied and in place.
fn look_at_part(view: BufferView<'_>, packet: &Packet, start: usize, needed: usize) {
    let length = packet.length as usize;
    let end = start.checked_add(needed).filter(|end| *end <= length);
    let Some(end) = end else {
        // So much room need not be there for it.
        let mut memory = Exact::new(needed.min(64));
        let place = memory.bytes_mut();
        let refused = view.data_buffer(start, needed, place).err();
        assert_eq!(refused, Some(Status::INVALID_LENGTH));
        if needed <= 64 {
            let refused = view.copy_range_to(start, place);
            assert_eq!(refused, Err(Status::INVALID_LENGTH));
        }
        return;
    };
    // What is together with the first byte decides whether anything is copied.
    let (together, failure) = packet.expected(start, length);
    let together = together.first().map_or(0, Vec::len);
    let (pieces, part_failure) = packet.expected(start, end);
    if needed <= MUCH {
        let mut memory = Exact::new(needed);
        let copied = view.copy_range_to(start, memory.bytes_mut());
        assert_eq!(copied.err(), part_failure);
        if copied.is_ok() {
            assert!(memory.bytes_mut() == pieces.concat());
        }
    }
    for room in [0, needed.saturating_sub(1).min(MUCH), needed.min(MUCH)] {
        let mut memory = Exact::new(room);
        let place = memory.bytes_mut();
        let range = place.as_ptr_range();
        let found = view.data_buffer(start, needed, place);
        let expected = if needed == 0 || needed <= together {
            Ok(pieces.concat())
        } else if together == 0 {
            Err(failure.expect("the packet has bytes there"))
        } else if room < needed {
            Err(Status::BUFFER_TOO_SHORT)
        } else {
            part_failure.map_or_else(|| Ok(pieces.concat()), Err)
        };
        if let Ok(found) = found
            && needed > 0
        {
            assert_eq!(range.contains(&found.as_ptr()), needed > together);
        }
        assert_eq!(found.map(<[u8]>::to_vec), expected);
    }
}

/// Moves the lists about between two chains and compares with a queue.
fn take_apart(chain: Chain, lists: &[List], input: &mut Input<'_>) {
    let mut chains = [chain, Chain::new()];
    let mut models: [VecDeque<_>; 2] = [lists.iter().map(List::pointer).collect(), VecDeque::new()];
    while !input.is_used_up() {
        let order = input.byte();
        let (this, other) = if order & 1 == 0 { (0, 1) } else { (1, 0) };
        match order / 2 % 5 {
            0 => {
                let list = chains[this].pop();
                let pointer = list.as_ref().map(Hand::as_raw);
                assert_eq!(pointer, models[this].pop_front());
                models[other].extend(pointer);
                if let Some(list) = list {
                    chains[other].push(list);
                }
            }
            1 => {
                let rest = std::mem::take(&mut chains[other]);
                chains[this].append(rest);
                let rest = std::mem::take(&mut models[other]);
                models[this].extend(rest);
            }
            2 => {
                let count = input.below(6);
                let front = chains[this].split_front(count);
                let count = count.min(models[this].len());
                assert_eq!(front.len(), count);
                let back = models[this].split_off(count);
                let front_model = std::mem::replace(&mut models[this], back);
                // What was split off goes behind the other chain.
                chains[other].append(front);
                models[other].extend(front_model);
            }
            3 => {
                let first = chains[this].take_raw();
                assert_eq!(first, models[this].front().copied().unwrap_or(null_mut()));
                // SAFETY: the very chain that was just taken out.
                chains[this] = unsafe { Chain::from_raw(first) };
            }
            _ => chains.swap(0, 1),
        }
        if order / 2 % 5 == 4 {
            models.swap(0, 1);
        }
        for (chain, model) in chains.iter().zip(&models) {
            assert_eq!(
                (chain.len(), chain.is_empty()),
                (model.len(), model.is_empty())
            );
            assert_eq!(chain.views().count(), model.len());
            let mut seen = Vec::new();
            chain.for_each_raw(|list| seen.push(list.as_raw()));
            assert_eq!(*model, seen);
        }
    }
}
