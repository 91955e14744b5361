//! One read over the Unix socket without a runtime: for a program that asks once and ends.
//!
//! `hq-vault get` runs in other people's loops, and starting a runtime and an HTTP library took it a third of its time.
//! So this writes the request and reads the answer by hand, on a blocking socket and a connection of its own.
//! It reads only what a vault sends: HTTP/1.1 with `Content-Length`, bounded in head and body, never silent for
//! longer than the deadline. Checks of the socket, headers, errors and the answer's form are the other way's own.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use hqv_api::GetAnswer;
use hqv_api::percent::encode_path;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::client::{Client, closed, late, parse, success};
use crate::error::{ClientError, Result};
use crate::secrets::Secret;
use crate::target::Target;
use crate::unix;
use crate::wire::{LIMIT, RawAnswer, too_long};

/// The longest head of an answer.
const HEAD: usize = 16 << 10;
/// What is asked of the socket at once.
const CHUNK: usize = 8 << 10;

impl Client {
    /// Reads a value as [`Client::get`] does, on this thread. None where the target is no Unix socket.
    pub fn get_directly(&self, path: &str) -> Option<Result<Secret>> {
        let Target::Unix(socket) = &self.options.target else {
            return None;
        };
        let target = format!("/v1/secrets/{}", encode_path(path));
        let answer = self.exchange(socket, &target).and_then(success);
        Some(answer.and_then(|body| Secret::from_answer(parse::<GetAnswer>(&body)?)))
    }

    fn exchange(&self, socket: &Path, target: &str) -> Result<RawAnswer> {
        let options = &self.options;
        let mut stream =
            unix::connect_blocking(socket, options.own_uid, options.peer_uid, options.connect_within)?;
        let limit = options.answer_within;
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => late(&options.target, limit),
            _ => closed(&options.target).after_sending(),
        };
        stream
            .set_read_timeout(Some(limit))
            .and_then(|()| stream.set_write_timeout(Some(limit)))
            .map_err(failed)?;
        stream.write_all(&self.written(target)).map_err(failed)?;
        let mut held = Zeroizing::new(Vec::new());
        let head = loop {
            if let Some(head) = Head::find(&held)? {
                break head;
            }
            if more(&mut stream, &mut held).map_err(failed)? == 0 {
                return Err(closed(&options.target).after_sending());
            }
        };
        if head.length > LIMIT {
            return Err(too_long(LIMIT));
        }
        while held.len() < head.bytes + head.length {
            if more(&mut stream, &mut held).map_err(failed)? == 0 {
                return Err(broken_off());
            }
        }
        let body = held.get(head.bytes..head.bytes + head.length).unwrap_or_default();
        Ok(RawAnswer { status: head.status, headers: head.headers, body: Zeroizing::new(body.to_vec()) })
    }

    /// The request's bytes; they hold the credential.
    fn written(&self, target: &str) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(1024 + target.len()));
        for part in ["GET ", target, " HTTP/1.1\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        for (name, value) in &self.standing {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// Reads what is there, at least a byte unless the other side closed. Memory that is left behind is wiped.
fn more(stream: &mut impl Read, held: &mut Zeroizing<Vec<u8>>) -> io::Result<usize> {
    let before = held.len();
    if held.capacity() - before < CHUNK {
        let mut larger = Vec::with_capacity(2 * before + CHUNK);
        larger.extend_from_slice(held);
        *held = Zeroizing::new(larger);
    }
    held.resize(before + CHUNK, 0);
    let read = loop {
        match stream.read(held.get_mut(before..).unwrap_or_default()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    held.truncate(before + *read.as_ref().unwrap_or(&0));
    read
}

/// The head of an answer, as far as anything depends on it.
struct Head {
    status: u16,
    headers: HeaderMap,
    /// Bytes of the head itself.
    bytes: usize,
    /// Bytes of the body.
    length: usize,
}

impl Head {
    /// The head at the front of `held`; None while it is not whole.
    fn find(held: &[u8]) -> Result<Option<Head>> {
        let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if held.len() > HEAD { Err(no_http()) } else { Ok(None) };
        };
        let head = held.get(..end).and_then(|head| std::str::from_utf8(head).ok());
        head.and_then(|head| Head::read(head, end + 4)).map(Some).ok_or_else(no_http)
    }

    fn read(head: &str, bytes: usize) -> Option<Head> {
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let (mut length, mut headers) = (None, HeaderMap::new());
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") && length.is_none() {
                length = Some(value.parse().ok()?);
            } else if name.eq_ignore_ascii_case("content-length")
                || name.eq_ignore_ascii_case("transfer-encoding")
            {
                return None;
            } else if name.eq_ignore_ascii_case("retry-after") {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_str(value).ok()?);
            }
        }
        Some(Head { status, headers, bytes, length: length? })
    }
}

fn no_http() -> ClientError {
    ClientError::connection("what answered is not an HQ Vault: no HTTP that a vault sends").after_sending()
}

fn broken_off() -> ClientError {
    ClientError::connection("the answer broke off").after_sending()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn find(text: &str) -> Result<Option<(u16, usize, usize)>> {
        Head::find(text.as_bytes()).map(|head| head.map(|head| (head.status, head.bytes, head.length)))
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let whole = "HTTP/1.1 200 OK\r\ncontent-type: x\r\nContent-Length:  5\r\n\r\nhello";
        for cut in 0..whole.len() - 5 {
            assert_eq!(find(&whole[..cut]).unwrap(), None, "{cut}");
        }
        assert_eq!(find(whole).unwrap(), Some((200, whole.len() - 5, 5)));
    }

    #[test]
    fn what_no_vault_sends_is_refused() {
        for bad in [
            "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 2 OK\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(find(bad).is_err_and(|error| error.sent), "{bad}");
        }
        assert!(Head::find(&vec![b'x'; HEAD + 1]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Head::find(&bytes);
            let _ = Head::find(&[b"HTTP/1.1 200 OK\r\n", &bytes[..], b"\r\n\r\n"].concat());
        }
    }
}
