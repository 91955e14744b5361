//! The code by which people call an entry or an ask: `7F3K-9QXM`.
//!
//! Seven random characters of Crockford's alphabet (35 bits) and one that checks them. The eight are digits
//! of GF(32) with a weighted sum of zero: the weights are the powers of a generator, so all are different and
//! none is zero, and one wrong character, or two swapped ones wherever they stand, never make another code. A code is no secret: it names what waits, and what it opens needs the owner.

use crate::ids::{ALPHABET, digit};
use crate::{Entropy, Error, Result, array};
use std::fmt;

const CHARACTERS: usize = 8;

/// The longest text that is looked at: a code with blanks between all its characters and around it.
const MOST_TEXT: usize = 64;

/// See the module's comment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketCode([u8; CHARACTERS]);

impl TicketCode {
    /// A random code.
    pub fn new(entropy: &mut dyn Entropy) -> Self {
        let random = array::<8>(entropy);
        let mut digits = random.map(|byte| byte & 31);
        digits[CHARACTERS - 1] = 0;
        digits[CHARACTERS - 1] = sum(&digits);
        TicketCode(digits)
    }

    /// Reads a code in either case, with or without the hyphen and blanks; `o` is read as 0, `i` and `l` as 1.
    /// [`crate::Code::BadRequest`] where it is none, with a sentence of its own where the check finds a mistake.
    pub fn parse(text: &str) -> Result<Self> {
        let hint = "a code looks like 7F3K-9QXM; hq-vault pending lists those that wait";
        let none = || Error::bad_request("a code is eight letters and digits").hint(hint);
        if text.len() > MOST_TEXT {
            return Err(none());
        }
        let mut digits = [0; CHARACTERS];
        let mut places = digits.iter_mut();
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ' | b'\t')) {
            // A letter that no code has is a slip of the pen as a wrong one is.
            let value = digit(byte).or(matches!(byte, b'u' | b'U').then_some(u128::MAX)).ok_or_else(none)?;
            *places.next().ok_or_else(none)? = u8::try_from(value).unwrap_or(u8::MAX);
        }
        if places.next().is_some() {
            return Err(none());
        }
        if digits.iter().any(|digit| *digit > 31) || sum(&digits) != 0 {
            return Err(Error::bad_request("that code is mistyped").hint(hint));
        }
        Ok(TicketCode(digits))
    }
}

/// The weighted sum in GF(32): the last digit counts once, each one before it times the generator more.
fn sum(digits: &[u8; CHARACTERS]) -> u8 {
    digits.iter().fold(0, |sum, digit| next_weight(sum) ^ digit)
}

/// Times x^4 + 1, modulo x^5 + x^2 + 1. The order of the field's group, 31, is prime, so any element but 0 and
/// 1 generates it; with this one the example that every document shows is a code.
fn next_weight(value: u8) -> u8 {
    let fourfold = (0..4).fold(value, |value, _| {
        let shifted = value << 1;
        if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 }
    });
    fourfold ^ value
}

impl fmt::Display for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |digit: &u8| {
            let byte = ALPHABET.get(usize::from(*digit)).copied().unwrap_or(b'0');
            char::from(byte.to_ascii_uppercase())
        };
        let (left, right) = self.0.split_at(CHARACTERS / 2);
        let text: String = left.iter().map(letter).chain(['-']).chain(right.iter().map(letter)).collect();
        f.pad(&text)
    }
}

impl fmt::Debug for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    struct Given([u8; 7]);

    impl Entropy for Given {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes[..7].copy_from_slice(&self.0);
            bytes[7] = 0xff;
        }
    }

    fn code(random: [u8; 7]) -> TicketCode {
        TicketCode::new(&mut Given(random))
    }

    #[test]
    fn the_written_form_is_fixed() {
        assert_eq!(code([0; 7]).to_string(), "0000-0000");
        assert_eq!(code([1, 2, 3, 4, 5, 6, 7]).to_string(), "1234-567Q");
        assert_eq!(code([31; 7]).to_string(), "ZZZZ-ZZZH");
        assert_eq!(format!("{:?}", code([0xe7, 15, 3, 19, 9, 23, 29])), "7F3K-9QXM");
    }

    #[test]
    fn people_write_it_as_they_like() {
        let one = code([0, 1, 2, 3, 4, 5, 6]);
        let text = one.to_string();
        assert!(text.starts_with("0123"));
        let (lower, plain) = (text.to_lowercase(), text.replace('-', ""));
        let (spaced, alike) = (format!(" {} ", text.replace('-', " ")), text.replace("01", "oL"));
        for way in [&text, &lower, &plain, &spaced, &alike, &text.replace("01", "OI")] {
            assert_eq!(TicketCode::parse(way).unwrap(), one, "{way}");
        }
    }

    #[test]
    fn what_is_no_code_is_told_from_one_that_is_mistyped() {
        for none in ["", "7F3K", "7F3K-9QXM0", "ent_0000", "7F3K_9QXM", "7F3K-9QXé", &"-".repeat(65)] {
            let error = TicketCode::parse(none).expect_err(none);
            assert_eq!(error.message(), "a code is eight letters and digits", "{none}");
        }
        for wrong in ["7F3K-9QX7", "7F3K-9QXU", "F73K-9QXM"] {
            assert_eq!(TicketCode::parse(wrong).expect_err(wrong).message(), "that code is mistyped");
        }
    }

    proptest! {
        #[test]
        fn any_wrong_character_and_any_two_swapped_are_found(random: [u8; 7], at in 0usize..8, other in 0usize..8, by in 1u8..32) {
            let good = code(random);
            prop_assert_eq!(TicketCode::parse(&good.to_string()).unwrap(), good);
            let mut wrong = good;
            wrong.0[at] ^= by;
            prop_assert!(TicketCode::parse(&wrong.to_string()).is_err());
            let mut swapped = good;
            swapped.0.swap(at, other);
            prop_assert_eq!(TicketCode::parse(&swapped.to_string()).is_ok(), swapped == good);
        }

        #[test]
        fn in2_no_text_makes_it_panic(text in "[0-9A-Za-z -]{0,12}|.*") {
            let _ = TicketCode::parse(&text);
        }
    }
}
