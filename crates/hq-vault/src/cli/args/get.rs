//! `get`: a value on stdout.

use std::path::PathBuf;

use hqv_model::{EnvName, SecretPath};

use super::parse;

/// Write a secret's value to stdout, byte for byte.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault get myapp/database-url
  $ eval \"$(hq-vault get myapp/database-url --env DATABASE_URL)\"
  $ hq-vault get tls/server-key -o key.pem

On a terminal a final newline is added for the eye.

Exit codes: 3 no such secret, 4 not permitted, 5 locked, 6 daemon not reachable

More: hq-vault man get")]
pub struct Args {
    /// The secret's path
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
    /// Print VAR=value and export VAR, quoted for the eval of any POSIX shell
    #[arg(long, value_name = "VAR", value_parser = parse::env_name, conflicts_with = "output", help_heading = "Output")]
    pub env: Option<EnvName>,
    /// Fetch this version instead of the newest
    #[arg(long, value_name = "N", value_parser = parse::version, allow_hyphen_values = true, help_heading = "Output")]
    pub version: Option<u64>,
    /// Write to this file (0600, atomically) instead of stdout
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
