//! `ingest`: ask a person to type a value. A value on the command line is refused unseen.

use std::ffi::OsString;
use std::time::Duration;

use hqv_model::{SecretPath, SecretType};

use super::parse;
use crate::entry::routes::Way;

/// Ask a person to type a value that you will not see.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault ingest stripe/webhook-secret --type api-key --description \"Stripe webhook\" --timeout 1s
  $ hq-vault ingest tls/new-key --type certificate --code --timeout 1s

The person is asked on this terminal, in tmux, on a page in the browser, or by a code for \
hq-vault answer, whichever is there first. The same command run again goes on waiting, and prints the \
confirmation once the value is stored.

Exit codes: 0 stored, 4 not permitted, 7 something is there already (--overwrite), 8 refused or nobody \
came in time, 9 still waiting: run the same command again

More: hq-vault man ingest")]
pub struct Args {
    /// Where the value will stand, such as stripe/secret-key
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
    /// What it is: oauth-token, api-key, password, certificate, ssh-key, connection-string, other
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::kind, help_heading = "Metadata")]
    pub kind: Option<SecretType>,
    /// What it is for, in a few words; the person reads it
    #[arg(long, value_name = "TEXT", help_heading = "Metadata")]
    pub description: Option<String>,
    /// Replace what is there; without the right to write, only the owner's answer can
    #[arg(long, help_heading = "Value")]
    pub overwrite: bool,
    /// Keep the newline that ends a single pasted line
    #[arg(long, help_heading = "Value")]
    pub raw: bool,
    /// Let an empty value be stored
    #[arg(long, help_heading = "Value")]
    pub allow_empty: bool,
    /// Ask on a terminal only: this one, the one around it, or tmux
    #[arg(long, group = "way", help_heading = "Way to the person")]
    pub tty: bool,
    /// Ask on a page in the browser
    #[arg(long, group = "way", help_heading = "Way to the person")]
    pub web: bool,
    /// Ask by a code alone
    #[arg(long, group = "way", help_heading = "Way to the person")]
    pub code: bool,
    /// Print the page's address instead of opening it
    #[arg(long, conflicts_with_all = ["tty", "code"], help_heading = "Way to the person")]
    pub no_open: bool,
    /// How long to wait  [default: 90s, or the entry's 10 minutes at a terminal]
    #[arg(long, value_name = "TIME", value_parser = parse::duration, help_heading = "Way to the person")]
    pub timeout: Option<Duration>,
    /// Words that should not be here; refused without being shown.
    #[arg(hide = true, num_args = 0..)]
    pub extra: Vec<OsString>,
}

impl Args {
    /// The way that is insisted on.
    pub fn way(&self) -> Way {
        match (self.tty, self.web || self.no_open, self.code) {
            (true, _, _) => Way::Tty,
            (_, true, _) => Way::Web,
            (_, _, true) => Way::Code,
            _ => Way::Any,
        }
    }
}
