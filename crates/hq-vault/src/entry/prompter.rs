//! The prompt in a process of its own: `hq-vault entry-prompt`, which nobody
//! types.
//!
//! On a controlling terminal it leads a process group of its own and takes the
//! foreground for as long as it asks; in tmux it stands in a pop-up or a pane.
//! It outlives the `ingest` that started it: a harness that loses patience
//! must not tear the prompt from under a person's hands.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use hqv_model::{Code, SecretText, escape_controls};
use hqv_sys::signal::Held;
use hqv_sys::tty::{self, Front};

use super::errand::{self, Errand, Outcome};
use super::prompt::{Manner, Unanswered};
use super::sitting::{Sat, Sitting};
use super::standing::Standing;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// How long the last words stand in a pop-up that would take them along.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// Asks, and reports.
pub fn run(ctx: &Context, socket: Option<&Path>) -> Result<(), Failure> {
    let unfit = || Failure::usage("entry-prompt is started by hq-vault ingest alone");
    let stream = connect(socket).map_err(|_| unfit())?;
    if !errand::is_ours(&stream) {
        return Err(unfit());
    }
    let errand = errand::receive(&stream).map_err(|_| unfit())?;
    let outcome = sit(ctx, errand).unwrap_or(Outcome::NoTerminal);
    errand::report(&stream, outcome);
    Ok(())
}

/// The socket named, else the one that stands as stdin.
fn connect(socket: Option<&Path>) -> std::io::Result<UnixStream> {
    match socket {
        Some(path) => UnixStream::connect(path),
        None => Ok(UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?)),
    }
}

fn sit(ctx: &Context, errand: Errand) -> std::io::Result<Outcome> {
    let held = Held::hold();
    let _standing = Standing::begin(ctx, &errand.entry);
    let terminal = tty::open()?;
    // Given back when this returns, before the report is read.
    let front = if errand.tmux { None } else { Some(Front::take(terminal.as_fd())?) };
    let leader = front.as_ref().and_then(Front::leader);
    let submit = errand.submit.into_text();
    let credential: Option<SecretText> = errand.credential.map(|credential| credential.into_text());
    let sitting = Sitting {
        ctx,
        tty: terminal.as_fd(),
        id: &errand.entry,
        submit: Some(&submit),
        credential: credential.as_ref(),
        route: Some(if errand.tmux { "ingest-tmux" } else { "ingest-tty" }),
        manner: Manner { allow_empty: errand.allow_empty, raw: errand.raw },
        deadline: None,
        held: &held,
        leader: leader.as_ref().map(AsFd::as_fd),
    };
    let (words, outcome) = judge(sitting.run());
    if outcome != Outcome::NoTerminal {
        sitting.say(&words);
        if errand.tmux {
            pause(terminal.as_fd());
        }
    }
    Ok(outcome)
}

/// The last words, and what is reported.
fn judge(sat: Result<Sat, Failure>) -> (String, Outcome) {
    match sat {
        Ok(Sat::Stored(_)) => ("Stored.\n".to_owned(), Outcome::Decided),
        Ok(Sat::Refused) => ("Refused. Nothing was stored.\n".to_owned(), Outcome::Decided),
        Ok(Sat::Ended(end)) => (format!("{}\n", end.words()), Outcome::Decided),
        Ok(Sat::Signal(_)) => (
            "Left open. hq-vault pending lists it, hq-vault answer takes the value, Ctrl-D there refuses.\n"
                .to_owned(),
            Outcome::Left,
        ),
        Ok(Sat::Open(Unanswered::Gone)) => (String::new(), Outcome::NoTerminal),
        Ok(Sat::Open(_)) => ("Left open.\n".to_owned(), Outcome::Left),
        Err(failure) => {
            let hint = failure.hint_text().unwrap_or("hq-vault pending shows what is still open");
            let message = escape_controls(failure.message());
            let outcome = if failure.is(Code::AlreadyExists) { Outcome::InTheWay } else { Outcome::Left };
            (format!("Not stored: {message}\n{}\n", escape_controls(hint)), outcome)
        }
    }
}

/// Until a key, or not long.
fn pause(terminal: std::os::fd::BorrowedFd<'_>) {
    let question = tty::Hidden {
        prompt: "Enter closes this. ",
        limit: 1,
        timeout: Some(LAST_WORDS),
        cancel: &[],
        lines: false,
        keep_newline: false,
    };
    let _ = question.ask_on(terminal);
}
