//! Signal dispositions that the command line needs.

use std::io;

/// Lets SIGPIPE end this process again (Rust ignores it): `hq-vault list | head -1` must stop in silence.
/// Not for the daemon.
pub fn end_on_broken_pipe() {
    // SAFETY: sets a disposition, runs no code of ours.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Ignores SIGHUP, so that a daemon outlives the terminal it was started from.
pub fn ignore_hangup() {
    // SAFETY: as above.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}

/// Sends `signal` to this process with its default effect restored, so that the starter sees the true cause
/// of the end. Returns only where the signal does not end a process.
///
/// # Errors
/// Where there is no such signal.
pub fn die_of(signal: i32) -> io::Result<()> {
    // SAFETY: sets a disposition and raises a signal in the calling thread.
    let done = unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal)
    };
    if done == 0 { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
}
