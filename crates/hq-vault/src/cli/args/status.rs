//! `status`: how the vault is, with or without a daemon.

/// Say how the vault is.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault status
  $ hq-vault status --json

It works without a daemon and never starts one.

More: hq-vault man status")]
pub struct Args {}
