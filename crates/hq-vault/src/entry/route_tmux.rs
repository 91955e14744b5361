//! The third route: a pop-up on the person's screen, or a pane (`tmux =
//! "split"` in config.toml), where this command runs in tmux.
//!
//! tmux starts the prompt itself, so the errand cannot be inherited. It waits
//! on a socket in a directory that only this user can enter; the socket's name
//! is all that stands in the arguments, and it is gone once the prompt has
//! connected.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hqv_model::{Entropy, SecretText};

use super::errand::{self, Outcome};
use super::routes::Opened;
use super::waiting::Notice;
use crate::compose;
use crate::settings::config_file::TmuxPrompt;
use crate::settings::desk::Tmux;

/// How long tmux may take to answer a question, and to start the prompt.
const ANSWER: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts the prompt. None without a tmux, a client attached to it, or room for a pop-up.
pub fn start(opened: &Opened<'_>, submit: &SecretText) -> Option<Arc<Notice>> {
    let tmux = opened.ctx.settings.env.desk.tmux.as_ref()?;
    let program = opened.ctx.settings.env.desk.program("tmux")?;
    let client = attached_client(&program, tmux)?;
    let socket = Socket::make(opened)?;
    let split = opened.ctx.settings.file.tmux == Some(TmuxPrompt::Split);
    let mut command = at(&program, tmux);
    if split {
        command.args(["split-window", "-t", &tmux.pane, "-l", "14"]);
    } else {
        command.args(["display-popup", "-c", &client, "-t", &tmux.pane, "-w", "90%", "-h", "80%", "-E"]);
    }
    command.arg(std::env::current_exe().ok()?).args(opened.prompter_arguments());
    let child = command.arg("--socket").arg(&socket.path).spawn().ok()?;
    let stream = socket.accept(opened, child, split)?;
    errand::send(&stream, &opened.errand(submit, true)).ok()?;
    let place = if split { "a pane" } else { "a pop-up" };
    opened.ctx.out.say(format!("{place} stands in tmux"));
    Some(Notice::when(move || match errand::outcome(&stream) {
        // A pop-up that was closed is a person's answer: not now.
        Outcome::NoTerminal => Outcome::Left,
        outcome => outcome,
    }))
}

/// tmux, asked at the socket that we run in.
pub fn at(program: &Path, tmux: &Tmux) -> Command {
    let mut command = Command::new(program);
    command.arg("-S").arg(&tmux.socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_remove("TMUX").env_remove("HQ_VAULT_PASSPHRASE_FILE");
    command
}

/// The client that looked at our session last. None, soon, from a tmux that does not answer.
pub fn attached_client(program: &Path, tmux: &Tmux) -> Option<String> {
    let format = "#{client_activity} #{client_control_mode} #{client_name}";
    let mut command = at(program, tmux);
    command.args(["list-clients", "-t", &tmux.pane, "-F", format]);
    let listed = hqv_sys::process::answer_of(command, ANSWER)?;
    newest(&String::from_utf8_lossy(&listed))
}

/// `TIME CONTROL NAME` in each line; a client in control mode shows no pop-up.
fn newest(listed: &str) -> Option<String> {
    let clients = listed.lines().filter_map(|line| {
        let mut words = line.splitn(3, ' ');
        let time = words.next()?.parse::<u64>().ok()?;
        let plain = words.next()? == "0";
        let name = words.next().filter(|name| !name.is_empty() && plain)?;
        Some((time, name.to_owned()))
    });
    clients.max_by_key(|(time, _)| *time).map(|(_, name)| name)
}

/// The socket on which the errand waits; removed when dropped.
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    fn make(opened: &Opened<'_>) -> Option<Socket> {
        sweep(opened.ctx.settings.dir.root());
        let mut random = [0; 8];
        compose::SystemEntropy::new().fill(&mut random);
        let path = opened.ctx.settings.dir.entry_socket(u64::from_ne_bytes(random))?;
        // The process's umask closes it to others; the directory does anyway.
        let listener = UnixListener::bind(&path).ok()?;
        Some(Socket { listener, path })
    }

    /// The prompt's connection; None where tmux does not show it, or this command is to end.
    fn accept(&self, opened: &Opened<'_>, child: Child, split: bool) -> Option<UnixStream> {
        self.listener.set_nonblocking(true).ok()?;
        let listener = self.listener.try_clone().ok()?;
        let shown = Arc::new(AtomicBool::new(false));
        let ours = Arc::clone(&shown);
        let ended = Notice::when(move || {
            let good = see_out(child, &ours);
            // A pop-up is over when tmux returns; a pane has only begun.
            if split && good { Outcome::Decided } else { Outcome::NoTerminal }
        });
        let wait = opened.patience(PATIENCE);
        let connected = async {
            let listener = tokio::net::UnixListener::from_std(listener).ok()?;
            tokio::select! {
                stream = listener.accept() => stream.ok().map(|(stream, _)| stream),
                () = ended.without_terminal() => None,
            }
        };
        let stream = opened.link.wait(wait.cut(async { Ok(connected.await) })).ok()?.ok()?.ok().flatten()?;
        shown.store(true, Ordering::SeqCst);
        let stream = stream.into_std().ok()?;
        stream.set_nonblocking(false).ok()?;
        errand::is_ours(&stream).then_some(stream)
    }
}

/// Waits for the end of tmux: as long as its pop-up stands, and not long where none is `shown`. Whether it ended
/// well.
fn see_out(mut child: Child, shown: &AtomicBool) -> bool {
    let ended = hqv_sys::process::wait_end(child.id(), PATIENCE + ANSWER).unwrap_or(false);
    if !ended && !shown.load(Ordering::SeqCst) {
        let _ = child.kill();
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Removes what an `ingest` that was killed while tmux started its prompt has left.
fn sweep(dir: &Path) {
    let old = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        let ours =
            name.to_str().is_some_and(|name| name.starts_with("hq-vault-entry-") && name.ends_with(".sock"));
        let since = |meta: std::fs::Metadata| meta.modified().ok()?.elapsed().ok();
        ours && entry.metadata().ok().and_then(since).is_some_and(|age| age > 10 * PATIENCE)
    };
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten().filter(old) {
        let _ = std::fs::remove_file(entry.path());
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_used_last_is_taken_and_none_in_control_mode() {
        let listed = "1700000001 0 /dev/pts/3\n1700000009 1 client-77\n1700000005 0 /dev/pts/9\nx 0 y\n9\n";
        assert_eq!(newest(listed).as_deref(), Some("/dev/pts/9"));
        assert_eq!(newest("1700000009 1 client-77\n"), None);
        assert_eq!(newest(""), None);
    }
}
