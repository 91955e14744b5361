//! What the binary hands in. The server reads no environment and no file, and asks no clock but the one it is given.

use hqv_engine::Engine;
use hqv_model::{Clock, Entropy};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

/// Who is at the other end of the socket, as the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// User id.
    pub uid: u32,
    /// Process id, where the system tells.
    pub pid: Option<u32>,
    /// The program's name, unproven.
    pub program: Option<String>,
}

/// Asks the kernel; `None` where it does not answer, and then the peer gets no answer either.
pub type PeerOf = Arc<dyn Fn(&UnixStream) -> Option<Peer> + Send + Sync>;

/// Takes a line for the log. It never holds a secret, a path or a header of a request.
pub type LogLine = Arc<dyn Fn(&str) + Send + Sync>;

/// Everything a server needs.
pub struct ServerConfig {
    /// The vault.
    pub engine: Engine,
    /// The socket, bound; its directory and mode are the binary's care.
    pub unix: Option<std::os::unix::net::UnixListener>,
    /// The uid that the socket answers.
    pub owner: u32,
    /// See [`PeerOf`].
    pub peer_of: PeerOf,
    /// Host names beside those that every vault answers to.
    pub hostnames: Vec<String>,
    /// Bounds.
    pub limits: Limits,
    /// What `status` says of this daemon.
    pub about: About,
    /// Wall and boot clock.
    pub clock: Arc<dyn Clock>,
    /// For the start of the request ids.
    pub rng: Box<dyn Entropy>,
    /// See [`LogLine`].
    pub log: LogLine,
}

/// What the binary knows about itself.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The program's version.
    pub version: &'static str,
    /// The vault directory.
    pub vault_dir: PathBuf,
    /// The socket's path.
    pub socket: Option<PathBuf>,
    /// The process id.
    pub pid: u32,
    /// The boot clock when the daemon started.
    pub started: Duration,
    /// Flags that make the vault weaker than its settings, one sentence each.
    pub weakened: Vec<String>,
}

/// Bounds on what strangers may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// TCP connections at once. At the bound, idle ones make room.
    pub tcp_connections: usize,
    /// Socket connections at once.
    pub unix_connections: usize,
    /// From accept to the end of the handshake, and from a request's first byte to the end of its head.
    pub head: Duration,
    /// A connection that asks nothing.
    pub idle: Duration,
    /// An answer that is not taken.
    pub stalled: Duration,
    /// Bytes of large answers that their clients have not yet taken, all together. At the bound new ones are refused
    /// and whoever has held one for [`Limits::heavy`] is cut.
    pub answers: usize,
    /// See [`Limits::answers`].
    pub heavy: Duration,
    /// How long an entry's page answers after its entry is over, so that it can tell the person how it ended.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tcp_connections: 8_192,
            unix_connections: 1_024,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            stalled: Duration::from_secs(30),
            answers: 256 * 1024 * 1024,
            heavy: Duration::from_secs(2),
            linger: Duration::from_secs(30),
        }
    }
}
