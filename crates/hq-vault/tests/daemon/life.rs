//! Daemons in the foreground, as children of a test. Rows LC4 to LC6.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};

use hqv_test::{Home, TestServer};

use crate::support::{
    Stopped, ended, home, ordinary_home, owner, program, signal, store, vault, written_pid,
};
use rustix::process::Signal;

/// `hq-vault serve` in the foreground. Killed on drop.
pub struct Foreground {
    child: Child,
    /// What it said when it was ready.
    pub greeting: String,
}

impl Foreground {
    /// Starts it and waits until it serves.
    #[track_caller]
    pub fn start(mut command: Command) -> Foreground {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let greeting = loop {
            match lines.next() {
                Some(Ok(line)) if line.starts_with("Serving:") => break line,
                Some(Ok(line)) => said.push(line),
                _ => panic!("it does not serve: {said:?}"),
            }
        };
        // Read on, so that it never waits for room.
        std::thread::spawn(move || lines.for_each(drop));
        Foreground { child, greeting }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        ended(self.child.id());
        self.child.wait().unwrap()
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[test]
fn lc4_an_idle_time_of_zero_is_said_and_one_beyond_a_week_refused() {
    let home = home();
    let server = vault(&home);
    server.stop();
    let server = TestServer::start_with(&home, &["--idle-timeout", "0"]);
    owner(&home, &["unlock"]).ok();
    let status = owner(&home, &["status", "--json"]).ok().json();
    assert_eq!(status["idleTimeoutMs"], 0, "{status}");
    assert!(status["locksInMs"].is_null(), "{status}");
    assert!(status["weakened"].to_string().contains("idle-timeout 0"), "{status}");
    let words = owner(&home, &["status"]).ok().out();
    assert!(words.contains("never locks by itself"), "{words}");
    server.stop();
    let most = TestServer::start_with(&home, &["--idle-timeout", "10080"]);
    most.stop();
    for beyond in ["10081", "40000", "4294967296"] {
        let ran = home.cli(["serve", "--daemon", "--port", "0", "--idle-timeout", beyond]).run().exits(2);
        assert!(ran.err().contains("10080") || ran.err().contains("10,080"), "{ran}");
    }
    assert!(!home.vault_file("vault.pid").exists());
}

/// Whether a start has come so far: begun, has the vault, listens, has written its pid.
fn has_come(home: &Home, pid: u32, stage: usize) -> bool {
    let says = |name: &str| {
        let text = std::fs::read_to_string(home.vault_file(name)).unwrap_or_default();
        text.lines().next() == Some(&pid.to_string())
    };
    match stage {
        0 => true,
        1 => says("vault.lock"),
        2 => UnixStream::connect(home.vault_file("vault.sock")).is_ok(),
        _ => says("vault.pid"),
    }
}

#[test]
fn lc5_a_start_that_was_killed_never_hinders_the_next() {
    // A wrong wall clock at the first start cannot be had here: no namespace covers CLOCK_REALTIME. The
    // engine's tests set theirs, and the CA is valid from 2020 on.
    let home = ordinary_home();
    vault(&home).stop();
    let rounds = if std::env::var_os("HQV_LONG").is_some() { 1000 } else { 24 };
    for round in 0..rounds {
        let mut command = program(&home, home.program());
        command
            .args(["serve", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while !has_come(&home, child.id(), round % 4) {
            let early = child.try_wait().unwrap();
            assert!(early.is_none(), "round {round}: it ended by itself: {early:?}");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let server = TestServer::start(&home);
    assert!(server.port().is_some());
    owner(&home, &["unlock"]).ok();
    owner(&home, &["audit", "verify"]).ok();
    server.stop();
}

#[test]
fn lc6_an_older_daemon_is_named_asked_to_stop_and_gone() {
    let home = ordinary_home();
    vault(&home).stop();
    let _stopped = Stopped(&home);
    let old = home.cli(["serve", "--daemon", "--port", "0"]).env("HQ_VAULT_TEST_VERSION", "0.0.9").run().ok();
    let first = written_pid(&home);
    if home.cli(["status", "--json"]).run().ok().json()["version"] != "0.0.9" {
        println!("SKIP an older daemon: this binary has no version for tests ({})", old.out());
        owner(&home, &["serve", "--stop"]).ok();
        return;
    }
    owner(&home, &["unlock"]).ok();
    store(&home, "a/b", "kept");
    let said = home.cli(["status"]).run().ok().out();
    assert!(said.contains("0.0.9") && said.contains("serve --restart"), "{said}");
    owner(&home, &["serve", "--restart"]).ok();
    ended(first);
    let second = written_pid(&home);
    assert_ne!(first, second);
    owner(&home, &["unlock"]).ok();
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "kept");
    let said = home.cli(["status"]).run().ok().out();
    assert!(!said.contains("0.0.9"), "{said}");
    signal(second, Signal::TERM);
    ended(second);
}
