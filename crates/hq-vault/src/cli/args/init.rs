//! `init`: a new vault.

/// Make a new vault.
#[derive(clap::Args, Debug, Default)]
#[command(after_help = "\
Examples:
  $ hq-vault init
  $ hq-vault init --vault-dir ./other-vault

The passphrase is asked twice, or read from HQ_VAULT_PASSPHRASE_FILE. The recovery key is shown on \
the terminal only, once.

Exit codes: 2 the passphrase is too weak, 4 not the owner, 7 a vault is there already

More: hq-vault man init")]
pub struct Args {
    /// Move an existing vault aside, with the owner's authority, and make a new one
    #[arg(long, help_heading = "New vault")]
    pub force: bool,
    /// Accept a passphrase of fewer than 12 characters
    #[arg(long, help_heading = "New vault")]
    pub weak: bool,
    /// Print the session alone on stdout
    #[arg(long, help_heading = "New vault")]
    pub raw: bool,
}
