//! `whoami`: who acts.

/// Say who acts, what it may and what it has left.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault whoami
  $ hq-vault whoami --json

Exit codes: 4 no token and no session, or it has ended, 5 locked

More: hq-vault man whoami")]
pub struct Args {}
