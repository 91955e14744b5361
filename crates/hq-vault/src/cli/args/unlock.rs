//! `unlock`: the passphrase, once.

/// Open the vault with the passphrase and sign this shell in.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault unlock
  $ export HQ_VAULT_SESSION=\"$(hq-vault unlock --raw)\"

With `eval \"$(hq-vault shell-init bash)\"` in the shell's start file, unlock signs that shell in and \
nothing that the shell starts inherits the session.

Exit codes: 4 wrong passphrase or nobody to ask, 6 daemon not reachable

More: hq-vault man unlock")]
pub struct Args {
    /// Print the session alone on stdout
    #[arg(long, help_heading = "Unlocking")]
    pub raw: bool,
    /// Use the recovery key instead of the passphrase
    #[arg(long, help_heading = "Unlocking")]
    pub recovery: bool,
    /// Words that should not be here; refused without being shown.
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = false)]
    pub extra: Vec<std::ffi::OsString>,
}
