//! The passphrase: of a person, of a file, and the session that a file opened.
//!
//! It is asked only of a person at rest: stdin is a terminal in canonical mode
//! and our process group is in its foreground. A session opened from the
//! passphrase file is kept in the vault directory (0600), since whoever can read
//! it can read that file too; one process at a time runs the KDF for it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use hqv_crypto::wire::{self, CredentialKind};
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

/// A session for the passphrase that a person types now.
pub fn prompted_session(ctx: &Context, link: &Link<'_>) -> Result<SecretText, Failure> {
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
    if name.is_empty() {
        return Err(Failure::unauthorized("HQ_VAULT_PASSPHRASE_FILE is set but empty")
            .hint("unset it to be asked instead, or name a file that only you can read"));
    }
    let mut file = hqv_sys::input::open_secret_input(path).map_err(|e| {
        let failure = Failure::io(format!("cannot use the passphrase file {name}"), &e);
        match files::why_not_private(&e) {
            Some(files::NotPrivate::Mode(_)) => {
                Failure::unauthorized(format!("others can read the passphrase file {name}"))
                    .hint(format!("chmod 600 {name}, and change the passphrase if somebody may have read it"))
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
        return Err(Failure::unauthorized(format!("the passphrase file {name} is empty")));
    }
    if bytes.len() > PASSPHRASE_MAX {
        return Err(Failure::usage(format!("the passphrase in {name} is over {PASSPHRASE_MAX} bytes")));
    }
    Ok(SecretBytes::from_slice(&bytes))
}

/// The kept session, or a new one that is kept. The file is locked meanwhile,
/// so that ten commands at once cost one KDF.
pub fn kept_session(ctx: &Context, link: &Link<'_>) -> Result<SecretText, Failure> {
    let Some(path) = &ctx.settings.env.passphrase_file else {
        return Err(super::context::nobody());
    };
    // Looked at also where a session is kept: who cannot show the file does not get it.
    let passphrase = passphrase_file(path)?;
    let open = || {
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

/// The kept session, without asking or opening anything.
pub fn session_at_hand(ctx: &Context) -> Option<SecretText> {
    read_session(&mut files::open_private(&ctx.settings.dir.session_cache(), Access::Read).ok()?)
}

/// The kept session has ended.
pub fn forget_session(ctx: &Context) {
    let _ = std::fs::remove_file(ctx.settings.dir.session_cache());
}

fn read_session(file: &mut File) -> Option<SecretText> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(255).read_to_string(&mut text).ok()?;
    wire::parse(&text).ok().filter(|c| c.kind == CredentialKind::Session)?;
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
