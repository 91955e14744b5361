//! `agents setup`: what to tell coding agents, in their own files.

use std::path::PathBuf;

/// Tell coding agents how to use the vault.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ hq-vault agents setup claude
  $ hq-vault agents setup --print codex

More: hq-vault man agents setup"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `agents`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Write what an agent should know into a project's own files
    Setup(Setup),
}

/// Write what an agent should know into a project's own files.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault agents setup claude codex
  $ hq-vault agents setup --print cursor
  $ hq-vault agents setup --remove

The text stands between two markers; the rest of a file stays as it is, to the byte. Without a name it \
is written for the agents whose files are there. The change is shown first; at a terminal it asks.

Exit codes: 2 a file that cannot be changed, or no agent's files here, 7 changed meanwhile, 8 not confirmed

More: hq-vault man agents setup")]
pub struct Setup {
    /// Which agents; without one, those whose files are there
    #[arg(value_name = "AGENT", value_enum)]
    pub agents: Vec<AgentName>,
    /// The project's directory
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true, help_heading = "Place")]
    pub dir: PathBuf,
    /// Show the change and write nothing
    #[arg(long, conflicts_with = "yes", help_heading = "Change")]
    pub print: bool,
    /// Take away what was written
    #[arg(long, help_heading = "Change")]
    pub remove: bool,
    /// Do not ask
    #[arg(long, short = 'y', help_heading = "Change")]
    pub yes: bool,
}

/// The agents that `agents setup` knows.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentName {
    /// Claude Code: CLAUDE.md, a skill, permissions
    Claude,
    /// Codex: AGENTS.md, a skill, rules
    Codex,
    /// Cursor: a rule
    Cursor,
    /// Gemini CLI: GEMINI.md, a skill, a policy
    Gemini,
    /// GitHub Copilot: copilot-instructions.md, a skill
    Copilot,
}
