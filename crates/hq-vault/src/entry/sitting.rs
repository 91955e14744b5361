//! One prompt from its first line to the stored value: show what is asked,
//! take the value, hand it to the daemon.
//!
//! Prompt and wait run together: when the entry ends elsewhere the prompt is
//! withdrawn. The value goes from the terminal to the daemon in this process
//! alone and is wiped here.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use hqv_api::{EntryAbout, EntryAnswerRequest, EntryStored, WireSecret};
use hqv_client::{Client, ClientError};
use hqv_model::{Code, SecretBytes, SecretText};
use hqv_sys::signal::Held;

use super::prompt::{self, Desk, Manner, Unanswered};
use super::waiting::{Cut, GRACE, Wait};
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

/// Why a sitting goes no further.
enum Stop {
    Failed(Failure),
    Cut(Cut),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl Sitting<'_> {
    /// Sits until there is an end.
    pub fn run(&self) -> Result<Sat, Failure> {
        match self.sit() {
            Ok(sat) => Ok(sat),
            Err(Stop::Cut(Cut::Signal(signal))) => Ok(Sat::Signal(signal)),
            Err(Stop::Cut(Cut::Late)) => Ok(Sat::Open(Unanswered::Late)),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    fn sit(&self) -> Result<Sat, Stop> {
        let link = Link::open(self.ctx)?;
        let ask = async |c: &mut Client| c.entry_about(self.id, self.submit).await;
        let mut about = self.call(&link, self.deadline, ask)?;
        about.vault_dir = self.other_vault().or(about.vault_dir);
        if about.state != "waiting" {
            return self.state(&link, Duration::ZERO).map(|end| Sat::Ended(end.unwrap_or(End::Lost)));
        }
        if about.exists == Some(true) && !about.overwrite {
            return Err(self.in_the_way(&about).into());
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

    /// A call that a signal cuts short, and `deadline` where there is one.
    fn call<T>(
        &self,
        link: &Link<'_>,
        deadline: Option<Duration>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, Stop> {
        let grace = Duration::ZERO;
        let wait = Wait { link, credential: self.credential, held: self.held, deadline, grace };
        wait.of(call)?.map_err(Stop::Cut)
    }

    /// A call that changes something.
    fn act<T>(
        &self,
        link: &Link<'_>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, Stop> {
        let (held, grace) = (self.held, GRACE);
        let wait = Wait { link, credential: self.credential, held, deadline: None, grace };
        wait.of(call)?.map_err(Stop::Cut)
    }

    /// Said before anybody types for nothing.
    fn in_the_way(&self, about: &EntryAbout) -> Failure {
        let home = self.ctx.settings.home().map(|home| home.as_path());
        self.say(&prompt::sheet(about, home));
        let path = hqv_model::escape_controls(&about.path);
        Failure::of(
            Code::AlreadyExists,
            format!("there is a value at {path} already, and this cannot replace it"),
        )
        .hint(format!("hq-vault deny {} ends it; who asks can ask again with --overwrite", about.code))
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

    fn store(&self, link: &Link<'_>, value: &SecretBytes) -> Result<Sat, Stop> {
        let mut request = EntryAnswerRequest::of(value.reveal());
        request.submit = self.submit.map(WireSecret::from_text);
        request.route = self.route.map(str::to_owned);
        let mut told = false;
        loop {
            let failure = match self.act(link, async |c| c.entry_answer(self.id, &request).await) {
                Ok(stored) => return Ok(Sat::Stored(stored)),
                Err(Stop::Failed(failure)) => failure,
                Err(cut) => return Err(cut),
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
    fn until_unlocked(&self, link: &Link<'_>) -> Result<Option<Sat>, Stop> {
        let nobody = Wait { link, credential: None, held: self.held, deadline: None, grace: Duration::ZERO };
        loop {
            if let Some(end) = self.state(link, Duration::from_secs(1))? {
                return Ok(Some(Sat::Ended(end)));
            }
            if !nobody.of(async |c| c.status().await)?.map_err(Stop::Cut)?.locked {
                return Ok(None);
            }
        }
    }

    /// A store that failed: because the entry ended meanwhile, or for its own reason.
    fn failed(&self, link: &Link<'_>, failure: Failure) -> Result<Sat, Stop> {
        match self.state(link, Duration::ZERO) {
            Ok(Some(end)) => Ok(Sat::Ended(end)),
            _ => Err(failure.into()),
        }
    }

    /// How the entry ended, if it has, after waiting for that.
    fn state(&self, link: &Link<'_>, wait: Duration) -> Result<Option<End>, Stop> {
        match self.call(link, None, async |c| c.entry_state(self.id, wait).await) {
            Ok(state) => Ok(End::of(&state.state, state.stored.as_ref())),
            Err(Stop::Failed(failure)) => Ok(Some(lost(failure)?)),
            Err(cut) => Err(cut),
        }
    }

    fn refuse(&self, link: &Link<'_>) -> Result<Sat, Stop> {
        self.act(link, async |c| c.entry_refuse(self.id, self.submit).await)?;
        Ok(Sat::Refused)
    }

    /// Words for the person at this terminal.
    pub fn say(&self, text: &str) {
        let _ = hqv_sys::tty::say(self.tty, text);
    }
}
