//! `completions`: clap's script, and paths after it.
//!
//! Paths come from `hq-vault complete-paths`, which answers only what the
//! caller may list, asks nobody and starts nothing.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

const BASH_PATHS: &str = include_str!("shells/paths.bash");
const ZSH_PATHS: &str = include_str!("shells/paths.zsh");
const FISH_PATHS: &str = include_str!("shells/paths.fish");

/// Prints the script of `shell`.
pub fn run(ctx: &Context, shell: Shell) -> Result<(), Failure> {
    ctx.out.bytes(&script(shell))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hq-vault", &mut script);
    match shell {
        Shell::Bash => script.extend_from_slice(BASH_PATHS.as_bytes()),
        Shell::Zsh => script.extend_from_slice(ZSH_PATHS.as_bytes()),
        Shell::Fish => script.extend_from_slice(FISH_PATHS.as_bytes()),
        _ => {}
    }
    script
}
