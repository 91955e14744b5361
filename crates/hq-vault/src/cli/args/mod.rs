//! The command line as data: one file a verb, declared with clap.
//!
//! Help, man pages and completions are all made from these declarations, so
//! nothing about a flag is said twice. Values are parsed at the door by the
//! constructors of `hqv-model`; what runs behind here trusts them. The tree is
//! not built for a plain `get PATH` (see `cli::fast`).

pub mod agents;
pub mod answer;
pub mod approve;
pub mod ask;
pub mod audit;
pub mod burn;
pub mod config;
pub mod delete;
pub mod deny;
pub mod entry_prompt;
pub mod env_file;
pub mod exposed;
pub mod get;
pub mod global;
pub mod import;
pub mod ingest;
pub mod init;
pub mod inject;
pub mod list;
pub mod lock;
pub mod parse;
pub mod pending;
pub mod project;
pub mod relocate;
pub mod run;
pub mod serve;
pub mod service;
pub mod session;
pub mod show;
pub mod status;
pub mod store;
pub mod token;
pub mod tools;
pub mod tour;
pub mod unlock;
pub mod whoami;

use clap::{Parser, Subcommand};

pub use global::Global;

/// An encrypted credential vault for AI agent workflows.
#[derive(Parser, Debug)]
#[command(
    name = "hq-vault",
    bin_name = "hq-vault",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = ROOT_HELP
)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

const ROOT_HELP: &str = "\
Examples:
  $ hq-vault tour
  $ hq-vault store stripe/secret-key --type api-key --generate=32
  $ hq-vault get stripe/secret-key

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 not permitted, 5 locked,
6 daemon not reachable, 7 already there or changed meanwhile, 8 refused, 9 waiting for a person

More: hq-vault man";

/// Every verb. The order is the order of the help.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show a newcomer the whole thing in a throw-away vault
    Tour(tour::Args),
    /// Make a new vault
    Init(init::Args),
    /// Run, stop or restart the server
    Serve(serve::Args),
    /// Open the vault with the passphrase and sign this shell in
    Unlock(unlock::Args),
    /// Wipe the keys from memory until the next unlock
    Lock(lock::Args),
    /// Say how the vault is
    Status(status::Args),
    /// Say who acts, what it may and what it has left
    Whoami(whoami::Args),
    /// Keep a secret, from a prompt, a pipe, a file or a generator
    Store(store::Args),
    /// Write a secret's value to stdout, byte for byte
    Get(get::Args),
    /// List what lies under a prefix, without values
    List(list::Args),
    /// Show a secret's metadata and versions, never its value
    Show(show::Args),
    /// Delete a secret; versions are kept for 30 days
    Delete(delete::Args),
    /// Give a secret another path; its versions move along
    Move(relocate::MoveArgs),
    /// Copy a secret's newest version to another path
    Copy(relocate::CopyArgs),
    /// Write the secrets under a prefix as environment variables
    EnvFile(env_file::Args),
    /// Run a program with secrets in its environment, masked in its output
    Run(run::Args),
    /// Put values in the place of the hqv:// references of a text
    Inject(inject::Args),
    /// Say once in a project which secrets its programs get
    Project(project::Args),
    /// Store the values of a .env or JSON file, all of them or none
    Import(import::Args),
    /// Ask a person to type a value that you will not see
    Ingest(ingest::Args),
    /// Ask a person for a token; they approve the exact grant
    Ask(ask::Args),
    /// List what waits for a value or a decision
    Pending(pending::Args),
    /// Type a value that somebody waits for
    Answer(answer::Args),
    /// Grant a token that somebody asked for, or less of it
    Approve(approve::Args),
    /// Refuse what somebody asked for, a token or a value
    Deny(deny::Args),
    /// Create, list, show and revoke tokens
    Token(token::Args),
    /// Let a frozen token and its family go on
    Thaw(token::Thaw),
    /// Show who ever had which version in plain, by which way and when
    Exposed(exposed::Args),
    /// End a token's family, mark what it had as exposed and print what to rotate
    Burn(burn::Args),
    /// Read, follow and prove the record of every access
    Audit(audit::Args),
    /// Show and change settings
    Config(config::Args),
    /// Tell coding agents how to use the vault
    Agents(agents::Args),
    /// List and end the owner's sessions
    Session(session::Args),
    /// Let systemd start and stop the daemon
    Service(service::Args),
    /// Print the function that gives each shell a session of its own
    ShellInit(tools::ShellInitArgs),
    /// Say what is wrong here and what to do about it
    Doctor(tools::DoctorArgs),
    /// Print the completion script of a shell
    Completions(tools::CompletionsArgs),
    /// Print a manual page
    Man(tools::ManArgs),
    /// Print the version
    Version(tools::VersionArgs),
    /// Ask for a value on this terminal; ingest starts it
    #[command(hide = true)]
    EntryPrompt(entry_prompt::Args),
    /// Print the paths that begin with a text; completion scripts call it
    #[command(hide = true)]
    CompletePaths(tools::CompletePathsArgs),
}

impl Command {
    /// Whether the project file of the current directory has a say.
    pub fn reads_project(&self) -> bool {
        match self {
            Command::Run(args) => !args.no_project,
            Command::EnvFile(args) => !args.no_project,
            Command::Inject(args) => !args.no_project,
            _ => false,
        }
    }
}
