//! The Unix socket. Both sides check the other's uid; here are the client's two looks.
//!
//! The file is looked at before connecting (it must be a socket of ours that nobody else may write, in a directory
//! that nobody else may change), and the peer after: whoever listens must run as us. Without the second look, a
//! program of another user could stand where the vault's socket was and be handed the passphrase.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::UnixStream;

use crate::error::{ClientError, Result};

/// Who a connected socket's peer is. The binary passes it in, since this crate may not depend on the one that asks
/// the kernel.
pub type PeerUid = fn(BorrowedFd<'_>) -> io::Result<u32>;

/// Connects, with both looks.
pub(crate) async fn connect(path: &Path, own_uid: u32, peer: PeerUid, limit: Duration) -> Result<UnixStream> {
    check_file(path, own_uid)?;
    let connected = tokio::time::timeout(limit, UnixStream::connect(path)).await;
    let stream = match connected {
        Err(_) => return Err(not_running(path, "it did not answer in time")),
        Ok(Err(error)) => return Err(not_running(path, &error.kind().to_string())),
        Ok(Ok(stream)) => stream,
    };
    check_peer(path, own_uid, peer(stream.as_fd()))?;
    Ok(stream)
}

/// The same on this thread.
pub(crate) fn connect_blocking(
    path: &Path,
    own_uid: u32,
    peer: PeerUid,
    limit: Duration,
) -> Result<std::os::unix::net::UnixStream> {
    check_file(path, own_uid)?;
    let stream = within(path, limit).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => not_running(path, "it did not answer in time"),
        kind => not_running(path, &kind.to_string()),
    })?;
    check_peer(path, own_uid, peer(stream.as_fd()))?;
    Ok(stream)
}

/// The standard library's own connect waits for ever where nobody takes connections any more.
fn within(path: &Path, limit: Duration) -> io::Result<std::os::unix::net::UnixStream> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

fn check_peer(path: &Path, own_uid: u32, peer: io::Result<u32>) -> Result<()> {
    match peer {
        Ok(uid) if uid == own_uid => Ok(()),
        Ok(uid) => Err(foreign(path, &format!("a process of uid {uid} listens on it"))),
        Err(_) => Err(foreign(path, "the kernel does not say who listens on it")),
    }
}

fn check_file(path: &Path, own_uid: u32) -> Result<()> {
    let facts =
        std::fs::symlink_metadata(path).map_err(|error| not_running(path, &error.kind().to_string()))?;
    if !facts.file_type().is_socket() {
        return Err(foreign(path, "it is not a socket"));
    }
    if facts.uid() != own_uid {
        return Err(foreign(path, &format!("it belongs to uid {}", facts.uid())));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(foreign(path, "others may use it"));
    }
    let folder = path.parent().map(std::fs::metadata).and_then(io::Result::ok);
    match folder {
        Some(folder) if folder.uid() != own_uid && folder.uid() != 0 => {
            Err(foreign(path, "its directory belongs to somebody else"))
        }
        // A sticky directory such as /tmp lets nobody replace what is not theirs.
        Some(folder) if folder.mode() & 0o022 != 0 && folder.mode() & 0o1000 == 0 => {
            Err(foreign(path, "others may change its directory"))
        }
        Some(_) => Ok(()),
        None => Err(not_running(path, "its directory cannot be read")),
    }
}

fn not_running(path: &Path, why: &str) -> ClientError {
    ClientError::connection(format!("no vault answers on {}: {why}", path.display()))
        .hint("hq-vault serve --daemon")
}

fn foreign(path: &Path, why: &str) -> ClientError {
    ClientError::connection(format!("the socket {} is not trusted: {why}", path.display()))
        .hint("hq-vault doctor")
}

#[cfg(test)]
#[path = "unix_tests.rs"]
mod tests;
