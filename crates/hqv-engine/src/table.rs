//! A map with a committed and a staged side.
//!
//! Readers see only what is committed and fsynced. The writer stages the changes of a whole group of
//! operations, later ones seeing earlier ones, and publishes them together once the group is durable.
//! A journal undoes the changes of one operation that fails half-way without touching its group.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

/// Hashes keys that are already uniform (random ids, keyed hashes): takes their first eight bytes.
#[derive(Default)]
pub struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(23) ^ u64::from_le_bytes(word);
        }
    }
}

/// See the module's comment. Keys that outsiders choose need a keyed hasher `S`.
pub struct Table<K, V, S = BuildHasherDefault<Uniform>> {
    base: HashMap<K, V, S>,
    staged: HashMap<K, Option<V>, S>,
    journal: Vec<(K, Option<Option<V>>)>,
}

impl<K: Eq + Hash + Clone, V: Clone, S: BuildHasher + Default> Default for Table<K, V, S> {
    fn default() -> Self {
        Table { base: HashMap::default(), staged: HashMap::default(), journal: Vec::new() }
    }
}

impl<K: Eq + Hash + Clone, V: Clone, S: BuildHasher + Default> Table<K, V, S> {
    /// Reserves room for `n` committed entries, so that loading does not over-allocate by doubling.
    pub fn reserve(&mut self, n: usize) {
        self.base.reserve(n);
    }

    /// Puts an entry straight into the committed side: loading only.
    pub fn load(&mut self, key: K, value: V) {
        self.base.insert(key, value);
    }

    /// The entry as a reader (`staged == false`) or as the writer sees it.
    pub fn get(&self, key: &K, staged: bool) -> Option<&V> {
        if staged && let Some(change) = self.staged.get(key) {
            return change.as_ref();
        }
        self.base.get(key)
    }

    /// Stages a new value, or a removal.
    pub fn stage(&mut self, key: K, value: Option<V>) {
        let before = self.staged.insert(key.clone(), value);
        self.journal.push((key, before));
    }

    /// Forgets how to undo: the operation that staged is whole.
    pub fn keep(&mut self) {
        self.journal.clear();
    }

    /// Undoes what was staged since the last [`Table::keep`].
    pub fn undo(&mut self) {
        while let Some((key, before)) = self.journal.pop() {
            match before {
                Some(change) => self.staged.insert(key, change),
                None => self.staged.remove(&key),
            };
        }
    }

    /// Makes everything staged visible.
    pub fn publish(&mut self) {
        self.journal.clear();
        for (key, change) in self.staged.drain() {
            match change {
                Some(value) => self.base.insert(key, value),
                None => self.base.remove(&key),
            };
        }
    }

    /// Drops everything staged: the group did not become durable.
    pub fn discard(&mut self) {
        self.journal.clear();
        self.staged.clear();
    }

    /// All staged changes of the group.
    pub fn staged(&self) -> impl Iterator<Item = (&K, Option<&V>)> {
        self.staged.iter().map(|(k, v)| (k, v.as_ref()))
    }

    /// The committed entries, in no order.
    pub fn committed(&self) -> impl Iterator<Item = (&K, &V)> {
        self.base.iter()
    }

    /// Every entry as the writer (`staged`) or a reader sees it, in no order.
    pub fn all(&self, staged: bool) -> impl Iterator<Item = (&K, &V)> {
        let overlay = staged.then_some(&self.staged);
        let hidden = move |k: &K| overlay.is_some_and(|s| s.contains_key(k));
        let added = overlay.into_iter().flatten().filter_map(|(k, v)| v.as_ref().map(|v| (k, v)));
        self.base.iter().filter(move |(k, _)| !hidden(k)).chain(added)
    }

    /// The number of committed entries.
    pub fn len(&self) -> usize {
        self.base.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_only_what_is_published() {
        let mut t: Table<u64, &str> = Table::default();
        t.load(1, "old");
        t.stage(1, Some("new"));
        t.keep();
        assert_eq!((t.get(&1, false), t.get(&1, true)), (Some(&"old"), Some(&"new")));
        t.publish();
        assert_eq!(t.get(&1, false), Some(&"new"));
    }

    #[test]
    fn undo_reaches_back_to_the_last_whole_operation_only() {
        let mut t: Table<u64, u8> = Table::default();
        t.stage(1, Some(1));
        t.keep();
        t.stage(1, Some(2));
        t.stage(2, Some(9));
        t.stage(1, None);
        t.undo();
        assert_eq!((t.get(&1, true), t.get(&2, true)), (Some(&1), None));
        t.discard();
        assert_eq!(t.get(&1, true), None);
    }

    #[test]
    fn all_overlays_staged_entries() {
        let mut t: Table<u64, u8> = Table::default();
        t.load(1, 1);
        t.load(2, 2);
        t.stage(2, None);
        t.stage(3, Some(3));
        let mut staged: Vec<u64> = t.all(true).map(|(k, _)| *k).collect();
        staged.sort_unstable();
        assert_eq!(staged, [1, 3]);
        assert_eq!(t.all(false).count(), 2);
    }
}
