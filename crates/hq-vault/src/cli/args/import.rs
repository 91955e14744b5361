//! `import`: the values of an environment file, all of them or none.

use std::path::PathBuf;

use hqv_engine::ops::import::OnConflict;
use hqv_engine::transfer::Reader;
use hqv_model::Prefix;

use super::parse;

/// Store the values of a .env or JSON file, all of them or none.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault import --scan .
  $ hq-vault import .env --prefix shop --dry-run
  $ hq-vault import .env --prefix shop --replace

DATABASE_URL goes to shop/database-url: lower-cased, each _ turned into -. A name that this would \
lose, such as dbUrl, is kept with the secret as its variable.

The file is read as node --env-file, npm dotenv, python-dotenv and source in bash read it, and \
nothing in it is run. Where they differ, each line is named, and a person is asked; --as answers.

Exit codes: 2 a line or name that cannot be taken, 4 not permitted, 5 locked, \
7 something is there already

More: hq-vault man import")]
pub struct Args {
    /// The file; - reads stdin
    #[arg(value_name = "FILE", required_unless_present = "scan", requires = "prefix")]
    pub file: Option<PathBuf>,
    /// Where to store, such as shop
    #[arg(long, value_name = "PREFIX", value_parser = parse::prefix, help_heading = "Where")]
    pub prefix: Option<Prefix>,
    /// Where a secret stands already: fail, skip, overwrite or rename (to PATH-2)
    #[arg(long, value_name = "WAY", value_parser = parse::on_conflict, default_value = "fail", help_heading = "Where")]
    pub on_conflict: OnConflict,
    /// Read it as one reader does: node, dotenv, python or bash
    #[arg(long = "as", value_name = "READER", value_parser = parse::reader, help_heading = "File")]
    pub reader: Option<Reader>,
    /// Read it as JSON; a name that ends in .json says so too
    #[arg(long = "from-json", conflicts_with = "reader", help_heading = "File")]
    pub from_json: bool,
    /// Show paths and sizes, store nothing
    #[arg(long, help_heading = "File")]
    pub dry_run: bool,
    /// Put a file of references in the place of this one (0600)
    #[arg(long, conflicts_with = "dry_run", help_heading = "File")]
    pub replace: bool,
    /// List the .env files below DIR, with names and counts, and store nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "prefix", "reader", "from_json", "dry_run", "replace"], help_heading = "File")]
    pub scan: Option<PathBuf>,
}
