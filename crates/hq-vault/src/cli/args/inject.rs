//! `inject`: a text with references, filled in.

use std::path::PathBuf;

/// Put values in the place of the hqv:// references of a text.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault inject -i config.template -o config.yml
  $ echo 'key: hqv://stripe/secret-key' | hq-vault inject

A reference is hqv://PATH, or {{ hqv://PATH }} where the path's end would not be seen. A backslash \
before it leaves it as it is. Values go in byte for byte: nothing is quoted for the file's grammar.

Exit codes: 2 a reference that names no path, 3 no such secret, 4 not permitted, 5 locked

More: hq-vault man inject")]
pub struct Args {
    /// The text, at most 1 MiB; - or nothing is stdin
    #[arg(long, short, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Write to this file (0600, atomically) instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Use no project file for the choice of the vault
    #[arg(long)]
    pub no_project: bool,
}
