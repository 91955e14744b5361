//! Reading values from files, pipes and descriptors: bounded, wiped, never hanging on an open.
//!
//! Every `limit` here is the most bytes that come back. A caller that allows N bytes passes N + 1 and
//! refuses what is longer than N, so that "too large" is told apart from "just fits" without reading an
//! endless source to its end.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use crate::files::{NotPrivate, kind_of};
use crate::process;
use crate::wait::{Deadline, wait};

/// How long a FIFO may be without a writer.
const FIFO_PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that grow without leaving copies of themselves behind, up to a limit.
pub(crate) struct Growing {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Growing {
    pub(crate) fn new(limit: usize) -> Growing {
        Growing { bytes: Zeroizing::new(Vec::with_capacity(limit.min(256))), limit }
    }

    /// Appends what still fits under the limit; the rest is dropped. Returns false once the limit is reached.
    pub(crate) fn push(&mut self, more: &[u8]) -> bool {
        let fits = more.get(..self.limit - self.bytes.len()).unwrap_or(more);
        let need = self.bytes.len() + fits.len();
        if need > self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((need * 2).min(self.limit)));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger; // the old one is wiped as it drops
        }
        self.bytes.extend_from_slice(fits);
        self.bytes.len() < self.limit
    }

    /// Keeps the first `len` bytes and wipes the others.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(gone) = self.bytes.get_mut(len..) {
            crate::memory::wipe(gone);
        }
        self.bytes.truncate(len);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }
}

/// Reads `source` to its end, or until `limit` bytes have come.
///
/// # Errors
/// What `source` said.
pub fn read_bounded(source: &mut dyn Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut read = Growing::new(limit);
    let mut room = Zeroizing::new(vec![0u8; limit.clamp(1, 64 * 1024)]);
    loop {
        match source.read(&mut room) {
            Ok(0) => break,
            Ok(got) => {
                if !read.push(room.get(..got).unwrap_or_default()) {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read.into_inner())
}

/// Opens what a person named to be read: a file, a FIFO, a process substitution, a character device. Links
/// are followed.
///
/// # Errors
/// What the kernel said; [`NotPrivate::WrongKind`] for a directory, socket or block device; `TimedOut` for
/// a FIFO that nobody writes to within five seconds.
pub fn open_input(path: &Path) -> io::Result<File> {
    // Without NONBLOCK the open itself would wait for a FIFO's writer, for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NXIO) => return Err(NotPrivate::WrongKind("a socket or has no device").into()),
        opened => opened?,
    };
    let file = File::from(fd);
    let meta = file.metadata()?;
    let kind = meta.file_type();
    if kind.is_fifo() {
        wait_for_writer(&file, FIFO_PATIENCE)?;
    } else if !kind.is_file() && !kind.is_char_device() {
        return Err(NotPrivate::WrongKind(kind_of(&meta)).into());
    }
    rustix::fs::fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

/// As [`open_input`], for a file that holds a passphrase or token: refused where group or others can use
/// it, or where it belongs to somebody else than us and root.
///
/// # Errors
/// As [`open_input`], and [`NotPrivate::Mode`] or [`NotPrivate::OtherOwner`].
pub fn open_secret_input(path: &Path) -> io::Result<File> {
    let file = open_input(path)?;
    let meta = file.metadata()?;
    if meta.uid() != process::uid() && meta.uid() != 0 {
        return Err(NotPrivate::OtherOwner(meta.uid()).into());
    }
    if meta.mode() & 0o077 != 0 {
        return Err(NotPrivate::Mode(meta.mode() & 0o7777).into());
    }
    Ok(file)
}

/// Until a FIFO has a writer it reads as empty, which would store nothing as if it were the value.
fn wait_for_writer(file: &File, patience: Duration) -> io::Result<()> {
    let deadline = Deadline::after(patience);
    if wait(&mut [PollFd::new(file, PollFlags::IN)], &deadline)? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "nobody writes to this FIFO"))
}

/// An error where it is known beforehand that nothing can be written to `fd`: a full device, or a pipe that
/// nobody reads. Writes nothing.
///
/// # Errors
/// What a write would say.
pub fn must_take(fd: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    wait(&mut fds, &Deadline::after(Duration::ZERO))?;
    if fds.iter().any(|fd| fd.revents().contains(PollFlags::ERR)) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    match rustix::io::write(fd, &[]) {
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_takes_nothing_is_known_before_it_is_written_to() {
        use std::os::fd::AsFd;
        let (read, write) = io::pipe().unwrap();
        must_take(write.as_fd()).unwrap();
        drop(read);
        assert_eq!(must_take(write.as_fd()).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        must_take(File::options().write(true).open("/dev/null").unwrap().as_fd()).unwrap();
        if let Ok(full) = File::options().write(true).open("/dev/full") {
            assert_eq!(must_take(full.as_fd()).unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }

    #[test]
    fn in4_a_fifo_without_a_writer_does_not_hang() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(&path, flags, Mode::empty()).unwrap());
        let error = wait_for_writer(&file, Duration::from_millis(30)).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (io::ErrorKind::TimedOut, "nobody writes to this FIFO".into())
        );
    }

    #[test]
    fn growing_keeps_to_its_limit() {
        let mut bytes = Growing::new(1000);
        assert!((0..99).all(|_| bytes.push(b"0123456789")));
        assert!(!bytes.push(b"0123456789") && !bytes.push(b"more"));
        assert_eq!(bytes.bytes().len(), 1000);
        bytes.truncate(5);
        assert!(bytes.push(b"x"));
        assert_eq!(**bytes.into_inner(), *b"01234x");
    }
}
