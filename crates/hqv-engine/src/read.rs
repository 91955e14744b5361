//! Secrets and versions, read and checked by two threads that share the work.
//!
//! One thread scans the versions, which need a MAC each; the other scans the secrets, hands them out in
//! chunks and opens some itself. Whoever is done with its scan opens what is left, so neither waits long
//! for the other. Both scans come in the order of the secret's id, so joining them is one walk.

use hqv_crypto::VaultKeys;
use hqv_crypto::row_state::Tallies;
use hqv_model::{Error, Kind, Row, SecretId, Timestamp};
use hqv_store::{Scanned, Shelf};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::rows::secret::Outline;
use crate::secrets::{HELD, SecretEntry, Secrets, VersionEntry, damaged, secret_id, version_number};

/// Secrets that one thread takes at a time.
const CHUNK: usize = 512;

/// What was read, not yet believed.
pub struct Read {
    secrets: Share,
    versions: Versions,
}

/// Reads all secrets and versions. A row that does not open is damage whatever the sums say.
pub fn read(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<Read, Error> {
    let (hand, work) = channel();
    let work = Mutex::new(work);
    let (mine, other) = std::thread::scope(|threads| {
        let other = threads.spawn(|| Ok((versions(shelf, keys)?, open_all(keys, &work)?)));
        let mine = scan(shelf, hand).and_then(|()| open_all(keys, &work));
        (mine, other.join().unwrap_or_else(|_| Err(Error::internal("reading the vault failed"))))
    });
    let (mut secrets, ((versions, counted), more)) = (mine?, other?);
    secrets.take(more);
    secrets.tallies.merge(&counted);
    Ok(Read { secrets, versions })
}

/// Rows of secrets as they stand, with the place of their chunk among all.
struct Chunk {
    at: usize,
    rows: Vec<Row>,
}

/// Reads the rows of all secrets and hands them out.
fn scan(shelf: &dyn Shelf, hand: Sender<Chunk>) -> Result<(), Error> {
    let mut chunk = Chunk { at: 0, rows: Vec::with_capacity(CHUNK) };
    shelf
        .scan(Kind::Secret, usize::MAX, &mut |scanned| {
            if let Scanned::Row(row) = scanned {
                chunk.rows.push(row);
            }
            if chunk.rows.len() == CHUNK {
                let next = Chunk { at: chunk.at + 1, rows: Vec::with_capacity(CHUNK) };
                // Nobody takes it only where the other thread failed, and then that is the answer.
                let _ = hand.send(std::mem::replace(&mut chunk, next));
            }
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_error())?;
    let _ = hand.send(chunk);
    Ok(())
}

/// A secret's row with what the join needs of it.
struct Opened {
    id: SecretId,
    row: Row,
    lookup: [u8; 32],
    newest: u64,
}

/// What one thread opened.
#[derive(Default)]
struct Share {
    chunks: Vec<(usize, Vec<Opened>)>,
    paths: Vec<(Box<str>, [u8; 32])>,
    deleted: Vec<(Timestamp, [u8; 32])>,
    exposed: Vec<[u8; 32]>,
    tallies: Tallies,
}

impl Share {
    fn take(&mut self, mut more: Share) {
        self.chunks.append(&mut more.chunks);
        self.paths.append(&mut more.paths);
        self.deleted.append(&mut more.deleted);
        self.exposed.append(&mut more.exposed);
        self.tallies.merge(&more.tallies);
    }

    /// Opens a secret's row: it stands under the look-up hash of the path it names.
    fn open(&mut self, keys: &VaultKeys, row: Row) -> Result<Opened, Error> {
        self.tallies.add(Kind::Secret, &keys.row_mac(&row.facts(), None));
        let id = secret_id(&row.header.id)?;
        let lookup = row.lookup.ok_or_else(|| damaged("a secret's row has no look-up hash"))?;
        let plain = keys.open_row(&row).map_err(|_| damaged("a secret's row does not open"))?;
        let outline = Outline::decode(plain.reveal())?;
        if keys.lookup(&outline.path) != lookup {
            return Err(damaged("a secret's row stands under another path"));
        }
        if outline.exposed && outline.deleted.is_none() {
            self.exposed.push(lookup);
        }
        match outline.deleted {
            Some(since) => self.deleted.push((since, lookup)),
            None => self.paths.push((outline.path.as_str().into(), lookup)),
        }
        Ok(Opened { id, row, lookup, newest: outline.newest })
    }
}

/// Opens chunks until none is left and none will come.
fn open_all(keys: &VaultKeys, work: &Mutex<Receiver<Chunk>>) -> Result<Share, Error> {
    let mut share = Share::default();
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Chunk { at, rows }) = next else {
            return Ok(share);
        };
        let opened = rows.into_iter().map(|row| share.open(keys, row)).collect::<Result<_, _>>()?;
        share.chunks.push((at, opened));
    }
}

/// The versions of each secret, in the order of the secrets' ids.
type Versions = Vec<(SecretId, Vec<VersionEntry>)>;

/// Version rows. The newest small value of each secret stays in memory.
fn versions(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<(Versions, Tallies), Error> {
    let (mut tallies, mut versions) = (Tallies::default(), Versions::new());
    let mut fault = None;
    let scanned = shelf.scan(Kind::Version, HELD, &mut |scanned| {
        let (facts, body) = match scanned {
            Scanned::Row(row) => (row.facts(), Some(Arc::from(row.body))),
            Scanned::Facts(facts) => (facts, None),
        };
        tallies.add(Kind::Version, &keys.row_mac(&facts, None));
        let ids = secret_id(&facts.header.id).and_then(|id| Ok((id, version_number(&facts.header.id)?)));
        match ids {
            Ok((id, number)) => {
                add(&mut versions, id, VersionEntry { number, facts, body });
                ControlFlow::Continue(())
            }
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    scanned.map_err(|e| e.to_error())?;
    fault.map_or(Ok((versions, tallies)), Err)
}

/// Ids ascend, so the secret is the last one or a new one, and its earlier version is no longer the newest:
/// that one's value leaves memory.
fn add(versions: &mut Versions, id: SecretId, entry: VersionEntry) {
    match versions.last_mut() {
        Some((last, list)) if *last == id => {
            if let Some(earlier) = list.last_mut() {
                earlier.body = None;
            }
            list.push(entry);
        }
        _ => versions.push((id, vec![entry])),
    }
}

impl Read {
    /// What the rows add up to.
    pub fn tallies(&self) -> &Tallies {
        &self.secrets.tallies
    }

    /// Puts secrets and versions together, while another thread builds the index of paths.
    pub fn join(self) -> Result<Secrets, Error> {
        let Share { mut chunks, paths, deleted, exposed, .. } = self.secrets;
        chunks.sort_unstable_by_key(|(at, _)| *at);
        std::thread::scope(|threads| {
            let index = threads.spawn(|| BTreeMap::from_iter(paths));
            let mut all = Secrets::default();
            all.deleted.extend(deleted);
            all.exposed.extend(exposed);
            all.by_lookup.reserve(chunks.iter().map(|(_, chunk)| chunk.len()).sum());
            let mut versions = self.versions.into_iter().peekable();
            for secret in chunks.into_iter().flat_map(|(_, chunk)| chunk) {
                // Versions of secrets that are gone are passed over.
                while versions.next_if(|(id, _)| *id < secret.id).is_some() {}
                let own = versions.next_if(|(id, _)| *id == secret.id).map(|(_, own)| own);
                let entry = SecretEntry { row: secret.row, versions: own.unwrap_or_default() };
                if entry.version(secret.newest).is_none() {
                    return Err(damaged("a secret's newest version is missing"));
                }
                all.by_lookup.load(secret.lookup, Arc::new(entry));
            }
            all.paths = index.join().map_err(|_| Error::internal("reading the vault failed"))?;
            Ok(all)
        })
    }
}
