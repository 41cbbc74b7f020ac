//! [`Calls`]: the calls of one link, each found by its reference.
//!
//! A reference is a place in the table and how often the place was used, so that what arrives
//! late for a call that is over finds nothing, and nobody has to search. The other end has
//! references of its own: both name a call by the reference of whoever is spoken to, and
//! cannot choose the same one for two.

use ndis_co::mem::{Tag, Vec};

/// How many bits of a reference are the place.
const PLACE_BITS: u32 = 12;

/// How many calls there can be at a time.
pub(crate) const MAX_CALLS: usize = 1 << PLACE_BITS;

/// References have 31 bits, and none is zero.
const LAST_USE: u32 = (1 << (31 - PLACE_BITS)) - 1;

/// The calls, of which `T` is kept.
#[derive(Debug)]
pub(crate) struct Calls<T> {
    places: Vec<Place<T>>,
    /// The first free place.
    free: Option<usize>,
    count: usize,
}

#[derive(Debug)]
struct Place<T> {
    /// Which use of the place this is, or was.
    used: u32,
    holds: Holds<T>,
}

#[derive(Debug)]
enum Holds<T> {
    Call(T),
    /// Nothing; the next free place.
    Free(Option<usize>),
}

impl<T> Calls<T> {
    pub(crate) const fn new(tag: Tag) -> Self {
        Self {
            places: Vec::new(tag),
            free: None,
            count: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a call in; gives its reference. `None` without memory, or when there are too
    /// many.
    pub(crate) fn insert(&mut self, call: T) -> Option<u32> {
        let place = match self.free {
            Some(place) => place,
            None => self.grow()?,
        };
        let slot = self.places.get_mut(place)?;
        if let Holds::Free(next) = slot.holds {
            self.free = next;
        }
        slot.used = if slot.used == LAST_USE {
            1
        } else {
            slot.used.saturating_add(1)
        };
        slot.holds = Holds::Call(call);
        self.count = self.count.saturating_add(1);
        let used = slot.used;
        Some(reference(place, used))
    }

    /// One more free place.
    fn grow(&mut self) -> Option<usize> {
        let place = self.places.len();
        if place == MAX_CALLS {
            return None;
        }
        let holds = Holds::Free(None);
        self.places.try_push(Place { used: 0, holds }).ok()?;
        Some(place)
    }

    pub(crate) fn get(&self, reference: u32) -> Option<&T> {
        let (place, used) = split(reference);
        match self.places.get(place) {
            Some(Place {
                used: now,
                holds: Holds::Call(call),
            }) if *now == used => Some(call),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, reference: u32) -> Option<&mut T> {
        let (place, used) = split(reference);
        match self.places.get_mut(place) {
            Some(Place {
                used: now,
                holds: Holds::Call(call),
            }) if *now == used => Some(call),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, reference: u32) -> Option<T> {
        self.get(reference)?;
        let (place, _) = split(reference);
        let slot = self.places.get_mut(place)?;
        let holds = core::mem::replace(&mut slot.holds, Holds::Free(self.free));
        self.free = Some(place);
        self.count = self.count.saturating_sub(1);
        match holds {
            Holds::Call(call) => Some(call),
            Holds::Free(_) => None,
        }
    }

    /// The reference of some call for which `pick` says yes.
    pub(crate) fn find(&self, mut pick: impl FnMut(&T) -> bool) -> Option<u32> {
        self.iter()
            .find_map(|(reference, call)| pick(call).then_some(reference))
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(place, slot)| match &slot.holds {
            Holds::Call(call) => Some((reference(place, slot.used), call)),
            Holds::Free(_) => None,
        })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        let places = self.places.iter_mut().enumerate();
        places.filter_map(|(place, slot)| match &mut slot.holds {
            Holds::Call(call) => Some((reference(place, slot.used), call)),
            Holds::Free(_) => None,
        })
    }
}

/// A place is below [`MAX_CALLS`], so nothing is cut off.
fn reference(place: usize, used: u32) -> u32 {
    used << PLACE_BITS | place as u32
}

fn split(reference: u32) -> (usize, u32) {
    let place = reference as usize & (MAX_CALLS - 1);
    (place, reference >> PLACE_BITS)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::tests::on_host;

    fn calls() -> Calls<u32> {
        Calls::new(Tag::new(*b"Test"))
    }

    #[test]
    fn a_call_is_found_until_it_is_gone() {
        on_host(|| {
            let mut calls = calls();
            assert!(calls.is_empty());
            let one = calls.insert(1).unwrap();
            let two = calls.insert(2).unwrap();
            assert_ne!(one, two);
            *calls.get_mut(two).unwrap() += 10;
            assert_eq!((calls.get(one), calls.get(two)), (Some(&1), Some(&12)));
            assert_eq!(calls.find(|call| *call > 10), Some(two));
            assert_eq!(calls.remove(one), Some(1));
            assert_eq!(calls.remove(one), None);
            assert_eq!(calls.get(one), None);
            assert_eq!(calls.get_mut(one), None);
            assert!(!calls.is_empty());
            assert_eq!(calls.remove(two), Some(12));
            assert!(calls.is_empty());
        });
    }

    /// A reference that is not used any more does not find who has its place.
    #[test]
    fn a_place_is_used_again_under_another_reference() {
        on_host(|| {
            let mut calls = calls();
            let mut seen = std::collections::BTreeSet::new();
            for call in 0..1000 {
                let reference = calls.insert(call).unwrap();
                assert!(seen.insert(reference));
                assert!(seen.iter().filter(|one| calls.get(**one).is_some()).count() == 1);
                calls.remove(reference);
            }
            assert_eq!(calls.places.len(), 1);
        });
    }

    #[test]
    fn no_reference_is_zero_and_all_leave_room_for_a_bit() {
        on_host(|| {
            let mut calls = calls();
            let one = calls.insert(0).unwrap();
            assert_ne!(one, 0);
            calls.remove(one);
            calls.places.first_mut().unwrap().used = LAST_USE - 1;
            let last = calls.insert(0).unwrap();
            assert!(last < 1 << 31);
            calls.remove(last);
            assert_eq!(calls.insert(0), Some(one), "round and round");
            assert_eq!(calls.get(0), None);
            assert_eq!(calls.get(u32::MAX), None);
        });
    }

    #[test]
    fn there_can_be_so_many_and_no_more() {
        on_host(|| {
            let mut calls = calls();
            let mut all: std::vec::Vec<_> = (0..MAX_CALLS as u32)
                .map(|call| calls.insert(call).unwrap())
                .collect();
            assert_eq!(calls.insert(0), None);
            assert_eq!(calls.iter_mut().count(), MAX_CALLS);
            let free = all.swap_remove(17);
            calls.remove(free);
            let again = calls.insert(9).unwrap();
            assert_ne!(again, free);
            assert_eq!(calls.insert(0), None);
        });
    }
}
