//! `entry-prompt`: the prompt of `ingest` in a process of its own. Nobody types it.

use std::path::PathBuf;

/// Ask for a value on this terminal; hq-vault ingest starts it.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where ingest says what to ask
    #[arg(long, value_name = "FILE")]
    pub socket: Option<PathBuf>,
}
