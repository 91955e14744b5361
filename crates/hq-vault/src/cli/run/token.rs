//! `token create`, `list`, `show`, `revoke`.

use hqv_api::{JsonBody, TokenMetadata, TokenRequest, TokensSwept};
use hqv_client::Client;
use hqv_model::{Timestamp, TokenRef};

use crate::cli::args::token::{Create, List, Revoke, Show, Verb};
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::compose;

/// Runs the verb.
pub fn run(ctx: &Context, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Create(args) => create(ctx, &args),
        Verb::List(args) => list(ctx, &args),
        Verb::Show(args) => show(ctx, &args),
        Verb::Tree(args) => super::token_tree::run(ctx, &args),
        Verb::Explain(args) => super::token_explain::run(ctx, &args),
        Verb::Renew(args) => super::token_renew::run(ctx, &args),
        Verb::Freeze(args) => super::token_freeze::freeze(ctx, &args),
        Verb::Thaw(args) => super::token_freeze::thaw(ctx, &args),
        Verb::Revoke(args) => revoke(ctx, &args),
    }
}

/// The token alone goes to stdout, so that `T=$(...)` works; the rest to stderr.
fn create(ctx: &Context, args: &Create) -> Result<(), Failure> {
    let request = request(args)?;
    if args.dry_run {
        return super::token_plan::run(ctx, &request);
    }
    let made = ctx.ask(async |client| client.token_create(&request).await)?;
    if ctx.out.json {
        ctx.out.bytes(JsonBody::of(&made).as_ref())?;
        return ctx.out.line("");
    }
    ctx.out.say(format!("✅ Token created: {}", made.metadata.name));
    for note in &made.notes {
        ctx.out.say(hqv_model::escape_controls(note));
    }
    let ca = ctx.settings.dir.ca();
    if ca.exists() {
        ctx.out.say(format!(
            "for plain HTTPS clients: NODE_EXTRA_CA_CERTS={}",
            crate::settings::paths::shown(&ca)
        ));
    }
    ctx.out.bytes(made.token.reveal().as_bytes())?;
    ctx.out.line("")
}

fn request(args: &Create) -> Result<TokenRequest, Failure> {
    if args.can.is_some() && args.paths.is_empty() {
        return Err(Failure::usage("--can needs --path to say where").hint("--path / means everywhere"));
    }
    let words = |text: &String| text.split(',').map(|w| w.trim().to_owned()).collect();
    Ok(TokenRequest {
        name: args.name.as_str().to_owned(),
        ttl: args.ttl.map(|t| hqv_model::format_duration(t.as_millis())),
        max_uses: args.max_uses.map(|u| u.get()),
        reserve: args.reserve.map(|u| u.get()),
        max_ttl: None,
        paths: (!args.paths.is_empty()).then(|| args.paths.clone()),
        can: args.can.as_ref().map(words),
        allow: (!args.allow.is_empty()).then(|| args.allow.clone()),
    })
}

fn list(ctx: &Context, args: &List) -> Result<(), Failure> {
    let found = ctx.ask(async |client| client.token_list(args.all).await)?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    if found.tokens.is_empty() {
        ctx.out.say("no token lives");
        return Ok(());
    }
    let mut table = Table::new().left("NAME").left("MAY").right("USED").left("ENDS").left("STATE").left("ID");
    let now = compose::now();
    for token in &found.tokens {
        let (may, used, ends) = (token.scope.join("; "), used(token), ago(&token.expires_at, now));
        table.row([
            (token.ancestry.as_str(), Tone::Plain),
            (may.as_str(), Tone::Plain),
            (used.as_str(), Tone::Plain),
            (ends.as_str(), Tone::Dim),
            (token.state.as_str(), tone(token, now)),
            (token.id.as_str(), Tone::Dim),
        ]);
    }
    table.print(&ctx.out)
}

fn used(token: &TokenMetadata) -> String {
    match token.max_uses {
        Some(max) => format!("{} of {max}", token.use_count),
        None => token.use_count.to_string(),
    }
}

pub(super) fn tone(token: &TokenMetadata, now: Timestamp) -> Tone {
    let soon = |t: Timestamp| t.since(now) < std::time::Duration::from_secs(900);
    match token.state.as_str() {
        "live" if Timestamp::parse_rfc3339(&token.expires_at).is_ok_and(soon) => Tone::Soon,
        "live" => Tone::Good,
        _ => Tone::Bad,
    }
}

fn show(ctx: &Context, args: &Show) -> Result<(), Failure> {
    let who = text(&args.who);
    let token = ctx.ask(async |client| client.token_show(&who).await)?;
    if ctx.out.json {
        return ctx.out.document(&token);
    }
    for line in token_lines(&token) {
        ctx.out.line(hqv_model::escape_controls(&line))?;
    }
    Ok(())
}

/// A token in lines, for `show` and `whoami`.
pub fn token_lines(token: &TokenMetadata) -> Vec<String> {
    let now = compose::now();
    let left = token.left.map_or_else(|| "unlimited".to_owned(), |n| n.to_string());
    let mut lines = vec![
        format!("token        {}", token.ancestry),
        format!("id           {}", token.id),
        format!("state        {}", token.state),
        format!("ends         {}", ago(&token.expires_at, now)),
        format!("used         {}", used(token)),
        format!("left         {left}"),
    ];
    if let Some(reserve) = token.reserve {
        lines.push(format!("reserved     {} of {reserve} used", token.reserve_used));
    }
    if token.set_aside > 0 {
        lines.push(format!("set aside    {} for those below it", token.set_aside));
    }
    if let Some(at) = &token.last_used_at {
        lines.push(format!("last used    {}", ago(at, now)));
    }
    lines.extend(token.scope.iter().map(|rule| format!("may          {rule}")));
    lines
}

/// Each is ended though another cannot be; the first failure is the exit code.
fn revoke(ctx: &Context, args: &Revoke) -> Result<(), Failure> {
    let link = Link::open(ctx)?;
    if args.expired {
        return clear(ctx, &link);
    }
    let who: Vec<String> = match &args.prefix {
        Some(start) => begins(ctx, &link, start)?,
        None => args.who.iter().map(text).collect(),
    };
    let mut first: Option<Failure> = None;
    let mut ended = Vec::new();
    for one in &who {
        let done = ctx.ask_over(&link, async |client: &mut Client| client.token_revoke(one).await);
        match done {
            Ok(done) if ctx.out.json => ended.push(done),
            Ok(done) => ctx.out.confirm(revoked(&done))?,
            Err(failure) if who.len() == 1 => return Err(failure),
            Err(failure) => {
                ctx.out.warn(format!("{one}: {}", failure.message()));
                first = first.or(Some(failure));
            }
        }
    }
    if ctx.out.json {
        ctx.out.document(&ended)?;
    }
    first.map_or(Ok(()), Err)
}

/// Rows of ended tokens go, so many at a time until none is left.
fn clear(ctx: &Context, link: &Link) -> Result<(), Failure> {
    let mut removed = 0;
    let last = loop {
        let done = ctx.ask_over(link, async |client: &mut Client| client.token_sweep().await)?;
        removed += done.removed;
        if done.left == 0 || done.removed == 0 {
            break done;
        }
    };
    let message = format!("Cleared: {removed} ended token{}", if removed == 1 { "" } else { "s" });
    match ctx.out.json {
        true => ctx.out.document(&TokensSwept { removed, message, ..last }),
        false => ctx.out.confirm(message),
    }
}

/// The ids of those whose ancestry begins so, without those that end with one of them anyway.
fn begins(ctx: &Context, link: &Link, start: &str) -> Result<Vec<String>, Failure> {
    let found = ctx.ask_over(link, async |client: &mut Client| client.token_list(false).await)?.tokens;
    let starts = |token: &&TokenMetadata| token.ancestry.starts_with(start);
    let ids: std::collections::HashSet<&str> = found.iter().filter(starts).map(|t| t.id.as_str()).collect();
    let top = |t: &&TokenMetadata| t.parent.as_deref().is_none_or(|parent| !ids.contains(parent));
    let tops: Vec<String> = found.iter().filter(starts).filter(top).map(|t| t.id.clone()).collect();
    match tops.is_empty() {
        true => {
            Err(Failure::of(hqv_model::Code::NotFound, format!("no token that lives begins with {start}")))
        }
        false => Ok(tops),
    }
}

fn revoked(done: &hqv_api::TokenRevoked) -> String {
    let family = match done.descendants {
        0 => String::new(),
        1 => " and 1 descendant".to_owned(),
        n => format!(" and {n} descendants"),
    };
    format!("Revoked: {}{family}", done.ancestry)
}

pub(super) fn text(who: &TokenRef) -> String {
    match who {
        TokenRef::Id(id) => id.to_string(),
        TokenRef::Path(names) => names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("/"),
    }
}
