//! Maps for what is looked up in every call of a driver.
//!
//! A run looks up the running task and counts the function some ten times a call. The maps
//! of the library cost an interpreter (Miri) half of a run there; these are made for
//! their few entries.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

/// A map for few entries, in order of their keys, most of which come in that order.
pub(crate) struct SmallMap<K, V> {
    entries: Vec<(K, Box<V>)>,
    /// Where the last one was found: the same one is asked for many times in a row.
    last: Cell<usize>,
}

impl<K: Ord + Copy, V> SmallMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            last: Cell::new(0),
        }
    }

    fn find(&self, key: K) -> Result<usize, usize> {
        let last = self.last.get();
        if self
            .entries
            .get(last)
            .is_some_and(|(found, _)| *found == key)
        {
            return Ok(last);
        }
        let found = match self.entries.last() {
            Some((last, _)) if *last < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by_key(&key, |(key, _)| *key),
        };
        if let Ok(index) = found {
            self.last.set(index);
        }
        found
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let index = self.find(*key).ok()?;
        Some(&self.entries[index].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.find(*key).ok()?;
        Some(&mut self.entries[index].1)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.find(*key).is_ok()
    }

    /// Puts `value` in, in the place of another one.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(key) {
            Ok(index) => *self.entries[index].1 = value,
            Err(index) => self.entries.insert(index, (key, Box::new(value))),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let index = self.find(*key).ok()?;
        Some(*self.entries.remove(index).1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| &**value)
    }
}

/// A map by the numbers of objects, which are given out one after the other: finding one costs the
/// same however many there are. Those that have gone leave a place, until all before them have gone.
pub(crate) struct Table<V> {
    /// The number of the first place.
    first: u32,
    places: VecDeque<Option<(u32, Box<V>)>>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self {
            first: 0,
            places: VecDeque::new(),
        }
    }
}

impl<V> Table<V> {
    fn place(&self, number: u32) -> Option<usize> {
        Some(number.checked_sub(self.first)? as usize)
    }

    pub(crate) fn get(&self, number: &u32) -> Option<&V> {
        let (_, value) = self.places.get(self.place(*number)?)?.as_ref()?;
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, number: &u32) -> Option<&mut V> {
        let place = self.place(*number)?;
        let (_, value) = self.places.get_mut(place)?.as_mut()?;
        Some(value)
    }

    pub(crate) fn contains_key(&self, number: &u32) -> bool {
        self.get(number).is_some()
    }

    /// The value of this number, which is put in if there is none.
    pub(crate) fn entry(&mut self, number: u32) -> &mut V
    where
        V: Default,
    {
        let place = self.reach(number);
        let place = self.places[place].get_or_insert_with(|| (number, Box::default()));
        &mut place.1
    }

    /// Puts `value` in, in the place of another one.
    pub(crate) fn insert(&mut self, number: u32, value: V) {
        let place = self.reach(number);
        self.places[place] = Some((number, Box::new(value)));
    }

    /// Sees to it that there is a place for this number.
    fn reach(&mut self, number: u32) -> usize {
        if self.places.is_empty() {
            self.first = number;
        }
        while number < self.first {
            self.first -= 1;
            self.places.push_front(None);
        }
        let place = (number - self.first) as usize;
        while self.places.len() <= place {
            self.places.push_back(None);
        }
        place
    }

    pub(crate) fn remove(&mut self, number: &u32) -> Option<V> {
        let place = self.place(*number)?;
        let (_, value) = self.places.get_mut(place)?.take()?;
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        Some(*value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&u32, &V)> {
        let all = self.places.iter().flatten();
        all.map(|(number, value)| (number, &**value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

/// How often each function ran. The names are literals, so counting by their
/// address is enough, and much cheaper than comparing them; the same literal at
/// two addresses is added up in the end.
pub(crate) struct Counters {
    entries: Vec<(&'static str, u64)>,
    /// A hash table with linear probing, at most half full: one more than the number
    /// of the entry, or zero.
    slots: Vec<usize>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            slots: vec![0; 256],
        }
    }
}

impl Counters {
    pub(crate) fn count(&mut self, name: &'static str) {
        if self.entries.len() * 2 > self.slots.len() {
            self.slots = vec![0; self.slots.len() * 2];
            for number in 0..self.entries.len() {
                let slot = self.slot(self.entries[number].0);
                self.slots[slot] = number + 1;
            }
        }
        let slot = self.slot(name);
        match self.slots[slot].checked_sub(1) {
            Some(number) => self.entries[number].1 += 1,
            None => {
                self.entries.push((name, 1));
                self.slots[slot] = self.entries.len();
            }
        }
    }

    /// Where `name` is, or belongs.
    fn slot(&self, name: &'static str) -> usize {
        let mask = self.slots.len() - 1;
        // Literals lie side by side: the low bits tell them apart.
        let mut slot = name.as_ptr().addr() & mask;
        while let Some(number) = self.slots[slot].checked_sub(1)
            && !core::ptr::eq(self.entries[number].0, name)
        {
            slot = (slot + 1) & mask;
        }
        slot
    }

    pub(crate) fn sums(&self) -> BTreeMap<&'static str, u64> {
        let mut all = self.entries.clone();
        all.sort_unstable();
        all.dedup_by(|(name, count), (kept, sum)| {
            let same = name == kept;
            if same {
                *sum += *count;
            }
            same
        });
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_small_map_is_a_map() {
        let mut map = SmallMap::new();
        let mut model = BTreeMap::new();
        for key in [3_u32, 9, 10, 4, 3, 12, 1, 10] {
            map.insert(key, key * 7);
            model.insert(key, key * 7);
        }
        for key in [9, 12, 2] {
            assert_eq!(map.remove(&key), model.remove(&key));
        }
        for key in 0..14 {
            assert_eq!(map.get(&key), model.get(&key));
            assert_eq!(map.get_mut(&key), model.get_mut(&key));
            assert_eq!(map.contains_key(&key), model.contains_key(&key));
        }
        assert!(map.values().eq(model.values()));
        assert!(!map.is_empty());
    }

    #[test]
    fn a_table_is_a_map() {
        let mut rng = crate::rng::Rng::new(5);
        let mut table = Table::default();
        let mut model = BTreeMap::new();
        for round in 0..2000_u32 {
            let number = 20 + round / 4 - rng.below(20) as u32;
            if rng.below(3) == 0 {
                table.insert(number, round);
                model.insert(number, round);
            } else {
                assert_eq!(table.remove(&number), model.remove(&number));
            }
            assert_eq!(table.get(&number), model.get(&number));
            assert_eq!(table.get_mut(&(number + 1)), model.get_mut(&(number + 1)));
            assert_eq!(table.contains_key(&round), model.contains_key(&round));
            assert!(table.iter().eq(model.iter()));
            assert!(table.values().eq(model.values()));
        }
        for number in model.into_keys() {
            assert!(table.remove(&number).is_some());
        }
        assert!(table.places.is_empty());
    }

    #[test]
    fn counters_count_names_wherever_they_lie() {
        let mut counters = Counters::default();
        let mut names: Vec<&'static str> = Vec::new();
        for number in 0..1000 {
            names.push(Box::leak((number % 400).to_string().into_boxed_str()));
        }
        for name in names.iter().chain(&names) {
            counters.count(name);
        }
        let sums = counters.sums();
        assert_eq!(sums.len(), 400);
        assert_eq!(sums["7"], 6);
        assert_eq!(sums["399"], 4);
        assert_eq!(sums.values().sum::<u64>(), 2000);
    }
}
