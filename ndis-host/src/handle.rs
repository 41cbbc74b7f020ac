//! Handles that can be checked instead of trusted.
//!
//! A handle is a number: a mark, the host that made it, what it names, a slot
//! and the slot's generation. It never points at anything, so the worst driver
//! can do no harm with one, and a stale, foreign, forged or mistaken handle is
//! told from a live one and from each other.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

/// What an object is. The sides of an address family, SAP, VC or party have handles of
/// different kinds, since no driver may use another's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Kind {
    MiniportDriver = 1,
    ProtocolDriver,
    Adapter,
    Bind,
    Unbind,
    Binding,
    ClientAf,
    CallManagerAf,
    ClientSap,
    CallManagerSap,
    ClientVc,
    CallManagerVc,
    ClientParty,
    CallManagerParty,
    NetBufferListPool,
    NetBufferPool,
    NetBufferList,
    NetBuffer,
    Mdl,
    WorkItem,
    Timer,
    Memory,
    Driver,
    DriverExtension,
    Key,
    Thread,
    MiniportVc,
    OidRequest,
    Configuration,
    Device,
    File,
    Irp,
}

impl Kind {
    const ALL: [Self; 32] = [
        Self::MiniportDriver,
        Self::ProtocolDriver,
        Self::Adapter,
        Self::Bind,
        Self::Unbind,
        Self::Binding,
        Self::ClientAf,
        Self::CallManagerAf,
        Self::ClientSap,
        Self::CallManagerSap,
        Self::ClientVc,
        Self::CallManagerVc,
        Self::ClientParty,
        Self::CallManagerParty,
        Self::NetBufferListPool,
        Self::NetBufferPool,
        Self::NetBufferList,
        Self::NetBuffer,
        Self::Mdl,
        Self::WorkItem,
        Self::Timer,
        Self::Memory,
        Self::Driver,
        Self::DriverExtension,
        Self::Key,
        Self::Thread,
        Self::MiniportVc,
        Self::OidRequest,
        Self::Configuration,
        Self::Device,
        Self::File,
        Self::Irp,
    ];

    /// The places of a table by kind; kinds are counted from one.
    pub(crate) const COUNT: usize = Self::ALL.len() + 1;

    /// The word for it in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MiniportDriver => "miniport driver",
            Self::ProtocolDriver => "protocol driver",
            Self::Adapter => "adapter",
            Self::Bind => "bind request",
            Self::Unbind => "unbind request",
            Self::Binding => "binding",
            Self::ClientAf | Self::CallManagerAf => "AF",
            Self::ClientSap | Self::CallManagerSap => "SAP",
            Self::ClientVc | Self::CallManagerVc | Self::MiniportVc => "VC",
            Self::ClientParty | Self::CallManagerParty => "party",
            Self::NetBufferListPool => "NBL pool",
            Self::NetBufferPool => "NB pool",
            Self::NetBufferList => "NBL",
            Self::NetBuffer => "NB",
            Self::Mdl => "MDL",
            Self::WorkItem => "work item",
            Self::Timer => "timer",
            Self::Memory => "memory",
            Self::Driver => "driver",
            Self::DriverExtension => "driver object extension",
            Self::Key => "registry key",
            Self::Thread => "thread",
            Self::OidRequest => "OID request",
            Self::Configuration => "configuration",
            Self::Device => "device",
            Self::File => "file",
            Self::Irp => "I/O request",
        }
    }

    const fn side(self) -> &'static str {
        match self {
            Self::ClientAf | Self::ClientSap | Self::ClientVc | Self::ClientParty => {
                " (the client's handle)"
            }
            Self::CallManagerAf
            | Self::CallManagerSap
            | Self::CallManagerVc
            | Self::CallManagerParty => " (the call manager's handle)",
            Self::MiniportVc => " (the miniport's handle)",
            _ => "",
        }
    }

    /// The kind that an object with several sides is recorded under.
    pub(crate) const fn object(self) -> Self {
        match self {
            Self::CallManagerAf => Self::ClientAf,
            Self::CallManagerSap => Self::ClientSap,
            Self::CallManagerVc | Self::MiniportVc => Self::ClientVc,
            Self::CallManagerParty => Self::ClientParty,
            other => other,
        }
    }
}

/// One object, named so that a reader can follow it: `VC 17`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ObjectId {
    /// What it is (the client's side for an object with two).
    pub kind: Kind,
    /// Its number; no other object of the run has it.
    pub number: u32,
}

impl ObjectId {
    pub(crate) const fn new(kind: Kind, number: u32) -> Self {
        Self {
            kind: kind.object(),
            number,
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.number)
    }
}

/// What a handle from a driver turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    Live(Kind, u32),
    Stale(Kind, u32),
    /// Made by another host of this process, or by an earlier one.
    OtherHost,
    Forged,
    Null,
}

impl Lookup {
    pub(crate) fn object(self) -> Option<ObjectId> {
        match self {
            Self::Live(kind, number) | Self::Stale(kind, number) => {
                Some(ObjectId::new(kind, number))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Live(kind, number) => write!(
                f,
                "the handle of {}{}",
                ObjectId::new(kind, number),
                kind.side()
            ),
            Self::Stale(kind, number) => write!(
                f,
                "a dead handle of {}{}",
                ObjectId::new(kind, number),
                kind.side()
            ),
            Self::OtherHost => f.write_str("a handle of another host"),
            Self::Forged => f.write_str("not a handle at all"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

struct Field {
    shift: u32,
    bits: u32,
}

impl Field {
    const fn get(&self, raw: usize) -> usize {
        (raw >> self.shift) & ((1 << self.bits) - 1)
    }

    const fn put(&self, value: usize) -> usize {
        (value & ((1 << self.bits) - 1)) << self.shift
    }
}

#[cfg(target_pointer_width = "64")]
mod layout {
    use super::Field;
    pub(super) const SLOT: Field = Field { shift: 0, bits: 20 };
    pub(super) const GENERATION: Field = Field {
        shift: 20,
        bits: 16,
    };
    pub(super) const KIND: Field = Field { shift: 36, bits: 6 };
    pub(super) const HOST: Field = Field {
        shift: 42,
        bits: 14,
    };
    pub(super) const MARK: Field = Field { shift: 56, bits: 8 };
    pub(super) const MARK_VALUE: usize = 0xC5;
}

#[cfg(target_pointer_width = "32")]
mod layout {
    use super::Field;
    pub(super) const SLOT: Field = Field { shift: 0, bits: 12 };
    pub(super) const GENERATION: Field = Field { shift: 12, bits: 7 };
    pub(super) const KIND: Field = Field { shift: 19, bits: 6 };
    pub(super) const HOST: Field = Field { shift: 25, bits: 4 };
    pub(super) const MARK: Field = Field { shift: 29, bits: 3 };
    pub(super) const MARK_VALUE: usize = 0b110;
}

use layout::{GENERATION, HOST, KIND, MARK, MARK_VALUE, SLOT};

// Kinds are counted from one.
const _: () = assert!(Kind::ALL.len() < 1 << KIND.bits);

/// The number of hosts that a process can tell apart by their handles.
pub(crate) const HOSTS: u32 = 1 << HOST.bits;

/// The host that made `raw`, if it looks like a handle.
pub(crate) const fn host_of(raw: usize) -> Option<u32> {
    if MARK.get(raw) == MARK_VALUE {
        Some(HOST.get(raw) as u32)
    } else {
        None
    }
}

/// Whether `raw` looks like a handle of a host's, live or not; an embedder that
/// shares a function with another system tells by it whose a handle is.
pub const fn is_handle(raw: usize) -> bool {
    host_of(raw).is_some()
}

struct Slot {
    generation: usize,
    kind: Kind,
    number: u32,
    live: bool,
}

/// All handles of a host.
pub(crate) struct Handles {
    host: u32,
    slots: Vec<Slot>,
    /// Freed slots, oldest first: the longer one rests, the longer a stale
    /// handle can be told whose it was.
    free: VecDeque<usize>,
}

impl Handles {
    pub(crate) const fn new(host: u32) -> Self {
        Self {
            host,
            slots: Vec::new(),
            free: VecDeque::new(),
        }
    }

    /// A handle for object `number`.
    pub(crate) fn make(&mut self, kind: Kind, number: u32) -> usize {
        let rested = if self.free.len() > 256 {
            self.free.pop_front()
        } else {
            None
        };
        let slot = rested.unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                kind,
                number,
                live: false,
            });
            self.slots.len() - 1
        });
        let entry = &mut self.slots[slot];
        entry.generation += 1;
        entry.kind = kind;
        entry.number = number;
        entry.live = true;
        SLOT.put(slot)
            | GENERATION.put(entry.generation)
            | KIND.put(kind as usize)
            | HOST.put(self.host as usize)
            | MARK.put(MARK_VALUE)
    }

    /// Ends the life of a handle; the number stays known.
    pub(crate) fn kill(&mut self, raw: usize) {
        if let Lookup::Live(..) = self.look(raw) {
            let slot = SLOT.get(raw);
            self.slots[slot].live = false;
            self.free.push_back(slot);
        }
    }

    pub(crate) fn look(&self, raw: usize) -> Lookup {
        if raw == 0 {
            return Lookup::Null;
        }
        if MARK.get(raw) != MARK_VALUE {
            return Lookup::Forged;
        }
        if HOST.get(raw) != self.host as usize {
            return Lookup::OtherHost;
        }
        let Some(slot) = self.slots.get(SLOT.get(raw)) else {
            return Lookup::Forged;
        };
        let Some(kind) = Kind::ALL.get(KIND.get(raw).wrapping_sub(1)).copied() else {
            return Lookup::Forged;
        };
        let generation = GENERATION.get(raw);
        let current = slot.generation & ((1 << GENERATION.bits) - 1);
        if generation == 0 || generation > current {
            return Lookup::Forged;
        }
        if generation == current {
            if kind != slot.kind {
                return Lookup::Forged;
            }
            return if slot.live {
                Lookup::Live(kind, slot.number)
            } else {
                Lookup::Stale(kind, slot.number)
            };
        }
        // An earlier tenant of the slot: its number is gone, the slot's is the
        // best hint there is.
        Lookup::Stale(kind, slot.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_told_from_its_ghosts() {
        let mut handles = Handles::new(3);
        let vc = handles.make(Kind::ClientVc, 17);
        assert_eq!(handles.look(vc), Lookup::Live(Kind::ClientVc, 17));
        handles.kill(vc);
        assert_eq!(handles.look(vc), Lookup::Stale(Kind::ClientVc, 17));
        assert_eq!(handles.look(0), Lookup::Null);
        assert_eq!(handles.look(0x1234), Lookup::Forged);
        assert_eq!(handles.look(vc ^ KIND.put(1)), Lookup::Forged);
        assert_eq!(Handles::new(4).look(vc), Lookup::OtherHost);
        assert_eq!(host_of(vc), Some(3));
    }

    #[test]
    fn a_slot_used_again_does_not_revive_the_old_handle() {
        let mut handles = Handles::new(1);
        let old = handles.make(Kind::Timer, 1);
        handles.kill(old);
        for number in 2..600 {
            let next = handles.make(Kind::Timer, number);
            handles.kill(next);
        }
        assert!(handles.slots.len() < 400);
        assert!(matches!(handles.look(old), Lookup::Stale(Kind::Timer, _)));
    }
}
