//! The file under its name: what stands there, and what may be done with the name.
//!
//! The file is never opened here once it exists: POSIX locks of a process vanish when it closes *any* handle of
//! the file, so a look of ours would silently unlock SQLite's connections. `lstat` tells enough.

use hqv_store::StoreError;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What was found under the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    File,
}

/// A file name in a directory whose own path has no symbolic links left.
///
/// SQLite refuses links in every part of a path when told not to follow them; ours may pass through a linked
/// home, but the file itself must not be a link.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    file: PathBuf,
}

impl Place {
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = path.file_name().ok_or_else(|| StoreError::io("name", "the path has no file name"))?;
        let dir = fs::canonicalize(parent).map_err(|error| match error.kind() {
            ErrorKind::NotFound => StoreError::Missing,
            _ => StoreError::io("reach", error),
        })?;
        let file = dir.join(name);
        Ok(Place { dir, file })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The name with a suffix: `vault.db-wal`, `vault.db.new`.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.file);
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Whether a file of ours can be there, judged by what can be seen without opening it.
    pub(crate) fn look(&self) -> Result<Found, StoreError> {
        let Some(meta) = lstat(&self.file)? else {
            return self.look_for_orphan();
        };
        if let Some(what) = not_a_file(meta.file_type()) {
            return Err(StoreError::NotAFile { what });
        }
        let me = rustix::process::geteuid().as_raw();
        if meta.uid() != me {
            return Err(StoreError::NotOurs { uid: meta.uid() });
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(StoreError::Exposed { mode });
        }
        match meta.len() {
            0 => Err(StoreError::Empty),
            // Too short for a header, which SQLite would take for a database without tables.
            1..100 => Err(StoreError::NotAVault),
            _ => Ok(Found::File),
        }
    }

    /// A log without its database holds commits that a new database must not be given.
    fn look_for_orphan(&self) -> Result<Found, StoreError> {
        match lstat(&self.beside("-wal"))? {
            Some(meta) if meta.len() > 0 => {
                Err(StoreError::damaged("the database is gone, but its write-ahead log is still there"))
            }
            _ => Ok(Found::Nothing),
        }
    }

    /// Whether the file ends within a page although no log can complete it. SQLite would read zeros there.
    pub(crate) fn is_cut(&self, page_size: u64) -> Result<bool, StoreError> {
        let length = |path: &Path| Ok(lstat(path)?.map_or(0, |meta| meta.len()));
        let (file, log) = (length(&self.file)?, length(&self.beside("-wal"))?);
        Ok(log == 0 && page_size > 0 && file % page_size != 0)
    }

    /// Bytes on the disk: the file, its log and the log's index.
    pub(crate) fn size(&self) -> Result<u64, StoreError> {
        let mut sum = 0;
        for path in [self.file.clone(), self.beside("-wal"), self.beside("-shm")] {
            sum += lstat(&path)?.map_or(0, |meta| meta.len());
        }
        Ok(sum)
    }

    /// Free bytes for an ordinary user on the disk of the file, where the system tells.
    pub(crate) fn free_space(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.dir).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Makes an empty private file that nobody made before us.
    pub(crate) fn create_private(&self, path: &Path) -> Result<(), StoreError> {
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.map(drop).map_err(|error| self.io("make", &error))
    }

    /// Puts a finished file under a name, durably. With `replace` off a file already there wins.
    pub(crate) fn publish(&self, from: &Path, to: &Path, replace: bool) -> Result<(), StoreError> {
        self.sync(from)?;
        let renamed = if replace { fs::rename(from, to) } else { rename_new(from, to) };
        renamed.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StoreError::Exists,
            _ => self.io("name", &error),
        })?;
        self.sync(&self.dir)
    }

    fn sync(&self, path: &Path) -> Result<(), StoreError> {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| self.io("sync", &error))
    }

    /// Removes a file if it is there.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), StoreError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.io("clear the place for", &error)),
            _ => Ok(()),
        }
    }

    /// An error of the system as the store's.
    pub(crate) fn io(&self, doing: &'static str, error: &std::io::Error) -> StoreError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
            _ => StoreError::io(doing, error),
        }
    }
}

fn lstat(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("look at", error)),
    }
}

fn not_a_file(kind: FileType) -> Option<&'static str> {
    Some(match kind {
        kind if kind.is_file() => return None,
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    })
}

fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot; the vault's lock already keeps other processes of ours away.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !to.exists() => fs::rename(from, to),
        done => Ok(done?),
    }
}
