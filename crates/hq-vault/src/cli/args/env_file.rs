//! `env-file`: the secrets under a prefix as variables.

use std::path::PathBuf;

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
    /// How to write them
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = FormatArg::Dotenv, help_heading = "Output")]
    pub format: FormatArg,
    /// Write dotenv for one reader instead of for all of them
    #[arg(long = "for", value_name = "READER", value_enum, help_heading = "Output")]
    pub reader: Option<ReaderArg>,
    /// Write to this file (0600, atomically) instead of stdout
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}

/// The formats that stand today.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatArg {
    /// NAME=value lines that node, npm dotenv, python-dotenv and bash read alike
    Dotenv,
    /// export lines for an unquoted eval in any POSIX shell
    Export,
    /// One JSON object
    Json,
}

/// Readers of dotenv whose grammars differ.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderArg {
    /// node --env-file
    Node,
    /// The npm package dotenv
    Dotenv,
    /// python-dotenv
    Python,
    /// source in bash
    Bash,
}
