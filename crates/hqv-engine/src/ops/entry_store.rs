//! The value comes in through an entry: from a prompt or a page by its submit secret, or by the owner's
//! `answer`.
//!
//! Everything is looked at twice. First here, under the mutex, so that nobody without the right secret brings
//! values into the writer's queue; the page's message is then opened outside of it. Then again on the writer,
//! where the entry, who asked for it, the path and the settings may have changed meanwhile: that is what
//! counts.

use hqv_crypto::entry_seal::{EntryKey, TAG, info};
use hqv_model::{
    Actor, Code, EntryId, EntryRef, EntryRoute, Error, OpKind, SecretBytes, SecretPath, Verdict,
};
use std::sync::Arc;

use super::entry_create::OVERWRITE;
use super::put::{MAX_VALUE, Put, PutCondition};
use crate::caller::{Caller, Principal, Transport};
use crate::core::{Core, Phase, no_vault, unauthorized};
use crate::engine::Engine;
use crate::operation::{Operation, View};
use crate::settings::EntryRequire;
use crate::tickets::{Called, Entry, EntryState, EntryStored, Proof, Ticket, in_force, known, may_replace};
use crate::writer::Waiting;

/// See the module's comment.
pub struct EntryStore {
    /// Which entry.
    pub entry: EntryRef,
    /// By what right.
    pub proof: Proof,
    /// The value.
    pub value: Brought,
    /// The way it came: `ingest-tty` or `ingest-tmux` in plain with the submit secret, `ingest-page` sealed
    /// over the page, `answer` in plain by the owner. Nothing else goes together.
    pub route: EntryRoute,
}

/// A value as it was brought.
pub enum Brought {
    /// As typed: at most 1 MiB. Whether nothing is meant is asked where it is typed (`--allow-empty`).
    Plain(SecretBytes),
    /// Sealed to the entry's key: 1 byte to 1 MiB.
    Sealed {
        /// The encapsulated key.
        enc: Vec<u8>,
        /// The value and its tag.
        ciphertext: Vec<u8>,
    },
}

/// What is known after the first look.
struct Accepted {
    id: EntryId,
    path: SecretPath,
    key: Option<Arc<EntryKey>>,
    info: Vec<u8>,
}

impl Engine {
    /// Stores the value and answers once it is durable. Of several in a race exactly one does; what fails
    /// leaves the entry waiting.
    ///
    /// # Errors
    /// As [`Engine::entry_about`]; `CONFLICT` where it is over or just being answered; `FORBIDDEN` for a
    /// route that does not fit, where the owner's answer is needed, and where who asked may no longer;
    /// `ALREADY_EXISTS` where something came to stand there; `BAD_REQUEST` for nothing from the page and for what
    /// does not open; `TOO_LARGE`; `VAULT_LOCKED`; `UNAVAILABLE` where it could not be stored.
    pub async fn entry_store(&self, caller: Caller, store: EntryStore) -> Result<EntryStored, Error> {
        let owner = matches!(store.proof, Proof::Owner);
        let (id, path, value) = self.accept(&caller, &store.entry, &store.proof, store.value, store.route)?;
        let (job, receive) = Waiting::new(caller, StoreValue { id, path, value, route: store.route, owner });
        self.shared.queue.push(job)?;
        receive.await.unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))
    }

    fn accept(
        &self,
        caller: &Caller,
        entry: &EntryRef,
        proof: &Proof,
        value: Brought,
        route: EntryRoute,
    ) -> Result<(EntryId, SecretPath, SecretBytes), Error> {
        let (called, accepted) = {
            let mut core = self.shared.core();
            let called = core.called(caller, OpKind::EntryStore)?;
            let accepted = core.first_look(&called, entry, proof, (&value, route))?;
            (called, accepted)
        };
        let opened = match (value, &accepted.key) {
            (Brought::Plain(value), _) => fits(value.len()).map(|()| value),
            (Brought::Sealed { enc, ciphertext }, Some(key)) => key
                .open(&accepted.info, &enc, &ciphertext)
                .map_err(|_| does_not_open())
                .and_then(|value| something(value.len()).map(|()| value)),
            (Brought::Sealed { .. }, None) => Err(does_not_open()),
        };
        match opened {
            Ok(value) => Ok((accepted.id, accepted.path, value)),
            Err(error) => {
                let items = known(&accepted.path, called.op);
                let mut core = self.shared.core();
                let full = core.tickets.entry(&EntryRef::Id(accepted.id)).is_some_and(Ticket::complain);
                Err(core.ticket_refused(&called, error, items, full))
            }
        }
    }
}

impl Core {
    fn first_look(
        &mut self,
        called: &Called<'_>,
        entry: &EntryRef,
        proof: &Proof,
        brought: (&Brought, EntryRoute),
    ) -> Result<Accepted, Error> {
        let id = self.prove(called, entry, proof)?;
        let vault = self.vault.ok_or_else(no_vault)?;
        let locked = matches!(self.phase, Phase::Locked);
        let require = self.obeyed().entry_require;
        let entry = self.tickets.entry(&EntryRef::Id(id)).ok_or_else(no_entry)?;
        let checked = if locked { Err(Error::locked()) } else { Ok(()) }
            .and_then(|()| waiting(entry))
            .and_then(|()| goes_together(proof, brought, &called.caller.transport))
            .and_then(|()| policy(require, matches!(proof, Proof::Owner)));
        let path = entry.body.path.clone();
        if let Err(error) = checked {
            let full = entry.complain();
            return Err(self.ticket_refused(called, error, known(&path, called.op), full));
        }
        let info = info(vault, id, &path, entry.body.overwrite);
        Ok(Accepted { id, key: entry.body.key().cloned(), info, path })
    }
}

/// Which proof, value and route go together.
fn goes_together(
    proof: &Proof,
    (value, route): (&Brought, EntryRoute),
    way: &Transport,
) -> Result<(), Error> {
    let page = *way == Transport::Page;
    let fits_in = match (proof, value, route) {
        (Proof::Submit(_), Brought::Plain(_), EntryRoute::IngestTty | EntryRoute::IngestTmux) => !page,
        (Proof::Submit(_), Brought::Sealed { .. }, EntryRoute::IngestPage) => page,
        (Proof::Owner, Brought::Plain(_), EntryRoute::Answer) => !page,
        _ => false,
    };
    if !fits_in {
        return Err(Error::forbidden(format!("a value does not come in as {route} this way")));
    }
    match value {
        Brought::Plain(value) => fits(value.len()),
        Brought::Sealed { ciphertext, .. } => something(ciphertext.len().saturating_sub(TAG)),
    }
}

/// `entry.require answer`: only the owner.
fn policy(require: EntryRequire, owner: bool) -> Result<(), Error> {
    if require == EntryRequire::Answer && !owner {
        return Err(Error::forbidden("this vault takes values by the owner's answer alone")
            .hint("run hq-vault answer in a terminal of your own"));
    }
    Ok(())
}

/// A page has no way to say that nothing is meant.
fn something(bytes: usize) -> Result<(), Error> {
    if bytes == 0 {
        return Err(Error::bad_request("nothing was entered").hint("type or paste the value, then send it"));
    }
    fits(bytes)
}

fn fits(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_VALUE {
        return Err(Error::too_large(format!("the value has {bytes} bytes; at most {MAX_VALUE} are kept")));
    }
    Ok(())
}

fn does_not_open() -> Error {
    Error::bad_request("what was sent does not open with this entry's key").hint("load the page again")
}

/// One answer for every wrong id, code and secret.
pub(crate) fn no_entry() -> Error {
    Error::not_found("no such entry waits here")
        .hint("hq-vault pending lists them; one that has ended is forgotten after 10 minutes")
}

/// Whether the entry can still be answered; else what became of it.
pub(crate) fn waiting(entry: &Ticket<EntryId, Entry>) -> Result<(), Error> {
    let over = match entry.body.state {
        EntryState::Waiting if entry.busy => "was answered a moment ago",
        EntryState::Waiting => return Ok(()),
        EntryState::Stored(_) => "was answered already",
        EntryState::Refused => "was refused",
        EntryState::Expired => "has expired",
    };
    Err(Error::conflict(format!("this entry {over}")).hint("run the command that asked for it again"))
}

/// The second look, on the writer. Who may was decided by [`Core::first_look`]; `perform` decides it again.
struct StoreValue {
    id: EntryId,
    path: SecretPath,
    value: SecretBytes,
    route: EntryRoute,
    owner: bool,
}

impl Operation for StoreValue {
    type Answer = EntryStored;
    const KIND: OpKind = OpKind::EntryStore;
    const WRITES: bool = true;
    const ACTIVITY: bool = false;

    fn judge(&self, _: &Actor<'_>) -> Verdict {
        Verdict::Allow { rule: None }
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.path]
    }

    fn weight(&self) -> usize {
        self.value.len()
    }

    fn perform(self, view: &mut View<'_>) -> Result<EntryStored, Error> {
        policy(view.open.settings(view.staged).entry_require, self.owner)?;
        let entry = view.tickets.entry(&EntryRef::Id(self.id)).ok_or_else(no_entry)?;
        waiting(entry)?;
        let (who, code, overwrite) = (entry.seat.who.clone(), entry.code, entry.body.overwrite);
        let (kind, description) = (entry.body.kind, entry.body.description.clone());
        in_force(view, &who, &self.path)?;
        let writer = match (self.owner, view.principal) {
            (true, Principal::Owner(_)) => view.writer(),
            (true, _) => return Err(unauthorized()),
            (false, _) => who.writer(),
        };
        let stands = view.find(&self.path)?.is_some_and(|(_, body)| body.deleted.is_none());
        if stands && overwrite && !self.owner {
            may_replace(view, &who, &self.path)?;
        }
        view.detail = Some(format!("entry {code} {} by {}, asked by {}", self.id, self.route, who.label()));
        let put = Put {
            path: self.path.clone(),
            value: self.value,
            kind,
            description,
            tags: None,
            expires: None,
            env: None,
            route: self.route,
            condition: if overwrite { PutCondition::Any } else { PutCondition::Absent },
        };
        let done = put.store(view, writer, Self::KIND.as_str()).map_err(|error| match error.code() {
            Code::AlreadyExists => error.hint(OVERWRITE),
            _ => error,
        })?;
        let stored = EntryStored {
            path: self.path,
            bytes: done.bytes,
            kind: done.meta.meta.kind,
            version: done.meta.version,
            route: self.route,
        };
        view.tickets.stage_stored(self.id, stored.clone(), view.boot);
        Ok(stored)
    }
}
