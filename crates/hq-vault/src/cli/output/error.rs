//! Failures, and the one place where they become words and exit codes.
//!
//! A failure is one line saying what happened and one saying what to do next.
//! It never holds a value, a passphrase or a token: what makes one passes only
//! names and sentences.

use std::io::Write;

use hqv_model::Code;
use serde::Serialize;

use super::Out;

/// Why a command ended badly.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
    request: Option<String>,
    actor: Option<String>,
}

/// What stands behind the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of the vault's codes.
    Vault(Code),
    /// No daemon answers there.
    Unreachable,
    /// The person said no, or did not answer.
    Refused,
    /// A person has not answered yet.
    Waiting,
    /// A finding, with its output already written.
    Finding,
    /// Whoever read our stdout has gone.
    ClosedPipe,
    /// A program that was run ended so.
    Ended(u8),
    /// A program could not be run: the code that shells give.
    NotRun(u8),
}

impl Failure {
    fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), hint: None, request: None, actor: None }
    }

    /// One of the vault's codes with a sentence.
    pub fn of(code: Code, message: impl Into<String>) -> Failure {
        Failure::new(Kind::Vault(code), message)
    }

    /// Wrong usage: exit 2.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::of(Code::BadRequest, message)
    }

    /// Not permitted: exit 4.
    pub fn unauthorized(message: impl Into<String>) -> Failure {
        Failure::of(Code::Unauthorized, message)
    }

    /// Something is in the way: exit 7.
    pub fn conflict(message: impl Into<String>) -> Failure {
        Failure::of(Code::Conflict, message)
    }

    /// Nothing is broken but us: exit 1.
    pub fn internal(message: impl Into<String>) -> Failure {
        Failure::of(Code::Internal, message)
    }

    /// The machine said no: exit 1, with its reason.
    pub fn io(what: impl AsRef<str>, error: &std::io::Error) -> Failure {
        Failure::of(Code::Internal, format!("{}: {}", what.as_ref(), reason(error)))
    }

    /// No daemon answers: exit 6.
    pub fn unreachable(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Unreachable, message)
    }

    /// The person said no: exit 8.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Refused, message)
    }

    /// A person has not answered yet: exit 9, and the same command run again goes on waiting.
    pub fn waiting(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Waiting, message)
    }

    /// A finding whose words have been written: exit 1 and silence.
    pub fn finding() -> Failure {
        Failure::new(Kind::Finding, "")
    }

    /// Nobody reads any more: exit 0 and silence, as `head` expects of us.
    pub fn closed_pipe() -> Failure {
        Failure::new(Kind::ClosedPipe, "")
    }

    /// A program could not be run: exit 126 or 127.
    pub fn not_run(code: u8, message: impl Into<String>) -> Failure {
        Failure::new(Kind::NotRun(code), message)
    }

    /// A program that was run ended with this code, and has said what there was to say.
    pub fn ended(code: u8) -> Failure {
        Failure::new(Kind::Ended(code), "")
    }

    /// What to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// What to do next, where nothing is said yet.
    #[must_use]
    pub fn or_hint(self, hint: impl Into<String>) -> Failure {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }

    /// The same failure with something said before its sentence.
    #[must_use]
    pub fn context(mut self, before: &str) -> Failure {
        self.message = format!("{before}: {}", self.message);
        self
    }

    /// The same failure with something said after its sentence.
    #[must_use]
    pub fn after(mut self, more: &str) -> Failure {
        self.message = format!("{} ({more})", self.message);
        self
    }

    /// The number under which the daemon's log knows it.
    #[must_use]
    pub fn request(mut self, id: Option<String>) -> Failure {
        self.request = id;
        self
    }

    /// Who was refused, as the vault knows it.
    #[must_use]
    pub fn actor(mut self, actor: Option<String>) -> Failure {
        self.actor = actor;
        self
    }

    /// Who was refused.
    pub fn actor_name(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What to do next, said or usual for its kind.
    fn way_out(&self) -> Option<&str> {
        let usual = match self.kind {
            Kind::Vault(code) => match code {
                Code::BadRequest => "see hq-vault --help, or the verb's own --help",
                Code::TooLarge => "make it smaller, or ask for less at once",
                Code::Unauthorized | Code::TokenExpired | Code::TokenExhausted | Code::TokenRevoked => {
                    "ask who gave the token for a new one, or sign in: hq-vault unlock"
                }
                Code::Forbidden => {
                    "hq-vault whoami says what you may; ask who gave the token for a wider one"
                }
                Code::VaultLocked => "hq-vault unlock",
                Code::NotFound => "see what there is: hq-vault list",
                Code::AlreadyExists | Code::Conflict => "look at what is there first, or take another name",
                Code::RateLimited => "wait a little, then run the same command again",
                Code::Internal | Code::Unavailable => "hq-vault doctor looks for what is wrong",
            },
            Kind::Unreachable => {
                "hq-vault status says whether a daemon runs; check HQ_VAULT_URL where it is set"
            }
            Kind::Refused => "run the same command again where you meant it",
            Kind::Waiting => "run the same command again to go on waiting",
            Kind::NotRun(127) => "check its name and PATH",
            Kind::NotRun(_) => "see whether you may execute it, and what it is",
            Kind::Finding | Kind::ClosedPipe | Kind::Ended(_) => return self.hint.as_deref(),
        };
        Some(self.hint.as_deref().unwrap_or(usual))
    }

    /// What stands behind it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the vault gave this code.
    pub fn is(&self, code: Code) -> bool {
        self.kind == Kind::Vault(code)
    }

    /// The process's exit code, as `--help` lists them.
    pub fn exit(&self) -> u8 {
        match self.kind {
            Kind::Vault(code) => code.exit_code(),
            Kind::Unreachable => 6,
            Kind::Refused => 8,
            Kind::Waiting => 9,
            Kind::Finding => 1,
            Kind::ClosedPipe => 0,
            Kind::Ended(code) | Kind::NotRun(code) => code,
        }
    }

    fn code(&self) -> &'static str {
        match self.kind {
            Kind::Vault(code) => code.as_str(),
            Kind::Unreachable => "CONNECTION_ERROR",
            Kind::Refused => "REFUSED",
            Kind::Waiting => "WAITING",
            Kind::NotRun(_) => "NOT_RUN",
            Kind::Finding | Kind::ClosedPipe | Kind::Ended(_) => "",
        }
    }

    /// Writes it to stderr, for a person or for a program.
    pub fn report(&self, out: Option<&Out>, json: bool) {
        if matches!(self.kind, Kind::Finding | Kind::ClosedPipe | Kind::Ended(_)) {
            return;
        }
        let text = if json { self.as_json() } else { self.as_words(out) };
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    fn as_json(&self) -> String {
        let body = Body {
            error: &self.message,
            code: self.code(),
            hint: self.way_out(),
            request_id: self.request.as_deref(),
        };
        serde_json::to_string(&body).map(|t| t + "\n").unwrap_or_default()
    }

    fn as_words(&self, out: Option<&Out>) -> String {
        let message = hqv_model::escape_controls(&self.message);
        let name = match out {
            Some(out) => out.paint_err.red("hq-vault:"),
            None => "hq-vault:".to_owned(),
        };
        match self.way_out() {
            Some(hint) => format!("{name} {message}\n{}\n", hqv_model::escape_controls(hint)),
            None => format!("{name} {message}\n"),
        }
    }
}

impl From<hqv_model::Error> for Failure {
    fn from(error: hqv_model::Error) -> Failure {
        let failure = Failure::of(error.code(), error.message());
        match error.hint_text() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// The system's reason without its number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = match text.split_once(" (os error") {
        Some((plain, _)) => plain,
        None => &text,
    };
    let mut chars = plain.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().collect::<String>() + chars.as_str(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let exit = |code| Failure::of(code, "x").exit();
        assert_eq!(exit(Code::BadRequest), 2);
        assert_eq!(exit(Code::TooLarge), 2);
        assert_eq!(exit(Code::NotFound), 3);
        for code in [
            Code::Unauthorized,
            Code::TokenExpired,
            Code::TokenExhausted,
            Code::TokenRevoked,
            Code::Forbidden,
        ] {
            assert_eq!(exit(code), 4, "{code:?}");
        }
        assert_eq!(exit(Code::VaultLocked), 5);
        assert_eq!(Failure::unreachable("x").exit(), 6);
        assert_eq!(exit(Code::AlreadyExists), 7);
        assert_eq!(exit(Code::Conflict), 7);
        assert_eq!(Failure::refused("x").exit(), 8);
        assert_eq!(Failure::waiting("x").exit(), 9);
        assert_eq!(exit(Code::Internal), 1);
    }

    #[test]
    fn words_are_one_line_and_one_hint_with_controls_escaped() {
        let words = Failure::usage("a\nb\x1b[31m").hint("do this").as_words(None);
        assert_eq!(words.lines().count(), 2, "{words}");
        assert!(!words.contains('\x1b'));
    }

    #[test]
    fn a_program_gets_code_and_hint() {
        let json = Failure::unreachable("gone").hint("start it").as_json();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        assert_eq!(value["code"], "CONNECTION_ERROR");
        assert_eq!(value["hint"], "start it");
    }

    #[test]
    fn a_reason_has_no_number() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(reason(&error), "no such file or directory");
    }
}
