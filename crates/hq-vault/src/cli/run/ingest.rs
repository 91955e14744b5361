//! `ingest`: ask a person to type a value, and wait.
//!
//! What the person should do is said first, before any way to them is tried:
//! an agent may be killed while it waits, and must be able to pass the words
//! on. Stdout gets the confirmation and nothing else.

use std::io::IsTerminal;
use std::time::Duration;

use hqv_api::{EntryAnswer, EntryRequest, EntryStored};
use hqv_model::{Clock, Code};
use hqv_sys::signal::Held;

use crate::cli::args::ingest::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::compose::SystemClock;
use crate::entry::asker;
use crate::entry::errand::Outcome;
use crate::entry::prompt::Manner;
use crate::entry::routes::{Opened, Way};
use crate::entry::waiting::{Cut, Wait, Waited};
use crate::entry::watch::{self, End};

/// How long nobody at a terminal waits.
pub const WITHOUT_TERMINAL: Duration = Duration::from_secs(90);

/// How often a locked vault is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Opens or joins the entry, and waits for its end.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if !args.extra.is_empty() {
        return Err(Failure::usage(
            "a value is never taken from the command line: other processes can read it there",
        )
        .hint("leave it out: a person types it where you do not look"));
    }
    let deadline = deadline(args.timeout);
    let link = Link::open(ctx)?.until(deadline);
    let request = request(args);
    let (acting, entry) =
        ctx.ask_without_asking(&link, async |client| client.entry_create(&request).await)?;
    let EntryAnswer { id, code, state, stored, joined, url, submit, .. } = entry;
    if let Some(end) = End::of(&state, stored.as_ref()) {
        tell_what_was(ctx, args, &end);
        return conclude(ctx, args, &code, Waited::End(end));
    }
    let held = Held::hold();
    announce(ctx, args, &code);
    let (url, submit) = (url.map(|url| url.into_text()), submit.map(|submit| submit.into_text()));
    let opened = Opened {
        ctx,
        link: &link,
        credential: acting.as_ref().map(|acting| acting.credential()),
        id: &id,
        code: &code,
        url: url.as_ref(),
        submit: submit.as_ref(),
        manner: Manner { allow_empty: args.allow_empty, raw: args.raw },
        deadline,
        held: &held,
        no_open: args.no_open,
        joined,
    };
    let waited = match until_unlocked(&opened)? {
        Some(waited) => waited,
        None => opened.follow(args.way())?,
    };
    conclude(ctx, args, &code, waited)
}

fn request(args: &Args) -> EntryRequest {
    EntryRequest {
        path: args.path.as_str().to_owned(),
        kind: args.kind.map(|kind| kind.as_str().to_owned()),
        description: args.description.clone(),
        overwrite: args.overwrite,
        program: asker::program(),
        directory: asker::directory(),
    }
}

/// When to stop waiting, by the boot clock: what was asked for, else 90 seconds without a terminal, else never,
/// for the entry ends by itself.
pub fn deadline(timeout: Option<Duration>) -> Option<Duration> {
    let watched =
        std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    let wait = timeout.or((!watched).then_some(WITHOUT_TERMINAL))?;
    Some(SystemClock.boot().saturating_add(wait))
}

/// What was answered for an earlier run is this run's answer too. Where a value is replaced that is said: whoever
/// wants yet another one would go on with the last.
fn tell_what_was(ctx: &Context, args: &Args, end: &End) {
    let End::Stored(stored) = end else { return };
    if !args.overwrite {
        return;
    }
    ctx.out.say(format!(
        "this was stored before, as version {}, for an earlier run of this command; nobody was asked now",
        stored.version
    ));
    ctx.out.say("for another value: the same command with another --description, or hq-vault store");
}

fn announce(ctx: &Context, args: &Args, code: &str) {
    if args.way() != Way::Code && crate::entry::route_tty::is_there() {
        return;
    }
    ctx.out.say(format!("a person has to type the value of {}; you will not see it", args.path));
    ctx.out.say(format!("tell them to run, in a terminal of theirs: hq-vault answer {code}"));
    ctx.out.say("this waits; the same command run again goes on waiting, and then confirms");
}

/// A locked vault takes no value: nothing is asked before it is open. None once it is.
fn until_unlocked(opened: &Opened<'_>) -> Result<Option<Waited>, Failure> {
    let mut told = false;
    while opened.link.is_socket() {
        match is_locked(opened) {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Ok(None),
            Ok(Err(cut)) => return Ok(Some(cut.into())),
            Err(failure) => return watch::lost(failure).map(|end| Some(Waited::End(end))),
        }
        if !std::mem::replace(&mut told, true) {
            opened.ctx.out.say("the vault is locked: run hq-vault unlock in your terminal; this waits");
        }
        let look = SystemClock.boot().saturating_add(LOOK);
        let until = opened.deadline.map_or(look, |deadline| deadline.min(look));
        match opened.wait_until(Some(until), None)? {
            Waited::Late if opened.deadline.is_none_or(|end| end > SystemClock.boot()) => {}
            waited => return Ok(Some(waited)),
        }
    }
    Ok(None)
}

fn is_locked(opened: &Opened<'_>) -> Result<Result<bool, Cut>, Failure> {
    let nobody = Wait { credential: None, ..opened.waiting(opened.deadline) };
    nobody.of(async |client| Ok(client.status().await?.locked))
}

fn conclude(ctx: &Context, args: &Args, code: &str, waited: Waited) -> Result<(), Failure> {
    let again = format!("tell the person: hq-vault answer {code}; then run the same command again");
    match waited {
        Waited::End(End::Stored(stored)) => confirm(ctx, &stored),
        Waited::End(End::Refused) => {
            Err(Failure::refused(format!("the person refused to give a value for {}", args.path))
                .hint("nothing was stored; ask them why before you ask again"))
        }
        Waited::End(End::Expired) => {
            Err(Failure::refused(format!("nobody gave a value for {} in time", args.path))
                .hint("nothing was stored; run the same command again when somebody is there"))
        }
        Waited::End(End::Lost) => {
            Err(Failure::refused("the daemon has stopped, and the entry ended with it")
                .hint("run the same command again for a new one"))
        }
        Waited::Signal(signal) => {
            ctx.out
                .say(format!("left open: hq-vault answer {code} takes the value, and Ctrl-D there refuses"));
            let _ = hqv_sys::signal::die_of(signal);
            Err(Failure::waiting("interrupted; the entry is still open").hint(again))
        }
        Waited::Prompt(Outcome::InTheWay) => Err(Failure::of(
            Code::AlreadyExists,
            format!("there is a value at {} by now; nothing was stored", args.path),
        )
        .hint("to replace it: the same command with --overwrite")),
        Waited::Prompt(_) => {
            Err(Failure::waiting(format!("the person left it open: {}", args.path)).hint(again))
        }
        Waited::Late => {
            Err(Failure::waiting(format!("nobody has typed the value of {} yet", args.path)).hint(again))
        }
    }
}

fn confirm(ctx: &Context, stored: &EntryStored) -> Result<(), Failure> {
    let path = hqv_model::escape_controls(&stored.path);
    let words = format!("✅ Stored: {path} ({} bytes, type: {})", stored.bytes, stored.kind);
    if ctx.out.json {
        return ctx.out.document(&serde_json::json!({
            "ok": true,
            "message": words,
            "path": stored.path,
            "bytes": stored.bytes,
            "type": stored.kind,
            "version": stored.version,
            "route": stored.route,
        }));
    }
    ctx.out.line(words)
}
