//! What stands around the vault: this environment, and the ways in that a
//! program of the same user has.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::cli::context::Context;
use crate::cli::passphrase;
use crate::settings::paths::shown;

/// Start files that run in every shell.
const START_FILES: &[&str] =
    &[".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".config/fish/config.fish"];

/// Looks at the environment, the start files, the program and the kernel.
pub fn look(ctx: &Context) -> Vec<Finding> {
    let mut found = environment(ctx);
    found.extend(writable_by_others(ctx));
    if hqv_sys::process::is_traced() {
        found.push(Finding::new(
            "traced",
            "a debugger is attached to this process",
            "find out who started it",
        ));
    }
    if ctx.settings.env.preload {
        let words = "LD_PRELOAD is set: another library runs inside every program you start";
        found.push(Finding::new("preload", words, "unset it where hq-vault runs, unless it is yours"));
    }
    drop(hqv_sys::memory::LockedBytes::<32>::zeroed());
    if hqv_sys::memory::lock_failed() {
        let words = "memory cannot be locked (RLIMIT_MEMLOCK): keys could reach the swap";
        found.push(Finding::note("memlock", words, "raise it: ulimit -l 1024, or LimitMEMLOCK= in a unit"));
    }
    found.extend(kernel(
        &std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default(),
        &std::fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").unwrap_or_default(),
    ));
    found
}

fn environment(ctx: &Context) -> Vec<Finding> {
    let env = &ctx.settings.env;
    let mut found = Vec::new();
    if env.token.as_ref().is_some_and(|t| t.trim().is_empty()) {
        let words = "HQ_VAULT_TOKEN is set but empty: every command is refused";
        found.push(Finding::new("token-empty", words, "unset HQ_VAULT_TOKEN"));
    }
    if env.session.is_some() && !env.session_for_once {
        let words = "HQ_VAULT_SESSION is in the environment: all that this shell starts acts as the owner";
        found.push(Finding::new(
            "session-inherited",
            words,
            "unset it; hq-vault shell-init keeps a session unexported",
        ));
    }
    if let Some(path) = &env.passphrase_file
        && let Err(failure) = passphrase::passphrase_file(path)
    {
        let hint = failure.hint_text().unwrap_or("HQ_VAULT_PASSPHRASE_FILE names it").to_owned();
        found.push(Finding::new("passphrase-file", failure.message(), hint));
    }
    found
}

/// Whoever can change these can act as us.
fn writable_by_others(ctx: &Context) -> Vec<Finding> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Some(home) = ctx.settings.home() {
        paths.push(home.clone());
        paths.extend(START_FILES.iter().map(|name| home.join(name)));
    }
    if let Ok(program) = std::env::current_exe() {
        paths.extend(program.parent().map(Path::to_owned));
        paths.push(program);
    }
    paths.iter().filter(|p| others_can_write(p)).map(|p| open_to_others(p)).collect()
}

fn open_to_others(path: &Path) -> Finding {
    let name = shown(path);
    let words = format!("others can write to {name}: they can change what your shell and this program do");
    Finding::new("writable-by-others", words, format!("chmod go-w {name}"))
}

/// A sticky directory such as /tmp does not let others replace what is ours.
fn others_can_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.mode() & 0o002 != 0 && m.mode() & 0o1000 == 0)
}

fn kernel(ptrace_scope: &str, tiocsti: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if matches!(ptrace_scope.trim(), "" | "0") {
        let words =
            "any program of yours can read the memory of your shells (Yama is off), and a session in it";
        found.push(Finding::note(
            "yama",
            words,
            "sysctl kernel.yama.ptrace_scope=1, or run agents as another user",
        ));
    }
    if tiocsti.trim() == "1" {
        let words = "programs can type into your terminal (legacy TIOCSTI is on)";
        found.push(Finding::note("tiocsti", words, "sysctl dev.tty.legacy_tiocsti=0"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_doors_are_named() {
        let ids = |scope, tiocsti| kernel(scope, tiocsti).into_iter().map(|f| f.id).collect::<Vec<_>>();
        assert_eq!(ids("1\n", "0\n"), Vec::<&str>::new());
        assert_eq!(ids("0\n", "1\n"), ["yama", "tiocsti"]);
        assert_eq!(ids("", ""), ["yama"]);
    }
}
