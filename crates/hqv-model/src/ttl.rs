//! Durations, ends and use limits as people write them.

use crate::{Error, Result};
use std::num::NonZeroU64;
use std::time::Duration;

/// The longest life of a token: 90 days.
pub const MAX_TTL: Duration = Duration::from_secs(90 * 86_400);

const EXAMPLES: &str = "for example 90s, 30m, 1h, 7d, 2w or 1h30m";

/// Reads a duration: whole numbers with units `s`, `m`, `h`, `d` or `w`, one after the other (`1h30m`).
///
/// [`crate::Code::BadRequest`], each with its own sentence, for nothing at all, a number without a unit, an
/// unknown unit, a negative number, zero, and more than fits.
pub fn parse_duration(text: &str) -> Result<Duration> {
    if text.is_empty() {
        return Err(refused("the duration is empty"));
    }
    if text.starts_with('-') {
        return Err(refused("a duration cannot be negative"));
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let (part, after) = next_part(rest)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = after;
    }
    // Timestamps count milliseconds in an i64; a duration that does not fit there is of no use.
    if total > i64::MAX as u64 / 1000 {
        return Err(too_long());
    }
    if total == 0 {
        return Err(refused("a duration cannot be zero"));
    }
    Ok(Duration::from_secs(total))
}

/// One number with its unit, in seconds, and what follows.
fn next_part(text: &str) -> Result<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Err(refused("a duration is whole numbers with units"));
    }
    let unit = rest.find(|c: char| c.is_ascii_digit()).map_or(rest, |end| rest.split_at(end).0);
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "" => return Err(refused("a duration needs a unit")),
        _ => return Err(refused("the duration has an unknown unit")),
    };
    let number: u64 = number.parse().map_err(|_| too_long())?;
    let part = number.checked_mul(seconds).ok_or_else(too_long)?;
    Ok((part, rest.strip_prefix(unit).unwrap_or_default()))
}

fn refused(message: &str) -> Error {
    Error::bad_request(message).hint(EXAMPLES)
}

fn too_long() -> Error {
    refused("the duration is too long to count")
}

/// How long a token lives: 1 second to 90 days, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ttl(u64);

impl Ttl {
    /// The longest.
    pub const MAX_TTL: Ttl = Ttl(MAX_TTL.as_secs() * 1000);

    /// One hour, which a token gets that was given no end.
    pub const DEFAULT: Ttl = Ttl(3_600_000);

    /// Reads a duration of at most 90 days.
    pub fn parse(text: &str) -> Result<Self> {
        Ttl::from_duration(parse_duration(text)?)
    }

    /// The same from a duration. [`crate::Code::BadRequest`] below a second and above 90 days.
    pub fn from_duration(duration: Duration) -> Result<Self> {
        if duration > MAX_TTL {
            return Err(refused("a token lives at most 90 days"));
        }
        match u64::try_from(duration.as_millis()) {
            Ok(millis) if millis >= 1000 => Ok(Ttl(millis)),
            _ => Err(refused("a token lives at least a second")),
        }
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// As a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// How often a token can be used: 1 to 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UseLimit(NonZeroU64);

impl UseLimit {
    /// The greatest.
    pub const MAX: u64 = 1_000_000_000;

    /// Reads a whole number: digits alone, no sign, no blank, no exponent.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UseLimit::refused());
        }
        text.parse().map_err(|_| UseLimit::refused()).and_then(UseLimit::new)
    }

    /// The same from a number.
    pub fn new(limit: u64) -> Result<Self> {
        match NonZeroU64::new(limit) {
            Some(some) if limit <= UseLimit::MAX => Ok(UseLimit(some)),
            _ => Err(UseLimit::refused()),
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    fn refused() -> Error {
        Error::bad_request("a use limit is a whole number from 1 to 1000000000")
    }
}

/// Milliseconds for people, such as `1h30m`; whole seconds, rounded down, and `<1s` below one.
pub fn format_duration(millis: u64) -> String {
    if millis < 1000 {
        return if millis == 0 { "0s".into() } else { "<1s".into() };
    }
    let mut left = millis / 1000;
    let mut out = String::new();
    for (seconds, unit) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
        if left >= seconds {
            out.push_str(&(left / seconds).to_string());
            out.push(unit);
            left %= seconds;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Code;
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        let error = parse_duration(text).expect_err(text);
        assert_eq!(error.code(), Code::BadRequest);
        error.message().to_owned()
    }

    #[test]
    fn durations_and_sums_of_them() {
        let secs = |text: &str| parse_duration(text).unwrap().as_secs();
        assert_eq!(
            (secs("90s"), secs("30m"), secs("1h"), secs("7d"), secs("2w")),
            (90, 1800, 3600, 604_800, 1_209_600)
        );
        assert_eq!((secs("1h30m"), secs("1d1s"), secs("007s")), (5400, 86_401, 7));
    }

    #[test]
    fn in2_each_bad_duration_is_refused_with_its_sentence() {
        assert_eq!(refusal(""), "the duration is empty");
        assert_eq!(refusal("-1h"), "a duration cannot be negative");
        assert_eq!(refusal("0s"), "a duration cannot be zero");
        assert_eq!(refusal("0h0m"), "a duration cannot be zero");
        for text in ["5", "1h30", "90"] {
            assert_eq!(refusal(text), "a duration needs a unit");
        }
        for text in ["5x", "1y", "1e9d", "1H", "1.5h", "1 h", "1h ", "1hm", "5m٣s", "1h-5m"] {
            assert_eq!(refusal(text), "the duration has an unknown unit", "{text}");
        }
        for text in ["abc", "h", " 1h", "+1h", ".5h", "٣h", "\u{0}"] {
            assert_eq!(refusal(text), "a duration is whole numbers with units", "{text}");
        }
        for text in
            ["99999999999999999999s", "18446744073709551615w", "18446744073709551615s1s", "9223372036854776s"]
        {
            assert_eq!(refusal(text), "the duration is too long to count", "{text}");
        }
        assert!(parse_duration("9223372036854775s").is_ok());
    }

    #[test]
    fn in2_a_ttl_is_1s_to_90d() {
        assert_eq!(Ttl::parse("90d").unwrap(), Ttl::MAX_TTL);
        assert_eq!(Ttl::parse("1s").unwrap().as_millis(), 1000);
        assert_eq!(Ttl::parse("1h").unwrap(), Ttl::DEFAULT);
        for bad in ["90d1s", "13w", "0s", "", "1y", "-1h", "1000000000000d"] {
            assert!(Ttl::parse(bad).is_err(), "{bad}");
        }
        assert!(Ttl::from_duration(Duration::from_millis(999)).is_err());
        assert!(Ttl::from_duration(MAX_TTL + Duration::from_nanos(1)).is_err());
    }

    #[test]
    fn in2_a_use_limit_is_digits_from_1_to_a_billion() {
        assert_eq!(UseLimit::parse("1").unwrap().get(), 1);
        assert_eq!(UseLimit::parse("1000000000").unwrap().get(), UseLimit::MAX);
        for bad in
            ["", "0", "-1", "+1", "1.0", "1e3", " 1", "1 ", "abc", "1000000001", "99999999999999999999", "١"]
        {
            assert_eq!(UseLimit::parse(bad).expect_err(bad).code(), Code::BadRequest);
        }
    }

    #[test]
    fn durations_are_shown_short() {
        let shown =
            [0, 1, 1000, 90_000, 5_400_000, 86_400_000, 90 * 86_400_000, 90_061_999].map(format_duration);
        assert_eq!(shown, ["0s", "<1s", "1s", "1m30s", "1h30m", "1d", "90d", "1d1h1m1s"]);
    }

    proptest! {
        #[test]
        fn in2_what_is_shown_reads_back(secs in 1_u64..=i64::MAX as u64 / 1000) {
            prop_assert_eq!(parse_duration(&format_duration(secs * 1000)).unwrap().as_secs(), secs);
        }

        #[test]
        fn in2_nothing_panics(text in "[0-9smhdwx .+-]{0,24}|.*") {
            let _ = (parse_duration(&text), Ttl::parse(&text), UseLimit::parse(&text));
        }
    }
}
