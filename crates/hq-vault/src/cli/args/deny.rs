//! `deny`: refuse a token that somebody asked for.

use hqv_model::AskRef;

use super::parse;

/// Refuse a token that somebody asked for.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault deny 7F3K-9QXM

Exit codes: 3 nothing waits under that code, 4 not permitted

More: hq-vault man deny")]
pub struct Args {
    /// The code that you were told, or the ask's id
    #[arg(value_name = "CODE", value_parser = parse::ask_ref)]
    pub code: AskRef,
}
