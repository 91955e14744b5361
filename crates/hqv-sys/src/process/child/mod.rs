//! A program whose output goes through this process.
//!
//! Without a terminal its output and errors are pipes, and it stays in our process group: what the keyboard or the
//! shell sends to the group reaches it as it reaches us, and it is stopped and continued with us.
//!
//! With one it gets a terminal of its own. Two processes are made then. The first leads the new session and does nothing
//! but wait for the second, which is the program: with its parent in the same session and another group it can be
//! stopped like any job of a shell. When it stops, so do we; when we go on, it does. What is typed is carried over as
//! it is, so that Ctrl-C and Ctrl-Z have their effect on the other side. The terminal is the program's for as long as the
//! program lives: what it leaves behind there loses it, as when a window is closed.

mod output;
mod start;
mod terminal;

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use zeroize::Zeroizing;

use super::program::Program;
use super::relay::{Heard, Relay, forget};
use crate::wait::{Deadline, wait};
use start::start;
use terminal::Outer;

pub use output::{Channel, Sink, put};

/// How long a program must be silent to count as waiting.
const SILENCE: Duration = Duration::from_millis(15);
/// How often we look whether a shell has put us in front: it does not say so to a job that runs already.
const IN_FRONT: Duration = Duration::from_millis(250);
/// The most that is read at once.
const ROOM: usize = 64 << 10;
/// How many readings of a program's output may come after its end. What it wrote itself fits into the first few: a
/// pipe holds 1 MiB at most. More is of others, who may never stop.
const LATE: usize = 32;

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
pub fn run(program: Program, sink: &mut dyn Sink) -> io::Result<Ending> {
    let relay = Relay::listen()?;
    let mut running = start(&program, relay)?;
    // The values that it was given are no longer needed here.
    drop(program);
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

impl Running {
    /// Carries everything until the program ends and what it has said by then is out.
    fn attend(&mut self, sink: &mut dyn Sink) -> io::Result<Ending> {
        if let Some(news) = &mut self.news {
            let mut pid = [0; 4];
            if news.read_exact(&mut pid).is_err() {
                return Ok(Ending::Signal(libc::SIGKILL));
            }
            self.program = i32::from_ne_bytes(pid);
        }
        self.enter();
        let mut room = Zeroizing::new(vec![0; ROOM]);
        let mut silent = false;
        loop {
            let ready = self.wait(silent)?;
            if !ready.any {
                if !silent {
                    silent = true;
                    sink.silence();
                }
                self.enter();
                continue;
            }
            if ready.output {
                silent = false;
                self.carry(sink, &mut room);
            }
            if let Some(outer) = &mut self.terminal {
                if ready.typed {
                    outer.take_typed();
                }
                outer.give_typed();
            }
            if let Some(ending) = self.hear()? {
                // Whoever still holds its output writes after us.
                for _ in 0..LATE {
                    if !self.carry(sink, &mut room) {
                        break;
                    }
                }
                return Ok(ending);
            }
        }
    }

    /// Waits until there is something to do, or, once, for the program's silence.
    fn wait(&self, silent: bool) -> io::Result<Ready> {
        let mut fds = vec![PollFd::from_borrowed_fd(self.relay.as_fd(), PollFlags::IN)];
        let files = self.sources.iter().filter_map(|source| source.file.as_ref());
        fds.extend(files.map(|file| PollFd::new(file, PollFlags::IN)));
        let outputs = fds.len();
        if let Some(news) = &self.news {
            fds.push(PollFd::new(news, PollFlags::IN));
        }
        let others = fds.len();
        if let Some(outer) = self.terminal.as_ref().filter(|outer| outer.raw) {
            let more = if outer.typed.is_empty() { PollFlags::IN } else { PollFlags::empty() };
            fds.push(PollFd::new(&outer.tty, more));
            if let Some(inner) = outer.inner.as_ref().filter(|_| !outer.typed.is_empty()) {
                fds.push(PollFd::new(inner, PollFlags::OUT));
            }
        }
        let behind = self.terminal.as_ref().is_some_and(Outer::is_behind);
        let patience = match (silent, behind) {
            (false, _) => Some(SILENCE),
            (true, true) => Some(IN_FRONT),
            (true, false) => None,
        };
        let any = wait(&mut fds, &Deadline::after_if(patience))?;
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
            if !is_ready(file) {
                continue;
            }
            match file.read(room) {
                Ok(got) if got > 0 => {
                    some = true;
                    if sink.output(source.channel, room.get(..got).unwrap_or_default()).is_ok() {
                        continue;
                    }
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) =>
                {
                    continue;
                }
                // The end of a pipe; of a terminal, it is an error.
                _ => {}
            }
            source.file = None;
            if let Some(outer) = self.terminal.as_mut().filter(|outer| outer.shows(source.channel)) {
                outer.hang_up();
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
                // SAFETY: this is the child. Signals end it: those who write learn that from their next write.
                unsafe { forget() };
                self.carry_the_rest(sink);
                // SAFETY: ends this process alone.
                unsafe { libc::_exit(0) }
            }
            _ => true,
        }
    }

    fn carry_the_rest(&mut self, sink: &mut dyn Sink) {
        let mut room = Zeroizing::new(vec![0; ROOM]);
        let mut patience = Some(SILENCE);
        while self.is_held() {
            let files = self.sources.iter().filter_map(|source| source.file.as_ref());
            let mut fds: Vec<PollFd<'_>> = files.map(|file| PollFd::new(file, PollFlags::IN)).collect();
            match wait(&mut fds, &Deadline::after_if(patience)) {
                Ok(true) => patience = Some(SILENCE),
                Ok(false) => {
                    sink.silence();
                    patience = None;
                    continue;
                }
                Err(_) => break,
            }
            drop(fds);
            self.carry(sink, &mut room);
        }
        sink.end();
    }

    /// Signals and the program's state. Gives its ending.
    fn hear(&mut self) -> io::Result<Option<Ending>> {
        while let Some(heard) = self.relay.next() {
            self.pass_on(heard);
        }
        if self.news.is_some() { self.read_news() } else { self.reap() }
    }

    fn pass_on(&mut self, heard: Heard) {
        match (heard.signal, self.terminal.is_some()) {
            (libc::SIGCHLD, _) => {}
            (libc::SIGWINCH, true) if heard.kernel => self.resize(),
            (libc::SIGCONT, true) => self.go_on(),
            // From the keyboard it has reached the program, which is in our group, already.
            (_, false) if heard.kernel => {}
            (signal, _) => self.send(signal),
        }
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
            let Some(news) = self.news.as_mut().filter(|news| is_ready(news)) else { return Ok(None) };
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
        self.enter();
        self.resize();
        self.send(libc::SIGCONT);
    }

    fn enter(&mut self) {
        if let Some(outer) = &mut self.terminal {
            outer.enter();
        }
    }

    fn leave(&mut self) {
        if let Some(outer) = &mut self.terminal {
            outer.leave();
        }
    }

    fn resize(&self) {
        if let Some(outer) = &self.terminal {
            outer.resize();
        }
    }
}

struct Ready {
    any: bool,
    output: bool,
    typed: bool,
}

fn is_ready(file: &File) -> bool {
    wait(&mut [PollFd::new(file, PollFlags::IN)], &Deadline::after(Duration::ZERO)).unwrap_or(false)
}

fn ending(status: libc::c_int) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Code(libc::WEXITSTATUS(status))
    }
}
