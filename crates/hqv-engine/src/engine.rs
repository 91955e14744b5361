//! The engine: what holds the core, the shelf and the writer together.

use hqv_audit::{AuditPublic, Log, LogConfig, MAX_SEGMENT};
use hqv_crypto::slot::KdfParams;
use hqv_crypto::wire::{self, Credential, CredentialKind};
use hqv_model::{Clock, Code, Entropy, Error, OpKind, Outcome, Timestamp, VaultId};
use hqv_store::Shelf;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::caller::{Caller, Principal, Transport};
use crate::core::{Core, Phase, Places};
use crate::hooks::Hooks;
use crate::operation::Operation;
use crate::refusals::Refusals;
use crate::rows::settings;
use crate::settings::Settings;
use crate::tickets::Tickets;
use crate::vault_time::VaultTime;
use crate::writer::{self, Chore, Job, Queue, Waiting};

/// Makes a generator of its own for work outside the engine's mutex.
pub type MakeEntropy = Arc<dyn Fn() -> Box<dyn Entropy> + Send + Sync>;

/// What the engine is composed of.
pub struct Parts {
    /// Where the rows stand.
    pub shelf: Arc<dyn Shelf>,
    /// Where `audit.log` stands.
    pub log_dir: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: MakeEntropy,
    /// The cost of a new passphrase slot.
    pub kdf: KdfParams,
    /// What the daemon does when a leaf certificate is due.
    pub hooks: Arc<dyn Hooks>,
    /// Overrides the idle timeout of the vault, in minutes (`serve --idle-timeout`).
    pub idle_minutes: Option<u64>,
    /// Names for the leaf besides the vault's own setting (`serve --hostname`).
    pub extra_names: Vec<String>,
    /// Tokens carry the pin of the vault's CA; false where somebody else's certificate is served.
    pub pin_tokens: bool,
}

/// What the threads share.
pub struct Shared {
    pub(crate) places: Places,
    pub(crate) queue: Queue,
    pub(crate) entropy: MakeEntropy,
    pub(crate) kdf: KdfParams,
    pub(crate) hooks: Arc<dyn Hooks>,
    pub(crate) idle_minutes: Option<u64>,
    pub(crate) extra_names: Vec<String>,
    /// One passphrase at a time: the KDF takes 256 MiB and all cores.
    pub(crate) kdf_turn: Arc<tokio::sync::Semaphore>,
    waiting: AtomicUsize,
    /// True while unlocked; the server closes connections when it turns false.
    pub(crate) unlocked: tokio::sync::watch::Sender<bool>,
    core: Mutex<Core>,
    gate: Mutex<()>,
    syncing: Mutex<()>,
    /// Held by whoever writes or reads the rows of the ledger.
    pub(crate) ledger: Mutex<()>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// A clone is another handle to the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

impl Shared {
    /// The core. A panic elsewhere leaves a state that the journal undid or that only `lock` can leave, so
    /// the mutex is taken all the same.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who watch whether the vault is unlocked: as it stands now, whoever changed it last.
    pub(crate) fn tell_lock(&self) {
        let core = self.core();
        let open = matches!(core.phase, Phase::Open(_));
        self.unlocked.send_if_modified(|was| std::mem::replace(was, open) != open);
    }

    /// How many wait for their turn at the KDF.
    pub(crate) fn kdf_waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Counts one more until the guard is dropped.
    pub(crate) fn count_waiting(&self) -> WaitingForKdf<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        WaitingForKdf(&self.waiting)
    }

    /// Held across each commit, and while an unlock reads all rows.
    pub(crate) fn commit_gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fsyncs the record up to now and notes the head that is safe. `checkpoint`: signs one first.
    pub(crate) fn sync_record(&self, checkpoint: bool) -> Result<(), Error> {
        // One at a time: of two syncs at once the system tells only one that pages were lost.
        let _alone = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let point = {
            let mut core = self.core();
            if checkpoint {
                core.checkpoint()?;
            }
            match &mut core.log {
                Some(log) => log.sync_point(),
                None => return Ok(()),
            }
        };
        let point = point.map_err(|e| unsynced().cause(e))?;
        let outcome = point.sync();
        let mut core = self.core();
        let Core { log, synced_head, .. } = &mut *core;
        if let Some(log) = log {
            log.synced(&point, outcome).map_err(|e| unsynced().cause(e))?;
        }
        // The stop may have synced more meanwhile.
        if synced_head.is_none_or(|(seq, _)| seq < point.seq) {
            *synced_head = Some((point.seq, point.head));
        }
        Ok(())
    }
}

/// See [`Shared::count_waiting`].
pub(crate) struct WaitingForKdf<'a>(&'a AtomicUsize);

impl Drop for WaitingForKdf<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unsynced() -> Error {
    Error::unavailable("the record cannot be brought to the disk")
        .hint("look after the disk, then run hq-vault serve --restart")
}

impl Engine {
    /// Opens the shelf and the record. The vault is locked, or not there yet.
    ///
    /// # Errors
    /// Where the shelf or the record cannot be used: each fault has its own sentence.
    pub fn open(parts: Parts) -> Result<Engine, Error> {
        let vault = parts.shelf.vault_id().map_err(|e| e.to_error())?;
        let mut core = Core {
            phase: if vault.is_some() { Phase::Locked } else { Phase::Empty },
            vault,
            log: None,
            rng: (parts.entropy)(),
            time: VaultTime::new(parts.clock.clone()),
            refusals: Refusals::default(),
            locked_settings: Settings::initial()?,
            synced_head: None,
            state_seq: 0,
            generation: 0,
            stopping: false,
            last_flush: parts.clock.boot(),
            findings: Vec::new(),
            carried: Default::default(),
            appended: tokio::sync::watch::Sender::new(0),
            spare: Vec::new(),
            counts: Default::default(),
            pin_tokens: parts.pin_tokens,
            tickets: Tickets::default(),
        };
        if let Some(vault) = vault {
            start_locked(&mut core, &parts, vault)?;
        }
        let shared = Arc::new(Shared {
            places: Places { shelf: parts.shelf, log_dir: parts.log_dir },
            queue: Queue::default(),
            entropy: parts.entropy,
            kdf: parts.kdf,
            hooks: parts.hooks,
            idle_minutes: parts.idle_minutes,
            extra_names: parts.extra_names,
            kdf_turn: Arc::new(tokio::sync::Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            unlocked: tokio::sync::watch::Sender::new(false),
            core: Mutex::new(core),
            gate: Mutex::new(()),
            syncing: Mutex::new(()),
            ledger: Mutex::new(()),
            writer: Mutex::new(None),
        });
        let writer = shared.clone();
        let thread = std::thread::Builder::new()
            .name("hqv-writer".into())
            .spawn(move || writer::run(&writer))
            .map_err(|e| Error::internal("no thread could be started").cause(e))?;
        *shared.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Engine { shared })
    }

    /// Runs one operation through the door. A caller that drops the future changes nothing: what was queued
    /// is carried through.
    pub async fn run<O: Operation>(&self, caller: Caller, op: O) -> Result<O::Answer, Error> {
        let receive = match self.begin(caller, op)? {
            Begun::Done(answer) => return Ok(answer),
            Begun::Queued(receive) => receive,
        };
        receive.await.unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))
    }

    /// The same for a request that is several operations, each of which passes the door.
    pub(crate) async fn run_part<O: Operation>(
        &self,
        caller: &Arc<Caller>,
        op: O,
    ) -> Result<O::Answer, Error> {
        let receive = {
            let mut core = self.shared.core();
            if core.stopping {
                return Err(Error::unavailable("the daemon is stopping"));
            }
            let at = core.time.moment();
            let principal = core.admit::<O>(caller, at, false)?;
            if !core.must_queue::<O>(&principal) {
                return core.run_as(&self.shared.places, caller, op, &principal, at, false);
            }
            let (job, receive) = Waiting::new(caller.clone(), op);
            self.shared.queue.push(job)?;
            receive
        };
        receive.await.unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))
    }

    /// Answers at once what needs no commit; queues the rest.
    pub fn begin<O: Operation>(&self, caller: Caller, op: O) -> Result<Begun<O>, Error> {
        let mut core = self.shared.core();
        if core.stopping {
            return Err(Error::unavailable("the daemon is stopping"));
        }
        // Wrong credentials never reach the queue.
        let at = core.time.moment();
        let principal = core.admit::<O>(&caller, at, false)?;
        if core.must_queue::<O>(&principal) {
            drop(core);
            let (job, receive) = Waiting::new(caller, op);
            self.shared.queue.push(job)?;
            return Ok(Begun::Queued(receive));
        }
        core.run_as(&self.shared.places, &caller, op, &principal, at, false).map(Begun::Done)
    }

    /// True where the credential would get past the first check: cheap, before a body is read. While locked
    /// any well-formed one would.
    pub fn known(&self, credential: &Credential, _transport: &Transport) -> bool {
        let mut core = self.shared.core();
        let boot = core.time.boot();
        let Phase::Open(open) = &mut core.phase else {
            return true;
        };
        let hash = wire::hash(credential.kind, &credential.secret);
        match credential.kind {
            CredentialKind::Session => {
                let idle = open.settings.session_idle();
                open.sessions.find(&hash, idle, boot, false).is_some()
            }
            CredentialKind::Token => open.tokens.by_hash.get(&hash, false).is_some(),
        }
    }

    /// Whether the caller's credential still stands, for answers that go on: nothing is recorded or touched.
    ///
    /// # Errors
    /// As authentication answers.
    pub fn holds(&self, caller: &Caller) -> Result<(), Error> {
        self.shared.core().authenticate(caller, false, false).map(drop)
    }

    /// Counts a request that was refused before it reached the door.
    pub fn refused(&self, source: &str, code: Code) {
        self.shared.core().refusals.count(source, code);
    }

    /// Records that a caller asked for what cannot even be written as an operation: a rule that allows nothing, a limit
    /// of 0. Answers the error to give, which is the caller's own where its credential does not stand.
    pub fn meaningless(&self, caller: &Caller, op: OpKind, error: Error) -> Error {
        self.shared.core().meaningless(caller, op, error)
    }

    /// True while unlocked; changes wake the receiver.
    pub fn lock_events(&self) -> tokio::sync::watch::Receiver<bool> {
        self.shared.unlocked.subscribe()
    }

    /// The newest sequence number of the record, for those who follow it.
    pub fn record_events(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.core().appended.subscribe()
    }

    /// Woken whenever something happens to an entry or an ask.
    pub fn ticket_events(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.core().tickets.changes()
    }

    /// Queues work of the daemon itself.
    pub(crate) fn chore(&self, work: impl FnMut(&mut Core) + Send + 'static) {
        // A full queue means that groups are being committed; the next tick tries again.
        let _ = self.shared.queue.push(Box::new(Chore(Box::new(work))) as Box<dyn Job>);
    }

    /// Waits until the writer has done what was queued. The queue must be closed.
    pub(crate) fn wait_for_writer(&self) {
        let thread = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A writer that panicked has nothing left to wait for.
            let _ = thread.join();
        }
    }

    /// What a locked daemon obeys: addresses, host names, remote administration.
    pub fn locked_settings(&self) -> Settings {
        let core = self.shared.core();
        match &core.phase {
            Phase::Open(open) => open.settings.clone(),
            _ => core.locked_settings.clone(),
        }
    }

    /// The vault's id, once there is one.
    pub fn vault(&self) -> Option<VaultId> {
        self.shared.core().vault
    }

    /// Vault time.
    pub fn now(&self) -> Timestamp {
        self.shared.core().now()
    }
}

/// How an operation began.
pub enum Begun<O: Operation> {
    /// It is done and recorded.
    Done(O::Answer),
    /// It waits for the writer.
    Queued(tokio::sync::oneshot::Receiver<Result<O::Answer, Error>>),
}

impl Core {
    /// Writes and uses of limited tokens must be durable; with `audit.sync` everything waits for the disk.
    fn must_queue<O: Operation>(&self, principal: &Principal) -> bool {
        let Phase::Open(open) = &self.phase else {
            return false;
        };
        let sync = open.settings.audit_sync;
        match principal {
            Principal::Nobody | Principal::Peer => false,
            Principal::Token(entry) => O::WRITES || sync || (O::SPENDS && entry.facts.limited),
            Principal::Owner(_) => O::WRITES || sync,
        }
    }

    /// A sentence for `status` and `doctor`; each is kept once, the last 32 of them.
    pub(crate) fn note(&mut self, finding: String) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
            let over = self.findings.len().saturating_sub(32);
            self.findings.drain(..over);
        }
    }

    /// Signs a checkpoint over everything recorded so far.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        let (now, state_seq) = (self.time.now(), self.state_seq);
        match &mut self.log {
            Some(log) => log.checkpoint(now, state_seq).map(drop).map_err(|e| unsynced().cause(e)),
            None => Ok(()),
        }
    }
}

/// The start of a daemon beside an existing vault: its signed settings are read, the record goes on.
fn start_locked(core: &mut Core, parts: &Parts, vault: VaultId) -> Result<(), Error> {
    let stored = |e: hqv_store::StoreError| e.to_error();
    let row =
        parts.shelf.get(hqv_model::Kind::Setting, &hqv_crypto::settings::locked_row_id()).map_err(stored)?;
    let state_id = hqv_crypto::row_state::RowState::row_id();
    let state = parts.shelf.get(hqv_model::Kind::State, &state_id).map_err(stored)?;
    core.state_seq = state.map_or(0, |row| row.header.revision);
    let mut read = Settings::initial()?;
    let named = row.and_then(|row| {
        settings::read_clear(&row, vault, None, &mut read).ok().map(|public| (row.header.epoch, public))
    });
    // Without the keys that the row names nothing can be recorded before an unlock has found them.
    let Some((epoch, public)) = named else {
        core.note(UNSIGNED.into());
        return Ok(());
    };
    core.locked_settings = read;
    let config = record_config(parts.log_dir.clone(), vault, epoch, public);
    let head = hqv_audit::DbHead { state_seq: core.state_seq, head: None };
    let now = core.now();
    let (log, report) = Log::start(config, Some(head), now, (parts.entropy)())?;
    core.log = Some(log);
    core.apply_record_rules();
    for finding in report.findings {
        core.note(match report.unclean {
            Some(n) if finding.starts_with("unclean end") => {
                format!("the last run did not end cleanly: after line {n} of the record up to a second may be missing")
            }
            _ => finding,
        });
    }
    core.record_own(OpKind::Start, Outcome::Ok, None)
}

/// For `status` and `doctor`, where the daemon goes by the strictest defaults.
const UNSIGNED: &str = "the settings row that a locked daemon goes by is missing, damaged or not signed: it listens on \
    loopback only, runs no command, records nothing and cannot be unlocked until the vault directory is put back";

/// The record of a vault in its directory.
pub(crate) fn record_config(dir: PathBuf, vault: VaultId, epoch: u32, public: AuditPublic) -> LogConfig {
    LogConfig { dir, vault, epoch, public, max_segment: MAX_SEGMENT }
}

/// How long the ticker sleeps.
pub const TICK: Duration = Duration::from_secs(1);
