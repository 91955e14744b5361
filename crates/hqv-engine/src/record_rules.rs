//! The settings of the record as they are written: sizes, ages, what is kept, where a copy goes.

use hqv_audit::mirror::Target;
use hqv_audit::{Retain, Rotation};
use hqv_model::{Error, format_duration, parse_duration};

use crate::settings::SHOW;

/// A new vault's: files of 64 MiB, whatever their age.
pub const ROTATION: Rotation = Rotation { size: 64 << 20, age: 0 };

const LEAST_SIZE: u64 = 64 << 10;
const MOST_SIZE: u64 = 64 << 30;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Ages are bounded so that sums of milliseconds never pass what a clock can say.
const MOST_AGE: u64 = 100 * 366 * DAY;
const MOST_FILES: u64 = 100_000;
const UNITS: [(char, u64); 3] = [('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

/// Bytes with a unit; `never` for 0.
pub fn size(value: &str) -> Result<u64, Error> {
    if value == "never" {
        return Ok(0);
    }
    let unit = UNITS.iter().find_map(|(name, times)| Some((value.strip_suffix(*name)?, *times)));
    let bytes = unit.and_then(|(digits, times)| number(digits)?.checked_mul(times));
    bytes.filter(|bytes| (LEAST_SIZE..=MOST_SIZE).contains(bytes)).ok_or_else(|| {
        Error::bad_request("a size from 64K to 64G is needed, such as 64M, or never").hint(SHOW)
    })
}

/// See [`size`].
pub fn size_text(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, times)| bytes.is_multiple_of(*times) && bytes > 0);
    unit.map_or_else(|| "never".into(), |(name, times)| format!("{}{name}", bytes / times))
}

/// An age of at least an hour; `never` for 0.
pub fn age(value: &str) -> Result<u64, Error> {
    if value == "never" {
        return Ok(0);
    }
    millis(value, HOUR)
        .ok_or_else(|| Error::bad_request("a time of at least 1h is needed, such as 7d, or never").hint(SHOW))
}

/// See [`age`].
pub fn age_text(millis: u64) -> String {
    if millis == 0 { "never".into() } else { format_duration(millis) }
}

/// `forever`, an age of at least a day, or a number of files.
pub fn retain(value: &str) -> Result<Retain, Error> {
    if value == "forever" {
        return Ok(Retain::All);
    }
    let files = value.strip_suffix("files").map(str::trim_end).and_then(number);
    let kept = match files {
        Some(files) => Some(files).filter(|n| (1..=MOST_FILES).contains(n)).map(Retain::Files),
        None => millis(value, DAY).map(Retain::Age),
    };
    kept.ok_or_else(|| {
        Error::bad_request("forever, a time of at least 1d, or a number of files is needed")
            .hint("for example hq-vault config set audit.retain 90d, or 20files")
    })
}

/// See [`retain`].
pub fn retain_text(retain: Retain) -> String {
    match retain {
        Retain::All => "forever".into(),
        Retain::Age(millis) => format_duration(millis),
        Retain::Files(files) => format!("{files}files"),
    }
}

/// A place for the plain copy; empty for none.
pub fn mirror(value: &str) -> Result<Option<Target>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    let plain = value.len() <= 512 && !hqv_model::escape_controls(value).contains('\\');
    Target::parse(value).filter(|_| plain).map(Some).ok_or_else(|| {
        Error::bad_request("file:/absolute/path, stdout or syslog is needed; empty for none").hint(SHOW)
    })
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

fn millis(value: &str, least: u64) -> Option<u64> {
    let millis = u64::try_from(parse_duration(value).ok()?.as_millis()).ok()?;
    (least..=MOST_AGE).contains(&millis).then_some(millis)
}
