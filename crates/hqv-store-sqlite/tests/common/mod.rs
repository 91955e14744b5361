//! What the tests of this crate share: private directories and children made of the test binary itself.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::disallowed_methods)] // a child learns from its environment that it is one

use hqv_store::{Batch, Shelf, StoreError, conformance};
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A private directory, gone at the end.
pub struct Dir(tempfile::TempDir);

impl Dir {
    pub fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    /// One in memory where there is such a place, for tests that do very much and prove nothing about the disk.
    pub fn fast() -> Self {
        let memory = tempfile::tempdir_in("/dev/shm");
        Dir(memory.unwrap_or_else(|_| tempfile::tempdir().unwrap()))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names in it, in order.
    pub fn names(&self) -> Vec<String> {
        names(self.path())
    }
}

pub fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Opens a vault that must be there.
pub fn open(path: &Path) -> Result<SqliteShelf, StoreError> {
    SqliteShelf::open(path, OpenOptions::default())
}

/// Opens a place where a vault may still be made.
pub fn open_new(path: &Path) -> Result<SqliteShelf, StoreError> {
    SqliteShelf::open(path, OpenOptions { create: true })
}

/// Makes a vault and leaves it open.
pub fn make(path: &Path) -> SqliteShelf {
    let shelf = open_new(path).unwrap();
    shelf.create(conformance::vault(1), Batch::new()).unwrap();
    shelf
}

pub fn error_of<T>(result: Result<T, StoreError>) -> StoreError {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}

pub fn write_private(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    set_mode(path, 0o600);
}

pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The variable that tells a test that it runs as a child, and where.
const CHILD: &str = "HQV_STORE_TEST_CHILD";

/// The directory to work in, in a child; `None` in the ordinary run of the test.
pub fn child_dir() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// A command that runs the test `name` of this binary as a child in `dir`.
pub fn child(name: &str, dir: &Path) -> Command {
    wrapped(Command::new(std::env::current_exe().unwrap()), name, dir)
}

/// The same through another program, whose command line ends where ours begins.
pub fn child_under(mut program: Command, name: &str, dir: &Path) -> Command {
    program.arg(std::env::current_exe().unwrap());
    wrapped(program, name, dir)
}

fn wrapped(mut command: Command, name: &str, dir: &Path) -> Command {
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, dir);
    command
}

/// Whether the long form of a test is wanted.
pub fn long() -> bool {
    std::env::var_os("HQV_LONG").is_some_and(|value| value == "1")
}
