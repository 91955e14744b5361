//! One run of the real binary with a person at the keyboard.

use std::process::{Child, Command, Stdio};

use hqv_sys::pty::Pty;

use crate::PATIENCE;
use crate::cli::{Drained, Ran, drain, join};
use crate::home::kill;

/// A program at a terminal of 80 columns. What is typed must wait for its prompt, as a person would: a
/// hidden prompt drops what was typed before it.
#[derive(Debug)]
pub struct Terminal {
    pty: Pty,
    child: Child,
    stdout: Option<Drained>,
    words: String,
}

impl Terminal {
    pub(crate) fn start(mut command: Command, piped: bool) -> Terminal {
        let pty = Pty::open().expect("a pseudo-terminal");
        command.env("TERM", "xterm-256color");
        pty.attach(&mut command).expect("descriptors for a terminal");
        if piped {
            command.stdout(Stdio::piped());
        }
        let words: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = child.stdout.take().map(drain);
        Terminal { pty, child, stdout, words: words.join(" ") }
    }

    /// Waits until `text` is shown, after what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Terminal {
        if let Err(error) = self.pty.wait_for(text, PATIENCE) {
            panic!("hq-vault {}: {error}", self.words);
        }
        self
    }

    /// Types `text` and Enter.
    pub fn line(&mut self, text: &str) -> &mut Terminal {
        self.keys(format!("{text}\n").as_bytes())
    }

    /// Types these keys: `b"\x03"` is Ctrl-C, `b"\x04"` Ctrl-D, `b"\x1a"` Ctrl-Z.
    pub fn keys(&mut self, keys: &[u8]) -> &mut Terminal {
        self.pty.type_in(keys).expect("the terminal is open");
        self
    }

    /// True where what is typed is shown.
    pub fn echoes(&self) -> bool {
        self.pty.echoes()
    }

    /// The program's pid, to send it a signal.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program's end. Stderr is all that was shown at the terminal.
    pub fn finish(mut self) -> Ran {
        // What is shown is read on, so that a talkative program does not wait for room.
        let shown = loop {
            let ended = hqv_sys::process::wait_end(self.child.id(), std::time::Duration::from_millis(20));
            let shown = self.pty.shown().expect("the terminal is open").len();
            if ended.expect("a child can be watched") {
                break self.pty.shown().expect("the terminal is open").to_vec();
            }
            assert!(shown < 64 << 20, "hq-vault {} never stops talking", self.words);
        };
        let status = self.child.wait().expect("our own child");
        Ran::new(self.words.clone(), status, self.stdout.take().map(join).unwrap_or_default(), shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(self.child.id());
            let _ = self.child.wait();
        }
    }
}
