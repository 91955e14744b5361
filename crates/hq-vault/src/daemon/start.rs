//! Starting the daemon in the background: it reports over a pipe when its
//! socket and port answer, or why they cannot. Nobody sleeps and tries again.

use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use hqv_model::Code;
use hqv_sys::daemon::{self, Ready};
use hqv_sys::files;

use super::options::Options;
use super::state_files;
use crate::cli::output::error::{Failure, Kind};
use crate::compose;
use crate::settings::Settings;
use crate::settings::paths::shown;

/// A disk that is slow may take its time to check the database.
const PATIENCE: Duration = Duration::from_secs(60);
/// A longer `vault.log` is cut at the next start, in bytes.
const LOG_MAX: u64 = 1 << 20;
/// How much of it stays.
const LOG_KEPT: u64 = 256 << 10;

/// A daemon that answers.
pub struct Started {
    pid: u32,
}

impl Started {
    /// One line for a person. The port is that of now: it may have come with a
    /// vault that was made meanwhile.
    pub fn sentence(&self, settings: &Settings) -> String {
        match state_files::port(&settings.dir) {
            Some(port) => format!("Serving: https://localhost:{port} and vault.sock (pid {})", self.pid),
            None => format!("Serving: vault.sock (pid {}; TLS begins with the first unlock)", self.pid),
        }
    }
}

/// Whether this process was started by [`background`].
pub fn is_child() -> bool {
    compose::is_daemon_child()
}

/// Makes the vault directory, 0700.
pub fn prepare_dir(settings: &Settings) -> Result<(), Failure> {
    let root = settings.dir.root();
    files::create_private_dir(root).map_err(|e| {
        let failure = Failure::io(format!("cannot use {} as the vault directory", shown(root)), &e);
        match files::why_not_private(&e) {
            Some(files::NotPrivate::Mode(_)) => {
                failure.hint(format!("chmod 700 {}, or hq-vault doctor --fix", shown(root)))
            }
            _ => failure.hint("choose another with --vault-dir or HQ_VAULT_DIR"),
        }
    })
}

/// Held by a command while it starts a daemon; others wait. It is a lock on the
/// log, since the daemon itself takes the one on `vault.lock`.
pub fn turn(settings: &Settings) -> Result<std::fs::File, Failure> {
    prepare_dir(settings)?;
    let path = settings.dir.log();
    let file = files::open_private(&path, files::Access::Append).map_err(|e| {
        Failure::io(format!("cannot use {}", shown(&path)), &e).hint("hq-vault doctor says what is wrong")
    })?;
    // Where the file system has no locks the daemon will say so.
    let _ = file.lock();
    Ok(file)
}

/// Starts it and returns once it answers.
pub fn background(settings: &Settings, options: &Options) -> Result<Started, Failure> {
    prepare_dir(settings)?;
    if let Ok(Some(holder)) = hqv_sys::lock::holder(&settings.dir.lock()) {
        return Err(taken(holder.pid));
    }
    bound_log(settings).map_err(|e| Failure::io("cannot shorten vault.log", &e))?;
    let program = std::env::current_exe().map_err(|e| Failure::io("cannot find our own program", &e))?;
    let mut words: Vec<OsString> = vec!["serve".into(), "--vault-dir".into(), settings.dir.root().into()];
    words.extend(options.words());
    let (pid, pipe) =
        daemon::spawn_detached(&program, &words, &settings.dir.log(), &compose::daemon_environment())
            .map_err(|e| Failure::io("cannot start the daemon", &e))?;
    match pipe.wait(PATIENCE) {
        Ready::Ok => Ok(Started { pid }),
        Ready::Failed(report) => Err(read_report(&report)),
        Ready::Died => Err(Failure::internal("the daemon ended while it started").hint(see_log(settings))),
        Ready::TimedOut => {
            Err(Failure::internal(format!("the daemon (pid {pid}) does not get ready"))
                .hint(see_log(settings)))
        }
    }
}

/// Keeps the last part of a log that has grown long. In place, since the file is also what starters wait for.
fn bound_log(settings: &Settings) -> std::io::Result<()> {
    let mut file = match files::open_private(&settings.dir.log(), files::Access::Append) {
        Ok(file) => file,
        // The start itself says why.
        Err(_) => return Ok(()),
    };
    let length = file.metadata()?.len();
    if length <= LOG_MAX {
        return Ok(());
    }
    let mut kept = Vec::new();
    file.seek(SeekFrom::Start(length - LOG_KEPT))?;
    (&file).take(LOG_KEPT).read_to_end(&mut kept)?;
    file.set_len(0)?;
    // From a whole line on.
    let from = kept.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    file.write_all(kept.get(from..).unwrap_or_default())
}

fn see_log(settings: &Settings) -> String {
    format!("its last words are in {}", shown(&settings.dir.log()))
}

/// Another process has the vault.
pub fn taken(pid: Option<u32>) -> Failure {
    let who = pid.map(|p| format!(" (pid {p})")).unwrap_or_default();
    Failure::conflict(format!("another daemon{who} serves this vault"))
        .hint("stop it first: hq-vault serve --stop")
}

/// A failure as one text, for the pipe: code, sentence, hint, a line each.
pub fn write_report(failure: &Failure) -> String {
    let code = match failure.kind() {
        Kind::Vault(code) => code.as_str(),
        _ => Code::Internal.as_str(),
    };
    let line = |text: &str| text.replace('\n', " ");
    format!("{code}\n{}\n{}", line(failure.message()), line(failure.hint_text().unwrap_or_default()))
}

fn read_report(report: &str) -> Failure {
    let mut lines = report.lines();
    let code = lines.next().and_then(Code::parse).unwrap_or(Code::Internal);
    let failure = Failure::of(code, lines.next().unwrap_or("the daemon did not start"));
    match lines.next().filter(|hint| !hint.is_empty()) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_back_as_the_failure() {
        let failure = taken(Some(4711));
        let back = read_report(&write_report(&failure));
        assert_eq!(back.message(), failure.message());
        assert_eq!(back.hint_text(), failure.hint_text());
        assert_eq!(back.exit(), 7);
        assert_eq!(read_report("").exit(), 1);
    }
}
