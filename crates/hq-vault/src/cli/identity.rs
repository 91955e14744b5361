//! Who acts: a token if one is given, the owner's session, the passphrase
//! file, a passphrase prompt, else nobody.
//!
//! The passphrase is asked only of a person at rest: stdin is a terminal in
//! canonical mode and our process group is in its foreground. A session opened
//! from the passphrase file is kept in the vault directory (0600), since
//! whoever can read it can read that file too; one process at a time runs the
//! KDF for it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use hqv_crypto::wire::{self, CredentialKind, WireError};
use hqv_model::{SecretBytes, SecretText};
use hqv_sys::files::{self, Access};
use zeroize::Zeroizing;

use super::context::Context;
use super::link::Link;
use super::output::error::Failure;
use super::output::spinner::Spinner;
use crate::settings::paths::shown;

/// The longest passphrase, in bytes.
pub const PASSPHRASE_MAX: usize = 1024;

/// Where a credential came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--token-file`.
    TokenFlag,
    /// `HQ_VAULT_TOKEN`.
    TokenVariable,
    /// `HQ_VAULT_TOKEN_FILE`.
    TokenFileVariable,
    /// `HQ_VAULT_SESSION`.
    SessionVariable,
    /// A session opened from the passphrase file, before or just now.
    PassphraseFile,
    /// A passphrase just typed.
    Prompt,
}

/// A credential and where it came from.
pub struct Acting {
    credential: SecretText,
    origin: Origin,
}

impl Acting {
    /// The credential, for the request's header.
    pub fn credential(&self) -> &SecretText {
        &self.credential
    }

    /// Whether it acts as the owner.
    pub fn is_session(&self) -> bool {
        !matches!(
            self.origin,
            Origin::TokenFlag | Origin::TokenVariable | Origin::TokenFileVariable
        )
    }

    /// `token deploy-run-42 from HQ_VAULT_TOKEN`. A live token is asked its
    /// name; one that has ended cannot say it.
    pub fn describe(&self, link: &Link<'_>) -> String {
        match self.origin {
            Origin::SessionVariable => "owner session from HQ_VAULT_SESSION".to_owned(),
            Origin::PassphraseFile => "owner session from HQ_VAULT_PASSPHRASE_FILE".to_owned(),
            Origin::Prompt => "owner, passphrase typed here".to_owned(),
            token => {
                let name = link
                    .token_name(self)
                    .map(|n| format!("token {n}"))
                    .unwrap_or_else(|| "token".to_owned());
                format!("{name} from {}", token.place())
            }
        }
    }
}

impl Origin {
    fn place(self) -> &'static str {
        match self {
            Origin::TokenFlag => "--token-file",
            Origin::TokenVariable => "HQ_VAULT_TOKEN",
            Origin::TokenFileVariable => "HQ_VAULT_TOKEN_FILE",
            Origin::SessionVariable => "HQ_VAULT_SESSION",
            Origin::PassphraseFile => "HQ_VAULT_PASSPHRASE_FILE",
            Origin::Prompt => "the prompt",
        }
    }
}

/// The ways of acting that are left, in their order.
pub struct Identities {
    left: Vec<Origin>,
}

impl Identities {
    /// All that this environment offers. A token shuts out every other.
    pub fn of(ctx: &Context) -> Identities {
        let settings = &ctx.settings;
        let token = if settings.flags.token_file.is_some() {
            Some(Origin::TokenFlag)
        } else if settings.env.token.is_some() {
            Some(Origin::TokenVariable)
        } else {
            settings
                .env
                .token_file
                .as_ref()
                .map(|_| Origin::TokenFileVariable)
        };
        if let Some(token) = token {
            return Identities { left: vec![token] };
        }
        let mut left = vec![Origin::Prompt];
        if settings.env.passphrase_file.is_some() {
            // Twice: a kept session may have ended, a fresh one has not. And
            // where a file is named, nobody is asked.
            left = vec![Origin::PassphraseFile, Origin::PassphraseFile];
        }
        if settings.env.session.is_some() {
            left.push(Origin::SessionVariable);
        }
        Identities { left }
    }

    /// The next credential. None where nobody is left to act.
    pub fn next(&mut self, ctx: &Context, link: &Link<'_>) -> Result<Option<Acting>, Failure> {
        let Some(origin) = self.left.pop() else {
            return Ok(None);
        };
        let credential = match origin {
            Origin::TokenFlag | Origin::TokenVariable | Origin::TokenFileVariable => token(ctx, origin)?,
            Origin::SessionVariable => session_variable(ctx)?,
            Origin::PassphraseFile => kept_session(ctx, link)?,
            Origin::Prompt => {
                if !person_is_there() {
                    return Ok(None);
                }
                prompted_session(ctx, link)?
            }
        };
        Ok(Some(Acting { credential, origin }))
    }

    /// A kept session was refused: it is not tried again.
    pub fn forget_cached(&mut self, ctx: &Context, acting: &Acting) {
        if acting.origin == Origin::PassphraseFile {
            let _ = std::fs::remove_file(ctx.settings.dir.session_cache());
        }
    }
}

/// A credential that can be had without asking anybody: for calls that work
/// with and without one (`status`, `serve --stop`).
pub fn at_hand(ctx: &Context) -> Option<Acting> {
    let origin = *Identities::of(ctx).left.last()?;
    let credential = match origin {
        Origin::TokenFlag | Origin::TokenVariable | Origin::TokenFileVariable => token(ctx, origin).ok()?,
        Origin::SessionVariable => session_variable(ctx).ok()?,
        Origin::PassphraseFile => read_cache(&ctx.settings.dir.session_cache())?,
        Origin::Prompt => return None,
    };
    Some(Acting { credential, origin })
}

fn token(ctx: &Context, origin: Origin) -> Result<SecretText, Failure> {
    let env = &ctx.settings.env;
    let text = match origin {
        Origin::TokenFlag => token_file(ctx.settings.flags.token_file.as_deref(), origin)?,
        Origin::TokenFileVariable => token_file(env.token_file.as_deref(), origin)?,
        _ => Zeroizing::new(
            env.token
                .as_ref()
                .map(|t| t.trim().to_owned())
                .unwrap_or_default(),
        ),
    };
    if text.is_empty() {
        return Err(
            Failure::unauthorized(format!("the token from {} is empty", origin.place()))
                .hint("unset it to act as the owner, or set it to a token"),
        );
    }
    check(&text, CredentialKind::Token, origin)?;
    Ok(SecretText::new(text.as_str().to_owned()))
}

fn token_file(path: Option<&Path>, origin: Origin) -> Result<Zeroizing<String>, Failure> {
    let path = path.unwrap_or(Path::new(""));
    if path.to_string_lossy().starts_with("hqv_") {
        return Err(
            Failure::usage(format!("{} names a file, not a token", origin.place()))
                .hint("put the token into a file that only you can read"),
        );
    }
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read the token file {}", shown(path)), e);
    let mut file = hqv_sys::input::open_input(path).map_err(|e| failed(&e))?;
    let bytes = hqv_sys::input::read_bounded(&mut file, 1024).map_err(|e| failed(&e))?;
    let text = std::str::from_utf8(&bytes).unwrap_or("\u{fffd}");
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn session_variable(ctx: &Context) -> Result<SecretText, Failure> {
    let text = ctx
        .settings
        .env
        .session
        .as_ref()
        .map(|t| t.trim())
        .unwrap_or_default();
    if text.is_empty() {
        return Err(
            Failure::unauthorized("the session from HQ_VAULT_SESSION is empty")
                .hint("unset it, or set it with: export HQ_VAULT_SESSION=\"$(hq-vault unlock --raw)\""),
        );
    }
    check(text, CredentialKind::Session, Origin::SessionVariable)?;
    Ok(SecretText::new(text.to_owned()))
}

/// Told here, before anything is sent.
fn check(text: &str, wanted: CredentialKind, origin: Origin) -> Result<(), Failure> {
    let noun = if wanted == CredentialKind::Token {
        "token"
    } else {
        "session"
    };
    let what = match wire::parse(text) {
        Ok(found) if found.kind == wanted => return Ok(()),
        Ok(_) => format!("what {} holds is not a {noun}", origin.place()),
        Err(WireError::NotOne) => format!("what {} holds is not a {noun}", origin.place()),
        Err(WireError::Cut) => format!("the {noun} from {} is cut short or too long", origin.place()),
        Err(WireError::Mistyped) => format!("the {noun} from {} is mistyped", origin.place()),
        Err(WireError::Version) => format!("the {noun} from {} is of a newer hq-vault", origin.place()),
    };
    Err(Failure::unauthorized(what).hint("nothing was sent; copy it again as a whole"))
}

/// Whether there is a person to be asked.
pub fn person_is_there() -> bool {
    hqv_sys::tty::is_foreground_tty(std::io::stdin().as_fd())
}

/// Asks without showing what is typed.
pub fn ask_hidden(prompt: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    hqv_sys::tty::read_hidden(prompt, limit).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Interrupted => {
            Failure::refused("nothing was typed").hint("run the same command again")
        }
        _ => Failure::io("cannot ask on this terminal", &e),
    })
}

fn prompted_session(ctx: &Context, link: &Link<'_>) -> Result<SecretText, Failure> {
    link.must_be_unlocked()?;
    let prompt = format!("Passphrase for {} (hidden): ", ctx.vault_name());
    let typed = ask_hidden(&prompt, PASSPHRASE_MAX)?;
    let _spinner = Spinner::start(&ctx.out, "opening a session");
    link.open_session(SecretBytes::from_slice(&typed))
}

/// The passphrase in the file that `HQ_VAULT_PASSPHRASE_FILE` names: refused
/// when others can read it; one final newline is not part of it.
pub fn passphrase_file(path: &Path) -> Result<SecretBytes, Failure> {
    let name = shown(path);
    let mut file = hqv_sys::input::open_secret_input(path).map_err(|e| {
        let failure = Failure::io(format!("cannot use the passphrase file {name}"), &e);
        match files::why_not_private(&e) {
            Some(files::NotPrivate::Mode(_)) => {
                Failure::unauthorized(format!("others can read the passphrase file {name}")).hint(format!(
                    "chmod 600 {name}, and change the passphrase if somebody may have read it"
                ))
            }
            _ => failure.hint("HQ_VAULT_PASSPHRASE_FILE names it; unset that to be asked instead"),
        }
    })?;
    let mut bytes = hqv_sys::input::read_bounded(&mut file, PASSPHRASE_MAX + 3)
        .map_err(|e| Failure::io(format!("cannot read the passphrase file {name}"), &e))?;
    if bytes.last() == Some(&b'\n') {
        let kept = bytes.len() - 1;
        bytes.truncate(kept);
    }
    if bytes.is_empty() {
        return Err(Failure::unauthorized(format!(
            "the passphrase file {name} is empty"
        )));
    }
    if bytes.len() > PASSPHRASE_MAX {
        return Err(Failure::usage(format!(
            "the passphrase in {name} is over {PASSPHRASE_MAX} bytes"
        )));
    }
    Ok(SecretBytes::from_slice(&bytes))
}

/// The kept session, or a new one that is kept. The file is locked meanwhile,
/// so that ten commands at once cost one KDF.
fn kept_session(ctx: &Context, link: &Link<'_>) -> Result<SecretText, Failure> {
    let Some(path) = &ctx.settings.env.passphrase_file else {
        return Err(super::context::nobody());
    };
    let open = || {
        let passphrase = passphrase_file(path)?;
        let _spinner = Spinner::start(&ctx.out, "opening a session");
        link.open_session(passphrase)
    };
    if !link.is_local() {
        return open();
    }
    let cache = ctx.settings.dir.session_cache();
    let Ok(mut file) = files::open_private(&cache, Access::Create) else {
        return open();
    };
    // Where the file system has no locks, each command opens its own.
    let _ = file.lock();
    if let Some(kept) = read_session(&mut file) {
        return Ok(kept);
    }
    link.must_be_unlocked()?;
    let session = open()?;
    let _ = keep(&cache, &session);
    Ok(session)
}

/// Keeps a session that `unlock` or `init` opened with the passphrase file.
pub fn keep_session(ctx: &Context, session: &SecretText) {
    if ctx.settings.env.passphrase_file.is_some() {
        let _ = keep(&ctx.settings.dir.session_cache(), session);
    }
}

/// Written in place, not renamed: others wait for the lock on this very file.
fn keep(path: &Path, session: &SecretText) -> std::io::Result<()> {
    let mut file = files::open_private(path, Access::Create)?;
    file.set_len(0)?;
    file.write_all(session.reveal().as_bytes())
}

fn read_cache(path: &Path) -> Option<SecretText> {
    read_session(&mut files::open_private(path, Access::Read).ok()?)
}

fn read_session(file: &mut File) -> Option<SecretText> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(255).read_to_string(&mut text).ok()?;
    wire::parse(&text)
        .ok()
        .filter(|c| c.kind == CredentialKind::Session)?;
    Some(SecretText::new(text.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn in8_one_final_newline_is_not_part_of_the_passphrase() {
        let (_dir, path) = file(b"correct horse\n\n", 0o600);
        assert_eq!(passphrase_file(&path).unwrap().reveal(), b"correct horse\n");
        let (_dir, path) = file(b"correct horse", 0o600);
        assert_eq!(passphrase_file(&path).unwrap().reveal(), b"correct horse");
    }

    #[test]
    fn in8_a_file_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o660] {
            let (_dir, path) = file(b"correct horse\n", mode);
            let failure = passphrase_file(&path).unwrap_err();
            assert_eq!(failure.exit(), 4, "{mode:o}");
            assert!(!failure.message().contains("horse"));
        }
    }

    #[test]
    fn in8_an_empty_or_missing_file_is_an_error() {
        for content in [&b""[..], b"\n"] {
            let (_dir, path) = file(content, 0o600);
            assert!(passphrase_file(&path).is_err());
        }
        let (dir, _) = file(b"x", 0o600);
        assert!(passphrase_file(&dir.path().join("nothing")).is_err());
    }
}
