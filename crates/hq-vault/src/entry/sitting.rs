//! One prompt from its first line to the stored value: show what is asked,
//! take the value, hand it to the daemon.
//!
//! Prompt and wait run together: when the entry ends elsewhere the prompt is
//! withdrawn. The value goes from the terminal to the daemon in this process
//! alone and is wiped here.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use hqv_api::{EntryAbout, EntryAnswerRequest, EntryStored, WireSecret};
use hqv_client::Client;
use hqv_model::{Code, SecretBytes, SecretText};
use hqv_sys::signal::Held;

use super::prompt::{self, Desk, Manner, Unanswered};
use super::watch::{End, StopOnDrop, Watch, lost};
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;

/// The signal of a Ctrl-C.
pub const SIGINT: i32 = 2;

/// What the prompt acts with.
pub struct Sitting<'a> {
    /// Settings and streams.
    pub ctx: &'a Context,
    /// Where the person sits.
    pub tty: BorrowedFd<'a>,
    /// The entry's id.
    pub id: &'a str,
    /// The entry's submit secret; absent: the owner answers.
    pub submit: Option<&'a SecretText>,
    /// Who acts: the asker's own credential, or the owner's session.
    pub credential: Option<&'a SecretText>,
    /// `ingest-tty` or `ingest-tmux`; absent with the owner.
    pub route: Option<&'static str>,
    /// How the value is taken.
    pub manner: Manner,
    /// When to give up, by the boot clock.
    pub deadline: Option<Duration>,
    /// Notes the signals that end a command.
    pub held: &'a Held,
    /// Readable when the terminal is about to pass to somebody else.
    pub leader: Option<BorrowedFd<'a>>,
}

/// How it ended.
#[derive(Debug)]
pub enum Sat {
    /// The value typed here is in the vault.
    Stored(EntryStored),
    /// The person refused here.
    Refused,
    /// It ended elsewhere.
    Ended(End),
    /// A signal came; the entry is still open.
    Signal(i32),
    /// No value, and the entry is still open.
    Open(Unanswered),
}

impl Sitting<'_> {
    /// Sits until there is an end.
    pub fn run(&self) -> Result<Sat, Failure> {
        let link = Link::open(self.ctx)?;
        let ask = async |c: &mut Client| c.entry_about(self.id, self.submit).await;
        let mut about = link.run_if_there(self.credential, ask)?;
        about.vault_dir = self.other_vault().or(about.vault_dir);
        if about.state != "waiting" {
            return self.state(&link, Duration::ZERO).map(|end| Sat::Ended(end.unwrap_or(End::Lost)));
        }
        if let Some(signal) = self.held.came() {
            return Ok(Sat::Signal(signal));
        }
        let value = match self.ask(&about) {
            Ok(Ok(value)) => value,
            Ok(Err(end)) => return Ok(Sat::Ended(end)),
            Err(Unanswered::Refused) => return self.refuse(&link),
            Err(Unanswered::Signal) => return Ok(Sat::Signal(self.held.came().unwrap_or(SIGINT))),
            Err(other) => return Ok(Sat::Open(other)),
        };
        self.store(&link, &value)
    }

    /// What we know ourselves of where the value goes: a false vault would not say.
    fn other_vault(&self) -> Option<String> {
        let settings = &self.ctx.settings;
        match settings.url() {
            Ok(Some(url)) => Some(url),
            _ if settings.dir.is_usual(settings.home()) => None,
            _ => Some(settings.dir.root().to_string_lossy().into_owned()),
        }
    }

    /// The value, or the end that withdrew the question.
    fn ask(&self, about: &EntryAbout) -> Result<Result<SecretBytes, End>, Unanswered> {
        let Ok((read, write)) = std::io::pipe() else { return Err(Unanswered::Gone) };
        let watch = Watch::default();
        std::thread::scope(|scope| {
            let stop = StopOnDrop(&watch);
            scope.spawn(|| watch.run(self.ctx, self.credential, self.id, write));
            let mut cancel = vec![read.as_fd()];
            cancel.extend(self.leader);
            let desk = Desk { tty: self.tty, cancel: &cancel, deadline: self.deadline };
            let home = self.ctx.settings.home().map(|home| home.as_path());
            let answer = prompt::ask(&desk, about, home, self.manner);
            drop(stop);
            match (answer, watch.end()) {
                (Err(Unanswered::Withdrawn), Some(end)) => Ok(Err(end)),
                // The agent's group has ended: a shell takes the terminal now.
                (Err(Unanswered::Withdrawn), None) => Err(Unanswered::Gone),
                (answer, _) => answer.map(Ok),
            }
        })
    }

    fn store(&self, link: &Link<'_>, value: &SecretBytes) -> Result<Sat, Failure> {
        let mut request = EntryAnswerRequest::of(value.reveal());
        request.submit = self.submit.map(WireSecret::from_text);
        request.route = self.route.map(str::to_owned);
        let mut told = false;
        loop {
            let stored =
                link.run_if_there(self.credential, async |c| c.entry_answer(self.id, &request).await);
            let failure = match stored {
                Ok(stored) => return Ok(Sat::Stored(stored)),
                Err(failure) => failure,
            };
            if self.submit.is_none() || !failure.is(Code::VaultLocked) {
                return self.failed(link, failure);
            }
            if !std::mem::replace(&mut told, true) {
                self.say("\nThe vault is locked: run hq-vault unlock in another terminal. What you typed waits here.\n");
            }
            if let Some(sat) = self.until_unlocked(link)? {
                return Ok(sat);
            }
        }
    }

    /// Returns nothing once the vault is unlocked.
    fn until_unlocked(&self, link: &Link<'_>) -> Result<Option<Sat>, Failure> {
        loop {
            if let Some(signal) = self.held.came() {
                return Ok(Some(Sat::Signal(signal)));
            }
            if let Some(end) = self.state(link, Duration::from_secs(1))? {
                return Ok(Some(Sat::Ended(end)));
            }
            if !link.run_if_there(None, async |c| c.status().await)?.locked {
                return Ok(None);
            }
        }
    }

    /// A store that failed: because the entry ended meanwhile, or for its own reason.
    fn failed(&self, link: &Link<'_>, failure: Failure) -> Result<Sat, Failure> {
        match self.state(link, Duration::ZERO) {
            Ok(Some(end)) => Ok(Sat::Ended(end)),
            _ => Err(failure),
        }
    }

    /// How the entry ended, if it has, after waiting for that.
    fn state(&self, link: &Link<'_>, wait: Duration) -> Result<Option<End>, Failure> {
        match link.run_if_there(self.credential, async |c| c.entry_state(self.id, wait).await) {
            Ok(state) => Ok(End::of(&state.state, state.stored.as_ref())),
            Err(failure) => lost(failure).map(Some),
        }
    }

    fn refuse(&self, link: &Link<'_>) -> Result<Sat, Failure> {
        link.run_if_there(self.credential, async |c| c.entry_refuse(self.id, self.submit).await)?;
        Ok(Sat::Refused)
    }

    /// Words for the person at this terminal.
    pub fn say(&self, text: &str) {
        let _ = hqv_sys::tty::say(self.tty, text);
    }
}
