//! A home directory of its own for every test.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use hqv_sys::ordinary;
use tempfile::TempDir;

use crate::cli::Cli;
use crate::{PATIENCE, binary};

/// A fresh home directory, and the user whose it is. Removed on drop; a daemon must be stopped before.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    program: PathBuf,
    ordinary: bool,
    _copy: Option<TempDir>,
}

impl Home {
    /// A home in which the binary runs as the user that runs the tests.
    pub fn new() -> Home {
        Home::of(binary::find(), false)
    }

    /// A home in which the binary runs as an ordinary user even where the tests run as root: root may do
    /// what the vault refuses. Where they do not, as their own user.
    pub fn ordinary() -> Home {
        Home::of(binary::find(), true)
    }

    /// A home for another program than `hq-vault`.
    pub fn of(program: impl Into<PathBuf>, ordinary: bool) -> Home {
        let ordinary = ordinary && hqv_sys::process::uid() == 0;
        let (program, copy) = match program.into() {
            program if ordinary => binary::reachable(&program),
            program => (program, None),
        };
        let dir = tempfile::Builder::new().prefix("hqv-").tempdir().expect("a temporary directory");
        let home = Home { dir, program, ordinary, _copy: copy };
        home.give(home.path());
        home.make_dir("tmp");
        home
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `~/.hq-vault`.
    pub fn vault(&self) -> PathBuf {
        self.path().join(".hq-vault")
    }

    /// A file in `~/.hq-vault`.
    pub fn vault_file(&self, name: &str) -> PathBuf {
        self.vault().join(name)
    }

    /// The program that runs here.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The user id that it runs as.
    pub fn uid(&self) -> u32 {
        if self.ordinary { ordinary::UID } else { hqv_sys::process::uid() }
    }

    /// A file of this user with this content and mode, at a path relative to the home.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("a file in the test's home");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
        self.give(&path);
        path
    }

    /// A directory of this user, 0700, at a path relative to the home.
    pub fn make_dir(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir(&path).expect("a directory in the test's home");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("our own directory");
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if self.ordinary {
            chown(path, Some(ordinary::UID), Some(ordinary::UID)).expect("root may give files away");
        }
    }

    /// A command line, to be completed and run.
    pub fn cli<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, args: I) -> Cli<'_> {
        Cli::new(self, args)
    }

    /// A vault with this passphrase, made by `init`. The daemon must run already
    /// ([`crate::TestServer::start`]), or `init` starts one at the usual port. Leaves it unlocked; owner
    /// commands need [`Home::passphrase_file`].
    pub fn init(&self, passphrase: &str) {
        self.write("passphrase", passphrase, 0o600);
        self.cli(["init"]).owner().run().ok();
    }

    /// Where [`Home::init`] has put the passphrase. With [`Cli::owner`] a command acts as the owner by it.
    pub fn passphrase_file(&self) -> PathBuf {
        self.path().join("passphrase")
    }

    /// A command of this program as this user, with a clean environment: nothing of the test's own leaks in.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", path)
            .env("TMPDIR", self.path().join("tmp"))
            .env("LANG", "C.UTF-8")
            .current_dir(self.path());
        if self.ordinary {
            ordinary::become_ordinary(&mut command);
        }
        command
    }

    /// Stops a daemon that a test left behind, for [`Drop`] of the server.
    pub(crate) fn end(pid: u32) {
        let _ = hqv_sys::process::terminate(pid);
        if !hqv_sys::process::wait_end(pid, PATIENCE).unwrap_or(true) {
            kill(pid);
        }
    }
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}

/// SIGKILL, and the end of the process.
pub(crate) fn kill(pid: u32) {
    let target = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    let _ = rustix::process::kill_process(target, rustix::process::Signal::KILL);
    let _ = hqv_sys::process::wait_end(pid, PATIENCE);
}
