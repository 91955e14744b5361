//! Secrets that were read a moment ago: their rows found and opened, never their values.
//!
//! Finding a row costs a keyed hash, opening and reading it twice that; a path that is read again and again
//! pays for its value alone. Only committed rows are kept, only for readers, and a bounded number of them. A
//! group that becomes durable takes away what it changed in the same step that makes its rows visible, so
//! what is found here is what the table holds. All of it goes with the unlocked vault at `lock`.

use hqv_model::SecretPath;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, RandomState};
use std::sync::Arc;

use crate::secrets::SecretEntry;
use crate::table::Uniform;
use crate::views::Described;

/// Places. Each path has one; a second path in the same place takes it over.
const PLACES: usize = 1024;
/// What is described at greater length is opened each time. With it, all places together hold a few MiB at
/// most: each has the row, two paths and the frame of an answer besides.
const LENGTH: usize = 512;

/// A row, opened.
#[derive(Clone)]
pub struct Held {
    /// The secret's row and versions, as the table holds them.
    pub entry: Arc<SecretEntry>,
    /// What the row says.
    pub meta: Arc<Described>,
}

#[derive(Default)]
struct Place {
    /// The hash of the path that last missed here: one that comes only once displaces nothing.
    missed: Option<u64>,
    held: Option<(Held, [u8; 32])>,
}

/// See the module's comment.
#[derive(Default)]
pub struct Recent {
    places: Vec<Place>,
    by_lookup: HashMap<[u8; 32], usize, BuildHasherDefault<Uniform>>,
    hasher: RandomState,
}

impl Recent {
    /// The row at a path, if it is held.
    pub fn find(&self, path: &SecretPath) -> Option<&Held> {
        let at = place_of(self.hasher.hash_one(path.as_str()));
        let (held, _) = self.places.get(at)?.held.as_ref()?;
        (held.meta.path.as_str() == path.as_str()).then_some(held)
    }

    /// Takes in a committed row that was not found here. `lookup` is what the table knows it by.
    pub fn take_in(&mut self, lookup: [u8; 32], held: Held) {
        let meta = &held.meta.meta;
        let tags: usize = meta.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        if held.meta.path.as_str().len() + meta.description.len() + tags > LENGTH {
            return;
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Place::default);
        }
        let hash = self.hasher.hash_one(held.meta.path.as_str());
        let Some(place) = self.places.get_mut(place_of(hash)) else {
            return;
        };
        if place.missed.replace(hash) != Some(hash) {
            return;
        }
        if let Some((_, before)) = place.held.replace((held, lookup)) {
            self.by_lookup.remove(&before);
        }
        self.by_lookup.insert(lookup, place_of(hash));
    }

    /// The row under this look-up hash changes, or goes.
    pub fn forget(&mut self, lookup: &[u8; 32]) {
        if let Some(at) = self.by_lookup.remove(lookup)
            && let Some(place) = self.places.get_mut(at)
        {
            place.held = None;
        }
    }
}

fn place_of(hash: u64) -> usize {
    hash as usize % PLACES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::views::MetaView;
    use hqv_model::{Kind, Row, RowHeader, RowId, SecretId, SecretMeta, Timestamp};

    fn held(at: &str, description: &str) -> Held {
        let header = RowHeader { kind: Kind::Secret, id: RowId::of([1; 16]), revision: 1, epoch: 1, term: 1 };
        let row = Row { header, lookup: None, nonce: [0; 24], tag: [0; 16], body: Box::default() };
        let now = Timestamp::from_millis(0);
        let meta = Described::new(MetaView {
            path: SecretPath::parse(at).unwrap(),
            id: SecretId::from_bytes([1; 16]),
            version: 1,
            meta: SecretMeta { description: description.into(), ..SecretMeta::default() },
            created_at: now,
            updated_at: now,
            exposed_since: None,
        });
        Held { entry: Arc::new(SecretEntry { row, versions: Vec::new() }), meta: Arc::new(meta) }
    }

    fn lookup(n: usize) -> [u8; 32] {
        let mut lookup = [0; 32];
        lookup[..8].copy_from_slice(&n.to_le_bytes());
        lookup
    }

    #[test]
    fn mm_what_is_held_is_bounded_whatever_is_read() {
        let mut recent = Recent::default();
        for n in 0..10 * PLACES {
            for _ in 0..2 {
                recent.take_in(lookup(n), held(&format!("app/key-{n}"), ""));
            }
            assert!(recent.find(&SecretPath::parse(&format!("app/key-{n}")).unwrap()).is_some());
        }
        assert_eq!(recent.places.len(), PLACES);
        let there = recent.places.iter().filter(|place| place.held.is_some()).count();
        assert_eq!((recent.by_lookup.len(), there <= PLACES), (there, true));
        for n in 0..10 * PLACES {
            recent.forget(&lookup(n));
        }
        assert!(recent.by_lookup.is_empty() && recent.places.iter().all(|place| place.held.is_none()));
    }

    #[test]
    fn what_is_read_once_or_long_is_not_kept() {
        let mut recent = Recent::default();
        let path = SecretPath::parse("a").unwrap();
        recent.take_in(lookup(1), held("a", ""));
        assert!(recent.find(&path).is_none(), "once");
        for _ in 0..2 {
            recent.take_in(lookup(1), held("a", &"d".repeat(LENGTH)));
        }
        assert!(recent.find(&path).is_none(), "long");
    }
}
