//! Where the program's output goes.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::wait::{Deadline, wait};

/// Where output came from, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Standard output, and everything that is shown on a terminal.
    Output,
    /// Standard error, where that is not the terminal.
    Errors,
}

impl Channel {
    fn fd(self) -> BorrowedFd<'static> {
        match self {
            Channel::Output => rustix::stdio::stdout(),
            Channel::Errors => rustix::stdio::stderr(),
        }
    }

    /// Whether a person may be at its end.
    pub fn is_terminal(self) -> bool {
        rustix::termios::isatty(self.fd())
    }
}

/// What becomes of the program's output.
pub trait Sink {
    /// Bytes, as they come.
    ///
    /// # Errors
    /// Nobody takes them any more: the program's end is closed, too.
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()>;

    /// The program has said nothing for a moment.
    fn silence(&mut self);

    /// Nothing more will come.
    fn end(&mut self);
}

/// Writes all of `bytes`, at once and with no copy kept. Waits where whoever shares the stream has made it
/// non-blocking, as programs of Node do.
///
/// # Errors
/// What the system said.
pub fn put(channel: Channel, mut bytes: &[u8]) -> io::Result<()> {
    let fd = channel.fd();
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                wait(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], &Deadline::after_if(None))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
