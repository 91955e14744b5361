//! What will be done to which file, before anything is done.
//!
//! A file is reached through links as long as they stay in the project; whatever stands in the way has its
//! sentence here, so that nothing is written where one file cannot be.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::block::{Block, Without};
use super::harness::{Content, Target};
use super::json_edit;
use crate::cli::output::error::{Failure, reason};
use crate::settings::paths::shown;

/// One file and what becomes of it.
#[derive(Debug)]
pub struct Change {
    /// Its name as the agent knows it, relative to the project.
    pub name: &'static str,
    /// The file itself.
    pub path: PathBuf,
    /// What it holds; `None` where it is not there.
    pub before: Option<Vec<u8>>,
    /// What it will hold; `None` where it goes.
    pub after: Option<Vec<u8>>,
    /// How many folders above it go with it, if nothing else is in them.
    pub folders: usize,
}

impl Change {
    /// Whether anything is to be done.
    pub fn is_needed(&self) -> bool {
        self.before != self.after
    }
}

/// The largest file that is read: agents' instructions are far smaller.
const LARGEST: u64 = 4 << 20;

/// What putting or taking the text means for one file.
pub fn plan(root: &Path, target: &Target, remove: bool) -> Result<Change, Failure> {
    let name = target.path;
    let place = place(root, name)?;
    let before = read(&place.path, name)?;
    let (after, folders) = match &before {
        None if remove => (None, 0),
        None => (Some(made(&target.content, place.missing)), 0),
        Some(file) if remove => taken(name, &target.content, file)?,
        Some(file) => (Some(put(name, &target.content, file)?), 0),
    };
    Ok(Change { name, path: place.path, before, after, folders })
}

fn made(content: &Content, folders: usize) -> Vec<u8> {
    match content {
        Content::Block { comment, header, text } => Block { comment: *comment, header, text }.alone(folders),
        Content::Json(lists) => json_edit::alone(lists).into_bytes(),
    }
}

fn put(name: &str, content: &Content, file: &[u8]) -> Result<Vec<u8>, Failure> {
    match content {
        Content::Block { comment, header, text } => {
            must_be_text(name, file)?;
            Block { comment: *comment, header, text }.put(file).map_err(|d| damaged(name, d.sentence()))
        }
        Content::Json(lists) => {
            json_edit::put(as_text(name, file)?, lists).map(String::into_bytes).map_err(|e| refused(name, &e))
        }
    }
}

fn taken(name: &str, content: &Content, file: &[u8]) -> Result<(Option<Vec<u8>>, usize), Failure> {
    match content {
        Content::Block { comment, header, text } => {
            match (Block { comment: *comment, header, text })
                .take(file)
                .map_err(|d| damaged(name, d.sentence()))?
            {
                Without::Unchanged => Ok((Some(file.to_vec()), 0)),
                Without::Rest(rest) => Ok((Some(rest), 0)),
                Without::File(folders) => Ok((None, folders)),
            }
        }
        Content::Json(lists) => {
            let rest = json_edit::take(as_text(name, file)?, lists).map_err(|e| refused(name, &e))?;
            Ok((rest.map(String::into_bytes), 0))
        }
    }
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::usage(format!("{name} {why}")).hint("nothing was written")
}

fn damaged(name: &str, why: &str) -> Failure {
    Failure::usage(format!("{name} {why}; nothing was written")).hint(
        "remove the lines with hq-vault:begin and hq-vault:end and what is between them, then run it again",
    )
}

fn must_be_text(name: &str, file: &[u8]) -> Result<(), Failure> {
    let utf16 = file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff");
    if utf16 || file.contains(&0) { Err(refused(name, "is not UTF-8 text")) } else { Ok(()) }
}

fn as_text<'a>(name: &str, file: &'a [u8]) -> Result<&'a str, Failure> {
    std::str::from_utf8(file).map_err(|_| refused(name, "is not UTF-8 text"))
}

/// Where a file is, or would be.
struct Place {
    path: PathBuf,
    /// How many folders above it are not there yet.
    missing: usize,
}

/// Follows `name` below `root`, which is free of links itself.
fn place(root: &Path, name: &str) -> Result<Place, Failure> {
    let mut path = root.to_owned();
    let parts: Vec<Component<'_>> = Path::new(name).components().collect();
    for (at, part) in parts.iter().enumerate() {
        let next = path.join(part);
        let is_file = at + 1 == parts.len();
        let shown_name = part_name(&parts, at);
        let meta = match fs::symlink_metadata(&next) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let rest: PathBuf = parts.iter().skip(at).collect();
                return Ok(Place { path: path.join(rest), missing: parts.len() - 1 - at });
            }
            found => found.map_err(|e| Failure::io(format!("cannot look at {shown_name}"), &e))?,
        };
        path = if meta.is_symlink() { through_link(root, &next, &shown_name)? } else { next };
        let kind =
            fs::metadata(&path).map_err(|e| Failure::io(format!("cannot look at {shown_name}"), &e))?;
        let wanted = if is_file { kind.is_file() } else { kind.is_dir() };
        if !wanted {
            let what = hqv_sys::files::kind_of(&kind);
            let needed = if is_file { "a file" } else { "a directory" };
            return Err(Failure::usage(format!("{shown_name} is {what} where {needed} is needed"))
                .hint("nothing was written; move it away, or leave that agent out"));
        }
    }
    Ok(Place { path, missing: 0 })
}

fn part_name(parts: &[Component<'_>], at: usize) -> String {
    shown(&parts.iter().take(at + 1).collect::<PathBuf>())
}

fn through_link(root: &Path, link: &Path, name: &str) -> Result<PathBuf, Failure> {
    let end = link.canonicalize().map_err(|e| {
        Failure::usage(format!("{name} is a link that leads nowhere: {}", reason(&e)))
            .hint("nothing was written")
    })?;
    if end.starts_with(root) {
        return Ok(end);
    }
    Err(Failure::usage(format!(
        "{name} is a link out of this project, to {}; nothing was written",
        shown(&end)
    ))
    .hint("change that file where it is: --dir names its project"))
}

fn read(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(meta) if meta.len() > LARGEST => return Err(refused(name, "is over 4 MiB")),
        _ => {}
    }
    fs::read(path)
        .map(Some)
        .map_err(|e| Failure::io(format!("cannot read {name}"), &e).hint("nothing was written"))
}
