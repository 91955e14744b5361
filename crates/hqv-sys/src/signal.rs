//! Signal dispositions that the command line needs.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, Ordering};

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

/// The signals that a person or a harness ends a command with.
const ENDING: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

static CAME: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: libc::c_int) {
    CAME.store(signal, Ordering::SeqCst);
}

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT are only noted while this lives, so that what must be put back is, and
/// the last words are said; [`die_of`] then gives the signal its effect. One at a time.
#[derive(Debug)]
pub struct Held {
    before: Vec<(libc::c_int, libc::sigaction)>,
}

impl Held {
    /// Begins. A signal that was ignored stays so.
    pub fn hold() -> Held {
        CAME.store(0, Ordering::SeqCst);
        let mut held = Held { before: Vec::with_capacity(ENDING.len()) };
        for signal in ENDING {
            // SAFETY: the handler stores into an atomic, nothing else; both structs are ours.
            unsafe {
                let mut ours: libc::sigaction = std::mem::zeroed();
                ours.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
                let mut before = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                if libc::sigaction(signal, &raw const ours, &raw mut before) != 0 {
                    continue;
                }
                if before.sa_sigaction == libc::SIG_IGN {
                    libc::sigaction(signal, &raw const before, std::ptr::null_mut());
                } else {
                    held.before.push((signal, before));
                }
            }
        }
        held
    }

    /// The signal that came last, if one has.
    pub fn came(&self) -> Option<i32> {
        Some(CAME.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for (signal, before) in self.before.drain(..) {
            // SAFETY: restores what sigaction gave us.
            unsafe {
                libc::sigaction(signal, &raw const before, std::ptr::null_mut());
            }
        }
    }
}
