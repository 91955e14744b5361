//! `service`: the daemon as a unit of systemd.

/// Let systemd start and stop the daemon.
#[derive(clap::Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  $ hq-vault service install --print

More: hq-vault man service"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of `service`.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Write the unit, enable it and start it
    Install(Install),
    /// Stop and disable the unit, and remove its file
    Uninstall(Uninstall),
    /// Say whether the unit is there and runs
    Status(Status),
}

/// Whose unit.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Whose {
    /// This user's own unit (the default)
    #[arg(long, conflicts_with = "system", help_heading = "Whose")]
    pub user: bool,
    /// The machine's unit, run as the user hq-vault; needs root
    #[arg(long, help_heading = "Whose")]
    pub system: bool,
}

/// Write the unit, enable it and start it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault service install --print
  $ hq-vault service install --print --system

The unit names this very program. It starts locked; hq-vault unlock opens it. Run again it changes nothing.

Exit codes: 1 no systemd, 4 not root, 7 a unit of that name is not ours

More: hq-vault man service install")]
pub struct Install {
    /// Whose unit.
    #[command(flatten)]
    pub whose: Whose,
    /// Print the unit and write nothing
    #[arg(long, help_heading = "Output")]
    pub print: bool,
}

/// Stop and disable the unit, and remove its file.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault service uninstall || echo no systemd

The vault stays where it is. Without a unit nothing is done.

More: hq-vault man service uninstall")]
pub struct Uninstall {
    /// Whose unit.
    #[command(flatten)]
    pub whose: Whose,
}

/// Say whether the unit is there and runs.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  $ hq-vault service status || echo not running

Exit codes: 0 it runs, 1 it does not, or no systemd

More: hq-vault man service status")]
pub struct Status {
    /// Whose unit.
    #[command(flatten)]
    pub whose: Whose,
}
