//! Secrets as held in memory while unlocked: sealed rows, opened one at a time.
//!
//! One entry is a secret's row and the facts of all its versions. The newest value stays with it while it
//! is small; every other value is read from the shelf and must match the facts held here, which the row
//! state vouched for at unlock. A sorted index of the live paths serves `list` and reads by prefix.

use hqv_crypto::{OpenFailed, VaultKeys};
use hqv_model::{
    Entropy, Error, Kind, Prefix, Row, RowFacts, RowId, SecretBytes, SecretId, SecretPath, Timestamp,
};
use hqv_store::Shelf;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::recent::Recent;
use crate::rows::secret::SecretBody;
use crate::rows::version::VersionBody;
use crate::table::Table;

/// Values whose sealed row is longer are not held in memory.
pub const HELD: usize = 4096;

/// One version's row: its facts, and its body while it is the newest and small.
#[derive(Clone, Debug)]
pub struct VersionEntry {
    /// Its number, from 1.
    pub number: u64,
    /// Header, nonce and tag.
    pub facts: RowFacts,
    /// The sealed body, where held.
    pub body: Option<Arc<[u8]>>,
}

/// One secret with all its versions.
#[derive(Clone, Debug)]
pub struct SecretEntry {
    /// The sealed row.
    pub row: Row,
    /// Ascending by number; empty only while loading.
    pub versions: Vec<VersionEntry>,
}

impl SecretEntry {
    /// The secret's id.
    pub fn id(&self) -> Result<SecretId, Error> {
        secret_id(&self.row.header.id)
    }

    /// Opens the row and checks that it is about `path`: a row moved to another path does not pass.
    pub fn open_at(&self, keys: &VaultKeys, path: &SecretPath) -> Result<SecretBody, Error> {
        let body = self.open(keys)?;
        if body.path.as_str() == path.as_str() {
            Ok(body)
        } else {
            Err(damaged("a secret's row names another path"))
        }
    }

    /// Opens the row.
    pub fn open(&self, keys: &VaultKeys) -> Result<SecretBody, Error> {
        open_secret(keys, &self.row)
    }

    /// The entry of version `number`.
    pub fn version(&self, number: u64) -> Option<&VersionEntry> {
        self.versions.binary_search_by_key(&number, |v| v.number).ok().and_then(|at| self.versions.get(at))
    }
}

impl VersionEntry {
    /// Opens the version: from memory, or from the shelf where the row must be the very one vouched for.
    pub fn open(&self, keys: &VaultKeys, shelf: &dyn Shelf) -> Result<VersionBody, Error> {
        match &self.body {
            Some(body) => opened(keys.open_body(&self.facts, body)),
            None => self.open_row(keys, &self.fetch(shelf)?),
        }
    }

    /// Opens the version's row, wherever it came from.
    pub fn open_row(&self, keys: &VaultKeys, row: &Row) -> Result<VersionBody, Error> {
        opened(keys.open_row(row))
    }

    fn fetch(&self, shelf: &dyn Shelf) -> Result<Row, Error> {
        let row = shelf
            .get(Kind::Version, &self.facts.header.id)
            .map_err(|e| e.to_error())?
            .ok_or_else(|| damaged("a version's row is missing"))?;
        let same =
            row.header == self.facts.header && row.nonce == self.facts.nonce && row.tag == self.facts.tag;
        if same { Ok(row) } else { Err(damaged("a version's row was replaced")) }
    }
}

/// Opens a secret's row.
pub fn open_secret(keys: &VaultKeys, row: &Row) -> Result<SecretBody, Error> {
    let plain = keys.open_row(row).map_err(|_| damaged("a secret's row does not open"))?;
    SecretBody::decode(plain.reveal())
}

fn opened(plain: Result<SecretBytes, OpenFailed>) -> Result<VersionBody, Error> {
    VersionBody::decode(plain.map_err(|_| damaged("a version's row does not open"))?)
}

/// The id of a secret's row, or of the secret a version's row belongs to.
pub fn secret_id(id: &RowId) -> Result<SecretId, Error> {
    let bytes = id.as_bytes().get(..16).and_then(|b| <[u8; 16]>::try_from(b).ok());
    bytes.map(SecretId::from_bytes).ok_or_else(|| damaged("a secret's row has a malformed id"))
}

/// The number in a version's row id.
pub fn version_number(id: &RowId) -> Result<u64, Error> {
    let tail = id.as_bytes().get(16..24).and_then(|b| <[u8; 8]>::try_from(b).ok());
    match tail {
        Some(tail) if id.as_bytes().len() == 24 => Ok(u64::from_be_bytes(tail)),
        _ => Err(damaged("a version's row has a malformed id")),
    }
}

/// The vault's data is not what was written.
pub fn damaged(what: &str) -> Error {
    Error::internal("the vault's data is damaged; nothing was handed out")
        .hint("run hq-vault doctor, and put back a copy of the vault directory if you have one")
        .cause(what)
}

/// Every secret of the vault.
#[derive(Default)]
pub struct Secrets {
    /// What readers found a moment ago.
    pub recent: Recent,
    /// By the keyed hash of the path; deleted ones included.
    pub by_lookup: Table<[u8; 32], Arc<SecretEntry>>,
    /// The live paths, sorted, with their look-up hashes. Committed ones only.
    pub paths: BTreeMap<Box<str>, [u8; 32]>,
    /// Deleted secrets whose versions are still kept, by the time of their deletion. Committed ones only.
    pub deleted: BTreeSet<(Timestamp, [u8; 32])>,
    /// Live secrets whose newest version is known to a family that was burnt. Committed ones only.
    pub exposed: BTreeSet<[u8; 32]>,
    /// What the group changes in `exposed`: true adds.
    staged_exposed: Vec<([u8; 32], bool)>,
    exposed_mark: usize,
    /// What the group changes in `deleted`: true adds.
    staged_deleted: Vec<(Timestamp, [u8; 32], bool)>,
    deleted_mark: usize,
    /// What the group changes in `paths`.
    staged_paths: Vec<(Box<str>, Option<[u8; 32]>)>,
    mark: usize,
}

impl Secrets {
    /// Stages an entry, or the absence of one, under a look-up hash.
    pub fn stage(&mut self, lookup: [u8; 32], entry: Option<Arc<SecretEntry>>) {
        self.by_lookup.stage(lookup, entry);
    }

    /// Stages that a path is live, or no longer.
    pub fn stage_path(&mut self, path: &SecretPath, lookup: Option<[u8; 32]>) {
        self.staged_paths.push((path.as_str().into(), lookup));
    }

    /// Stages that a deleted secret is kept from `since` on, or no longer.
    pub fn stage_deleted(&mut self, since: Timestamp, lookup: [u8; 32], kept: bool) {
        self.staged_deleted.push((since, lookup, kept));
    }

    /// Stages whether a live secret counts as exposed.
    pub fn stage_exposed(&mut self, lookup: [u8; 32], exposed: bool) {
        self.staged_exposed.push((lookup, exposed));
    }

    /// The operation under way is whole.
    pub fn keep(&mut self) {
        self.by_lookup.keep();
        self.exposed_mark = self.staged_exposed.len();
        self.deleted_mark = self.staged_deleted.len();
        self.mark = self.staged_paths.len();
    }

    /// Undoes the operation under way.
    pub fn undo(&mut self) {
        self.by_lookup.undo();
        self.staged_paths.truncate(self.mark);
        self.staged_deleted.truncate(self.deleted_mark);
        self.staged_exposed.truncate(self.exposed_mark);
    }

    /// The group is durable.
    pub fn publish(&mut self) {
        for (lookup, _) in self.by_lookup.staged() {
            self.recent.forget(lookup);
        }
        self.by_lookup.publish();
        for (since, lookup, kept) in self.staged_deleted.drain(..) {
            if kept {
                self.deleted.insert((since, lookup))
            } else {
                self.deleted.remove(&(since, lookup))
            };
        }
        self.deleted_mark = 0;
        for (lookup, exposed) in self.staged_exposed.drain(..) {
            if exposed {
                self.exposed.insert(lookup)
            } else {
                self.exposed.remove(&lookup)
            };
        }
        self.exposed_mark = 0;
        for (path, lookup) in self.staged_paths.drain(..) {
            match lookup {
                Some(lookup) => self.paths.insert(path, lookup),
                None => self.paths.remove(&path),
            };
        }
        self.mark = 0;
    }

    /// The group did not become durable.
    pub fn discard(&mut self) {
        self.by_lookup.discard();
        self.staged_paths.clear();
        self.mark = 0;
        self.staged_deleted.clear();
        self.deleted_mark = 0;
        self.staged_exposed.clear();
        self.exposed_mark = 0;
    }

    /// Live paths below a prefix, from after `cursor` on, in order; the writer sees the group's changes. A
    /// reader walks no further than it looks.
    pub fn below<'a>(
        &'a self,
        prefix: &'a Prefix,
        cursor: Option<&str>,
        staged: bool,
    ) -> Box<dyn Iterator<Item = ([u8; 32], &'a str)> + 'a> {
        let from = match cursor {
            Some(c) if c >= prefix.as_str() => Bound::Excluded(c),
            _ => Bound::Included(prefix.as_str()),
        };
        let committed = self.paths.range::<str, _>((from, Bound::Unbounded));
        let inside =
            committed.take_while(|(p, _)| p.starts_with(prefix.as_str())).map(|(p, l)| (*l, p.as_ref()));
        if !staged || self.staged_paths.is_empty() {
            return Box::new(inside);
        }
        let mut merged: BTreeMap<&str, [u8; 32]> = inside.map(|(l, p)| (p, l)).collect();
        for (path, lookup) in &self.staged_paths {
            let after = cursor.is_none_or(|c| path.as_ref() > c);
            match lookup {
                Some(lookup) if path.starts_with(prefix.as_str()) && after => merged.insert(path, *lookup),
                _ => merged.remove(path.as_ref()),
            };
        }
        Box::new(merged.into_iter().map(|(p, l)| (l, p)))
    }
}

/// Seals a secret's row.
pub fn seal_secret(
    keys: &VaultKeys,
    id: SecretId,
    revision: u64,
    body: &SecretBody,
    rng: &mut dyn Entropy,
) -> Row {
    let lookup = keys.lookup(&body.path);
    keys.seal_row(Kind::Secret, RowId::of(id.bytes()), revision, Some(lookup), &body.encode(), rng)
}

/// Seals a version's row and keeps its body in memory while it is small.
pub fn seal_version(
    keys: &VaultKeys,
    id: SecretId,
    number: u64,
    body: &VersionBody,
    rng: &mut dyn Entropy,
) -> (Row, VersionEntry) {
    let plain = body.encode();
    let row = keys.seal_row(Kind::Version, RowId::of_version(id, number), 1, None, &plain, rng);
    let held = (row.body.len() <= HELD).then(|| Arc::from(row.body.as_ref()));
    let entry = VersionEntry { number, facts: row.facts(), body: held };
    (row, entry)
}
