//! The program's output, masked, on our own.

use std::io;

use hqv_mask::{Masker, Stream};
use hqv_sys::process::child::{Channel, Sink, put};

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

    fn stream(&mut self, channel: Channel) -> &mut Stream {
        match channel {
            Channel::Output => &mut self.output,
            Channel::Errors => &mut self.errors,
        }
    }

    /// Writes what `act` makes ready.
    fn write(&mut self, channel: Channel, act: impl FnOnce(&mut Stream, &mut Vec<u8>)) -> io::Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        act(self.stream(channel), &mut ready);
        let written = put(channel, &ready);
        ready.clear();
        self.ready = ready;
        written
    }
}

impl Sink for Masked {
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.write(channel, |stream, ready| stream.push(bytes, ready))
    }

    /// A person may wait for the rest of a line. A pipe or a file does not: there a value that is written slowly must
    /// not come out in two halves.
    fn silence(&mut self) {
        for channel in [Channel::Output, Channel::Errors].into_iter().filter(|channel| channel.is_terminal())
        {
            // Whoever read it has gone: the program learns that when it writes.
            let _ = self.write(channel, Stream::idle);
        }
    }

    fn end(&mut self) {
        for channel in [Channel::Output, Channel::Errors] {
            let _ = self.write(channel, Stream::finish);
        }
    }
}
