//! `pending`: what waits for a person.

/// List what waits for a value or a decision.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault pending

Exit codes: 4 not permitted, 5 locked

More: hq-vault man pending")]
pub struct Args {}
