//! An agent: runs `hq-vault` with pipes for its streams, with or without a
//! terminal that controls it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use hqv_sys::pty::Pty;
use hqv_test::{Home, PATIENCE};

/// What the agent's command has written so far.
#[derive(Default)]
struct Heard {
    text: Mutex<(String, bool)>,
    more: Condvar,
}

/// A command that runs.
pub struct Agent {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: Arc<Heard>,
}

/// How it ended.
#[derive(Debug)]
pub struct Said {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its stdout.
    pub out: String,
    /// Its stderr.
    pub err: String,
}

impl Said {
    /// Fails the test unless the exit code is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// The command, in a clean environment. `setsid` takes it out of the terminal that the tests run in.
pub fn command(home: &Home, words: &[&str]) -> Command {
    let mut command = Command::new("setsid");
    command.arg(home.program()).args(words);
    clean(&mut command, home);
    command
}

/// Nothing of the test's own environment.
pub fn clean(command: &mut Command, home: &Home) {
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", home.path().join("tmp"))
        .env("LANG", "C.UTF-8")
        .current_dir(home.path());
}

impl Agent {
    /// Without any terminal.
    pub fn start(home: &Home, words: &[&str]) -> Agent {
        Agent::run(command(home, words))
    }

    /// With `pty` as its controlling terminal and pipes for streams.
    pub fn under(home: &Home, pty: &Pty, words: &[&str]) -> Agent {
        let mut command = Command::new(home.program());
        command.args(words);
        clean(&mut command, home);
        command.env("TERM", "xterm");
        pty.attach(&mut command).unwrap();
        Agent::run(command)
    }

    /// With pipes.
    pub fn run(mut command: Command) -> Agent {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let stdout = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        let stderr = Arc::new(Heard::default());
        let (heard, err) = (Arc::clone(&stderr), child.stderr.take().unwrap());
        std::thread::spawn(move || listen(err, &heard));
        Agent { child, stdout, stderr }
    }

    /// Waits until `text` stands on its stderr, and gives all that stands there.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let heard = self.stderr.text.lock().unwrap();
        let (heard, waited) = self
            .stderr
            .more
            .wait_timeout_while(heard, PATIENCE, |(said, over)| !said.contains(text) && !*over)
            .unwrap();
        assert!(!waited.timed_out() && heard.0.contains(text), "{text:?} not in {:?}", heard.0);
        heard.0.clone()
    }

    /// The code that it was told, once all the first words are said.
    #[track_caller]
    pub fn code(&self) -> String {
        crate::support::code_in(&self.wait_for("goes on waiting"))
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.unwrap(), signal).unwrap();
    }

    /// Waits for its end, and the end of its streams.
    #[track_caller]
    pub fn finish(mut self) -> Said {
        let ended = hqv_sys::process::wait_end(self.child.id(), PATIENCE).unwrap();
        if !ended {
            let _ = self.child.kill();
        }
        let status = self.child.wait().unwrap();
        assert!(ended, "hung: {:?}", self.stderr.text.lock().unwrap().0);
        let out = self.stdout.join().unwrap();
        let heard = self.stderr.text.lock().unwrap();
        let heard = self.stderr.more.wait_while(heard, |(_, over)| !*over).unwrap();
        Said { code: status.code(), out, err: heard.0.clone() }
    }
}

fn listen(mut source: impl Read, heard: &Heard) {
    let mut room = [0; 4096];
    loop {
        let got = source.read(&mut room).unwrap_or(0);
        let mut text = heard.text.lock().unwrap();
        text.0.push_str(&String::from_utf8_lossy(&room[..got]));
        text.1 = got == 0;
        heard.more.notify_all();
        if got == 0 {
            return;
        }
    }
}
