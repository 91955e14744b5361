//! The signals that end the daemon in good order.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::start;
use crate::cli::output::error::Failure;

/// Those that are listened for.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// SIGTERM and SIGINT stop in good order. SIGHUP too in the foreground,
    /// where it means that the terminal is gone; in the background it is ignored.
    pub fn catch() -> Result<Signals, Failure> {
        let catch = |kind| signal(kind).map_err(|e| Failure::io("cannot catch signals", &e));
        let hangup = if start::is_child() { None } else { Some(catch(SignalKind::hangup())?) };
        Ok(Signals {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hangup,
        })
    }

    /// Returns with the first that comes.
    pub async fn any(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = hangup => {}
        }
    }
}
