//! `list`: what lies under a prefix.

use hqv_model::{Prefix, SecretType};

use super::parse;

/// List what lies under a prefix, without values.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault list
  $ hq-vault list myapp --type api-key
  $ hq-vault list --tag team=payments --json

A prefix matches whole segments: aws finds aws/prod/key, never aws-old/key.

Exit codes: 4 not permitted, 5 locked

More: hq-vault man list")]
pub struct Args {
    /// Only what lies under this prefix
    #[arg(value_name = "PREFIX", value_parser = parse::prefix)]
    pub prefix: Option<Prefix>,
    /// Only secrets of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::kind, help_heading = "Filters")]
    pub kind: Option<SecretType>,
    /// Only secrets with this tag, written key=value
    #[arg(long, value_name = "K=V", value_parser = parse::tag, help_heading = "Filters")]
    pub tag: Option<(String, String)>,
}
