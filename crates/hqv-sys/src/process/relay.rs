//! Signals as bytes in a pipe, for a loop that also waits for descriptors.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::tty::errno_place;

/// What a program that stands for another hears: what ends it, its child's news, the window's size, and going on.
const HEARD: [libc::c_int; 10] = [
    libc::SIGINT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGCHLD,
    libc::SIGWINCH,
    libc::SIGCONT,
];

static PIPE: OnceLock<(File, OwnedFd)> = OnceLock::new();
static WRITE_END: AtomicI32 = AtomicI32::new(-1);
/// Which signals were blocked when we were started.
static BLOCKED: OnceLock<libc::sigset_t> = OnceLock::new();

extern "C" fn note(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gives the info; write(2) is async-signal-safe and the bytes are ours; errno is put back.
    unsafe {
        let kernel = !info.is_null() && (*info).si_code > 0;
        let bytes = [signal as u8, u8::from(kernel)];
        let place = errno_place();
        let before = *place;
        libc::write(WRITE_END.load(Ordering::Relaxed), bytes.as_ptr().cast(), 2);
        *place = before;
    }
}

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) signal: libc::c_int,
    /// The kernel sent it: from the keyboard it goes to the whole group, the child too.
    pub(super) kernel: bool,
}

/// From now on signals are heard. For the rest of this process's life.
pub(super) struct Relay(&'static File);

impl Relay {
    pub(super) fn listen() -> io::Result<Relay> {
        if PIPE.get().is_none() {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
            WRITE_END.store(write.as_raw_fd(), Ordering::SeqCst);
            let _ = PIPE.set((File::from(read), write));
        }
        let (read, _) = PIPE.get().ok_or(io::ErrorKind::Other)?;
        unblock();
        for signal in HEARD {
            // SAFETY: `note` is async-signal-safe; both structs are ours.
            unsafe {
                let mut ours: libc::sigaction = std::mem::zeroed();
                ours.sa_sigaction = note as extern "C" fn(_, _, _) as usize;
                ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
                let mut before = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                if libc::sigaction(signal, &raw const ours, &raw mut before) == 0
                    && before.sa_sigaction == libc::SIG_IGN
                    && signal != libc::SIGCHLD
                {
                    // Whoever had it ignored (nohup) goes on having so, and so does the child.
                    libc::sigaction(signal, &raw const before, std::ptr::null_mut());
                }
            }
        }
        Ok(Relay(read))
    }

    pub(super) fn next(&mut self) -> Option<Heard> {
        let mut bytes = [0; 2];
        let got = self.0.read(&mut bytes);
        matches!(got, Ok(2)).then(|| Heard { signal: bytes[0].into(), kernel: bytes[1] != 0 })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whoever started us may have blocked what we must hear.
fn unblock() {
    // SAFETY: both sets are ours.
    unsafe {
        let mut heard = MaybeUninit::<libc::sigset_t>::zeroed().assume_init();
        let mut before = heard;
        libc::sigemptyset(&raw mut heard);
        for signal in HEARD {
            libc::sigaddset(&raw mut heard, signal);
        }
        if libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const heard, &raw mut before) == 0 {
            let _ = BLOCKED.set(before);
        }
    }
}

/// Whether a signal has no effect on this process. Safe between fork and exec.
pub(super) fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: asks for a disposition; the struct is ours.
    unsafe {
        let mut now = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Gives back what was heard its default effect, and blocks what was blocked, in a child before it becomes another program.
///
/// # Safety
/// In a child, between fork and exec.
pub(super) unsafe fn forget() {
    // SAFETY: sets dispositions and the mask.
    unsafe {
        for signal in HEARD.into_iter().chain([libc::SIGPIPE]) {
            if signal == libc::SIGPIPE || !is_ignored(signal) {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        if let Some(blocked) = BLOCKED.get() {
            libc::pthread_sigmask(libc::SIG_SETMASK, blocked, std::ptr::null_mut());
        }
    }
}
