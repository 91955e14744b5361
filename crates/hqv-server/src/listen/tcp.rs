//! TLS over TCP.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::listen::conn::{Speaks, serve, under_signal};
use crate::listen::registry::{Registry, Seat};
use crate::service::Shared;
use crate::way::Way;

/// What a listener works with.
#[derive(Clone)]
pub struct Tcp {
    /// Does the handshakes.
    pub acceptor: TlsAcceptor,
    /// All TCP connections.
    pub registry: Arc<Registry>,
    /// The rest of the server.
    pub shared: Arc<Shared>,
}

impl Tcp {
    /// Accepts until it is dropped.
    pub async fn run(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.take(stream, peer.ip()),
                Err(_) => after_failed_accept().await,
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: IpAddr) {
        // A full house closes the stream by dropping it.
        let Some(seat) = self.registry.admit() else { return };
        let this = self.clone();
        tokio::spawn(async move { this.serve(stream, peer, seat).await });
    }

    async fn serve(self, stream: TcpStream, peer: IpAddr, seat: Seat) {
        // Small answers must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let Some(Ok(stream)) = under_signal(&seat, self.acceptor.accept(stream)).await else {
            return;
        };
        let speaks = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Speaks::Http2,
            _ => Speaks::Http1,
        };
        seat.pulse.ready(speaks == Speaks::Http2);
        serve(stream, seat, Arc::new(Way::tcp(peer)), speaks, self.shared).await;
    }
}

/// `accept` fails when we are out of descriptors; it fails at once again, so wait for some to be given back.
pub async fn after_failed_accept() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
