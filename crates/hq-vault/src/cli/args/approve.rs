//! `approve`: grant a token that somebody asked for.

use hqv_model::{AskRef, Ttl, UseLimit};

use super::parse;

/// Grant a token that somebody asked for, or less of it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault approve 7F3K-9QXM
  $ hq-vault approve 7F3K-9QXM --ttl 10m --max-uses 1

The exact grant is shown first, and nothing but a yes grants it. The token goes to who asked, once.

Exit codes: 3 nothing waits under that code, 4 not permitted or wider than asked, 7 it changed since it \
was shown, 8 you said no

More: hq-vault man approve")]
pub struct Args {
    /// The code that you were told, or the ask's id
    #[arg(value_name = "CODE", value_parser = parse::ask_ref)]
    pub code: AskRef,
    /// A shorter life
    #[arg(long, value_name = "TIME", value_parser = parse::ttl, help_heading = "Less")]
    pub ttl: Option<Ttl>,
    /// Fewer uses
    #[arg(long, value_name = "N", value_parser = parse::uses, help_heading = "Less")]
    pub max_uses: Option<UseLimit>,
    /// A narrower path, prefix or pattern; repeat it for more
    #[arg(long = "path", value_name = "PATTERN", help_heading = "Less")]
    pub paths: Vec<String>,
    /// Grant without asking what still has this fingerprint (from pending --json)
    #[arg(long, value_name = "HEX", help_heading = "Without a question")]
    pub fingerprint: Option<String>,
}
