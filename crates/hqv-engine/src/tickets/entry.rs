//! An entry: a one-time place for one value. It holds no value, only where one will stand.

use hqv_crypto::entry_seal::{EntryKey, PUBLIC};
use hqv_model::{EntryId, EntryRoute, SecretPath, SecretText, SecretType, TicketCode, Timestamp, VaultId};
use std::sync::Arc;

use super::secret::Latch;
use super::{AskedBy, Ticket};

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It waits for a person.
    Waiting,
    /// The value is stored, and durable.
    Stored(EntryStored),
    /// The person refused.
    Refused,
    /// Nobody answered in time.
    Expired,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryStored {
    /// Where it stands.
    pub path: SecretPath,
    /// The value's length.
    pub bytes: u64,
    /// Its type.
    pub kind: SecretType,
    /// The version it became.
    pub version: u64,
    /// By which way it came.
    pub route: EntryRoute,
}

/// What proves the right to answer.
///
/// ```compile_fail
/// println!("{:?}", hqv_engine::tickets::Proof::Owner);
/// ```
/// ```compile_fail
/// let same = hqv_engine::tickets::Proof::Owner == hqv_engine::tickets::Proof::Owner;
/// ```
pub enum Proof {
    /// The entry's submit secret.
    Submit(SecretText),
    /// The caller is the owner.
    Owner,
}

/// The part of an entry that its kind of ticket adds.
pub struct Entry {
    /// Where the value will stand.
    pub path: SecretPath,
    /// Its type; what stands there, or `other`, where none was named.
    pub kind: Option<SecretType>,
    /// Its description, as given.
    pub description: Option<String>,
    /// It may replace what stands there.
    pub overwrite: bool,
    /// How somebody else than the owner may answer it.
    pub submit: Option<Submit>,
    /// What became of it.
    pub state: EntryState,
}

/// How somebody else than the owner may answer an entry.
pub struct Submit {
    /// What the secret is checked by, to the end.
    pub latch: Latch,
    /// What is still needed while it waits.
    pub open: Option<SubmitOpen>,
}

/// Gone once the entry is over.
pub struct SubmitOpen {
    /// The secret, for the same command run again.
    pub secret: SecretText,
    /// The key that the page seals to.
    pub key: Arc<EntryKey>,
}

impl Entry {
    /// The secret, once more, while the entry waits.
    pub fn secret(&self) -> Option<SecretText> {
        let open = self.submit.as_ref()?.open.as_ref()?;
        Some(SecretText::new(open.secret.reveal().to_owned()))
    }

    /// The page's key, while the entry waits.
    pub fn key(&self) -> Option<&Arc<EntryKey>> {
        Some(&self.submit.as_ref()?.open.as_ref()?.key)
    }

    /// Whether this is the entry's submit secret.
    pub fn opens(&self, secret: &SecretText) -> bool {
        self.submit.as_ref().is_some_and(|submit| submit.latch.opens(secret))
    }

    /// It is over: nothing that could answer it stays.
    pub fn over(&mut self, state: EntryState) {
        self.state = state;
        if let Some(submit) = &mut self.submit {
            submit.open = None;
        }
    }
}

/// An entry, for a person to judge. No secret is in it.
#[derive(Clone, Debug)]
pub struct EntryView {
    /// Its id.
    pub id: EntryId,
    /// Its code.
    pub code: TicketCode,
    /// The vault it is for.
    pub vault: VaultId,
    /// Where the value will stand.
    pub path: SecretPath,
    /// The type that was named.
    pub kind: Option<SecretType>,
    /// The description that was given: whoever shows it escapes it.
    pub description: Option<String>,
    /// It may replace what stands there.
    pub overwrite: bool,
    /// Whether something stands there now; unknown while locked.
    pub exists: Option<bool>,
    /// Only the owner's `answer` can store its value.
    pub answer_only: bool,
    /// The key that the page seals to, while it waits.
    pub public: Option<[u8; PUBLIC]>,
    /// Who asks.
    pub by: AskedBy,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What became of it.
    pub state: EntryState,
}

impl Ticket<EntryId, Entry> {
    /// What a person is shown. `answer_only`: the vault's setting.
    pub fn view(&self, vault: VaultId, exists: Option<bool>, answer_only: bool, end: Timestamp) -> EntryView {
        let entry = &self.body;
        EntryView {
            id: self.id,
            code: self.code,
            vault,
            path: entry.path.clone(),
            kind: entry.kind,
            description: entry.description.clone(),
            overwrite: entry.overwrite,
            exists,
            answer_only: answer_only || entry.submit.is_none(),
            public: entry.key().map(|key| key.public()),
            by: self.by.clone(),
            opened: self.opened,
            expires: end,
            state: entry.state.clone(),
        }
    }
}
