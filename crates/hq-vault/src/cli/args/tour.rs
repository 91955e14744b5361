//! `tour`: a newcomer's minute.

/// Show a newcomer the whole thing in a throw-away vault.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault tour

The tour makes a vault in a temporary directory, runs the real daemon on a free port, and removes \
both at the end. It never touches your own vault.

More: hq-vault man tour")]
pub struct Args {}
