//! What the vault directory looks like from outside.

use std::path::{Path, PathBuf};

use hqv_sys::files::{self, NotPrivate};

use super::Finding;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::settings::paths::shown;

/// Kind, owner and mode of everything that is ours.
pub fn look(ctx: &Context) -> Vec<Finding> {
    let dir = &ctx.settings.dir;
    let root = dir.root();
    let mut found = Vec::new();
    if let Some(failure) = &ctx.settings.file_failure {
        let hint = failure.hint_text().unwrap_or("correct it").to_owned();
        found.push(Finding::new("config", failure.message(), hint));
    }
    if std::fs::symlink_metadata(root).is_err() {
        found.push(Finding::new(
            "no-vault",
            format!("there is no vault in {}", ctx.vault_name()),
            "hq-vault init",
        ));
        return found;
    }
    match files::check_private_dir(root) {
        Ok(()) => {}
        Err(why) => found.push(of("dir", root, &why)),
    }
    if !dir.holds_vault() {
        found.push(Finding::new(
            "no-vault",
            format!("there is no vault in {}", ctx.vault_name()),
            "hq-vault init",
        ));
    }
    for path in ours(root) {
        found.extend(file(&path));
    }
    found
}

fn ours(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
}

fn file(path: &Path) -> Option<Finding> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') && name.ends_with(".tmp") {
        let target = path.to_owned();
        let words = format!("{} was left behind by a write that did not end", shown(path));
        let finding = Finding::new("left-over", words, "hq-vault doctor --fix removes it");
        return Some(
            finding
                .fix(move |_| std::fs::remove_file(&target).map_err(|e| Failure::io("cannot remove it", &e))),
        );
    }
    let known = name.starts_with("vault.") || name.starts_with("audit") || name.starts_with("tls.");
    if !known && !matches!(name, "ca.pem" | "config.toml" | "session.cache") {
        return None;
    }
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir()) {
        return Some(of("file", path, &NotPrivate::WrongKind("a directory")));
    }
    match files::check_private(path) {
        Ok(()) => None,
        // The socket is no regular file; its directory guards it.
        Err(NotPrivate::WrongKind("a socket")) if name == "vault.sock" => None,
        Err(why) => Some(of("file", path, &why)),
    }
}

fn of(what: &'static str, path: &Path, why: &NotPrivate) -> Finding {
    let name = shown(path);
    let words = format!("{name}: {why}");
    match why {
        NotPrivate::Mode(_) => {
            let target = path.to_owned();
            let id = if what == "dir" { "dir-mode" } else { "file-mode" };
            let hint = "hq-vault doctor --fix takes these rights away; ask yourself who may have read it";
            let finding = if name.ends_with("/config.toml") {
                // It holds nothing that others may not know; the directory keeps them out anyway.
                Finding::note(id, words, hint)
            } else {
                Finding::new(id, words, hint)
            };
            finding.fix(move |_| {
                files::make_private(&target).map_err(|e| Failure::io("cannot change its mode", &e))
            })
        }
        NotPrivate::OtherOwner(_) => {
            let id = if what == "dir" { "dir-owner" } else { "file-owner" };
            Finding::new(id, words, format!("chown it to yourself, or use another --vault-dir: {name}"))
        }
        NotPrivate::Symlink => {
            let id = if what == "dir" { "dir-link" } else { "file-link" };
            Finding::new(id, words, "links are never followed here; put the thing itself in its place")
        }
        _ => {
            let id = if what == "dir" { "dir-kind" } else { "file-kind" };
            Finding::new(id, words, "move it away")
        }
    }
}
