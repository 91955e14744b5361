//! The writer. One verb, one file; what they share stands here.
//!
//! Every write goes through the same three steps: lines are staged in a buffer, the buffer is handed to
//! the sink in one call, and only then does the log believe them. A failed write leaves the log where it
//! was; the request that wanted the line fails with it. Keys of the audit identity are never held: at
//! unlock the identity certifies a key of the log's own, which is wiped at lock.

mod adopt;
mod append;
mod checkpoint;
mod close;
mod compare;
mod lock;
mod look;
mod retire;
mod start;
#[cfg(test)]
mod tests;
mod turn;

use std::{fs::File, io, path::PathBuf, sync::Arc};

use hqv_crypto::AuditPublic;
use hqv_model::{Entropy, OpKind, Outcome, Timestamp, VaultId};

use crate::{
    AuditError,
    adoption::Adopted,
    certificate::{Link, MAX_LINKS, Root, Scope},
    chain::{Chain, Hash},
    encode::{self, TimeText},
    header::Why,
    json::Json,
    keys::SigningKey,
    line::Bytes,
    mirror::Mirror,
    record::{Identity, Record},
    segment::Segment,
    sink::Sink,
    staging::Staging,
};

pub use adopt::AdoptReport;
pub use retire::{Retain, Retired, plan};
pub use start::{RolledBack, StartReport};
pub use turn::Rotation;

use turn::Turning;

/// Record lines in a segment.
pub const MAX_SEGMENT: u64 = 65_536;
/// A checkpoint stands at least after so many lines or bytes, so that a reader has little to hash again.
const ANCHOR_LINES: u64 = 4096;
const ANCHOR_BYTES: u64 = 1024 * 1024;

/// What the log needs to know of its vault.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// The vault directory.
    pub dir: PathBuf,
    /// The vault.
    pub vault: VaultId,
    /// The vault's epoch.
    pub epoch: u32,
    /// The public halves of the audit identity.
    pub public: AuditPublic,
    /// Record lines in a segment, at most [`MAX_SEGMENT`].
    pub max_segment: u64,
}

/// What the database knows of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DbHead {
    /// The sequence of the database's own state; it stands in clear.
    pub state_seq: u64,
    /// The newest line of the log that was fsynced before that state, with its hash. Sealed, so unknown
    /// while locked.
    pub head: Option<(u64, Hash)>,
}

/// Certifies the segments of one unlock.
struct UnlockKey {
    key: SigningKey,
    chain: Vec<Link>,
}

/// What could not be recorded and will be said in the next record that can.
#[derive(Default)]
struct Gap {
    missed: u64,
    since: Option<Timestamp>,
    moved: Option<&'static str>,
}

/// Lines and bytes since the last line that carries the chain's state.
#[derive(Default, Clone, Copy)]
struct SinceAnchor {
    lines: u64,
    bytes: u64,
}

/// The writer of one vault's record. Not shared: its owner serialises the calls.
pub struct Log {
    cfg: LogConfig,
    scope: Scope,
    sink: Box<dyn Sink>,
    rng: Box<dyn Entropy>,
    written: Chain,
    staging: Staging,
    segment: Segment,
    unlock: Option<UnlockKey>,
    unadopted: Vec<Adopted>,
    since: SinceAnchor,
    last_anchor: Vec<u8>,
    /// The line number of `last_anchor`.
    anchored: u64,
    state: u64,
    gap: Gap,
    looked: Option<Timestamp>,
    json: Json,
    times: TimeText,
    scratch: Vec<u8>,
    /// The last line that the start found, or that stood when the vault was locked: what the database knew of
    /// then cannot lie beyond it.
    found: u64,
    /// The state sequence that the start found in the log.
    found_state: Option<(u64, bool)>,
    /// Whether a database that was put back stands in the record already.
    said_put_back: bool,
    /// A sync failed: lines may be missing on the disk, whatever later syncs say.
    unsafe_lines: bool,
    ended: bool,
    rotation: Rotation,
    turning: Turning,
    /// A file that could not be set aside is left alone until then.
    not_before: Option<Timestamp>,
    /// Number and time of the open file's first line.
    began: Option<(u64, Timestamp)>,
    /// Files set aside that no sync has covered yet.
    older: Vec<File>,
    /// How often a file was set aside, and up to which time the folder is synced.
    turns: u64,
    turns_synced: u64,
    mirror: Option<Arc<Mirror>>,
}

/// A second handle on the log file, and what is safe once that is synced.
pub struct SyncPoint {
    /// The open file. [`SyncPoint::sync`] brings it, and what else there is, to the disk.
    pub file: File,
    /// Files set aside since the last sync, and the folder where they were.
    older: Vec<File>,
    folder: Option<PathBuf>,
    turns: u64,
    /// The last line that the sync will cover.
    pub seq: u64,
    /// The hash after that line.
    pub head: Hash,
}

impl SyncPoint {
    /// Brings it to the disk. To be called without any lock held.
    ///
    /// # Errors
    /// What the system said.
    pub fn sync(&self) -> io::Result<()> {
        for file in self.older.iter().chain([&self.file]) {
            file.sync_data()?;
        }
        self.folder.as_deref().map_or(Ok(()), hqv_sys::files::fsync_dir)
    }
}

impl Log {
    /// The number of the last line written and the hash after it.
    pub fn head(&self) -> (u64, Hash) {
        (self.written.seq, self.written.head)
    }

    /// File and head taken together, to be synced while the log goes on; [`Log::synced`] then says whether the
    /// head may go into the database. From here to there no other sync of this log may be under way.
    ///
    /// # Errors
    /// What the system said, or that a sync failed before.
    pub fn sync_point(&self) -> io::Result<SyncPoint> {
        self.must_be_safe()?;
        let older = self.older.iter().map(File::try_clone).collect::<io::Result<_>>()?;
        let folder = (self.turns > self.turns_synced).then(|| self.cfg.dir.clone());
        let (seq, head, turns) = (self.written.seq, self.written.head, self.turns);
        Ok(SyncPoint { file: self.sink.file()?, older, folder, turns, seq, head })
    }

    /// How syncing a point went. The system tells of lost pages once; the next sync succeeds without them. So
    /// after one failure no line of this run counts as safe any more.
    ///
    /// # Errors
    /// The outcome's.
    pub fn synced(&mut self, point: &SyncPoint, outcome: io::Result<()>) -> io::Result<()> {
        self.unsafe_lines |= outcome.is_err();
        if outcome.is_ok() {
            self.older.drain(..point.older.len().min(self.older.len()));
            self.turns_synced = self.turns_synced.max(point.turns);
        }
        outcome.and_then(|()| self.must_be_safe())
    }

    fn must_be_safe(&self) -> io::Result<()> {
        if self.unsafe_lines {
            return Err(io::Error::other("bringing the record to the disk failed before"));
        }
        Ok(())
    }

    /// Whether the open segment is one that the audit identity vouches for.
    pub fn certified(&self) -> bool {
        self.segment.certified()
    }

    /// Records that could not be written since the last one that could.
    pub fn missed(&self) -> u64 {
        self.gap.missed
    }

    fn begin(&mut self, state_seq: u64) -> Result<(), AuditError> {
        if self.ended {
            return Err(AuditError::NotALog("the record was closed".into()));
        }
        self.state = self.state.max(state_seq);
        self.staging.begin(self.written);
        Ok(())
    }

    /// Writes what is staged, in one call, and believes it.
    fn commit(&mut self) -> Result<(), AuditError> {
        self.sink.write(self.staging.bytes())?;
        self.written = self.staging.chain();
        let (lines, bytes) = self.staging.after_anchor();
        if let Some(line) = self.staging.last_anchor() {
            self.last_anchor.clear();
            self.last_anchor.extend_from_slice(line);
            self.anchored = self.written.seq - lines;
            self.since = SinceAnchor::default();
        }
        self.since.lines += lines;
        self.since.bytes += bytes;
        Ok(())
    }

    /// Stages the header of a segment that has none yet; returns its line.
    fn stage_begin(&mut self, now: Timestamp) -> Result<u64, AuditError> {
        match self.segment.begun {
            Some(line) => Ok(line),
            None => {
                self.segment.stage_header(self.state, now, &mut self.staging)?;
                Ok(self.staging.chain().seq)
            }
        }
    }

    /// Writes a record of the log's own, the header before it where that is missing.
    fn append_own(&mut self, now: Timestamp, op: OpKind, detail: String) -> Result<(), AuditError> {
        self.begin(0)?;
        let begun = self.stage_begin(now)?;
        let lines = self.stage_own(now, op, detail)?;
        self.commit()?;
        self.segment.begun = Some(begun);
        self.segment.records += lines;
        Ok(())
    }

    /// Stages a record of the log's own. They all tell of something that failed.
    fn stage_own(&mut self, now: Timestamp, op: OpKind, detail: String) -> Result<u64, AuditError> {
        let mut record = Record::new(now, op, Outcome::Failed, Identity::Daemon);
        record.source = "daemon".into();
        record.detail = Some(detail.into());
        self.stage_record(&record)
    }

    fn stage_record(&mut self, record: &Record<'_>) -> Result<u64, AuditError> {
        encode::record(record, self.state, &mut self.times, &mut self.json);
        let lines = self.segment.stage_record(self.json.bytes(), &mut self.scratch, &mut self.staging);
        self.json.clear();
        lines
    }

    /// The number of the header that ends the open segment, when its close is written with it.
    fn next_header(&self) -> u64 {
        let close = u64::from(self.segment.begun.is_some() && !self.segment.closed);
        self.written.seq.saturating_add(1 + close)
    }

    /// A segment that follows the open one: certified by the unlock's key, or by the open segment's.
    /// `None` when the chain of certificates is full.
    fn following(&mut self, why: Why) -> Result<Option<Segment>, AuditError> {
        if self.unlock.is_none() && self.segment.links() >= MAX_LINKS {
            return Ok(None);
        }
        let from = self.next_header();
        let (unlock, open, scope) = (&self.unlock, &self.segment, self.scope);
        let made = Segment::new(why, scope, &self.cfg.public, &mut *self.rng, |key| match unlock {
            Some(unlock) => (Root::Audit, unlock.certify(scope, key, from)),
            None => open.certify(key, from),
        })?;
        Ok(Some(made))
    }

    /// Ends the open segment and begins `next` in one write. On failure the open segment stays.
    fn turn(&mut self, mut next: Segment, now: Timestamp) -> Result<(), AuditError> {
        self.stage_close(now)?;
        let adopted = self.adoptable(self.staging.chain());
        next.stage_header(self.state, now, &mut self.staging)?;
        self.commit()?;
        next.begun = Some(self.written.seq);
        self.unadopted.extend(adopted);
        self.segment = next;
        Ok(())
    }

    /// Stages the open segment's last checkpoint, unless it has one, or has no header yet.
    fn stage_close(&mut self, now: Timestamp) -> Result<(), AuditError> {
        if self.segment.begun.is_none() || self.segment.closed {
            return Ok(());
        }
        self.segment.stage_checkpoint(self.state, now, true, &mut self.staging)
    }

    /// The open segment as an unlock will have to name it, when it ends at `end`.
    fn adoptable(&self, end: Chain) -> Option<Adopted> {
        let from = self.segment.begun.filter(|_| !self.segment.certified())?;
        Some(Adopted {
            key: Bytes(*self.segment.public()),
            from,
            to: end.seq,
            head: Bytes(end.head),
            own: true,
        })
    }
}

impl UnlockKey {
    fn certify(&self, scope: Scope, key: &SigningKey, from: u64) -> Vec<Link> {
        let mut chain = self.chain.clone();
        chain.push(scope.link(key.public(), from, |m| self.key.sign(m)));
        chain
    }
}
