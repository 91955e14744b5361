//! `run`: a program with secrets in its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use hqv_model::{EnvName, Prefix, SecretPath};

use super::parse;

/// Run a program with secrets in its environment, masked in its output.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault run --prefix myapp/ -- printenv API_KEY
  $ hq-vault run --env TOKEN=stripe/secret-key -- sh -c 'echo \"$TOKEN\"'
  $ hq-vault run --file KEY=stripe/secret-key -- sh -c 'wc -c < \"$KEY\"'

Values are replaced in what the program writes, in the clear and in base64, hex, URL, JSON and shell \
forms. Without any choice of secrets the project's .hq-vault.toml says which. The program does not inherit HQ_VAULT_TOKEN or other HQ_VAULT_ variables.

Exit codes: the program's own; 128 and the signal that ended it; 126 it is not executable, 127 it is \
not there. Before it starts: 3 nothing there, 4 not permitted, 5 locked, 7 two paths, one name

More: hq-vault man run")]
pub struct Args {
    /// All secrets below it, named as env-file does; may be repeated
    #[arg(long, value_name = "PREFIX", value_parser = parse::prefix, help_heading = "Which")]
    pub prefix: Vec<Prefix>,
    /// A variable with a name of your choice, wherever its secret is; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse::variable, help_heading = "Which")]
    pub env: Vec<(EnvName, SecretPath)>,
    /// A file in memory with the secret, its path in the variable; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse::variable, help_heading = "Which")]
    pub file: Vec<(EnvName, SecretPath)>,
    /// Variables as this file says, a .env with hqv:// references
    #[arg(long, value_name = "TEMPLATE", help_heading = "Which")]
    pub env_file: Option<PathBuf>,
    /// Use no project file
    #[arg(long, help_heading = "Which")]
    pub no_project: bool,
    /// Only secrets at most so many segments below a prefix
    #[arg(long, value_name = "N", value_parser = parse::depth, requires = "prefix", allow_hyphen_values = true, help_heading = "Which")]
    pub depth: Option<u16>,
    /// Leave the program's output as it is
    #[arg(long)]
    pub no_mask: bool,
    /// Let the program act with our token
    #[arg(long)]
    pub pass_token: bool,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}
