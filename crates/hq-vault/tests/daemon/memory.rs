//! The memory of another process, as root sees it: every mapping that could hold a secret, with its flags.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use hqv_sys::search::find;

/// One mapping and what stood in it.
pub struct Mapping {
    /// Its line in `maps`.
    pub name: String,
    /// Its two-letter `VmFlags` (proc_pid_smaps(5)).
    pub flags: String,
    bytes: Vec<u8>,
}

impl Mapping {
    /// Locked against swap, and left out of dumps.
    pub fn is_locked(&self) -> bool {
        let has = |flag: &str| self.flags.split_whitespace().any(|f| f == flag);
        has("lo") && has("dd")
    }
}

/// A process's memory at one moment.
pub struct Memory(Vec<Mapping>);

impl Memory {
    /// Takes all of it that is not merely the content of a file.
    pub fn of(pid: u32) -> io::Result<Memory> {
        let smaps = fs::read_to_string(format!("/proc/{pid}/smaps"))?;
        let file = File::open(format!("/proc/{pid}/mem"))?;
        let mut all = Vec::new();
        let mut open: Option<&str> = None;
        for line in smaps.lines() {
            if let Some(flags) = line.strip_prefix("VmFlags:") {
                all.extend(open.take().and_then(|name| read(&file, name, flags)));
            } else if line.split(' ').next().is_some_and(|word| word.contains('-')) {
                open = Some(line);
            }
        }
        Ok(Memory(all))
    }

    /// The mappings in which `what` stands.
    pub fn with(&self, what: &[u8]) -> Vec<&Mapping> {
        self.0.iter().filter(|mapping| find(&mapping.bytes, what).is_some()).collect()
    }

    /// Where a secret stands, in any of its forms.
    pub fn search(&self, canary: &hqv_test::Canary) -> Vec<hqv_test::Found> {
        self.0.iter().flat_map(|mapping| canary.in_bytes(&mapping.name, &mapping.bytes)).collect()
    }

    /// How many bytes were looked at.
    pub fn len(&self) -> usize {
        self.0.iter().map(|mapping| mapping.bytes.len()).sum()
    }
}

fn read(file: &File, name: &str, flags: &str) -> Option<Mapping> {
    let mut words = name.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let modes = words.next()?;
    let of_a_file = words.nth(2)? != "0";
    if !modes.starts_with('r') || name.contains("[vvar") || (of_a_file && !modes.contains('w')) {
        return None;
    }
    let from = u64::from_str_radix(from, 16).ok()?;
    let to = u64::from_str_radix(to, 16).ok()?;
    let mut bytes = vec![0; usize::try_from(to - from).ok()?];
    // A mapping can go while it is read: then nothing of it is left.
    file.read_exact_at(&mut bytes, from).ok()?;
    Some(Mapping { name: name.to_owned(), flags: flags.to_owned(), bytes })
}
