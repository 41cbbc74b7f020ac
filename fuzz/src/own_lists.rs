//! A driver's own lists and packets, in whatever order it works on them:
//! filled, moved at the front, cut, joined, split, cloned, freed, with
//! allocations that fail, and with fields that another driver left otherwise
//! than it found them. A model of plain bytes does the same.

use crate::{failure::Failure, input::Input, memory::Exact, packet::number, show::show};
use ndis_co::{
    Status,
    irql::Passive,
    mem::Tag,
    nbl::{
        BufferMut, BufferView, ListView, NetBuffer, NetBufferList, NetBufferListPool,
        NetBufferLists, Parent,
    },
    scope::{Scope, Teardown},
    sys,
};
use ndis_host::Host;
use std::{collections::VecDeque, ptr::null_mut};

const TAG: Tag = Tag::new(*b"Fuzz");

/// No more lists, and packets in no list, than these.
const MOST: usize = 6;

/// More steps show no more.
const MOST_STEPS: usize = 64;

/// What a packet is.
#[derive(Clone, Debug)]
struct Packet {
    /// The data space.
    space: Vec<u8>,
    /// Whether the first and the current MDL are those that it was made with.
    mdls: [bool; 2],
    /// Where the data starts, in the data space and in the current MDL.
    offsets: [u32; 2],
    length: u32,
}

impl Packet {
    fn new(headroom: usize, capacity: usize) -> Self {
        Self {
            space: vec![0; (headroom + capacity).max(1)],
            mdls: [true; 2],
            offsets: [headroom as u32; 2],
            length: 0,
        }
    }

    fn headroom(&self) -> usize {
        (self.offsets[0] as usize).min(self.space.len())
    }

    fn tailroom(&self) -> usize {
        let used = self.headroom() + self.length as usize;
        self.space.len().saturating_sub(used)
    }

    /// The data, when the fields agree.
    fn used(&mut self) -> Result<&mut [u8], Status> {
        let start = self.offsets[0] as usize;
        let end = start + self.length as usize;
        if !self.mdls[0] || self.is_astray() {
            return Err(Status::INVALID_DATA);
        }
        self.space.get_mut(start..end).ok_or(Status::INVALID_DATA)
    }

    fn set_used(&mut self, start: usize, length: usize) {
        self.mdls = [true; 2];
        self.offsets = [start as u32; 2];
        self.length = length as u32;
    }

    /// What a reader sees, who starts at the current MDL.
    fn seen(&self) -> (&[u8], Option<Status>) {
        let start = self.offsets[1] as usize;
        let end = start + self.length as usize;
        if start == end {
            return (&[], None);
        }
        if !self.mdls[1] || start > self.space.len() {
            return (&[], Some(Status::INVALID_DATA));
        }
        let there = end.min(self.space.len());
        let lies = (there < end).then_some(Status::INVALID_DATA);
        (&self.space[start..there], lies)
    }

    /// Whether the current MDL and offset are not where the data starts. Without data
    /// that does not matter.
    fn is_astray(&self) -> bool {
        self.length > 0 && (!self.mdls[1] || self.offsets[0] != self.offsets[1])
    }

    /// Whether NDIS would not find the start that the packet names.
    fn is_crooked(&self) -> bool {
        let start = self.offsets[0] as usize;
        if self.mdls[0] {
            start > self.space.len() || self.is_astray()
        } else {
            start != 0 || self.length > 0
        }
    }

    /// Makes the data, or does what a refusal does.
    fn fill(&mut self, bytes: &[u8], outcome: Result<(), Status>) -> Result<(), Status> {
        let start = self.headroom();
        let place = self.space.get_mut(start..start + bytes.len());
        place.ok_or(Status::BUFFER_OVERFLOW)?.copy_from_slice(bytes);
        self.set_used(start, if outcome.is_ok() { bytes.len() } else { 0 });
        outcome
    }
}

/// Compares a packet with its model.
fn look(view: BufferView<'_>, model: &Packet) {
    assert_eq!(view.len(), model.length as usize);
    let (data, failure) = model.seen();
    let mut seen: Vec<u8> = Vec::new();
    let mut error = None;
    for segment in view.segments() {
        match segment {
            Ok(piece) => seen.extend(piece),
            Err(status) => error = Some(status),
        }
    }
    assert!(seen == data && error == failure);
    assert_eq!(view.check().err(), failure);
    if failure.is_none() {
        let mut copy = Exact::new(data.len());
        assert_eq!(view.copy_to(copy.bytes_mut()), Ok(data.len()));
        assert!(copy.bytes_mut() == data);
    }
    show(&view, 256);
}

fn look_at_list(view: ListView<'_>, model: &[Packet]) {
    assert_eq!(view.buffers().count(), model.len());
    for (buffer, packet) in view.buffers().zip(model) {
        look(buffer, packet);
    }
}

/// Reads one input as work on lists, does it, and compares after each step.
///
/// # Panics
///
/// When something else comes out than of the model, or anything is left.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let host = Host::builder().build();
    // SAFETY: the host does not ask for an adapter where there is none; closed
    // below.
    let teardown = unsafe { Teardown::open(null_mut()) }.expect("there is memory");
    work(&host, teardown.scope(), &mut input);
    // SAFETY: a test's thread, at PASSIVE_LEVEL.
    let mut irql = unsafe { Passive::assume() };
    // SAFETY: once, and everything is freed.
    unsafe { teardown.close(&mut irql) };
    drop(teardown);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// A list and what is in it.
type Own = (NetBufferList, Vec<Packet>);

struct Desk<'a> {
    host: &'a Host,
    pool: NetBufferListPool,
    /// For the other direction.
    other: NetBufferListPool,
    /// For clones that are indicated.
    receives: NetBufferListPool,
    lists: Vec<Own>,
    loose: Vec<(NetBuffer, Packet)>,
    queue: NetBufferLists,
    queued: VecDeque<Vec<Packet>>,
}

fn work(host: &Host, scope: &Scope, input: &mut Input<'_>) {
    let sends = NetBufferListPool::for_sends(scope, TAG).expect("there is memory");
    let receives = NetBufferListPool::for_receives(scope, TAG).expect("there is memory");
    let (pool, other) = if input.flag() {
        (sends, receives.clone())
    } else {
        (receives.clone(), sends)
    };
    show(&pool, 256);
    let mut desk = Desk {
        host,
        queue: NetBufferLists::new(pool.side()),
        pool,
        other,
        receives,
        lists: Vec::new(),
        loose: Vec::new(),
        queued: VecDeque::new(),
    };
    for _ in 0..MOST_STEPS {
        if input.is_used_up() {
            break;
        }
        desk.step(input);
        desk.look();
    }
}

impl Desk<'_> {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(12) {
            0 => self.allocate_list(input),
            1 => self.allocate_packet(input),
            2..=4 => self.write(input),
            5 => self.push_packet(input),
            6 => self.pop_packet(input),
            7 => self.append(input),
            8 => self.split(input),
            9 => self.queue(input),
            10 => self.clones(input),
            _ => self.free(input),
        }
    }

    fn look(&self) {
        for (list, model) in &self.lists {
            assert!(!list.is_clone());
            look_at_list(list.view(), model);
        }
        for (packet, model) in &self.loose {
            look(packet.view(), model);
        }
        assert_eq!(self.queue.len(), self.queued.len());
        assert_eq!(self.queue.is_empty(), self.queued.is_empty());
        for (list, model) in self.queue.iter().zip(&self.queued) {
            look_at_list(list, model);
        }
        let all: usize = self.queued.iter().map(Vec::len).sum();
        assert_eq!(self.queue.buffers().count(), all);
        show(&self.queue, 256);
    }

    /// One of the lists.
    fn list(&mut self, input: &mut Input<'_>) -> Option<&mut Own> {
        let count = self.lists.len();
        let index = input.below(count.max(1));
        self.lists.get_mut(index)
    }

    fn allocate_list(&mut self, input: &mut Input<'_>) {
        if self.lists.len() >= MOST {
            return;
        }
        let filled = input.flag();
        let (headroom, capacity) = (input.below(40), input.below(80));
        let failure = Failure::order(self.host, input);
        let made = if filled {
            self.pool.allocate_with_headroom(headroom, capacity)
        } else {
            self.pool.allocate_list()
        };
        let failed = failure.has_come();
        assert_eq!(made.as_ref().err(), failed.then_some(&Status::RESOURCES));
        if let Ok(list) = made {
            let model = filled.then(|| Packet::new(headroom, capacity));
            self.lists.push((list, model.into_iter().collect()));
        }
    }

    fn allocate_packet(&mut self, input: &mut Input<'_>) {
        if self.loose.len() >= MOST {
            return;
        }
        let (headroom, capacity) = (input.below(40), input.below(80));
        let failure = Failure::order(self.host, input);
        let made = self.pool.allocate_buffer(headroom, capacity);
        let failed = failure.has_come();
        assert_eq!(made.as_ref().err(), failed.then_some(&Status::RESOURCES));
        if let Ok(packet) = made {
            self.loose.push((packet, Packet::new(headroom, capacity)));
        }
    }

    fn push_packet(&mut self, input: &mut Input<'_>) {
        if input.below(8) == 7 {
            // For the other direction: it comes back.
            let packet = self.other.allocate_buffer(0, 1).expect("there is memory");
            if let Some((list, _)) = self.list(input) {
                assert!(list.push_back(packet).is_err());
            }
            return;
        }
        let Some((packet, model)) = self.loose.pop() else {
            return;
        };
        match self.list(input) {
            Some((list, models)) => {
                assert!(list.push_back(packet).is_ok());
                models.push(model);
            }
            None => self.loose.push((packet, model)),
        }
    }

    fn pop_packet(&mut self, input: &mut Input<'_>) {
        let Some((list, models)) = self.list(input) else {
            return;
        };
        let popped = list.pop_front();
        assert_eq!(popped.is_none(), models.is_empty());
        if let Some(packet) = popped {
            let model = models.remove(0);
            self.loose.push((packet, model));
        }
    }

    fn append(&mut self, input: &mut Input<'_>) {
        let Some((mut later, mut models)) = self.lists.pop() else {
            return;
        };
        if let Some((list, to)) = self.list(input) {
            assert_eq!(list.append(&mut later), Ok(()));
            to.append(&mut models);
        }
        self.lists.push((later, models));
    }

    fn split(&mut self, input: &mut Input<'_>) {
        if self.lists.len() >= MOST {
            return;
        }
        let (pool, other) = (self.pool.clone(), self.other.clone());
        let count = input.below(5);
        let failure = Failure::order(self.host, input);
        let Some((list, models)) = self.list(input) else {
            let _ = failure.has_come();
            return;
        };
        let front = list.split_front(count, &pool);
        let failed = failure.has_come();
        assert_eq!(front.as_ref().err(), failed.then_some(&Status::RESOURCES));
        let refused = list.split_front(count, &other);
        assert_eq!(refused.err(), Some(Status::INVALID_PARAMETER));
        if let Ok(front) = front {
            let back = models.split_off(count.min(models.len()));
            let models = std::mem::replace(models, back);
            self.lists.push((front, models));
        }
    }

    fn queue(&mut self, input: &mut Input<'_>) {
        match input.below(4) {
            0 => {
                if let Some((list, models)) = self.lists.pop() {
                    assert!(self.queue.push_back(list).is_ok());
                    self.queued.push_back(models);
                }
            }
            1 => {
                let list = self.queue.pop_front();
                let models = self.queued.pop_front();
                assert_eq!(list.is_some(), models.is_some());
                self.lists.extend(list.zip(models));
            }
            2 => {
                // The first ones go to the end.
                let count = input.below(4);
                let front = self.queue.split_front(count);
                assert_eq!(front.len(), count.min(self.queued.len()));
                self.queued.rotate_left(front.len());
                assert!(self.queue.append(front).is_ok());
            }
            _ => {
                // For the other direction: it comes back.
                let list = self.other.allocate_list().expect("there is memory");
                let list = self.queue.push_back(list).expect_err("another direction");
                assert!(self.queue.append(list.into()).is_err());
            }
        }
    }

    fn free(&mut self, input: &mut Input<'_>) {
        match input.below(4) {
            0 => drop(self.lists.pop()),
            1 => drop(self.loose.pop()),
            2 => {
                self.queued.clear();
                let queue = NetBufferLists::new(self.pool.side());
                let queue = std::mem::replace(&mut self.queue, queue);
                // SAFETY: a test's thread, at PASSIVE_LEVEL.
                let mut irql = unsafe { Passive::assume() };
                queue.free(&mut irql);
            }
            _ => {
                let queue = NetBufferLists::new(self.pool.side());
                let queue = std::mem::replace(&mut self.queue, queue);
                let queued = std::mem::take(&mut self.queued);
                assert_eq!(queue.into_iter().count(), queued.len());
            }
        }
    }

    /// Works on one packet, in a list or not.
    fn write(&mut self, input: &mut Input<'_>) {
        if input.flag() {
            let count = self.loose.len();
            let index = input.below(count.max(1));
            if let Some((packet, model)) = self.loose.get_mut(index) {
                write(&mut packet.as_mut(), model, input);
            }
            return;
        }
        let spoil = input.below(6) == 5;
        let count = self.lists.len();
        let index = input.below(count.max(1));
        if index >= count {
            return;
        }
        let (mut list, mut models) = self.lists.swap_remove(index);
        let which = input.below(models.len().max(1));
        if spoil && which < models.len() {
            list = left_otherwise(list, which, &mut models[which], input);
        }
        assert_eq!(list.buffers_mut().count(), models.len());
        assert_eq!(list.single_mut().is_some(), models.len() == 1);
        let buffer = list.buffers_mut().nth(which);
        if let (Some(mut buffer), Some(model)) = (buffer, models.get_mut(which)) {
            write(&mut buffer, model, input);
        }
        let expected = match &mut models[..] {
            [one] => one.fill(b"one", Ok(())),
            _ => Err(Status::INVALID_PARAMETER),
        };
        assert_eq!(list.set_data(b"one"), expected);
        self.lists.push((list, models));
    }

    /// Makes clones of a list or of the queue, and looks at them while what they
    /// were made from is there, held by them alone, or on its way back.
    fn clones(&mut self, input: &mut Input<'_>) {
        let way = input.byte();
        let side = self.pool.side();
        let (originals, models): (NetBufferLists, Vec<Vec<Packet>>) = if way & 1 == 0 {
            let Some((list, models)) = self.lists.pop() else {
                return;
            };
            (list.into(), vec![models])
        } else {
            let queue = std::mem::replace(&mut self.queue, NetBufferLists::new(side));
            (queue, std::mem::take(&mut self.queued).into())
        };
        let parent = Parent::try_new(originals).expect("there is memory");
        show(&parent, 256);
        let packets = way & 2 != 0;
        let lies = models
            .iter()
            .flatten()
            .any(|packet| packet.seen().1.is_some() || !packets && packet.is_crooked());
        let to = if way & 4 == 0 {
            &self.receives
        } else {
            &self.pool
        };
        let failure = Failure::order(self.host, input);
        let clones = if packets {
            parent.allocate_packet_clones(to)
        } else {
            parent.allocate_clones(to)
        };
        let failed = failure.has_come();
        let sends = to.side() != self.receives.side();
        match &clones {
            Err(Status::RESOURCES) => assert!(failed),
            Err(Status::INVALID_DATA) => assert!(lies),
            Err(Status::INVALID_PARAMETER) => assert!(packets && sends),
            Err(status) => panic!("{status}"),
            Ok(_) => assert!(!(failed || lies || packets && sends)),
        }
        let expected: Vec<Vec<Packet>> = if packets {
            let each = models.iter().flatten();
            each.map(|packet| vec![packet.clone()]).collect()
        } else {
            models.clone()
        };
        let look_at_clones = |clones: &NetBufferLists| {
            assert_eq!(clones.len(), expected.len());
            for (list, model) in clones.iter().zip(&expected) {
                assert_eq!(list.buffers().count(), model.len());
                for (buffer, packet) in list.buffers().zip(model) {
                    let mut copy = Exact::new(packet.length as usize);
                    assert_eq!(buffer.copy_to(copy.bytes_mut()), Ok(buffer.len()));
                    assert!(copy.bytes_mut() == packet.seen().0);
                }
            }
        };
        let parent = match clones {
            Ok(clones) if !clones.is_empty() => {
                look_at_clones(&clones);
                assert_eq!(parent.iter().count(), models.len());
                let parent = parent.into_original().expect_err("there are clones");
                if way & 16 != 0 {
                    // Held by the clones alone, which are no parents and are not
                    // written.
                    drop(parent);
                    look_at_clones(&clones);
                    let refused = Parent::try_new(clones).expect_err("they are clones");
                    assert_eq!(refused.status, Status::INVALID_PARAMETER);
                    for mut clone in refused.original {
                        assert!(clone.is_clone() && clone.pop_front().is_none());
                        assert_eq!(clone.set_data(&[]), Err(Status::INVALID_PARAMETER));
                        assert_eq!(clone.buffers_mut().count(), 0);
                    }
                    return;
                }
                drop(clones);
                parent
            }
            _ => parent,
        };
        let originals = parent.into_original().expect("no clone is left");
        self.lists.extend(originals.into_iter().zip(models));
        // There may be more lists now than are made: they are freed in time.
    }
}

/// Does something to a packet and to its model.
fn write(packet: &mut BufferMut<'_>, model: &mut Packet, input: &mut Input<'_>) {
    assert_eq!(packet.capacity(), model.space.len());
    assert_eq!(packet.headroom(), model.headroom());
    assert_eq!(packet.tailroom(), model.tailroom());
    show(packet, 256);
    let by = number(input, model.length) as usize;
    match input.below(7) {
        0 => {
            let few = input.below(100);
            let bytes = input.bytes(few);
            assert_eq!(packet.set_data(&bytes), model.fill(&bytes, Ok(())));
        }
        1 => {
            let few = input.below(100);
            let bytes = input.bytes(few);
            let refused = Err(Status::FAILURE);
            let filled = packet.fill(few, |place| {
                place.copy_from_slice(&bytes);
                refused
            });
            assert_eq!(filled, model.fill(&bytes, refused));
        }
        2 => {
            let byte = input.byte();
            let expected = model.used();
            match (packet.data_mut(), expected) {
                (Ok(data), Ok(expected)) => {
                    assert!(data == expected);
                    data.fill(byte);
                    expected.fill(byte);
                }
                (data, expected) => assert_eq!(data.err(), expected.err()),
            }
        }
        3 => {
            let by = by % 64;
            let start = model.offsets[0] as usize;
            let room = model.used().map(|_| ());
            let room = room.and(start.checked_sub(by).ok_or(Status::BUFFER_OVERFLOW));
            match (packet.retreat(by), room) {
                (Ok(front), Ok(to)) => {
                    assert!(front == &model.space[to..start]);
                    let bytes = input.bytes(by);
                    front.copy_from_slice(&bytes);
                    model.space[to..start].copy_from_slice(&bytes);
                    model.set_used(to, by + model.length as usize);
                }
                (front, room) => assert_eq!(front.err(), room.err()),
            }
        }
        4 | 5 => {
            let there = model.used().map(|used| used.len());
            let expected = there.and_then(|there| {
                let left = there.checked_sub(by);
                left.ok_or(Status::INVALID_LENGTH)
            });
            assert_eq!(packet.advance(by), expected.map(|_| ()));
            if let Ok(left) = expected {
                model.set_used(model.headroom() + by, left);
            }
        }
        _ => {
            let there = model.used().map(|used| used.len());
            let expected = match there {
                Ok(there) if by > there => Err(Status::INVALID_LENGTH),
                Ok(_) => Ok(()),
                Err(status) => Err(status),
            };
            assert_eq!(packet.truncate(by), expected);
            if expected.is_ok() {
                model.set_used(model.headroom(), by);
            }
        }
    }
}

/// Another driver had the list and leaves the fields of a packet otherwise than
/// it found them.
fn left_otherwise(
    list: NetBufferList,
    which: usize,
    model: &mut Packet,
    input: &mut Input<'_>,
) -> NetBufferList {
    let mut lists = NetBufferLists::from(list);
    let mut list = null_mut();
    lists.chain().for_each_raw(|at| list = at.as_raw());
    // SAFETY: a list of this driver, in its hands.
    let mut place = unsafe { sys::NET_BUFFER_LIST_FIRST_NB(list) };
    for _ in 0..which {
        // SAFETY: a place in the list or in a packet of it.
        let buffer = unsafe { place.read() };
        // SAFETY: there are more packets than `which`.
        place = unsafe { sys::NET_BUFFER_NEXT_NB(buffer) };
    }
    // SAFETY: as above.
    let buffer = unsafe { place.read() };
    /// Writes a field of the packet.
    macro_rules! write {
        ($field:ident, $value:expr) => {{
            let value = $value;
            // SAFETY: a packet of the list.
            let place = unsafe { sys::$field(buffer) };
            // SAFETY: a place in it.
            unsafe { place.write(value) };
        }};
    }
    let what = input.byte();
    if what & 1 != 0 {
        model.length = number(input, model.length);
        write!(NET_BUFFER_DATA_LENGTH, model.length);
    }
    if what & 2 != 0 {
        model.offsets[0] = number(input, model.offsets[0]);
        write!(NET_BUFFER_DATA_OFFSET, model.offsets[0]);
    }
    if what & 4 != 0 {
        model.offsets[1] = number(input, model.offsets[1]);
        write!(NET_BUFFER_CURRENT_MDL_OFFSET, model.offsets[1]);
    }
    if what & 8 != 0 {
        model.mdls[0] = false;
        write!(NET_BUFFER_FIRST_MDL, null_mut());
    }
    if what & 16 != 0 {
        model.mdls[1] = false;
        write!(NET_BUFFER_CURRENT_MDL, null_mut());
    }
    lists.pop_front().expect("the one list")
}
