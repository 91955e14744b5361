//! `audit`: reading and following the record. Proving it is in `audit_verify`.

use hqv_api::{AuditPage, AuditQuery, AuditRecord};
use hqv_client::{Client, ClientError};
use hqv_model::{Timestamp, TokenRef};

use crate::cli::args::audit::{Args, Filters, Read, Verb};
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::{json, time};
use crate::cli::run::{audit_follow, audit_verify};

/// The server's largest page.
pub(super) const PAGE: usize = 1000;

/// Runs the verb, or reads.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    match args.verb {
        Some(Verb::Verify(verify)) => audit_verify::run(ctx, &verify),
        Some(Verb::Export(export)) => self::export(ctx, &export.filters),
        Some(Verb::PublicKey(_)) => audit_verify::public_key(ctx),
        Some(Verb::Checkpoint(_)) => audit_verify::checkpoint(ctx),
        None if args.read.tail => audit_follow::run(ctx, &args.read),
        None => read(ctx, &args.read),
    }
}

pub(super) fn query(args: &Filters) -> AuditQuery {
    AuditQuery {
        path: args.path.clone(),
        token: args.token.as_ref().map(token_text),
        operation: args.operation.map(|op| op.as_str().to_owned()),
        outcome: args.outcome.map(|outcome| outcome.as_str().to_owned()),
        since: args.since.clone(),
        until: args.until.clone(),
        ..AuditQuery::default()
    }
}

fn token_text(who: &TokenRef) -> String {
    match who {
        TokenRef::Id(id) => id.to_string(),
        TokenRef::Path(names) => names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("/"),
    }
}

fn read(ctx: &Context, args: &Read) -> Result<(), Failure> {
    let (query, limit) = (query(&args.filters), args.limit.unwrap_or(50));
    let records = ctx.ask(async |client| newest(client, &query, limit).await)?;
    if records.is_empty() {
        ctx.out.say("no record matches");
    }
    records.iter().try_for_each(|record| print(ctx, record, false))
}

/// The newest `limit`, the oldest of them first.
async fn newest(
    client: &mut Client,
    query: &AuditQuery,
    limit: usize,
) -> Result<Vec<AuditRecord>, ClientError> {
    let mut records: Vec<AuditRecord> = Vec::new();
    let mut before = None;
    while records.len() < limit {
        let want = (limit - records.len()).min(PAGE) as u64;
        let page = client.audit_read(&AuditQuery { limit: Some(want), before, ..query.clone() }).await?;
        records.extend(page.records);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    records.reverse();
    Ok(records)
}

/// Everything, the oldest first. The pages come from the newest on; of all but one only where they end is held.
fn export(ctx: &Context, filters: &Filters) -> Result<(), Failure> {
    let query = AuditQuery { limit: Some(PAGE as u64), ..query(filters) };
    let link = Link::open(ctx)?;
    let page = |before: Option<u64>| {
        let query = AuditQuery { before, ..query.clone() };
        ctx.ask_over(&link, async |client| client.audit_read(&query).await)
    };
    let first = page(None)?;
    let mut befores = vec![first.records.first().map(|newest| newest.sequence.saturating_add(1))];
    let mut last = first;
    while let Some(next) = last.next {
        befores.push(Some(next));
        last = page(Some(next))?;
    }
    print_page(ctx, &last)?;
    befores.pop();
    // A page again, below the same line, holds the same records: what came since lies above all of them.
    befores.into_iter().rev().try_for_each(|before| print_page(ctx, &page(before)?))
}

fn print_page(ctx: &Context, page: &AuditPage) -> Result<(), Failure> {
    page.records.iter().rev().try_for_each(|record| print(ctx, record, false))
}

pub(super) fn print(ctx: &Context, record: &AuditRecord, live: bool) -> Result<(), Failure> {
    if ctx.out.json {
        return ctx.out.line(json::line(record)?);
    }
    ctx.out.line(line(ctx, record, live))
}

fn line(ctx: &Context, record: &AuditRecord, live: bool) -> String {
    let paint = ctx.out.paint;
    let when = match Timestamp::parse_rfc3339(&record.time) {
        Ok(moment) if live => time::of_day(moment),
        Ok(moment) => time::full(moment),
        Err(_) => record.time.clone(),
    };
    let outcome = format!("{:<6}", record.outcome);
    let outcome = match record.outcome.as_str() {
        "ok" => paint.green(&outcome),
        _ => paint.red(&outcome),
    };
    let text = format!(
        "{}  {outcome}  {}  {}  {}  {}",
        paint.dim(&when),
        column(&record.operation, 14),
        column(&paths(record), 24),
        column(&who(record), 24),
        rest(record)
    );
    text.trim_end().to_owned()
}

fn column(text: &str, width: usize) -> String {
    format!("{:<width$}", hqv_model::escape_controls(text))
}

fn paths(record: &AuditRecord) -> String {
    match record.items.as_slice() {
        [] => "-".to_owned(),
        [one] => one.path.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.path, rest.len()),
    }
}

fn who(record: &AuditRecord) -> String {
    let identity = &record.identity;
    match identity.kind.as_str() {
        "token" => identity.ancestry.clone().or_else(|| identity.id.clone()).unwrap_or_default(),
        "session" => "owner".to_owned(),
        "peer" => {
            let program =
                identity.program.as_deref().map(|p| p.rsplit('/').next().unwrap_or(p)).unwrap_or("process");
            identity.pid.map_or_else(|| program.to_owned(), |pid| format!("{program} (pid {pid})"))
        }
        other => other.to_owned(),
    }
}

/// Why not, where it was refused; else from where and by what.
fn rest(record: &AuditRecord) -> String {
    let reason = record.reason.as_deref().unwrap_or_default();
    let detail = record.detail.as_deref().unwrap_or_default();
    let agent = record.user_agent.as_deref().unwrap_or_default();
    let parts: &[&str] = if record.outcome == "ok" {
        &[&record.source, agent, detail, reason]
    } else {
        &[reason, detail, &record.source, agent]
    };
    let words: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
    hqv_model::escape_controls(&words.join("  ")).into_owned()
}
