//! `shell-init`: the function that gives a shell a session of its own.
//!
//! The POSIX text is one for all shells but fish: a function under a plain
//! name and an alias, since dash and ksh take no `-` in a function's name. The
//! shells' tests run the very text under `set -a`, `set -u` and `set -x`.

use crate::cli::args::tools::ShellName;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

const POSIX: &str = include_str!("shells/posix.sh");
const FISH: &str = include_str!("shells/fish.fish");

/// Prints the text for `shell`.
pub fn run(ctx: &Context, shell: ShellName) -> Result<(), Failure> {
    ctx.out.bytes(text(shell).as_bytes())
}

fn text(shell: ShellName) -> String {
    let name = match shell {
        ShellName::Fish => return FISH.to_owned(),
        ShellName::Bash => "bash",
        ShellName::Zsh => "zsh",
        ShellName::Ksh => "ksh",
        ShellName::Dash => "dash",
    };
    POSIX.replace("%SHELL%", name)
}
