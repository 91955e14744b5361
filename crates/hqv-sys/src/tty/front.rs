//! The foreground of a terminal, taken for the time of one question.
//!
//! A program that was started with pipes for its streams may still have a controlling terminal, on which a
//! person can be asked. Whoever started it is in the foreground there and could read what is typed. So the
//! asker is a process in a group of its own, and that group takes the foreground: the kernel then stops
//! every other group that tries to read. A reader that had begun to wait before is not stopped by that; see
//! [`super::is_read`].
//!
//! The foreground is given back on every way out: by Drop, and, where the asker was killed, by whoever holds
//! a [`Saved`].

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process_group};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

/// The foreground of a terminal, held by this process's own group; given back when dropped.
#[derive(Debug)]
pub struct Front<'a> {
    tty: BorrowedFd<'a>,
    before: Pid,
}

impl<'a> Front<'a> {
    /// Takes the foreground of the controlling terminal `tty`. This process must lead a group of its own.
    /// From here on it ignores the signals of job control, also after the foreground was given back: a read
    /// from the background fails with an error, a Ctrl-Z does nothing.
    ///
    /// # Errors
    /// Not the leader of a group; not our controlling terminal; no group in the foreground.
    pub fn take(tty: BorrowedFd<'a>) -> io::Result<Front<'a>> {
        if getpgrp() != getpid() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "not the leader of a process group"));
        }
        for signal in [libc::SIGTTIN, libc::SIGTTOU, libc::SIGTSTP] {
            // SAFETY: sets a disposition, runs no code of ours.
            unsafe {
                libc::signal(signal, libc::SIG_IGN);
            }
        }
        let before = tcgetpgrp(tty)?;
        tcsetpgrp(tty, getpgrp())?;
        Ok(Front { tty, before })
    }

    /// Becomes readable when the leader of the group that had the foreground has ended: a shell will take
    /// the terminal then. None where that cannot be watched.
    #[cfg(target_os = "linux")]
    pub fn leader(&self) -> Option<OwnedFd> {
        use rustix::process::{PidfdFlags, pidfd_open};
        pidfd_open(self.before, PidfdFlags::empty()).ok()
    }

    /// Not known here. Untested.
    #[cfg(not(target_os = "linux"))]
    pub fn leader(&self) -> Option<OwnedFd> {
        None
    }
}

impl Drop for Front<'_> {
    fn drop(&mut self) {
        // Whoever has taken the terminal meanwhile keeps it.
        if tcgetpgrp(self.tty).is_ok_and(|front| front == getpgrp()) {
            give(self.tty, self.before);
        }
    }
}

/// Gives `group` the foreground, and lets those of it go on that were stopped for reading without it.
fn give(tty: BorrowedFd<'_>, group: Pid) {
    let _ = tcsetpgrp(tty, group);
    let _ = kill_process_group(group, Signal::CONT);
}

/// A terminal as it was: its modes and who was in its foreground.
#[derive(Debug)]
pub struct Saved {
    modes: Termios,
    front: Pid,
}

impl Saved {
    /// Looks at `tty`.
    ///
    /// # Errors
    /// No terminal, or not ours.
    pub fn of(tty: impl AsFd) -> io::Result<Saved> {
        let tty = tty.as_fd();
        Ok(Saved { modes: tcgetattr(tty)?, front: tcgetpgrp(tty)? })
    }

    /// Puts both back where the group `asker` still has the foreground and can no longer do so itself.
    pub fn restore_after(&self, tty: impl AsFd, asker: u32) {
        let tty = tty.as_fd();
        let asker = i32::try_from(asker).ok().and_then(Pid::from_raw);
        if asker.is_none() || tcgetpgrp(tty).ok() != asker {
            return;
        }
        without_ttou(|| {
            let _ = super::write_all(tty, "\x1b[?2004l\r\n");
            let _ = tcsetattr(tty, OptionalActions::Flush, &self.modes);
            give(tty, self.front);
        });
    }
}

/// Runs `act` with SIGTTOU blocked in this thread, so that a process of the background may set a terminal.
fn without_ttou(act: impl FnOnce()) {
    // SAFETY: both sets are ours and are filled by the calls before they are read.
    unsafe {
        let mut block = MaybeUninit::<libc::sigset_t>::zeroed().assume_init();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed().assume_init();
        libc::sigemptyset(&raw mut block);
        libc::sigaddset(&raw mut block, libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const block, &raw mut before);
        act();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
    }
}
