//! `answer`: type a value that somebody waits for.

use hqv_model::EntryRef;

use super::parse;

/// Type a value that somebody waits for.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault answer 7F3K-9QXM

Without a code it answers the only one that waits. A value is typed here by a person; to store one from a \
file or a pipe: hq-vault store.

Exit codes: 3 nothing waits under that code, 4 not permitted, 5 locked, 8 you refused

More: hq-vault man answer")]
pub struct Args {
    /// The code that you were told, or the entry's id
    #[arg(value_name = "CODE", value_parser = parse::entry_ref)]
    pub code: Option<EntryRef>,
    /// Keep the newline that ends a single pasted line
    #[arg(long, help_heading = "Value")]
    pub raw: bool,
    /// Let an empty value be stored
    #[arg(long, help_heading = "Value")]
    pub allow_empty: bool,
}
