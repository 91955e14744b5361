//! `approve`: the owner grants a token, with the exact grant before their eyes.
//!
//! What is sent is bound to the fingerprint of what was shown: a grant that
//! changes in between is refused by the vault.

use hqv_api::{AskApproveRequest, AskView};
use hqv_model::{Code, escape_controls};

use crate::cli::args::approve::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::cli::run::list::ago;
use crate::compose;
use crate::entry::asker;

/// Shows, asks, grants.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let link = Link::open(ctx)?;
    let (acting, found) = ctx.ask_acting(&link, async |client| client.ask_list().await)?;
    let ask = find(&args.code.to_string(), &found.asks)?;
    decide(ctx, args, ask)?;
    let request = AskApproveRequest {
        fingerprint: ask.fingerprint.clone(),
        ttl: args.ttl.map(|ttl| hqv_model::format_duration(ttl.as_millis())),
        max_uses: args.max_uses.map(|uses| uses.get()),
        paths: (!args.paths.is_empty()).then(|| args.paths.clone()),
    };
    let done = link.run(Some(acting.credential()), async |c| c.ask_approve(&ask.id, &request).await)?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("Approved: {} (the token goes to who asked, once)", escape_controls(&ask.name)))
}

/// The ask that waits under a code or id.
pub fn find<'a>(code: &str, asks: &'a [AskView]) -> Result<&'a AskView, Failure> {
    asks.iter().find(|ask| ask.code == code || ask.id == code).ok_or_else(|| {
        Failure::of(Code::NotFound, format!("nothing waits for a decision under {code}"))
            .hint("it may be over, or of another vault; hq-vault pending lists what waits")
    })
}

/// The grant in lines, escaped.
fn grant(ctx: &Context, args: &Args, ask: &AskView) -> Vec<String> {
    let now = compose::now();
    let mut lines: Vec<String> = ask
        .rules
        .iter()
        .map(|rule| line("grant", &format!("{}{}", rule.rule, count(rule.secrets))))
        .collect();
    if !args.paths.is_empty() {
        lines.push(line("only", &args.paths.join(", ")));
    }
    let less = args.ttl.map(|ttl| hqv_model::format_duration(ttl.as_millis()));
    lines.push(line("lives", &lessened(&ask.ttl, less.as_deref())));
    let asked = ask.max_uses.map_or_else(|| "without limit".to_owned(), |uses| uses.to_string());
    lines.push(line("uses", &lessened(&asked, args.max_uses.map(|uses| uses.get().to_string()).as_deref())));
    let home = ctx.settings.home().map(|home| home.as_path());
    lines.push(line(
        "asked by",
        &format!("{}, {}", asker::shown(&ask.asker, home), ago(&ask.created_at, now)),
    ));
    lines.push(line("because", if ask.reason.is_empty() { "no reason given" } else { &ask.reason }));
    lines.push(line("name", &ask.name));
    lines.push(line("print", &ask.fingerprint));
    lines
}

fn count(secrets: Option<u64>) -> String {
    match secrets {
        None => String::new(),
        Some(1) => "   (1 secret now)".to_owned(),
        Some(n) => format!("   ({n} secrets now)"),
    }
}

fn lessened(asked: &str, less: Option<&str>) -> String {
    match less {
        Some(less) => format!("{less}   (asked: {asked})"),
        None => asked.to_owned(),
    }
}

fn line(name: &str, value: &str) -> String {
    format!("  {name:<9}  {}", escape_controls(value))
}

/// Nothing but a yes, or the fingerprint of this very grant. A yes is to what stands on the terminal where it is
/// typed: the grant is written there, whatever becomes of stderr.
fn decide(ctx: &Context, args: &Args, ask: &AskView) -> Result<(), Failure> {
    let lines = grant(ctx, args, ask).join("\n");
    if let Some(given) = &args.fingerprint {
        ctx.out.say(lines);
        if given.eq_ignore_ascii_case(&ask.fingerprint) {
            return Ok(());
        }
        return Err(Failure::conflict("it is not what that fingerprint stands for; nothing was granted")
            .hint("look at it anew: hq-vault pending --json"));
    }
    if !passphrase::person_is_there() {
        return Err(Failure::refused("nobody is here to confirm; nothing was granted")
            .hint("run it in a terminal, or name what you saw: --fingerprint"));
    }
    match hqv_sys::tty::read_line_after(&format!("{lines}\n\n"), "Grant it? [y/N] ", 16) {
        Ok(answer) if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") => Ok(()),
        _ => Err(Failure::refused("nothing was granted; it still waits")
            .hint(format!("hq-vault deny {} refuses it", ask.code))),
    }
}
