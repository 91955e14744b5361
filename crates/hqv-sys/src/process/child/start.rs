//! Making the processes. After a fork nothing is allocated: only system calls, on what was made before.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::pipe::{PipeFlags, pipe_with};

use super::terminal::Outer;
use super::{Channel, Running, Source};
use crate::process::program::{Lists, Program};
use crate::process::relay::{self, Relay, forget};
use crate::tty::errno_place;

/// Starts the program, with a terminal of its own where output or errors of ours are one.
pub(super) fn start(program: &Program, relay: Relay) -> io::Result<Running> {
    let on_tty = |fd: BorrowedFd<'_>| rustix::termios::isatty(fd);
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let (out, err) = (on_tty(stdout.as_fd()), on_tty(stderr.as_fd()));
    let channel = if out { Channel::Output } else { Channel::Errors };
    let terminal = if out || err { Outer::open(channel)? } else { None };
    let (failed, failed_end) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut streams: [Option<OwnedFd>; 3] = [None, None, None];
    let mut sources = Vec::new();
    if let Some(outer) = &terminal {
        for (stream, ours) in streams.iter_mut().zip([on_tty(stdin.as_fd()), out, err]) {
            *stream = if ours { Some(outer.slave.try_clone()?) } else { None };
        }
        sources.push(Source { channel, file: outer.reader()? });
    }
    for (stream, channel) in streams.iter_mut().skip(1).zip([Channel::Output, Channel::Errors]) {
        if stream.is_none() {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
            *stream = Some(write);
            sources.push(Source { channel, file: Some(File::from(read)) });
        }
    }
    let streams_raw = streams.each_ref().map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd));
    let plan = Plan { streams: streams_raw, failed: failed_end.as_raw_fd() };
    let (pid, news) = match &terminal {
        Some(outer) => lead(program, &plan, outer, &sources)?,
        None => (fork_program(program, &plan)?, None),
    };
    Ok(Running { relay, pid, program: pid, news, sources, failed: File::from(failed), terminal })
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
        // SAFETY: descriptors that were open at the fork.
        unsafe {
            forget();
            for (to, from) in self.streams.iter().enumerate() {
                if *from >= 0 {
                    libc::dup2(*from, to as RawFd);
                }
            }
            self.fail(lists.become_it())
        }
    }

    /// Says why there is no program, and ends.
    ///
    /// # Safety
    /// In a child after fork.
    unsafe fn fail(&self, why: libc::c_int) -> ! {
        let why = why.to_ne_bytes();
        // SAFETY: a descriptor that was open at the fork; the message is ours.
        unsafe {
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

/// Makes the leader of a session on the inner terminal, which makes the program.
fn lead(
    program: &Program,
    plan: &Plan,
    outer: &Outer,
    sources: &[Source],
) -> io::Result<(libc::pid_t, Option<File>)> {
    let lists = Lists::of(program);
    let (news, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    // What would keep the terminal alive, and the program waiting, if we were killed.
    let mut ours: Vec<RawFd> =
        sources.iter().filter_map(|source| source.file.as_ref()).map(AsRawFd::as_raw_fd).collect();
    ours.extend(outer.ours());
    ours.push(news.as_raw_fd());
    let role = Role { plan, slave: outer.slave.as_raw_fd(), tell: tell.as_raw_fd(), ours: &ours };
    // SAFETY: the child makes system calls only, on what was made before.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: this is the child.
        0 => unsafe { role.live(lists) },
        pid => Ok((pid, Some(File::from(news)))),
    }
}

/// What the leader must not be stopped or ended by, nor, until it is the program, its child.
const DEAF: [libc::c_int; 5] = [libc::SIGTTOU, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP];

static PROGRAM: AtomicI32 = AtomicI32::new(0);

/// The terminal is gone: the kernel tells the leader alone, and the leader its job, as a shell does.
extern "C" fn hung_up(_: libc::c_int) {
    let program = PROGRAM.load(Ordering::Relaxed);
    if program > 0 {
        // SAFETY: kill(2) is async-signal-safe; errno is put back.
        unsafe {
            let place = errno_place();
            let before = *place;
            libc::kill(-program, libc::SIGHUP);
            libc::kill(-program, libc::SIGCONT);
            *place = before;
        }
    }
}

/// The leader's descriptors.
struct Role<'a> {
    plan: &'a Plan,
    slave: RawFd,
    /// Where it says the program's pid, and each change of its state.
    tell: RawFd,
    /// What only we need.
    ours: &'a [RawFd],
}

impl Role<'_> {
    /// The leader's life: the program in the foreground, each change of its state told, and the end.
    ///
    /// # Safety
    /// In a child after fork: system calls only.
    unsafe fn live(&self, lists: Lists<'_>) -> ! {
        // SAFETY: as said.
        unsafe {
            libc::setsid();
            libc::ioctl(self.slave, libc::TIOCSCTTY as _, 0);
            let ignored = DEAF.map(relay::is_ignored);
            for signal in DEAF {
                libc::signal(signal, libc::SIG_IGN);
            }
            let nohup = relay::is_ignored(libc::SIGHUP);
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            let pid = libc::fork();
            if pid == -1 {
                self.plan.fail(*errno_place());
            }
            if pid == 0 {
                libc::setpgid(0, 0);
                libc::tcsetpgrp(self.slave, libc::getpid());
                for (signal, ignored) in DEAF.into_iter().zip(ignored) {
                    libc::signal(signal, if ignored { libc::SIG_IGN } else { libc::SIG_DFL });
                }
                self.plan.become_it(lists);
            }
            libc::setpgid(pid, pid);
            libc::tcsetpgrp(self.slave, pid);
            if !nohup {
                PROGRAM.store(pid, Ordering::SeqCst);
                libc::signal(libc::SIGHUP, hung_up as extern "C" fn(_) as libc::sighandler_t);
            }
            self.say(pid);
            self.close();
            self.watch(pid)
        }
    }

    /// The streams would keep the program's pipes open.
    unsafe fn close(&self) {
        let more = self.plan.streams.iter().chain(self.ours).copied();
        for fd in [0, 1, 2, self.slave, self.plan.failed].into_iter().chain(more) {
            if fd >= 0 && fd != self.tell {
                // SAFETY: nothing of this process uses it any more.
                unsafe { libc::close(fd) };
            }
        }
    }

    unsafe fn say(&self, number: libc::c_int) {
        let bytes = number.to_ne_bytes();
        // SAFETY: the bytes are ours.
        unsafe { libc::write(self.tell, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Tells each change of the program's state, and ends with it.
    unsafe fn watch(&self, pid: libc::pid_t) -> ! {
        // SAFETY: our own child; system calls only.
        unsafe {
            loop {
                let mut status = 0;
                let got = libc::waitpid(pid, &raw mut status, libc::WUNTRACED);
                if got == -1 && *errno_place() == libc::EINTR {
                    continue;
                }
                self.say(if got == pid { status } else { libc::SIGKILL });
                if got != pid || !libc::WIFSTOPPED(status) {
                    libc::_exit(0);
                }
            }
        }
    }
}
