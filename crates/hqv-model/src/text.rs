//! Making text from outside harmless to look at.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether the character changes the direction of the text around it (Unicode `Bidi_Control`):
/// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn needs_escape(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text with every control character (C0, DEL, C1), bidirectional control and line separator
/// written as `\u{1b}`, so that it can neither move a cursor nor start a line nor reorder what stands
/// around it. For every text from outside that a person is shown; borrows where there is nothing to do.
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(needs_escape) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(clean);
    for c in rest.chars() {
        if needs_escape(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn in6_terminal_escapes_newlines_and_bidi_controls_are_spelled_out() {
        assert_eq!(escape_controls("\u{1b}]0;title\u{7}"), "\\u{1b}]0;title\\u{7}");
        assert_eq!(escape_controls("one\ntwo\r\tthree"), "one\\u{a}two\\u{d}\\u{9}three");
        assert_eq!(escape_controls("\u{7f}\u{9b}31m"), "\\u{7f}\\u{9b}31m");
        assert_eq!(escape_controls("a\u{202e}b\u{2066}c\u{61c}"), "a\\u{202e}b\\u{2066}c\\u{61c}");
        assert_eq!(escape_controls("a\u{2028}b\u{2029}"), "a\\u{2028}b\\u{2029}");
    }

    #[test]
    fn in6_plain_text_is_borrowed_as_it_is() {
        for text in ["", "Stripe live key", "clé – ключ – 鍵 – 🔑", "back\\slash"] {
            assert!(matches!(escape_controls(text), Cow::Borrowed(same) if same == text));
        }
    }

    proptest! {
        #[test]
        fn in6_nothing_that_acts_is_left_and_the_rest_is_kept(text in "\\PC*|.*|[\\x00-\\x20\u{80}-\u{a0}\u{2000}-\u{2070}a]*") {
            let shown = escape_controls(&text);
            prop_assert!(!shown.chars().any(needs_escape));
            let kept: String = text.chars().filter(|c| !needs_escape(*c)).collect();
            if kept == text {
                prop_assert_eq!(&*shown, text.as_str());
            } else {
                prop_assert!(shown.len() > kept.len());
            }
        }
    }
}
