//! `token create`, `list`, `show`, `tree`, `explain`, `renew`, `freeze`, `thaw`, `revoke`.

use hqv_model::{Capability, SecretPath, TokenName, TokenRef, Ttl, UseLimit};

use super::parse;

/// Create, list, show and revoke tokens.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ T=$(hq-vault token create --name deploy-run-42 --ttl 1h --max-uses 10)
  $ hq-vault token list

More: hq-vault man token"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `token`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Create a token; it alone goes to stdout, once
    Create(Create),
    /// List the tokens that live
    List(List),
    /// Show one token, never the token itself
    Show(Show),
    /// Draw families with what each has spent, set aside and free
    Tree(Tree),
    /// Say whether a token may do something somewhere, and who decides
    Explain(Explain),
    /// Give a token a later end
    Renew(Renew),
    /// Suspend a token and its whole family at once
    Freeze(Freeze),
    /// Let a frozen token and its family go on
    Thaw(Thaw),
    /// End a token and its whole family at once
    Revoke(Revoke),
}

/// Create a token; it alone goes to stdout, once.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ T=$(hq-vault token create --name deploy-run-43 --ttl 1h --max-uses 10)
  $ hq-vault token create --name ci --path deploy/prod/ --can read,list
  $ hq-vault token create --name orchestrator --allow 'read,delegate on myapp/'
  $ hq-vault token create --name worker --path myapp/ --max-uses 5 --dry-run

Without a scope a token may read and list everything; --path narrows it.

Exit codes: 2 wrong usage, 4 wider than its parent, 5 locked, 7 the name is taken

More: hq-vault man token create")]
pub struct Create {
    /// What it is called, in the record too
    #[arg(long, value_name = "NAME", value_parser = parse::token_name, help_heading = "Life")]
    pub name: TokenName,
    /// How long it lives, at most 90d  [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse::ttl, allow_hyphen_values = true, help_heading = "Life")]
    pub ttl: Option<Ttl>,
    /// How many requests it may make; exact, whatever runs in parallel
    #[arg(long, value_name = "N", value_parser = parse::uses, allow_hyphen_values = true, help_heading = "Life")]
    pub max_uses: Option<UseLimit>,
    /// How many of them are set aside for it, whatever its parent's other children use
    #[arg(long, value_name = "N", value_parser = parse::uses, requires = "max_uses", allow_hyphen_values = true, help_heading = "Life")]
    pub reserve: Option<UseLimit>,
    /// A path, a prefix ending in / or a pattern with * for one segment
    #[arg(long = "path", value_name = "PATTERN", help_heading = "Scope")]
    pub paths: Vec<String>,
    /// What it may on those paths: read,list,write,delete,ingest,delegate,audit
    #[arg(long, value_name = "CAN", help_heading = "Scope")]
    pub can: Option<String>,
    /// One whole rule, such as 'read,list on deploy/prod/'; repeat it for more
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "can"], help_heading = "Scope")]
    pub allow: Vec<String>,
    /// Show what it would be, and make nothing
    #[arg(long, help_heading = "Scope")]
    pub dry_run: bool,
}

/// List the tokens that live.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token list
  $ hq-vault token list --all --json

More: hq-vault man token list")]
pub struct List {
    /// Show those that have ended too
    #[arg(long, help_heading = "Filters")]
    pub all: bool,
}

/// Show one token, never the token itself.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token show deploy-run-42

Exit codes: 3 no such token, 4 not permitted, 7 more than one answers to that name

More: hq-vault man token show")]
pub struct Show {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
}

/// Draw families with what each has spent, set aside and free.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token tree

`used` counts a token's own uses and those of all below it; `set aside` is reserved for some of \
those below; `free` is what it could use now. `(own)` marks a budget with a reserve of its own.

Exit codes: 3 no such token, 4 not permitted, 7 more than one answers to that name

More: hq-vault man token tree")]
pub struct Tree {
    /// Only this token and what descends from it
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: Option<TokenRef>,
    /// Show those that have ended too
    #[arg(long, help_heading = "Filters")]
    pub all: bool,
}

/// Say whether a token may do something somewhere, and who decides.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token explain deploy-run-42 myapp/api-key
  $ hq-vault token explain deploy-run-42 myapp/api-key --can write --json

The answer begins with yes or no; either is exit code 0. A token may ask about itself and those below it.

Exit codes: 3 no such token, 4 not permitted, 7 more than one answers to that name

More: hq-vault man token explain")]
pub struct Explain {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
    /// The path that it is about
    #[arg(value_name = "PATH", value_parser = parse::path)]
    pub path: SecretPath,
    /// What it would do there
    #[arg(long, value_name = "CAN", value_parser = Capability::parse, default_value = "read")]
    pub can: Capability,
}

/// Give a token a later end.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token renew deploy-run-42 --ttl 2h

Never beyond its latest end or its parent's: it is cut to that, and a note says so. Never earlier.

Exit codes: 3 no such token, 4 not permitted, 7 it has ended or is frozen

More: hq-vault man token renew")]
pub struct Renew {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
    /// How long it lives from now on  [default: 1h, or its parent's rest]
    #[arg(long, value_name = "TIME", value_parser = parse::ttl, allow_hyphen_values = true)]
    pub ttl: Option<Ttl>,
}

/// Suspend a token and its whole family at once.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token freeze deploy-run-42

Its name, its reserve and its end stay as they are, until `hq-vault thaw` or the end.

Exit codes: 3 no such token, 4 not permitted, 7 it has ended

More: hq-vault man token freeze")]
pub struct Freeze {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
}

/// Let a frozen token and its family go on.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault thaw deploy-run-42

Exit codes: 3 no such token, 4 not permitted, 7 it is not frozen, or has ended

More: hq-vault man thaw")]
pub struct Thaw {
    /// Its name, its ancestry (orchestrator/worker-3) or its tok_ id
    #[arg(value_name = "NAME", value_parser = parse::token_ref)]
    pub who: TokenRef,
}

/// End a token and its whole family at once.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault token revoke deploy-run-42
  $ hq-vault token revoke --prefix deploy-run-
  $ hq-vault token revoke --expired

Exit codes: 3 no such token, 4 not permitted, 7 more than one answers to that name

More: hq-vault man token revoke")]
pub struct Revoke {
    /// Names, ancestries or tok_ ids
    #[arg(value_name = "NAME", required_unless_present_any = ["prefix", "expired"], value_parser = parse::token_ref)]
    pub who: Vec<TokenRef>,
    /// End all whose ancestry begins so: deploy-run- or orchestrator/
    #[arg(long, value_name = "TEXT", conflicts_with = "who", value_parser = parse::name_start)]
    pub prefix: Option<String>,
    /// Clear away those that have ended; what they did stays in the record
    #[arg(long, conflicts_with_all = ["who", "prefix"])]
    pub expired: bool,
}
