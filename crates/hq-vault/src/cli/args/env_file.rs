//! `env-file`: the secrets under a prefix as variables.

use std::path::PathBuf;

use hqv_engine::transfer::Format;
use hqv_model::Prefix;

use super::parse;

/// Write the secrets under a prefix as environment variables.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault env-file myapp/ -o .env
  $ eval $(hq-vault env-file myapp/ --format export)
  $ hq-vault env-file myapp/ --format json

`-o .env` writes the file at once, readable by you alone; `> .env` empties it before the vault is
asked. A shell format prints `(exit N)` on failure, so that the eval itself fails.

Exit codes: 2 a value that the format cannot carry, 4 not permitted, 5 locked, 7 two paths, one name

More: hq-vault man env-file")]
pub struct Args {
    /// The prefix; myapp and myapp/ mean the same
    #[arg(value_name = "PREFIX", value_parser = parse::prefix)]
    pub prefix: Prefix,
    /// How to write them: dotenv, export (for an unquoted eval in a POSIX shell) or json
    #[arg(long, value_name = "FORMAT", value_parser = parse::format, default_value = "dotenv", help_heading = "Output")]
    pub format: Format,
    /// Write to this file (0600, atomically) instead of stdout
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
