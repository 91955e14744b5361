//! What a program says, within a time: whoever asks a helper must not wait as long as the helper likes.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use crate::clock;
use crate::wait::{Deadline, wait};

/// The most bytes that are listened to.
const ANSWER_MAX: usize = 64 * 1024;

/// Runs `command` and gives what it wrote to stdout: of at most 64 KiB, where it ended well and closed its
/// stdout within `limit`. A child that takes longer, or says more, is killed. Stdin and stderr are as the
/// command has them.
pub fn answer_of(mut command: Command, limit: Duration) -> Option<Vec<u8>> {
    let end = clock::boot().saturating_add(limit);
    let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
    let said = listen(&mut child, &Deadline::after(limit));
    let left = end.saturating_sub(clock::boot());
    if said.is_none() || !super::wait_end(child.id(), left).unwrap_or(false) {
        let _ = child.kill();
    }
    let ended = child.wait().ok()?;
    said.filter(|_| ended.success())
}

/// All up to the end of its stdout; None where that does not come in time.
fn listen(child: &mut Child, end: &Deadline) -> Option<Vec<u8>> {
    let mut stdout = child.stdout.take()?;
    let (mut said, mut room) = (Vec::new(), [0; 4096]);
    loop {
        let mut fds = [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::IN)];
        if said.len() > ANSWER_MAX || !wait(&mut fds, end).ok()? {
            return None;
        }
        match stdout.read(&mut room).ok()? {
            0 => return Some(said),
            got => said.extend_from_slice(room.get(..got)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn an_answer_in_time_is_heard() {
        let long = Duration::from_secs(20);
        assert_eq!(answer_of(sh("echo one; echo two"), long).as_deref(), Some(&b"one\ntwo\n"[..]));
        assert_eq!(answer_of(sh("echo one; exit 1"), long), None);
        assert_eq!(answer_of(sh("exec yes"), long), None);
        assert_eq!(answer_of(Command::new("/nowhere/program"), long), None);
    }

    #[test]
    fn who_does_not_answer_is_ended() {
        let before = clock::boot();
        for script in ["exec sleep 600", "exec >&-; exec sleep 600"] {
            assert_eq!(answer_of(sh(script), Duration::from_millis(50)).unwrap_or_default(), b"", "{script}");
        }
        assert!(clock::boot() - before < Duration::from_secs(20));
    }
}
