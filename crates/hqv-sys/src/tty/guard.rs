//! A terminal with its echo off, and the promise to put it back.
//!
//! Three ways lead out of a prompt: a return, a panic and a signal. Drop serves the first two. For the
//! third the usual handlers are replaced, while the prompt stands, by one that only writes the signal's
//! number into a pipe; the prompt reads it, puts the terminal back and sends itself the signal again with
//! the old handler in place. A pipe and not EINTR, because the signal may be delivered to any thread.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// Signals whose default effect would end or stop us with the echo off, and the one that wakes us with
/// modes unknown.
const CAUGHT: [libc::c_int; 7] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGCONT];

/// Made once and never closed: a handler that is still running elsewhere must not write into whatever has its
/// number meanwhile.
static PIPE: OnceLock<(File, OwnedFd)> = OnceLock::new();
static WRITE_END: AtomicI32 = AtomicI32::new(-1);
static ONE_PROMPT: Mutex<()> = Mutex::new(());

extern "C" fn note(signal: libc::c_int) {
    // Every number of a signal fits into a byte.
    let byte = signal as u8;
    // SAFETY: write(2) is async-signal-safe; the byte is ours; errno is put back for the code we interrupted.
    unsafe {
        let errno = errno_place();
        let before = *errno;
        libc::write(WRITE_END.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *errno = before;
    }
}

/// The pipe, empty. Only with `ONE_PROMPT` held.
fn pipe() -> io::Result<&'static File> {
    if PIPE.get().is_none() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        WRITE_END.store(write.as_raw_fd(), Ordering::SeqCst);
        let _ = PIPE.set((File::from(read), write));
    }
    let (mut read, _) = PIPE.get().map(|(read, write)| (read, write)).ok_or(io::ErrorKind::Other)?;
    while matches!(read.read(&mut [0; 64]), Ok(1..)) {}
    Ok(read)
}

/// Where errno of this thread lives.
pub(crate) fn errno_place() -> *mut libc::c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: no preconditions; the address is valid for the life of the thread.
    return unsafe { libc::__errno_location() };
    #[cfg(target_vendor = "apple")]
    // SAFETY: as above.
    return unsafe { libc::__error() };
}

/// The signals caught while a prompt stands.
pub(super) struct Signals {
    read: &'static File,
    before: Vec<(libc::c_int, libc::sigaction)>,
    _only: MutexGuard<'static, ()>,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Signals> {
        let only = ONE_PROMPT.lock().unwrap_or_else(PoisonError::into_inner);
        let mut signals = Signals { read: pipe()?, before: Vec::new(), _only: only };
        signals.install();
        Ok(signals)
    }

    fn install(&mut self) {
        for signal in CAUGHT {
            // SAFETY: `note` is async-signal-safe; both structs are ours.
            unsafe {
                let mut ours: libc::sigaction = std::mem::zeroed();
                ours.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
                let mut before = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                if libc::sigaction(signal, &raw const ours, &raw mut before) != 0 {
                    continue;
                }
                if before.sa_sigaction == libc::SIG_IGN && signal != libc::SIGCONT {
                    // Whoever had it ignored (nohup) goes on having so.
                    libc::sigaction(signal, &raw const before, std::ptr::null_mut());
                } else {
                    self.before.push((signal, before));
                }
            }
        }
    }

    fn uninstall(&mut self) {
        for (signal, before) in self.before.drain(..) {
            // SAFETY: restores what sigaction gave us.
            unsafe {
                libc::sigaction(signal, &raw const before, std::ptr::null_mut());
            }
        }
    }

    /// The signal that came, if one has.
    pub(super) fn next(&mut self) -> Option<libc::c_int> {
        let mut byte = [0u8; 1];
        matches!(self.read.read(&mut byte), Ok(1)).then(|| libc::c_int::from(byte[0]))
    }

    /// Lets `signal` have the effect it would have had without us. Comes back where it stopped the process
    /// and it was continued, or where the program has a handler of its own.
    pub(super) fn pass_on(&mut self, signal: libc::c_int) {
        self.uninstall();
        // SAFETY: raise sends the signal to this thread.
        unsafe {
            libc::raise(signal);
        }
        self.install();
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.uninstall();
    }
}

/// A terminal with echo off; as it was before once dropped.
pub(super) struct Quiet<'a> {
    tty: BorrowedFd<'a>,
    before: Termios,
    marks: bool,
}

impl<'a> Quiet<'a> {
    /// Turns echo and line editing off and asks for pastes to be marked. Input that was typed before is
    /// dropped: it was not meant for this prompt.
    pub(super) fn enter(tty: BorrowedFd<'a>) -> io::Result<Quiet<'a>> {
        let before = tcgetattr(tty)?;
        let quiet = Quiet { tty, before, marks: knows_marks() };
        quiet.apply()?;
        Ok(quiet)
    }

    pub(super) fn apply(&self) -> io::Result<()> {
        tcsetattr(self.tty, OptionalActions::Flush, &self.modes())?;
        self.mark_pastes("\x1b[?2004h");
        Ok(())
    }

    fn modes(&self) -> Termios {
        let mut modes = self.before.clone();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN;
        modes.local_modes |= LocalModes::ISIG;
        // A return stays one: made a newline it could not be told from the newline that follows it in a paste.
        modes.input_modes -= InputModes::IXON | InputModes::ISTRIP | InputModes::INLCR;
        modes.input_modes -= InputModes::IGNCR | InputModes::ICRNL;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        if is_ignored(libc::SIGTSTP) {
            // The kernel would drop what was typed before the key, for a signal that does nothing.
            modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
        }
        modes
    }

    /// Puts the terminal back. What is left of the input is dropped: the rest of a paste must not reach a
    /// shell. Where another group has the terminal by now and has given it modes of its own, those stand.
    pub(super) fn restore(&self) {
        if !self.is_ours() {
            return;
        }
        self.mark_pastes("\x1b[?2004l");
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }

    fn is_ours(&self) -> bool {
        let quiet = self.modes();
        let unchanged = || {
            tcgetattr(self.tty)
                .is_ok_and(|now| now.local_modes == quiet.local_modes && now.input_modes == quiet.input_modes)
        };
        tcgetpgrp(self.tty).is_ok_and(|front| front == rustix::process::getpgrp()) || unchanged()
    }

    fn mark_pastes(&self, how: &str) {
        if self.marks {
            let _ = super::write_all(self.tty, how);
        }
    }
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: only asks; the struct is ours.
    unsafe {
        let mut now = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Whether the terminal is worth asking to mark pastes; those that do not know how ignore it.
#[allow(clippy::disallowed_methods)] // what kind the terminal is stands nowhere else
fn knows_marks() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}
