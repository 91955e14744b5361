//! SQLite's errors as the store's.

use crate::place::Place;
use hqv_store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Below this many free bytes a failed write is taken for a full disk, whatever SQLite called it: it reports a
/// log index that cannot grow as an I/O error.
const NEARLY_FULL: u64 = 64 * 1024;

/// What `error` means for the file at `place`, while `doing` (as in "cannot {doing} vault.db").
pub(crate) fn from_sqlite(place: &Place, doing: &'static str, error: Error) -> StoreError {
    match error {
        Error::SqliteFailure(failure, words) => by_code(place, doing, failure, words),
        // Columns that do not hold what the schema says they hold.
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..) => StoreError::damaged(error.to_string()),
        other => StoreError::io(doing, other),
    }
}

fn by_code(place: &Place, doing: &'static str, failure: ffi::Error, words: Option<String>) -> StoreError {
    let cause = format!("{} (SQLite code {})", words.unwrap_or_default(), failure.extended_code);
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked { pid: holder(place) },
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly => StoreError::ReadOnly,
        ErrorCode::NotADatabase => StoreError::NotAVault,
        ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            StoreError::damaged(cause)
        }
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen if is_full(place) => StoreError::Full,
        ErrorCode::CannotOpen if is_read_only(place) => StoreError::ReadOnly,
        ErrorCode::CannotOpen if !place.file().exists() => StoreError::Missing,
        _ => StoreError::io(doing, cause),
    }
}

/// A stored value that cannot be what it should: reported like SQLite's own corruption.
pub(crate) fn corrupt(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what.to_owned()))
}

/// Something the library or the file system cannot do for us.
pub(crate) fn unusable(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), Some(what.to_owned()))
}

fn is_full(place: &Place) -> bool {
    place.free_space().is_some_and(|free| free < NEARLY_FULL)
}

fn is_read_only(place: &Place) -> bool {
    use rustix::fs::{Access, StatVfsMountFlags};
    let mounted =
        rustix::fs::statvfs(place.dir()).is_ok_and(|fs| fs.f_flag.contains(StatVfsMountFlags::RDONLY));
    mounted || rustix::fs::access(place.dir(), Access::WRITE_OK).is_err()
}

/// The process that holds a lock on the file, where Linux tells: `/proc/locks` names process and inode. Asking
/// through the file itself would mean opening it (see `place`).
fn holder(place: &Place) -> Option<u32> {
    let meta = fs::symlink_metadata(place.file()).ok()?;
    let inode = meta.ino().to_string();
    let me = std::process::id();
    let table = fs::read_to_string("/proc/locks").ok()?;
    table.lines().filter_map(|line| lock_of(line, &inode)).find(|pid| *pid != me)
}

/// `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF` names pid 4711 and inode 1234.
fn lock_of(line: &str, inode: &str) -> Option<u32> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "READ" && *word != "WRITE").skip(1);
    let pid = words.next()?.parse().ok()?;
    let file = words.next()?;
    (file.rsplit(':').next() == Some(inode)).then_some(pid)
}
