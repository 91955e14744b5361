//! The Unix socket: no TLS, since the kernel says who is at the other end.

use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};

use crate::config::{Peer, PeerOf};
use crate::listen::conn::{Speaks, serve};
use crate::listen::registry::{Registry, Seat};
use crate::listen::tcp::after_failed_accept;
use crate::service::Shared;
use crate::way::Way;

/// What the socket works with.
#[derive(Clone)]
pub struct Unix {
    /// Asks the kernel for the peer.
    pub peer_of: PeerOf,
    /// The only user who is answered.
    pub owner: u32,
    /// All socket connections.
    pub registry: Arc<Registry>,
    /// The rest of the server.
    pub shared: Arc<Shared>,
}

impl Unix {
    /// Accepts until it is dropped.
    pub async fn run(self, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take(stream),
                Err(_) => after_failed_accept().await,
            }
        }
    }

    /// A peer whose uid is not the owner's, or that the kernel will not name, gets no byte.
    fn take(&self, stream: UnixStream) {
        let Some(peer) = (self.peer_of)(&stream).filter(|peer| peer.uid == self.owner) else {
            return;
        };
        let Some(seat) = self.registry.admit() else { return };
        tokio::spawn(handle(stream, peer, seat, Arc::clone(&self.shared)));
    }
}

async fn handle(stream: UnixStream, peer: Peer, seat: Seat, shared: Arc<Shared>) {
    seat.pulse.ready(false);
    serve(stream, seat, Arc::new(Way::socket(peer)), Speaks::Either, shared).await;
}
