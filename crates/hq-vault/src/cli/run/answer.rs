//! `answer`: the owner types a value that somebody waits for.

use std::os::fd::AsFd;

use hqv_api::EntryAbout;
use hqv_model::Code;
use hqv_sys::signal::Held;

use crate::cli::args::answer::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::entry::prompt::Manner;
use crate::entry::sitting::{Sat, Sitting};
use crate::entry::watch::End;

/// Finds the entry, and sits down to it.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if !passphrase::person_is_there() {
        return Err(Failure::usage("a value is typed here by a person, and nobody is at a terminal")
            .hint("run it in a terminal of your own; hq-vault store takes a file or a pipe"));
    }
    let link = Link::open(ctx)?;
    let (acting, found) = ctx.ask_acting(&link, async |client| client.entry_list().await)?;
    let entry = choose(args, &found.entries)?;
    let held = Held::hold();
    let tty = hqv_sys::tty::open().map_err(|e| Failure::io("cannot ask on this terminal", &e))?;
    let sitting = Sitting {
        ctx,
        tty: tty.as_fd(),
        id: &entry.id,
        submit: None,
        credential: Some(acting.credential()),
        route: None,
        manner: Manner { allow_empty: args.allow_empty, raw: args.raw },
        deadline: None,
        held: &held,
        leader: None,
    };
    let sat = sitting.run()?;
    if matches!(sat, Sat::Stored(_)) {
        sitting.say("Stored.\n");
    }
    conclude(ctx, entry, sat)
}

/// The entry with that code, or the only one.
fn choose<'e>(args: &Args, entries: &'e [EntryAbout]) -> Result<&'e EntryAbout, Failure> {
    let waiting: Vec<_> = entries.iter().filter(|entry| entry.state == "waiting").collect();
    match (args.code.map(|code| code.to_string()), waiting.as_slice()) {
        (Some(code), all) => {
            all.iter().find(|entry| entry.code == code || entry.id == code).copied().ok_or_else(|| {
                Failure::of(Code::NotFound, format!("nothing waits for a value under {code}"))
                    .hint("it may be over, or of another vault; hq-vault pending lists what waits")
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => {
            Err(Failure::of(Code::NotFound, "nothing waits for a value")
                .hint("hq-vault pending lists asks too"))
        }
        (None, all) => {
            let codes: Vec<_> =
                all.iter().map(|entry| format!("{} for {}", entry.code, entry.path)).collect();
            Err(Failure::usage(format!("{} wait for a value: {}", all.len(), codes.join(", ")))
                .hint("name one: hq-vault answer CODE"))
        }
    }
}

fn conclude(ctx: &Context, entry: &EntryAbout, sat: Sat) -> Result<(), Failure> {
    let code = &entry.code;
    match sat {
        Sat::Stored(stored) => {
            let path = hqv_model::escape_controls(&stored.path);
            if ctx.out.json {
                return ctx.out.document(&stored);
            }
            ctx.out.line(format!("✅ Stored: {path} ({} bytes, type: {})", stored.bytes, stored.kind))
        }
        Sat::Refused => Err(Failure::refused(format!("you refused {}; nothing was stored", entry.path))
            .hint("who asked has been told")),
        Sat::Ended(End::Stored(_)) => {
            Err(Failure::conflict("it was answered elsewhere meanwhile; nothing typed here was kept")
                .hint(format!("hq-vault show {}", entry.path)))
        }
        Sat::Ended(end) => {
            Err(Failure::of(Code::NotFound, end.words()).hint("hq-vault pending lists what waits"))
        }
        Sat::Signal(signal) => {
            ctx.out
                .say(format!("left open: hq-vault answer {code} takes the value, and Ctrl-D there refuses"));
            let _ = hqv_sys::signal::die_of(signal);
            Err(Failure::refused("interrupted"))
        }
        Sat::Open(_) => {
            Err(Failure::refused("nothing was typed; it is still open")
                .hint(format!("hq-vault answer {code}")))
        }
    }
}
