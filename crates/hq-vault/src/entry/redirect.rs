//! An address that leads a browser of this user to a page, once.
//!
//! The page's own address is a secret, and the arguments of a process are not.
//! So the browser is given `http://127.0.0.1:PORT/RANDOM`, and this answers the
//! first request for that with the true one, if the socket that asks belongs
//! to this user by the kernel's own table. It ends with the command.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use hqv_model::{Clock, Entropy, SecretText};
use zeroize::Zeroizing;

use crate::compose::{self, SystemClock};

/// How long a request may take in all, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(2);
const HEAD_MAX: usize = 8 * 1024;

/// Listens, and gives the address. With `ours` the asker must be of this user.
pub fn once(url: &SecretText, ours: bool) -> Option<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    let port = listener.local_addr().ok()?.port();
    let mut random = [0u8; 16];
    compose::SystemEntropy::new().fill(&mut random);
    let word: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("/{word}");
    let address = format!("http://127.0.0.1:{port}{path}");
    let target = Zeroizing::new(url.reveal().to_owned());
    std::thread::spawn(move || {
        let asked =
            listener.incoming().flatten().find_map(|stream| asked(stream, port, &path, ours).ok().flatten());
        // Nobody is listened to any more when the answer is there.
        drop(listener);
        if let Some(stream) = asked {
            let _ = lead(stream, &target);
        }
    });
    Some(address)
}

/// The connection back, if it asks for the right word and may.
fn asked(mut stream: TcpStream, port: u16, path: &str, ours: bool) -> std::io::Result<Option<TcpStream>> {
    let end = SystemClock.boot().saturating_add(PATIENCE);
    // Others of this machine are not listened to: they could keep the browser waiting.
    if ours && !is_ours(stream.peer_addr()?, port) {
        return Ok(None);
    }
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream, end)?;
    let wanted = [format!("GET {path} HTTP/1.1\r\n"), format!("GET {path} HTTP/1.0\r\n")];
    if wanted.iter().any(|line| head.starts_with(line.as_bytes())) {
        return Ok(Some(stream));
    }
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(None)
}

/// Tells where the page is.
fn lead(mut stream: TcpStream, target: &str) -> std::io::Result<()> {
    let answer = Zeroizing::new(format!(
        "HTTP/1.1 302 Found\r\nLocation: {target}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    ));
    stream.write_all(answer.as_bytes())
}

/// The whole head by `end`, on the boot clock.
fn head(stream: &mut TcpStream, end: Duration) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut room = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = end.saturating_sub(SystemClock.boot());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let got = stream.read(&mut room)?;
        head.extend_from_slice(room.get(..got).unwrap_or_default());
        if got == 0 || head.len() > HEAD_MAX {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

/// Whether the other end of a loopback connection belongs to this user. Where the kernel shows no such table,
/// nothing is known against it.
fn is_ours(peer: SocketAddr, port: u16) -> bool {
    match std::fs::read_to_string("/proc/net/tcp") {
        Ok(table) => owner_in(&table, peer.port(), port) == Some(hqv_sys::process::uid()),
        Err(_) => true,
    }
}

/// The uid of the connection from loopback port `from` to loopback port `to`, by proc_net_tcp(5).
fn owner_in(table: &str, from: u16, to: u16) -> Option<u32> {
    let loopback = |port: u16| format!("{:08X}:{port:04X}", u32::from_ne_bytes([127, 0, 0, 1]));
    let (from, to) = (loopback(from), loopback(to));
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let here = words.next()? == from && words.next()? == to;
        if here { words.nth(4)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn get(address: &str, path: &str) -> String {
        let place = address.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(place).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {place}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn en1_the_true_address_is_given_once_and_for_the_right_word_alone() {
        let url = SecretText::new("http://127.0.0.1:9/ent_1#s.h".to_owned());
        let address = once(&url, true).unwrap();
        assert!(!address.contains("ent_1"));
        let path = format!("/{}", address.rsplit('/').next().unwrap());
        assert!(get(&address, "/").starts_with("HTTP/1.1 404"));
        assert!(get(&address, &format!("{path}x")).starts_with("HTTP/1.1 404"));
        let answer = get(&address, &path);
        assert!(
            answer.starts_with("HTTP/1.1 302")
                && answer.contains("Location: http://127.0.0.1:9/ent_1#s.h\r\n")
        );
        let place = address.strip_prefix("http://").unwrap().split('/').next().unwrap();
        assert!(TcpStream::connect(place).is_err(), "it goes on listening");
    }

    #[test]
    fn a_head_that_drips_ends_with_its_time() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut dripping = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        dripping.write_all(b"G").unwrap();
        let end = SystemClock.boot().saturating_add(Duration::from_millis(50));
        let error = head(&mut stream, end).unwrap_err();
        assert!(matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock));
        // Bytes that are there do not give it more.
        dripping.write_all(b"E").unwrap();
        assert_eq!(head(&mut stream, end).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_owner_of_a_connection_stands_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0\n   \
             1: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 20 4\n";
        if cfg!(target_endian = "little") {
            assert_eq!(owner_in(table, 0xD431, 0x1F90), Some(1000));
        }
        assert_eq!(owner_in(table, 1, 0x1F90), None);
    }
}
