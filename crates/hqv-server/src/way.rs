//! The way a connection came in: found out once, at accept, and told to the engine with each request.

use hqv_engine::Transport;
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::Peer;

/// One connection's other end.
#[derive(Debug)]
pub struct Way {
    transport: Transport,
    source: Option<IpAddr>,
}

impl Way {
    /// TLS from this address. An IPv4 address that arrives over IPv6 is the IPv4 address.
    pub fn tcp(peer: IpAddr) -> Self {
        let peer = peer.to_canonical();
        Self { transport: Transport::Tcp { addr: Arc::from(peer.to_string()) }, source: Some(peer) }
    }

    /// The socket, from a process of the owner.
    pub fn socket(peer: Peer) -> Self {
        Self {
            transport: Transport::Socket { uid: peer.uid, pid: peer.pid, program: peer.program },
            source: None,
        }
    }

    /// For the engine.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The remote address; none on the socket.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Whether this is the socket.
    pub fn is_socket(&self) -> bool {
        self.source.is_none()
    }
}
