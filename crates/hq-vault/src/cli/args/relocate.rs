//! `move` and `copy`: the same two arguments.

use hqv_model::SecretPath;

use super::parse;

/// Give a secret another path; its versions move along.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault move myapp/old-name myapp/new-name

Exit codes: 3 no such secret, 4 not permitted, 5 locked, 7 the target is there already

More: hq-vault man move")]
pub struct MoveArgs {
    /// The secret's path
    #[arg(value_name = "FROM", value_parser = parse::path)]
    pub from: SecretPath,
    /// Its new path, where nothing may be yet
    #[arg(value_name = "TO", value_parser = parse::path)]
    pub to: SecretPath,
}

/// Copy a secret's newest version to another path.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault copy myapp/api-key staging/api-key

Exit codes: 3 no such secret, 4 not permitted, 5 locked, 7 the target is there already

More: hq-vault man copy")]
pub struct CopyArgs {
    /// The secret's path
    #[arg(value_name = "FROM", value_parser = parse::path)]
    pub from: SecretPath,
    /// The path of the copy, where nothing may be yet
    #[arg(value_name = "TO", value_parser = parse::path)]
    pub to: SecretPath,
}
