//! `init`: keys, slots, settings and the first state, written as one transaction.

use hqv_crypto::row_state::RowState;
use hqv_crypto::slot::{self, KdfParams};
use hqv_crypto::{Keyring, RootKey, VaultKeys};
use hqv_model::{
    Code, Entropy, Error, OpKind, Row, SecretBytes, SecretText, SlotId, Timestamp, VaultId, array,
};
use hqv_store::Batch;
use std::sync::Arc;

use crate::caller::Caller;
use crate::core::Phase;
use crate::engine::{Engine, Shared};
use crate::open::{Loaded, Open, mac_of};
use crate::rows::settings;
use crate::settings::Settings;

/// Fewest characters of a passphrase, unless the person insists.
pub const MIN_PASSPHRASE: usize = 12;
/// Longest passphrase, in bytes.
pub const MAX_PASSPHRASE: usize = 1024;

/// What `init` answers.
pub struct Made {
    /// The vault's id.
    pub vault: VaultId,
    /// Shown once, on a terminal only.
    pub recovery: SecretText,
    /// An owner's session, so that the vault is ready.
    pub session: SecretText,
    /// When that session ends if it stays idle.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Makes the vault and leaves it unlocked. Socket only.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` where there is one, `BAD_REQUEST` for a weak passphrase, `UNAVAILABLE` where it
    /// cannot be stored.
    pub async fn init(&self, caller: Caller, passphrase: SecretBytes, weak: bool) -> Result<Made, Error> {
        if !caller.transport.is_socket() {
            return Err(
                Error::forbidden("a vault is made over its own socket only").hint("run hq-vault init there")
            );
        }
        check_passphrase(&passphrase, weak)?;
        if !matches!(self.shared.core().phase, Phase::Empty) {
            return Err(exists());
        }
        let turn = self.kdf_turn().await?;
        let engine = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let made = make(&engine.shared, &caller, &passphrase)?;
            engine.shared.tell_lock();
            engine.renew_leaf();
            Ok(made)
        });
        made.await.unwrap_or_else(|e| Err(Error::internal("making the vault failed").cause(e)))
    }
}

/// Twelve characters, or the person's word that fewer will do; never none.
pub fn check_passphrase(passphrase: &SecretBytes, weak: bool) -> Result<(), Error> {
    let text = std::str::from_utf8(passphrase.reveal()).ok();
    let characters = text.map_or(passphrase.len(), |t| t.chars().count());
    if passphrase.len() > MAX_PASSPHRASE {
        return Err(Error::bad_request(format!("a passphrase has at most {MAX_PASSPHRASE} bytes")));
    }
    if passphrase.is_empty() {
        return Err(Error::bad_request("the passphrase is empty"));
    }
    if characters < MIN_PASSPHRASE && !weak {
        let say = format!("the passphrase has {characters} characters; at least {MIN_PASSPHRASE} are needed");
        return Err(Error::bad_request(say).hint("use a longer one, or insist with --weak"));
    }
    Ok(())
}

fn exists() -> Error {
    Error::new(Code::AlreadyExists, "a vault is here already").hint("hq-vault init --force moves it aside")
}

fn make(shared: &Shared, caller: &Caller, passphrase: &SecretBytes) -> Result<Made, Error> {
    let mut rng = (shared.entropy)();
    let rng = rng.as_mut();
    let vault = VaultId::from_bytes(array(rng));
    let root = RootKey::generate(rng);
    let (slots, recovery) = slots(&root, vault, passphrase, shared.kdf, rng)?;
    let keyring = Keyring::generate(vault, rng)?;
    let keyring_row = keyring.seal(&root, vault, 0, 1, rng);
    let keys = Arc::new(VaultKeys::new(vault, 0, keyring));
    drop(root);
    let settings = Settings::initial()?;
    let setting_rows = settings::seal(&keys, &settings, &[], rng);
    let mut core = shared.core();
    let now = core.now();
    let mut state = RowState::default();
    (state.sequence, state.vault_time) = (1, now);
    let mut batch = Batch::from([slots, vec![keyring_row], setting_rows.clone()].concat());
    for row in &batch.put {
        state.add(row.header.kind, &mac_of(&keys, row));
    }
    batch.put.push(state.seal(&keys, rng));
    if !matches!(core.phase, Phase::Empty) {
        return Err(exists());
    }
    if core.stopping {
        return Err(Error::unavailable("the daemon is stopping"));
    }
    if let Err(error) = shared.places.shelf.create(vault, batch) {
        // An error may hide a success: what the shelf holds decides.
        if !matches!(shared.places.shelf.vault_id(), Ok(Some(made)) if made == vault) {
            return Err(error.to_error());
        }
    }
    let loaded = Loaded {
        keys,
        secrets: Default::default(),
        tokens: Default::default(),
        settings,
        setting_rows,
        state,
        noted: 0,
    };
    core.vault = Some(vault);
    core.phase = Phase::Locked;
    let opened = core.enter(shared, loaded, caller, OpKind::Init, rng)?;
    Ok(Made { vault, recovery, session: opened.session, expires_at: opened.expires_at })
}

fn slots(
    root: &RootKey,
    vault: VaultId,
    passphrase: &SecretBytes,
    kdf: KdfParams,
    rng: &mut dyn Entropy,
) -> Result<(Vec<Row>, SecretText), Error> {
    let id = SlotId::from_bytes(array(rng));
    let first = slot::seal_passphrase(root, vault, id, passphrase, kdf, rng)
        .map_err(|e| Error::unavailable("there is not enough memory to derive the key").cause(e))?;
    let id = SlotId::from_bytes(array(rng));
    let (second, recovery) = slot::seal_recovery(root, vault, id, rng);
    Ok((vec![first, second], recovery))
}

/// Used by `install`, which `unlock` shares.
pub(crate) fn open_from(loaded: Loaded, core: &mut crate::core::Core) -> Box<Open> {
    core.generation = core.generation.saturating_add(1);
    let (boot, now) = (core.time.boot(), core.now());
    Box::new(Open::new(loaded, boot, now, core.generation))
}
