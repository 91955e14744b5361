//! One daemon for one vault.
//!
//! The lock on the open file decides, not the pid written into it: the kernel drops it when its holder
//! ends, however it ends. So a pid left behind by a killed daemon, even one that an innocent process has
//! meanwhile, keeps nobody out. The pid is there to be named.
//!
//! On Linux it is an open-file-description lock, which can be asked about without being taken ([`holder`]).
//! The file is never removed: a lock on a removed file locks nothing.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::files::{self, Access};

/// The lock of a vault directory; released on drop or with the process.
#[derive(Debug)]
pub struct VaultLock(File);

/// Why the lock was not had.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it.
    Held {
        /// The holder's pid, where it had written it already.
        pid: Option<u32>,
    },
    /// The file or the lock itself failed: not private, read-only, a file system without locks.
    Io(io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held { pid: Some(pid) } => {
                write!(f, "another process (pid {pid}) has this vault open")
            }
            LockError::Held { pid: None } => f.write_str("another process has this vault open"),
            LockError::Io(error) => write!(f, "the vault's lock file cannot be used: {error}"),
        }
    }
}

impl std::error::Error for LockError {}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> Self {
        LockError::Io(error)
    }
}

impl VaultLock {
    /// Takes the lock at `path` (`vault.lock`, made 0600 where missing) and writes our pid into it. Never
    /// waits.
    ///
    /// # Errors
    /// [`LockError::Held`] with the first's pid, or [`LockError::Io`].
    pub fn acquire(path: &Path) -> Result<VaultLock, LockError> {
        let mut file = files::open_private(path, Access::Create)?;
        if !try_lock(&file)? {
            return Err(LockError::Held { pid: read_pid(&mut file) });
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
        Ok(VaultLock(file))
    }
}

impl Drop for VaultLock {
    fn drop(&mut self) {
        // An empty file says that the end was orderly; the lock goes with the descriptor.
        let _ = self.0.set_len(0);
    }
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The pid it wrote, where it had done so already.
    pub pid: Option<u32>,
}

/// Whether a process holds the lock at `path`, without taking it: a daemon that starts at this moment is not
/// disturbed. `None` where the file is missing or nobody holds it.
///
/// # Errors
/// As for opening a private file.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let mut file = match files::open_private(path, Access::Write) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !is_locked(&file)? {
        return Ok(None);
    }
    Ok(Some(Holder { pid: read_pid(&mut file) }))
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().filter(|pid| *pid != 0)
}

#[cfg(target_os = "linux")]
fn whole_file() -> libc::flock {
    // SAFETY: flock is plain numbers, for which zeros are valid.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

#[cfg(target_os = "linux")]
fn control(file: &File, command: libc::c_int, lock: &mut libc::flock) -> io::Result<()> {
    let raw = std::os::fd::AsRawFd::as_raw_fd(file);
    // SAFETY: the descriptor is open and the kernel reads and writes one flock of ours.
    if unsafe { libc::fcntl(raw, command, std::ptr::from_mut(lock)) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn try_lock(file: &File) -> io::Result<bool> {
    match control(file, libc::F_OFD_SETLK, &mut whole_file()) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn is_locked(file: &File) -> io::Result<bool> {
    let mut lock = whole_file();
    control(file, libc::F_OFD_GETLK, &mut lock)?;
    Ok(lock.l_type != libc::F_UNLCK as libc::c_short)
}

#[cfg(not(target_os = "linux"))]
fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// flock(2) cannot be asked about, only tried; it is given back when the file closes. Untested.
#[cfg(not(target_os = "linux"))]
fn is_locked(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
