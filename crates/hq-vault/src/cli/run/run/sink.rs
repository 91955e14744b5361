//! The program's output, masked, on our own.

use std::io::{self, Write};

use hqv_mask::{Masker, Stream};
use hqv_sys::process::child::{Channel, Sink};

/// Two streams: a value does not begin in one and end in the other.
pub(super) struct Masked {
    output: Stream,
    errors: Stream,
    ready: Vec<u8>,
}

impl Masked {
    pub(super) fn new(masker: &Masker) -> Masked {
        Masked { output: masker.stream(), errors: masker.stream(), ready: Vec::with_capacity(128 << 10) }
    }

    fn write(&mut self, channel: Channel) -> io::Result<()> {
        let ready = std::mem::take(&mut self.ready);
        let written = write(channel, &ready);
        self.ready = ready;
        self.ready.clear();
        written
    }

    fn both(&mut self, act: fn(&mut Stream, &mut Vec<u8>)) {
        for channel in [Channel::Output, Channel::Errors] {
            let stream = if channel == Channel::Output { &mut self.output } else { &mut self.errors };
            act(stream, &mut self.ready);
            // Whoever read it has gone: the program learns that when it writes.
            let _ = self.write(channel);
        }
    }
}

impl Sink for Masked {
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let stream = if channel == Channel::Output { &mut self.output } else { &mut self.errors };
        stream.push(bytes, &mut self.ready);
        self.write(channel)
    }

    fn silence(&mut self) {
        self.both(Stream::idle);
    }

    fn end(&mut self) {
        self.both(Stream::finish);
    }
}

fn write(channel: Channel, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match channel {
        Channel::Output => {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Channel::Errors => io::stderr().lock().write_all(bytes),
    }
}
