//! `serve`: the daemon in the foreground, in the background, stopped, restarted.

use std::path::PathBuf;

use super::parse;

/// Run, stop or restart the server.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(after_help = "\
Examples:
  $ hq-vault serve --daemon
  $ hq-vault serve --restart
  $ hq-vault serve --stop

Without --daemon it runs in the foreground until Ctrl-C. It listens on 127.0.0.1 and ::1 and on the \
vault's socket.

Exit codes: 2 wrong usage, 6 no daemon to stop, 7 port taken or another daemon serves this vault

More: hq-vault man serve")]
pub struct Args {
    /// Listen on this port; 0 takes a free one  [default: 13100]
    #[arg(long, value_name = "PORT", value_parser = parse::port, allow_hyphen_values = true, help_heading = "Listening")]
    pub port: Option<u16>,
    /// Listen on this address too (recorded, and shown by status)
    #[arg(long, value_name = "ADDR", help_heading = "Listening")]
    pub bind: Vec<String>,
    /// Put this host name into the certificate
    #[arg(long, value_name = "NAME", help_heading = "Listening")]
    pub hostname: Vec<String>,
    /// Serve with this certificate chain (PEM), not the vault's own; SIGHUP reads it again
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Listening")]
    pub tls_cert: Option<PathBuf>,
    /// The private key (PEM) of --tls-cert
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Listening")]
    pub tls_key: Option<PathBuf>,
    /// Lock after this many idle minutes; 0 never locks (recorded)
    #[arg(long, value_name = "MIN", value_parser = parse::idle_minutes, allow_hyphen_values = true, help_heading = "Listening")]
    pub idle_timeout: Option<u32>,
    /// Run in the background; return once the port answers
    #[arg(long, conflicts_with_all = ["stop", "restart"], help_heading = "Daemon")]
    pub daemon: bool,
    /// Stop the daemon of this vault
    #[arg(long, conflicts_with_all = ["daemon", "restart"], help_heading = "Daemon")]
    pub stop: bool,
    /// Stop the daemon and start it again with the options it had
    #[arg(long, conflicts_with_all = ["daemon", "stop"], help_heading = "Daemon")]
    pub restart: bool,
}
