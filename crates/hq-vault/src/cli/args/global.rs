//! Options that every command takes.

use std::path::PathBuf;

/// Options that every command takes.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Write machine-readable JSON to stdout, and errors as JSON to stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but data and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Write no colours, as NO_COLOR does
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Talk to this server: https://host:port or unix:/path
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Act with the token in this file
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Use the vault in this directory instead of ~/.hq-vault
    #[arg(long, global = true, value_name = "DIR")]
    pub vault_dir: Option<PathBuf>,
    /// Do not start the daemon when none runs
    #[arg(long, global = true)]
    pub no_start: bool,
}
