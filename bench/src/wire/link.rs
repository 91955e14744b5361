//! One keep-alive connection: TLS over TCP or the Unix socket, never blocking.

use crate::Result;
use rustix::event::{PollFd, PollFlags};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the server is.
#[derive(Clone)]
pub enum Place {
    /// A port of 127.0.0.1, and what to trust there.
    Tls(u16, Arc<ClientConfig>),
    /// A socket.
    Socket(PathBuf),
}

/// Trusts the certificates in `ca` alone.
///
/// # Errors
/// A file that is no PEM.
pub fn trust(ca: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A connection.
pub struct Link {
    stream: Stream,
    out: Vec<u8>,
}

enum Stream {
    Tls(TcpStream, Box<ClientConnection>),
    Plain(UnixStream),
}

impl Link {
    /// Connects; with TLS the handshake is done on return.
    ///
    /// # Errors
    /// The network's and the handshake's.
    pub fn open(place: &Place) -> Result<Link> {
        let stream = match place {
            Place::Socket(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_nonblocking(true)?;
                Stream::Plain(socket)
            }
            Place::Tls(port, config) => {
                let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
                socket.set_nodelay(true)?;
                let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut socket)?;
                }
                socket.set_nonblocking(true)?;
                Stream::Tls(socket, Box::new(tls))
            }
        };
        Ok(Link { stream, out: Vec::new() })
    }

    /// What to wait for.
    pub fn interest(&self) -> PollFd<'_> {
        let (blocked, fd) = match &self.stream {
            Stream::Tls(socket, tls) => (tls.wants_write(), PollFd::new(socket, PollFlags::IN)),
            Stream::Plain(socket) => (!self.out.is_empty(), PollFd::new(socket, PollFlags::IN)),
        };
        match (&self.stream, blocked) {
            (_, false) => fd,
            (Stream::Tls(socket, _), true) => PollFd::new(socket, PollFlags::IN | PollFlags::OUT),
            (Stream::Plain(socket), true) => PollFd::new(socket, PollFlags::IN | PollFlags::OUT),
        }
    }

    /// Sends, as far as the kernel takes it now; the rest goes with [`Link::push`].
    ///
    /// # Errors
    /// The network's.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tls(_, tls) => tls.writer().write_all(bytes)?,
            Stream::Plain(_) => self.out.extend_from_slice(bytes),
        }
        self.push()
    }

    /// Goes on with what [`Link::send`] could not get rid of.
    ///
    /// # Errors
    /// The network's.
    pub fn push(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tls(socket, tls) => {
                while tls.wants_write() {
                    if would_block(tls.write_tls(socket))?.is_none() {
                        break;
                    }
                }
            }
            Stream::Plain(socket) => {
                while !self.out.is_empty() {
                    match would_block(socket.write(&self.out))? {
                        Some(written) => drop(self.out.drain(..written)),
                        None => break,
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds what has come to `buffer`: one read of the socket, since `poll` tells of the rest.
    ///
    /// # Errors
    /// The network's, TLS's; `UnexpectedEof` where the server has closed.
    pub fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tls(socket, tls) => {
                match would_block(tls.read_tls(socket))? {
                    Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Some(_) => {}
                    None => return Ok(()),
                }
                let state = tls.process_new_packets().map_err(io::Error::other)?;
                let (had, fresh) = (buffer.len(), state.plaintext_bytes_to_read());
                buffer.resize(had + fresh, 0);
                let room = buffer.get_mut(had..).unwrap_or_default();
                tls.reader().read_exact(room)
            }
            Stream::Plain(socket) => {
                let mut piece = [0; 16 * 1024];
                match would_block(socket.read(&mut piece))? {
                    Some(0) => Err(ErrorKind::UnexpectedEof.into()),
                    Some(n) => {
                        buffer.extend_from_slice(piece.get(..n).unwrap_or_default());
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

fn would_block(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(n) => Ok(Some(n)),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(e) => Err(e),
    }
}
