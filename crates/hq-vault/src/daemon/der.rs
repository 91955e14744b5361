//! The two dates of a certificate, and nothing more of X.509.

use hqv_model::Timestamp;

/// notBefore and notAfter of a certificate (RFC 5280 section 4.1): the fifth
/// field of its first field, after an optional version.
pub fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    let (tag, _, after) = element(rest)?;
    if tag == 0xa0 {
        rest = after;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, times, _) = element(rest)?;
    let (first_tag, first, after) = element(times)?;
    let (last_tag, last, _) = element(after)?;
    Some((moment(first_tag, first)?, moment(last_tag, last)?))
}

/// Tag, content and what follows of one DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (bytes, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        (bytes.iter().fold(0usize, |n, b| (n << 8) | usize::from(*b)), rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

/// UTCTime (23, two-digit years, 1950 to 2049) or GeneralizedTime (24).
fn moment(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let full = match tag {
        23 if text.get(..2)? >= "50" => format!("19{text}"),
        23 => format!("20{text}"),
        24 => text.to_owned(),
        _ => return None,
    };
    let at = |from: usize, to: usize| full.get(from..to);
    let rfc =
        format!("{}-{}-{}T{}:{}:{}Z", at(0, 4)?, at(4, 6)?, at(6, 8)?, at(8, 10)?, at(10, 12)?, at(12, 14)?);
    Timestamp::parse_rfc3339(&rfc).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_of_both_forms_are_read() {
        assert_eq!(moment(23, b"261124225921Z").unwrap().to_rfc3339(), "2026-11-24T22:59:21.000Z");
        assert_eq!(moment(23, b"500101000000Z").unwrap().to_rfc3339(), "1950-01-01T00:00:00.000Z");
        assert_eq!(moment(24, b"20500101000000Z").unwrap().to_rfc3339(), "2050-01-01T00:00:00.000Z");
        assert!(moment(4, b"20500101000000Z").is_none());
    }

    #[test]
    fn broken_der_is_no_certificate() {
        for der in [&b""[..], b"\x30", b"\x30\x05\x00", b"\x30\x84\xff\xff\xff\xff\x00", b"\x30\x80\x00\x00"]
        {
            assert!(validity(der).is_none(), "{der:?}");
        }
    }
}
