//! Who acts: a token if one is given, the owner's session, the passphrase
//! file, a passphrase prompt, else nobody.

use std::path::Path;

use hqv_crypto::wire::{self, CredentialKind, WireError};
use hqv_model::SecretText;
use zeroize::Zeroizing;

use super::context::Context;
use super::link::Link;
use super::output::error::Failure;
use super::passphrase;
use crate::settings::paths::shown;

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
        !matches!(self.origin, Origin::TokenFlag | Origin::TokenVariable | Origin::TokenFileVariable)
    }

    /// `token deploy-run-42 from HQ_VAULT_TOKEN`, with the name that the vault
    /// gave, where it knew the token.
    pub fn describe(&self, name: Option<&str>) -> String {
        match self.origin {
            Origin::SessionVariable => "owner session from HQ_VAULT_SESSION".to_owned(),
            Origin::PassphraseFile => "owner session from HQ_VAULT_PASSPHRASE_FILE".to_owned(),
            Origin::Prompt => "owner, passphrase typed here".to_owned(),
            token => {
                let name = name.map(|n| format!("token {n}")).unwrap_or_else(|| "token".to_owned());
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
            settings.env.token_file.as_ref().map(|_| Origin::TokenFileVariable)
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

    /// The same without a person to be asked.
    pub fn without_prompt(ctx: &Context) -> Identities {
        let mut all = Identities::of(ctx);
        all.left.retain(|origin| *origin != Origin::Prompt);
        all
    }

    /// The next credential. None where nobody is left to act.
    pub fn next(&mut self, ctx: &Context, link: &Link<'_>) -> Result<Option<Acting>, Failure> {
        let Some(origin) = self.left.pop() else {
            return Ok(None);
        };
        let credential = match origin {
            Origin::TokenFlag | Origin::TokenVariable | Origin::TokenFileVariable => token(ctx, origin)?,
            Origin::SessionVariable => session_variable(ctx)?,
            Origin::PassphraseFile => passphrase::kept_session(ctx, link)?,
            Origin::Prompt => {
                if !passphrase::person_is_there() {
                    return Ok(None);
                }
                passphrase::prompted_session(ctx, link)?
            }
        };
        Ok(Some(Acting { credential, origin }))
    }

    /// A kept session was refused: it is not tried again.
    pub fn forget_cached(&mut self, ctx: &Context, acting: &Acting) {
        if acting.origin == Origin::PassphraseFile {
            passphrase::forget_session(ctx);
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
        Origin::PassphraseFile => passphrase::session_at_hand(ctx)?,
        Origin::Prompt => return None,
    };
    Some(Acting { credential, origin })
}

fn token(ctx: &Context, origin: Origin) -> Result<SecretText, Failure> {
    let env = &ctx.settings.env;
    let text = match origin {
        Origin::TokenFlag => token_file(ctx.settings.flags.token_file.as_deref(), origin)?,
        Origin::TokenFileVariable => token_file(env.token_file.as_deref(), origin)?,
        _ => Zeroizing::new(env.token.as_ref().map(|t| t.trim().to_owned()).unwrap_or_default()),
    };
    if text.is_empty() {
        return Err(Failure::unauthorized(format!("the token from {} is empty", origin.place()))
            .hint("unset it to act as the owner, or set it to a token"));
    }
    check(&text, CredentialKind::Token, origin)?;
    Ok(SecretText::new(text.as_str().to_owned()))
}

fn token_file(path: Option<&Path>, origin: Origin) -> Result<Zeroizing<String>, Failure> {
    let path = path.unwrap_or(Path::new(""));
    if path.as_os_str().is_empty() {
        return Ok(Zeroizing::default());
    }
    if path.to_string_lossy().starts_with("hqv_") {
        return Err(Failure::usage(format!("{} names a file, not a token", origin.place()))
            .hint("put the token into a file that only you can read"));
    }
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read the token file {}", shown(path)), e);
    let mut file = hqv_sys::input::open_input(path).map_err(|e| failed(&e))?;
    let bytes = hqv_sys::input::read_bounded(&mut file, 1024).map_err(|e| failed(&e))?;
    let text = std::str::from_utf8(&bytes).unwrap_or("\u{fffd}");
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn session_variable(ctx: &Context) -> Result<SecretText, Failure> {
    let text = ctx.settings.env.session.as_ref().map(|t| t.trim()).unwrap_or_default();
    if text.is_empty() {
        return Err(Failure::unauthorized("the session from HQ_VAULT_SESSION is empty")
            .hint("unset it, or set it with: export HQ_VAULT_SESSION=\"$(hq-vault unlock --raw)\""));
    }
    check(text, CredentialKind::Session, Origin::SessionVariable)?;
    Ok(SecretText::new(text.to_owned()))
}

/// Told here, before anything is sent.
fn check(text: &str, wanted: CredentialKind, origin: Origin) -> Result<(), Failure> {
    let noun = if wanted == CredentialKind::Token { "token" } else { "session" };
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
