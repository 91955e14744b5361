//! A program whose output goes through this process.
//!
//! Without a terminal its output and errors are pipes, and it stays in our process group: what the keyboard or the
//! shell sends to the group reaches it as it reaches us, and it is stopped and continued with us.
//!
//! With one it gets a terminal of its own. Two processes are made then. The first leads the new session and does nothing
//! but wait for the second, which is the program: with its parent in the same session and another group it can be
//! stopped like any job of a shell. When it stops, so do we; when we go on, it does. What is typed is carried over as
//! it is, so that Ctrl-C and Ctrl-Z have their effect on the other side.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{
    OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::program::{Lists, Program};
use super::relay::{Relay, forget};
use crate::tty::errno_place;
use crate::wait::{Deadline, wait};

/// How long a program must be silent to count as waiting.
const SILENCE: std::time::Duration = std::time::Duration::from_millis(15);
const ROOM: usize = 64 << 10;

/// Where output came from, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Standard output, and everything that is shown on a terminal.
    Output,
    /// Standard error, where that is not the terminal.
    Errors,
}

/// What becomes of the program's output.
pub trait Sink {
    /// Bytes, as they come.
    ///
    /// # Errors
    /// Nobody takes them any more: the program's end is closed, too.
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()>;

    /// The program has said nothing for a moment.
    fn silence(&mut self);

    /// Nothing more will come.
    fn end(&mut self);
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It exited.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It could not be started: the system's error.
    Unstarted(i32),
}

/// Runs a program to its end. What it has started may outlive it and hold its output: then a process of ours stays
/// behind that carries the rest, until nobody writes any more. The sink is told of the end where that is.
///
/// # Errors
/// What the system said where no process could be made.
pub fn run(program: &Program, sink: &mut dyn Sink) -> io::Result<Ending> {
    let relay = Relay::listen()?;
    let mut running = start(program, relay)?;
    let ending = running.attend(sink);
    running.leave();
    let ending = ending?;
    let mut code = [0; 4];
    // What the child says where it could not become the program.
    if let Ok(4) = running.failed.read(&mut code) {
        return Ok(Ending::Unstarted(i32::from_ne_bytes(code)));
    }
    if running.is_held() && running.stay_behind(sink) {
        return Ok(ending);
    }
    sink.end();
    Ok(ending)
}

/// A pipe or terminal that output comes from.
struct Source {
    channel: Channel,
    file: Option<File>,
}

struct Running {
    relay: Relay,
    /// The process that we wait for: the program, or the leader of its session.
    pid: libc::pid_t,
    /// What the leader says: the program's pid, then each change of its state.
    news: Option<File>,
    program: libc::pid_t,
    sources: Vec<Source>,
    failed: File,
    terminal: Option<Outer>,
}

/// The terminal that we are on, and the way to the one that we have made.
struct Outer {
    tty: File,
    inner: File,
    before: Termios,
    raw: bool,
    /// Typed, and not taken yet.
    typed: Vec<u8>,
}

fn start(program: &Program, relay: Relay) -> io::Result<Running> {
    let on_tty = |fd: BorrowedFd<'_>| rustix::termios::isatty(fd);
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let (out, err) = (on_tty(stdout.as_fd()), on_tty(stderr.as_fd()));
    let tty = if out || err { open_tty() } else { None };
    let (failed, failed_end) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut streams: [Option<OwnedFd>; 3] = [None, None, None];
    let mut sources = Vec::new();
    let mut terminal = None;
    if let Some(tty) = tty {
        let (inner, slave) = open_pair(&tty)?;
        let same = || slave.try_clone();
        streams = [
            if on_tty(stdin.as_fd()) { Some(same()?) } else { None },
            if out { Some(same()?) } else { None },
            if err { Some(same()?) } else { None },
        ];
        sources.push(Source {
            channel: if out { Channel::Output } else { Channel::Errors },
            file: Some(inner.try_clone()?),
        });
        let before = tcgetattr(&tty)?;
        terminal = Some((Outer { tty, inner, before, raw: false, typed: Vec::new() }, slave));
    }
    for (place, channel) in [(1, Channel::Output), (2, Channel::Errors)] {
        if streams[place].is_none() {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
            streams[place] = Some(write);
            sources.push(Source { channel, file: Some(File::from(read)) });
        }
    }
    let streams_raw = streams.each_ref().map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd));
    let plan = Plan { streams: streams_raw, failed: failed_end.as_raw_fd() };
    let (pid, news) = match &terminal {
        Some((_, slave)) => lead(program, &plan, slave.as_raw_fd())?,
        None => (fork_program(program, &plan)?, None),
    };
    drop((streams, failed_end));
    let terminal = terminal.map(|(outer, _)| outer);
    Ok(Running { relay, pid, program: pid, news, sources, failed: File::from(failed), terminal })
}

fn open_tty() -> Option<File> {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

/// A terminal like `tty`: its modes and its size.
fn open_pair(tty: &File) -> io::Result<(File, OwnedFd)> {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let inner = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&inner)?;
    unlockpt(&inner)?;
    let name = ptsname(&inner, Vec::new())?;
    let slave =
        rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetattr(&slave, OptionalActions::Now, &tcgetattr(tty)?)?;
    let _ = tcsetwinsize(&slave, tcgetwinsize(tty)?);
    rustix::io::ioctl_fionbio(&inner, true)?;
    Ok((File::from(inner), slave))
}

/// Descriptors for the child; -1 leaves a stream as it is.
struct Plan {
    streams: [RawFd; 3],
    failed: RawFd,
}

impl Plan {
    /// Becomes the program, or says why not and ends.
    ///
    /// # Safety
    /// In a child after fork: system calls only.
    unsafe fn become_it(&self, lists: Lists<'_>) -> ! {
        // SAFETY: descriptors that were open at the fork; the message is ours.
        unsafe {
            forget();
            for (to, from) in self.streams.iter().enumerate() {
                if *from >= 0 {
                    libc::dup2(*from, to as RawFd);
                }
            }
            let why = lists.become_it().to_ne_bytes();
            libc::write(self.failed, why.as_ptr().cast(), why.len());
            libc::_exit(127)
        }
    }
}

fn fork_program(program: &Program, plan: &Plan) -> io::Result<libc::pid_t> {
    let lists = Lists::of(program);
    // SAFETY: the child makes system calls only, on what was made before.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: this is the child.
        0 => unsafe { plan.become_it(lists) },
        pid => Ok(pid),
    }
}

/// Makes the leader of a session on `slave`, which makes the program.
fn lead(program: &Program, plan: &Plan, slave: RawFd) -> io::Result<(libc::pid_t, Option<File>)> {
    let lists = Lists::of(program);
    let (news, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    let tell_fd = tell.as_raw_fd();
    // SAFETY: the child makes system calls only, on what was made before.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: this is the child.
        0 => unsafe { leader(lists, plan, slave, tell_fd) },
        pid => Ok((pid, Some(File::from(news)))),
    }
}

/// The leader's life: the program in the foreground, each change of its state told, and the end.
///
/// # Safety
/// In a child after fork: system calls only.
unsafe fn leader(lists: Lists<'_>, plan: &Plan, slave: RawFd, tell: RawFd) -> ! {
    // SAFETY: as said.
    unsafe {
        let say = |number: libc::c_int| {
            let bytes = number.to_ne_bytes();
            libc::write(tell, bytes.as_ptr().cast(), bytes.len());
        };
        libc::setsid();
        libc::ioctl(slave, libc::TIOCSCTTY as _, 0);
        for signal in [libc::SIGTTOU, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTERM, libc::SIGTSTP]
        {
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        let pid = libc::fork();
        if pid == 0 {
            libc::setpgid(0, 0);
            libc::tcsetpgrp(slave, libc::getpid());
            for signal in
                [libc::SIGTTOU, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTERM, libc::SIGTSTP]
            {
                libc::signal(signal, libc::SIG_DFL);
            }
            plan.become_it(lists);
        }
        libc::setpgid(pid, pid);
        libc::tcsetpgrp(slave, pid);
        say(pid);
        // The streams would keep the program's pipes open.
        for fd in [0, 1, 2, slave, plan.failed].into_iter().chain(plan.streams) {
            if fd >= 0 && fd != tell {
                libc::close(fd);
            }
        }
        loop {
            let mut status = 0;
            let got = libc::waitpid(pid, &raw mut status, libc::WUNTRACED);
            if got == -1 && *errno_place() == libc::EINTR {
                continue;
            }
            say(if got == pid { status } else { 0 });
            if got != pid || !libc::WIFSTOPPED(status) {
                libc::_exit(0);
            }
        }
    }
}

impl Running {
    /// Carries everything until the program ends and what it has said by then is out.
    fn attend(&mut self, sink: &mut dyn Sink) -> io::Result<Ending> {
        if let Some(news) = &mut self.news {
            let mut pid = [0; 4];
            news.read_exact(&mut pid)?;
            self.program = i32::from_ne_bytes(pid);
        }
        self.enter();
        let mut room = vec![0; ROOM];
        let mut silent = false;
        loop {
            let patience = if silent { Deadline::after_if(None) } else { Deadline::after(SILENCE) };
            let ready = self.wait(&patience)?;
            if !ready.any {
                silent = true;
                sink.silence();
                continue;
            }
            if ready.output {
                silent = false;
                self.carry(sink, &mut room);
            }
            if ready.typed {
                self.take_typed(&mut room);
            }
            self.give_typed();
            if let Some(ending) = self.hear()? {
                // Whoever still holds its output writes after us.
                while self.carry(sink, &mut room) {}
                return Ok(ending);
            }
        }
    }

    fn wait(&self, patience: &Deadline) -> io::Result<Ready> {
        let mut fds = vec![PollFd::from_borrowed_fd(self.relay.as_fd(), PollFlags::IN)];
        let files: Vec<&File> = self.sources.iter().filter_map(|source| source.file.as_ref()).collect();
        fds.extend(files.iter().map(|file| PollFd::new(*file, PollFlags::IN)));
        let outputs = fds.len();
        if let Some(news) = &self.news {
            fds.push(PollFd::new(news, PollFlags::IN));
        }
        let others = fds.len();
        if let Some(outer) = self.terminal.as_ref().filter(|outer| outer.raw) {
            let more = if outer.typed.is_empty() { PollFlags::IN } else { PollFlags::empty() };
            fds.push(PollFd::new(&outer.tty, more));
            if !outer.typed.is_empty() {
                fds.push(PollFd::new(&outer.inner, PollFlags::OUT));
            }
        }
        let any = wait(&mut fds, patience)?;
        let said = |fd: &PollFd<'_>| !fd.revents().is_empty();
        Ok(Ready {
            any,
            output: fds.get(1..outputs).unwrap_or_default().iter().any(said),
            typed: fds.get(others).is_some_and(said),
        })
    }

    /// Reads once from each source that has something. False where none has.
    fn carry(&mut self, sink: &mut dyn Sink, room: &mut [u8]) -> bool {
        let mut some = false;
        for source in &mut self.sources {
            let Some(file) = &mut source.file else { continue };
            if !wait(&mut [PollFd::new(&*file, PollFlags::IN)], &Deadline::after(std::time::Duration::ZERO))
                .unwrap_or(false)
            {
                continue;
            }
            match file.read(room) {
                Ok(got) if got > 0 => {
                    some = true;
                    if sink.output(source.channel, room.get(..got).unwrap_or_default()).is_err() {
                        source.file = None;
                    }
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                // The end of a pipe; of a terminal, it is an error.
                _ => source.file = None,
            }
        }
        some
    }

    /// Whether somebody still holds the program's output. A terminal of ours goes with us.
    fn is_held(&self) -> bool {
        self.terminal.is_none() && self.sources.iter().any(|source| source.file.is_some())
    }

    /// Leaves a process that carries the rest of the output. False where none could be made.
    fn stay_behind(&mut self, sink: &mut dyn Sink) -> bool {
        // SAFETY: the child goes on with its own copy of everything and returns to nobody.
        match unsafe { libc::fork() } {
            -1 => false,
            0 => {
                let mut room = vec![0; ROOM];
                while self.is_held() {
                    let files = self.sources.iter().filter_map(|source| source.file.as_ref());
                    let mut fds: Vec<PollFd<'_>> =
                        files.map(|file| PollFd::new(file, PollFlags::IN)).collect();
                    match wait(&mut fds, &Deadline::after(SILENCE)) {
                        Ok(true) => {}
                        Ok(false) => {
                            sink.silence();
                            let _ = wait(&mut fds, &Deadline::after_if(None));
                        }
                        Err(_) => break,
                    }
                    drop(fds);
                    self.carry(sink, &mut room);
                }
                sink.end();
                // SAFETY: ends this process alone.
                unsafe { libc::_exit(0) }
            }
            _ => true,
        }
    }

    fn take_typed(&mut self, room: &mut [u8]) {
        let Some(outer) = self.terminal.as_mut().filter(|outer| outer.raw && outer.typed.is_empty()) else {
            return;
        };
        let room = room.get_mut(..4096).unwrap_or_default();
        match outer.tty.read(room) {
            Ok(got) if got > 0 => outer.typed.extend_from_slice(room.get(..got).unwrap_or_default()),
            // The terminal is gone: the signal says what to do.
            _ => outer.raw = false,
        }
    }

    fn give_typed(&mut self) {
        let Some(outer) = self.terminal.as_mut().filter(|outer| !outer.typed.is_empty()) else { return };
        match outer.inner.write(&outer.typed) {
            Ok(given) => drop(outer.typed.drain(..given)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => outer.typed.clear(),
        }
    }

    /// Signals and the program's state. Gives its ending.
    fn hear(&mut self) -> io::Result<Option<Ending>> {
        while let Some(heard) = self.relay.next() {
            match heard.signal {
                libc::SIGCHLD => {}
                libc::SIGWINCH => self.resize(),
                libc::SIGCONT => self.go_on(),
                // From the keyboard it has reached the program, which is in our group, already.
                _ if heard.kernel && self.terminal.is_none() => {}
                signal => self.send(signal),
            }
        }
        if self.news.is_some() { self.read_news() } else { self.reap() }
    }

    fn send(&self, signal: libc::c_int) {
        let to = if self.terminal.is_some() { -self.program } else { self.program };
        // SAFETY: a program of ours that has not been waited for, or its group.
        unsafe { libc::kill(to, signal) };
    }

    fn reap(&mut self) -> io::Result<Option<Ending>> {
        let mut status = 0;
        // SAFETY: our own child.
        match unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) } {
            0 => Ok(None),
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(Some(ending(status))),
        }
    }

    fn read_news(&mut self) -> io::Result<Option<Ending>> {
        loop {
            let Some(news) = &mut self.news else { return Ok(None) };
            if !wait(&mut [PollFd::new(&*news, PollFlags::IN)], &Deadline::after(std::time::Duration::ZERO))?
            {
                return Ok(None);
            }
            let mut bytes = [0; 4];
            // A leader that was killed leaves nothing to wait for.
            if news.read_exact(&mut bytes).is_err() {
                return Ok(Some(Ending::Signal(libc::SIGKILL)));
            }
            let status = i32::from_ne_bytes(bytes);
            if !libc::WIFSTOPPED(status) {
                return Ok(Some(ending(status)));
            }
            self.stop();
        }
    }

    /// The program has stopped: so do we, with the terminal as it was, until somebody continues us.
    fn stop(&mut self) {
        self.leave();
        // SAFETY: raises a signal whose effect is the default one; the whole job stops.
        unsafe { libc::kill(0, libc::SIGTSTP) };
        self.go_on();
    }

    fn go_on(&mut self) {
        if self.terminal.is_some() {
            self.enter();
            self.resize();
            self.send(libc::SIGCONT);
        }
    }

    /// The keyboard's bytes go to the program as they are. Not from the background: the terminal is another's.
    fn enter(&mut self) {
        let Some(outer) = &mut self.terminal else { return };
        let front = tcgetpgrp(&outer.tty).is_ok_and(|front| front == rustix::process::getpgrp());
        if !front || outer.raw {
            return;
        }
        let Ok(before) = tcgetattr(&outer.tty) else { return };
        let mut raw = before.clone();
        raw.make_raw();
        outer.before = before;
        outer.raw = tcsetattr(&outer.tty, OptionalActions::Drain, &raw).is_ok();
    }

    fn leave(&mut self) {
        if let Some(outer) = self.terminal.as_mut().filter(|outer| outer.raw) {
            outer.raw = false;
            let _ = tcsetattr(&outer.tty, OptionalActions::Drain, &outer.before);
        }
    }

    fn resize(&self) {
        let Some(outer) = &self.terminal else { return };
        if let Ok(size) = tcgetwinsize(&outer.tty) {
            let _ = tcsetwinsize(&outer.inner, size);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.leave();
    }
}

struct Ready {
    any: bool,
    output: bool,
    typed: bool,
}

fn ending(status: libc::c_int) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Code(libc::WEXITSTATUS(status))
    }
}
