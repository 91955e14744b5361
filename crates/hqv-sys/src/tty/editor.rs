//! What the keys of a hidden prompt mean.
//!
//! A pure state machine: bytes in, steps out, so that it can be tested without a terminal. The terminal is
//! in non-canonical mode, for the kernel's own line editor cuts a line at 4,095 bytes and a pasted value
//! may be far longer; so the few editing keys people expect are here. Pasted text arrives between two marks
//! where the terminal knows bracketed paste, and newlines in it belong to the value.
//!
//! Where several lines may be typed, three more things make a line of many: Alt-Enter, a PEM block that has
//! begun and not ended, and [`Editor::go_on`], which the prompt calls when more follows an Enter at once, as
//! only a paste without marks does. From then on Ctrl-D ends the value.

use zeroize::Zeroizing;

use crate::input::Growing;

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
/// The ends of a PEM block (RFC 7468).
const BLOCK_BEGIN: &[u8] = b"-----BEGIN ";
const BLOCK_END: &[u8] = b"-----END ";

/// What a byte led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More is wanted.
    More,
    /// Enter: the line is complete, unless more follows at once.
    Done,
    /// The end of input was typed after something: the value is complete.
    Closed,
    /// The end of input was typed on an empty line.
    End,
}

pub(super) struct Editor {
    typed: Growing,
    /// An escape sequence that is not complete yet.
    escape: Zeroizing<Vec<u8>>,
    pasting: bool,
    /// Several lines may be typed.
    several: bool,
    /// Enter belongs to the value; Ctrl-D ends it.
    lines: bool,
    /// The last byte came within marks: what was pasted so is whole.
    whole: bool,
    /// The last byte was a carriage return: a newline after it belongs to it.
    returned: bool,
}

impl Editor {
    pub(super) fn new(limit: usize, several: bool) -> Editor {
        let escape = Zeroizing::new(Vec::with_capacity(16));
        Editor {
            typed: Growing::new(limit),
            escape,
            pasting: false,
            several,
            lines: false,
            whole: false,
            returned: false,
        }
    }

    /// The Enter just fed was a newline within the value, and more lines come.
    pub(super) fn go_on(&mut self) {
        self.lines = true;
        if !self.ended_block() {
            self.insert(b'\n');
        }
    }

    pub(super) fn feed(&mut self, byte: u8) -> Step {
        if std::mem::replace(&mut self.returned, byte == b'\r') && byte == b'\n' {
            return Step::More;
        }
        if self.pasting {
            self.feed_pasted(byte);
            return Step::More;
        }
        if !self.escape.is_empty() {
            self.feed_escape(byte);
            return Step::More;
        }
        match byte {
            b'\n' | b'\r' => return self.enter(),
            0x04 if self.typed.bytes().is_empty() => return Step::End,
            0x04 => return Step::Closed,
            0x7f | 0x08 => self.erase_char(),
            0x15 => self.typed.truncate(0),
            0x17 => self.erase_word(),
            0x1b => self.escape.push(byte),
            b'\t' => self.insert(byte),
            0x00..=0x1f => {}
            _ => self.insert(byte),
        }
        Step::More
    }

    /// The value. The newline that ends a single pasted line is the line's end and not part of it, unless it is
    /// to be kept; of several lines every byte stays.
    pub(super) fn finish(mut self, keep_newline: bool) -> Zeroizing<Vec<u8>> {
        let bytes = self.typed.bytes();
        if let Some((b'\n', line)) = bytes.split_last().filter(|_| !keep_newline)
            && !line.contains(&b'\n')
        {
            self.typed.truncate(bytes.len() - 1);
        }
        self.typed.into_inner()
    }

    fn enter(&mut self) -> Step {
        let begun = self.several && !self.lines && self.typed.bytes().starts_with(BLOCK_BEGIN);
        let block = begun && !self.whole && !self.ended_block();
        if !self.lines && !block {
            return Step::Done;
        }
        self.insert(b'\n');
        if block && self.ended_block() { Step::Done } else { Step::More }
    }

    /// Whether what was typed ends with the last line of a PEM block, newline included.
    fn ended_block(&self) -> bool {
        let Some(text) = self.typed.bytes().strip_suffix(b"-----\n") else { return false };
        let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        last.starts_with(BLOCK_END)
    }

    fn insert(&mut self, byte: u8) {
        self.typed.push(&[byte]);
        self.whole = self.pasting;
    }

    fn feed_pasted(&mut self, byte: u8) {
        self.escape.push(byte);
        if PASTE_END.starts_with(&self.escape) {
            if self.escape.len() == PASTE_END.len() {
                self.pasting = false;
                self.escape.clear();
            }
            return;
        }
        // Not the end mark: it was part of the value. The last byte may begin the mark anew.
        let held = std::mem::replace(&mut self.escape, Zeroizing::new(Vec::with_capacity(16)));
        for byte in held.iter().take(held.len() - 1) {
            self.insert(*byte);
        }
        if byte == 0x1b {
            self.escape.push(byte);
        } else {
            self.insert(if byte == b'\r' { b'\n' } else { byte });
        }
    }

    /// Outside a paste: the paste mark, or an arrow or function key, which means nothing here and is
    /// swallowed.
    fn feed_escape(&mut self, byte: u8) {
        self.escape.push(byte);
        if *self.escape == PASTE_BEGIN {
            self.pasting = true;
            self.escape.clear();
            return;
        }
        if self.several && self.escape.len() == 2 && matches!(byte, b'\n' | b'\r') {
            self.insert(b'\n');
        }
        let over = match self.escape.len() {
            2 => byte != b'[' && byte != b'O',
            3 if self.escape.get(1) == Some(&b'O') => true,
            len => matches!(byte, 0x40..=0x7e) || len >= 16,
        };
        if over {
            self.escape.clear();
        }
    }

    fn erase_char(&mut self) {
        let bytes = self.typed.bytes();
        let tail = bytes.iter().rev().take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
        self.typed.truncate(bytes.len().saturating_sub(tail.min(3) + 1));
    }

    fn erase_word(&mut self) {
        let bytes = self.typed.bytes();
        let blanks = bytes.iter().rev().take_while(|byte| **byte == b' ').count();
        let word = bytes.iter().rev().skip(blanks).take_while(|byte| **byte != b' ').count();
        self.typed.truncate(bytes.len() - blanks - word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(keys: &[u8]) -> (Vec<u8>, Step) {
        type_into(Editor::new(64, false), keys)
    }

    fn type_lines(keys: &[u8]) -> (Vec<u8>, Step) {
        type_into(Editor::new(200, true), keys)
    }

    fn type_into(mut editor: Editor, keys: &[u8]) -> (Vec<u8>, Step) {
        let mut last = Step::More;
        for key in keys {
            last = editor.feed(*key);
            if last != Step::More {
                break;
            }
        }
        (editor.finish(false).to_vec(), last)
    }

    #[test]
    fn a_line_ends_at_enter() {
        assert_eq!(type_in(b"secret\nrest"), (b"secret".to_vec(), Step::Done));
        assert_eq!(type_in(b"secret\r"), (b"secret".to_vec(), Step::Done));
        assert_eq!(type_in(b"secret"), (b"secret".to_vec(), Step::More));
    }

    #[test]
    fn control_d_ends() {
        assert_eq!(type_in(b"\x04"), (vec![], Step::End));
        assert_eq!(type_in(b"x\x04"), (b"x".to_vec(), Step::Closed));
        assert_eq!(type_in(b"x\x7f\x04"), (vec![], Step::End));
    }

    #[test]
    fn editing_keys() {
        assert_eq!(type_in(b"abd\x7fc\n").0, b"abc");
        assert_eq!(type_in("ä€𝄞\x7f\x08\n".as_bytes()).0, "ä".as_bytes());
        assert_eq!(type_in(b"wrong\x15right\n").0, b"right");
        assert_eq!(type_in(b"one two  \x17three\n").0, b"one three");
        assert_eq!(type_in(b"\x7f\x17\x15a\n").0, b"a");
        assert_eq!(type_in(b"a\x00\x01\tb\n").0, b"a\tb");
    }

    #[test]
    fn arrows_and_function_keys_mean_nothing() {
        assert_eq!(type_in(b"a\x1b[Ab\x1bOPc\x1b[15~d\x1bxe\n").0, b"abcde");
    }

    #[test]
    fn pasted_lines_belong_to_the_value() {
        assert_eq!(type_in(b"\x1b[200~one\rtwo\nthree\r\x1b[201~\n").0, b"one\ntwo\nthree\n");
        assert_eq!(type_in(b"\x1b[200~one\r\x1b[201~\n"), (b"one".to_vec(), Step::Done));
        let mut raw = Editor::new(64, false);
        assert!(b"\x1b[200~one\r\x1b[201~".iter().all(|key| raw.feed(*key) == Step::More));
        assert_eq!(raw.finish(true).as_slice(), b"one\n");
        assert_eq!(type_in(b"pre\x1b[200~fix\x1b[201~ed\n").0, b"prefixed");
    }

    #[test]
    fn in3_a_return_with_its_newline_is_one_line_end() {
        assert_eq!(type_in(b"\x1b[200~a\r\nb\r\n\x1b[201~\n").0, b"a\nb\n");
        assert_eq!(type_in(b"\x1b[200~a\r\n\r\nb\n\nc\x1b[201~\n").0, b"a\n\nb\n\nc");
        assert_eq!(type_in(b"\x1b[200~a\r\x1b[201~\n"), (b"a".to_vec(), Step::Done));
        let block = b"-----BEGIN KEY-----\r\nabc=\r\n-----END KEY-----\r\n";
        let (typed, step) = type_lines(block);
        assert_eq!(
            (typed.as_slice(), step),
            (&b"-----BEGIN KEY-----\nabc=\n-----END KEY-----\n"[..], Step::Done)
        );
    }

    #[test]
    fn escapes_inside_a_paste_are_kept() {
        assert_eq!(type_in(b"\x1b[200~a\x1b[31mb\x1b\x1b[20\x1b[201~\n").0, b"a\x1b[31mb\x1b\x1b[20");
        assert_eq!(type_in(b"\x1b[200~\x04\x7f\x15\x1b[201~\n").0, b"\x04\x7f\x15");
    }

    #[test]
    fn alt_enter_adds_a_line_where_several_may_be_typed() {
        assert_eq!(type_lines(b"one\x1b\rtwo\n"), (b"one\ntwo".to_vec(), Step::Done));
        assert_eq!(type_in(b"one\x1b\rtwo\n"), (b"onetwo".to_vec(), Step::Done));
    }

    #[test]
    fn a_pem_block_ends_itself() {
        let block = b"-----BEGIN KEY-----\nabc=\n-----END KEY-----\n";
        assert_eq!(type_lines(block), (block.to_vec(), Step::Done));
        assert_eq!(type_lines(&block[..30]).1, Step::More);
        let marked = [b"\x1b[200~", &block[..], b"\x1b[201~\n"].concat();
        assert_eq!(type_lines(&marked), (block.to_vec(), Step::Done));
        assert_eq!(type_lines(b"\x1b[200~-----BEGIN A-----\nx\x1b[201~\n").1, Step::Done);
        assert_eq!(type_lines(b"-----BEGIN KEY-----\nabc=\n\x04").1, Step::Closed);
        assert_eq!(type_in(block).0, b"-----BEGIN KEY-----");
    }

    #[test]
    fn what_goes_on_is_ended_by_control_d() {
        let mut editor = Editor::new(64, true);
        assert!(b"one".iter().all(|key| editor.feed(*key) == Step::More));
        assert_eq!(editor.feed(b'\n'), Step::Done);
        editor.go_on();
        assert!(b"two\n".iter().all(|key| editor.feed(*key) == Step::More));
        assert_eq!(editor.feed(4), Step::Closed);
        assert_eq!(editor.finish(false).as_slice(), b"one\ntwo\n");
    }

    #[test]
    fn blocks_that_follow_one_another_are_one_value() {
        let block = b"-----BEGIN A-----\nx\n-----END A-----\n";
        let mut editor = Editor::new(200, true);
        assert!(block.iter().fold(Step::More, |_, key| editor.feed(*key)) == Step::Done);
        editor.go_on();
        assert!(block.iter().all(|key| editor.feed(*key) == Step::More));
        assert_eq!(editor.feed(4), Step::Closed);
        assert_eq!(editor.finish(false).as_slice(), [&block[..], &block[..]].concat());
    }

    #[test]
    fn the_limit_holds_and_the_line_still_ends() {
        let mut keys = vec![b'x'; 200];
        keys.push(b'\n');
        assert_eq!(type_in(&keys), (vec![b'x'; 64], Step::Done));
    }
}
