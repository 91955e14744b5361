//! `ask`: somebody asks for a token, with the exact grant it wants. The same command run again joins its ask.

use hqv_model::{
    AskId, AskRef, Error, OpKind, Scope, SecretText, TicketCode, Timestamp, TokenName, Ttl, UseLimit,
};

use super::ask_collect::no_ask;
use crate::caller::Caller;
use crate::core::Core;
use crate::engine::Engine;
use crate::tickets::{Ask, AskState, Asker, Called, Latch, fresh};

/// The longest reason, in bytes.
pub const MAX_REASON: usize = 1000;

/// See the module's comment.
pub struct AskCreate {
    /// What the token shall be allowed.
    pub rules: Scope,
    /// How long it shall live; the vault's default where none is named.
    pub ttl: Option<Ttl>,
    /// How often it may be used.
    pub max_uses: Option<UseLimit>,
    /// Why: at most 1,000 bytes.
    pub reason: String,
    /// What it shall be called; `ask-` and the code where none is named.
    pub name: Option<TokenName>,
    /// What the client says of itself.
    pub asker: Asker,
}

/// What `ask` answers.
pub struct AskOpened {
    /// The ask's id.
    pub id: AskId,
    /// What people call it.
    pub code: TicketCode,
    /// What the token will be handed to: the newest claim alone collects it, once.
    pub claim: SecretText,
    /// When it ends.
    pub expires: Timestamp,
    /// What became of it so far.
    pub state: AskState,
    /// It was there already.
    pub joined: bool,
}

impl Engine {
    /// Asks, or joins the caller's own ask of the same content and from the same directory that is not
    /// collected or expired. Each run gets a claim of its own and makes the one before it worthless. Works on
    /// the socket while the vault is locked.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a reason that is too long, `RATE_LIMITED`, `UNAUTHORIZED` without credential
    /// elsewhere than on the socket.
    pub fn ask_create(&self, caller: &Caller, new: AskCreate) -> Result<AskOpened, Error> {
        let (opened, command) = {
            let mut core = self.shared.core();
            let opened = core.ask_create(caller, new)?;
            (opened, core.obeyed().notify_command.clone())
        };
        if !opened.joined {
            self.shared.hooks.notify(command.as_deref(), &opened.code.to_string());
        }
        Ok(opened)
    }
}

impl Core {
    fn ask_create(&mut self, caller: &Caller, new: AskCreate) -> Result<AskOpened, Error> {
        let called = self.called(caller, OpKind::AskCreate)?;
        let found = match self.ask_or_room(&called, &new) {
            Ok(found) => found,
            Err(error) => return Err(self.ticket_refused(&called, error, Vec::new(), false)),
        };
        let claim = fresh(self.rng.as_mut());
        let latch = Latch::of(&claim);
        let (id, joined) = match found {
            Some((id, recorded)) => {
                self.join_ask(&called, (id, recorded), latch, new.asker)?;
                (id, true)
            }
            None => (self.open_ask(&called, new, latch)?, false),
        };
        self.tickets.tell();
        let ask = self.tickets.ask(&AskRef::Id(id)).ok_or_else(no_ask)?;
        let expires = ask.expires(called.now, called.boot);
        Ok(AskOpened { id, code: ask.code, claim, expires, state: ask.body.state, joined })
    }

    /// The ask to join and whether that is recorded, or the room for a new one. From another directory the
    /// same words are another ask: two agents of one user are one caller here, and must not get each other's
    /// token.
    fn ask_or_room(&mut self, called: &Called<'_>, new: &AskCreate) -> Result<Option<(AskId, bool)>, Error> {
        let seat = called.seat()?;
        let directory = new.asker.clone().tamed().directory;
        if new.reason.len() > MAX_REASON {
            return Err(Error::bad_request(format!("the reason is longer than {MAX_REASON} bytes")));
        }
        let same = self.tickets.asks.iter_mut().rev().find(|ask| {
            let body = &ask.body;
            let one = body.rules == new.rules && body.ttl == new.ttl && body.max_uses == new.max_uses;
            let lasts = matches!(body.state, AskState::Waiting | AskState::Approved | AskState::Denied);
            let words = body.reason == new.reason && body.name == new.name;
            let place = ask.by.claims.directory == directory;
            one && words && place && lasts && !ask.busy && ask.seat.is(seat)
        });
        if let Some(ask) = same {
            return Ok(Some((ask.id, ask.join(called.boot))));
        }
        self.tickets.room(seat).map(|()| None)
    }

    /// A newer run takes the older one's place. Before the decision the owner is shown who asks now, so an
    /// approval of what was shown before no longer fits.
    fn join_ask(
        &mut self,
        called: &Called<'_>,
        (id, recorded): (AskId, bool),
        claim: Latch,
        asker: Asker,
    ) -> Result<(), Error> {
        let seat = called.seat()?.clone();
        let code = self.tickets.ask(&AskRef::Id(id)).ok_or_else(no_ask)?.code;
        if recorded {
            self.ticket_done(called, format!("ask {code} {id} joined"), Vec::new())?;
        }
        let ask = self.tickets.ask(&AskRef::Id(id)).ok_or_else(no_ask)?;
        ask.body.claim = claim;
        if ask.body.state == AskState::Waiting {
            ask.by = seat.asked_by(asker.tamed());
        }
        Ok(())
    }

    fn open_ask(&mut self, called: &Called<'_>, new: AskCreate, claim: Latch) -> Result<AskId, Error> {
        let body = Ask {
            rules: new.rules,
            ttl: new.ttl,
            max_uses: new.max_uses,
            reason: new.reason,
            name: new.name,
            claim,
            grant: None,
            state: AskState::Waiting,
        };
        let holder = (called.seat()?.clone(), new.asker);
        let when = (called.now, called.boot);
        let ask = self.tickets.make(self.rng.as_mut(), AskId::from_bytes, holder, when, body);
        let (id, code, rules) = (ask.id, ask.code, ask.body.rules.to_string());
        self.ticket_done(called, format!("ask {code} {id} opened: {rules}"), Vec::new())?;
        self.tickets.asks.push(ask);
        Ok(id)
    }
}
