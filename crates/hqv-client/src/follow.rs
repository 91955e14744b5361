//! A stream of audit records (server-sent events, WHATWG HTML section 9.2; the names are in [`hqv_api::sse`]).

use std::time::Duration;

use hqv_api::{AuditRecord, ErrorBody, sse};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::client::parse;
use crate::error::{ClientError, Result};
use crate::wire::Sender;

/// The longest line that is held.
const LINE: usize = 4 << 20;
/// The server says something at least every 15 seconds; a stream that is silent for this long is dead.
const SILENCE: Duration = Duration::from_secs(60);

/// Records as they are written.
pub struct Follow {
    // Holds the connection open.
    _sender: Sender,
    body: Incoming,
    lines: Lines,
    event: Event,
    position: Option<u64>,
}

#[derive(Default)]
struct Event {
    name: String,
    data: String,
}

impl Follow {
    pub(crate) fn new(sender: Sender, body: Incoming) -> Self {
        Self { _sender: sender, body, lines: Lines::default(), event: Event::default(), position: None }
    }

    /// The line behind which to go on where the stream is cut: [`hqv_api::AuditQuery::after`].
    pub fn position(&self) -> Option<u64> {
        self.position
    }

    /// The next record. `None` where the server stopped in good order.
    ///
    /// # Errors
    /// `VAULT_LOCKED` where the vault was locked, the server's other reasons to end, `CONNECTION_ERROR` where the
    /// stream was cut.
    pub async fn next(&mut self) -> Result<Option<AuditRecord>> {
        loop {
            while let Some(line) = self.lines.take() {
                if let Some(id) = line.strip_prefix("id:") {
                    self.position = id.trim().parse().ok().or(self.position);
                } else if let Some(event) = self.event.feed(&line) {
                    return finish(&event);
                }
            }
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await;
            match frame {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.lines.push(&data)?;
                    }
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(cut("the stream of records was cut")),
                Err(_) => return Err(cut("the stream of records fell silent")),
            }
        }
    }
}

fn cut(message: &str) -> ClientError {
    ClientError::connection(message).after_sending()
}

fn finish(event: &Event) -> Result<Option<AuditRecord>> {
    if event.name == sse::END {
        let body: ErrorBody = parse(event.data.as_bytes())?;
        return Err(ClientError::answered(200, body, None));
    }
    parse(event.data.as_bytes()).map(Some)
}

impl Event {
    /// Takes one line; a blank one ends an event. Events of names that this version does not know are passed over.
    fn feed(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(self);
            let known = event.name == sse::RECORD || event.name == sse::END;
            return (known && !event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

/// Cuts what arrives into lines.
#[derive(Default)]
struct Lines {
    buffer: Vec<u8>,
    seen: usize,
}

impl Lines {
    fn push(&mut self, data: &[u8]) -> Result<()> {
        if self.buffer.len().saturating_add(data.len()) > LINE {
            return Err(cut("the stream of records holds a line that is too long"));
        }
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    fn take(&mut self) -> Option<String> {
        let Some(at) = self.buffer.get(self.seen..)?.iter().position(|byte| *byte == b'\n') else {
            self.seen = self.buffer.len();
            return None;
        };
        let rest = self.buffer.split_off(self.seen + at + 1);
        let mut line = std::mem::replace(&mut self.buffer, rest);
        self.seen = 0;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
