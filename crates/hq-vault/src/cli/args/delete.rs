//! `delete`: asks first, keeps versions.

use hqv_model::SecretPath;

use super::parse;

/// Delete a secret; versions are kept for 30 days.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault delete old/api-key --force
  $ hq-vault delete old/password --purge --force

Without --force it asks on the terminal; where nobody can be asked it refuses.

Exit codes: 3 no such secret, 4 not permitted, 5 locked, 8 refused

More: hq-vault man delete")]
pub struct Args {
    /// The secret's path
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
    /// Do not ask
    #[arg(long, short, help_heading = "Deleting")]
    pub force: bool,
    /// Remove all versions for good; the owner's alone
    #[arg(long, help_heading = "Deleting")]
    pub purge: bool,
}
