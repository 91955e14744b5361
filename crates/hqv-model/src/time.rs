//! Moments, and the two sources that every crate is handed instead of taking: [`Clock`] and [`Entropy`].

use crate::{Error, Result, parse_duration};
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use std::fmt;
use std::time::Duration;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// 0000-01-01T00:00:00Z, where RFC 3339 begins, and 9999-12-30T22:00:00Z, where the library ends, so that every
/// moment can be told with every offset.
const FIRST_MILLIS: i64 = -62_167_219_200_000;
const LAST_MILLIS: i64 = 253_402_207_200_000;

static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
static PARSER: DateTimeParser = DateTimeParser::new();

impl Timestamp {
    /// The moment so many milliseconds after 1970 (before, where negative).
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-24T22:59:21.123Z`. What lies outside 0000-01-01
    /// to 9999-12-30 is written as the nearest moment within.
    pub fn to_rfc3339(self) -> String {
        let millis = self.0.clamp(FIRST_MILLIS, LAST_MILLIS);
        let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        PRINTER.timestamp_to_string(&moment)
    }

    /// Reads RFC 3339 with any offset; what is finer than a millisecond is cut off.
    pub fn parse_rfc3339(text: &str) -> Result<Self> {
        let refused = || {
            Error::bad_request("the time is not one that RFC 3339 knows")
                .hint("for example 2026-11-24T22:59:21Z")
        };
        // The library reads more forms than the RFC (week dates, time zones in brackets); the shape is checked here.
        if !looks_like_rfc3339(text) {
            return Err(refused());
        }
        let moment = PARSER.parse_timestamp(text).map_err(|_| refused())?;
        // The library rounds towards zero; a time before 1970 must not come out later than it is.
        let millis = moment.as_millisecond();
        Ok(Timestamp(if moment.subsec_nanosecond() % 1_000_000 < 0 { millis - 1 } else { millis }))
    }

    /// Later by a duration; the last moment there is where it does not fit.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_add(millis_of(duration)))
    }

    /// Earlier by a duration; the first moment there is where it does not fit.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_sub(millis_of(duration)))
    }

    /// How long after the other; zero where it is not after.
    pub fn since(self, other: Timestamp) -> Duration {
        if self.0 <= other.0 { Duration::ZERO } else { Duration::from_millis(self.0.abs_diff(other.0)) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_rfc3339())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `0000-00-00T00:00:00`, then an optional fraction, then `Z` or an offset `+00:00`.
fn looks_like_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((moment, rest)) = bytes.split_at_checked(19) else {
        return false;
    };
    let digit_or = |(at, byte): (usize, &u8)| match at {
        4 | 7 => *byte == b'-',
        10 => matches!(byte, b'T' | b't' | b' '),
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let fraction = match rest.split_first() {
        Some((b'.', after)) => 1 + after.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    let Some((fraction, offset)) = rest.split_at_checked(fraction) else {
        return false;
    };
    let offset_ok = match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    moment.iter().enumerate().all(digit_or)
        && (fraction.is_empty() || (2..=10).contains(&fraction.len()))
        && offset_ok
}

/// Which way a bare duration points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// `7d` is seven days from now.
    Future,
    /// `7d` is seven days ago.
    Past,
}

/// Reads a moment: RFC 3339, a date (its first moment in UTC), or a duration from now or before now.
///
/// [`crate::Code::BadRequest`] where it is none of these, or lies outside 0000-01-01 to 9999-12-30.
pub fn parse_moment(text: &str, now: Timestamp, toward: Toward) -> Result<Timestamp> {
    let refused = || {
        Error::bad_request("the time cannot be read")
            .hint("for example 2026-11-24T22:59:21Z, 2026-11-24 or 7d")
    };
    if text.len() == 10 && text.as_bytes().get(4) == Some(&b'-') {
        return Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| refused());
    }
    if text.len() > 10 && text.contains(':') {
        return Timestamp::parse_rfc3339(text);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(refused());
    }
    let duration = parse_duration(text)?;
    let moment = match toward {
        Toward::Future => now.plus(duration),
        Toward::Past => now.minus(duration),
    };
    if !(FIRST_MILLIS..=LAST_MILLIS).contains(&moment.0) {
        return Err(refused());
    }
    Ok(moment)
}

/// The time, as somebody hands it in.
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump, forwards and backwards.
    fn wall(&self) -> Timestamp;

    /// Time since some fixed moment of this boot, counting while the machine sleeps. It never goes back.
    fn boot(&self) -> Duration;
}

/// Random bytes, as somebody hands them in. Whoever implements this for a real vault hands in a
/// cryptographic source and does not return without having filled all of it.
pub trait Entropy: Send {
    /// Fills the whole slice.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// An array of random bytes.
pub fn array<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn written_in_utc_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_795_561_161_123).to_rfc3339(), "2026-11-24T22:59:21.123Z");
        assert_eq!(Timestamp::from_millis(-1).to_rfc3339(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).to_rfc3339(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).to_rfc3339(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn read_with_any_offset() {
        let millis = |text: &str| Timestamp::parse_rfc3339(text).unwrap().millis();
        let base = 1_795_561_161_000;
        assert_eq!(millis("2026-11-24T22:59:21Z"), base);
        assert_eq!(millis("2026-11-24t22:59:21z"), base);
        assert_eq!(millis("2026-11-24 22:59:21Z"), base);
        assert_eq!(millis("2026-11-25T00:59:21+02:00"), base);
        assert_eq!(millis("2026-11-24T22:59:21.1239Z"), base + 123);
        assert_eq!(millis("1969-12-31T23:59:59.9999Z"), -1);
    }

    #[test]
    fn in2_what_is_no_time_is_refused() {
        let bad = [
            "",
            "abc",
            "2026-11-24",
            "2026-11-24T22:59:21",
            "2026-11-24T22:59Z",
            "2026-13-24T22:59:21Z",
            "2026-02-30T00:00:00Z",
            "2026-11-24T24:59:21Z",
            "2026-11-24T22:59:21.Z",
            "20261124T225921Z",
            "2026-11-24T22:59:21+0200",
            "2026-11-24T22:59:21Z[UTC]",
            "+002026-11-24T22:59:21Z",
            "2026-11-24T22:59:21+99:00",
            "2026-11-24T22:59:21.1234567890Z",
            "é026-11-24T22:59:21Z",
            " 2026-11-24T22:59:21Z",
        ];
        for text in bad {
            assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sums_stop_at_the_ends() {
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        let hour = Duration::from_secs(3600);
        assert_eq!(last.plus(hour), last);
        assert_eq!(first.minus(hour), first);
        assert_eq!(last.minus(Duration::MAX).millis(), 0);
        assert_eq!(first.since(last), Duration::ZERO);
        assert_eq!(last.since(first), Duration::from_millis(u64::MAX));
        assert_eq!(Timestamp::from_millis(5000).since(Timestamp::from_millis(2000)), Duration::from_secs(3));
    }

    #[test]
    fn moments_are_times_dates_and_distances() {
        let now = Timestamp::from_millis(1_795_561_161_000);
        let at = |text: &str, toward| parse_moment(text, now, toward).unwrap();
        assert_eq!(at("7d", Toward::Future), now.plus(Duration::from_secs(604_800)));
        assert_eq!(at("1h30m", Toward::Past), now.minus(Duration::from_secs(5400)));
        assert_eq!(at("2026-11-24", Toward::Past).to_rfc3339(), "2026-11-24T00:00:00.000Z");
        assert_eq!(at("2026-11-24T22:59:21Z", Toward::Future), now);
    }

    #[test]
    fn in2_what_is_no_moment_is_refused() {
        let now = Timestamp::from_millis(1_795_561_161_000);
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-1-1",
            "-7d",
            "7",
            "1y",
            "5x",
            "1e9d",
            "999999999999999s",
            "é",
        ] {
            for toward in [Toward::Future, Toward::Past] {
                let error = parse_moment(text, now, toward).expect_err(text);
                assert_eq!(error.code(), crate::Code::BadRequest);
                assert!(error.hint_text().is_some());
            }
        }
    }

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.iter_mut().for_each(|byte| {
                *byte = self.0;
                self.0 += 1;
            });
        }
    }

    #[test]
    fn an_array_is_filled_to_the_end() {
        let mut source = Counting(1);
        assert_eq!(array::<3>(&mut source), [1, 2, 3]);
        assert_eq!(array::<2>(&mut source), [4, 5]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_sorts_the_same(a in FIRST_MILLIS..=LAST_MILLIS, b in FIRST_MILLIS..=LAST_MILLIS) {
            let (a, b) = (Timestamp::from_millis(a), Timestamp::from_millis(b));
            prop_assert_eq!(Timestamp::parse_rfc3339(&a.to_rfc3339()).unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_rfc3339().cmp(&b.to_rfc3339()));
        }

        #[test]
        fn in2_no_text_makes_time_panic(text in "[0-9TZ:.+-]{0,30}|.*", now in any::<i64>()) {
            let _ = Timestamp::parse_rfc3339(&text);
            let _ = parse_moment(&text, Timestamp::from_millis(now), Toward::Past);
        }
    }
}
