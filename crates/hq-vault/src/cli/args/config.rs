//! `config`: settings, of the file and of the vault.

/// Show and change settings.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ hq-vault config show
  $ hq-vault config set idle-timeout 60

config.toml holds what cannot weaken the vault (port, looks). Everything else is sealed in the vault \
and changed here, with the owner's authority.

More: hq-vault man config"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `config`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Show every setting and where it comes from
    Show(Show),
    /// Change a setting of the vault
    Set(Set),
}

/// Show every setting and where it comes from.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault config show
  $ hq-vault config show --json

More: hq-vault man config show")]
pub struct Show {}

/// Change a setting of the vault.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault config set idle-timeout 60

Exit codes: 2 no such setting or value, 4 not the owner, 5 locked

More: hq-vault man config set")]
pub struct Set {
    /// The setting's name, as config show writes it
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Its new value
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub value: String,
}
