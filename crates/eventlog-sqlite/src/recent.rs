//! A map that remembers what was used recently and never grows past its bound.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Two generations: what is used moves into the young one; when that is full it becomes the old
/// one, and what then was not used for a whole generation is forgotten. Cheaper than an exact
/// order of use, and as good for names and stream heads, which can always be read again.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_entries_max: usize,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Remembers at most `entries_max` entries.
    pub(crate) fn new(entries_max: usize) -> Self {
        let generation_entries_max = (entries_max / 2).max(1);
        Self { young: HashMap::new(), old: HashMap::new(), generation_entries_max }
    }

    /// A copy of the value, which thereby counts as used.
    pub(crate) fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    /// Remembers the value, in place of an earlier one of the same key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation_entries_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_entries_stays_within_the_bound() {
        let mut recent = Recent::new(100);
        for key in 0..10_000 {
            recent.insert(key, key);
            assert!(recent.young.len() + recent.old.len() <= 100);
        }
        assert_eq!(recent.get(&9_999), Some(9_999));
        assert_eq!(recent.get(&0), None);
    }

    #[test]
    fn an_entry_that_is_used_stays() {
        let mut recent = Recent::new(10);
        recent.insert(u32::MAX, "used");
        for key in 0..1_000 {
            recent.insert(key, "unused");
            assert_eq!(recent.get(&u32::MAX), Some("used"));
        }
    }

    #[test]
    fn a_newer_value_replaces_the_older_one_of_either_generation() {
        let mut recent = Recent::new(4);
        for round in 0..50 {
            recent.insert("key", round);
            recent.insert(["a", "b", "c"][round % 3], round);
            assert_eq!(recent.get("key"), Some(round));
        }
    }
}
