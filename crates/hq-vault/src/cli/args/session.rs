//! `session`: the owner's sessions.

/// List and end the owner's sessions.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ hq-vault session list
  $ hq-vault session end

More: hq-vault man session"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `session`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// List the sessions that live
    List(List),
    /// End a session, or all of them
    End(End),
}

/// List the sessions that live.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault session list

More: hq-vault man session list")]
pub struct List {}

/// End a session, or all of them.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault session end
  $ hq-vault session end --all

Without an id it ends the session that this shell uses.

Exit codes: 3 no such session, 4 not the owner

More: hq-vault man session end")]
pub struct End {
    /// Its ses_ id, as session list shows it
    #[arg(value_name = "ID", conflicts_with = "all")]
    pub id: Option<String>,
    /// End every session
    #[arg(long, help_heading = "Which")]
    pub all: bool,
}
