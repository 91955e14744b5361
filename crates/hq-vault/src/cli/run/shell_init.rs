//! `shell-init`: the function that gives a shell a session of its own.
//!
//! The POSIX text is one for all shells but fish. bash and zsh take a function
//! of the program's own name; dash and ksh take no `-` in one, so that they get
//! an alias to it. The shells' tests run the very text under `set -a`, `set -u`
//! and `set -x`.

use crate::cli::args::tools::ShellName;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::settings::Settings;

const POSIX: &str = include_str!("shells/posix.sh");
const FISH: &str = include_str!("shells/fish.fish");

/// Prints the text for `shell`.
pub fn run(ctx: &Context, shell: ShellName) -> Result<(), Failure> {
    ctx.out.bytes(text(shell).as_bytes())
}

const FUNCTION: &str = "hq-vault() { __hq_vault \"$@\"; }";
const ALIAS: &str = "alias hq-vault=__hq_vault";
const ALIAS_NOTE: &str = "\
# This shell takes no `-` in a function's name, so hq-vault becomes an alias: it holds from the next line
# on, and in scripts only where aliases do.
";

fn text(shell: ShellName) -> String {
    let (name, called, note) = match shell {
        ShellName::Fish => return FISH.to_owned(),
        ShellName::Bash => ("bash", FUNCTION, ""),
        ShellName::Zsh => ("zsh", FUNCTION, ""),
        ShellName::Ksh => ("ksh", ALIAS, ALIAS_NOTE),
        ShellName::Dash => ("dash", ALIAS, ALIAS_NOTE),
    };
    POSIX.replace("%SHELL%", name).replace("%NAME%", called).replace("%NOTE%", note)
}

/// The line for the start file of the person's own shell.
pub fn line(settings: &Settings) -> String {
    let shell = settings.env.shell.as_deref().unwrap_or_default();
    let name = match shell.rsplit('/').next().unwrap_or_default() {
        "fish" => return "hq-vault shell-init fish | source".to_owned(),
        "zsh" => "zsh",
        "ksh" | "ksh93" | "mksh" => "ksh",
        "dash" | "sh" | "ash" | "busybox" => "dash",
        _ => "bash",
    };
    format!("eval \"$(hq-vault shell-init {name})\"")
}
