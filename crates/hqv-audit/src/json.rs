//! JSON written by hand into one reused buffer.
//!
//! A record is written before each answer, so it must not allocate; and it holds paths and names, so
//! the buffer is wiped after each use. What a terminal or a line-based reader could take for more than
//! text is escaped: C0, DEL, C1, line and paragraph separators and the bidirectional controls
//! (row AU3).

use hqv_model::is_bidi_control;
use hqv_sys::memory::wipe;
use zeroize::Zeroize;

/// What is kept of the buffer between records; a larger one is given back.
const KEEP: usize = 16 * 1024;

/// An object under construction.
#[derive(Default)]
pub(crate) struct Json {
    buf: Vec<u8>,
    first: bool,
}

impl Json {
    /// Empties and wipes the buffer.
    pub(crate) fn clear(&mut self) {
        if self.buf.capacity() > KEEP {
            self.buf.zeroize();
            self.buf = Vec::new();
        } else {
            wipe(&mut self.buf);
            self.buf.clear();
        }
        self.first = true;
    }

    /// What was written.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buf
    }

    /// A piece of JSON that is ours and needs no escape. Its length is known where it is written, so it
    /// becomes a few moves.
    #[inline(always)]
    pub(crate) fn raw<const N: usize>(&mut self, text: &[u8; N]) {
        self.room(N);
        self.buf.extend_from_slice(text);
    }

    /// A word of ours, such as an operation's name.
    pub(crate) fn word(&mut self, word: &str) {
        self.push(word.as_bytes());
    }

    /// Opens an object.
    pub(crate) fn open(&mut self) {
        self.byte(b'{');
        self.first = true;
    }

    /// Closes an object.
    pub(crate) fn close(&mut self) {
        self.byte(b'}');
        self.first = false;
    }

    /// A member's name. Names are ours and need no escape.
    pub(crate) fn name(&mut self, name: &str) {
        self.separate();
        self.byte(b'"');
        self.push(name.as_bytes());
        self.push(b"\":");
    }

    /// A member whose value is an array, one element at a time.
    pub(crate) fn array<T>(&mut self, name: &str, of: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.byte(b'[');
        self.first = true;
        for element in of {
            self.separate();
            self.first = true;
            each(self, element);
            self.first = false;
        }
        self.byte(b']');
        self.first = false;
    }

    /// A text member; the text may hold anything.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    /// A text member that is left out when there is none.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A number member.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.digits(value);
    }

    /// A truth member.
    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.push(if value { b"true" } else { b"false" });
    }

    /// A quoted string.
    pub(crate) fn string(&mut self, value: &str) {
        self.byte(b'"');
        let bytes = value.as_bytes();
        // Nearly every text is plain. Without an early end the loop runs many bytes at a time.
        let odd = bytes
            .iter()
            .fold(false, |odd, b| odd | (*b < 0x20) | (*b >= 0x7f) | (*b == b'"') | (*b == b'\\'));
        if !odd {
            self.push(bytes);
            return self.byte(b'"');
        }
        let mut done = 0;
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            if b >= 0x80 {
                at = self.wide(value, &mut done, at);
                continue;
            }
            if b < 0x20 || b == b'"' || b == b'\\' || b == 0x7f {
                self.push(bytes.get(done..at).unwrap_or_default());
                self.escape(u32::from(b));
                done = at + 1;
            }
            at += 1;
        }
        self.push(bytes.get(done..).unwrap_or_default());
        self.byte(b'"');
    }

    /// One character beyond ASCII at `at`; returns where the next begins.
    fn wide(&mut self, value: &str, done: &mut usize, at: usize) -> usize {
        let Some(c) = value.get(at..).and_then(|rest| rest.chars().next()) else {
            return at + 1;
        };
        let next = at + c.len_utf8();
        if matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}') || is_bidi_control(c) {
            self.push(value.as_bytes().get(*done..at).unwrap_or_default());
            self.escape(u32::from(c));
            *done = next;
        }
        next
    }

    /// All that is escaped lies in the basic plane, so one group of four digits is enough.
    fn escape(&mut self, c: u32) {
        match c {
            0x22 => self.push(b"\\\""),
            0x5c => self.push(b"\\\\"),
            0x0a => self.push(b"\\n"),
            0x0d => self.push(b"\\r"),
            0x09 => self.push(b"\\t"),
            _ => {
                self.push(b"\\u");
                for shift in [12, 8, 4, 0] {
                    self.byte(char::from_digit(c >> shift & 15, 16).map_or(b'0', |digit| digit as u8));
                }
            }
        }
    }

    /// A number.
    pub(crate) fn digits(&mut self, mut value: u64) {
        let mut text = [0_u8; 20];
        let mut used = 0;
        for slot in text.iter_mut().rev() {
            *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
            used += 1;
            if value == 0 {
                break;
            }
        }
        self.push(text.get(20 - used..).unwrap_or_default());
    }

    fn separate(&mut self) {
        if !self.first {
            self.byte(b',');
        }
        self.first = false;
    }

    fn byte(&mut self, b: u8) {
        self.push(&[b]);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len());
        self.buf.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn room(&mut self, more: usize) {
        if self.buf.capacity() - self.buf.len() < more {
            self.grow(more);
        }
    }

    /// Grows by hand: a plain `Vec` would leave the old block, paths and all, to the allocator.
    #[cold]
    fn grow(&mut self, more: usize) {
        let mut larger = Vec::with_capacity((self.buf.len() + more).next_power_of_two().max(1024));
        larger.extend_from_slice(&self.buf);
        self.buf.zeroize();
        self.buf = larger;
    }
}

impl Drop for Json {
    fn drop(&mut self) {
        self.buf.zeroize();
    }
}
