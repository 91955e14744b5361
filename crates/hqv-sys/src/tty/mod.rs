//! The person at the terminal: hidden and visible questions, and whether there is one to ask.

mod editor;
mod front;
mod guard;
mod readers;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, QueueSelector, isatty, tcflush, tcgetattr, tcgetpgrp, tcgetwinsize};
use zeroize::Zeroizing;

use crate::input::read_bounded;
use crate::wait::{Deadline, wait};
use editor::{Editor, Step};
pub use front::{Front, Saved};
pub(crate) use guard::errno_place;
use guard::{Quiet, Signals};
pub use readers::is_read;

/// How long after the last key more input is taken for the rest of the same paste.
const SAME_PASTE: Duration = Duration::from_millis(20);

/// The terminal that controls this process, for reading and writing.
///
/// # Errors
/// Where there is none: started by cron, a service or an agent.
pub fn open() -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open("/dev/tty", flags, Mode::empty())?))
}

/// True where `fd` is a terminal in canonical mode (no full-screen program has it) whose foreground is our
/// own process group: a question there is seen and answered by a person at rest.
pub fn is_foreground_tty(fd: BorrowedFd<'_>) -> bool {
    has_modes(fd, LocalModes::ICANON) && tcgetpgrp(fd).is_ok_and(|front| front == rustix::process::getpgrp())
}

/// True where `fd` is a terminal in canonical mode with its echo on: no full-screen program has it, no line
/// editor and no other hidden prompt.
pub fn is_at_rest(fd: BorrowedFd<'_>) -> bool {
    has_modes(fd, LocalModes::ICANON | LocalModes::ECHO)
}

fn has_modes(fd: BorrowedFd<'_>, wanted: LocalModes) -> bool {
    isatty(fd) && tcgetattr(fd).is_ok_and(|modes| modes.local_modes.contains(wanted))
}

/// The columns of the terminal that stdout, stderr or stdin is, in this order. `None` where none of them is
/// one.
pub fn width() -> Option<u16> {
    let (out, err, input) = (io::stdout(), io::stderr(), io::stdin());
    let ends = [out.as_fd(), err.as_fd(), input.as_fd()];
    ends.into_iter()
        .find_map(|fd| tcgetwinsize(fd).ok().map(|size| size.ws_col).filter(|columns| *columns > 0))
}

/// A question whose answer is not shown.
#[derive(Clone, Copy, Debug)]
pub struct Hidden<'a> {
    /// Shown first, and again after the process was stopped and continued. Outside text in it must be
    /// escaped already.
    pub prompt: &'a str,
    /// The most bytes that come back; what is typed beyond is dropped.
    pub limit: usize,
    /// How long to wait for the end of the answer; no end where `None`.
    pub timeout: Option<Duration>,
    /// One of them readable or closed: the question is withdrawn.
    pub cancel: &'a [BorrowedFd<'a>],
    /// Several lines may be typed, and pasted without marks.
    pub lines: bool,
    /// A single pasted line keeps the newline that ends it.
    pub keep_newline: bool,
}

/// Asks on the controlling terminal with echo off. See [`Hidden::ask_on`].
///
/// # Errors
/// As [`Hidden::ask_on`], and where there is no controlling terminal.
pub fn read_hidden(prompt: &str, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    read_hidden_on(open()?.as_fd(), prompt, limit)
}

/// As [`read_hidden`], on the terminal `tty`, which must be open for reading and writing.
///
/// # Errors
/// As [`Hidden::ask_on`].
pub fn read_hidden_on(tty: BorrowedFd<'_>, prompt: &str, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    Hidden { prompt, limit, timeout: None, cancel: &[], lines: false, keep_newline: false }.ask_on(tty)
}

/// Asks on the controlling terminal and reads one line as it is shown, without its newline, at most `limit`
/// bytes. What was typed before the question stands is dropped: it cannot be an answer to it.
///
/// # Errors
/// No terminal, `UnexpectedEof` at its end, `InvalidData` where the answer is not UTF-8.
pub fn read_line_visible(prompt: &str, limit: usize) -> io::Result<String> {
    read_line_after("", prompt, limit)
}

/// As [`read_line_visible`], with `text` on that terminal first: what the answer is about cannot be hidden by
/// sending a stream elsewhere. Outside text in it must be escaped already.
///
/// # Errors
/// As [`read_line_visible`].
pub fn read_line_after(text: &str, prompt: &str, limit: usize) -> io::Result<String> {
    let tty = open()?;
    write_all(tty.as_fd(), text)?;
    tcflush(&tty, QueueSelector::IFlush)?;
    write_all(tty.as_fd(), prompt)?;
    let line = read_bounded(&mut OneLine { tty: &tty, over: false }, limit)?;
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    String::from_utf8(text.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A terminal up to the next newline. In canonical mode the kernel never hands out more than one line at a
/// time.
struct OneLine<'a> {
    tty: &'a File,
    over: bool,
}

impl io::Read for OneLine<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.over {
            return Ok(0);
        }
        let got = self.tty.read(room)?;
        self.over = room.get(..got).is_some_and(|bytes| bytes.contains(&b'\n'));
        Ok(got)
    }
}

/// Writes `text` to the terminal. Outside text in it must be escaped already.
///
/// # Errors
/// The terminal is gone.
pub fn say(tty: BorrowedFd<'_>, text: &str) -> io::Result<()> {
    write_all(tty, text)
}

pub(crate) fn write_all(tty: BorrowedFd<'_>, text: &str) -> io::Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(tty, rest) {
            Ok(done) => rest = rest.get(done..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the prompt woke up for.
enum Woken {
    Keys,
    Signal,
    Cancelled,
    Late,
}

impl Hidden<'_> {
    /// Asks on `tty` with echo off, and returns the line typed or the text pasted, without the newline that
    /// ends it.
    ///
    /// The terminal is put back on return, on panic and on SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP,
    /// which then have their usual effect; after SIGCONT the question is asked again from the start. A
    /// paste of several lines is one answer where the terminal marks pastes (nearly all do). Where it does
    /// not it is never cut at its first line: it is refused, or with `lines` goes on to a Ctrl-D, as does
    /// what begins as a PEM block or has lines added by Alt-Enter.
    ///
    /// # Errors
    /// `UnexpectedEof`: Ctrl-D on an empty line. `BrokenPipe`: the terminal went away, or its foreground to
    /// another group. `Interrupted`: a signal came that the program handles itself. `TimedOut`;
    /// `ConnectionAborted`: withdrawn by `cancel`. `InvalidData`: several lines without marks.
    pub fn ask_on(&self, tty: BorrowedFd<'_>) -> io::Result<Zeroizing<Vec<u8>>> {
        let end = Deadline::after_if(self.timeout);
        let mut signals = Signals::catch()?;
        let quiet = Quiet::enter(tty)?;
        let answer = self.converse(tty, &mut signals, &quiet, &end);
        // The person's Enter was not shown either.
        let _ = write_all(tty, "\n");
        answer
    }

    fn converse(
        &self,
        tty: BorrowedFd<'_>,
        signals: &mut Signals,
        quiet: &Quiet<'_>,
        end: &Deadline,
    ) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut editor = Editor::new(self.limit, self.lines);
        let mut room = Zeroizing::new([0u8; 4096]);
        write_all(tty, self.prompt)?;
        loop {
            match self.wake(tty, signals, end)? {
                Woken::Late => return Err(io::ErrorKind::TimedOut.into()),
                Woken::Cancelled => return Err(io::ErrorKind::ConnectionAborted.into()),
                Woken::Signal => {
                    let Some(signal) = signals.next() else { continue };
                    obey(signal, tty, signals, quiet)?;
                    editor = Editor::new(self.limit, self.lines);
                    write_all(tty, self.prompt)?;
                }
                Woken::Keys => {
                    let keys = read_keys(tty, room.as_mut_slice())?;
                    match self.feed(&mut editor, tty, keys)? {
                        Step::More => {}
                        Step::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Step::Done | Step::Closed => return Ok(editor.finish(self.keep_newline)),
                    }
                }
            }
        }
    }

    /// Feeds keys until the value is complete.
    fn feed(&self, editor: &mut Editor, tty: BorrowedFd<'_>, mut keys: &[u8]) -> io::Result<Step> {
        while let Some((key, rest)) = keys.split_first() {
            keys = rest;
            match editor.feed(*key) {
                Step::More => {}
                Step::Done if *key == b'\r' && rest == b"\n" && !follows(tty)? => return Ok(Step::Done),
                Step::Done if !rest.is_empty() || follows(tty)? => {
                    return self.go_on(editor, tty, *key == b'\r' && rest.is_empty(), rest);
                }
                step => return Ok(step),
            }
        }
        Ok(Step::More)
    }

    /// More follows an Enter. Where that is nothing but the newline of a return (`split`: the two came apart), it
    /// was the end all the same.
    fn go_on(&self, editor: &mut Editor, tty: BorrowedFd<'_>, split: bool, rest: &[u8]) -> io::Result<Step> {
        let mut one = Zeroizing::new([0u8]);
        let late = if split { read_keys(tty, one.as_mut_slice())? } else { &[] };
        if late == b"\n" && !follows(tty)? {
            return Ok(Step::Done);
        }
        if !self.lines {
            return Err(several_lines());
        }
        editor.go_on();
        write_all(tty, GO_ON)?;
        self.feed(editor, tty, if split { late } else { rest })
    }

    fn wake(&self, tty: BorrowedFd<'_>, signals: &Signals, end: &Deadline) -> io::Result<Woken> {
        let all = [tty, signals.as_fd()].into_iter().chain(self.cancel.iter().copied());
        let mut fds: Vec<_> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        if !wait(&mut fds, end)? {
            return Ok(Woken::Late);
        }
        let mut spoke = fds.iter().map(|fd| !fd.revents().is_empty()).skip(1);
        // The keys come last: a question that is withdrawn reads no more of them.
        Ok(match (spoke.next(), spoke.any(|spoke| spoke)) {
            (Some(true), _) => Woken::Signal,
            (_, true) => Woken::Cancelled,
            (_, false) => Woken::Keys,
        })
    }
}

/// Shown where a paste without marks turns out to be of several lines.
const GO_ON: &str = "(several lines; Ctrl-D ends them) ";

/// Puts the terminal back and lets the signal do its work. Returns where the question is to be asked again.
fn obey(signal: i32, tty: BorrowedFd<'_>, signals: &mut Signals, quiet: &Quiet<'_>) -> io::Result<()> {
    if signal != libc::SIGCONT {
        quiet.restore();
        let _ = write_all(tty, "\n");
        signals.pass_on(signal);
        if signal != libc::SIGTSTP && signal != libc::SIGTTIN {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    quiet.apply()
}

/// What was typed; nothing where a signal came first.
fn read_keys<'a>(tty: BorrowedFd<'_>, room: &'a mut [u8]) -> io::Result<&'a [u8]> {
    match rustix::io::read(tty, &mut *room) {
        Ok(0) | Err(rustix::io::Errno::IO) => Err(io::ErrorKind::BrokenPipe.into()),
        Ok(got) => Ok(room.get(..got).unwrap_or_default()),
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Ok(&[]),
        Err(error) => Err(error.into()),
    }
}

/// Whether more input arrives at once, as only a paste does.
fn follows(tty: BorrowedFd<'_>) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(tty, PollFlags::IN)];
    let more = wait(&mut fds, &Deadline::after(SAME_PASTE))?;
    Ok(more && fds.iter().any(|fd| fd.revents().contains(PollFlags::IN)))
}

fn several_lines() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "several lines were pasted: give the value as a file or on a pipe",
    )
}
