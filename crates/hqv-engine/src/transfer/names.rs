//! Which variable a secret becomes, and which names must not be given to a shell.
//!
//! A shell has variables of its own. Some it refuses to set or changes as it likes, so that a value could
//! not be restored; some it reads as arithmetic, in which a value could run commands (`SECONDS` in mksh);
//! some decide what runs next (`PATH`, `PROMPT_COMMAND`), so that whoever may write a secret could run
//! commands in the reader's shell. Formats for a shell refuse them by path. The lists were found by setting
//! every variable that bash 5.2, dash 0.5, zsh 5.9, ksh93u+, mksh R59 and busybox 1.35 document or show.

use super::{Entry, refused};
use hqv_model::{EnvName, Error, Prefix, Result, SecretBytes, SecretPath, escape_controls};
use std::collections::HashMap;

/// One secret to be named.
pub struct Item {
    path: SecretPath,
    env: Option<EnvName>,
    value: SecretBytes,
}

impl From<(SecretPath, SecretBytes)> for Item {
    fn from((path, value): (SecretPath, SecretBytes)) -> Self {
        Item { path, env: None, value }
    }
}

impl From<(SecretPath, Option<EnvName>, SecretBytes)> for Item {
    /// With the `env` name that the secret carries, where it does.
    fn from((path, env, value): (SecretPath, Option<EnvName>, SecretBytes)) -> Self {
        Item { path, env, value }
    }
}

/// Names each secret: its own `env` name, else the one its path below the prefix gives
/// ([`EnvName::from_rest`]). Keeps the order.
///
/// [`hqv_model::Code::Conflict`] naming both paths where two give one name; [`hqv_model::Code::BadRequest`] for a
/// path that is not below the prefix.
pub fn name_entries<I: Into<Item>>(
    prefix: &Prefix,
    items: impl IntoIterator<Item = I>,
) -> Result<Vec<Entry>> {
    let mut taken: HashMap<EnvName, SecretPath> = HashMap::new();
    let mut entries = Vec::new();
    for item in items {
        let Item { path, env, value } = item.into();
        let rest = prefix.strip(&path).filter(|rest| !rest.is_empty()).ok_or_else(|| {
            let (path, prefix) = (escape_controls(path.as_str()), prefix.to_string());
            Error::bad_request(format!("{path} is not below {}", escape_controls(&prefix)))
        })?;
        let name = env.unwrap_or_else(|| EnvName::from_rest(rest));
        if let Some(other) = taken.insert(name.clone(), path.clone()) {
            return Err(collision(&name, &other, &path));
        }
        entries.push(Entry { name, path, value });
    }
    Ok(entries)
}

/// Refuses two entries of one name, naming both paths: for entries that were put together from several places.
///
/// # Errors
/// [`hqv_model::Code::Conflict`].
pub fn check_unique(entries: &[Entry]) -> Result<()> {
    let mut taken: HashMap<&EnvName, &SecretPath> = HashMap::new();
    for entry in entries {
        if let Some(other) = taken.insert(&entry.name, &entry.path) {
            return Err(collision(&entry.name, other, &entry.path));
        }
    }
    Ok(())
}

fn collision(name: &EnvName, one: &SecretPath, other: &SecretPath) -> Error {
    let (one, other) = (escape_controls(one.as_str()), escape_controls(other.as_str()));
    Error::conflict(format!("{one} and {other} both give the variable {name}"))
        .hint("move one of them, or take a longer prefix")
}

/// Who keeps variables of its own, on top of those that no secret may become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeper {
    /// Programs in general.
    Programs,
    /// bash.
    Bash,
    /// Every POSIX shell.
    Shells,
    /// fish.
    Fish,
    /// PowerShell.
    PowerShell,
}

/// Refuses a name that decides what shells and programs run: whoever may write a secret must not choose that.
///
/// # Errors
/// [`hqv_model::Code::BadRequest`] with the path.
pub fn check_program_name(entry: &Entry) -> Result<()> {
    check_name(entry, Keeper::Programs)
}

/// Refuses a name that decides what runs, or that its keeper would not simply hold.
pub(super) fn check_name(entry: &Entry, keeper: Keeper) -> Result<()> {
    let name = entry.name.as_str();
    let in_bash = || BASH.contains(&name) || BASH_STARTS.iter().any(|start| name.starts_with(start));
    let in_others = || OTHERS.contains(&name) || OTHER_STARTS.iter().any(|start| name.starts_with(start));
    // PowerShell on Windows takes `Path` for `PATH`.
    let in_any_case = || keeper == Keeper::PowerShell && is_obeyed_in_any_case(name);
    let owner = if in_any_case()
        || OBEYED.contains(&name)
        || OBEYED_STARTS.iter().any(|start| name.starts_with(start))
    {
        "decides what shells and programs run"
    } else if matches!(keeper, Keeper::Bash | Keeper::Shells) && in_bash() {
        "is one of the shell's own"
    } else if keeper == Keeper::Shells && in_others() {
        "is one of the shell's own in zsh, ksh or mksh"
    } else if keeper == Keeper::Fish && (FISH.contains(&name) || name.starts_with("fish_")) {
        "is one of fish's own"
    } else if keeper == Keeper::PowerShell && name.eq_ignore_ascii_case("PSModulePath") {
        "decides what PowerShell runs"
    } else {
        return Ok(());
    };
    Err(refused(entry, &format!("the variable {name} {owner}")).hint("move the secret, or use --format json"))
}

/// For readers that do not tell upper from lower case.
pub(super) fn is_obeyed_in_any_case(name: &str) -> bool {
    OBEYED.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// What shells and the loader act on. Not lost, but never to come from a secret.
const OBEYED: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "EXECIGNORE",
    "FCEDIT",
    "FIGNORE",
    "FPATH",
    "GLOBIGNORE",
    "GLOBSORT",
    "HOME",
    "IFS",
    "INPUTRC",
    "KEYBD_TRAP",
    "MODULE_PATH",
    "NULLCMD",
    "OLDPWD",
    "PATH",
    "POSIXLY_CORRECT",
    "PROMPT",
    "PROMPT2",
    "PROMPT3",
    "PROMPT4",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PWD",
    "READNULLCMD",
    "RPROMPT",
    "RPROMPT2",
    "RPS1",
    "RPS2",
    "SHELL",
    "SHELLOPTS",
    "SPROMPT",
    "STTY",
    "TIMEFMT",
    "TIMEFORMAT",
    "ZDOTDIR",
];

const OBEYED_STARTS: &[&str] = &["LD_", "DYLD_", "_hqv"];

/// What bash keeps for itself.
const BASH: &[&str] = &[
    "BASH",
    "BASHOPTS",
    "BASHPID",
    "COMPREPLY",
    "COPROC",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "FUNCNEST",
    "GROUPS",
    "HISTCMD",
    "HISTSIZE",
    "LANG",
    "LINENO",
    "MAPFILE",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "TMOUT",
    "UID",
    "_",
    "histchars",
];

const BASH_STARTS: &[&str] = &["BASH_", "COMP_", "LC_", "READLINE_"];

/// What the other shells keep for themselves.
const OTHERS: &[&str] = &[
    "ARGC",
    "COLUMNS",
    "EGID",
    "ERRNO",
    "GID",
    "HISTCHARS",
    "JOBMAX",
    "KEYBOARD_HACK",
    "KEYTIMEOUT",
    "LINES",
    "LISTMAX",
    "MAILCHECK",
    "PGRP",
    "REPORTMEMORY",
    "REPORTTIME",
    "SAVEHIST",
    "TTYIDLE",
    "USERNAME",
    "USER_ID",
    "aliases",
    "argv",
    "builtins",
    "cdpath",
    "commands",
    "dirstack",
    "fignore",
    "fpath",
    "funcfiletrace",
    "funcsourcetrace",
    "funcstack",
    "functions",
    "functions_source",
    "functrace",
    "galiases",
    "history",
    "historywords",
    "jobdirs",
    "jobstates",
    "jobtexts",
    "keymaps",
    "mailpath",
    "manpath",
    "module_path",
    "modules",
    "nameddirs",
    "options",
    "parameters",
    "patchars",
    "path",
    "pipestatus",
    "prompt",
    "psvar",
    "reswords",
    "saliases",
    "signals",
    "status",
    "termcap",
    "terminfo",
    "userdirs",
    "usergroups",
    "watch",
    "widgets",
    "zsh_eval_context",
    "zsh_scheduled_events",
];

/// What fish keeps for itself.
const FISH: &[&str] = &[
    "CMD_DURATION",
    "COLUMNS",
    "FISH_VERSION",
    "LANG",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "SHLVL",
    "_",
    "argv",
    "history",
    "hostname",
    "pipestatus",
    "status",
    "status_generation",
    "umask",
    "version",
];

const OTHER_STARTS: &[&str] = &["KSH", "TRY_BLOCK_", "ZLE_", "ZSH_", "dis_"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::super::{Format, render};
    use super::*;
    use hqv_model::Code;

    fn items(paths: &[&str]) -> Vec<(SecretPath, SecretBytes)> {
        paths.iter().map(|path| (SecretPath::parse(path).unwrap(), SecretBytes::from_slice(b"v"))).collect()
    }

    #[test]
    fn names_come_from_the_rest_of_the_path() {
        let prefix = Prefix::parse("myapp").unwrap();
        let entries = name_entries(&prefix, items(&["myapp/aws-key", "myapp/db/url", "myapp/2fa"])).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["AWS_KEY", "DB_URL", "_2FA"]);
        let all = name_entries(&Prefix::everything(), items(&["myapp/aws-key"])).unwrap();
        assert_eq!(all[0].name.as_str(), "MYAPP_AWS_KEY");
    }

    #[test]
    fn ou2_two_paths_that_give_one_name_are_refused_naming_both() {
        let prefix = Prefix::parse("myapp").unwrap();
        let error =
            name_entries(&prefix, items(&["myapp/a-b", "myapp/x", "myapp/a/b"])).expect_err("equal names");
        assert_eq!(error.code(), Code::Conflict);
        assert_eq!(error.message(), "myapp/a-b and myapp/a/b both give the variable A_B");
        let own = |path: &str, env: Option<&str>| {
            let env = env.map(|name| EnvName::parse(name).unwrap());
            (SecretPath::parse(path).unwrap(), env, SecretBytes::from_slice(b"v"))
        };
        let error =
            name_entries(&prefix, [own("myapp/x", Some("Y")), own("myapp/y", None)]).expect_err("own name");
        assert_eq!(error.message(), "myapp/x and myapp/y both give the variable Y");
        let apart = name_entries(&prefix, [own("myapp/a-b", Some("FIRST")), own("myapp/a/b", None)]).unwrap();
        assert_eq!(apart[0].name.as_str(), "FIRST");
    }

    #[test]
    fn ou2_a_path_that_is_not_below_the_prefix_is_refused() {
        let prefix = Prefix::parse("myapp").unwrap();
        for path in ["myapp", "myapplication/x", "other"] {
            let error = name_entries(&prefix, items(&[path])).expect_err(path);
            assert_eq!(error.message(), format!("{path} is not below myapp/"));
        }
    }

    #[test]
    fn ou2_names_that_a_shell_obeys_or_keeps_are_refused_by_path() {
        let refused = |format, name: &str| {
            render(format, &[entry(name, b"v")]).err().map(|error| error.message().to_owned())
        };
        for name in
            ["PATH", "IFS", "PROMPT_COMMAND", "BASH_ENV", "LD_PRELOAD", "UID", "_", "RANDOM", "LC_ALL"]
        {
            for format in [Format::Export, Format::Dotenv] {
                let message = refused(format, name).expect(name);
                assert!(message.starts_with(&format!("app/{name}: the variable {name} ")), "{message}");
            }
            assert_eq!(refused(Format::Json, name), None);
        }
        // What a script's own bash sources, or any other program obeys, is refused by every format of an environment.
        for name in ["BASH_ENV", "SHELLOPTS", "PATH", "LD_PRELOAD"] {
            for format in [Format::Fish, Format::Powershell, Format::Docker, Format::Systemd, Format::Github]
            {
                assert!(refused(format, name).is_some(), "{name} in {}", format.as_str());
            }
            assert!(check_program_name(&entry(name, b"v")).is_err(), "{name} under run");
        }
        // On Windows this is PATH.
        for format in [Format::Powershell, Format::Github] {
            assert!(refused(format, "Path").is_some());
        }
        assert_eq!(refused(Format::Dotenv, "Path"), None);
        for name in ["USERNAME", "path", "KSHUID", "LINES"] {
            assert!(refused(Format::Export, name).is_some(), "{name}");
            assert_eq!(refused(Format::Dotenv, name), None);
        }
        for name in ["PASSWORD", "PORT", "HOST", "USER", "PATHS", "BASHFUL", "if", "export"] {
            assert_eq!(refused(Format::Export, name), None);
        }
    }
}
