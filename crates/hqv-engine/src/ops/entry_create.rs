//! `ingest`: somebody asks for a value that a person shall type. The same command run again joins its entry.

use hqv_crypto::entry_seal::{EntryKey, PUBLIC};
use hqv_model::{
    Capability, Code, EntryId, EntryRef, Error, Need, OpKind, SecretMeta, SecretPath, SecretText, SecretType,
    TicketCode, Timestamp, Verdict, decide, escape_controls,
};
use std::sync::Arc;

use crate::caller::{Caller, Principal};
use crate::core::{Core, WHAT_IT_MAY, unauthorized};
use crate::engine::Engine;
use crate::settings::EntryRequire;
use crate::tickets::{Asker, Called, Entry, EntryState, Latch, Submit, SubmitOpen, fresh, known};

/// See the module's comment.
pub struct EntryCreate {
    /// Where the value shall stand.
    pub path: SecretPath,
    /// Its type; what stands there, or `other`, where none is named.
    pub kind: Option<SecretType>,
    /// What it is for: at most 1,024 bytes.
    pub description: Option<String>,
    /// It may replace what stands there.
    pub overwrite: bool,
    /// What the client says of itself.
    pub asker: Asker,
}

/// What `ingest` answers.
pub struct EntryOpened {
    /// The entry's id.
    pub id: EntryId,
    /// What people call it.
    pub code: TicketCode,
    /// When it ends.
    pub expires: Timestamp,
    /// What lets the caller's own prompt or page answer it. None where only the owner can, and once it is
    /// over.
    pub submit: Option<SecretText>,
    /// The key that the page seals to; there with `submit`.
    pub public: Option<[u8; PUBLIC]>,
    /// What became of it so far.
    pub state: EntryState,
    /// It was there already.
    pub joined: bool,
}

impl Engine {
    /// Opens an entry, or joins the caller's own of the same content: one that waits, or one that was
    /// answered or refused within the last ten minutes. Works on the socket while the vault is locked.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a description that is too long, `FORBIDDEN` for a token that may neither `ingest`
    /// nor `write` there, `ALREADY_EXISTS` where something stands there and `overwrite` is off,
    /// `RATE_LIMITED` for more than is kept of one caller or in all, `UNAUTHORIZED` without credential
    /// elsewhere than on the socket.
    pub fn entry_create(&self, caller: &Caller, new: EntryCreate) -> Result<EntryOpened, Error> {
        let (opened, command) = {
            let mut core = self.shared.core();
            let opened = core.entry_create(caller, new)?;
            (opened, core.obeyed().notify_command.clone())
        };
        if !opened.joined {
            self.shared.hooks.notify(command.as_deref(), &opened.code.to_string());
        }
        Ok(opened)
    }
}

impl Core {
    fn entry_create(&mut self, caller: &Caller, new: EntryCreate) -> Result<EntryOpened, Error> {
        let called = self.called(caller, OpKind::EntryCreate)?;
        let items = known(&new.path, called.op);
        let found = match self.find_or_room(&called, &new) {
            Ok(found) => found,
            Err(error) => return Err(self.ticket_refused(&called, error, items, false)),
        };
        let (id, joined) = match found {
            Some((id, code, recorded)) => {
                if recorded {
                    self.ticket_done(&called, format!("entry {code} {id} joined"), items)?;
                }
                (id, true)
            }
            None => (self.open_entry(&called, new)?, false),
        };
        let answer_only = self.obeyed().entry_require == EntryRequire::Answer;
        let (now, boot) = (called.now, called.boot);
        let entry = self.tickets.entry(&EntryRef::Id(id)).ok_or_else(super::entry_store::no_entry)?;
        let submit = if answer_only { None } else { entry.body.secret() };
        Ok(EntryOpened {
            id,
            code: entry.code,
            expires: entry.expires(now, boot),
            public: submit.as_ref().and_then(|_| entry.body.key()).map(|key| key.public()),
            submit,
            state: entry.body.state.clone(),
            joined,
        })
    }

    /// The entry to join and whether that is recorded, or the room for a new one. Decides who may.
    fn find_or_room(
        &mut self,
        called: &Called<'_>,
        new: &EntryCreate,
    ) -> Result<Option<(EntryId, TicketCode, bool)>, Error> {
        may_ingest(called, &new.path)?;
        let meta =
            SecretMeta { description: new.description.clone().unwrap_or_default(), ..Default::default() };
        meta.validate()?;
        let stands = self.stands(&new.path);
        let seat = called.seat()?;
        // The newest of them, should there be several.
        let same = self.tickets.entries.iter_mut().rev().find(|entry| {
            let body = &entry.body;
            let one = body.path == new.path && body.kind == new.kind && body.overwrite == new.overwrite;
            let lasts = match body.state {
                EntryState::Waiting | EntryState::Refused => true,
                EntryState::Stored(_) => stands != Some(false),
                EntryState::Expired => false,
            };
            one && body.description == new.description && lasts && entry.seat.is(seat)
        });
        if let Some(entry) = same {
            return Ok(Some((entry.id, entry.code, entry.join(called.boot))));
        }
        if stands == Some(true) && !new.overwrite {
            let say = format!("there is a secret at {} already", escape_controls(new.path.as_str()));
            return Err(Error::new(Code::AlreadyExists, say).hint(OVERWRITE));
        }
        self.tickets.room(seat).map(|()| None)
    }

    fn open_entry(&mut self, called: &Called<'_>, new: EntryCreate) -> Result<EntryId, Error> {
        let answer_only = self.obeyed().entry_require == EntryRequire::Answer;
        let submits = !answer_only && (!new.overwrite || may_replace(called, &new.path));
        let rng = self.rng.as_mut();
        let submit = submits.then(|| {
            let secret = fresh(rng);
            let latch = Latch::of(&secret);
            Submit { latch, open: Some(SubmitOpen { secret, key: Arc::new(EntryKey::new(rng)) }) }
        });
        let body = Entry {
            path: new.path,
            kind: new.kind,
            description: new.description,
            overwrite: new.overwrite,
            submit,
            state: EntryState::Waiting,
        };
        let holder = (called.seat()?.clone(), new.asker);
        let when = (called.now, called.boot);
        let entry = self.tickets.make(rng, EntryId::from_bytes, holder, when, body);
        let (id, items) = (entry.id, known(&entry.body.path, called.op));
        let how = match (&entry.body.submit, entry.body.overwrite) {
            (None, _) => ", for the owner's answer",
            (Some(_), true) => ", may replace",
            (Some(_), false) => "",
        };
        self.ticket_done(called, format!("entry {} {id} opened{how}", entry.code), items)?;
        self.tickets.entries.push(entry);
        self.tickets.tell();
        Ok(id)
    }
}

/// The way on where something stands at the path.
pub(crate) const OVERWRITE: &str = "ask again with --overwrite: the owner's hq-vault answer then replaces it";

/// Any process of the same user on the socket may ask; a token needs `ingest` or `write` there.
fn may_ingest(called: &Called<'_>, path: &SecretPath) -> Result<(), Error> {
    if matches!(called.principal, Principal::Peer) {
        return Ok(());
    }
    match decide(&called.actor(), &Need::AnyOf(&[Capability::Ingest, Capability::Write], path)) {
        Verdict::Allow { .. } => Ok(()),
        Verdict::Deny(_) if called.seat.is_none() => Err(unauthorized()),
        Verdict::Deny(reason) => Err(Error::forbidden(reason.to_string()).hint(WHAT_IT_MAY)),
    }
}

/// Whether the caller could write there anyway: then its own prompt may replace what stands there.
fn may_replace(called: &Called<'_>, path: &SecretPath) -> bool {
    matches!(decide(&called.actor(), &Need::Path(Capability::Write, path)), Verdict::Allow { .. })
}
