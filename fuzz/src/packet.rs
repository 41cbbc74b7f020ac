//! A packet (`NET_BUFFER`) and its MDLs as another driver may hand them over:
//! empty MDLs, data across several of them, lengths and offsets that lie, circles
//! of MDLs, memory that cannot be mapped. What a reader has to see is computed
//! from the input alone.

use crate::{input::Input, memory::Exact};
use ndis_co::Status;
use ndis_sys::{MDL, NET_BUFFER, NET_BUFFER_DATA};
use std::{mem::offset_of, ptr::null_mut};

/// How the memory of an MDL gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mapping {
    /// It has one.
    Mapped,
    /// It is from nonpaged pool, which has one.
    Pool,
    /// NDIS maps it when it is asked to.
    OnDemand,
    /// Windows cannot map it.
    Refused,
    /// It says that it has one, and has none.
    Null,
}

impl Mapping {
    fn read(input: &mut Input<'_>) -> Self {
        match input.byte() {
            0..=149 => Self::Mapped,
            150..=199 => Self::Pool,
            200..=235 => Self::OnDemand,
            236..=247 => Self::Refused,
            248..=255 => Self::Null,
        }
    }

    fn works(self) -> bool {
        !matches!(self, Self::Refused | Self::Null)
    }
}

/// One MDL and its memory.
#[derive(Clone, Debug)]
struct Piece {
    bytes: Vec<u8>,
    mapping: Mapping,
}

/// What a packet is to look like.
#[derive(Clone, Debug)]
pub struct Packet {
    pieces: Vec<Piece>,
    /// The piece that follows the last one; none, or one that came before.
    behind: Option<usize>,
    /// The piece in which the data starts.
    current: Option<usize>,
    /// Where in it.
    offset: u32,
    /// How much data there is said to be.
    pub length: u32,
    /// Where the data is said to start, counted from the first piece.
    data_offset: u32,
}

/// The pieces of data that a reader gets, and the error that ends them.
pub type Expected = (Vec<Vec<u8>>, Option<Status>);

impl Packet {
    /// Reads an honest packet or one that lies.
    pub fn read(input: &mut Input<'_>) -> Self {
        let shape = input.byte();
        let pieces: Vec<Piece> = (0..input.below(6))
            .map(|_| {
                let size = input.byte();
                let len = if size < 128 {
                    usize::from(size) % 8
                } else {
                    usize::from(size) - 128
                };
                Piece {
                    mapping: Mapping::read(input),
                    bytes: input.bytes(len),
                }
            })
            .collect();
        let sizes = pieces.iter().map(|piece| piece.bytes.len());
        let total: usize = sizes.clone().sum();
        let data_offset = usize::from(input.byte()) % (total + 1);
        let length = usize::from(input.byte()) % (total - data_offset + 1);
        // As NDIS writes it: the piece that holds the first byte.
        let mut current = None;
        let mut offset = data_offset;
        for (index, size) in sizes.enumerate() {
            current = Some(index);
            if offset < size || index + 1 == pieces.len() {
                break;
            }
            offset -= size;
        }
        let mut packet = Self {
            pieces,
            behind: None,
            current,
            offset: offset as u32,
            length: length as u32,
            data_offset: data_offset as u32,
        };
        if shape & 1 != 0 {
            packet.length = number(input, packet.length);
        }
        if shape & 2 != 0 {
            packet.offset = number(input, packet.offset);
        }
        if shape & 4 != 0 {
            // Another piece, or none.
            packet.current = Some(input.below(7)).filter(|index| *index < packet.pieces.len());
        }
        if shape & 8 != 0 {
            packet.data_offset = number(input, packet.data_offset);
        }
        if shape & 16 != 0 {
            packet.behind = Some(input.below(6)).filter(|index| *index < packet.pieces.len());
            // Round and round through 4 GB takes long and shows no more.
            packet.length %= 2048;
        }
        packet
    }

    /// The piece behind a piece.
    fn next(&self, index: usize) -> Option<usize> {
        if index + 1 < self.pieces.len() {
            Some(index + 1)
        } else {
            self.behind
        }
    }

    /// What reading the bytes `from..to` of the packet gives; `to` is not beyond
    /// its length.
    ///
    /// The pieces from the current one on are one row of bytes, of which the
    /// packet is those from its offset on.
    #[must_use]
    pub fn expected(&self, from: usize, to: usize) -> Expected {
        let mut seen = Vec::new();
        if from == to {
            return (seen, None);
        }
        let lies = Some(Status::INVALID_DATA);
        let (mut at, mut index) = (0, self.current);
        let first = index.and_then(|index| self.pieces.get(index));
        // An offset beyond its piece leads nowhere.
        if first.is_none_or(|first| self.offset as usize > first.bytes.len()) {
            return (seen, lies);
        }
        let start = self.offset as usize + from;
        let end = self.offset as usize + to;
        let mut empty = 0;
        while at < end {
            let Some(piece) = index.and_then(|index| self.pieces.get(index)) else {
                return (seen, lies);
            };
            if piece.bytes.is_empty() {
                empty += 1;
            } else {
                empty = 0;
            }
            if empty > self.pieces.len() {
                return (seen, lies);
            }
            let behind = at + piece.bytes.len();
            let (low, high) = (at.max(start), behind.min(end));
            if low < high {
                if !piece.mapping.works() {
                    return (seen, Some(Status::RESOURCES));
                }
                seen.push(piece.bytes[low - at..high - at].to_vec());
            }
            at = behind;
            index = index.and_then(|index| self.next(index));
        }
        (seen, None)
    }

    /// What reading the whole packet gives.
    #[must_use]
    pub fn all(&self) -> Expected {
        self.expected(0, self.length as usize)
    }

    /// Whether there is as much memory as the packet says, mapped or not.
    #[must_use]
    pub fn is_there(&self) -> bool {
        let mut all = self.clone();
        for piece in &mut all.pieces {
            piece.mapping = Mapping::Mapped;
        }
        all.all().1.is_none()
    }
}

/// A number that may be anything, or close to an honest one.
pub fn number(input: &mut Input<'_>, honest: u32) -> u32 {
    match input.byte() {
        0..=99 => honest.saturating_add(u32::from(input.byte() % 16)),
        100..=199 => honest.saturating_sub(u32::from(input.byte() % 16)),
        200..=229 => u32::from(input.byte()),
        230..=242 => u32::MAX - u32::from(input.byte() % 4),
        243..=255 => input.word(),
    }
}

/// The structures of a packet, in memory.
///
/// # Invariants
///
/// BUILT: the pointers inside `buffer` and the MDLs lead to memory of this value
/// or to MDLs that NDIS made for it.
#[derive(Debug)]
pub struct Built {
    buffer: Exact,
    mdls: Vec<Mdl>,
    _data: Vec<Exact>,
}

#[derive(Debug)]
enum Mdl {
    /// In memory of its own.
    Own(Exact),
    /// NDIS has made it.
    Ndis(*mut MDL),
}

impl Mdl {
    fn pointer(&self) -> *mut MDL {
        match self {
            Self::Own(memory) => memory.pointer(),
            Self::Ndis(mdl) => *mdl,
        }
    }

    /// An MDL for `piece`, whose bytes are in `data`.
    fn build(piece: &Piece, data: &Exact) -> Self {
        let len = piece.bytes.len() as u32;
        if piece.mapping == Mapping::OnDemand {
            // SAFETY: the data lives longer than the MDL; no owner is needed.
            let mdl = unsafe { ndis_sys::NdisAllocateMdl(null_mut(), data.pointer(), len) };
            assert!(!mdl.is_null());
            // SAFETY: just made, and nobody else's.
            unsafe { (*mdl).MdlFlags = 0 };
            return Self::Ndis(mdl);
        }
        let flags = match piece.mapping {
            Mapping::Mapped | Mapping::Null => ndis_sys::MDL_MAPPED_TO_SYSTEM_VA,
            Mapping::Pool => ndis_sys::MDL_SOURCE_IS_NONPAGED_POOL,
            Mapping::OnDemand | Mapping::Refused => 0,
        };
        let mut memory = Exact::new(size_of::<MDL>());
        memory.put(offset_of!(MDL, MdlFlags), flags as i16);
        memory.put(offset_of!(MDL, ByteCount), len);
        memory.put::<*mut u8>(offset_of!(MDL, Next), null_mut());
        match piece.mapping {
            Mapping::Null => memory.put::<*mut u8>(offset_of!(MDL, MappedSystemVa), null_mut()),
            // Whoever looks there without asking finds garbage.
            Mapping::OnDemand | Mapping::Refused => {}
            _ => memory.put::<*mut u8>(offset_of!(MDL, MappedSystemVa), data.pointer()),
        }
        Self::Own(memory)
    }
}

impl Built {
    /// Builds the structures of `packet`.
    #[must_use]
    pub fn new(packet: &Packet) -> Self {
        let data: Vec<Exact> = packet
            .pieces
            .iter()
            .map(|piece| Exact::of(&piece.bytes))
            .collect();
        let mdls: Vec<Mdl> = packet
            .pieces
            .iter()
            .zip(&data)
            .map(|(piece, data)| Mdl::build(piece, data))
            .collect();
        let at = |index: Option<usize>| {
            index
                .and_then(|index| mdls.get(index))
                .map_or(null_mut(), Mdl::pointer)
        };
        for (index, mdl) in mdls.iter().enumerate() {
            // SAFETY: an MDL that was made here, in which nobody else looks.
            unsafe { (*mdl.pointer()).Next = at(packet.next(index)) };
        }
        let mut buffer = Exact::new(size_of::<NET_BUFFER>());
        buffer.put(offset_of!(NET_BUFFER_DATA, CurrentMdl), at(packet.current));
        buffer.put(offset_of!(NET_BUFFER_DATA, CurrentMdlOffset), packet.offset);
        // Only its lower half is the length: the upper one stays garbage.
        buffer.put(offset_of!(NET_BUFFER_DATA, u), packet.length);
        buffer.put(offset_of!(NET_BUFFER_DATA, MdlChain), at(Some(0)));
        buffer.put(offset_of!(NET_BUFFER_DATA, DataOffset), packet.data_offset);
        let mut built = Self {
            buffer,
            mdls,
            _data: data,
        };
        built.set_next(null_mut());
        built
    }

    /// Where the packet is.
    #[must_use]
    pub fn pointer(&self) -> *mut NET_BUFFER {
        self.buffer.pointer()
    }

    /// Links the next packet.
    pub fn set_next(&mut self, next: *mut NET_BUFFER) {
        self.buffer.put(offset_of!(NET_BUFFER_DATA, Next), next);
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        for mdl in &self.mdls {
            if let Mdl::Ndis(mdl) = mdl {
                // SAFETY: by BUILT made by NDIS for this value, freed once.
                unsafe { ndis_sys::NdisFreeMdl(*mdl) };
            }
        }
    }
}
