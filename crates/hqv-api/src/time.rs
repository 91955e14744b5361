//! Times on the wire: RFC 3339 in UTC with milliseconds, written without an allocation for the hot path.

/// The largest and smallest moments that RFC 3339 can write: years 0000 to 9999.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;

/// Appends `2026-11-24T22:59:21.123Z` for milliseconds since 1970. Always 24 bytes; a moment outside the years 0000
/// to 9999 is written as the nearest inside.
pub fn write_rfc3339(out: &mut Vec<u8>, millis: i64) {
    let millis = millis.clamp(FIRST, LAST);
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let [y1, y2, y3, y4, _, m1, m2, _, d1, d2, _, h1, h2, _, i1, i2, _, s1, s2, _, l1, l2, l3, _] = &mut text;
    pair([y1, y2], year / 100);
    pair([y3, y4], year % 100);
    pair([m1, m2], month);
    pair([d1, d2], day);
    pair([h1, h2], of_day / 3_600_000);
    pair([i1, i2], of_day / 60_000 % 60);
    pair([s1, s2], of_day / 1000 % 60);
    *l1 = digit(of_day % 1000 / 100);
    pair([l2, l3], of_day % 100);
    out.extend_from_slice(&text);
}

/// The same as a string of its own.
pub fn rfc3339(millis: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_rfc3339(&mut out, millis);
    String::from_utf8(out).unwrap_or_default()
}

fn pair([tens, ones]: [&mut u8; 2], value: i64) {
    *tens = digit(value / 10);
    *ones = digit(value % 10);
}

/// The last decimal digit. Every caller has one digit left, so the cast cuts nothing.
fn digit(value: i64) -> u8 {
    b'0' + value.rem_euclid(10) as u8
}

/// Day number since 1970-01-01 to year, month and day of the proleptic Gregorian calendar. Years are counted from
/// March in cycles of 400 years, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (cycle, of_cycle) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + cycle * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hqv_model::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn known_moments() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn agrees_with_the_model(millis in 0i64..4_102_444_800_000) {
            prop_assert_eq!(rfc3339(millis), Timestamp::from_millis(millis).to_rfc3339());
        }
    }
}
