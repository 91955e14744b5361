//! `burn`: the end of a family, and what it had.

use hqv_model::TokenRef;

use super::parse;

/// End a token's family, mark what it had as exposed and print what to rotate.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault burn deploy-run-42 --dry-run
  $ hq-vault burn deploy-run-42

A token that has ended can be burnt too. A new version of a secret clears its mark.

Exit codes: 3 no such token, 4 not the owner, 5 locked, 7 several tokens have that name

More: hq-vault man burn")]
pub struct Args {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}
