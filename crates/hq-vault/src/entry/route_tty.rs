//! The first route: this command's own terminal, where a person at rest typed it.

use std::os::fd::AsFd;

use hqv_model::SecretText;

use super::errand::Outcome;
use super::prompt::Unanswered;
use super::routes::Opened;
use super::sitting::{Sat, Sitting};
use super::waiting::Waited;
use super::watch::End;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;

/// Whether there is a person to be asked.
pub fn is_there() -> bool {
    passphrase::person_is_there()
}

/// Asks.
pub fn ask(opened: &Opened<'_>, submit: &SecretText) -> Result<Waited, Failure> {
    let tty = hqv_sys::tty::open().map_err(|e| Failure::io("cannot ask on this terminal", &e))?;
    let sitting = Sitting {
        ctx: opened.ctx,
        tty: tty.as_fd(),
        id: opened.id,
        submit: Some(submit),
        credential: opened.credential,
        route: Some("ingest-tty"),
        manner: opened.manner,
        deadline: opened.deadline,
        held: opened.held,
        leader: None,
    };
    Ok(match sitting.run()? {
        Sat::Stored(stored) => {
            sitting.say("Stored.\n");
            Waited::End(End::Stored(stored))
        }
        Sat::Refused => Waited::End(End::Refused),
        Sat::Ended(end) => {
            sitting.say(&format!("{}\n", end.words()));
            Waited::End(end)
        }
        Sat::Signal(signal) => Waited::Signal(signal),
        Sat::Open(Unanswered::Late) => Waited::Late,
        Sat::Open(_) => Waited::Prompt(Outcome::Left),
    })
}
