//! Ids: 16 random bytes, written as a prefix and 26 characters of Crockford's base32.
//!
//! The bytes are read as one big-endian number, so the first character is 0 to 7. Writing is lower-case;
//! reading takes either case and, as Crockford asks, `o` for 0 and `i` or `l` for 1.

use crate::{Error, Result};
use std::fmt;

pub(crate) const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// The first two digits hold eight bits; each five bytes after that are eight digits.
fn encode(bytes: [u8; 16]) -> [u8; DIGITS] {
    let letter = |bits: u64| ALPHABET[(bits & 31) as usize];
    let mut out = [0; DIGITS];
    let (head, groups) = out.split_at_mut(2);
    let first = u64::from(bytes[0]);
    head.copy_from_slice(&[letter(first >> 5), letter(first)]);
    for (digits, five) in groups.chunks_exact_mut(8).zip(bytes[1..].chunks_exact(5)) {
        let bits = five.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = letter(bits >> (35 - 5 * at));
        }
    }
    out
}

/// The value of a digit, in either case and with the look-alikes that Crockford allows.
pub(crate) fn digit(byte: u8) -> Option<u128> {
    let lower = match byte.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    };
    ALPHABET.iter().position(|known| *known == lower).map(|at| at as u128)
}

fn decode(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != DIGITS || digit(*text.first()?)? > 7 {
        return None;
    }
    let number = text.iter().try_fold(0_u128, |number, byte| Some(number << 5 | digit(*byte)?))?;
    Some(number.to_be_bytes())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What the written form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of these 16 random bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                $name(bytes)
            }

            /// The 16 bytes.
            pub const fn bytes(&self) -> [u8; 16] {
                self.0
            }

            /// The written form, as bytes: what `Display` writes, without the way through a formatter.
            pub fn text(&self) -> [u8; $prefix.len() + DIGITS] {
                let mut out = [0; $prefix.len() + DIGITS];
                let (head, digits) = out.split_at_mut($prefix.len());
                head.copy_from_slice($prefix.as_bytes());
                digits.copy_from_slice(&encode(self.0));
                out
            }

            /// Reads the written form, in either case.
            pub fn parse(text: &str) -> Result<Self> {
                let split = text.as_bytes().split_at_checked($prefix.len());
                split
                    .filter(|(head, _)| head.eq_ignore_ascii_case($prefix.as_bytes()))
                    .and_then(|(_, digits)| decode(digits))
                    .map($name)
                    .ok_or_else(|| {
                        Error::bad_request(concat!($what, " is ", $prefix, " and 26 letters and digits"))
                    })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // The alphabet is ASCII, so this never falls back.
                f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A token, for ever: `tok_...`.
    TokenId, "tok_", "a token id"
);
id!(
    /// An owner's session: `ses_...`.
    SessionId, "ses_", "a session id"
);
id!(
    /// A secret, whatever its path: `sec_...`.
    SecretId, "sec_", "a secret id"
);
id!(
    /// A vault: `vlt_...`.
    VaultId, "vlt_", "a vault id"
);
id!(
    /// One request: `req_...`.
    RequestId, "req_", "a request id"
);
id!(
    /// A key slot: `slt_...`.
    SlotId, "slt_", "a slot id"
);

id!(
    /// A one-time place for one value: `ent_...`.
    EntryId, "ent_", "an entry id"
);
id!(
    /// A request for a token: `ask_...`.
    AskId, "ask_", "the id of an ask"
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_written_form_is_fixed() {
        assert_eq!(TokenId::from_bytes([0; 16]).to_string(), "tok_00000000000000000000000000");
        assert_eq!(VaultId::from_bytes([0xff; 16]).to_string(), "vlt_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        let mut one = [0; 16];
        one[15] = 33;
        assert_eq!(format!("{:?}", SecretId::from_bytes(one)), "sec_00000000000000000000000011");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let good = "tok_7zzzzzzzzzzzzzzzzzzzzzzzzz";
        assert!(TokenId::parse(good).is_ok());
        let cut = &good[..29];
        let (over, other, letter) =
            (good.replace('7', "8"), good.replace("tok", "ses"), good.replace('7', "u"));
        for bad in
            ["", "tok_", cut, &format!("{good}0"), &over, &other, &letter, "tok_é7zzzzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert!(TokenId::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ids_read_back_in_either_case_and_sort_as_their_text(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
            let (a, b) = (SessionId::from_bytes(a), SessionId::from_bytes(b));
            prop_assert_eq!(SessionId::parse(&a.to_string()).unwrap(), a);
            prop_assert_eq!(SessionId::parse(&a.to_string().to_uppercase()).unwrap(), a);
            prop_assert_eq!(SessionId::parse(&a.to_string().replace('1', "l").replace("_0", "_O")).unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
