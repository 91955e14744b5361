//! The project file of a directory: its own, or the nearest above it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::Project;
use crate::cli::output::error::Failure;
use crate::settings::paths::shown;

/// What the file is called.
pub const NAME: &str = ".hq-vault.toml";
/// Nothing that a project needs to say takes more.
const MAX_BYTES: usize = 256 << 10;

/// The project of the current directory, and where its file stands. None where there is none up to the home
/// directory, or up to the root outside of it.
///
/// # Errors
/// A file that others can write, or that says something it cannot mean.
pub fn here(home: Option<&Path>) -> Result<Option<(PathBuf, Project)>, Failure> {
    let start = std::env::current_dir().map_err(|e| Failure::io("cannot find the current directory", &e))?;
    let Some(path) = nearest(&start, home) else { return Ok(None) };
    check(&path)?;
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read {}", shown(&path)), e);
    let mut open = hqv_sys::input::open_input(&path).map_err(|e| failed(&e))?;
    let bytes = hqv_sys::input::read_bounded(&mut open, MAX_BYTES + 1).map_err(|e| failed(&e))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::usage(format!("{} is over 256 KiB", shown(&path))));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8", shown(&path))).hint("save it as UTF-8"))?;
    let project = Project::parse(text, &path, home)?;
    Ok(Some((path, project)))
}

/// Not above the home: what stands there is no project's.
fn nearest(start: &Path, home: Option<&Path>) -> Option<PathBuf> {
    for dir in start.ancestors() {
        let path = dir.join(NAME);
        if std::fs::symlink_metadata(&path).is_ok() {
            return Some(path);
        }
        if home == Some(dir) {
            break;
        }
    }
    None
}

/// In a directory that many can write, a file may be anybody's.
fn check(path: &Path) -> Result<(), Failure> {
    let refuse = |why: &str| {
        Err(Failure::usage(format!("{} {why}", shown(path))).hint(
            "--no-project goes on without it; a file of your own in the project's directory is read first",
        ))
    };
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read {}", shown(path)), e);
    let meta = std::fs::symlink_metadata(path).map_err(|e| failed(&e))?;
    if !meta.is_file() {
        return refuse("is not a plain file");
    }
    if meta.uid() != hqv_sys::process::uid() && meta.uid() != 0 {
        return refuse("belongs to another user");
    }
    if meta.mode() & 0o002 != 0 {
        return refuse("can be written by every user");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_nearest_file_counts_and_none_above_the_home() {
        let top = tempfile::tempdir().unwrap();
        let home = top.path().join("home");
        let deep = home.join("project/src/deep");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(top.path().join(NAME), "").unwrap();
        assert_eq!(nearest(&deep, Some(&home)), None);
        assert_eq!(nearest(&deep, None), Some(top.path().join(NAME)));
        std::fs::write(home.join(NAME), "").unwrap();
        assert_eq!(nearest(&deep, Some(&home)), Some(home.join(NAME)));
        std::fs::write(home.join("project").join(NAME), "").unwrap();
        assert_eq!(nearest(&deep, Some(&home)), Some(home.join("project").join(NAME)));
    }

    #[test]
    fn what_others_can_write_or_point_elsewhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
        check(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(check(&path).unwrap_err().message().contains("every user"));
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert!(check(&path).unwrap_err().message().contains("plain file"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(check(&path).is_err());
    }
}
