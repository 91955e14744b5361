//! Files that only their owner may read.
//!
//! Checks are made on what was opened, not on a name that may be changed meanwhile. Symbolic links are
//! never followed at the last component, and opening never hangs on a FIFO.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::{process, random};

/// Why a path is not a private file or directory of ours. `Display` is a sentence without the path.
#[derive(Debug)]
pub enum NotPrivate {
    /// There is nothing.
    Missing,
    /// A symbolic link; never followed.
    Symlink,
    /// Neither what was asked for nor a link: says what it is ("a FIFO").
    WrongKind(&'static str),
    /// It belongs to another user id.
    OtherOwner(u32),
    /// Group or others have permissions; the low twelve bits of the mode.
    Mode(u32),
    /// It could not be looked at.
    Io(io::Error),
}

impl fmt::Display for NotPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotPrivate::Missing => f.write_str("it does not exist"),
            NotPrivate::Symlink => f.write_str("it is a symbolic link"),
            NotPrivate::WrongKind(kind) => write!(f, "it is {kind}"),
            NotPrivate::OtherOwner(uid) => write!(f, "it belongs to another user (uid {uid})"),
            NotPrivate::Mode(mode) => write!(f, "others may use it (mode {mode:04o})"),
            NotPrivate::Io(error) => write!(f, "it cannot be looked at: {error}"),
        }
    }
}

impl std::error::Error for NotPrivate {}

impl From<io::Error> for NotPrivate {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => NotPrivate::Missing,
            _ => NotPrivate::Io(error),
        }
    }
}

impl From<NotPrivate> for io::Error {
    /// Keeps the reason inside ([`why_not_private`] finds it again).
    fn from(why: NotPrivate) -> Self {
        let kind = match &why {
            NotPrivate::Io(error) => error.kind(),
            NotPrivate::Missing => io::ErrorKind::NotFound,
            NotPrivate::Symlink | NotPrivate::WrongKind(_) => io::ErrorKind::InvalidInput,
            NotPrivate::OtherOwner(_) | NotPrivate::Mode(_) => io::ErrorKind::PermissionDenied,
        };
        io::Error::new(kind, why)
    }
}

/// The [`NotPrivate`] inside an error of this module, if that was the reason.
pub fn why_not_private(error: &io::Error) -> Option<&NotPrivate> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What a private file is opened for. All but `Read` and `Write` create it, empty and 0600, where it is
/// missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read an existing file.
    Read,
    /// Read and write an existing file.
    Write,
    /// Read and write; created where missing.
    Create,
    /// Read, and write at the end only; created where missing.
    Append,
    /// Read and write a file that must not exist yet.
    CreateNew,
}

impl Access {
    fn flags(self) -> OFlags {
        match self {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
            Access::Create => OFlags::RDWR | OFlags::CREATE,
            Access::Append => OFlags::RDWR | OFlags::CREATE | OFlags::APPEND,
            Access::CreateNew => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
        }
    }
}

/// Makes a directory 0700, with the parents that are missing (0700 too); an existing one must be private.
///
/// # Errors
/// The reason of [`NotPrivate`], or what the kernel said.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        // Recursive creation takes an existing directory, and a link to one, for success: the check decides.
        Ok(()) => Ok(check_private_dir(path)?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            check_private_dir(path)?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Checks that `path` is a directory or regular file of ours that nobody else may use.
///
/// # Errors
/// The first reason why not.
pub fn check_private(path: &Path) -> Result<(), NotPrivate> {
    let meta = fs::symlink_metadata(path)?;
    if meta.file_type().is_symlink() {
        return Err(NotPrivate::Symlink);
    }
    if !meta.is_dir() && !meta.is_file() {
        return Err(NotPrivate::WrongKind(kind_of(&meta)));
    }
    check_owner_and_mode(&meta)
}

/// As [`check_private`], for a directory only.
///
/// # Errors
/// The first reason why not.
pub fn check_private_dir(path: &Path) -> Result<(), NotPrivate> {
    let meta = fs::symlink_metadata(path)?;
    if meta.file_type().is_symlink() {
        return Err(NotPrivate::Symlink);
    }
    if !meta.is_dir() {
        return Err(NotPrivate::WrongKind(kind_of(&meta)));
    }
    check_owner_and_mode(&meta)
}

fn check_owner_and_mode(meta: &Metadata) -> Result<(), NotPrivate> {
    if meta.uid() != process::uid() {
        return Err(NotPrivate::OtherOwner(meta.uid()));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(NotPrivate::Mode(meta.mode() & 0o7777));
    }
    Ok(())
}

/// What a thing is, for a sentence: "a directory", "a FIFO".
pub fn kind_of(meta: &Metadata) -> &'static str {
    let kind = meta.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "a regular file"
    }
}

/// Opens a private regular file: not through a link, close-on-exec, ours, and closed to group and others.
///
/// # Errors
/// What the kernel said, or a [`NotPrivate`] (see [`why_not_private`]). Never hangs on a FIFO.
pub fn open_private(path: &Path, access: Access) -> io::Result<File> {
    let flags = access.flags() | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from);
    let file = match opened {
        Ok(fd) => File::from(fd),
        // A name that is a link, a directory or a socket fails to open with words that help nobody.
        Err(error) if access == Access::CreateNew => return Err(error),
        Err(error) => return Err(explain(path, error)),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(NotPrivate::WrongKind(kind_of(&meta)).into());
    }
    check_owner_and_mode(&meta)?;
    Ok(file)
}

/// The reason in our words where the path itself shows it, else the kernel's.
fn explain(path: &Path, error: io::Error) -> io::Error {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return error;
    };
    if meta.file_type().is_symlink() {
        NotPrivate::Symlink.into()
    } else if !meta.is_file() {
        NotPrivate::WrongKind(kind_of(&meta)).into()
    } else if meta.uid() != process::uid() {
        NotPrivate::OtherOwner(meta.uid()).into()
    } else {
        error
    }
}

/// Replaces the content of `path` so that a crash leaves the old or the new, whole: a temporary file beside
/// it, written, fsynced and renamed, then the directory fsynced. On any failure the temporary file is
/// removed and the old content stands; a failed fsync is never tried again as if it had worked.
///
/// # Errors
/// What the kernel said. After a failed fsync of the directory the new content stands but may not survive a
/// power cut.
pub fn write_atomic(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let dir = parent_of(path);
    let temp = dir.join(temp_name(path)?);
    let done = write_temp(&temp, content, mode).and_then(|()| fs::rename(&temp, path));
    if let Err(error) = done {
        // It may never have been made; the first error is the one that counts.
        let _ = fs::remove_file(&temp);
        return Err(error);
    }
    fsync_dir(dir)
}

fn write_temp(temp: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = open_private(temp, Access::CreateNew)?;
    file.write_all(content)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn temp_name(path: &Path) -> io::Result<OsString> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut random = [0u8; 8];
    random::fill(&mut random)?;
    let mut temp = OsString::from(".");
    // A name of 255 bytes must still leave room for the suffix.
    temp.push(std::ffi::OsStr::from_bytes(name.as_bytes().get(..200).unwrap_or(name.as_bytes())));
    temp.push(format!(".{:016x}.tmp", u64::from_ne_bytes(random)));
    Ok(temp)
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes names created, renamed or removed in `dir` survive a power cut.
///
/// # Errors
/// What the kernel said.
pub fn fsync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Whether `fd` is a regular file that others than its owner may read or write.
pub fn open_to_others(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| {
        let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
        regular && stat.st_mode & 0o066 != 0
    })
}

/// Takes from group and others what they may do with `path`: 0700 for a directory, 0600 for a file. Only for
/// `doctor --fix`; nothing else repairs modes. Not through a link, and only what is ours.
///
/// # Errors
/// What the kernel said, or a [`NotPrivate`].
pub fn make_private(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|e| explain(path, e.into()))?);
    let meta = file.metadata()?;
    if meta.uid() != process::uid() {
        return Err(NotPrivate::OtherOwner(meta.uid()).into());
    }
    let mode = if meta.is_dir() { 0o700 } else { 0o600 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Makes `path` absolute against the working directory, without touching the disk and without resolving
/// links.
///
/// # Errors
/// Where the working directory is gone or the path is empty.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}
