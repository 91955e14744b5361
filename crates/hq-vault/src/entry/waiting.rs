//! Waiting for what a person does, with or without a prompt that stands elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hqv_client::{Client, ClientError};
use hqv_model::{Clock, SecretText};
use hqv_sys::signal::Held;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::errand::Outcome;
use super::watch::{self, End, POLL};
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::compose::SystemClock;

/// What the wait ended with.
#[derive(Debug)]
pub enum Waited {
    /// The entry has ended.
    End(End),
    /// Time is over and the entry is still open.
    Late,
    /// A signal came.
    Signal(i32),
    /// The prompt that stands elsewhere has ended.
    Prompt(Outcome),
}

/// Word from a prompt that stands elsewhere.
#[derive(Default)]
pub struct Notice {
    outcome: Mutex<Option<Outcome>>,
    came: Notify,
}

impl Notice {
    /// Gives word when `listen`, in a thread of its own, returns.
    pub fn when(listen: impl FnOnce() -> Outcome + Send + 'static) -> Arc<Notice> {
        let notice = Arc::new(Notice::default());
        let ours = Arc::clone(&notice);
        std::thread::spawn(move || {
            let outcome = listen();
            *ours.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            ours.came.notify_one();
        });
        notice
    }

    /// Returns only when the prompt has ended without a terminal.
    pub async fn without_terminal(&self) {
        if self.outcome().await != Outcome::NoTerminal {
            std::future::pending::<()>().await;
        }
    }

    async fn outcome(&self) -> Outcome {
        loop {
            if let Some(outcome) = *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) {
                return outcome;
            }
            self.came.notified().await;
        }
    }
}

/// How somebody waits.
pub struct Wait<'a> {
    /// The line to the daemon.
    pub link: &'a Link<'a>,
    /// As whom.
    pub credential: Option<&'a SecretText>,
    /// Notes the signals that end a command.
    pub held: &'a Held,
    /// When to stop, by the boot clock; never where `None`.
    pub deadline: Option<Duration>,
    /// How much longer a call may take once a signal has come.
    pub grace: Duration,
}

/// The grace of a call that changes something: what is on its way is best known to have arrived. The hang-up of
/// an agent that heard of a value before its prompt did must not make the prompt say that it was left open.
pub const GRACE: Duration = Duration::from_secs(1);

/// What cuts a wait short.
pub enum Cut {
    /// A signal.
    Signal(i32),
    /// The deadline.
    Late,
}

impl From<Cut> for Waited {
    fn from(cut: Cut) -> Waited {
        match cut {
            Cut::Signal(signal) => Waited::Signal(signal),
            Cut::Late => Waited::Late,
        }
    }
}

impl Wait<'_> {
    /// Waits until the entry has ended, or the prompt that stands elsewhere has.
    pub fn entry(&self, id: &str, prompt: Option<&Notice>) -> Result<Waited, Failure> {
        let event = async |client: &mut Client| {
            tokio::select! {
                end = watch::ended(client, id, POLL) => end.map(Waited::End),
                outcome = word(prompt) => Ok(Waited::Prompt(outcome)),
            }
        };
        match self.of(event) {
            // The prompt is over before the daemon's word of what it did is here.
            Ok(Ok(Waited::Prompt(Outcome::Decided))) => self.entry(id, None),
            Ok(Ok(waited)) => Ok(waited),
            Ok(Err(cut)) => Ok(cut.into()),
            Err(failure) => watch::lost(failure).map(Waited::End),
        }
    }

    /// Waits for an event that a call to the daemon brings.
    pub fn of<T>(
        &self,
        event: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<Result<T, Cut>, Failure> {
        self.link.run_if_there(self.credential, async |client| self.cut(event(client)).await)
    }

    /// Waits for any event.
    pub async fn cut<T>(
        &self,
        event: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<Result<T, Cut>, ClientError> {
        let mut signals = Signals::catch()?;
        let mut event = std::pin::pin!(event);
        let signal = match self.held.came() {
            Some(signal) => signal,
            None => tokio::select! {
                biased;
                signal = signals.any() => signal,
                found = &mut event => return found.map(Ok),
                () = late(self.deadline) => return Ok(Err(Cut::Late)),
            },
        };
        if self.grace.is_zero() {
            return Ok(Err(Cut::Signal(signal)));
        }
        match tokio::time::timeout(self.grace, event).await {
            Ok(found) => found.map(Ok),
            Err(_) => Ok(Err(Cut::Signal(signal))),
        }
    }
}

async fn word(prompt: Option<&Notice>) -> Outcome {
    match prompt {
        Some(notice) => notice.outcome().await,
        None => std::future::pending().await,
    }
}

/// Returns when the deadline has passed.
async fn late(deadline: Option<Duration>) {
    match deadline {
        Some(end) => tokio::time::sleep(end.saturating_sub(SystemClock.boot())).await,
        None => std::future::pending().await,
    }
}

/// The signals by which a person or a harness ends the wait. `Held` notes them too, before and between.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    quit: Signal,
}

impl Signals {
    fn catch() -> Result<Signals, ClientError> {
        let catch = |kind| signal(kind).map_err(|_| ClientError::usage("signals cannot be caught here"));
        Ok(Signals {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hangup: catch(SignalKind::hangup())?,
            quit: catch(SignalKind::quit())?,
        })
    }

    /// The number of the first that comes.
    async fn any(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
            _ = self.quit.recv() => SignalKind::quit(),
        };
        kind.as_raw_value()
    }
}
