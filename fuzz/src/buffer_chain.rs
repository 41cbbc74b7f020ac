//! Chains of `NET_BUFFER_LIST`s as other drivers may hand them over: any number
//! of lists, of packets in each, and of MDLs in those; see [`packet`](crate::packet).

use crate::{
    input::Input,
    memory::Exact,
    packet::{Built, Expected, Packet},
    show::show,
};
use ndis_co::{
    Status,
    nbl::{BufferView, Chain, ListView},
};
use ndis_host::Host;
use ndis_sys::{NET_BUFFER, NET_BUFFER_LIST, NET_BUFFER_LIST_DATA};
use std::{collections::VecDeque, mem::offset_of, ptr::null_mut};

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
        unsafe { chain.push_raw(list.pointer()) };
    }
    assert_eq!(chain.views().count(), lists.len());
    for (view, list) in chain.views().zip(&lists) {
        look_at_list(view, list);
    }
    show(&chain, 1024);
    take_apart(chain, &lists, &mut input);
    drop(lists);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

fn look_at_list(view: ListView<'_>, list: &List) {
    assert_eq!(view.status(), Status::from_raw(list.status));
    assert_eq!(view.buffers().count(), list.shapes.len());
    let claimed: usize = list
        .shapes
        .iter()
        .map(|packet| packet.length as usize)
        .sum();
    assert_eq!((view.len(), view.is_empty()), (claimed, claimed == 0));
    show(&view, 1024);
    show(&view.buffers(), 1024);
    for (buffer, packet) in view.buffers().zip(&list.shapes) {
        look_at_packet(buffer, packet);
    }
    let all = list.shapes.iter().map(Packet::expected).collect::<Vec<_>>();
    copied(claimed, &all, |to| view.copy_to(to));
}

fn look_at_packet(view: BufferView<'_>, packet: &Packet) {
    assert_eq!(view.len(), packet.length as usize);
    assert_eq!(view.is_empty(), packet.length == 0);
    show(&view, 1024);
    let expected = packet.expected();
    let mut segments = view.segments();
    for piece in &expected.0 {
        assert_eq!(segments.next(), Some(Ok(&piece[..])));
    }
    show(&segments, 1024);
    if let Some(status) = expected.1 {
        assert_eq!(segments.next(), Some(Err(status)));
    }
    // It has ended and stays so.
    assert!(segments.next().is_none());
    assert!(segments.clone().next().is_none());
    copied(packet.length as usize, &[expected], |to| view.copy_to(to));
}

/// Copies what `expected` says into memory that is too short, that fits, and
/// that is longer; `claimed` is how much there is said to be.
fn copied(
    claimed: usize,
    expected: &[Expected],
    copy: impl Fn(&mut [u8]) -> Result<usize, Status>,
) {
    let bytes: Vec<u8> = expected.iter().flat_map(|e| e.0.concat()).collect();
    let fails = |status| expected.iter().any(|e| e.1 == Some(status));
    for room in [bytes.len().saturating_sub(1), bytes.len(), bytes.len() + 3] {
        let mut memory = Exact::new(room);
        match copy(memory.bytes_mut()) {
            Ok(len) => {
                assert!(expected.iter().all(|e| e.1.is_none()));
                assert_eq!(len, claimed);
                assert!(memory.bytes_mut()[..len] == bytes);
            }
            Err(Status::BUFFER_TOO_SHORT) => assert!(claimed > room),
            Err(status) => assert!(fails(status), "{status}"),
        }
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
                let list = chains[this].pop_raw();
                assert_eq!(list, models[this].pop_front());
                if let Some(list) = list {
                    // SAFETY: just taken out of a chain; alive until the end.
                    unsafe { chains[other].push_raw(list) };
                    models[other].push_back(list);
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
            assert_eq!(
                chain.first_raw(),
                model.front().copied().unwrap_or(null_mut())
            );
            assert_eq!(chain.views().count(), model.len());
            let mut seen = Vec::new();
            chain.for_each_raw(|list| seen.push(list));
            assert_eq!(*model, seen);
        }
    }
}
