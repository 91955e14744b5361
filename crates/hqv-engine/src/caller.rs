//! Who calls, over what, with which credential: what the server knows and the engine judges.

use hqv_crypto::wire::Credential;
use hqv_model::{Actor, RequestId, SessionId, TokenId};
use std::sync::Arc;

use crate::family::TokenEntry;

/// The way a request came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The Unix socket; the peer's uid was found equal to ours.
    Socket {
        /// The peer's user id.
        uid: u32,
        /// The peer's process, where the system tells.
        pid: Option<u32>,
        /// The peer's program name, unproven.
        program: Option<String>,
    },
    /// TLS over TCP.
    Tcp {
        /// The peer's address, without port.
        addr: Arc<str>,
    },
    /// The page of an entry, over plain HTTP on loopback: no credential ever, only an entry's submit secret.
    Page,
}

impl Transport {
    /// True on the Unix socket.
    pub fn is_socket(&self) -> bool {
        matches!(self, Transport::Socket { .. })
    }

    /// How records name it: `socket`, `page` or the address.
    pub fn label(&self) -> &str {
        match self {
            Transport::Page => "page",
            Transport::Socket { .. } => "socket",
            Transport::Tcp { addr } => addr,
        }
    }
}

/// One request's caller. What `agent`, `claim` and `reason` say is the client's own word.
pub struct Caller {
    /// The bearer credential, parsed but not yet known to be ours.
    pub credential: Option<Credential>,
    /// The way in.
    pub transport: Transport,
    /// The request's id, answered to the client and written in the record.
    pub request: RequestId,
    /// `User-Agent`.
    pub agent: Option<String>,
    /// What the client says it is doing (`run`, `env-file`).
    pub claim: Option<String>,
    /// Why, in the client's words.
    pub reason: Option<String>,
}

/// Who a credential turned out to be.
#[derive(Clone)]
pub enum Principal {
    /// A session of the owner.
    Owner(SessionId),
    /// A live token.
    Token(Arc<TokenEntry>),
    /// A process of the same user on the socket, without credential.
    Peer,
    /// Nobody.
    Nobody,
}

impl Principal {
    /// The token's id, for a token.
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Principal::Token(t) => Some(t.facts.id),
            _ => None,
        }
    }

    /// The actor that policy judges. On the socket without a credential nobody acts.
    pub fn actor(&self) -> Actor<'_> {
        match self {
            Principal::Owner(_) => Actor::Owner,
            Principal::Token(token) => Actor::Token(&token.facts.scope),
            Principal::Peer | Principal::Nobody => Actor::Nobody,
        }
    }

    /// How rows name the writer: `owner`, an ancestry, or `peer`.
    pub fn label(&self) -> String {
        match self {
            Principal::Owner(_) => "owner".into(),
            Principal::Token(t) => t.facts.ancestry.to_string(),
            Principal::Peer => "peer".into(),
            Principal::Nobody => "nobody".into(),
        }
    }
}
