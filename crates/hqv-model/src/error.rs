//! The one error that crosses crates: a code, a sentence, a hint, and a cause for the log.
//!
//! Sentence and hint are shown to whoever asked, so they are built from our own words and from paths and
//! names the caller may see, never from a value, a passphrase or a token. The cause stays with the daemon.

use crate::Code;
use std::fmt;

/// A result whose error is [`Error`] unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, for a person ([`Error::message`], [`Error::hint_text`]) and for a program ([`Error::code`]).
///
/// `Display` writes the message only, without the cause.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: Code,
    message: String,
    hint: Option<String>,
    cause: Option<String>,
    retry_after: Option<u64>,
    actor: Option<String>,
}

impl Error {
    /// A failure with its code and one sentence that is safe to show.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            code,
            message: message.into(),
            hint: None,
            cause: None,
            retry_after: None,
            actor: None,
        }))
    }

    /// Adds what to do next. Names only commands that exist.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause, for the log alone.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Adds the seconds after which asking again can help.
    #[must_use]
    pub fn retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after = Some(secs);
        self
    }

    /// Adds who was refused: `owner`, or a token's path of names. Told to that caller alone.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.0.actor = Some(actor.into());
        self
    }

    /// Who was refused.
    pub fn actor_name(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }

    /// What went wrong, for a program.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Why, for the log alone.
    pub fn cause_text(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Seconds after which asking again can help.
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// [`Code::BadRequest`].
    pub fn bad_request(message: impl Into<String>) -> Self {
        Error::new(Code::BadRequest, message)
    }

    /// [`Code::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(Code::NotFound, message)
    }

    /// [`Code::Forbidden`].
    pub fn forbidden(message: impl Into<String>) -> Self {
        Error::new(Code::Forbidden, message)
    }

    /// [`Code::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(Code::Conflict, message)
    }

    /// [`Code::VaultLocked`], with the way to unlock.
    pub fn locked() -> Self {
        Error::new(Code::VaultLocked, "the vault is locked").hint("run `hq-vault unlock` in your terminal")
    }

    /// [`Code::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(Code::Internal, message)
    }

    /// [`Code::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Error::new(Code::Unavailable, message)
    }

    /// [`Code::TooLarge`].
    pub fn too_large(message: impl Into<String>) -> Self {
        Error::new(Code::TooLarge, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_never_shows_the_cause() {
        let error = Error::unavailable("the database is down").cause("disk I/O error 10").hint("try again");
        assert_eq!(error.to_string(), "the database is down");
        assert_eq!(error.cause_text(), Some("disk I/O error 10"));
        assert_eq!(error.hint_text(), Some("try again"));
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.retry_after(3).retry_after_secs(), Some(3));
    }
}
