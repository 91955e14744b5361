//! Whether a daemon runs, answers, is of this version, and what it says.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;

use hqv_model::Code;

use super::Finding;
use crate::cli::context::Context;
use crate::cli::identity::{self, Acting};
use crate::cli::link::Link;
use crate::daemon::{leaf, state_files};
use crate::settings::DEFAULT_PORT;
use crate::settings::paths::shown;

/// Looks without starting or asking anything.
pub fn look(ctx: &Context) -> Vec<Finding> {
    let dir = &ctx.settings.dir;
    let socket = match dir.socket() {
        Ok(socket) => socket,
        Err(failure) => {
            let hint = failure.hint_text().unwrap_or_default().to_owned();
            return vec![Finding::new("socket-path", failure.message(), hint)];
        }
    };
    let holder = hqv_sys::lock::holder(&dir.lock()).ok().flatten();
    match (holder, UnixStream::connect(&socket).is_ok()) {
        (Some(_), true) => running(ctx),
        (Some(holder), false) => {
            let who = holder.pid.map(|p| format!(" (pid {p})")).unwrap_or_default();
            let words = format!("a process{who} holds the vault, but its socket does not answer");
            vec![Finding::new("daemon-silent", words, "look at that process; if it hangs, end it yourself")]
        }
        (None, true) => {
            let words = format!("something listens on {} that is not this vault's daemon", shown(&socket));
            vec![Finding::new("socket-foreign", words, "find it and stop it: it could be a false vault")]
        }
        (None, false) => not_running(ctx, &socket),
    }
}

fn not_running(ctx: &Context, socket: &std::path::Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let dir = ctx.settings.dir.clone();
    let left: Vec<_> =
        [dir.pid(), dir.port(), socket.to_owned()].into_iter().filter(|p| p.exists()).collect();
    if !left.is_empty() {
        let names = left.iter().map(|p| shown(p)).collect::<Vec<_>>().join(", ");
        let words = format!("a daemon ended without its last words and left {names}");
        let socket = socket.to_owned();
        found.push(Finding::new("daemon-ended", words, "harmless; hq-vault doctor --fix removes them").fix(
            move |_| {
                state_files::remove(&dir, &socket);
                Ok(())
            },
        ));
    }
    let port = ctx.settings.file.port.unwrap_or(DEFAULT_PORT);
    let busy = |address: &str| {
        TcpListener::bind((address, port)).is_err_and(|e| e.kind() == std::io::ErrorKind::AddrInUse)
    };
    if ctx.settings.dir.holds_vault() && port != 0 && (busy("127.0.0.1") || busy("::1")) {
        let words = format!("another program has port {port}");
        let hint = "choose another: hq-vault serve --daemon --port PORT, or port = PORT in config.toml";
        found.push(Finding::new("port-taken", words, hint));
    }
    found
}

fn running(ctx: &Context) -> Vec<Finding> {
    let Ok(link) = Link::open_local(ctx) else {
        return Vec::new();
    };
    let acting = identity::at_hand(ctx);
    let credential = acting.as_ref().map(|a| a.credential());
    let status = link
        .run_if_there(credential, async |client| client.status().await)
        .or_else(|_| link.run_if_there(None, async |client| client.status().await));
    let status = match status {
        Ok(status) => status,
        Err(failure) => {
            let hint = failure.hint_text().unwrap_or("hq-vault serve --restart").to_owned();
            return vec![Finding::new("daemon-answer", failure.message(), hint)];
        }
    };
    let mut found = Vec::new();
    let ours = crate::compose::version();
    if status.version != ours {
        let words = format!("the daemon is hq-vault {}, this is {ours}", status.version);
        found.push(Finding::new("daemon-version", words, "hq-vault serve --restart"));
    }
    if status.initialized && status.port.is_none() {
        let words = match leaf::load(&ctx.settings.dir) {
            Some(_) => "TLS does not listen, though there is a certificate",
            None => "TLS does not listen: there is no valid certificate yet",
        };
        found.push(Finding::new("tls-off", words, "hq-vault unlock makes a new one; then hq-vault status"));
    }
    for weak in &status.weakened {
        found.push(Finding::note("weakened", weak.clone(), "hq-vault config show says what is set"));
    }
    found.extend(status.warnings.iter().map(|warning| of_warning(warning)));
    if let Some(owner) = acting.as_ref().filter(|acting| acting.is_session() && !status.locked) {
        found.extend(rows(&link, owner));
    }
    found
}

/// The owner can have the store compared, row by row, with what was last written.
fn rows(link: &Link<'_>, owner: &Acting) -> Vec<Finding> {
    let hint =
        "put back a copy of the vault directory if you have one; hq-vault audit verify tells what was done";
    match link.run_if_there(Some(owner.credential()), async |client| client.vault_check().await) {
        Ok(checked) => {
            checked.faults.into_iter().map(|fault| Finding::new("row-state", fault, hint)).collect()
        }
        // A session that has ended is no fault of the vault.
        Err(failure) if failure.is(Code::Unauthorized) => Vec::new(),
        Err(failure) => vec![Finding::new("row-state", failure.message(), hint)],
    }
}

/// The daemon's own words. A clock that once ran ahead can be put right, at the
/// price of every token.
fn of_warning(warning: &str) -> Finding {
    if !warning.starts_with("the wall clock stands behind") {
        let hint = "hq-vault audit verify tells what the record proves";
        return Finding::new("daemon-warning", warning, hint);
    }
    let hint = "set the clock right; if it is, hq-vault doctor --fix (the owner's) ends all tokens and takes its word";
    Finding::new("clock", warning, hint)
        .fix(|ctx| ctx.ask(async |client| client.clock_reset().await).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_ran_ahead_has_a_finding_of_its_own() {
        let words = "the wall clock stands behind the vault's time; tokens go by the later one";
        assert_eq!(of_warning(words).id, "clock");
        assert_eq!(of_warning("the last run did not end cleanly").id, "daemon-warning");
    }
}
