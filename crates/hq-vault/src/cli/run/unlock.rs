//! `unlock`: the passphrase, once. With `--raw` the session alone goes to
//! stdout; `shell-init`'s function asks for that and keeps it.

use hqv_api::UnlockAnswer;
use hqv_model::{SecretBytes, SecretText};

use crate::cli::args::unlock::Args;
use crate::cli::context::Context;
use crate::cli::link::{self, Link};
use crate::cli::output::error::Failure;
use crate::cli::output::spinner::Spinner;
use crate::cli::passphrase::{self, PASSPHRASE_MAX};
use crate::cli::run::list::ago;
use crate::cli::run::shell_init;
use crate::compose;

/// Opens the vault.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if !args.extra.is_empty() {
        return Err(Failure::usage(
            "a passphrase is never taken from the command line: other processes can read it there",
        )
        .hint("run hq-vault unlock and be asked, or set HQ_VAULT_PASSPHRASE_FILE"));
    }
    let link = Link::open(ctx)?;
    let status = link.run(None, async |client| client.status().await);
    if status.as_ref().is_ok_and(|s| !s.initialized) {
        return Err(link::no_vault(ctx));
    }
    if link.is_local() {
        status?;
    }
    let secret = secret(ctx, args)?;
    let answer = {
        let _spinner = Spinner::start(&ctx.out, "unlocking");
        unlock(&link, &secret, args.recovery)?
    };
    tell(ctx, args, answer)
}

fn secret(ctx: &Context, args: &Args) -> Result<SecretText, Failure> {
    let bytes = match &ctx.settings.env.passphrase_file {
        Some(path) if !args.recovery => passphrase::passphrase_file(path)?,
        _ => ask(ctx, args.recovery)?,
    };
    link::text_of(bytes)
}

fn ask(ctx: &Context, recovery: bool) -> Result<SecretBytes, Failure> {
    if !passphrase::person_is_there() {
        return Err(Failure::unauthorized("nobody is here to type the passphrase")
            .hint("run hq-vault unlock in your terminal, or set HQ_VAULT_PASSPHRASE_FILE"));
    }
    let what = if recovery { "Recovery key" } else { "Passphrase" };
    let typed =
        passphrase::ask_hidden(&format!("{what} for {} (hidden): ", ctx.vault_name()), PASSPHRASE_MAX)?;
    Ok(SecretBytes::from_slice(&typed))
}

fn unlock(link: &Link<'_>, secret: &SecretText, recovery: bool) -> Result<UnlockAnswer, Failure> {
    link.run(
        None,
        async |client| {
            if recovery { client.unlock_recovery(secret).await } else { client.unlock(secret).await }
        },
    )
}

fn tell(ctx: &Context, args: &Args, answer: UnlockAnswer) -> Result<(), Failure> {
    for warning in &answer.warnings {
        ctx.out.warn(hqv_model::escape_controls(warning));
    }
    let words =
        format!("Unlocked: {} (session ends {})", ctx.vault_name(), ago(&answer.expires_at, compose::now()));
    if ctx.out.json {
        return machine(ctx, &answer);
    }
    let session = answer.session.into_text();
    passphrase::keep_session(ctx, &session);
    if args.raw {
        ctx.out.say(words);
        return ctx.out.line(session.reveal());
    }
    ctx.out.confirm(words)?;
    how_to_stay(ctx);
    Ok(())
}

/// Without `shell-init` every owner command asks again; said to a person only.
pub fn how_to_stay(ctx: &Context) {
    if ctx.out.to_terminal() && ctx.settings.env.passphrase_file.is_none() {
        let line = shell_init::line(&ctx.settings);
        ctx.out
            .say(format!("to be asked once per shell, not once per command: {line}, then hq-vault unlock"));
    }
}

fn machine(ctx: &Context, answer: &UnlockAnswer) -> Result<(), Failure> {
    ctx.out.bytes(hqv_api::JsonBody::of(answer).as_ref())?;
    ctx.out.line("")
}
