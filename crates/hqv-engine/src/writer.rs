//! The one writer: parallel requests share one fsync.
//!
//! It takes everything that waits, runs each operation against the staged side of the vault, commits the
//! group in one transaction, publishes it and answers all. A group that does not become durable never
//! happened: its staged side is dropped, each operation is recorded as failed and answered `UNAVAILABLE`.
//! The mutex is not held across the commit, so readers go on beside it.

use hqv_crypto::row_state::RowState;
use hqv_model::{Code, Error, Kind, Outcome};
use hqv_store::{Batch, StoreError};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::caller::{Caller, Principal};
use crate::core::{Core, Phase};
use crate::engine::Shared;
use crate::operation::Operation;
use crate::settings::Settings;

/// Requests that may wait; more are told to come back.
const MOST_WAITING: usize = 8_192;
/// Bytes of values that may wait.
const MOST_BYTES_WAITING: usize = 64 << 20;
/// Operations in one group.
const MOST_GROUPED: usize = 512;
/// Bytes of values in one group, unless one operation alone brings more.
const MOST_BYTES_GROUPED: usize = 8 << 20;

/// An operation on its way through the writer.
pub trait Job: Send {
    /// Runs it against the staged side.
    fn stage(&mut self, core: &mut Core, shared: &Shared);
    /// Runs it where nothing may be staged, if it must always take effect.
    fn stage_in_doubt(&mut self, core: &mut Core, shared: &Shared);
    /// Its changes are durable.
    fn done(self: Box<Self>);
    /// Its changes are not durable: records that and answers.
    fn failed(self: Box<Self>, core: &mut Core, error: &Error);
    /// How its answer depends on the record's disk, where `audit.sync` is on.
    fn sync(&self) -> RecordSync;
    /// Bytes it holds while it waits.
    fn weight(&self) -> usize;
}

/// Whether an answer waits for a fsynced record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordSync {
    /// Nobody waits: the daemon's own work, which is grouped apart so that nothing it is grouped with holds it up.
    None,
    /// It waits, but takes effect all the same.
    Try,
    /// Without it nothing happens.
    Must,
}

/// What waits for the writer.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Jobs>,
    more: Condvar,
    closed: Condvar,
}

#[derive(Default)]
struct Jobs {
    jobs: VecDeque<Box<dyn Job>>,
    bytes: usize,
    closed: bool,
}

impl Jobs {
    fn is_full(&self) -> bool {
        self.jobs.len() >= MOST_WAITING || self.bytes >= MOST_BYTES_WAITING
    }

    /// The next group: jobs of one sort, in their order.
    fn group(&mut self) -> Vec<Box<dyn Job>> {
        let own = self.jobs.front().is_some_and(|job| job.sync() == RecordSync::None);
        let (mut n, mut bytes) = (0, 0);
        for job in self.jobs.iter().take(MOST_GROUPED) {
            bytes += job.weight();
            if (job.sync() == RecordSync::None) != own || (n > 0 && bytes > MOST_BYTES_GROUPED) {
                break;
            }
            n += 1;
        }
        let group: Vec<_> = self.jobs.drain(..n).collect();
        self.bytes = self.bytes.saturating_sub(group.iter().map(|job| job.weight()).sum());
        group
    }
}

impl Queue {
    fn guard(&self) -> MutexGuard<'_, Jobs> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; refused where the writer has stopped, or too many wait for one that can be asked again.
    pub fn push(&self, job: Box<dyn Job>) -> Result<(), Error> {
        let mut guard = self.guard();
        if guard.closed {
            return Err(Error::unavailable("the daemon is stopping"));
        }
        if guard.is_full() && job.sync() != RecordSync::Try {
            return Err(Error::new(Code::Unavailable, "too many requests wait for the disk").retry_after(1));
        }
        guard.bytes += job.weight();
        guard.jobs.push_back(job);
        drop(guard);
        self.more.notify_one();
        Ok(())
    }

    /// No job is taken from now on; those that wait are still done.
    pub fn close(&self) {
        self.guard().closed = true;
        self.more.notify_one();
        self.closed.notify_all();
    }

    /// Waits up to `time` for the queue to be closed: true once it is.
    pub fn wait_closed(&self, time: std::time::Duration) -> bool {
        let guard = self.guard();
        let (guard, _) = self
            .closed
            .wait_timeout_while(guard, time, |state| !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        guard.closed
    }

    /// Waits for jobs; none once closed and empty.
    fn take(&self) -> Option<Vec<Box<dyn Job>>> {
        let mut guard = self.guard();
        while guard.jobs.is_empty() {
            if guard.closed {
                return None;
            }
            guard = self.more.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        Some(guard.group())
    }
}

/// The writer's life.
pub fn run(shared: &Shared) {
    while let Some(mut jobs) = shared.queue.take() {
        let _gate = shared.commit_gate();
        match settle_doubt(shared, &mut jobs) {
            Ok(()) => {
                let durable = stage(shared, &mut jobs).and_then(|group| commit(shared, group));
                finish(shared, jobs, durable);
            }
            Err(error) => refuse(&mut shared.core(), jobs, &error),
        }
    }
}

/// Nothing of these jobs is durable.
fn refuse(core: &mut Core, jobs: Vec<Box<dyn Job>>, error: &Error) {
    for job in jobs {
        job.failed(core, error);
    }
}

/// A group in doubt is looked for on the shelf: there it is published, else dropped. While the shelf cannot
/// say, only what must always take effect does, in memory.
fn settle_doubt(shared: &Shared, jobs: &mut [Box<dyn Job>]) -> Result<(), Error> {
    let mut core = shared.core();
    match resolve(shared, &mut core) {
        Ok(_) => Ok(()),
        Err(error) => {
            jobs.iter_mut().for_each(|job| job.stage_in_doubt(&mut core, shared));
            Err(error)
        }
    }
}

/// Whether the last group is durable after all, where that was in doubt.
fn resolve(shared: &Shared, core: &mut Core) -> Result<bool, Error> {
    let Phase::Open(open) = &mut core.phase else {
        return Ok(false);
    };
    if !open.in_doubt {
        return Ok(false);
    }
    let row = shared.places.shelf.get(Kind::State, &RowState::row_id()).map_err(|e| not_durable(&e))?;
    if row.is_some_and(|row| row.header.revision == open.state.sequence) {
        open.publish();
        core.state_seq = open.state.sequence;
        core.locked_settings = open.settings.clone();
        core.tickets.conclude(true);
        return Ok(true);
    }
    open.discard();
    core.tickets.conclude(false);
    Ok(false)
}

/// A group ready to commit, and the unlocked time it belongs to.
struct Group {
    batch: Option<Batch>,
    commit: Committed,
    sync_record: RecordSync,
}

/// What a commit made durable.
struct Committed {
    generation: u64,
    /// The row state's; none where the group changed nothing.
    sequence: Option<u64>,
    /// Where the group changed them.
    settings: Option<Settings>,
}

fn stage(shared: &Shared, jobs: &mut [Box<dyn Job>]) -> Result<Group, Error> {
    let mut core = shared.core();
    for job in jobs.iter_mut() {
        job.stage(&mut core, shared);
    }
    let now = core.time.now();
    let head = core.synced_head;
    let Core { phase, rng, .. } = &mut *core;
    let Phase::Open(open) = phase else {
        let commit = Committed { generation: 0, sequence: None, settings: None };
        return Ok(Group { batch: None, commit, sync_record: RecordSync::None });
    };
    let wanted = jobs.iter().map(|job| job.sync()).max().unwrap_or(RecordSync::None);
    let sync_record = if open.settings.audit_sync { wanted } else { RecordSync::None };
    let batch = (!open.is_clean()).then(|| open.seal_group(now, head, rng.as_mut()));
    let sequence = batch.as_ref().map(|_| open.state.sequence);
    let commit =
        Committed { generation: open.generation, sequence, settings: open.staged_settings().cloned() };
    Ok(Group { batch, commit, sync_record })
}

fn commit(shared: &Shared, group: Group) -> Result<Committed, Error> {
    let synced = if group.sync_record == RecordSync::None { Ok(()) } else { shared.sync_record(true) };
    if let Err(error) = synced {
        if group.sync_record == RecordSync::Must {
            return Err(error);
        }
        shared.core().note(error.message().to_owned());
    }
    if let Some(batch) = group.batch {
        shared.places.shelf.commit(batch).map_err(|e| not_durable(&e))?;
    }
    Ok(group.commit)
}

fn finish(shared: &Shared, jobs: Vec<Box<dyn Job>>, durable: Result<Committed, Error>) {
    let mut core = shared.core();
    match durable {
        Ok(Committed { generation, sequence, settings }) => {
            if let Some(sequence) = sequence {
                // Also where the vault was locked meanwhile: this is what the shelf holds now.
                core.state_seq = sequence;
                if let Some(settings) = settings {
                    core.locked_settings = settings;
                }
                if let Phase::Open(open) = &mut core.phase
                    && open.generation == generation
                {
                    open.publish();
                }
            }
            core.tickets.conclude(true);
            drop(core);
            jobs.into_iter().for_each(Job::done);
        }
        Err(error) => {
            if let Phase::Open(open) = &mut core.phase {
                open.fail_group();
            }
            // An error may hide a success: what the shelf holds decides.
            match resolve(shared, &mut core) {
                Ok(true) => {
                    drop(core);
                    jobs.into_iter().for_each(Job::done);
                    return;
                }
                Ok(false) => core.tickets.conclude(false),
                // Still in doubt: what was staged stays so.
                Err(_) => {}
            }
            refuse(&mut core, jobs, &error);
        }
    }
}

fn not_durable(error: &StoreError) -> Error {
    let told = error.to_error();
    Error::unavailable(format!("nothing was stored: {}", told.message()))
        .hint("make room or repair the disk, then try again")
        .cause(error)
}

/// An operation waiting for its turn, and whom to answer.
pub struct Waiting<O: Operation> {
    op: Option<O>,
    caller: Arc<Caller>,
    answer: Option<Result<O::Answer, Error>>,
    reply: tokio::sync::oneshot::Sender<Result<O::Answer, Error>>,
}

impl<O: Operation> Waiting<O> {
    /// A job for the queue, and where its answer will come.
    pub fn new(
        caller: impl Into<Arc<Caller>>,
        op: O,
    ) -> (Box<Self>, tokio::sync::oneshot::Receiver<Result<O::Answer, Error>>) {
        let (reply, receive) = tokio::sync::oneshot::channel();
        (Box::new(Waiting { op: Some(op), caller: caller.into(), answer: None, reply }), receive)
    }
}

impl<O: Operation> Job for Waiting<O> {
    fn stage(&mut self, core: &mut Core, shared: &Shared) {
        if let Some(op) = self.op.take() {
            self.answer = Some(core.run(&shared.places, &self.caller, op, true));
        }
    }

    fn stage_in_doubt(&mut self, core: &mut Core, shared: &Shared) {
        if O::ALWAYS {
            self.stage(core, shared);
        }
    }

    fn done(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // Nobody may be waiting any more: a client that hangs up changes nothing.
            let _ = self.reply.send(answer);
        }
    }

    fn failed(self: Box<Self>, core: &mut Core, error: &Error) {
        let answer = match self.answer {
            Some(Err(refused)) => Err(refused),
            _ => {
                let principal = core.authenticate(&self.caller, false, false).unwrap_or(Principal::Nobody);
                let detail = Some(error.message().to_owned());
                // The answer is a failure already; that its record failed too changes nothing for the caller.
                let _ = core.record(
                    &self.caller,
                    &principal,
                    O::KIND,
                    Outcome::Failed,
                    Some(error.code()),
                    detail,
                    Vec::new(),
                );
                Err(if O::ALWAYS { in_memory_only(error) } else { error.clone() })
            }
        };
        let _ = self.reply.send(answer);
    }

    fn sync(&self) -> RecordSync {
        if O::ALWAYS { RecordSync::Try } else { RecordSync::Must }
    }

    fn weight(&self) -> usize {
        self.op.as_ref().map_or(0, O::weight)
    }
}

/// What ends a token holds at once, stored or not.
fn in_memory_only(error: &Error) -> Error {
    Error::unavailable(format!("in force until a restart; {}", error.message()))
        .hint("make room or repair the disk; storing it is tried every second")
}

/// Work of the daemon itself that changes rows: flushing counts, sweeping.
pub struct Chore(pub Box<dyn FnMut(&mut Core) + Send>);

impl Job for Chore {
    fn stage(&mut self, core: &mut Core, _: &Shared) {
        (self.0)(core);
        if let Phase::Open(open) = &mut core.phase {
            open.keep();
        }
    }

    fn stage_in_doubt(&mut self, _: &mut Core, _: &Shared) {}

    fn done(self: Box<Self>) {}

    fn failed(self: Box<Self>, core: &mut Core, error: &Error) {
        core.note(format!("the store would not take counts: {}", error.message()));
    }

    fn sync(&self) -> RecordSync {
        RecordSync::None
    }

    fn weight(&self) -> usize {
        0
    }
}
