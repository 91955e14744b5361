//! One request as a handler sees it: who asks, over what, and the parts that its call needs.

use hqv_api::percent;
use hqv_engine::ops::session_end::WhichSession;
use hqv_engine::ops::token_self::TokenSelf;
use hqv_engine::{Caller, Credential, Engine};
use hqv_model::{AskId, AskRef, EntryId, EntryRef, Error, OpKind, Prefix, SecretPath, SessionId, TokenRef};
use http::HeaderValue;
use hyper::body::Incoming;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::errors::Refusal;
use crate::service::Shared;
use crate::way::Way;

/// A request without body.
pub struct Ask {
    /// The server.
    pub shared: Arc<Shared>,
    /// The way in.
    pub way: Arc<Way>,
    /// For the engine.
    pub caller: Caller,
    /// The query, as it came.
    pub query: Option<String>,
}

impl Ask {
    /// The vault.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// What a known caller asked for and nothing can be is recorded before it is refused.
    pub fn meaningless(&self, op: OpKind, refusal: Refusal) -> Refusal {
        self.engine().meaningless(&self.caller, op, refusal.error().clone()).into()
    }

    /// For a call that takes no query.
    ///
    /// # Errors
    /// `BAD_REQUEST`.
    pub fn no_query(&self) -> Result<(), Refusal> {
        match self.query.as_deref() {
            None | Some("") => Ok(()),
            Some(_) => Err(Error::bad_request("this address takes no query").into()),
        }
    }
}

/// The body that came with a request, not yet read.
pub struct Carried {
    /// The bytes to come.
    pub body: Incoming,
    /// `If-Match`.
    pub if_match: Option<HeaderValue>,
    /// `If-None-Match`.
    pub if_none_match: Option<HeaderValue>,
}

impl Carried {
    /// Reads it, for a call that needs a credential. A caller whose credential is not one of ours is refused first, so that
    /// a stranger's bytes are not kept.
    ///
    /// # Errors
    /// The engine's for the credential; [`size::Reader::read`]'s.
    ///
    /// [`size::Reader::read`]: crate::guard::size::Reader::read
    pub async fn read(self, ask: &Ask, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        if !known(ask) {
            // The engine says what is wrong, and counts it. Only a caller that it knows has this recorded.
            let refused = ask.engine().run(again(&ask.caller), TokenSelf).await;
            refused.map_err(|error| Refusal::from(error).closing())?;
        }
        self.read_from_anybody(ask, limit).await
    }

    /// Reads it, for a call that a peer on the socket may make with or without a credential (which a locked vault could
    /// not judge), and over TCP only who has one.
    ///
    /// # Errors
    /// As [`Carried::read`].
    pub async fn read_from_peer(self, ask: &Ask, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        if ask.way.is_socket() {
            self.read_from_anybody(ask, limit).await
        } else {
            self.read(ask, limit).await
        }
    }

    /// Reads it, for a call that a peer on the socket may make without a credential.
    ///
    /// # Errors
    /// [`size::Reader::read`]'s.
    ///
    /// [`size::Reader::read`]: crate::guard::size::Reader::read
    pub async fn read_from_anybody(self, ask: &Ask, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        ask.shared.bodies.read(self.body, limit).await
    }
}

/// Cheap, and only of what would be refused anyway: a locked vault knows nobody.
fn known(ask: &Ask) -> bool {
    let unlocked = *ask.engine().lock_events().borrow();
    let credential = ask.caller.credential.as_ref();
    unlocked && credential.is_some_and(|c| ask.engine().known(c, &ask.caller.transport))
}

/// The same caller once more, for a handler that needs two operations.
pub fn again(caller: &Caller) -> Caller {
    Caller {
        credential: caller.credential.as_ref().map(Credential::again),
        transport: caller.transport.clone(),
        request: caller.request,
        agent: caller.agent.clone(),
        claim: caller.claim.clone(),
        reason: caller.reason.clone(),
    }
}

/// A secret's path from the tail of a target, with plain slashes or `%2F`.
///
/// # Errors
/// `BAD_REQUEST` with the reason.
pub fn secret_path(tail: &str) -> Result<SecretPath, Refusal> {
    // Most paths need no decoding, and then no copy either.
    let path =
        if tail.contains('%') { SecretPath::parse(&percent::decode(tail)?) } else { SecretPath::parse(tail) };
    Ok(path?)
}

/// A token's id, name or ancestry from one segment of a target.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn token_ref(tail: &str) -> Result<TokenRef, Refusal> {
    Ok(TokenRef::parse(&percent::decode(tail)?)?)
}

/// A session from one segment of a target: its id, or `self`.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn session(tail: &str) -> Result<WhichSession, Refusal> {
    match tail {
        "self" => Ok(WhichSession::Mine),
        id => Ok(WhichSession::One(SessionId::parse(&percent::decode(id)?)?)),
    }
}

/// An entry's id or code from one segment of a target.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn entry_ref(tail: &str) -> Result<EntryRef, Refusal> {
    Ok(EntryRef::parse(&percent::decode(tail)?)?)
}

/// An entry's id from one segment of a target.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn entry_id(tail: &str) -> Result<EntryId, Refusal> {
    Ok(EntryId::parse(&percent::decode(tail)?)?)
}

/// An ask's id or code from one segment of a target.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn ask_ref(tail: &str) -> Result<AskRef, Refusal> {
    Ok(AskRef::parse(&percent::decode(tail)?)?)
}

/// An ask's id from one segment of a target.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn ask_id(tail: &str) -> Result<AskId, Refusal> {
    Ok(AskId::parse(&percent::decode(tail)?)?)
}

/// A prefix from a query or body; absent is everything.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn prefix(text: Option<&str>) -> Result<Prefix, Refusal> {
    Ok(Prefix::parse(text.unwrap_or_default())?)
}
