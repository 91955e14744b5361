//! The verbs that need no secret: shell-init, doctor, completions, man, version.

use std::path::PathBuf;

/// Print the function that gives each shell a session of its own.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ eval \"$(hq-vault shell-init bash)\"
  $ hq-vault shell-init fish | cat

Put the first line, with your shell's name, into its start file. From then on `hq-vault unlock` signs \
that shell in; what the shell starts does not inherit the session.

More: hq-vault man shell-init")]
pub struct ShellInitArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: ShellName,
}

/// The shells that `shell-init` knows.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellName {
    /// GNU bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// ksh93 or mksh
    Ksh,
    /// dash, busybox sh and other plain POSIX shells
    Dash,
}

/// Say what is wrong here and what to do about it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault doctor
  $ hq-vault doctor --fix

Exit codes: 0 nothing found (or all of it put right), 1 a finding

More: hq-vault man doctor")]
pub struct DoctorArgs {
    /// Put right what can be put right safely
    #[arg(long, help_heading = "Repair")]
    pub fix: bool,
}

/// Print the completion script of a shell.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault completions bash > hq-vault.bash
  $ hq-vault completions zsh > _hq-vault

Paths are completed too, where the caller may list them.

More: hq-vault man completions")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Print a manual page.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault man token create
  $ hq-vault man --dir man1

More: hq-vault man man")]
pub struct ManArgs {
    /// The verb whose page to print; none prints the overview
    #[arg(value_name = "VERB")]
    pub verb: Vec<String>,
    /// Write every page into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "verb", help_heading = "Output")]
    pub dir: Option<PathBuf>,
}

/// Print the version.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault version

More: hq-vault man version")]
pub struct VersionArgs {}

/// Print the paths that begin with a text; completion scripts call it.
#[derive(clap::Args, Debug)]
pub struct CompletePathsArgs {
    /// What has been typed so far
    #[arg(value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    pub text: String,
}
