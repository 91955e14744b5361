//! One read over the Unix socket without a runtime, of a value or of many: for a program that asks once and ends.
//!
//! `hq-vault get` and `env-file` run in other people's loops, and starting a runtime and an HTTP library took it a third of its time.
//! So this writes the request and reads the answer by hand, on a blocking socket and a connection of its own.
//! It reads only what a vault sends: HTTP/1.1 with `Content-Length`, bounded in head and body, the whole of it within
//! the deadline. Checks of the socket, headers, errors and the answer's form are the other way's own.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use hqv_api::percent::encode_path;
use hqv_api::{BatchAnswer, BatchRequest, GetAnswer, JsonBody};
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::client::{Client, closed, late, parse, success};
use crate::error::{ClientError, Result};
use crate::secrets::{BATCH, BATCH_LIMIT, Secret};
use crate::target::Target;
use crate::unix;
use crate::wire::{LIMIT, RawAnswer, too_long};

/// The longest head of an answer.
const HEAD: usize = 16 << 10;
/// What is asked of the socket at once, while it is not known how much comes.
const CHUNK: usize = 8 << 10;
/// The same of a body, whose length is known.
const LARGE: usize = 256 << 10;

/// What is asked: a read, or what is posted.
struct Ask {
    target: String,
    body: Option<JsonBody>,
    /// The most that is read of the answer's body, in bytes.
    limit: usize,
}

impl Client {
    /// Reads a value as [`Client::get`] does, on this thread. None where the target is no Unix socket.
    pub fn get_directly(&self, path: &str, boot: Boot) -> Option<Result<Secret>> {
        let Target::Unix(socket) = &self.options.target else {
            return None;
        };
        let ask = Ask { target: format!("/v1/secrets/{}", encode_path(path)), body: None, limit: LIMIT };
        let answer = self.exchange(socket, &ask, boot).and_then(success);
        Some(answer.and_then(|body| Secret::from_answer(parse::<GetAnswer>(&body)?)))
    }

    /// Reads many as [`Client::batch`] does, on this thread. None where the target is no Unix socket.
    pub fn batch_directly(&self, request: &BatchRequest, boot: Boot) -> Option<Result<Vec<Secret>>> {
        let Target::Unix(socket) = &self.options.target else {
            return None;
        };
        let ask = Ask { target: BATCH.to_owned(), body: Some(JsonBody::of(request)), limit: BATCH_LIMIT };
        let answer = self.exchange(socket, &ask, boot).and_then(success);
        Some(answer.and_then(|body| {
            parse::<BatchAnswer>(&body)?.secrets.into_iter().map(Secret::from_answer).collect()
        }))
    }

    fn exchange(&self, socket: &Path, ask: &Ask, boot: Boot) -> Result<RawAnswer> {
        let options = &self.options;
        let stream =
            unix::connect_blocking(socket, options.own_uid, options.peer_uid, options.connect_within)?;
        let limit = options.answer_within;
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => late(&options.target, limit),
            _ => closed(&options.target).after_sending(),
        };
        let mut stream = Timed { stream, boot, since: boot(), limit };
        stream.write_all(&self.written(ask)).map_err(failed)?;
        let mut held = Zeroizing::new(Vec::new());
        let head = loop {
            if let Some(head) = Head::find(&held)? {
                break head;
            }
            if more(&mut stream, &mut held, CHUNK).map_err(failed)? == 0 {
                return Err(closed(&options.target).after_sending());
            }
        };
        if head.length > ask.limit {
            return Err(too_long(ask.limit));
        }
        while held.len() < head.bytes + head.length {
            let rest = head.bytes + head.length - held.len();
            if more(&mut stream, &mut held, rest.min(LARGE)).map_err(failed)? == 0 {
                return Err(broken_off());
            }
        }
        let body = held.get(head.bytes..head.bytes + head.length).unwrap_or_default();
        Ok(RawAnswer { status: head.status, headers: head.headers, body: Zeroizing::new(body.to_vec()) })
    }

    /// The request's bytes; they hold the credential.
    fn written(&self, ask: &Ask) -> Zeroizing<Vec<u8>> {
        let (method, about, body) = match &ask.body {
            None => ("GET ", String::new(), &[][..]),
            Some(body) => {
                let about = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
                ("POST ", about, body.as_ref())
            }
        };
        // To the byte: a buffer that grew would leave the credential behind.
        let lines: usize =
            self.standing.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let first = [method, &ask.target, " HTTP/1.1\r\n"];
        let last = [about.as_bytes(), b"\r\n", body];
        let frame =
            first.iter().map(|part| part.len()).chain(last.iter().map(|part| part.len())).sum::<usize>();
        let mut out = Zeroizing::new(Vec::with_capacity(frame + lines));
        first.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        for (name, value) in &self.standing {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        last.iter().for_each(|part| out.extend_from_slice(part));
        out
    }
}

/// The boot clock.
pub type Boot = fn() -> Duration;

/// A stream with one deadline for all that is sent and read: a server that trickles does not move it.
struct Timed {
    stream: UnixStream,
    boot: Boot,
    since: Duration,
    limit: Duration,
}

impl Timed {
    /// What is left of the time. None of it is `TimedOut`: the system takes no time at all for no limit.
    fn left(&self) -> io::Result<Duration> {
        let left = self.limit.saturating_sub((self.boot)().saturating_sub(self.since));
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Reads what is there, at least a byte unless the other side closed. Memory that is left behind is wiped.
fn more(stream: &mut impl Read, held: &mut Zeroizing<Vec<u8>>, most: usize) -> io::Result<usize> {
    let before = held.len();
    if held.capacity() - before < most {
        let mut larger = Vec::with_capacity(2 * before + most);
        larger.extend_from_slice(held);
        *held = Zeroizing::new(larger);
    }
    held.resize(before + most, 0);
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
    fn the_request_fits_its_buffer_to_the_byte() {
        let target = Target::Unix("/none".into());
        let mut options = crate::Options::new(target, 0, |_| Ok(0));
        options.credential = Some(hqv_model::SecretText::new("c".repeat(3_000)));
        let client = Client::new(options).unwrap();
        for target in ["/v1/secrets/a".to_owned(), format!("/v1/secrets/{}", "%2F".repeat(2_000))] {
            for body in [None, Some(JsonBody::of(&["a", "b"]))] {
                let ask = Ask { target: target.clone(), body, limit: LIMIT };
                let written = client.written(&ask);
                assert!(written.len() > target.len() + 3_000);
                assert_eq!(written.len(), written.capacity());
            }
        }
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
