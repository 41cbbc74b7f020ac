//! The event log: what was called, by whom, on which object, in which order.

use crate::handle::ObjectId;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventMode {
    /// Every event.
    All,
    /// The last events, so many of them.
    Last(usize),
    /// Those of one call ([`Event::call`]): calls are counted from 1 in the order in which they
    /// are placed or offered.
    Call(u32),
    /// None.
    Off,
}

/// What an [`Event`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum EventKind {
    /// A driver called NDIS.
    Call,
    /// That call returned.
    Return,
    /// NDIS called a driver.
    Callback,
    /// That callback returned.
    CallbackReturn,
    /// The host has something to say, a broken rule for one.
    Note,
}

/// One step of a run.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Event {
    /// Its place in the run.
    pub seq: u64,
    /// Virtual time, in units of 100 ns.
    pub time: u64,
    /// The virtual processor.
    pub cpu: u8,
    /// The IRQL: 0 is PASSIVE_LEVEL, 2 DISPATCH_LEVEL.
    pub irql: u8,
    /// What happened.
    pub kind: EventKind,
    /// The NDIS name of the call or callback.
    pub name: &'static str,
    /// Who did it: a driver, a thread, or `NDIS`.
    pub from: Arc<str>,
    /// Whom it was done to.
    pub to: Arc<str>,
    /// The objects it is about, as text.
    pub object: String,
    /// The same, as numbers.
    pub objects: Vec<ObjectId>,
    /// The call (the conversation on a VC or on two joined ones) it belongs to.
    pub call: Option<u32>,
    /// What came back.
    pub status: Option<i32>,
    /// How deep the calls of this task are nested.
    pub depth: u32,
    /// The task.
    pub task: u32,
    /// What the host adds.
    pub note: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>6} cpu{} {} ",
            self.seq,
            self.cpu,
            if self.irql == 0 {
                "PASSIVE "
            } else {
                "DISPATCH"
            }
        )?;
        for _ in 0..self.depth {
            f.write_str("  ")?;
        }
        match self.kind {
            EventKind::Call | EventKind::Callback => {
                write!(f, "{} -> {}: {}", self.from, self.to, self.name)?;
            }
            EventKind::Return | EventKind::CallbackReturn => {
                write!(f, "{} <- {}: {}", self.to, self.from, self.name)?;
            }
            EventKind::Note => f.write_str("note:")?,
        }
        if !self.object.is_empty() {
            write!(f, " [{}]", self.object)?;
        }
        if let Some(status) = self.status {
            write!(f, " = {}", crate::status::Name(status))?;
        }
        if !self.note.is_empty() {
            write!(f, " {}", self.note)?;
        }
        Ok(())
    }
}

/// Up to three objects that an event is about.
pub(crate) type Objects = [Option<ObjectId>; 3];

pub(crate) struct Raw {
    pub(crate) seq: u64,
    pub(crate) time: u64,
    pub(crate) cpu: u8,
    pub(crate) irql: u8,
    pub(crate) kind: EventKind,
    pub(crate) name: &'static str,
    pub(crate) from: Arc<str>,
    pub(crate) to: Arc<str>,
    pub(crate) objects: Objects,
    pub(crate) call: Option<u32>,
    pub(crate) status: Option<i32>,
    pub(crate) depth: u32,
    pub(crate) task: u32,
    pub(crate) note: Option<Arc<str>>,
}

impl Raw {
    fn finish(&self) -> Event {
        let objects: Vec<ObjectId> = self.objects.iter().flatten().copied().collect();
        let mut object = String::new();
        for (index, id) in objects.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(object, "{comma}{id}");
        }
        Event {
            seq: self.seq,
            time: self.time,
            cpu: self.cpu,
            irql: self.irql,
            kind: self.kind,
            name: self.name,
            from: self.from.clone(),
            to: self.to.clone(),
            object,
            objects,
            call: self.call,
            status: self.status,
            depth: self.depth,
            task: self.task,
            note: self.note.as_deref().unwrap_or_default().into(),
        }
    }
}

pub(crate) struct Log {
    mode: EventMode,
    events: VecDeque<Raw>,
    seq: u64,
    /// With so many events it is worth a look which ones can go.
    full: usize,
}

/// The events of one call are looked for among so many at least.
const LOOK: usize = 1000;

impl Log {
    pub(crate) const fn new(mode: EventMode) -> Self {
        Self {
            mode,
            events: VecDeque::new(),
            seq: 0,
            full: LOOK,
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.mode == EventMode::Off
    }

    /// Whether it is time to [`prune`](Self::prune).
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.mode, EventMode::Call(_)) && self.events.len() >= self.full
    }

    /// Lets go of the events of other calls than the one that is kept. An object may get its call
    /// later than it is first met, so `leads` says whether it is of this call, or may be yet.
    pub(crate) fn prune(&mut self, leads: impl Fn(ObjectId, u32) -> bool) {
        let EventMode::Call(kept) = self.mode else {
            return;
        };
        self.events.retain(|event| match event.call {
            Some(call) => call == kept,
            None => event.objects.iter().flatten().any(|it| leads(*it, kept)),
        });
        self.full = LOOK.max(2 * self.events.len());
    }

    /// The number of the next event.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) fn push(&mut self, event: Raw) {
        match self.mode {
            EventMode::Off => return,
            EventMode::Last(limit) => {
                while self.events.len() >= limit.max(1) {
                    self.events.pop_front();
                }
            }
            EventMode::All | EventMode::Call(_) => {}
        }
        self.events.push_back(event);
    }

    /// Adds an object to an event that is in the log already.
    pub(crate) fn amend(&mut self, seq: u64, object: ObjectId) {
        if let Ok(index) = self.events.binary_search_by_key(&seq, |event| event.seq)
            && let Some(event) = self.events.get_mut(index)
            && !event.objects.contains(&Some(object))
            && let Some(slot) = event.objects.iter_mut().find(|slot| slot.is_none())
        {
            *slot = Some(object);
        }
    }

    /// The events; `call_of` tells the call of an object that had none yet when
    /// its event was logged.
    pub(crate) fn events(&self, call_of: impl Fn(ObjectId) -> Option<u32>) -> Vec<Event> {
        self.events
            .iter()
            .map(|raw| {
                let mut event = raw.finish();
                if event.call.is_none() {
                    event.call = event.objects.iter().find_map(|object| call_of(*object));
                }
                event
            })
            .filter(|event| match self.mode {
                EventMode::Call(kept) => event.call == Some(kept),
                _ => true,
            })
            .collect()
    }
}

/// Where something was made.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    /// The callback, or what the thread is.
    pub(crate) within: &'static str,
    /// The place in the run.
    pub(crate) since: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.within.is_empty() {
            return Ok(());
        }
        write!(f, ", made in {} at #{}", self.within, self.since)
    }
}
