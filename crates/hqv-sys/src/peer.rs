//! Who is at the other end of a Unix socket, by the kernel's word.

use std::io;
use std::os::fd::BorrowedFd;

/// The process at the other end, as it was when it connected (or listened).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCred {
    /// Process id; none where the peer lives in another pid namespace. For records only: a pid can be reused
    /// the moment its process ends, so nothing may be decided by it.
    pub pid: Option<u32>,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

/// The peer of a connected Unix socket.
///
/// # Errors
/// Where `fd` is no connected Unix socket.
#[cfg(target_os = "linux")]
pub fn of(fd: BorrowedFd<'_>) -> io::Result<PeerCred> {
    // By hand: the pid is 0 for a peer of another pid namespace, which a type of non-zero pids cannot hold.
    let mut cred = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
    // SAFETY: the kernel writes at most `len` bytes into a struct of that size.
    let done = unsafe {
        libc::getsockopt(raw, libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut cred).cast(), &raw mut len)
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    // A socket that has no peer answers with the id "nobody at all".
    if cred.uid == u32::MAX {
        return Err(io::ErrorKind::NotConnected.into());
    }
    let pid = u32::try_from(cred.pid).ok().filter(|pid| *pid != 0);
    Ok(PeerCred { pid, uid: cred.uid, gid: cred.gid })
}

/// The peer of a connected Unix socket. Untested.
///
/// # Errors
/// Where `fd` is no connected Unix socket.
#[cfg(target_vendor = "apple")]
pub fn of(fd: BorrowedFd<'_>) -> io::Result<PeerCred> {
    let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
    let (mut uid, mut gid, mut pid) = (0, 0, 0 as libc::pid_t);
    // SAFETY: two out-pointers of ours.
    if unsafe { libc::getpeereid(raw, &mut uid, &mut gid) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut len = size_of::<libc::pid_t>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into an integer of that size.
    let done = unsafe {
        libc::getsockopt(raw, libc::SOL_LOCAL, libc::LOCAL_PEERPID, (&raw mut pid).cast(), &mut len)
    };
    let pid = u32::try_from(pid).ok().filter(|pid| done == 0 && *pid != 0);
    Ok(PeerCred { pid, uid, gid })
}
