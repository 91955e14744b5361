//! How an entry comes to its end, and hearing of it while a person types.

use std::io::PipeWriter;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hqv_api::{EntryState, EntryStored};
use hqv_client::{Client, ClientError};
use hqv_model::{Code, SecretText};
use tokio::sync::Notify;

use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::{Failure, Kind};

/// How long one poll waits at the daemon.
pub const POLL: Duration = Duration::from_secs(25);

/// How an entry ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The value is in the vault.
    Stored(EntryStored),
    /// A person refused.
    Refused,
    /// Nobody answered.
    Expired,
    /// The daemon stopped, and the entry with it.
    Lost,
}

impl End {
    /// The end that a state tells; None while it waits.
    pub fn of(state: &str, stored: Option<&EntryStored>) -> Option<End> {
        match (state, stored) {
            ("waiting", _) => None,
            ("stored", Some(stored)) => Some(End::Stored(stored.clone())),
            ("refused", _) => Some(End::Refused),
            ("expired", _) => Some(End::Expired),
            _ => Some(End::Lost),
        }
    }

    /// For a person whose prompt it ends.
    pub fn words(&self) -> &'static str {
        match self {
            End::Stored(_) => "It was answered elsewhere meanwhile. Nothing typed here was kept.",
            End::Refused => "It was refused elsewhere meanwhile. Nothing typed here was kept.",
            End::Expired => "Its time is over. Nothing was kept.",
            End::Lost => "The daemon has stopped, and what it waited for ended with it. Nothing was kept.",
        }
    }
}

/// Polls until the entry has ended. Where too many wait already it comes back when it is told to.
pub async fn ended(client: &mut Client, id: &str, poll: Duration) -> Result<End, ClientError> {
    loop {
        let EntryState { state, stored, .. } = match client.entry_state(id, poll).await {
            Err(error) => {
                crowded(error).await?;
                continue;
            }
            Ok(answer) => answer,
        };
        if let Some(end) = End::of(&state, stored.as_ref()) {
            return Ok(end);
        }
    }
}

/// Where too many wait already, returns when the daemon may be asked again; any other failure is one.
pub async fn crowded(error: ClientError) -> Result<(), ClientError> {
    if error.code != Code::RateLimited.as_str() {
        return Err(error);
    }
    tokio::time::sleep(Duration::from_secs(error.retry_after.unwrap_or(2).clamp(1, 60))).await;
    Ok(())
}

/// A daemon that is gone or knows no such entry: it has ended with the daemon that made it.
pub fn lost(failure: Failure) -> Result<End, Failure> {
    if failure.kind() == Kind::Unreachable || failure.is(Code::NotFound) {
        Ok(End::Lost)
    } else {
        Err(failure)
    }
}

/// Shared by a prompt and the thread that listens for its entry's end.
#[derive(Default)]
pub struct Watch {
    end: Mutex<Option<End>>,
    stop: Notify,
}

impl Watch {
    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the thread to go.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// The thread: returns when the entry has ended, which closes `withdraw`, or when told to stop. Where the
    /// caller may not poll, nothing is withdrawn: the store will say.
    pub fn run(&self, ctx: &Context, credential: Option<&SecretText>, id: &str, withdraw: PipeWriter) {
        let Ok(link) = Link::open(ctx) else { return };
        let found = link.run_if_there(credential, async |client| {
            tokio::select! {
                end = ended(client, id, POLL) => end.map(Some),
                () = self.stop.notified() => Ok(None),
            }
        });
        let end = match found.map_or_else(|failure| lost(failure).map(Some), Ok) {
            Ok(Some(end)) => end,
            Ok(None) => return,
            Err(_) => {
                let _ = link.wait(self.stop.notified());
                return;
            }
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        drop(withdraw);
    }
}

/// Stops the thread on every way out of the prompt, a panic too: its scope waits for it.
pub struct StopOnDrop<'a>(pub &'a Watch);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
