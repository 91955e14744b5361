//! Tests as an ordinary user. For tests only (feature `test-pty`).
//!
//! Root may read every file, trace every process and lock any memory, so what is refused to an ordinary
//! user cannot be shown as root, which is what CI runs as. [`in_child`] runs one test of the same binary
//! again in a process of its own, under a user id that nothing belongs to.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::process;

/// A user and group id that own nothing.
pub const UID: u32 = 64_321;
/// Another one, for "somebody else".
pub const OTHER_UID: u32 = 64_322;

const MARK: &str = "HQV_TEST_CHILD";

/// This very program, even where its path is closed to the user it will run as.
pub const OURSELVES: &str = "/proc/self/exe";

/// Makes `command` run as the ordinary user where we are root; else leaves it as it is.
pub fn become_ordinary(command: &mut Command) {
    if process::uid() == 0 {
        command.uid(UID).gid(UID);
    }
}

/// A command that runs the test `name` of this binary (also an ignored one), and only it.
pub fn test_command(name: &str) -> Command {
    let mut command = Command::new(OURSELVES);
    command.args([name, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]).current_dir("/");
    command
}

/// Runs `body` in a process of its own, as an ordinary user where we are root. `name` is the full name of
/// the test that calls this.
///
/// # Panics
/// Where the test failed there, or `name` names no test.
pub fn in_child(name: &str, body: impl FnOnce()) {
    in_child_with(name, &[], body);
}

/// As [`in_child`], with variables in the child's environment.
///
/// # Panics
/// As [`in_child`].
#[allow(clippy::disallowed_methods)] // of tests
pub fn in_child_with(name: &str, env: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var(MARK).is_ok_and(|test| test == name) {
        return body();
    }
    let mut command = test_command(name);
    become_ordinary(&mut command);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("TMPDIR", "/tmp").env(MARK, name).envs(env.iter().copied());
    let done = command.output().unwrap_or_else(|error| panic!("{name} does not start as a child: {error}"));
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let passed = done.status.success() && out.contains("1 passed");
    assert!(passed, "{name} as an ordinary user: {}\n{out}\n{err}", done.status);
}
