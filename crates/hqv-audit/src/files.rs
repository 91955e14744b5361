//! The log's files: `audit.log`, and what rotation set aside as `audit-FIRSTSEQ.log`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The name of the file that is written to.
pub const CURRENT: &str = "audit.log";

/// The log file of a vault directory.
pub fn current(dir: &Path) -> PathBuf {
    dir.join(CURRENT)
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

fn first_seq(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".log")?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
