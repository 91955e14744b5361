//! `lock`: wipe the keys.

/// Wipe the keys from memory until the next unlock.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault lock

Every owner session ends with it. Tokens live on and work again after the next unlock.

Exit codes: 4 not permitted, 6 daemon not reachable

More: hq-vault man lock")]
pub struct Args {}
