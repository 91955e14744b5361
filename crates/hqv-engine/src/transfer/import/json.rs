//! One flat JSON object of strings, numbers and booleans, read by hand.
//!
//! serde would keep unescaped copies of values that nobody wipes, and would write numbers anew: `1.0` and `1e5` are kept
//! here as they stand.

use super::{Lines, Reading};
use hqv_model::{Error, Result, SecretBytes};

pub(super) fn read(file: &[u8]) -> Result<Reading> {
    let text = std::str::from_utf8(file).map_err(|_| Error::bad_request("the file is not UTF-8"))?;
    let mut scan = Scan { text, rest: text };
    let mut reading = Reading::default();
    let mut lines = Lines::new(file);
    scan.expect('{')?;
    scan.skip();
    if !scan.take('}') {
        loop {
            scan.skip();
            let line = lines.of(text.len() - scan.rest.len());
            let name = scan.string()?;
            scan.expect(':')?;
            let value = scan.value()?;
            let name = std::str::from_utf8(name.reveal()).unwrap_or_default();
            reading.assign(line, name, value);
            scan.skip();
            if !scan.take(',') {
                break;
            }
        }
        scan.expect('}')?;
    }
    scan.skip();
    if scan.rest.is_empty() { Ok(reading) } else { Err(scan.wrong("has text after the object")) }
}

struct Scan<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn line(&self) -> usize {
        let done = self.text.len() - self.rest.len();
        1 + self.text.get(..done).unwrap_or_default().matches('\n').count()
    }

    fn wrong(&self, what: &str) -> Error {
        Error::bad_request(format!("line {} {what}", self.line()))
            .hint("it takes one object of strings, numbers and booleans: {\"NAME\": \"value\"}")
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        self.skip();
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.wrong(&format!("has no {wanted} where one belongs")))
        }
    }

    fn value(&mut self) -> Result<SecretBytes> {
        self.skip();
        match self.rest.chars().next() {
            Some('"') => return self.string(),
            Some('{' | '[') => return Err(self.wrong("holds an object or a list, which is no value")),
            _ => {}
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if word == "null" {
            return Err(self.wrong("holds null, which is no value"));
        }
        if !matches!(word, "true" | "false") && !is_number(word) {
            return Err(self.wrong("is not JSON"));
        }
        self.rest = rest;
        Ok(SecretBytes::from_slice(word.as_bytes()))
    }

    fn string(&mut self) -> Result<SecretBytes> {
        if !self.rest.starts_with('"') {
            return Err(self.wrong("has no quote where a string belongs"));
        }
        let bytes = self.rest.as_bytes();
        let mut escaped = false;
        let end = bytes.iter().enumerate().skip(1).find_map(|(at, byte)| {
            let ends = !escaped && *byte == b'"';
            escaped = !escaped && *byte == b'\\';
            ends.then_some(at)
        });
        let Some((literal, rest)) = end.and_then(|end| self.rest.split_at_checked(end + 1)) else {
            return Err(self.wrong("opens a string that is never closed"));
        };
        let text = unescaped(literal).ok_or_else(|| self.wrong("holds a string that is not JSON"))?;
        self.rest = rest;
        Ok(text)
    }
}

/// RFC 8259 section 6, to the letter: Rust reads more words as numbers than JSON has.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Unescapes a literal. What is escaped is longer than what it stands for, so the buffer never grows.
fn unescaped(literal: &str) -> Option<SecretBytes> {
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = zeroize::Zeroizing::new(String::with_capacity(rest.len()));
    while let Some(c) = rest.chars().next() {
        if c < ' ' {
            return None;
        }
        let after = rest.strip_prefix(c)?;
        if c != '\\' {
            out.push(c);
            rest = after;
            continue;
        }
        let (character, after) = escape(after)?;
        out.push(character);
        rest = after;
    }
    if out.contains('\0') {
        return None;
    }
    Some(SecretBytes::from_slice(out.as_bytes()))
}

fn escape(text: &str) -> Option<(char, &str)> {
    let kind = text.chars().next()?;
    let after = text.strip_prefix(kind)?;
    let character = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(after),
        _ => return None,
    };
    Some((character, after))
}

/// RFC 8259 section 7; a lone surrogate is no character.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (first, after) = four(text)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, after));
    }
    let (second, after) = four(after.strip_prefix("\\u")?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?, after))
}

fn four(text: &str) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    Some((u32::from_str_radix(digits, 16).ok().filter(|_| hex)?, after))
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn ou3_numbers_are_those_of_rfc_8259() {
        for number in ["0", "-0", "-0.5", "1e5", "10", "1.50", "1E+5", "2e-07"] {
            assert!(is_number(number), "{number}");
        }
        for other in [
            "-inf", "-nan", "inf", "01", "-01", "1.", ".5", "-.5", "+1", "1e", "1e+", "-", "", "1e5.0", "--1",
        ] {
            assert!(!is_number(other), "{other}");
        }
    }
}
