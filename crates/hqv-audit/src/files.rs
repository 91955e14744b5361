//! The log's files: `audit.log`, and what rotation set aside as `audit-FIRSTSEQ.log`.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The name of the file that is written to.
pub const CURRENT: &str = "audit.log";

/// The log file of a vault directory.
pub fn current(dir: &Path) -> PathBuf {
    dir.join(CURRENT)
}

/// The name of a file that was set aside, by the number of its first line.
pub(crate) fn set_aside(first: u64) -> String {
    format!("audit-{first}.log")
}

/// All files of a vault's record, oldest first. A missing `audit.log` is left out.
///
/// # Errors
/// What the system said.
pub fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut old: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if let Some(first) = first_seq(&entry.file_name().to_string_lossy()) {
            old.push((first, entry.path()));
        }
    }
    old.sort();
    let mut files: Vec<PathBuf> = old.into_iter().map(|(_, path)| path).collect();
    let last = current(dir);
    if fs::symlink_metadata(&last).is_ok() {
        files.push(last);
    }
    Ok(files)
}

/// One file of a record that may be rotated while it is read.
pub(crate) enum Place {
    /// Set aside: its name stays what it is.
    Aside(PathBuf),
    /// Opened when the record was looked at, for its name may pass to another file.
    Open(File),
}

impl Place {
    /// A handle; none where retention took the file meanwhile.
    pub(crate) fn open(&self) -> io::Result<Option<File>> {
        match self {
            Place::Aside(path) => match File::open(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
                opened => opened.map(Some),
            },
            Place::Open(file) => file.try_clone().map(Some),
        }
    }
}

/// The files of a vault's record as they stood at one moment, oldest first.
///
/// # Errors
/// What the system said.
pub(crate) fn snapshot(dir: &Path) -> io::Result<Vec<Place>> {
    // The open file first: where it is set aside meanwhile it is listed too, and known by its inode.
    let last = match File::open(current(dir)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        opened => Some(opened?),
    };
    let number = last.as_ref().map(File::metadata).transpose()?.map(|meta| (meta.dev(), meta.ino()));
    let mut places = Vec::new();
    for path in list(dir)? {
        let aside = path.file_name() != Some(CURRENT.as_ref());
        let other = fs::metadata(&path).is_ok_and(|meta| Some((meta.dev(), meta.ino())) != number);
        if aside && other {
            places.push(Place::Aside(path));
        }
    }
    places.extend(last.map(Place::Open));
    Ok(places)
}

fn first_seq(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".log")?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
