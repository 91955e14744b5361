//! `audit`: reading, following and proving the record.

use std::path::PathBuf;

use super::parse;

/// Read, follow and prove the record of every access.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  $ hq-vault audit --limit 10
  $ hq-vault audit --path myapp/ --since 1h --json
  $ hq-vault audit verify

Exit codes: 4 not permitted, 5 locked (a followed record ends with it)

More: hq-vault man audit"
)]
pub struct Args {
    /// Another thing to do with the record.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What to read.
    #[command(flatten)]
    pub read: Read,
}

/// Which records.
#[derive(clap::Args, Debug)]
pub struct Filters {
    /// Only what touched this path, or what lies under a prefix ending in /
    #[arg(long, value_name = "PATH", help_heading = "Filters")]
    pub path: Option<String>,
    /// Only what this token and its family did
    #[arg(long, value_name = "NAME", value_parser = parse::token_ref, help_heading = "Filters")]
    pub token: Option<hqv_model::TokenRef>,
    /// Only this operation, such as get, put or token-create
    #[arg(long, value_name = "OP", value_parser = parse::operation, help_heading = "Filters")]
    pub operation: Option<hqv_model::OpKind>,
    /// Only with this outcome: ok, denied or failed
    #[arg(long, value_name = "OUTCOME", value_parser = parse::outcome, help_heading = "Filters")]
    pub outcome: Option<hqv_model::Outcome>,
    /// Only from this moment on: a date, a time, or 2h for two hours ago
    #[arg(long, value_name = "WHEN", help_heading = "Filters")]
    pub since: Option<String>,
    /// Only up to this moment
    #[arg(long, value_name = "WHEN", help_heading = "Filters")]
    pub until: Option<String>,
}

/// Options of the plain `audit`.
#[derive(clap::Args, Debug)]
pub struct Read {
    /// Which records.
    #[command(flatten)]
    pub filters: Filters,
    /// At most this many, the newest  [default: 50; with --tail 10]
    #[arg(long, value_name = "N", value_parser = parse::count, allow_hyphen_values = true, help_heading = "Filters")]
    pub limit: Option<usize>,
    /// Go on with each record as it happens, until Ctrl-C
    #[arg(long, short = 'f', help_heading = "Output")]
    pub tail: bool,
}

/// The verbs of `audit`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Prove that nothing was edited, dropped, moved or cut off
    Verify(Verify),
    /// Print all records that the filters want, the oldest first
    Export(Export),
    /// Print the key that proves the record anywhere
    PublicKey(PublicKey),
    /// Print a signed checkpoint, to be kept elsewhere
    Checkpoint(Checkpoint),
}

/// Prove that nothing was edited, dropped, moved or cut off.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault audit verify
  $ hq-vault audit verify --public-key \"$(hq-vault audit public-key)\" ~/.hq-vault/audit.log

With files and a public key it needs no vault and no secret.

Exit codes: 0 proven, 1 a finding

More: hq-vault man audit verify")]
pub struct Verify {
    /// Verify these files instead of the running vault's record
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Check the signatures with this key (audit public-key prints it)
    #[arg(long, value_name = "KEY", requires = "files", help_heading = "Proof")]
    pub public_key: Option<String>,
    /// Compare with a checkpoint that was kept elsewhere
    #[arg(long, value_name = "FILE", help_heading = "Proof")]
    pub against: Option<PathBuf>,
}

/// Print all records that the filters want, the oldest first.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault audit export --json > record.jsonl
  $ hq-vault audit export --outcome denied --since 7d

A line is one object with --json. Its members are stable: spec/audit-event.json.

More: hq-vault man audit export")]
pub struct Export {
    /// Which records.
    #[command(flatten)]
    pub filters: Filters,
}

/// Print the key that proves the record anywhere.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault audit public-key

More: hq-vault man audit public-key")]
pub struct PublicKey {}

/// Print a signed checkpoint, to be kept elsewhere.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault audit checkpoint > checkpoint.txt

A cut exactly at a checkpoint, or vault and record put back together, is found only against one \
that was kept elsewhere: hq-vault audit verify --against checkpoint.txt

More: hq-vault man audit checkpoint")]
pub struct Checkpoint {}
