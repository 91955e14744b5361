//! What can go wrong, in the words of the contract: the server's codes, and two of our own.

use std::fmt;

use hqv_api::ErrorBody;
use hqv_model::{Code, escape_controls};

/// The server was not reached, is not the one that was meant, or did not speak as one.
pub const CONNECTION_ERROR: &str = "CONNECTION_ERROR";
/// The server took longer than the deadline.
pub const TIMEOUT: &str = "TIMEOUT";

/// Exit code of the command line for a server that was not reached.
const EXIT_NOT_REACHED: u8 = 6;

/// Shorthand of this crate.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// A refused or failed call. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    /// One of the stable codes, [`CONNECTION_ERROR`] or [`TIMEOUT`].
    pub code: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// One sentence.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Who was refused, where the server knew the caller.
    pub actor: Option<String>,
    /// The request's id, which its audit record bears too.
    pub request_id: Option<String>,
    /// Seconds to wait, where the server said so.
    pub retry_after: Option<u64>,
    /// Whether the request may have reached the server. Where it did not, asking again is safe.
    pub sent: bool,
}

impl ClientError {
    /// The server was not reached or is not to be trusted. Nothing was sent.
    pub fn connection(message: impl Into<String>) -> Self {
        Self::local(CONNECTION_ERROR, message)
    }

    /// The deadline passed.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self { sent: true, ..Self::local(TIMEOUT, message) }
    }

    /// What the caller gave us cannot be meant. Nothing was sent.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::local(Code::BadRequest.as_str(), message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Marks that the request had left when it failed.
    #[must_use]
    pub fn after_sending(mut self) -> Self {
        self.sent = true;
        self
    }

    /// The server's own answer, with whatever could move a terminal's cursor escaped.
    pub(crate) fn answered(status: u16, body: ErrorBody, retry_after: Option<u64>) -> Self {
        let safe = |text: String| escape_controls(&text).into_owned();
        Self {
            code: safe(body.code),
            status: Some(status),
            message: safe(body.error),
            hint: body.hint.map(safe),
            actor: body.actor.map(safe),
            request_id: body.request_id.map(safe),
            retry_after,
            sent: true,
        }
    }

    /// The code, where it is one of the server's that this version knows.
    pub fn known_code(&self) -> Option<Code> {
        Code::parse(&self.code)
    }

    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self.code.as_str() {
            CONNECTION_ERROR | TIMEOUT => EXIT_NOT_REACHED,
            code => Code::parse(code).map_or(1, Code::exit_code),
        }
    }

    fn local(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            status: None,
            message: message.into(),
            hint: None,
            actor: None,
            request_id: None,
            retry_after: None,
            sent: false,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ClientError {}
