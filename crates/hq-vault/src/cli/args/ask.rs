//! `ask`: ask a person for a token.

use std::time::Duration;

use hqv_model::{TokenName, Ttl, UseLimit};

use super::parse;

/// Ask a person for a token; they approve the exact grant.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault ask deploy/prod/ --ttl 1h --max-uses 5 --reason \"deploy preview\" --timeout 1s

The token alone goes to stdout, so T=$(hq-vault ask ...) works. The same command run again goes on \
waiting. The person decides with hq-vault approve or hq-vault deny.

Exit codes: 0 granted, 2 wrong usage, 8 denied or nobody came in time, 9 still waiting: run the same \
command again

More: hq-vault man ask")]
pub struct Args {
    /// Paths, prefixes ending in / or patterns with * for one segment
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    /// What the token may on those paths  [default: read,list]
    #[arg(long, value_name = "CAN", help_heading = "Grant")]
    pub can: Option<String>,
    /// How long it lives  [default: the vault's own]
    #[arg(long, value_name = "TIME", value_parser = parse::ttl, help_heading = "Grant")]
    pub ttl: Option<Ttl>,
    /// How many requests it may make
    #[arg(long, value_name = "N", value_parser = parse::uses, help_heading = "Grant")]
    pub max_uses: Option<UseLimit>,
    /// Why; the person reads it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help_heading = "Grant")]
    pub reason: String,
    /// What the token is called  [default: ask- and the code]
    #[arg(long, value_name = "NAME", value_parser = parse::token_name, help_heading = "Grant")]
    pub name: Option<TokenName>,
    /// How long to wait  [default: 90s, or 10 minutes at a terminal]
    #[arg(long, value_name = "TIME", value_parser = parse::duration, help_heading = "Waiting")]
    pub timeout: Option<Duration>,
}
