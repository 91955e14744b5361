//! Pseudo-terminals: a terminal whose person is a program, for the tour and for tests.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::wait::{Deadline, wait};

/// A pseudo-terminal: what is written to `person` is typed, what is read from it was shown.
#[derive(Debug)]
pub struct Pty {
    /// The side of the person at the keyboard.
    pub person: File,
    /// The side of the program. Held open, so that the terminal outlives one program on it.
    pub program: File,
    shown: Vec<u8>,
    seen: usize,
}

impl Pty {
    /// A new terminal of 80 columns and 24 rows.
    ///
    /// # Errors
    /// Where the system has none left.
    pub fn open() -> io::Result<Pty> {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let name = ptsname(&person, Vec::new())?;
        let program = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        tcsetwinsize(&program, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
        Ok(Pty { person: File::from(person), program: File::from(program), shown: Vec::new(), seen: 0 })
    }

    /// Gives `command` this terminal as its controlling terminal, in a session of its own, as stdin, stdout
    /// and stderr. Standard streams that the caller sets afterwards stand.
    ///
    /// # Errors
    /// Where descriptors run out.
    pub fn attach(&self, command: &mut Command) -> io::Result<()> {
        command.stdin(Stdio::from(self.program.try_clone()?));
        command.stdout(Stdio::from(self.program.try_clone()?));
        command.stderr(Stdio::from(self.program.try_clone()?));
        let tty = self.program.as_raw_fd();
        let own = move || -> io::Result<()> {
            rustix::process::setsid()?;
            // SAFETY: makes the open terminal the controlling one of a session that has none.
            if unsafe { libc::ioctl(tty, libc::TIOCSCTTY as _, 0) } == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        };
        // SAFETY: two system calls, safe between fork and exec.
        unsafe {
            command.pre_exec(own);
        }
        Ok(())
    }

    /// Types `keys`.
    ///
    /// # Errors
    /// What the system said.
    pub fn type_in(&mut self, keys: &[u8]) -> io::Result<()> {
        self.person.write_all(keys)
    }

    /// Waits until `text` is shown, after what earlier calls waited for.
    ///
    /// # Errors
    /// `TimedOut`, with what was shown instead.
    pub fn wait_for(&mut self, text: &str, timeout: Duration) -> io::Result<()> {
        let end = Deadline::after(timeout);
        loop {
            let new = self.shown.get(self.seen..).unwrap_or_default();
            if let Some(at) = new.windows(text.len().max(1)).position(|part| part == text.as_bytes()) {
                self.seen += at + text.len();
                return Ok(());
            }
            if !self.read_more(&end)? {
                let new = self.shown.get(self.seen..).unwrap_or_default();
                let shown = String::from_utf8_lossy(new);
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{text:?} not in {shown:?}")));
            }
        }
    }

    /// Everything shown up to now.
    ///
    /// # Errors
    /// What the system said.
    pub fn shown(&mut self) -> io::Result<&[u8]> {
        while self.read_more(&Deadline::after(Duration::ZERO))? {}
        Ok(&self.shown)
    }

    fn read_more(&mut self, patience: &Deadline) -> io::Result<bool> {
        if !wait(&mut [PollFd::new(&self.person, PollFlags::IN)], patience)? {
            return Ok(false);
        }
        let mut room = [0u8; 4096];
        let got = self.person.read(&mut room)?;
        self.shown.extend_from_slice(room.get(..got).unwrap_or_default());
        Ok(got > 0)
    }

    /// True where what is typed is shown.
    pub fn echoes(&self) -> bool {
        tcgetattr(self.program.as_fd()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO))
    }

    /// Everything that is put back after a prompt: the local, input and output modes.
    ///
    /// # Errors
    /// What the system said.
    pub fn modes(&self) -> io::Result<[u64; 3]> {
        let modes = tcgetattr(self.program.as_fd())?;
        Ok([modes.local_modes.bits(), modes.input_modes.bits(), modes.output_modes.bits()].map(u64::from))
    }
}
