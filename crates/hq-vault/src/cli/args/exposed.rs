//! `exposed`: who had what.

use hqv_model::TokenRef;

use super::parse;

/// Show who ever had which version in plain, by which way and when.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault exposed --token deploy-run-42
  $ hq-vault exposed --path stripe/ --since 7d
  $ hq-vault exposed --path stripe/secret-key --json

Tokens that ended long ago are found as well. What was only used was handed to nobody.

Exit codes: 3 no such token, 4 not the owner, 5 locked, 7 several tokens have that name

More: hq-vault man exposed")]
pub struct Args {
    /// Only what this token and its family had
    #[arg(long, value_name = "NAME", value_parser = parse::token_ref, help_heading = "Filters")]
    pub token: Option<TokenRef>,
    /// Only who had this path, or what lies under it
    #[arg(long, value_name = "PATH", value_parser = parse::prefix, help_heading = "Filters")]
    pub path: Option<hqv_model::Prefix>,
    /// Only what was accessed from this moment on: a date, a time, or 2h for two hours ago
    #[arg(long, value_name = "WHEN", help_heading = "Filters")]
    pub since: Option<String>,
}
