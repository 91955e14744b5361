//! `project`: the project file.

use std::path::PathBuf;

use hqv_model::Prefix;

use super::parse;

/// Say once in a project which secrets its programs get.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ hq-vault project init --prefix myapp/ --yes

More: hq-vault man project"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `project`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Propose a .hq-vault.toml from a .env and what the vault holds
    Init(Init),
}

/// Propose a .hq-vault.toml from a .env and what the vault holds.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault project init --prefix myapp/ --yes
  $ hq-vault run -- node server.js

The file is shown first, and written once you agree or with --yes. It maps variables to paths and \
holds no value: commit it. run, env-file and inject read it from the directories above, too.

Exit codes: 3 nothing to propose, 7 there is a file already

More: hq-vault man project init")]
pub struct Init {
    /// Programs get all secrets below it; names of the .env are looked for there first
    #[arg(long, value_name = "PREFIX", value_parser = parse::prefix, help_heading = "Which")]
    pub prefix: Option<Prefix>,
    /// Take the names from this file; .env where there is one
    #[arg(long, value_name = "FILE", help_heading = "Which")]
    pub env_file: Option<PathBuf>,
    /// Write it without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}
