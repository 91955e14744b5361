//! A vault to look at, and what the tests ask of the system.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use hqv_test::{Home, Ran, TestServer, ordinary};
use rustix::process::{Pid, Signal, kill_process};

/// Long enough without `--weak`.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// The binary that the runner names, else the one of this very build.
fn binary() {
    if std::env::var_os("HQ_VAULT_BIN").is_none() {
        hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"));
    }
}

/// A home for whoever runs the tests.
pub fn home() -> Home {
    binary();
    Home::new()
}

/// A home for an ordinary user.
pub fn ordinary_home() -> Home {
    binary();
    Home::ordinary()
}

/// A daemon with a vault, unlocked.
pub fn vault(home: &Home) -> TestServer<'_> {
    TestServer::with_vault(home, PASSPHRASE)
}

/// A command of the owner, by the passphrase file.
pub fn owner(home: &Home, words: &[&str]) -> Ran {
    home.cli(words).owner().run()
}

/// Stores a value as the owner.
pub fn store(home: &Home, path: &str, value: impl Into<Vec<u8>>) {
    home.cli(["store", path, "--raw"]).owner().stdin(value).run().ok();
}

/// Makes a token as the owner.
pub fn token(home: &Home, words: &[&str]) -> String {
    let made = home.cli(["token", "create"].iter().chain(words)).owner().run().ok();
    made.out().trim_end().to_owned()
}

/// Whether the tests run as root. Where they do not, says what is left out.
pub fn root_for(what: &str) -> bool {
    let root = hqv_sys::process::uid() == 0;
    if !root {
        println!("SKIP {what}: needs root");
    }
    root
}

/// Sends a signal to a process that this test started.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits for a process's end.
#[track_caller]
pub fn ended(pid: u32) {
    assert!(hqv_sys::process::wait_end(pid, hqv_test::PATIENCE).unwrap(), "{pid} still runs");
}

/// Another program than ours, in this home, as its user, with a clean environment. `hq-vault` is `$HQ`.
pub fn program(home: &Home, name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .env("TMPDIR", home.path().join("tmp"))
        .env("LANG", "C.UTF-8")
        .env("HQ", home.program())
        .current_dir(home.path());
    if home.uid() != hqv_sys::process::uid() {
        ordinary::become_ordinary(&mut command);
    }
    command
}

/// A script of `sh`; its output, whatever its end.
pub fn shell(home: &Home, script: &str) -> std::process::Output {
    program(home, "/bin/sh").args(["-c", script]).output().unwrap()
}

/// What an output says, for a failed assertion.
pub fn told(output: &std::process::Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n--- stdout\n{}\n--- stderr\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Makes a thing, not what it may point to, the property of the home's user.
pub fn give(home: &Home, path: &Path) {
    if home.uid() != hqv_sys::process::uid() {
        std::os::unix::fs::lchown(path, Some(home.uid()), Some(home.uid())).unwrap();
    }
}

/// Ends the daemon of a home that a test started by a command, also where the test fails.
pub struct Stopped<'a>(pub &'a Home);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let _ = program(self.0, self.0.program()).args(["serve", "--stop"]).output();
    }
}

/// One HTTP request over the socket, byte for byte; the answer up to the end of the connection, which the
/// request should ask for. A server that refuses a request need not have read it all: then the kernel ends
/// the connection with a reset, behind the answer.
pub fn raw(server: &TestServer<'_>, request: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(server.socket()).unwrap();
    stream.set_read_timeout(Some(hqv_test::PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// The pid that the daemon wrote.
pub fn written_pid(home: &Home) -> u32 {
    let text = std::fs::read_to_string(home.vault_file("vault.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}
