//! What waits its turn: in order, and any of it may be the next one.
//!
//! The seed says how many of those that wait are passed over, so the next one is found by its
//! place. There may be a hundred thousand of them: what is taken leaves a hole, and a tree of
//! counts (a Fenwick tree) leads past the holes to the place that is wanted.

use alloc::vec::Vec;

/// Values in the order of their keys, which come in that order.
pub(super) struct Queue<T> {
    slots: Vec<(u64, Option<T>)>,
    /// How many values there are in the slots that end with this one, as many slots as the
    /// lowest bit says that is set in the place, counted from one.
    tree: Vec<u32>,
    live: usize,
}

/// The lowest bit that is set.
const fn lowest(place: usize) -> usize {
    place & place.wrapping_neg()
}

impl<T> Queue<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            tree: Vec::new(),
            live: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts `value` behind all others; so must `key` be.
    pub(super) fn push(&mut self, key: u64, value: T) {
        debug_assert!(self.slots.last().is_none_or(|(last, _)| *last < key));
        self.slots.push((key, Some(value)));
        let place = self.slots.len();
        let mut count = 1;
        let mut before = place - 1;
        while before > place - lowest(place) {
            count += self.tree[before - 1];
            before -= lowest(before);
        }
        self.tree.push(count);
        self.live += 1;
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        self.find(key)
            .is_some_and(|index| self.slots[index].1.is_some())
    }

    fn find(&self, key: u64) -> Option<usize> {
        self.slots.binary_search_by_key(&key, |(key, _)| *key).ok()
    }

    /// Takes the value that has so many others before it.
    pub(super) fn take(&mut self, before: usize) -> Option<T> {
        if before >= self.live {
            return None;
        }
        let mut left = before;
        let mut index = 0;
        let mut step = self.slots.len().next_power_of_two();
        while step > 0 {
            if let Some(count) = self.tree.get(index + step - 1)
                && *count as usize <= left
            {
                left -= *count as usize;
                index += step;
            }
            step /= 2;
        }
        self.remove_at(index)
    }

    /// Takes the value with this key.
    pub(super) fn remove(&mut self, key: u64) -> Option<T> {
        self.remove_at(self.find(key)?)
    }

    fn remove_at(&mut self, index: usize) -> Option<T> {
        let value = self.slots.get_mut(index)?.1.take()?;
        self.live -= 1;
        if self.live == 0 {
            self.slots.clear();
            self.tree.clear();
            return Some(value);
        }
        if self.slots.len() > 2 * self.live + 16 {
            self.close_up();
            return Some(value);
        }
        let mut place = index + 1;
        while let Some(count) = self.tree.get_mut(place - 1) {
            *count -= 1;
            place += lowest(place);
        }
        Some(value)
    }

    /// Takes the holes out.
    fn close_up(&mut self) {
        self.slots.retain(|(_, value)| value.is_some());
        self.tree.clear();
        self.tree
            .extend((1..=self.slots.len()).map(|place| lowest(place) as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_queue_is_a_list_in_which_any_place_is_taken() {
        let mut rng = Rng::new(7);
        let (mut queue, mut model) = (Queue::new(), Vec::new());
        let mut key = 0;
        // Grows, then shrinks to nothing, so that holes are closed up at every size.
        for round in 0..4000 {
            if rng.below(if round < 2000 { 3 } else { 8 }) > if round < 2000 { 0 } else { 5 } {
                key += 1 + rng.below(3) as u64;
                queue.push(key, key);
                model.push(key);
            }
            if rng.below(2) == 0 && !model.is_empty() {
                let place = rng.below(model.len());
                let taken = model.remove(place);
                if rng.below(2) == 0 {
                    assert_eq!(queue.take(place), Some(taken));
                } else {
                    assert_eq!(queue.remove(taken), Some(taken));
                }
                assert!(!queue.contains(taken));
            }
            assert_eq!(queue.len(), model.len());
            assert!(model.iter().all(|key| queue.contains(*key)));
        }
        assert_eq!(queue.take(model.len()), None);
        for key in model {
            assert_eq!(queue.take(0), Some(key));
        }
        assert!(queue.is_empty());
    }
}
