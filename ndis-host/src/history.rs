//! What happened to each object, for the report that names it.
//!
//! Every object has a history, and there may be a hundred thousand, so a step takes 16 bytes: the
//! names in it are numbers, of tables that all share.

use crate::handle::{Kind, ObjectId};
use crate::map::Table;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// What happened to one object, for the report that names it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Past {
    /// The place in the run.
    pub seq: u64,
    /// The call or callback.
    pub what: &'static str,
    /// Who did it.
    pub who: Arc<str>,
    /// What came back.
    pub status: Option<i32>,
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} by {}", self.seq, self.what, self.who)?;
        if let Some(status) = self.status {
            write!(f, " = {}", crate::status::Name(status))?;
        }
        Ok(())
    }
}

/// A [`Past`] as it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    seq: u64,
    status: i32,
    what: u16,
    /// The highest bit says that there is a status.
    who: u16,
}

const HAS_STATUS: u16 = 1 << 15;

/// Names with numbers. The same name at two addresses has two.
struct Names<T> {
    all: Vec<T>,
    /// A hash table with linear probing, at most half full: one more than the number, or zero.
    slots: Vec<u16>,
}

impl<T: Clone + AsRef<str>> Names<T> {
    const fn new() -> Self {
        Self {
            all: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// The number of a name; past the last number all names have that one.
    fn number(&mut self, name: &T) -> u16 {
        if self.slots.len() <= 2 * self.all.len() {
            self.slots = alloc::vec![0; 2 * self.slots.len().max(32)];
            for number in 0..self.all.len() {
                let slot = self.slot(self.all[number].as_ref());
                self.slots[slot] = number as u16 + 1;
            }
        }
        let slot = self.slot(name.as_ref());
        if let Some(number) = self.slots[slot].checked_sub(1) {
            return number;
        }
        let number = self.all.len();
        if number >= usize::from(HAS_STATUS) - 1 {
            return HAS_STATUS - 1;
        }
        self.all.push(name.clone());
        self.slots[slot] = number as u16 + 1;
        number as u16
    }

    /// Where a name is, or belongs. One that is kept stays where it is, so that no other is found
    /// by its address.
    fn slot(&self, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let address = name.as_ptr().addr();
        let mut slot = (address ^ address >> 8) & mask;
        while let Some(number) = self.slots[slot].checked_sub(1)
            && !core::ptr::eq(self.all[usize::from(number)].as_ref(), name)
        {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn name(&self, number: u16) -> Option<T> {
        self.all.get(usize::from(number)).cloned()
    }
}

/// How many steps of an object's life are kept: its first ones and its last.
const FIRST: usize = 4;
const LAST: usize = 20;
/// How many ended objects are remembered.
const ENDED: usize = 4096;

#[derive(Default)]
struct Life {
    /// The first steps, then the last ones, round and round.
    steps: Vec<Step>,
    /// Where the oldest of those is.
    oldest: usize,
}

impl Life {
    fn add(&mut self, step: Step) {
        let len = self.steps.len();
        if len < FIRST + LAST {
            if len == self.steps.capacity() {
                // Most objects have few steps.
                self.steps.reserve_exact(FIRST);
            }
            self.steps.push(step);
        } else if let Some(place) = self.steps.get_mut(FIRST + self.oldest) {
            *place = step;
            self.oldest = (self.oldest + 1) % LAST;
        }
    }

    fn all(&self) -> impl Iterator<Item = &Step> {
        let (first, last) = self.steps.split_at(FIRST.min(self.steps.len()));
        let (newer, older) = last.split_at(self.oldest.min(last.len()));
        first.iter().chain(older).chain(newer)
    }
}

/// The lives of all objects, the ended ones included (the last few thousand).
pub(crate) struct Histories {
    /// By kind, then by number.
    lives: Vec<Table<Life>>,
    ended: VecDeque<ObjectId>,
    what: Names<&'static str>,
    who: Names<Arc<str>>,
}

impl Default for Histories {
    fn default() -> Self {
        Self {
            lives: Vec::new(),
            ended: VecDeque::new(),
            what: Names::new(),
            who: Names::new(),
        }
    }
}

impl Histories {
    /// What happened, as it is kept.
    pub(crate) fn step(
        &mut self,
        seq: u64,
        what: &'static str,
        who: &Arc<str>,
        status: Option<i32>,
    ) -> Step {
        let has_status = if status.is_some() { HAS_STATUS } else { 0 };
        Step {
            seq,
            status: status.unwrap_or_default(),
            what: self.what.number(&what),
            who: self.who.number(who) | has_status,
        }
    }

    /// It happened to this object.
    pub(crate) fn add(&mut self, object: ObjectId, step: Step) {
        // Memory, MDLs and net buffers are too many and tell too little.
        if matches!(object.kind, Kind::Memory | Kind::Mdl | Kind::NetBuffer) {
            return;
        }
        let kind = object.kind as usize;
        if self.lives.len() <= kind {
            self.lives.resize_with(kind + 1, Table::default);
        }
        self.lives[kind].entry(object.number).add(step);
    }

    pub(crate) fn end(&mut self, object: ObjectId) {
        self.ended.push_back(object);
        if self.ended.len() > ENDED
            && let Some(oldest) = self.ended.pop_front()
            && let Some(lives) = self.lives.get_mut(oldest.kind as usize)
        {
            lives.remove(&oldest.number);
        }
    }

    fn life(&self, object: ObjectId) -> Option<&Life> {
        let lives = self.lives.get(object.kind as usize)?;
        lives.get(&object.number)
    }

    fn past(&self, step: &Step) -> Past {
        Past {
            seq: step.seq,
            what: self.what.name(step.what).unwrap_or_default(),
            who: self
                .who
                .name(step.who & !HAS_STATUS)
                .unwrap_or_else(|| Arc::from("somebody")),
            status: (step.who & HAS_STATUS != 0).then_some(step.status),
        }
    }

    /// Where an object's life began.
    pub(crate) fn first(&self, object: ObjectId) -> Option<Past> {
        let life = self.life(object)?;
        life.steps.first().map(|step| self.past(step))
    }

    pub(crate) fn of(&self, object: ObjectId) -> Vec<Past> {
        let life = self.life(object).into_iter();
        life.flat_map(Life::all)
            .map(|step| self.past(step))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_first_steps_and_the_last_are_kept() {
        let mut histories = Histories::default();
        let object = ObjectId::new(Kind::ClientVc, 7);
        let who: [Arc<str>; 2] = ["a".into(), "b".into()];
        for seq in 0..50 {
            let past = Past {
                seq,
                what: if seq % 2 == 0 { "even" } else { "odd" },
                who: who[seq as usize % 3 % 2].clone(),
                status: (seq % 5 == 0).then_some(-(seq as i32)),
            };
            let step = histories.step(seq, past.what, &past.who, past.status);
            histories.add(object, step);
            let all = histories.of(object);
            let kept = (0..=seq).filter(|it| *it < 4 || seq - it < 20);
            assert!(all.iter().map(|past| past.seq).eq(kept));
            let last = all.last().expect("the newest");
            assert_eq!(last.to_string(), past.to_string());
        }
        assert_eq!(histories.first(object).map(|past| past.seq), Some(0));
        assert_eq!(size_of::<Step>(), 16);
    }
}
