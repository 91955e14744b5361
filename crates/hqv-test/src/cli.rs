//! One run of the real binary, and what it left: exit code, stdout, stderr.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use crate::home::{Home, kill};
use crate::terminal::Terminal;
use crate::{Canary, Found, PATIENCE};

/// A command line in a [`Home`]. Its stdin is empty and its environment clean unless told otherwise.
#[derive(Debug)]
pub struct Cli<'a> {
    home: &'a Home,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
}

/// A program that was copied a moment ago is busy for as long as a child of another test, forked during the copy,
/// has not become its own program.
fn started(command: &mut Command) -> Child {
    for _ in 0..10_000 {
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::yield_now(),
            Err(error) => panic!("{command:?} does not start: {error}"),
        }
    }
    panic!("{command:?} stays busy")
}

impl<'a> Cli<'a> {
    pub(crate) fn new<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(home: &'a Home, args: I) -> Cli<'a> {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Cli { home, args, stdin: Vec::new(), env: Vec::new(), dir: None }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// What stands on stdin, as a pipe.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// A variable of the environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Acts with this token.
    pub fn token(self, token: &str) -> Self {
        self.env("HQ_VAULT_TOKEN", token)
    }

    /// Acts as the owner, by the passphrase file that [`Home::init`] wrote.
    pub fn owner(self) -> Self {
        let file = self.home.passphrase_file();
        self.env("HQ_VAULT_PASSPHRASE_FILE", file)
    }

    /// The working directory, in place of the home.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    fn command(&self) -> Command {
        let mut command = self.home.command();
        command.args(&self.args).envs(self.env.iter().cloned());
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
    }

    /// Runs it to its end, which also is the end of its output: a daemon that it starts must not hold its
    /// pipes.
    pub fn run(self) -> Ran {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = started(&mut command);
        let mut stdin = child.stdin.take().expect("piped above");
        let bytes = self.stdin;
        // A command may end without reading what it was given.
        thread::spawn(move || stdin.write_all(&bytes));
        let stdout = drain(child.stdout.take().expect("piped above"));
        let stderr = drain(child.stderr.take().expect("piped above"));
        let hung = !hqv_sys::process::wait_end(child.id(), PATIENCE).expect("a child can be watched");
        if hung {
            kill(child.id());
        }
        let status = child.wait().expect("our own child");
        let words = self.args.join(OsStr::new(" ")).to_string_lossy().into_owned();
        assert!(!hung, "hung: hq-vault {words}");
        Ran::new(words, status, join(stdout), join(stderr))
    }

    /// Starts it at a terminal of its own, with stdin, stdout and stderr there. What was given as stdin is
    /// typed by the test instead.
    pub fn on_terminal(self) -> Terminal {
        Terminal::start(self.command(), false)
    }

    /// As [`Cli::on_terminal`], but with its stdout in a pipe, as in `$(hq-vault get ...)`.
    pub fn on_terminal_piped(self) -> Terminal {
        Terminal::start(self.command(), true)
    }
}

pub(crate) type Drained = thread::JoinHandle<Vec<u8>>;

pub(crate) fn drain(mut source: impl Read + Send + 'static) -> Drained {
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = source.read_to_end(&mut all);
        all
    })
}

pub(crate) fn join(drained: Drained) -> Vec<u8> {
    drained.join().expect("reading does not panic")
}

/// What a run left. `Display` is the whole of it, for a failed assertion.
#[derive(Debug)]
pub struct Ran {
    words: String,
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Data. For a run at a terminal with stdout there: empty.
    pub stdout: Vec<u8>,
    /// Talk. For a run at a terminal: all that was shown there.
    pub stderr: Vec<u8>,
}

impl Ran {
    pub(crate) fn new(words: String, status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Ran {
        Ran { words, code: status.code(), signal: status.signal(), stdout, stderr }
    }

    /// Stdout as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stderr as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Fails the test unless the exit code is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Fails the test unless it succeeded.
    #[track_caller]
    pub fn ok(self) -> Ran {
        self.exits(0)
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON ({error})\n{self}"))
    }

    /// Stderr's last line as one JSON document: the error object of `--json`.
    #[track_caller]
    pub fn json_error(&self) -> serde_json::Value {
        let err = self.err();
        let line = err.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON error ({error})\n{self}"))
    }

    /// Where a canary stands in stdout and stderr.
    pub fn search(&self, canary: &Canary) -> Vec<Found> {
        let name = |stream| format!("{stream} of hq-vault {}", self.words);
        let mut found = canary.in_bytes(&name("stdout"), &self.stdout);
        found.extend(canary.in_bytes(&name("stderr"), &self.stderr));
        found
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match (self.code, self.signal) {
            (Some(code), _) => format!("exit {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or(0)),
        };
        write!(f, "hq-vault {}\n{end}\n--- stdout\n{}\n--- stderr\n{}", self.words, self.out(), self.err())
    }
}
