//! What one record says. The fields are the caller's, mostly borrowed: a record is written before each answer
//! and dropped. Sequence number and state sequence are the log's.

use std::borrow::Cow;
use std::sync::Arc;

use hqv_model::{Code, OpKind, Outcome, RequestId, SecretId, SessionId, Timestamp, TokenId};

/// One operation, allowed or not. It never holds a value, a token or a passphrase.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// When it was decided.
    pub time: Timestamp,
    /// Which operation.
    pub op: OpKind,
    /// How it ended.
    pub outcome: Outcome,
    /// The error code that was answered, if one was.
    pub code: Option<Code>,
    /// Who acted.
    pub identity: Identity<'a>,
    /// Where the request came from: an address, or `socket`.
    pub source: Cow<'a, str>,
    /// The id that the answer carried.
    pub request: Option<RequestId>,
    /// The user agent that the client named.
    pub agent: Option<Cow<'a, str>>,
    /// What the client says it does (`run`, `env-file`, a command's name). A claim, not a fact.
    pub claim: Option<Cow<'a, str>>,
    /// The reason that the caller gave.
    pub reason: Option<Cow<'a, str>>,
    /// What else a reader should know, such as why it was denied.
    pub detail: Option<Cow<'a, str>>,
    /// Each secret that was touched or named.
    pub items: Vec<Item>,
}

impl<'a> Record<'a> {
    /// A record with only the fields that every one has.
    pub fn new(time: Timestamp, op: OpKind, outcome: Outcome, identity: Identity<'a>) -> Self {
        Record {
            time,
            op,
            outcome,
            code: None,
            identity,
            source: Cow::Borrowed(""),
            request: None,
            agent: None,
            claim: None,
            reason: None,
            detail: None,
            items: Vec::new(),
        }
    }
}

/// Who acted, as the daemon knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity<'a> {
    /// No credential, or none that is known.
    Nobody,
    /// The daemon itself: starts, stops, findings.
    Daemon,
    /// A process on the socket without a credential.
    Peer {
        /// Its user.
        uid: u32,
        /// Its process, where the system tells.
        pid: Option<u32>,
        /// Its program, where the system tells. A process can choose it freely.
        program: Option<Cow<'a, str>>,
    },
    /// The owner, in a session.
    Session {
        /// The session's id.
        id: SessionId,
    },
    /// A token.
    Token {
        /// The token's id.
        id: TokenId,
        /// The names from the first ancestor down to the token, joined by `/`.
        ancestry: Cow<'a, str>,
        /// The ids of its ancestors, first one first, without its own.
        ancestors: Cow<'a, [TokenId]>,
    },
}

/// One secret in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id, where one exists.
    pub secret: Option<SecretId>,
    /// The version that was touched.
    pub version: Option<u64>,
    /// The path as asked for.
    pub path: Arc<str>,
    /// What happened to it.
    pub kind: ItemKind,
    /// The way it went, as the server knows it: `get`, `batch`, `broker`.
    pub channel: Cow<'static, str>,
}

/// What happened to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Its value was handed out in plain.
    Exposed,
    /// Its value was spent by the broker and handed to nobody.
    Used,
    /// A version was written.
    Written,
    /// It was deleted.
    Deleted,
    /// Its metadata was shown.
    Listed,
    /// It was asked for, and nothing was done.
    Named,
}

impl ItemKind {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            ItemKind::Exposed => "exposed",
            ItemKind::Used => "used",
            ItemKind::Written => "written",
            ItemKind::Deleted => "deleted",
            ItemKind::Listed => "listed",
            ItemKind::Named => "named",
        }
    }
}
