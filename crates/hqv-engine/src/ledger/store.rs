//! Lines to rows, outside the engine's mutex: old rows are read, merged and sealed anew, and only the finished rows go
//! through the writer, with the note in the last commit.
//!
//! One thread does so at a time (`ledger_turn`) and nothing else writes rows of the ledger, so a row that was read is the
//! one that stands when its successor is committed.

use hqv_crypto::VaultKeys;
use hqv_model::{Code, Entropy, Error, Kind, Row};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::entry::{Entry, Key};
use super::index::Index;
use super::{Ledger, Lines, Work, replay};
use crate::core::{Core, Phase};
use crate::engine::{Engine, Shared};
use crate::open::Change;
use crate::rows::ledger as rows;
use crate::writer::{Job, RecordSync};

/// Rows in one commit: what waits behind it waits a few milliseconds.
const ROWS: usize = 1_024;

/// The unlocked time that work belongs to, and its keys.
pub(crate) struct Unlocked {
    generation: u64,
    pub(crate) keys: Arc<VaultKeys>,
}

impl Engine {
    /// Has the ledger's work done beside everything else, where there is any and nobody is at it.
    pub(crate) fn keep_ledger(&self) {
        let due = {
            let mut core = self.shared.core();
            let boot = core.time.boot();
            let Phase::Open(open) = &mut core.phase else {
                return;
            };
            open.ledger.forget_index(boot);
            open.ledger.is_due(boot)
        };
        if !due || self.shared.ledger_busy() {
            return;
        }
        let engine = self.clone();
        let work = move || {
            let turn = engine.shared.ledger_turn();
            if let Err(error) = engine.shared.bring_ledger(&turn) {
                let mut core = engine.shared.core();
                // A lock or a stop in between is nobody's fault.
                if matches!(core.phase, Phase::Open(_)) && !core.stopping && error.code() != Code::VaultLocked
                {
                    core.note(format!("the ledger is behind the record: {}", error.message()));
                }
            }
        };
        // Where no thread can be had, the next tick tries again.
        let _ = std::thread::Builder::new().name("hqv-ledger".into()).spawn(work);
    }

    /// Stores what is pending before a stop; what must be read again waits for the next unlock.
    pub(crate) fn close_ledger(&self) {
        let shared = &self.shared;
        let _turn = match shared.ledger.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some((unlocked, work)) = shared.ledger_work(false) {
            // Where it fails, the record still tells it all.
            let _ = shared.store_lines(&unlocked, work.lines, Some(work.upto));
        }
    }
}

impl Shared {
    /// One at a time.
    pub(crate) fn ledger_turn(&self) -> MutexGuard<'_, ()> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger_busy(&self) -> bool {
        matches!(self.ledger.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Takes out what is to be done; with `gaps` unset only where nothing must be read again.
    fn ledger_work(&self, gaps: bool) -> Option<(Unlocked, Work)> {
        let mut core = self.core();
        let boot = core.time.boot();
        let synced = core.synced_head.map_or(0, |(seq, _)| seq);
        let Phase::Open(open) = &mut core.phase else {
            return None;
        };
        let whole = open.ledger.gap.is_none() && open.ledger.missed.is_none();
        let unlocked = Unlocked { generation: open.generation, keys: open.keys.clone() };
        (gaps || whole).then(|| (unlocked, open.ledger.work(synced, boot)))
    }

    /// Brings the rows to the present: what is pending, and what must be read again.
    ///
    /// # Errors
    /// `VAULT_LOCKED`; `UNAVAILABLE` where record or shelf cannot be read or written. What was not stored is read from
    /// the record next time.
    pub(crate) fn bring_ledger(&self, _turn: &MutexGuard<'_, ()>) -> Result<Unlocked, Error> {
        let (unlocked, work) = self.ledger_work(true).ok_or_else(Error::locked)?;
        let done = self.carry_out(&unlocked, work);
        if done.is_err() {
            self.with_ledger(&unlocked, Ledger::give_back);
        }
        done.map(|()| unlocked)
    }

    fn carry_out(&self, unlocked: &Unlocked, work: Work) -> Result<(), Error> {
        let Work { lines, gap, upto } = work;
        let Some(gap) = gap else {
            return self.store_lines(unlocked, lines, Some(upto));
        };
        // What is pending came after the gap: stored first it needs no note.
        self.store_lines(unlocked, lines, None)?;
        let go_on = || self.with_ledger(unlocked, |_| ()).is_some();
        let mut hand = |lines: Lines, line: u64| self.store_lines(unlocked, lines, Some(line.min(upto)));
        let damaged = replay::replay(&self.places.log_dir, &unlocked.keys, gap, &go_on, &mut hand)?;
        if !damaged.is_empty() {
            self.core().note(format!(
                "{} lines of the record do not open: the ledger does not know what they say",
                damaged.len()
            ));
        }
        self.store_lines(unlocked, Lines::default(), Some(upto))
    }

    /// Does something with the ledger, where it is still the same unlocked time and no stop was asked for.
    fn with_ledger<T>(&self, unlocked: &Unlocked, act: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        let mut core = self.core();
        let stopping = core.stopping;
        match &mut core.phase {
            Phase::Open(open) if open.generation == unlocked.generation && !stopping => {
                Some(act(&mut open.ledger))
            }
            _ => None,
        }
    }

    /// Stores lines as rows, and in the last commit that the rows are complete up to line `upto` of the record.
    fn store_lines(&self, unlocked: &Unlocked, lines: Lines, upto: Option<u64>) -> Result<(), Error> {
        let mut rng = (self.entropy)();
        let mut lines = lines.into_iter().peekable();
        loop {
            let chunk: Vec<(Key, Entry)> = lines.by_ref().take(ROWS).collect();
            let last = lines.peek().is_none();
            self.store_chunk(unlocked, chunk, upto.filter(|_| last), rng.as_mut())?;
            if last {
                return Ok(());
            }
        }
    }

    fn store_chunk(
        &self,
        unlocked: &Unlocked,
        chunk: Vec<(Key, Entry)>,
        note: Option<u64>,
        rng: &mut dyn Entropy,
    ) -> Result<(), Error> {
        let mut changes = Vec::with_capacity(chunk.len() + 1);
        let mut changed = Vec::with_capacity(chunk.len());
        for (key, entry) in chunk {
            if let Some((change, entry)) = self.merged(&unlocked.keys, entry, rng)? {
                changes.push(change);
                changed.push((key, entry));
            }
        }
        changes.extend(note.map(|line| self.noted(&unlocked.keys, line, rng)).transpose()?.flatten());
        if !changes.is_empty() {
            self.commit_rows(unlocked.generation, changes)?;
        }
        let index = {
            let mut core = self.core();
            let Phase::Open(open) = &mut core.phase else {
                return Err(Error::locked());
            };
            open.ledger.noted = note.unwrap_or(0).max(open.ledger.noted);
            open.ledger.index()
        };
        if let Some(index) = index.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            changed.into_iter().for_each(|(key, entry)| index.put(key, entry));
        }
        Ok(())
    }

    /// A line's row as it will stand; none where the row says it already.
    fn merged(
        &self,
        keys: &VaultKeys,
        mut entry: Entry,
        rng: &mut dyn Entropy,
    ) -> Result<Option<(Change, Entry)>, Error> {
        let id = rows::row_id(keys, &entry);
        let old = self.places.shelf.get(Kind::Ledger, &id).map_err(|e| e.to_error())?;
        let Some(old) = old else {
            let row = rows::seal(keys, id, &entry, 1, rng);
            return Ok(Some((change(keys, None, row), entry)));
        };
        let mut known = rows::open(keys, &old)?;
        if known.key() != entry.key() {
            return Err(crate::secrets::damaged("a row of the ledger is about something else"));
        }
        if !known.merge(&entry) {
            return Ok(None);
        }
        entry = known;
        let row = rows::seal(keys, id, &entry, old.header.revision.saturating_add(1), rng);
        Ok(Some((change(keys, Some(&old), row), entry)))
    }

    /// The note's row; none where it says so already.
    fn noted(&self, keys: &VaultKeys, line: u64, rng: &mut dyn Entropy) -> Result<Option<Change>, Error> {
        let old = self.places.shelf.get(Kind::Ledger, &rows::noted_id()?).map_err(|e| e.to_error())?;
        if let Some(old) = &old
            && rows::open_noted(keys, old).is_ok_and(|noted| noted == line)
        {
            return Ok(None);
        }
        let revision = old.as_ref().map_or(1, |old| old.header.revision.saturating_add(1));
        let row = rows::seal_noted(keys, line, revision, rng)?;
        Ok(Some(change(keys, old.as_ref(), row)))
    }

    fn commit_rows(&self, generation: u64, changes: Vec<Change>) -> Result<(), Error> {
        let (reply, answer): (_, Receiver<Result<(), Error>>) = sync_channel(1);
        self.queue.push(Box::new(Rows { generation, changes, stale: false, reply }))?;
        answer.recv().unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))
    }

    /// The rows, opened and compared with the row state; read once for each time the vault is unlocked, and again after
    /// they were not needed for a while.
    ///
    /// # Errors
    /// `INTERNAL` where the rows are not those last written.
    pub(crate) fn open_index(
        &self,
        unlocked: &Unlocked,
        _turn: &MutexGuard<'_, ()>,
    ) -> Result<Arc<Mutex<Option<Index>>>, Error> {
        let (index, expected) = {
            let mut core = self.core();
            let boot = core.time.boot();
            match &mut core.phase {
                Phase::Open(open) if open.generation == unlocked.generation => {
                    open.ledger.asked = boot;
                    (open.ledger.index(), open.state.tallies.of(Kind::Ledger))
                }
                _ => return Err(Error::locked()),
            }
        };
        let there = index.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !there {
            let opened = Index::read(&*self.places.shelf, &unlocked.keys, expected)?;
            *index.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        }
        Ok(index)
    }
}

/// A row in place of another, or a new one.
fn change(keys: &VaultKeys, old: Option<&Row>, row: Row) -> Change {
    let before = old.map(|old| keys.row_mac(&old.facts(), None));
    Change { kind: Kind::Ledger, id: row.header.id, before, after: Some(row) }
}

/// Finished rows on their way through the writer.
struct Rows {
    generation: u64,
    changes: Vec<Change>,
    stale: bool,
    reply: SyncSender<Result<(), Error>>,
}

impl Job for Rows {
    fn stage(&mut self, core: &mut Core, _: &Shared) {
        match &mut core.phase {
            Phase::Open(open) if open.generation == self.generation => {
                for change in self.changes.drain(..) {
                    open.change(change.kind, change.id, change.before, change.after);
                }
                open.keep();
            }
            _ => self.stale = true,
        }
    }

    fn stage_in_doubt(&mut self, _: &mut Core, _: &Shared) {}

    fn done(self: Box<Self>) {
        let _ = self.reply.send(if self.stale { Err(Error::locked()) } else { Ok(()) });
    }

    fn failed(self: Box<Self>, _: &mut Core, error: &Error) {
        let _ = self.reply.send(Err(error.clone()));
    }

    fn sync(&self) -> RecordSync {
        RecordSync::None
    }

    fn weight(&self) -> usize {
        0
    }
}
