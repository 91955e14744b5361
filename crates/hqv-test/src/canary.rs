//! Looking for what must not be there.
//!
//! A secret can leave in disguise: so besides the bytes themselves their hexadecimal and base64 forms are
//! looked for, the latter at each of the three places that a value can begin at inside a longer encoded
//! text.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hqv_sys::search::find;

/// How much of a file or of memory is held at once.
const PIECE: usize = 4 << 20;

/// A secret planted in a test, in all its forms.
pub struct Canary {
    forms: Vec<(&'static str, Vec<u8>)>,
    longest: usize,
}

/// A place where a canary stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file, stream or process.
    pub place: String,
    /// As what: `plain`, `hex`, `base64`, ...
    pub form: &'static str,
    /// At which byte of the place.
    pub at: u64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} at byte {}", self.form, self.place, self.at)
    }
}

impl Canary {
    /// The forms of `secret`, which must have eight bytes or more: shorter ones stand everywhere by chance.
    ///
    /// # Panics
    /// Where it is shorter.
    pub fn new(secret: &[u8]) -> Canary {
        assert!(secret.len() >= 8, "a canary has eight bytes or more");
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![
            ("plain", secret.to_vec()),
            ("hex", hex.clone().into_bytes()),
            ("upper-case hex", hex.to_uppercase().into_bytes()),
        ];
        for before in 0..3 {
            forms.push(("base64", base64_inside(&STANDARD_NO_PAD, secret, before)));
            forms.push(("base64url", base64_inside(&URL_SAFE_NO_PAD, secret, before)));
        }
        forms.dedup_by(|a, b| a.1 == b.1);
        let longest = forms.iter().map(|(_, form)| form.len()).max().unwrap_or(0);
        Canary { forms, longest }
    }

    /// Where it stands in `bytes`; the first place of each form. `name` is what they are called in the
    /// answer.
    pub fn in_bytes(&self, name: &str, bytes: &[u8]) -> Vec<Found> {
        let hit = |(form, what): &(&'static str, Vec<u8>)| {
            find(bytes, what).map(|at| Found { place: name.to_owned(), form, at: at as u64 })
        };
        self.forms.iter().filter_map(hit).collect()
    }

    /// Where it stands in files below `root`, in their names and in the targets of links. What vanishes
    /// meanwhile is not there.
    pub fn in_tree(&self, root: &Path) -> Vec<Found> {
        let mut found = Vec::new();
        let mut left = vec![root.to_owned()];
        while let Some(path) = left.pop() {
            let place = path.display().to_string();
            found.extend(self.in_bytes(&format!("the name {place}"), path.as_os_str().as_bytes()));
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue;
            };
            if meta.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                left.extend(entries.map(|entry| entry.path()));
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap_or_default();
                found.extend(self.in_bytes(&format!("the link {place}"), target.as_os_str().as_bytes()));
            } else if meta.is_file()
                && let Ok(file) = File::open(&path)
            {
                found.extend(self.in_range(&place, &file, 0..meta.len()));
            }
        }
        found
    }

    /// Where it stands in the environment and the arguments of a process. Needs root for a hardened process
    /// of another kind than our own children.
    ///
    /// # Errors
    /// Where the process is gone or closed to us: then nothing is known.
    pub fn in_process(&self, pid: u32) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for name in ["environ", "cmdline"] {
            let path = format!("/proc/{pid}/{name}");
            found.extend(self.in_bytes(&path, &fs::read(&path)?));
        }
        Ok(found)
    }

    /// Where it stands in the memory of a process, what it has locked included. Needs root for a hardened
    /// process.
    ///
    /// # Errors
    /// Where the process is gone or closed to us: then nothing is known.
    pub fn in_memory(&self, pid: u32) -> io::Result<Vec<Found>> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut found = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" r") && !line.contains("[vvar")) {
            let Some((from, to)) = line.split(' ').next().and_then(|range| range.split_once('-')) else {
                continue;
            };
            let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16)) else {
                continue;
            };
            found.extend(self.in_range(&format!("memory of {pid}: {line}"), &memory, from..to));
        }
        Ok(found)
    }

    /// Piece by piece; pieces overlap, so that a form on a seam is seen.
    fn in_range(&self, place: &str, file: &File, range: std::ops::Range<u64>) -> Vec<Found> {
        let mut room = vec![0u8; PIECE.min(usize::try_from(range.end - range.start).unwrap_or(PIECE))];
        let mut found: Vec<Found> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let want = room.len().min(usize::try_from(range.end - at).unwrap_or(PIECE));
            let Some(piece) = room.get_mut(..want) else { break };
            let Ok(got @ 1..) = file.read_at(piece, at) else {
                break;
            };
            let hits = self.in_bytes(place, piece.get(..got).unwrap_or_default());
            for hit in hits.into_iter().map(|hit| Found { at: hit.at + at, ..hit }) {
                if !found.iter().any(|known| known.form == hit.form) {
                    found.push(hit);
                }
            }
            if at + got as u64 >= range.end {
                break;
            }
            at += got.saturating_sub(self.longest - 1).max(1) as u64;
        }
        found
    }
}

/// The characters of the base64 form of a text with `before` bytes ahead of the secret that depend on the
/// secret alone.
fn base64_inside(engine: &impl Engine, secret: &[u8], before: usize) -> Vec<u8> {
    let mut text = vec![0u8; before];
    text.extend_from_slice(secret);
    let encoded = engine.encode(&text).into_bytes();
    let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    encoded.get(first..last).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"tr0ub4dor&3-canary?>";

    fn forms(bytes: &[u8]) -> Vec<&'static str> {
        Canary::new(SECRET).in_bytes("x", bytes).iter().map(|found| found.form).collect()
    }

    #[test]
    fn every_form_is_seen_wherever_it_begins() {
        assert!(forms(b"nothing of the kind").is_empty());
        assert_eq!(forms(&[b"ab".as_slice(), SECRET, b"cd"].concat()), ["plain"]);
        let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(forms(hex.as_bytes()), ["hex"]);
        assert_eq!(forms(hex.to_uppercase().as_bytes()), ["upper-case hex"]);
        for before in 0..6 {
            for after in 0..4 {
                let text = [vec![b'a'; before], SECRET.to_vec(), vec![b'z'; after]].concat();
                assert!(!forms(STANDARD_NO_PAD.encode(&text).as_bytes()).is_empty(), "{before} {after}");
                assert!(!forms(URL_SAFE_NO_PAD.encode(&text).as_bytes()).is_empty(), "{before} {after}");
            }
        }
    }

    #[test]
    fn a_tree_is_searched_in_names_links_and_across_pieces() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let canary = Canary::new(SECRET);
        assert!(canary.in_tree(dir.path()).is_empty());
        let mut large = vec![0u8; 3 * PIECE];
        large.splice(PIECE - 7..PIECE - 7 + SECRET.len(), SECRET.iter().copied());
        fs::create_dir(dir.path().join("sub")).expect("a directory");
        fs::write(dir.path().join("sub/large"), &large).expect("a file");
        let found = canary.in_tree(dir.path());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].form, found[0].at), ("plain", PIECE as u64 - 7));
        let name = String::from_utf8_lossy(SECRET).into_owned();
        std::os::unix::fs::symlink(&name, dir.path().join("link")).expect("a link");
        fs::write(dir.path().join(&name), "").expect("a file");
        assert_eq!(canary.in_tree(dir.path()).len(), 3);
    }

    #[test]
    fn processes_are_searched() {
        let canary = Canary::new(SECRET);
        let name = String::from_utf8_lossy(SECRET).into_owned();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "echo; read x"])
            .env("HELD", &name)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("sh");
        // Its word that it runs: before the exec is done its environment cannot be read.
        let mut line = [0];
        let mut out = child.stdout.take().expect("piped");
        std::io::Read::read_exact(&mut out, &mut line).expect("a line");
        let places: Vec<_> =
            canary.in_process(child.id()).expect("our own child").into_iter().map(|f| f.place).collect();
        assert_eq!(places, [format!("/proc/{}/environ", child.id())]);
        assert!(!canary.in_memory(child.id()).expect("our own child").is_empty());
        assert!(Canary::new(b"not held by it").in_memory(child.id()).expect("our own child").is_empty());
        drop(child.stdin.take());
        child.wait().expect("our own child");
        assert!(canary.in_process(child.id()).is_err());
    }
}
