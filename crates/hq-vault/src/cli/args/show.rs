//! `show`: metadata and versions.

use hqv_model::SecretPath;

use super::parse;

/// Show a secret's metadata and versions, never its value.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault show stripe/secret-key
  $ hq-vault show stripe/secret-key --json

Exit codes: 3 no such secret, 4 not permitted, 5 locked

More: hq-vault man show")]
pub struct Args {
    /// The secret's path
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
}
