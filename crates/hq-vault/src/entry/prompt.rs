//! The words of the prompt, and the questions it asks.
//!
//! All that came from outside is escaped before it reaches the terminal.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use hqv_api::EntryAbout;
use hqv_model::{Clock, SecretBytes, SecretType, escape_controls};
use hqv_sys::tty::Hidden;
use zeroize::Zeroizing;

use super::asker;
use super::shapes::{self, Look, Meant};
use crate::cli::input::VALUE_MAX;
use crate::compose::SystemClock;

/// How the value is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// An empty value may be meant.
    pub allow_empty: bool,
    /// A single pasted line keeps its newline.
    pub raw: bool,
}

/// A terminal to ask on, and what ends the question.
pub struct Desk<'a> {
    /// The terminal.
    pub tty: BorrowedFd<'a>,
    /// One of them readable: the question is withdrawn.
    pub cancel: &'a [BorrowedFd<'a>],
    /// When to give up, by the boot clock; never where `None`.
    pub deadline: Option<Duration>,
}

/// How a question ended without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Ctrl-D on nothing.
    Refused,
    /// Withdrawn by one of the descriptors.
    Withdrawn,
    /// Nobody answered in time.
    Late,
    /// A signal came; the program holds it.
    Signal,
    /// The terminal is gone, or somebody else has it.
    Gone,
}

/// The block above the question.
pub fn sheet(about: &EntryAbout, home: Option<&Path>) -> String {
    let kind = about.kind.as_deref().unwrap_or(SecretType::Other.as_str());
    let mut text = String::from("\nAn agent asks you for a secret. It will not see what you type.\n\n");
    let state = match (about.exists, about.overwrite) {
        (Some(false), _) => ", new",
        (Some(true), true) => ", replaces what is there",
        (Some(true), false) => "; there is a value already, and this cannot replace it",
        (None, true) => ", may replace what is there",
        (None, false) => "",
    };
    line(
        &mut text,
        "store as",
        &format!("{}   ({}{state})", escape_controls(&about.path), escape_controls(kind)),
    );
    if let Some(description) = about.description.as_deref().filter(|text| !text.is_empty()) {
        line(&mut text, "what for", &escape_controls(description));
    }
    line(&mut text, "asked by", &asker::shown(&about.asker, home));
    if let Some(dir) = &about.vault_dir {
        line(&mut text, "vault", &format!("{}   (not the one in your home)", escape_controls(dir)));
    }
    text.push('\n');
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("  {name:<9}  {value}\n"));
}

/// The question itself.
pub const QUESTION: &str = "Value (hidden; paste works, several lines too; Enter ends it)\n\
                            Ctrl-D refuses, Ctrl-C leaves it open: ";

/// The question asked again.
const AGAIN: &str = "Value (hidden): ";

/// Asks until there is a value that is meant.
pub fn ask(
    desk: &Desk<'_>,
    about: &EntryAbout,
    home: Option<&Path>,
    manner: Manner,
) -> Result<SecretBytes, Unanswered> {
    let mut question = sheet(about, home) + QUESTION;
    loop {
        let typed = hidden(desk, &question, VALUE_MAX + 1, manner.raw)?;
        question = AGAIN.to_owned();
        if typed.is_empty() && !manner.allow_empty {
            say(desk, "Nothing was typed. Ctrl-D refuses.\n");
        } else if typed.len() > VALUE_MAX {
            say(
                desk,
                "That is over 1 MiB; nothing was kept. Large files belong elsewhere, their key here.\n",
            );
        } else if is_meant(desk, &typed, about)? {
            return Ok(SecretBytes::from_slice(&typed));
        }
    }
}

/// Says what the value looks like, and asks where that is not what was asked for.
fn is_meant(desk: &Desk<'_>, typed: &[u8], about: &EntryAbout) -> Result<bool, Unanswered> {
    let kind = about.kind.as_deref().and_then(|kind| SecretType::parse(kind).ok()).unwrap_or_default();
    let description = about.description.as_deref().unwrap_or_default();
    let look = shapes::look(typed, &Meant { path: &about.path, description, kind });
    if look.doubts.is_empty() {
        say(desk, &format!("{}. ", summary(typed, &look)));
        return Ok(true);
    }
    let question = format!("{}; it {}.\nKeep it anyway? [y/N] ", count(typed), look.doubts.join(", and "));
    let answer = hidden(desk, &question, 16, false);
    let answer = match answer {
        // Ctrl-D at a question is no; the value is asked for again.
        Err(Unanswered::Refused) => return Ok(false),
        answer => answer?,
    };
    Ok(matches!(answer.as_slice(), b"y" | b"Y" | b"yes" | b"Yes"))
}

/// `107 characters, looks like a Stripe live key`.
fn summary(typed: &[u8], look: &Look) -> String {
    match &look.label {
        Some(label) => format!("{}, looks like {label}", count(typed)),
        None => count(typed),
    }
}

fn count(typed: &[u8]) -> String {
    let (number, unit) = match std::str::from_utf8(typed) {
        Ok(text) => (text.chars().count(), "character"),
        Err(_) => (typed.len(), "byte"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn hidden(desk: &Desk<'_>, prompt: &str, limit: usize, raw: bool) -> Result<Zeroizing<Vec<u8>>, Unanswered> {
    let question = Hidden {
        prompt,
        limit,
        timeout: desk.deadline.map(|end| end.saturating_sub(SystemClock.boot())),
        cancel: desk.cancel,
        lines: limit > 16,
        keep_newline: raw,
    };
    question.ask_on(desk.tty).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Unanswered::Refused,
        io::ErrorKind::ConnectionAborted => Unanswered::Withdrawn,
        io::ErrorKind::TimedOut => Unanswered::Late,
        io::ErrorKind::Interrupted => Unanswered::Signal,
        _ => Unanswered::Gone,
    })
}

/// Words for the person at that terminal.
pub fn say(desk: &Desk<'_>, text: &str) {
    let _ = hqv_sys::tty::say(desk.tty, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hqv_api::entry::Asker;

    fn about() -> EntryAbout {
        EntryAbout {
            id: String::new(),
            code: "7F3K-9QXM".to_owned(),
            path: "stripe/secret-key".to_owned(),
            kind: Some("api-key".to_owned()),
            description: Some("Stripe live secret key".to_owned()),
            overwrite: false,
            exists: Some(false),
            locked: false,
            asker: Asker {
                program: Some("node (pid 7)".to_owned()),
                source: "socket".to_owned(),
                ..Asker::default()
            },
            vault_dir: None,
            expires_at: String::new(),
            state: "waiting".to_owned(),
            vault: None,
            public_key: None,
        }
    }

    #[test]
    fn the_sheet_says_what_where_and_who() {
        assert_eq!(
            sheet(&about(), None),
            "\nAn agent asks you for a secret. It will not see what you type.\n\n  \
             store as   stripe/secret-key   (api-key, new)\n  \
             what for   Stripe live secret key\n  \
             asked by   node (pid 7), no token\n\n"
        );
    }

    #[test]
    fn en7_another_vault_and_a_replacement_are_named() {
        let vault_dir = Some("/tmp/v".to_owned());
        let about = EntryAbout { vault_dir, exists: Some(true), overwrite: true, ..about() };
        let text = sheet(&about, None);
        assert!(text.contains("vault      /tmp/v   (not the one in your home)"), "{text}");
        assert!(text.contains("(api-key, replaces what is there)"), "{text}");
        let text = sheet(&EntryAbout { overwrite: false, ..about }, None);
        assert!(text.contains("(api-key; there is a value already, and this cannot replace it)"), "{text}");
    }

    #[test]
    fn in6_nothing_from_outside_reaches_the_terminal_as_it_is() {
        let evil = "\x1b]0;x\x07\nValue: \u{202e}";
        let about = EntryAbout {
            description: Some(evil.to_owned()),
            vault_dir: Some(evil.to_owned()),
            asker: Asker {
                program: Some(evil.to_owned()),
                directory: Some(evil.to_owned()),
                token: Some(evil.to_owned()),
                source: evil.to_owned(),
                ..Asker::default()
            },
            ..about()
        };
        let text = sheet(&about, None);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control() && !hqv_model::is_bidi_control(c)));
        assert_eq!(text.lines().count(), sheet(&self::about(), None).lines().count() + 1);
    }

    #[test]
    fn characters_are_counted_as_people_do() {
        assert_eq!(count("é".as_bytes()), "1 character");
        assert_eq!(count(b"\xff\xfe"), "2 bytes");
    }
}
