//! `init`: a new vault. The daemon makes it; this asks, starts, and shows the
//! recovery key to a person's eyes alone.

use hqv_api::InitAnswer;
use hqv_model::{Code, SecretBytes, SecretText};

use crate::cli::args::init::Args;
use crate::cli::context::Context;
use crate::cli::link::{self, Link};
use crate::cli::output::error::{Failure, reason};
use crate::cli::output::spinner::Spinner;
use crate::cli::passphrase::{self, PASSPHRASE_MAX};
use crate::cli::run::unlock;
use crate::compose;
use crate::daemon::options::Options;
use crate::daemon::{autostart, start, state_files, stop};
use crate::settings::paths::shown;

/// The shortest passphrase without `--weak`, in characters.
const SHORTEST: usize = 12;

/// Makes the vault, and leaves it ready.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if ctx.settings.url()?.is_some() {
        return Err(Failure::usage("a vault is made on its own machine, not through a URL")
            .hint("unset HQ_VAULT_URL"));
    }
    let old = ctx.settings.dir.holds_vault();
    if old {
        may_move_aside(ctx, args)?;
    }
    // Asked before anything is moved: a person who thinks better of it keeps the old vault.
    let passphrase = passphrase(ctx, args.weak)?;
    let options = if old { move_aside(ctx)? } else { Options::default() };
    start::prepare_dir(&ctx.settings)?;
    autostart::start_for_init(ctx, &options)?;
    let link = Link::open(ctx)?;
    let made = {
        let _spinner = Spinner::start(&ctx.out, "making the vault");
        link.run_if_there(None, async |client| client.init(&passphrase, args.weak).await)?
    };
    tell(ctx, args, made)
}

/// `--force` needs the owner of the old vault.
fn may_move_aside(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let place = ctx.vault_name();
    if !args.force {
        return Err(Failure::of(Code::AlreadyExists, format!("there is a vault in {place} already"))
            .hint("hq-vault init --force moves it aside, or use another place with --vault-dir"));
    }
    let who = ctx.ask(async |client| client.token_self().await)?;
    if who.kind != "owner" {
        return Err(
            Failure::of(Code::Forbidden, "only the owner may put a vault aside").hint("hq-vault unlock")
        );
    }
    Ok(())
}

/// Nothing is deleted. The new daemon has the options of the old one, and its
/// port, which stood in the `config.toml` that moves along.
fn move_aside(ctx: &Context) -> Result<Options, Failure> {
    let place = ctx.vault_name();
    let mut options = state_files::options(&ctx.settings.dir).unwrap_or_default();
    options.port = options.port.or(ctx.settings.file.port);
    stop::stop(ctx)?;
    let aside = aside_name(ctx);
    std::fs::rename(ctx.settings.dir.root(), &aside)
        .map_err(|e| Failure::io(format!("cannot move {place} to {}", shown(&aside)), &e))?;
    let parent = aside.parent().unwrap_or(&aside);
    hqv_sys::files::fsync_dir(parent)
        .map_err(|e| Failure::internal(format!("{}: {}", shown(parent), reason(&e))))?;
    ctx.out.say(format!("the old vault is now in {}", shown(&aside)));
    Ok(options)
}

fn aside_name(ctx: &Context) -> std::path::PathBuf {
    let stamp: String = compose::now().to_rfc3339().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut name = ctx.settings.dir.root().as_os_str().to_owned();
    name.push(format!(".old-{stamp}"));
    name.into()
}

fn passphrase(ctx: &Context, weak: bool) -> Result<SecretText, Failure> {
    let bytes = match &ctx.settings.env.passphrase_file {
        Some(path) => passphrase::passphrase_file(path)?,
        None => ask_twice(ctx)?,
    };
    let text = link::text_of(bytes)?;
    if text.reveal().chars().count() < SHORTEST && !weak {
        return Err(Failure::usage(format!("the passphrase has fewer than {SHORTEST} characters"))
            .hint("four or five unrelated words are easy to keep; --weak insists"));
    }
    if text.reveal().is_empty() {
        return Err(Failure::usage("the passphrase is empty"));
    }
    Ok(text)
}

fn ask_twice(ctx: &Context) -> Result<SecretBytes, Failure> {
    if !passphrase::person_is_there() {
        return Err(Failure::unauthorized("nobody is here to choose a passphrase")
            .hint("run hq-vault init in your terminal, or set HQ_VAULT_PASSPHRASE_FILE"));
    }
    let first = passphrase::ask_hidden(
        &format!("New passphrase for {} (hidden): ", ctx.vault_name()),
        PASSPHRASE_MAX,
    )?;
    let again = passphrase::ask_hidden("The same again: ", PASSPHRASE_MAX)?;
    if *first != *again {
        return Err(Failure::usage("the two passphrases are not the same; nothing was made"));
    }
    Ok(SecretBytes::from_slice(&first))
}

fn tell(ctx: &Context, args: &Args, made: InitAnswer) -> Result<(), Failure> {
    let shown = show_recovery(made.recovery_key.reveal());
    let session = made.session.into_text();
    passphrase::keep_session(ctx, &session);
    if ctx.out.json {
        return ctx.out.document(&serde_json::json!({
            "ok": true, "vault": made.vault, "vaultPath": ctx.settings.dir.root().to_string_lossy(),
            "recoveryKeyShown": shown,
        }));
    }
    let words = format!("Made: {} (unlocked, daemon running)", ctx.vault_name());
    if args.raw {
        ctx.out.say(words);
    } else {
        ctx.out.confirm(words)?;
    }
    if !shown {
        ctx.out.say("the recovery key was not shown: there is no terminal; without it the passphrase is the only way in");
    }
    if args.raw {
        return ctx.out.line(session.reveal());
    }
    unlock::how_to_stay(ctx);
    Ok(())
}

/// On the terminal itself, whatever stdout and stderr are.
fn show_recovery(key: &str) -> bool {
    use std::io::Write;
    if !passphrase::person_is_there() {
        return false;
    }
    let Ok(mut terminal) = hqv_sys::tty::open() else {
        return false;
    };
    let text = zeroize::Zeroizing::new(format!(
        "\nRecovery key. It opens the vault when the passphrase is lost, and is never shown again.\n\
         Write it down and keep it elsewhere.\n\n  {key}\n\n"
    ));
    terminal.write_all(text.as_bytes()).is_ok()
}
