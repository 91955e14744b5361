//! `unlock`: the KDF, all rows against the row state, and the record adopted.

use hqv_audit::{AuditPublic, DbHead, Log};
use hqv_crypto::slot::SlotSecret;
use hqv_crypto::wire::{self, CredentialKind};
use hqv_model::{Code, Entropy, Error, OpKind, Outcome, SecretText, SessionId, Timestamp, array};
use tokio::sync::OwnedSemaphorePermit;

use super::init::open_from;
use crate::caller::{Caller, Principal, Transport};
use crate::core::{Core, Phase, no_vault};
use crate::engine::{Engine, Shared, record_config};
use crate::ledger::Ledger;
use crate::load;
use crate::open::Loaded;

/// Passphrases that may wait for their turn at the KDF; more are told to come back.
const MOST_WAITING: usize = 8;

/// What `unlock` and `sessions` answer.
pub struct Unlocked {
    /// The owner's session.
    pub session: SecretText,
    /// When it ends if it stays idle.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Unlocks the vault, or only opens a session where it is unlocked already. A passphrase is asked for
    /// either way.
    ///
    /// # Errors
    /// `UNAUTHORIZED` for a wrong passphrase, `RATE_LIMITED` where too many wait, `FORBIDDEN` over TCP unless
    /// remote administration is on, `INTERNAL` where the rows are not those last written.
    pub async fn unlock(&self, caller: Caller, secret: SlotSecret) -> Result<Unlocked, Error> {
        self.open_with(caller, secret, OpKind::Unlock).await
    }

    /// Opens a session of an unlocked vault.
    ///
    /// # Errors
    /// As [`Engine::unlock`], and `VAULT_LOCKED`.
    pub async fn session_create(&self, caller: Caller, secret: SlotSecret) -> Result<Unlocked, Error> {
        if !matches!(self.shared.core().phase, Phase::Open(_)) {
            self.refused(caller.transport.label(), Code::VaultLocked);
            return Err(Error::locked());
        }
        self.open_with(caller, secret, OpKind::SessionCreate).await
    }

    async fn open_with(&self, caller: Caller, secret: SlotSecret, op: OpKind) -> Result<Unlocked, Error> {
        self.may_administer(&caller)?;
        let turn = self.kdf_turn().await?;
        let engine = self.clone();
        let unlocked = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also where nobody waits for it any more.
            let _turn = turn;
            let unlocked = unlock(&engine.shared, &caller, &secret, op)?;
            engine.shared.tell_lock();
            engine.renew_leaf();
            Ok(unlocked)
        });
        unlocked.await.unwrap_or_else(|e| Err(Error::internal("unlocking failed").cause(e)))
    }

    /// Unlocking over TCP is off unless the owner turned it on.
    fn may_administer(&self, caller: &Caller) -> Result<(), Error> {
        if caller.transport.is_socket() || self.locked_settings().remote_admin {
            return Ok(());
        }
        self.refused(caller.transport.label(), Code::Forbidden);
        Err(Error::forbidden("unlocking over the network is off")
            .hint("run hq-vault unlock on the vault's machine"))
    }

    pub(crate) async fn kdf_turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        if self.shared.kdf_waiting() > MOST_WAITING {
            return Err(Error::new(Code::RateLimited, "too many passphrases are being tried").retry_after(5));
        }
        let _waiting = self.shared.count_waiting();
        self.shared
            .kdf_turn
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Error::unavailable("the daemon is stopping"))
    }

    /// Has a new leaf made where one is due. Failing to is a finding, never a reason to stay locked.
    pub fn renew_leaf(&self) {
        let (keys, names, now) = {
            let mut core = self.shared.core();
            let now = core.now();
            let Phase::Open(open) = &core.phase else { return };
            let more = [&open.settings.hostnames[..], &self.shared.extra_names].concat();
            (open.keys.clone(), leaf_names(&more), now)
        };
        if !self.shared.hooks.leaf_due(now, &names, keys.ca().cert_der()) {
            return;
        }
        let mut rng = (self.shared.entropy)();
        match keys.ca().issue_leaf(&names, now, rng.as_mut()) {
            Ok(leaf) => self.shared.hooks.new_leaf(keys.ca().cert_der(), leaf),
            Err(error) => self.shared.core().note(format!("no new certificate could be made: {error}")),
        }
    }
}

/// The names every leaf carries, and the owner's.
pub fn leaf_names(more: &[String]) -> Vec<String> {
    let fixed = ["localhost", "127.0.0.1", "::1", "host.docker.internal", "host.containers.internal"];
    fixed.iter().map(|s| (*s).to_owned()).chain(more.iter().cloned()).collect()
}

fn unlock(shared: &Shared, caller: &Caller, secret: &SlotSecret, op: OpKind) -> Result<Unlocked, Error> {
    let vault = shared.core().vault.ok_or_else(no_vault)?;
    let opened = load::open_root(&*shared.places.shelf, vault, secret);
    let root = match opened {
        Ok(root) => root,
        Err(error) => {
            let (code, detail) = (Some(error.code()), Some(error.message().to_owned()));
            shared.core().record(
                caller,
                &Principal::Nobody,
                op,
                Outcome::Denied,
                code,
                detail,
                Vec::new(),
            )?;
            return Err(error);
        }
    };
    let mut rng = (shared.entropy)();
    if matches!(shared.core().phase, Phase::Locked) {
        let _gate = shared.commit_gate();
        let keys = load::open_keys(&*shared.places.shelf, vault, &root)?;
        drop(root);
        let loaded = load::load(&*shared.places.shelf, keys);
        let mut core = shared.core();
        return match loaded {
            Ok(loaded) => core.enter(shared, loaded, caller, op, rng.as_mut()),
            Err(error) => {
                core.note("the vault's rows are not those last written; it stays locked".into());
                core.record_failed(caller, op, &error)?;
                Err(error)
            }
        };
    }
    shared.core().new_session(caller, op, rng.as_mut())
}

impl Core {
    /// Rows that are not those last written. Where the settings among them name no key to record for, the owner
    /// is told all the same: nothing was handed out.
    fn record_failed(&mut self, caller: &Caller, op: OpKind, error: &Error) -> Result<(), Error> {
        if self.log.is_none() {
            return Ok(());
        }
        let (code, cause) = (Some(error.code()), error.cause_text().unwrap_or(error.message()));
        let detail = Some(cause.to_owned());
        self.record(caller, &Principal::Peer, op, Outcome::Failed, code, detail, Vec::new())
    }

    /// Puts a loaded vault in place, with a session for who opened it. What cannot be recorded did not
    /// happen: the vault is locked again.
    pub(crate) fn enter(
        &mut self,
        shared: &Shared,
        loaded: Loaded,
        caller: &Caller,
        op: OpKind,
        rng: &mut dyn Entropy,
    ) -> Result<Unlocked, Error> {
        // Somebody else may have been faster: then what was read is not needed.
        if !matches!(self.phase, Phase::Open(_)) {
            self.install(shared, loaded)?;
            return self.new_session(caller, op, rng).inspect_err(|_| self.lock(None, Some("not recorded")));
        }
        self.new_session(caller, op, rng)
    }

    /// Starts the record of a vault that has none yet.
    fn begin_record(&mut self, shared: &Shared, epoch: u32, public: AuditPublic) -> Result<(), Error> {
        let Some(vault) = self.vault else {
            return Err(no_vault());
        };
        let config = record_config(shared.places.log_dir.clone(), vault, epoch, public);
        let now = self.now();
        let (log, report) = Log::start(config, None, now, (shared.entropy)())?;
        report.findings.into_iter().for_each(|finding| self.note(finding));
        self.log = Some(log);
        Ok(())
    }

    /// Time's floor, the record adopted, what the last lock kept. Where the record does not take it, the vault
    /// stays locked.
    fn install(&mut self, shared: &Shared, loaded: Loaded) -> Result<(), Error> {
        self.time.raise(loaded.state.vault_time);
        let now = self.now();
        if self.stopping {
            return Err(Error::unavailable("the daemon is stopping"));
        }
        if self.log.is_none() {
            self.begin_record(shared, loaded.keys.epoch(), loaded.keys.audit_identity().public())?;
        }
        let head = DbHead { state_seq: loaded.state.sequence, head: loaded.state.audit_head };
        if let Some(log) = &mut self.log {
            let found = log.compare(&head, now)?;
            log.adopt(loaded.keys.audit_identity(), now, loaded.state.sequence)?;
            found.into_iter().for_each(|finding| self.note(finding));
        }
        self.state_seq = loaded.state.sequence;
        self.locked_settings = loaded.settings.clone();
        let noted = loaded.noted;
        let mut open = open_from(loaded, self);
        let newest = self.log.as_ref().map_or(0, |log| log.head().0);
        open.ledger = Ledger::resume(noted, newest, self.time.boot());
        open.tokens.resume(std::mem::take(&mut self.carried));
        open.tokens.count_reserves(now);
        self.phase = Phase::Open(open);
        Ok(())
    }

    /// A new session of the owner, recorded first.
    fn new_session(&mut self, caller: &Caller, op: OpKind, rng: &mut dyn Entropy) -> Result<Unlocked, Error> {
        if !matches!(self.phase, Phase::Open(_)) {
            return Err(Error::locked());
        }
        self.record(caller, &Principal::Peer, op, Outcome::Ok, None, None, Vec::new())?;
        let (now, boot, pinned) = (self.now(), self.time.boot(), self.pin_tokens);
        let Phase::Open(open) = &mut self.phase else {
            return Err(Error::locked());
        };
        let secret = zeroize::Zeroizing::new(array::<32>(rng));
        let id = SessionId::from_bytes(array(rng));
        let from = match &caller.transport {
            Transport::Socket { program: Some(program), .. } => format!("socket, {program}"),
            other => other.label().to_owned(),
        };
        let hash = wire::hash(CredentialKind::Session, &secret);
        open.sessions.open(hash, id, from, now, boot);
        (open.last_activity, open.last_activity_at) = (boot, now);
        let idle = open.settings.session_idle();
        let pin = pinned.then(|| wire::pin_of(open.keys.ca().cert_der()));
        let session = wire::encode(CredentialKind::Session, &secret, pin.as_ref());
        Ok(Unlocked { session, expires_at: now.plus(idle) })
    }
}
