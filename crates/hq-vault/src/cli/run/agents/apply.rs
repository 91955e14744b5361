//! Doing what was planned: all of it or, where one file fails, none of it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::plan::Change;
use crate::cli::output::error::Failure;

/// Makes the changes. Where one cannot be made, those before it are undone.
pub fn apply(changes: &[Change]) -> Result<(), Failure> {
    changes.iter().try_for_each(check)?;
    let mut done: Vec<Made<'_>> = Vec::new();
    for change in changes {
        match write(change) {
            Ok(folders) => done.push(Made { change, folders }),
            Err(e) => {
                done.iter().rev().for_each(undo);
                let failure = Failure::io(format!("cannot write {}", change.name), &e);
                return Err(failure.hint("nothing was changed; see who may write there"));
            }
        }
    }
    remove_folders(changes);
    Ok(())
}

struct Made<'a> {
    change: &'a Change,
    folders: usize,
}

/// What stood there when we looked still stands there, and a file that is not to be written is not replaced.
fn check(change: &Change) -> Result<(), Failure> {
    let now = match fs::read(&change.path) {
        Ok(bytes) => Some(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(Failure::io(format!("cannot read {}", change.name), &e)),
    };
    if now != change.before {
        return Err(Failure::conflict(format!("{} was changed meanwhile; nothing was written", change.name))
            .hint("run the same command again"));
    }
    if now.is_some() {
        OpenOptions::new().append(true).open(&change.path).map_err(|e| {
            Failure::io(format!("cannot write {}", change.name), &e)
                .hint("nothing was changed; see who may write there")
        })?;
    }
    Ok(())
}

/// How many folders had to be made for it.
fn write(change: &Change) -> io::Result<usize> {
    let path = &change.path;
    match (&change.before, &change.after) {
        (_, None) => fs::remove_file(path).map(|()| 0),
        (Some(_), Some(after)) => {
            let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
            hqv_sys::files::write_atomic(path, after, mode).map(|()| 0)
        }
        (None, Some(after)) => create(path, after),
    }
}

/// A new file has the mode that the umask leaves to one; then it is written as any other.
fn create(path: &Path, content: &[u8]) -> io::Result<usize> {
    let missing = path.ancestors().skip(1).take_while(|folder| !folder.exists()).count();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let written = fs::File::create_new(path)
        .and_then(|file| Ok(file.metadata()?.permissions().mode() & 0o7777))
        .and_then(|mode| hqv_sys::files::write_atomic(path, content, mode));
    written.map(|()| missing).inspect_err(|e| {
        if e.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(path);
        }
        remove_empty(path, missing);
    })
}

fn undo(made: &Made<'_>) {
    let path = &made.change.path;
    // Whatever fails here cannot be mended by us; the failure that brought us here is told.
    match &made.change.before {
        None => {
            let _ = fs::remove_file(path);
            remove_empty(path, made.folders);
        }
        Some(before) => {
            let mode = fs::metadata(path).map_or(0o644, |meta| meta.permissions().mode() & 0o7777);
            let _ = hqv_sys::files::write_atomic(path, before, mode);
        }
    }
}

/// The folders that were made for files that are gone now, where nothing else is in them.
fn remove_folders(changes: &[Change]) {
    for change in changes.iter().filter(|change| change.after.is_none()) {
        remove_empty(&change.path, change.folders);
    }
}

/// Up to `count` folders above `path`, the nearest first; a folder with something in it stays.
fn remove_empty(path: &Path, count: usize) {
    for folder in path.ancestors().skip(1).take(count) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}
