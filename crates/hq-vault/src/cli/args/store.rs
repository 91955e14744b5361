//! `store`: keep a secret. A value on the command line is refused unseen.

use std::ffi::OsString;
use std::path::PathBuf;

use hqv_model::{EnvName, SecretPath, SecretType};

use super::parse;

/// Keep a secret, from a prompt, a pipe, a file or a generator.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ printf %s \"$STRIPE_KEY\" | hq-vault store stripe/secret-key --type api-key
  $ hq-vault store tls/server-key --file key.pem --type certificate
  $ hq-vault store myapp/session-key --generate=48

A single line loses its final newline (--raw keeps it); several lines are kept to the last byte. \
An existing path gets a new version.

Exit codes: 2 nothing to store or over 1 MiB, 4 not permitted, 5 locked

More: hq-vault man store")]
pub struct Args {
    /// Where to keep it, such as aws/prod/access-key
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
    /// Read the value from this file; a process substitution works too
    #[arg(long, value_name = "FILE", conflicts_with = "generate", help_heading = "Value")]
    pub file: Option<PathBuf>,
    /// Make a random value of LEN characters that nobody sees  [default LEN: 32]
    #[arg(long, value_name = "LEN", num_args = 0..=1, require_equals = true,
          default_missing_value = "32", value_parser = parse::length, help_heading = "Value")]
    pub generate: Option<usize>,
    /// Keep the final newline of a single line
    #[arg(long, help_heading = "Value")]
    pub raw: bool,
    /// Let an empty value be stored
    #[arg(long, help_heading = "Value")]
    pub allow_empty: bool,
    /// What it is: oauth-token, api-key, password, certificate, ssh-key, connection-string, other
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::kind, help_heading = "Metadata")]
    pub kind: Option<SecretType>,
    /// What it is for, in a few words
    #[arg(long, value_name = "TEXT", help_heading = "Metadata")]
    pub description: Option<String>,
    /// A tag, written key=value; repeat it for more
    #[arg(long = "tag", value_name = "K=V", value_parser = parse::tag, help_heading = "Metadata")]
    pub tags: Vec<(String, String)>,
    /// When it should be replaced: a date, a time, or 90d for 90 days from now
    #[arg(long, value_name = "WHEN", help_heading = "Metadata")]
    pub expires: Option<String>,
    /// The variable that env-file makes of it
    #[arg(long, value_name = "NAME", value_parser = parse::env_name, help_heading = "Metadata")]
    pub env: Option<EnvName>,
    /// Store only where nothing is yet
    #[arg(long, help_heading = "Metadata")]
    pub create: bool,
    /// Words that should not be here; refused without being shown.
    #[arg(hide = true, num_args = 0..)]
    pub extra: Vec<OsString>,
}
