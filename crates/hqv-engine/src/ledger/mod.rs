//! The exposure ledger: which identity ever had which version of a secret, and how.
//!
//! It is an index of the record and says nothing that the record does not say. So it need not be durable at once: while
//! the vault is unlocked, what is recorded is folded here into lines in memory, a few dozen nanoseconds for an access
//! that was seen before and nothing else on the way of a `get`. Now and then the lines are stored as rows (`store`),
//! with a note up to which line of the record the rows are complete. What a killed daemon did not store, and what a
//! full table could not take, is read again from the record (`replay`). Folding twice changes nothing, so no step needs
//! to be exact about where it stopped, as long as it notes no line too many.
//!
//! The rows are read when somebody asks (`index`): all of them, compared with the row state, and kept for a while.

pub mod entry;
pub mod index;
mod replay;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use store::Unlocked;

use hqv_audit::{Identity, Item, ItemKind, Record};
use hqv_model::{Outcome, Timestamp};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::table::Uniform;
use entry::{Access, Channels, Entry, Key, Who, WhoKind, key};
use index::Index;

/// Lines that wait in memory; what comes beyond is read from the record later.
const MOST_PENDING: usize = 131_072;
/// Lines are stored at least this often while there are any.
const EVERY: Duration = Duration::from_secs(60);
/// Reading the record again waits so long: for an unlock to be over, and between tries where the disk fails.
const PAUSE: Duration = Duration::from_secs(5);
/// So many lines of the record are read again in a fraction of a second. Where few rows are to be written, they are
/// written before more than this would have to be.
const SHORT_REPLAY: u64 = 65_536;
/// See [`SHORT_REPLAY`].
const FEW: usize = 4_096;

/// Opened rows are kept this long after the last question.
const KEPT: Duration = Duration::from_secs(600);

/// Lines by their keys.
pub(crate) type Lines = HashMap<Key, Entry, BuildHasherDefault<Uniform>>;

/// What an unlocked vault holds of its ledger. See the module's comment.
#[derive(Default)]
pub struct Ledger {
    /// Lines not stored yet.
    pending: Lines,
    /// The newest line of the record.
    newest: u64,
    /// The rows are complete up to this line of the record.
    noted: u64,
    /// Lines of the record, first and last, that no row may tell of and that are not in `pending`.
    gap: Option<(u64, u64)>,
    /// From this line on nothing was folded, for want of room.
    missed: Option<u64>,
    /// When the rows were last written, on the boot clock.
    stored: Duration,
    /// The rows, opened; none until somebody asks.
    index: Arc<Mutex<Option<Index>>>,
    /// When somebody asked, on the boot clock.
    asked: Duration,
}

/// What is to be done, taken out of the ledger.
struct Work {
    /// To be stored.
    lines: Lines,
    /// To be read again.
    gap: Option<(u64, u64)>,
    /// With these lines and the gap the rows are complete up to here.
    upto: u64,
}

impl Ledger {
    /// The ledger of a vault just unlocked: rows complete up to `noted`, the record at `newest`.
    pub fn resume(noted: u64, newest: u64, boot: Duration) -> Self {
        // A record that was put back is shorter than the note says; its lines were all folded.
        let noted = noted.min(newest);
        let gap = (noted < newest).then(|| (noted.saturating_add(1), newest));
        Ledger { newest, noted, gap, stored: boot, ..Ledger::default() }
    }

    /// Up to which line of the record the rows are complete. No line after it may be dropped.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    /// The rows, once opened.
    pub(crate) fn index(&self) -> Arc<Mutex<Option<Index>>> {
        self.index.clone()
    }

    /// Opened rows that nobody asked for in a while are given back.
    fn forget_index(&mut self, boot: Duration) {
        if boot.saturating_sub(self.asked) >= KEPT {
            self.index = Arc::default();
        }
    }

    /// Folds a line that was just recorded. On the way of every answer.
    #[inline]
    pub fn fold(&mut self, seq: u64, record: &Record<'_>) {
        self.newest = seq;
        if !record.items.is_empty() && record.outcome == Outcome::Ok && self.missed.is_none() {
            self.take(seq, record);
        }
    }

    fn take(&mut self, seq: u64, record: &Record<'_>) {
        let Some((kind, id)) = identity(&record.identity) else {
            return;
        };
        let claim = record.claim.as_deref();
        for item in &record.items {
            let (Some(secret), Some(version), Some(access)) = (item.secret, item.version, access(item.kind))
            else {
                continue;
            };
            let key = key(kind, id, secret, version, access);
            if let Some(entry) = self.pending.get_mut(&key) {
                again(entry, record.time, item, claim);
            } else if self.pending.len() < MOST_PENDING {
                let who = Arc::new(who(&record.identity, kind, id));
                let entry = Entry {
                    who,
                    secret,
                    path: item.path.clone(),
                    version,
                    access,
                    first: record.time,
                    last: record.time,
                    channels: Channels::of(&item.channel),
                    claims: Vec::new(),
                };
                again(self.pending.entry(key).or_insert(entry), record.time, item, claim);
            } else {
                self.missed = Some(seq);
                return;
            }
        }
    }

    /// Whether rows should be written, or the record read again.
    pub fn is_due(&self, boot: Duration) -> bool {
        let behind = self.newest.saturating_sub(self.noted);
        let since = boot.saturating_sub(self.stored);
        ((self.gap.is_some() || self.missed.is_some()) && since >= PAUSE)
            || self.pending.len() >= MOST_PENDING / 2
            || (behind >= SHORT_REPLAY && self.pending.len() <= FEW)
            || (behind > 0 && since >= EVERY)
    }

    /// Takes out what is to be done. `synced` is the newest line of the record known to be on the disk: a note beyond it
    /// would speak of lines that a power cut may still take away.
    fn work(&mut self, synced: u64, boot: Duration) -> Work {
        self.stored = boot;
        let mut gap = self.gap.take();
        let mut upto = self.newest;
        if let Some(from) = self.missed.take() {
            // Lines before it are pending or stored; the two stretches become one.
            gap = Some((gap.map_or(from, |(first, _)| first.min(from)), self.newest));
        }
        upto = upto.min(synced).max(self.noted);
        Work { lines: std::mem::take(&mut self.pending), gap, upto }
    }

    /// Work that did not come about is read from the record next time.
    fn give_back(&mut self) {
        if self.noted < self.newest {
            let last = self.gap.map_or(self.newest, |(_, last)| last.max(self.newest));
            self.gap = Some((self.noted.saturating_add(1), last));
        }
    }
}

/// Another access of a line that is there.
#[inline]
fn again(entry: &mut Entry, time: Timestamp, item: &Item, claim: Option<&str>) {
    if time >= entry.last {
        entry.last = time;
        if !Arc::ptr_eq(&entry.path, &item.path) {
            entry.path = item.path.clone();
        }
    }
    entry.first = entry.first.min(time);
    entry.channels.add(Channels::of(&item.channel));
    if let Some(claim) = claim {
        entry.claim(claim);
    }
}

fn access(kind: ItemKind) -> Option<Access> {
    match kind {
        ItemKind::Exposed => Some(Access::Exposed),
        ItemKind::Used => Some(Access::Used),
        ItemKind::Written => Some(Access::Written),
        ItemKind::Deleted | ItemKind::Listed | ItemKind::Named => None,
    }
}

/// A peer's id is its uid: processes come and go.
pub(crate) fn peer_id(uid: u32) -> [u8; 16] {
    u128::from(uid).to_be_bytes()
}

/// The daemon itself neither reads nor writes secrets.
#[inline]
fn identity(identity: &Identity<'_>) -> Option<(WhoKind, [u8; 16])> {
    match identity {
        Identity::Token { id, .. } => Some((WhoKind::Token, id.bytes())),
        Identity::Session { id } => Some((WhoKind::Session, id.bytes())),
        Identity::Peer { uid, .. } => Some((WhoKind::Peer, peer_id(*uid))),
        Identity::Nobody => Some((WhoKind::Nobody, [0; 16])),
        Identity::Daemon => None,
    }
}

fn who(identity: &Identity<'_>, kind: WhoKind, id: [u8; 16]) -> Who {
    match identity {
        Identity::Token { ancestry, ancestors, .. } => {
            Who { kind, id, name: ancestry.as_ref().into(), ancestors: ancestors.as_ref().into() }
        }
        _ => Who { kind, id, name: "".into(), ancestors: Box::default() },
    }
}
