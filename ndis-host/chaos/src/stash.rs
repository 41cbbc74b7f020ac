//! Where drivers keep what they were given, until any thread takes it out again.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    world::{World, look},
};
use ndis_co::{
    Status,
    reference::{Counted, Weak},
};
use std::{collections::BTreeSet, sync::Mutex};

/// Things kept for some place (an adapter or a binding), until that is closed.
pub(crate) struct Stash<T>(Mutex<Inner<T>>);

struct Inner<T> {
    closed: BTreeSet<u32>,
    kept: Vec<(u32, u32, T)>,
    next: u32,
}

impl<T> Stash<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner {
            closed: BTreeSet::new(),
            kept: Vec::new(),
            next: 0,
        }))
    }

    /// Keeps a thing and says under which number.
    ///
    /// # Errors
    ///
    /// Gives it back when the place is closed: to be let go at once.
    pub(crate) fn put(&self, place: u32, thing: T) -> Result<u32, T> {
        let mut inner = look(&self.0);
        if inner.closed.contains(&place) {
            return Err(thing);
        }
        inner.next += 1;
        let number = inner.next;
        inner.kept.push((place, number, thing));
        Ok(number)
    }

    /// Takes out the thing of this number, if it is still there.
    pub(crate) fn take(&self, number: u32) -> Option<T> {
        let mut inner = look(&self.0);
        let at = inner.kept.iter().position(|(_, n, _)| *n == number)?;
        Some(inner.kept.remove(at).2)
    }

    /// Takes out the last thing that is the one.
    pub(crate) fn take_the(&self, is: impl Fn(&T) -> bool) -> Option<T> {
        let mut inner = look(&self.0);
        let at = inner.kept.iter().rposition(|(_, _, thing)| is(thing))?;
        Some(inner.kept.remove(at).2)
    }

    /// Takes out any thing, with its place.
    pub(crate) fn take_any(&self, world: &World) -> Option<(u32, T)> {
        let draw = world.draw();
        let mut inner = look(&self.0);
        let at = any(draw, inner.kept.len())?;
        let (place, _, thing) = inner.kept.remove(at);
        Some((place, thing))
    }

    /// Takes out what is kept for this place, something of it.
    pub(crate) fn take_of(&self, place: u32) -> Option<T> {
        let mut inner = look(&self.0);
        let at = inner.kept.iter().rposition(|(p, ..)| *p == place)?;
        Some(inner.kept.remove(at).2)
    }

    /// Takes out all that is kept for this place, which stays open.
    pub(crate) fn take_all_of(&self, place: u32) -> Vec<T> {
        look(&self.0).part(place)
    }

    /// A copy of the last thing that is the one, as [`any`](Self::any).
    pub(crate) fn find(&self, is: impl Fn(&T) -> bool) -> Option<T>
    where
        T: Clone,
    {
        let inner = look(&self.0);
        let found = inner.kept.iter().rev().find(|(_, _, thing)| is(thing));
        found.map(|(_, _, thing)| thing.clone())
    }

    /// A copy of any thing; for counted references, whose copying calls nobody.
    pub(crate) fn any(&self, world: &World) -> Option<T>
    where
        T: Clone,
    {
        let draw = world.draw();
        let inner = look(&self.0);
        let at = any(draw, inner.kept.len())?;
        let (_, _, thing) = &inner.kept[at];
        Some(thing.clone())
    }

    /// Closes a place and gives back what was kept for it.
    pub(crate) fn close(&self, place: u32) -> Vec<T> {
        let mut inner = look(&self.0);
        inner.closed.insert(place);
        inner.part(place)
    }
}

impl<T> Inner<T> {
    fn part(&mut self, place: u32) -> Vec<T> {
        let all = std::mem::take(&mut self.kept);
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(p, ..)| *p == place);
        self.kept = kept;
        gone.into_iter().map(|(.., thing)| thing).collect()
    }
}

/// One of `len` places; every other time one of the last, for what is old is
/// mostly over.
fn any(draw: u64, len: usize) -> Option<usize> {
    let last = len.checked_sub(1)?;
    let among = if draw & 1 == 0 { len } else { len.min(3) };
    Some(last - (draw >> 1) as usize % among)
}

/// Refers to a VC weakly, which may go meanwhile, and perhaps keeps that; what a reference that was
/// kept before still leads to.
pub(crate) fn weakly<V: Counted>(
    world: &World,
    kept: &Stash<Weak<V>>,
    (place, vc): (u32, V),
    weak: Result<Weak<V>, Status>,
    place_of: impl Fn(&V) -> u32,
) -> Option<V> {
    // This was perhaps the last reference.
    drop(vc);
    if let Ok(weak) = weak {
        if weak.upgrade().is_some_and(|vc| place_of(&vc) != place) {
            world.found("a weak reference has led to another VC");
        }
        if world.dares(Act::WeakKeep, 3, 4) {
            let _ = kept.put(place, weak);
        }
    }
    let (place, weak) = kept.take_any(world)?;
    let vc = weak.upgrade()?;
    world.did(Act::WeakUse);
    if place_of(&vc) != place {
        world.found("a weak reference that was kept has led to another VC");
    }
    Some(vc)
}
