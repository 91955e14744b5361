//! Times as people say them: `in 42 min`, `3 h ago`, `91 d ago`.

use hqv_model::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `moment` seen from `now`.
pub fn relative(moment: Timestamp, now: Timestamp) -> String {
    let delta = moment.millis().saturating_sub(now.millis());
    match delta {
        -999..=999 => "now".to_owned(),
        d if d > 0 => format!("in {}", span(nearest(d))),
        d => format!("{} ago", span(d.saturating_neg())),
    }
}

/// What is to come is rounded to the nearest: half an hour that has just begun
/// is "in 30 min".
fn nearest(millis: i64) -> i64 {
    let unit = match millis {
        m if m < MINUTE => SECOND,
        m if m < HOUR => MINUTE,
        m if m < 2 * DAY => HOUR,
        _ => DAY,
    };
    millis.saturating_add(unit / 2)
}

/// A length of time that is to come, as [`relative`] rounds it.
pub fn to_come(millis: u64) -> String {
    span(nearest(i64::try_from(millis).unwrap_or(i64::MAX / 2)))
}

/// A length of time in its largest whole unit.
pub fn span(millis: i64) -> String {
    match millis.max(0) {
        m if m < MINUTE => format!("{} s", m / SECOND),
        m if m < HOUR => format!("{} min", m / MINUTE),
        m if m < 2 * DAY => format!("{} h", m / HOUR),
        m => format!("{} d", m / DAY),
    }
}

/// The time of day in this machine's zone, for lines that follow each other.
pub fn of_day(moment: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(moment.millis()) {
        Ok(t) => t.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string(),
        Err(_) => moment.to_rfc3339(),
    }
}

/// Date and time in this machine's zone.
pub fn full(moment: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(moment.millis()) {
        Ok(t) => t.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => moment.to_rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_largest_whole_unit_is_said() {
        let now = at(1_000_000_000_000);
        let from_now = |d: i64| relative(at(now.millis() + d), now);
        assert_eq!(from_now(42 * MINUTE + 29 * SECOND), "in 42 min");
        assert_eq!(from_now(30 * MINUTE - 1), "in 30 min");
        assert_eq!(from_now(-3 * HOUR), "3 h ago");
        assert_eq!(from_now(-91 * DAY), "91 d ago");
        assert_eq!(from_now(-40 * HOUR), "40 h ago");
        assert_eq!(from_now(5 * SECOND), "in 5 s");
        assert_eq!(from_now(0), "now");
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert!(relative(at(i64::MIN), at(i64::MAX)).ends_with("ago"));
        assert!(relative(at(i64::MAX), at(i64::MIN)).starts_with("in"));
    }
}
