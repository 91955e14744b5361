//! `deny`: refuse what somebody asked for, a token or a value.

use hqv_model::AskRef;

use super::parse;

/// Refuse what somebody asked for, a token or a value.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault deny 7F3K-9QXM

Exit codes: 3 nothing waits under that code, 4 not permitted

More: hq-vault man deny")]
pub struct Args {
    /// The code that you were told, or the id of an ask
    #[arg(value_name = "CODE", value_parser = parse::ask_ref)]
    pub code: AskRef,
}
