//! The ledger's rows, opened: read when somebody asks, compared with the row state, and kept for a while.
//!
//! About 200 bytes a row. Questions walk over all of it: a million rows take some tens of milliseconds, which needs no
//! second order and no row that says more in clear than it must.

use hqv_crypto::VaultKeys;
use hqv_crypto::row_state::{Tallies, Tally};
use hqv_model::{Error, Kind, Row, SecretId, Timestamp, TokenId, TokenRef};
use hqv_store::{Scanned, Shelf};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::Lines;
use super::entry::{Entry, Key, Who, WhoKind};
use crate::rows::ledger as rows;
use crate::secrets::damaged;
use crate::table::Uniform;

/// Rows opened at a time by one thread.
const CHUNK: usize = 4_096;

/// See the module's comment.
pub struct Index {
    lines: Lines,
    /// One copy of each identity, and of each path, for all lines that name it.
    known: HashMap<[u8; 16], Arc<Who>, BuildHasherDefault<Uniform>>,
    paths: HashSet<Arc<str>>,
}

/// Which lines are wanted. Every field that is given must hold.
#[derive(Default)]
pub struct Wanted {
    /// Of this token or one that descends from it.
    pub family: Option<TokenId>,
    /// Of this path or what is below it, or of these secrets, whatever they were called then.
    pub path: Option<(String, HashSet<SecretId>)>,
    /// With an access at or after this moment.
    pub since: Option<Timestamp>,
}

impl Wanted {
    fn wants(&self, entry: &Entry) -> bool {
        self.since.is_none_or(|since| entry.last >= since)
            && self.family.is_none_or(|token| entry.who.within(&token))
            && self.path.as_ref().is_none_or(|(below, secrets)| {
                let exact = below.trim_end_matches('/');
                *entry.path == *exact
                    || entry.path.starts_with(below.as_str())
                    || secrets.contains(&entry.secret)
            })
    }
}

impl Index {
    /// Reads and opens all rows. Nothing is believed before they add up to what the row state says.
    pub(super) fn read(shelf: &dyn Shelf, keys: &VaultKeys, expected: Tally) -> Result<Self, Error> {
        let mut index = Index { lines: Lines::default(), known: HashMap::default(), paths: HashSet::new() };
        let (mut tallies, mut chunk, mut fault) = (Tallies::default(), Vec::new(), None);
        shelf
            .scan(Kind::Ledger, usize::MAX, &mut |scanned| {
                let Scanned::Row(row) = scanned else {
                    return ControlFlow::Continue(());
                };
                chunk.push(row);
                if chunk.len() < 2 * CHUNK {
                    return ControlFlow::Continue(());
                }
                match index.take(keys, &std::mem::take(&mut chunk), &mut tallies) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        fault = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })
            .map_err(|e| e.to_error())?;
        if let Some(error) = fault {
            return Err(error);
        }
        index.take(keys, &chunk, &mut tallies)?;
        if tallies.of(Kind::Ledger) != expected {
            return Err(damaged("the rows of kind Ledger are not those that were last written"));
        }
        Ok(index)
    }

    /// Opens rows on two threads and adds them.
    fn take(&mut self, keys: &VaultKeys, all: &[Row], tallies: &mut Tallies) -> Result<(), Error> {
        let (one, two) = all.split_at(all.len().min(CHUNK));
        let (one, two) = std::thread::scope(|threads| {
            let two = threads.spawn(|| open_all(keys, two));
            let one = open_all(keys, one);
            (one, two.join().unwrap_or_else(|_| Err(Error::internal("reading the ledger failed"))))
        });
        for (entries, counted) in [one?, two?] {
            tallies.merge(&counted);
            entries.into_iter().for_each(|entry| self.put(entry.key(), entry));
        }
        Ok(())
    }

    /// Adds a line, or puts it in place of what was known of it.
    pub(super) fn put(&mut self, key: Key, mut entry: Entry) {
        let who = self.known.entry(entry.who.id).or_insert_with(|| entry.who.clone());
        if **who == *entry.who {
            entry.who = who.clone();
        }
        match self.paths.get(&entry.path) {
            Some(path) => entry.path = path.clone(),
            None => drop(self.paths.insert(entry.path.clone())),
        }
        self.lines.insert(key, entry);
    }

    /// The lines that are wanted, in no order.
    pub fn wanted(&self, wanted: &Wanted) -> Vec<&Entry> {
        self.lines.values().filter(|entry| wanted.wants(entry)).collect()
    }

    /// One line.
    pub fn get(&self, key: Key) -> Option<&Entry> {
        self.lines.get(&key)
    }

    /// Tokens that a reference may mean, with their ancestries: those that are or descend to a line of the ledger. It
    /// knows tokens whose rows are long gone.
    pub fn tokens(&self, who: &TokenRef) -> BTreeMap<TokenId, Box<str>> {
        let mut found = BTreeMap::new();
        for known in self.known.values().filter(|known| known.kind == WhoKind::Token) {
            let names: Vec<&str> = known.name.split('/').collect();
            let line = known.ancestors.iter().copied().chain([TokenId::from_bytes(known.id)]);
            for (depth, id) in line.enumerate() {
                let ancestry = names.get(..=depth).unwrap_or(&names);
                let meant = match who {
                    TokenRef::Id(want) => *want == id,
                    TokenRef::Path(want) => {
                        let want: Vec<&str> = want.iter().map(|name| name.as_str()).collect();
                        ancestry.ends_with(&want)
                    }
                };
                if meant {
                    found.insert(id, ancestry.join("/").into());
                }
            }
        }
        found
    }
}

/// Opens rows and adds up what they count for.
fn open_all(keys: &VaultKeys, all: &[Row]) -> Result<(Vec<Entry>, Tallies), Error> {
    let (mut entries, mut tallies) = (Vec::with_capacity(all.len()), Tallies::default());
    for row in all {
        tallies.add(Kind::Ledger, &keys.row_mac(&row.facts(), None));
        if rows::is_noted(&row.header.id) {
            continue;
        }
        let entry = rows::open(keys, row)?;
        if rows::row_id(keys, &entry) != row.header.id {
            return Err(damaged("a row of the ledger stands in another's place"));
        }
        entries.push(entry);
    }
    Ok((entries, tallies))
}
