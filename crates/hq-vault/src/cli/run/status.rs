//! `status`: how the vault is, with or without a daemon. It starts nothing and
//! asks nobody; a session or token at hand shows more.

use hqv_api::{StatusAnswer, WaitingStatus};
use hqv_model::Timestamp;

use crate::cli::context::Context;
use crate::cli::identity;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::time;
use crate::cli::run::list::ago;
use crate::compose;

/// Shows it.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let link = Link::open(ctx)?;
    let status = ask(ctx, &link)?;
    if ctx.out.json {
        return ctx.out.document(&status);
    }
    for line in lines(ctx, &link, &status) {
        ctx.out.line(hqv_model::escape_controls(&line))?;
    }
    Ok(())
}

/// As whoever is at hand; a credential that has ended is left out on the
/// socket, where none is needed. No daemon is an answer too.
fn ask(ctx: &Context, link: &Link<'_>) -> Result<StatusAnswer, Failure> {
    let acting = identity::at_hand(ctx);
    if let Some(acting) = &acting {
        match link.run_if_there(Some(acting.credential()), async |client| client.status().await) {
            Ok(status) => return Ok(status),
            Err(failure) if !link.is_local() => return Err(failure),
            Err(_) => {}
        }
    }
    match link.run_if_there(None, async |client| client.status().await) {
        Ok(status) => Ok(status),
        Err(failure) if link.is_local() && failure.exit() == 6 => Ok(without_daemon(ctx)),
        Err(failure) => Err(failure),
    }
}

fn without_daemon(ctx: &Context) -> StatusAnswer {
    StatusAnswer {
        initialized: ctx.settings.dir.holds_vault(),
        locked: true,
        vault_path: ctx.settings.dir.root().to_string_lossy().into_owned(),
        server_running: false,
        version: compose::version(),
        ..StatusAnswer::default()
    }
}

fn lines(ctx: &Context, link: &Link<'_>, status: &StatusAnswer) -> Vec<String> {
    let now = compose::now();
    let mut lines = vec![vault_line(ctx, link, status)];
    lines.push(serving_line(status));
    if let Some(count) = status.secret_count {
        let prefixes = status
            .prefix_count
            .map(|n| format!(" in {n} {}", if n == 1 { "prefix" } else { "prefixes" }))
            .unwrap_or_default();
        let due = status
            .due_count
            .filter(|n| *n > 0)
            .map(|n| format!("   {n} due within 7 days"))
            .unwrap_or_default();
        lines.push(format!("secrets   {count}{prefixes}{due}"));
    }
    if let Some(n) = status.exposed_count.filter(|n| *n > 0) {
        let secrets = if n == 1 { "secret is" } else { "secrets are" };
        lines.push(format!("exposed   {n} {secrets} known to a burnt token   hq-vault list"));
    }
    if let Some(tokens) = &status.tokens {
        let next =
            tokens.next_end.as_ref().map(|at| format!("   next ends {}", ago(at, now))).unwrap_or_default();
        lines.push(format!("tokens    {} live{next}", tokens.live));
    }
    if let Some(record) = &status.record {
        lines.push(record_line(record, now));
    }
    lines.extend(status.waiting.iter().map(waiting_line));
    lines.extend(status.weakened.iter().map(|w| format!("weakened  {w}")));
    lines.extend(status.warnings.iter().map(|w| format!("warning   {w}")));
    if status.server_running && status.version != compose::version() {
        lines.push(format!(
            "warning   the daemon is hq-vault {}, this is {}: hq-vault serve --restart",
            status.version,
            compose::version()
        ));
    }
    lines
}

/// What to type stands beside it.
fn waiting_line(waiting: &WaitingStatus) -> String {
    let verb = if waiting.kind == "ask" { "approve" } else { "answer" };
    format!("waiting   {}   hq-vault {verb} {}", waiting.what, waiting.code)
}

fn vault_line(ctx: &Context, link: &Link<'_>, status: &StatusAnswer) -> String {
    let place = if link.is_local() { ctx.vault_name() } else { link.place() };
    let state = match (status.initialized, status.locked) {
        (false, _) => "not made yet   hq-vault init".to_owned(),
        (true, true) => "locked   hq-vault unlock".to_owned(),
        (true, false) => match (status.locks_in_ms, status.idle_timeout_ms) {
            (Some(ms), _) => format!("unlocked   locks in {}", time::to_come(ms)),
            (None, 0) => "unlocked   never locks by itself".to_owned(),
            (None, _) => "unlocked".to_owned(),
        },
    };
    format!("vault     {place}   {state}")
}

fn serving_line(status: &StatusAnswer) -> String {
    if !status.server_running {
        return "serving   no daemon runs   hq-vault serve --daemon".to_owned();
    }
    let mut line = match status.port {
        Some(port) => format!("serving   https://localhost:{port} and vault.sock"),
        None => "serving   vault.sock (TLS waits for the first unlock)".to_owned(),
    };
    if let Some(pid) = status.pid {
        line.push_str(&format!("   pid {pid}"));
    }
    let up = time::span(status.uptime_ms.try_into().unwrap_or(i64::MAX));
    line.push_str(&format!("   up {up}"));
    line
}

fn record_line(record: &hqv_api::RecordStatus, now: Timestamp) -> String {
    let mut line = format!("record    {} entries", record.entries);
    if let Some(verified) = record.verified {
        line.push_str(&format!("   verified to {verified}"));
    }
    if let Some(at) = &record.checkpoint_at {
        line.push_str(&format!("   checkpoint {}", ago(at, now)));
    }
    if record.unproven > 0 {
        line.push_str(&format!("   {} unproven", record.unproven));
    }
    line
}
