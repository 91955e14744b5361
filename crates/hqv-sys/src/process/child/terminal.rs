//! The terminal that we are on, and the one that the program is on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::termios::{
    OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use zeroize::Zeroizing;

use super::Channel;

/// Bytes taken from the keyboard at once.
const TYPED: usize = 4096;

/// Both of them, and the way between.
pub(super) struct Outer {
    pub(super) tty: File,
    /// Our end of the program's terminal. None once it is hung up.
    pub(super) inner: Option<File>,
    /// The program's end. Held here, too: a program that closes it and opens it again would else be at its end.
    pub(super) slave: OwnedFd,
    /// Where its output goes.
    pub(super) channel: Channel,
    before: Termios,
    pub(super) raw: bool,
    /// Typed, and not taken yet. It may be a password.
    pub(super) typed: Zeroizing<Vec<u8>>,
}

impl Outer {
    /// A terminal like the one we are on: its modes and its size. None where we are on none.
    pub(super) fn open(channel: Channel) -> io::Result<Option<Outer>> {
        let Ok(tty) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty") else {
            return Ok(None);
        };
        let before = tcgetattr(&tty)?;
        let (inner, slave) = open_pair()?;
        tcsetattr(&slave, OptionalActions::Now, &before)?;
        let _ = tcsetwinsize(&slave, tcgetwinsize(&tty)?);
        let typed = Zeroizing::new(Vec::with_capacity(TYPED));
        Ok(Some(Outer { tty, inner: Some(inner), slave, channel, before, raw: false, typed }))
    }

    /// Where the program's output comes from.
    pub(super) fn reader(&self) -> io::Result<Option<File>> {
        self.inner.as_ref().map(File::try_clone).transpose()
    }

    /// The descriptors that the program's side must not hold.
    pub(super) fn ours(&self) -> impl Iterator<Item = RawFd> {
        [Some(&self.tty), self.inner.as_ref()].into_iter().flatten().map(AsRawFd::as_raw_fd)
    }

    /// Whether the program's terminal is what this output comes from.
    pub(super) fn shows(&self, channel: Channel) -> bool {
        self.channel == channel
    }

    /// Whether the keyboard is, or was when we looked, for others.
    pub(super) fn is_behind(&self) -> bool {
        !self.raw && self.inner.is_some()
    }

    /// Whether we are what the keyboard is for.
    fn is_in_front(&self) -> bool {
        tcgetpgrp(&self.tty).is_ok_and(|front| front == rustix::process::getpgrp())
    }

    /// The keyboard's bytes go to the program as they are. Not from the background: the terminal is another's.
    pub(super) fn enter(&mut self) {
        if self.raw || self.inner.is_none() || !self.is_in_front() {
            return;
        }
        let Ok(before) = tcgetattr(&self.tty) else { return };
        let mut raw = before.clone();
        raw.make_raw();
        self.before = before;
        self.raw = tcsetattr(&self.tty, OptionalActions::Drain, &raw).is_ok();
    }

    pub(super) fn leave(&mut self) {
        if self.raw {
            self.raw = false;
            let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
        }
    }

    pub(super) fn resize(&self) {
        if let (Some(inner), Ok(size)) = (&self.inner, tcgetwinsize(&self.tty)) {
            let _ = tcsetwinsize(inner, size);
        }
    }

    /// Nobody sees the program any more: its terminal is gone, which it is told.
    pub(super) fn hang_up(&mut self) {
        self.leave();
        self.inner = None;
        self.typed.clear();
    }

    pub(super) fn take_typed(&mut self) {
        if !self.raw || !self.typed.is_empty() {
            return;
        }
        let mut room = Zeroizing::new([0; TYPED]);
        match self.tty.read(&mut *room) {
            Ok(got) if got > 0 => self.typed.extend_from_slice(room.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The terminal is gone: the signal says what to do.
            _ => self.raw = false,
        }
    }

    pub(super) fn give_typed(&mut self) {
        let Some(inner) = self.inner.as_mut().filter(|_| !self.typed.is_empty()) else { return };
        match inner.write(&self.typed) {
            Ok(given) => drop(self.typed.drain(..given)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.typed.clear(),
        }
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A new terminal: our end and the program's.
fn open_pair() -> io::Result<(File, OwnedFd)> {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let inner = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&inner)?;
    unlockpt(&inner)?;
    let name = ptsname(&inner, Vec::new())?;
    let slave =
        rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::ioctl_fionbio(&inner, true)?;
    Ok((File::from(inner), slave))
}
