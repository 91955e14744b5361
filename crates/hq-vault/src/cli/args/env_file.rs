//! `env-file`: the secrets under a prefix as variables.

use std::path::PathBuf;

use hqv_engine::transfer::{Format, Reader};
use hqv_model::{EnvName, Prefix, SecretPath};

use super::parse;

/// Write the secrets under a prefix as environment variables.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault env-file myapp/ -o .env
  $ hq-vault env-file myapp/ --for node -o .env
  $ eval $(hq-vault env-file myapp/ --format export)
  $ hq-vault env-file myapp/ --format json

`-o .env` writes the file at once, readable by you alone; `> .env` empties it before the vault is \
asked. A shell format prints a command that fails when we do, so that the eval itself fails.

Exit codes: 2 a value that the format cannot carry, 3 nothing there, 4 not permitted, 5 locked, \
7 two paths, one name

More: hq-vault man env-file")]
pub struct Args {
    /// The prefix; myapp and myapp/ mean the same. Without one, what .hq-vault.toml says
    #[arg(value_name = "PREFIX", value_parser = parse::prefix)]
    pub prefix: Option<Prefix>,
    /// A variable with a name of your choice, wherever its secret is; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse::variable, help_heading = "Which")]
    pub env: Vec<(EnvName, SecretPath)>,
    /// Only secrets at most so many segments below the prefix
    #[arg(long, value_name = "N", value_parser = parse::depth, requires = "prefix", allow_hyphen_values = true, help_heading = "Which")]
    pub depth: Option<u16>,
    /// Use no project file
    #[arg(long, help_heading = "Which")]
    pub no_project: bool,
    /// dotenv, export (for an unquoted eval), fish, powershell, docker, systemd, github, json or yaml
    #[arg(long, value_name = "FORMAT", value_parser = parse::format, default_value = "dotenv", help_heading = "Output")]
    pub format: Format,
    /// Write dotenv for one reader alone, which can read more: node, dotenv, python or bash
    #[arg(long = "for", value_name = "READER", value_parser = parse::reader, help_heading = "Output")]
    pub reader: Option<Reader>,
    /// Write to this file (0600, atomically) instead of stdout
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
