//! What is written where: data to stdout, talk to stderr, never the reverse.
//!
//! [`Out`] knows once what each end is (a terminal, a pipe, how wide, coloured
//! or not) so that no verb asks again. A closed pipe on stdout ends a command
//! quietly, as it does for `cat`.

pub mod color;
pub mod error;
pub mod json;
pub mod spinner;
pub mod table;
pub mod time;

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use crate::settings::Settings;
use color::Paint;
use error::Failure;

/// The two streams of one command.
pub struct Out {
    /// JSON is wanted.
    pub json: bool,
    quiet: bool,
    /// How stdout is painted.
    pub paint: Paint,
    /// How stderr is painted.
    pub paint_err: Paint,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
}

impl Out {
    /// Looks at both streams.
    pub fn new(settings: &Settings) -> Out {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let may = settings.may_colour();
        Out {
            json: settings.flags.json,
            quiet: settings.flags.quiet,
            paint: Paint::new(may && stdout && !settings.flags.json),
            paint_err: Paint::new(may && stderr),
            stdout_is_terminal: stdout,
            stderr_is_terminal: stderr,
        }
    }

    /// Whether a person looks at stdout.
    pub fn to_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether a spinner may turn on stderr.
    pub fn may_spin(&self) -> bool {
        self.stderr_is_terminal && !self.quiet && !self.json
    }

    /// Bytes of data, exactly as they are.
    pub fn bytes(&self, data: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(data).and_then(|()| stdout.flush()).map_err(closed)
    }

    /// A line of data.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush()).map_err(closed)
    }

    /// Before something that can be had only once: a stdout that takes nothing is said now. What it cannot know
    /// is that a disk fills up.
    pub fn must_be_open(&self) -> Result<(), Failure> {
        hqv_sys::input::must_take(io::stdout().as_fd()).map_err(|e| Failure::io("cannot write to stdout", &e))
    }

    /// A confirmation, which is data. For a program that asked for JSON it is
    /// the sentence in a document.
    pub fn confirm(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        if self.json {
            return self.document(&serde_json::json!({ "ok": true, "message": text.as_ref() }));
        }
        self.line(text)
    }

    /// A JSON document as data.
    pub fn document(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.line(json::text(value)?)
    }

    /// Talk, on stderr. Left out with `--quiet`; a closed stderr is no failure.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
        }
    }

    /// A warning, on stderr, whatever `--quiet` says.
    pub fn warn(&self, text: impl AsRef<str>) {
        let mark = self.paint_err.yellow("warning:");
        let _ = writeln!(io::stderr().lock(), "{mark} {}", text.as_ref());
    }

    /// How many columns stdout has; None where it is no terminal.
    pub fn width(&self) -> Option<usize> {
        if self.stdout_is_terminal { hqv_sys::tty::width().map(usize::from) } else { None }
    }
}

fn closed(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::closed_pipe();
    }
    Failure::io("cannot write to stdout", &error)
}
