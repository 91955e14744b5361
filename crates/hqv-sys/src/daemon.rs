//! Starting a daemon that outlives its starter, and knowing when it listens.
//!
//! The starter makes a pipe, and the daemon inherits its writing end. The daemon writes "ready" once it
//! listens, or the reason why it cannot; if it dies before that, the kernel closes the pipe and the starter
//! reads the end of it. So nobody sleeps and tries again. The daemon gets a session of its own, no
//! descriptor but the pipe and its log, and of the environment only what names people and places: a token
//! in the starter's shell must not stay readable in the environment of a process that runs for days.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::files::{self, Access};
use crate::wait::{Deadline, wait};

/// The variable that tells the daemon the number of its readiness pipe.
pub const READY_FD: &str = "HQ_VAULT_READY_FD";

/// Variables that the daemon inherits, and every `LC_`.
const KEPT: &[&str] =
    &["HOME", "USER", "LOGNAME", "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"];

/// The longest reason that is read, in bytes.
const REASON_MAX: usize = 4096;

/// Starts `program` with `args` as a daemon: a session of its own, working directory `/`, stdin from
/// `/dev/null`, stdout and stderr appended to the private file `log`, and no other descriptor of ours.
/// Paths must be absolute. The environment is what `KEPT` names and `extra_env`.
///
/// Returns its pid and the pipe on which it will report. Nothing has been waited for yet.
///
/// # Errors
/// Where the log cannot be opened or the program not be run.
// Here the environment is passed on, by name.
#[allow(clippy::disallowed_methods)]
pub fn spawn_detached(
    program: &Path,
    args: &[OsString],
    log: &Path,
    extra_env: &[(OsString, OsString)],
) -> io::Result<(u32, ReadyPipe)> {
    let out = files::open_private(log, Access::Append)?;
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_kept(name)))
        .envs(extra_env.iter().cloned())
        .env(READY_FD, write.as_raw_fd().to_string());
    let ready = write.as_raw_fd();
    // SAFETY: the closure makes system calls only and allocates nothing: it is safe between fork and exec.
    unsafe {
        command.pre_exec(move || detach(ready));
    }
    let child = command.spawn()?;
    Ok((child.id(), ReadyPipe { pipe: File::from(read), child }))
}

fn is_kept(name: &OsStr) -> bool {
    KEPT.iter().any(|kept| name == *kept) || name.as_bytes().starts_with(b"LC_")
}

/// Runs in the child, between fork and exec.
fn detach(ready: RawFd) -> io::Result<()> {
    rustix::process::setsid()?;
    close_on_exec_from(3);
    // SAFETY: sets one flag of a descriptor that the child holds.
    if unsafe { libc::fcntl(ready, libc::F_SETFD, 0) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Marks every descriptor from `first` on to be closed by exec. Marked, not closed: the standard library
/// reports a failed exec through one of them.
fn close_on_exec_from(first: RawFd) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: only sets a flag on descriptors.
    if unsafe { libc::close_range(first.unsigned_abs(), libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as _) }
        == 0
    {
        return;
    }
    // Kernels before 5.11, and other systems.
    // SAFETY: asks for a number.
    let limit = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) }.clamp(256, 65_536);
    for fd in first..RawFd::try_from(limit).unwrap_or(256) {
        // SAFETY: sets a flag, or fails on a number that is not open.
        unsafe {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// What a started daemon reported.
#[derive(Debug, PartialEq, Eq)]
pub enum Ready {
    /// It listens.
    Ok,
    /// It cannot, and says why.
    Failed(String),
    /// It ended without a word; its log may say more.
    Died,
    /// It said nothing in the time given, and still runs.
    TimedOut,
}

/// The starter's end of the readiness pipe.
#[derive(Debug)]
pub struct ReadyPipe {
    pipe: File,
    child: Child,
}

impl ReadyPipe {
    /// Waits for the daemon's word, at most for `timeout`.
    pub fn wait(self, timeout: Duration) -> Ready {
        let ReadyPipe { pipe, mut child } = self;
        let word = listen(pipe, &Deadline::after(timeout));
        // Where the starter lives longer than the daemon, that must not stay a zombie.
        std::thread::spawn(move || child.wait());
        word
    }
}

fn listen(mut pipe: File, deadline: &Deadline) -> Ready {
    let mut word = Vec::new();
    loop {
        match wait(&mut [PollFd::new(&pipe, PollFlags::IN)], deadline) {
            Ok(true) => {}
            Ok(false) => return Ready::TimedOut,
            Err(_) => return Ready::Died,
        }
        let mut room = [0u8; 512];
        let got = match pipe.read(&mut room) {
            Ok(got) => room.get(..got).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Ready::Died,
        };
        word.extend_from_slice(got);
        if word.first() == Some(&b'+') {
            return Ready::Ok;
        }
        if got.is_empty() || word.len() > REASON_MAX {
            break;
        }
    }
    match word.split_first() {
        Some((b'-', reason)) => Ready::Failed(String::from_utf8_lossy(reason).into_owned()),
        _ => Ready::Died,
    }
}

/// The daemon's end of the readiness pipe. Dropped without a word it tells the starter that the daemon died.
#[derive(Debug)]
pub struct ReadySignal(File);

impl ReadySignal {
    /// The pipe that the starter named in [`READY_FD`], or `None` where there is none: the variable is
    /// missing, or its number is not a pipe that was left open for us. Children of the daemon do not
    /// inherit it. Call once.
    // The one variable by which starter and daemon find each other.
    #[allow(clippy::disallowed_methods)]
    pub fn from_env() -> Option<ReadySignal> {
        let fd: RawFd = std::env::var(READY_FD).ok()?.parse().ok()?;
        // SAFETY: asks for the flags of a number, which need not be open.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        // Descriptors that this process opened itself are close-on-exec; the starter's is the one that is
        // not.
        if fd <= 2 || flags == -1 || flags & libc::FD_CLOEXEC != 0 {
            return None;
        }
        // SAFETY: it is open, nobody else in this process knows it, and it is taken once: it is marked just
        // below.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        let _ = rustix::io::fcntl_setfd(&owned, rustix::io::FdFlags::CLOEXEC);
        ReadySignal::from_fd(owned)
    }

    /// The writing end of a pipe, or `None` where `fd` is something else.
    pub fn from_fd(fd: OwnedFd) -> Option<ReadySignal> {
        let file = File::from(fd);
        let is_pipe = file.metadata().is_ok_and(|meta| meta.file_type().is_fifo());
        is_pipe.then_some(ReadySignal(file))
    }

    /// Says that the daemon listens. A starter that has gone does not matter.
    pub fn ok(mut self) {
        let _ = self.0.write_all(b"+");
    }

    /// Says why the daemon cannot start. The reason must hold nothing secret; beyond 4 KiB it is cut.
    pub fn failed(mut self, reason: &str) {
        let reason = reason.as_bytes();
        let cut = reason.get(..REASON_MAX).unwrap_or(reason);
        let _ = self.0.write_all(&[b"-", cut].concat());
    }
}
