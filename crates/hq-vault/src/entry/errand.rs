//! What `ingest` tells a prompt that stands in a process of its own, and what
//! it hears back.
//!
//! The submit secret and the credential go over a connected socket whose peer
//! both sides know to be of the same user; neither stands in an argument or a
//! variable. Back comes one byte.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use hqv_api::{JsonBody, WireSecret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most that an errand may be long.
const ERRAND_MAX: u32 = 64 * 1024;

/// How long the other side may take to speak.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a prompt needs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errand {
    /// The entry's id.
    pub entry: String,
    /// Its submit secret.
    pub submit: WireSecret,
    /// The asker's token or session, where it has one.
    pub credential: Option<WireSecret>,
    /// It stands in tmux.
    pub tmux: bool,
    /// An empty value may be meant.
    pub allow_empty: bool,
    /// A single pasted line keeps its newline.
    pub raw: bool,
}

/// How a prompt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something is decided; the daemon knows what.
    Decided,
    /// The person left it open.
    Left,
    /// Something stands where the value was to go, and may not be replaced.
    InTheWay,
    /// There is no terminal to ask on, or it went away.
    NoTerminal,
}

impl Outcome {
    const fn byte(self) -> u8 {
        match self {
            Outcome::Decided => b'd',
            Outcome::Left => b'l',
            Outcome::InTheWay => b'w',
            Outcome::NoTerminal => b'n',
        }
    }
}

/// Whether the other end of a socket is a process of this user.
pub fn is_ours(stream: &UnixStream) -> bool {
    use std::os::fd::AsFd;
    hqv_sys::peer::of(stream.as_fd()).is_ok_and(|peer| peer.uid == hqv_sys::process::uid())
}

/// Hands the errand over.
pub fn send(mut stream: &UnixStream, errand: &Errand) -> std::io::Result<()> {
    let body = JsonBody::of(errand);
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    stream.write_all(body.as_ref())
}

/// Takes it.
pub fn receive(mut stream: &UnixStream) -> std::io::Result<Errand> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > ERRAND_MAX {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut body = Zeroizing::new(vec![0; length as usize]);
    stream.read_exact(&mut body)?;
    serde_json::from_slice(&body).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

/// Says how it ended. Nobody may be listening any more.
pub fn report(mut stream: &UnixStream, outcome: Outcome) {
    let _ = stream.write_all(&[outcome.byte()]);
}

/// Waits for that. A prompt that ended without a word had no terminal.
pub fn outcome(mut stream: &UnixStream) -> Outcome {
    let mut byte = [0];
    let said = stream.set_read_timeout(None).and_then(|()| stream.read_exact(&mut byte));
    match (said, byte) {
        (Ok(()), [b'd']) => Outcome::Decided,
        (Ok(()), [b'l']) => Outcome::Left,
        (Ok(()), [b'w']) => Outcome::InTheWay,
        _ => Outcome::NoTerminal,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hqv_model::SecretText;

    #[test]
    fn an_errand_arrives_as_it_was_sent() {
        let (here, there) = UnixStream::pair().unwrap();
        assert!(is_ours(&here));
        let secret = |text: &str| WireSecret::from_text(&SecretText::new(text.to_owned()));
        let errand = Errand {
            entry: "ent_1".to_owned(),
            submit: secret("s3cret"),
            credential: Some(secret("hqv_x")),
            tmux: true,
            allow_empty: false,
            raw: true,
        };
        send(&here, &errand).unwrap();
        let got = receive(&there).unwrap();
        assert_eq!(
            (got.entry.as_str(), got.submit.reveal(), got.tmux, got.raw),
            ("ent_1", "s3cret", true, true)
        );
        assert_eq!(got.credential.unwrap().reveal(), "hqv_x");
        for outcome in [Outcome::Decided, Outcome::Left, Outcome::InTheWay, Outcome::NoTerminal] {
            report(&there, outcome);
            assert_eq!(super::outcome(&here), outcome);
        }
        drop(there);
        assert_eq!(super::outcome(&here), Outcome::NoTerminal);
    }

    #[test]
    fn nonsense_is_refused_and_does_not_hang() {
        for bytes in [&b"\xff\xff\xff\xff"[..], b"\0\0\0\x02{}", b"\0\0"] {
            let (mut here, there) = UnixStream::pair().unwrap();
            here.write_all(bytes).unwrap();
            drop(here);
            assert!(receive(&there).is_err());
        }
    }
}
