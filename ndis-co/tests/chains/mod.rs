//! Lists in any shape, right or wrong, made of a byte string, with what must
//! come out when they are read. Tests use it with shapes by name and at random;
//! a fuzzer gives it bytes of its own:
//!
//! ```ignore
//! #[path = "../../tests/chains/mod.rs"]
//! mod chains;
//! fuzz_target!(|bytes: &[u8]| chains::Chain::from_bytes(bytes).read());
//! ```

// What one of the users does not need, another one does.
#![allow(dead_code)]

use ndis_co::{
    Status,
    nbl::{BufferView, ListView},
};
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_LIST};
use std::ptr::null_mut;

/// The shape of one packet.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// The sizes of its MDLs.
    pub mdls: Vec<usize>,
    /// Which MDL is the current one; none of them is the null pointer.
    pub current: usize,
    /// Where in the current MDL the data starts.
    pub offset: u32,
    /// How long the packet says that it is.
    pub len: u32,
    /// The MDL to which the last one leads, instead of to none.
    pub circle: Option<usize>,
}

/// What reading a packet gives.
#[derive(Debug, PartialEq)]
struct Expected {
    /// The pieces, as long as they are there.
    pieces: Vec<Vec<u8>>,
    /// All of them are there.
    whole: bool,
}

/// A list with its packets, MDLs and memory.
pub struct Chain {
    list: *mut NET_BUFFER_LIST,
    buffers: Vec<*mut NET_BUFFER>,
    mdls: Vec<*mut MDL>,
    memory: Vec<*mut [u8]>,
    expected: Vec<Expected>,
}

fn zeroed<T>() -> *mut T {
    // SAFETY: used for C structures of numbers and pointers.
    Box::into_raw(Box::new(unsafe { std::mem::zeroed() }))
}

/// Writes a field of a structure made here.
fn put<T>(place: *mut T, value: T) {
    // SAFETY: places in live structures are passed.
    unsafe { place.write(value) };
}

impl Chain {
    /// A list of packets in these shapes. Every byte of the memory differs from
    /// its neighbours, from packet to packet, too.
    pub fn new(shapes: &[Shape]) -> Self {
        let mut chain = Self {
            list: zeroed(),
            buffers: Vec::new(),
            mdls: Vec::new(),
            memory: Vec::new(),
            expected: Vec::new(),
        };
        let mut counter = 0_u8;
        for shape in shapes {
            chain.push(shape, &mut counter);
        }
        for pair in chain.buffers.windows(2) {
            // SAFETY: made here.
            put(unsafe { ndis_sys::NET_BUFFER_NEXT_NB(pair[0]) }, pair[1]);
        }
        if let Some(first) = chain.buffers.first() {
            // SAFETY: made here.
            put(
                unsafe { ndis_sys::NET_BUFFER_LIST_FIRST_NB(chain.list) },
                *first,
            );
        }
        chain
    }

    fn push(&mut self, shape: &Shape, counter: &mut u8) {
        let mut mdls: Vec<*mut MDL> = Vec::new();
        let mut bytes: Vec<Vec<u8>> = Vec::new();
        for size in &shape.mdls {
            let content: Vec<u8> = (0..*size)
                .map(|_| {
                    *counter = counter.wrapping_add(1);
                    *counter
                })
                .collect();
            let memory = Box::into_raw(content.clone().into_boxed_slice());
            bytes.push(content);
            self.memory.push(memory);
            let mdl = zeroed::<MDL>();
            // SAFETY: made here.
            unsafe { (*mdl).MdlFlags = ndis_sys::MDL_MAPPED_TO_SYSTEM_VA as i16 };
            // SAFETY: made here.
            unsafe { (*mdl).MappedSystemVa = memory.cast() };
            // SAFETY: made here.
            unsafe { (*mdl).ByteCount = u32::try_from(*size).unwrap() };
            if let Some(last) = mdls.last() {
                // SAFETY: made here.
                unsafe { (**last).Next = mdl };
            }
            mdls.push(mdl);
        }
        if let (Some(last), Some(to)) = (mdls.last(), shape.circle.and_then(|to| mdls.get(to))) {
            // SAFETY: made here.
            unsafe { (**last).Next = *to };
        }
        let before: usize = shape.mdls.iter().take(shape.current).sum();
        let null = null_mut();
        let buffer = zeroed::<NET_BUFFER>();
        // SAFETY: made here.
        put(
            unsafe { ndis_sys::NET_BUFFER_FIRST_MDL(buffer) },
            *mdls.first().unwrap_or(&null),
        );
        // SAFETY: made here.
        put(
            unsafe { ndis_sys::NET_BUFFER_CURRENT_MDL(buffer) },
            *mdls.get(shape.current).unwrap_or(&null),
        );
        // SAFETY: made here.
        put(
            unsafe { ndis_sys::NET_BUFFER_CURRENT_MDL_OFFSET(buffer) },
            shape.offset,
        );
        // SAFETY: made here.
        put(
            unsafe { ndis_sys::NET_BUFFER_DATA_OFFSET(buffer) },
            (before as u32).wrapping_add(shape.offset),
        );
        // SAFETY: made here.
        put(
            unsafe { ndis_sys::NET_BUFFER_DATA_LENGTH(buffer) },
            shape.len,
        );
        self.buffers.push(buffer);
        self.mdls.extend(mdls);
        self.expected.push(expected(shape, &bytes));
    }

    /// A list in the shape that the bytes say; any bytes will do.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut bytes = bytes.iter().copied();
        let mut next = move || bytes.next().unwrap_or(0);
        let packets = next() % 5;
        let shapes = (0..packets).map(|_| {
            let mdls: Vec<usize> = (0..next() % 6)
                .map(|_| match next() {
                    size @ 0..100 => usize::from(size % 20),
                    100..140 => 0,
                    size => usize::from(size),
                })
                .collect();
            let current = usize::from(next()) % (mdls.len() + 1);
            let size = mdls.get(current).copied().unwrap_or(0) as u32;
            let offset = match next() {
                way @ 0..160 => u32::from(way) % (size + 1),
                way @ 160..200 => size + u32::from(way % 8),
                200..210 => u32::MAX,
                way => u32::from(way),
            };
            let there: usize = mdls.iter().skip(current).sum();
            let there = (there as u32).saturating_sub(offset);
            let len = match next() {
                0..100 => there,
                way @ 100..160 => u32::from(way) % (there + 1),
                way @ 160..200 => there + u32::from(way % 4),
                200..210 => u32::MAX,
                way => u32::from(way) * 7,
            };
            let circle = match next() {
                to @ 0..16 => Some(usize::from(to % 4)),
                _ => None,
            };
            // Round and round through 4 GB takes long, and shows no more.
            let len = if circle.is_some() { len % 4096 } else { len };
            Shape {
                mdls,
                current,
                offset,
                len,
                circle,
            }
        });
        let shapes: Vec<Shape> = shapes.collect();
        Self::new(&shapes)
    }

    /// The list.
    pub fn view(&self) -> ListView<'_> {
        // SAFETY: this value owns the list and all of its memory, and nothing
        // changes it.
        unsafe { ListView::from_raw(self.list) }.expect("it is not null")
    }

    /// Reads the list in every way, and compares.
    ///
    /// # Panics
    ///
    /// When something else comes out than was put in.
    pub fn read(&self) {
        let views: Vec<BufferView<'_>> = self.view().buffers().collect();
        assert_eq!(views.len(), self.expected.len());
        for (view, expected) in views.into_iter().zip(&self.expected) {
            read(view, expected);
        }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        for memory in self.memory.drain(..) {
            // SAFETY: made by `Box::into_raw`, freed once.
            drop(unsafe { Box::from_raw(memory) });
        }
        for mdl in self.mdls.drain(..) {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(mdl) });
        }
        for buffer in self.buffers.drain(..) {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(buffer) });
        }
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.list) });
    }
}

/// What must come out: found step by step, over numbers instead of pointers.
fn expected(shape: &Shape, bytes: &[Vec<u8>]) -> Expected {
    let mut pieces = Vec::new();
    let mut left = shape.len as usize;
    let mut skip = shape.offset as usize;
    let mut at = Some(shape.current).filter(|at| *at < bytes.len());
    if at.is_some_and(|at| skip > bytes[at].len()) {
        at = None;
    }
    let mut barren = 0;
    while left > 0 {
        let Some(here) = at else {
            return Expected {
                pieces,
                whole: false,
            };
        };
        let piece = &bytes[here][skip.min(bytes[here].len())..];
        skip = 0;
        let piece = &piece[..piece.len().min(left)];
        left -= piece.len();
        barren += 1;
        if !piece.is_empty() {
            barren = 0;
            pieces.push(piece.to_vec());
        }
        if barren > 2 * bytes.len() {
            at = None;
            continue;
        }
        at = if here + 1 < bytes.len() {
            Some(here + 1)
        } else {
            shape.circle.filter(|to| *to < bytes.len())
        };
    }
    Expected {
        pieces,
        whole: true,
    }
}

fn read(view: BufferView<'_>, expected: &Expected) {
    let data: Vec<u8> = expected.pieces.concat();
    let len = view.len();
    assert_eq!(view.is_empty(), len == 0);

    // Piece by piece.
    let mut pieces = Vec::new();
    let mut error = None;
    for segment in view.segments() {
        assert_eq!(error, None, "nothing comes after an error");
        match segment {
            Ok(piece) => pieces.push(piece.to_vec()),
            Err(status) => error = Some(status),
        }
    }
    let failure = (!expected.whole).then_some(Status::INVALID_DATA);
    assert_eq!((pieces, error), (expected.pieces.clone(), failure));
    assert_eq!(view.check().err(), failure);

    // All of it, also into more and into less room. No room is made for what
    // only a lie says that there is.
    if len < 1 << 20 {
        let mut room = vec![0; len + 1];
        match failure {
            None => {
                assert_eq!(view.copy_to(&mut room), Ok(len));
                assert_eq!(room[..len], data[..]);
            }
            Some(status) => assert_eq!(view.copy_to(&mut room), Err(status)),
        }
    }
    if len > 0 {
        let mut short = vec![0; (len - 1).min(64)];
        assert_eq!(view.copy_to(&mut short), Err(Status::BUFFER_TOO_SHORT));
    }

    // Every part, or many of them.
    let step = 1 + data.len() / 24;
    for start in (0..=data.len()).step_by(step) {
        for end in (start..=data.len()).step_by(step) {
            read_part(view, expected, &data, start, end);
        }
        // Beyond what is there: a lie, or the packet's end.
        let needed = data.len() - start + 1;
        let beyond = match failure {
            Some(status) if data.len() < len => status,
            _ => Status::INVALID_LENGTH,
        };
        let mut storage = vec![0; needed];
        assert_eq!(view.copy_range_to(start, &mut storage), Err(beyond));
        assert_eq!(view.data_buffer(start, needed, &mut storage), Err(beyond));
    }
    assert_eq!(
        view.data_buffer(usize::MAX, 1, &mut [0]),
        Err(Status::INVALID_LENGTH)
    );
    assert_eq!(
        view.data_buffer(1, usize::MAX, &mut [0]),
        Err(Status::INVALID_LENGTH)
    );
}

fn read_part(view: BufferView<'_>, expected: &Expected, data: &[u8], start: usize, end: usize) {
    let part = &data[start..end];
    let mut room = vec![0; part.len()];
    assert_eq!(view.copy_range_to(start, &mut room), Ok(()));
    assert_eq!(room, part);

    let mut at = 0;
    let together = expected.pieces.iter().any(|piece| {
        let begin = at;
        at += piece.len();
        begin <= start && end <= at
    });
    let needed = part.len();
    let mut storage = vec![0; needed];
    let place = storage.as_ptr();
    let found = view.data_buffer(start, needed, &mut storage).unwrap();
    assert_eq!(found, part);
    if needed > 0 {
        assert_eq!(
            found.as_ptr() != place,
            together,
            "copied only what is apart"
        );
        let without = view.data_buffer(start, needed, &mut []).err();
        assert_eq!(without, (!together).then_some(Status::BUFFER_TOO_SHORT));
    }
}
