//! Waiting for descriptors, up to a deadline. Everything in this crate that waits does it here.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, Timespec, poll};

use crate::clock;

/// A moment of the boot clock, which nobody can set; or never.
pub(crate) struct Deadline(Option<Duration>);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Deadline {
        Deadline::after_if(Some(timeout))
    }

    /// Never, where there is no timeout.
    pub(crate) fn after_if(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.map(|timeout| clock::boot().saturating_add(timeout)))
    }

    fn left(&self) -> io::Result<Option<Timespec>> {
        let left = self.0.map(|end| Timespec::try_from(end.saturating_sub(clock::boot())));
        left.transpose().map_err(|_| io::ErrorKind::InvalidInput.into())
    }
}

/// Waits until one of `fds` has something to say. False at the deadline.
pub(crate) fn wait(fds: &mut [PollFd<'_>], deadline: &Deadline) -> io::Result<bool> {
    loop {
        match poll(fds, deadline.left()?.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
