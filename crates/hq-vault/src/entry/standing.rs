//! Whether a prompt for an entry stands already.
//!
//! A prompt in a process of its own outlives the command that started it, and an agent runs that command again
//! and again. So the prompt holds a lock on a file named after the entry, which the kernel drops however the
//! prompt ends. It is there to spare the person a second prompt: nothing else depends on it.

use std::path::{Path, PathBuf};

use hqv_sys::lock::{self, VaultLock};

use crate::cli::context::Context;

const NAME: (&str, &str) = ("hq-vault-prompt-", ".lock");

/// Told as long as it lives.
pub struct Standing {
    path: PathBuf,
    _lock: VaultLock,
}

impl Standing {
    /// Begins. None where that cannot be told, or another prompt stands: the person may have both.
    pub fn begin(ctx: &Context, id: &str) -> Option<Standing> {
        let root = ctx.settings.dir.root();
        sweep(root);
        let path = place(root, id)?;
        let lock = VaultLock::acquire(&path).ok()?;
        Some(Standing { path, _lock: lock })
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether one stands.
pub fn is_there(ctx: &Context, id: &str) -> bool {
    let path = place(ctx.settings.dir.root(), id);
    path.is_some_and(|path| is_held(&path))
}

fn is_held(path: &Path) -> bool {
    lock::holder(path).is_ok_and(|holder| holder.is_some())
}

/// The id may come from a server that is not ours.
fn place(root: &Path, id: &str) -> Option<PathBuf> {
    let plain = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then(|| root.join(format!("{}{id}{}", NAME.0, NAME.1)))
}

/// Removes what prompts that were killed have left.
fn sweep(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(NAME.0) && name.ends_with(NAME.1));
        if ours && !is_held(&entry.path()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_swept_unless_it_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let (held, left) = (place(dir.path(), "ent_1").unwrap(), place(dir.path(), "ent_2").unwrap());
        let lock = VaultLock::acquire(&held).unwrap();
        drop(VaultLock::acquire(&left).unwrap());
        std::fs::write(dir.path().join("vault.lock"), "").unwrap();
        sweep(dir.path());
        assert!(held.exists() && is_held(&held) && !left.exists() && dir.path().join("vault.lock").exists());
        drop(lock);
        assert!(!is_held(&held));
        for id in ["../x", "ent_1/..", "", &"a".repeat(65)] {
            assert!(place(dir.path(), id).is_none_or(|path| path.parent() == Some(dir.path())), "{id}");
        }
        assert_eq!(place(dir.path(), "../x"), None);
    }
}
