//! Ports and the socket: ours alone or not at all.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::cli::output::error::Failure;
use crate::settings::paths::shown;

/// How often a free port of IPv4 may turn out to be taken on IPv6.
const TRIES: usize = 16;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Binds the port on both loopback addresses and on `more`. One loopback
/// address is enough where the other does not exist; where somebody else holds
/// either, nothing is bound. Port 0 takes one that is free on all of them.
pub fn tcp(port: u16, more: &[IpAddr]) -> Result<Vec<TcpListener>, Failure> {
    let addresses = addresses(more);
    if port != 0 {
        return bind_all(port, &addresses).map_err(|(at, e)| taken(at, &e));
    }
    let mut last = None;
    for _ in 0..TRIES {
        match bind_free(&addresses) {
            Ok(bound) => return Ok(bound),
            Err(why) => last = Some(why),
        }
    }
    Err(match last {
        Some((at, e)) => taken(at, &e),
        None => Failure::internal("no free port was found"),
    })
}

/// The port that they share.
pub fn port_of(listeners: &[TcpListener]) -> Option<u16> {
    listeners.first()?.local_addr().ok().map(|a| a.port())
}

/// Loopback, and what was asked for beside it. An unspecified address holds
/// the loopback one of its family; `::` that of both.
fn addresses(more: &[IpAddr]) -> Vec<IpAddr> {
    let any4 = more.contains(&IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let any6 = more.contains(&IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let mut all = Vec::new();
    if !any4 && !any6 {
        all.push(V4);
    }
    if !any6 {
        all.push(V6);
    }
    for address in more {
        let held = any6 && address.is_ipv4();
        if !held && !all.contains(address) {
            all.push(*address);
        }
    }
    all
}

fn bind_free(addresses: &[IpAddr]) -> Result<Vec<TcpListener>, (SocketAddr, Error)> {
    let mut bound = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        let first = SocketAddr::new(*address, 0);
        match TcpListener::bind(first) {
            Ok(listener) => {
                let port = listener.local_addr().map(|a| a.port()).map_err(|e| (first, e))?;
                bound.push(listener);
                let rest = addresses.get(at + 1..).unwrap_or_default();
                bound.extend(bind_each(port, rest)?);
                return Ok(bound);
            }
            Err(e) if is_missing(&e, *address) => {}
            Err(e) => return Err((first, e)),
        }
    }
    Ok(bound)
}

fn bind_all(port: u16, addresses: &[IpAddr]) -> Result<Vec<TcpListener>, (SocketAddr, Error)> {
    let bound = bind_each(port, addresses)?;
    if bound.is_empty() {
        return Err((SocketAddr::new(V4, port), ErrorKind::AddrNotAvailable.into()));
    }
    Ok(bound)
}

fn bind_each(port: u16, addresses: &[IpAddr]) -> Result<Vec<TcpListener>, (SocketAddr, Error)> {
    let mut bound = Vec::new();
    for address in addresses {
        let at = SocketAddr::new(*address, port);
        match TcpListener::bind(at) {
            Ok(listener) => bound.push(listener),
            Err(e) if is_missing(&e, *address) => {}
            Err(e) => return Err((at, e)),
        }
    }
    Ok(bound)
}

/// A loopback address that this machine does not have. An address that was
/// asked for must be there.
fn is_missing(error: &Error, address: IpAddr) -> bool {
    let loopback = address == V4 || address == V6;
    // EAFNOSUPPORT has no kind of its own.
    let no_family = error.kind() == ErrorKind::Unsupported || matches!(error.raw_os_error(), Some(97 | 47));
    loopback && (error.kind() == ErrorKind::AddrNotAvailable || no_family)
}

fn taken(at: SocketAddr, error: &Error) -> Failure {
    if error.kind() == ErrorKind::AddrInUse {
        return Failure::conflict(format!("another program has port {} on {}", at.port(), at.ip()))
            .hint("choose another: hq-vault serve --port PORT, or --port 0 for a free one");
    }
    Failure::io(format!("cannot listen on {at}"), error)
}

/// Binds the socket. What a killed daemon left is replaced; we hold the
/// vault's lock, so nobody of ours listens there.
pub fn unix(path: &Path) -> Result<UnixListener, Failure> {
    if let Ok(meta) = std::fs::symlink_metadata(path) {
        clear(path, &meta)?;
    }
    UnixListener::bind(path).map_err(|e| Failure::io(format!("cannot listen on {}", shown(path)), &e))
}

fn clear(path: &Path, meta: &std::fs::Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::FileTypeExt;
    if !meta.file_type().is_socket() {
        let what = hqv_sys::files::kind_of(meta);
        return Err(
            Failure::conflict(format!("{} is {what}, not a socket", shown(path))).hint("move it away")
        );
    }
    // Refused is what a dead daemon's socket answers; any other failure may hide a live one.
    match UnixStream::connect(path) {
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
        _ => {
            return Err(Failure::conflict(format!("another program listens on {}", shown(path)))
                .hint("stop that program, or use another --vault-dir"));
        }
    }
    std::fs::remove_file(path).map_err(|e| Failure::io(format!("cannot replace {}", shown(path)), &e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lc1_a_port_held_on_one_of_the_two_addresses_is_refused() {
        for holder in [V4, V6] {
            let Ok(held) = TcpListener::bind(SocketAddr::new(holder, 0)) else {
                continue;
            };
            let port = held.local_addr().unwrap().port();
            let failure = tcp(port, &[]).unwrap_err();
            assert_eq!(failure.exit(), 7);
            assert!(failure.message().contains(&port.to_string()), "{}", failure.message());
        }
    }

    #[test]
    fn port_0_is_one_port_on_both() {
        let bound = tcp(0, &[]).unwrap();
        let port = port_of(&bound).unwrap();
        assert!(port != 0 && bound.iter().all(|l| l.local_addr().unwrap().port() == port));
    }

    #[test]
    fn an_unspecified_address_holds_its_loopback() {
        assert_eq!(addresses(&[]), [V4, V6]);
        assert_eq!(addresses(&["0.0.0.0".parse().unwrap()]), [V6, "0.0.0.0".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses(&["::".parse().unwrap()]), ["::".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn lc1_a_stale_socket_is_replaced_and_a_live_or_foreign_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.sock");
        let live = unix(&path).unwrap();
        assert_eq!(unix(&path).unwrap_err().exit(), 7);
        drop(live);
        drop(unix(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"notes").unwrap();
        assert_eq!(unix(&path).unwrap_err().exit(), 7);
        assert_eq!(std::fs::read(&path).unwrap(), b"notes");
    }
}
