//! The signals that the daemon obeys: two end it in good order, SIGHUP has what others replaced opened again.

use std::io::IsTerminal;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::start;
use crate::cli::output::error::Failure;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An end in good order.
    Stop,
    /// The mirror of the record is to be opened again, and the files of `--tls-cert` and `--tls-key` read.
    Reload,
}

/// Those that are listened for.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// In the foreground of a terminal SIGHUP means that the terminal is gone.
    hangup_stops: bool,
}

impl Signals {
    /// SIGTERM and SIGINT stop. SIGHUP stops where a terminal is our stdin, and reloads everywhere else: in the
    /// background, and under a service manager.
    pub fn catch() -> Result<Signals, Failure> {
        let catch = |kind| signal(kind).map_err(|e| Failure::io("cannot catch signals", &e));
        Ok(Signals {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hangup: catch(SignalKind::hangup())?,
            hangup_stops: !start::is_child() && std::io::stdin().is_terminal(),
        })
    }

    /// Returns with the first that comes.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hangup.recv() => if self.hangup_stops { Wish::Stop } else { Wish::Reload },
        }
    }
}
