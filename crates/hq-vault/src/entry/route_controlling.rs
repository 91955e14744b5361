//! The second route: the terminal that controls this process although its
//! streams are pipes, as under most agents.
//!
//! It must be quiet: in canonical mode with its echo on, and nobody waiting
//! for its input. The prompt is a process that leads a group of its own and
//! takes the foreground (`hqv_sys::tty::Front`), so that the agent, in the
//! background meanwhile, is stopped if it tries to read.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hqv_model::SecretText;
use hqv_sys::tty::{self, Saved};

use super::errand::{self, Outcome};
use super::routes::Opened;
use super::waiting::Notice;

/// Starts the prompt. None where there is no such terminal.
pub fn start(opened: &Opened<'_>, submit: &SecretText) -> Option<Arc<Notice>> {
    let terminal = tty::open().ok()?;
    if !tty::is_at_rest(terminal.as_fd()) || tty::is_read() {
        return None;
    }
    let saved = Saved::of(&terminal).ok()?;
    let (ours, theirs) = UnixStream::pair().ok()?;
    let mut child = Command::new(std::env::current_exe().ok()?)
        .args(opened.prompter_arguments())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        // Whoever reads our streams to their end must not wait for the prompt's.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    if errand::send(&ours, &opened.errand(submit, false)).is_err() {
        let _ = child.kill();
    }
    opened.ctx.out.say("a prompt stands on the terminal");
    Some(Notice::when(move || {
        let outcome = errand::outcome(&ours);
        let _ = child.wait();
        if outcome == Outcome::NoTerminal {
            saved.restore_after(&terminal, child.id());
        }
        outcome
    }))
}
