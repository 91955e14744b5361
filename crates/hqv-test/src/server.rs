//! The real daemon, in a home of its own.
//!
//! It is started with `serve --daemon`, which returns only once the daemon answers: readiness is the
//! daemon's own word, nobody polls. It belongs to init then, so its end is watched through the kernel.

use std::fs;
use std::path::PathBuf;

use hqv_sys::process::{program_of, terminate, wait_end};

use crate::PATIENCE;
use crate::home::{Home, kill};

/// A running daemon. Stopped on drop, in good order.
#[derive(Debug)]
pub struct TestServer<'a> {
    home: &'a Home,
    pid: u32,
    options: Vec<String>,
}

impl<'a> TestServer<'a> {
    /// Starts it at a free port, locked, or without a vault where there is none yet.
    pub fn start(home: &'a Home) -> TestServer<'a> {
        TestServer::start_with(home, &[])
    }

    /// As [`TestServer::start`], with further options of `serve`.
    pub fn start_with(home: &'a Home, options: &[&str]) -> TestServer<'a> {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        home.cli(["serve", "--daemon", "--port", "0"].map(String::from).iter().chain(&options)).run().ok();
        TestServer { home, pid: written_pid(home), options }
    }

    /// Starts it and makes a vault in it: running and unlocked. Takes one KDF.
    pub fn with_vault(home: &'a Home, passphrase: &str) -> TestServer<'a> {
        let server = TestServer::start(home);
        home.init(passphrase);
        server
    }

    /// The daemon's pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The port it says it listens on. None before the first unlock, when it has no certificate yet.
    pub fn port(&self) -> Option<u16> {
        fs::read_to_string(self.home.vault_file("vault.port")).ok()?.trim().parse().ok()
    }

    /// Its address, for clients.
    #[track_caller]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port().expect("the daemon has been unlocked once"))
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.home.vault_file("vault.sock")
    }

    /// True while it runs.
    pub fn runs(&self) -> bool {
        !wait_end(self.pid, std::time::Duration::ZERO).unwrap_or(false)
    }

    /// Asks it to end by SIGTERM, and waits for that.
    pub fn stop(self) {
        self.terminate();
        assert!(wait_end(self.pid, PATIENCE).expect("a process can be watched"), "the daemon does not stop");
    }

    /// Ends it as a power cut would, by SIGKILL.
    pub fn kill(self) {
        kill(self.pid);
    }

    /// Stops it and starts it again, locked, with the same options.
    pub fn restart(self) -> TestServer<'a> {
        let (home, options) = (self.home, self.options.clone());
        self.stop();
        TestServer::start_with(home, &options.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn terminate(&self) {
        // Only ever the process that we started: where the pid has passed on, nothing is done.
        if program_of(self.pid).is_some_and(|program| program.contains("hq-vault")) {
            let _ = terminate(self.pid);
        }
    }
}

impl Drop for TestServer<'_> {
    fn drop(&mut self) {
        if self.runs() && program_of(self.pid).is_some_and(|program| program.contains("hq-vault")) {
            Home::end(self.pid);
        }
    }
}

fn written_pid(home: &Home) -> u32 {
    let text = fs::read_to_string(home.vault_file("vault.pid")).expect("a running daemon writes vault.pid");
    text.lines().next().and_then(|line| line.trim().parse().ok()).expect("vault.pid holds the pid")
}
